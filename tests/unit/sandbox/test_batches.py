from dataclasses import replace

from tests.unit.sandbox.catalog_scene import (
    check,
    creation,
    kept,
    new_catalog,
    post,
    release,
    update,
)
from tests.unit.sandbox.scene import NOON, Scene, staged, well_signed


async def told(scene: Scene, **fields: str) -> None:
    """Register the number again, with an address for webhooks about catalogues."""
    scene.number = replace(scene.number, catalog_callback_url=scene.number.callback_url, **fields)
    await scene.register()


async def test_the_business_is_told_when_a_batch_is_through(scene):
    await told(scene)
    catalog = await new_catalog(scene)
    (handle,) = (await post(scene, catalog, creation())).json()["handles"]

    (webhook,) = await scene.engine.until(1)

    assert well_signed(webhook)
    assert webhook.body == {
        "object": "catalog",
        "entry": [
            {
                "id": catalog,
                "time": int(NOON.timestamp()),
                "changes": [
                    {
                        "field": "items_batch",
                        "value": {"catalog_id": catalog, "handle": handle, "status": "Finished"},
                    }
                ],
            }
        ],
    }
    (delivery,) = await scene.deliveries(1)
    assert (delivery["kind"], delivery["wamid"], delivery["status"]) == ("catalog", handle, 200)


async def test_numbers_with_one_address_are_one_subscription(scene):
    await told(scene)
    await told(scene, phone_number_id="208")
    await told(scene, phone_number_id="209", business_id="385009", token="token-third")
    scene.number = replace(scene.number, business_id="385001", token="token-shop")
    catalog = await new_catalog(scene)
    for name in "ab":
        await post(scene, catalog, creation(name))

    await scene.deliveries(2)

    assert len(scene.engine.webhooks) == 2


async def test_without_an_address_nobody_is_told(scene):
    catalog = await new_catalog(scene)
    await post(scene, catalog, creation())
    await release(scene, catalog)

    await scene.customer().say("hola")

    (webhook,) = scene.engine.webhooks
    assert webhook.message["text"]["body"] == "hola"


async def test_batches_of_a_catalogue_keep_their_order(scene):
    catalog = await new_catalog(scene)
    await post(scene, catalog, creation("a"))
    for n in range(7):
        await post(scene, catalog, update("a", size=str(n)))

    await release(scene, catalog)

    assert (await kept(scene, catalog))["a"]["size"] == "6"


async def test_a_slow_meta():
    async with staged(batch_delay=3600.0) as scene:
        catalog = await new_catalog(scene)
        (first,) = (await post(scene, catalog, creation("a"))).json()["handles"]
        (second,) = (await post(scene, catalog, creation("b"))).json()["handles"]
        assert (await check(scene, catalog, first))["status"] == "started"

        assert await release(scene, catalog) == [first, second]

        assert list(await kept(scene, catalog)) == ["a", "b"]
        assert await release(scene, catalog) == []


async def test_a_batch_that_ends_in_another_way_saves_nothing(scene):
    await told(scene)
    await scene.http.post("/sandbox/batches", json={"hold": True})
    catalog = await new_catalog(scene)
    (handle,) = (await post(scene, catalog, creation())).json()["handles"]

    await release(scene, catalog, status="error")

    assert (await check(scene, catalog, handle))["status"] == "error"
    assert await kept(scene, catalog) == {}
    assert scene.engine.webhooks == []


async def test_reset_drops_what_is_under_way():
    async with staged(batch_delay=3600.0) as scene:
        await post(scene, await new_catalog(scene), creation("a"))

        (await scene.http.post("/sandbox/reset")).raise_for_status()
        await scene.register()

        again = await new_catalog(scene)
        assert await release(scene, again) == []
        assert (await scene.http.get("/sandbox/catalogs")).json()[0]["items"] == {}
