import pytest

from tests.unit.sandbox.catalog_scene import connect, fill, new_catalog, shop, show_on_number
from tests.unit.sandbox.samples import MESSAGES, changed
from tests.unit.sandbox.scene import ANA

KINDS = ["product", "product_list", "carousel", "catalog_message"]


async def offer(scene, message):
    """Send a message; return code and details of the refusal, or None."""
    answer = await scene.send({"messaging_product": "whatsapp", "to": ANA} | message)
    if answer.status_code == 200:
        return None
    error = answer.json()["error"]
    return error["code"], error["error_data"]["details"]


@pytest.mark.parametrize("kind", KINDS)
async def test_products_of_the_connected_catalogue(scene, kind):
    await shop(scene)

    assert await offer(scene, MESSAGES[kind]) is None
    assert len(await scene.customer().messages()) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_without_a_connected_catalogue(scene, kind):
    catalog = await new_catalog(scene)
    await fill(scene, catalog)
    await show_on_number(scene, is_catalog_visible=True)

    refused = await offer(scene, MESSAGES[kind])

    assert refused == (131009, "No catalogue is connected to the account of the sender")
    assert await scene.customer().messages() == []


@pytest.mark.parametrize("kind", ["product", "product_list", "carousel"])
async def test_products_of_another_catalogue(scene, kind):
    await fill(scene, await new_catalog(scene))
    second = await new_catalog(scene)
    await fill(scene, second)
    await connect(scene, second)

    refused = await offer(scene, MESSAGES[kind])

    assert refused is not None
    assert refused[0] == 131009
    assert "is not the one connected" in refused[1]


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("product", "action.product_retailer_id"),
        ("product_list", "action.sections.0.product_items.1.product_retailer_id"),
        ("carousel", "action.cards.1.action.product_retailer_id"),
        ("catalog_message", "action.parameters.thumbnail_product_retailer_id"),
    ],
)
async def test_products_that_are_not_there(scene, kind, path):
    catalog = await shop(scene)

    refused = await offer(scene, changed(kind, f"interactive.{path}", "prod:gone"))

    assert refused is not None
    assert refused[0] == 131009
    assert refused[1].endswith(f"is not valid: catalogue {catalog} has no item prod:gone")


async def test_a_catalogue_that_is_not_visible(scene):
    await shop(scene)
    await show_on_number(scene, is_catalog_visible=False)

    refused = await offer(scene, MESSAGES["catalog_message"])

    assert refused == (131009, "The catalogue is not visible on the number of the sender")
    assert await offer(scene, MESSAGES["product"]) is None


async def test_a_catalogue_message_needs_no_thumbnail(scene):
    await shop(scene)
    action = {"name": "catalog_message"}

    assert await offer(scene, changed("catalog_message", "interactive.action", action)) is None
