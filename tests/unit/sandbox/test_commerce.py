from dataclasses import asdict

import pytest

from tests.unit.sandbox.catalog_scene import OTHER, connect, new_catalog, refused, show_on_number


@pytest.fixture
def edge(scene):
    return f"{scene.number.waba_id}/product_catalogs"


@pytest.fixture
def settings(scene):
    return f"{scene.number.phone_number_id}/whatsapp_commerce_settings"


@pytest.mark.parametrize("form", ["params", "json", "data"])
async def test_connect_and_disconnect(scene, edge, form):
    catalog = await new_catalog(scene)
    given = {"catalog_id": catalog}
    assert (await scene.graph("GET", edge)).json() == {"data": []}

    for _ in range(2):
        assert (await scene.graph("POST", edge, **{form: given})).json() == {"success": True}

    shown = (await scene.graph("GET", edge)).json()["data"]
    assert shown == [{"id": catalog, "name": "Menu"}]
    assert (await scene.graph("DELETE", edge, **{form: given})).json() == {"success": True}
    assert (await scene.graph("GET", edge)).json() == {"data": []}
    assert refused(await scene.graph("DELETE", edge, params=given))[0] == 100


async def test_there_is_only_one(scene, edge):
    first, second = await new_catalog(scene), await new_catalog(scene)
    await connect(scene, first)

    code, told = refused(await scene.graph("POST", edge, params={"catalog_id": second}))

    assert code == 100
    assert f"Catalogue {first} is connected to the account already" in told
    assert (await scene.graph("GET", edge)).json()["data"][0]["id"] == first


async def test_what_cannot_be_connected(scene, edge):
    await scene.http.post("/sandbox/phones", json=asdict(OTHER))
    foreign = (
        await scene.graph(
            "POST",
            f"{OTHER.business_id}/owned_product_catalogs",
            token=OTHER.token,
            json={"name": "Theirs"},
        )
    ).json()["id"]
    hotels = await new_catalog(scene, vertical="hotels")

    for catalog in (foreign, hotels, "999"):
        answer = await scene.graph("POST", edge, params={"catalog_id": catalog})
        assert refused(answer)[0] == 100
    assert "catalog_id is required" in refused(await scene.graph("POST", edge))[1]
    assert (await scene.graph("GET", edge)).json() == {"data": []}


async def test_only_who_may_use_the_account(scene, edge, settings):
    await scene.http.post("/sandbox/phones", json=asdict(OTHER))

    for path in (edge, settings):
        for method in ("GET", "POST"):
            answer = await scene.graph(method, path, token=OTHER.token)
            assert answer.json()["error"]["error_subcode"] == 33


async def test_settings(scene, settings):
    (shown,) = (await scene.graph("GET", settings)).json()["data"]
    assert shown == {
        "id": scene.number.phone_number_id,
        "is_cart_enabled": True,
        "is_catalog_visible": False,
    }

    query = {"is_cart_enabled": "false", "is_catalog_visible": "true"}
    assert (await scene.graph("POST", settings, params=query)).json() == {"success": True}
    (shown,) = (await scene.graph("GET", settings)).json()["data"]
    assert (shown["is_cart_enabled"], shown["is_catalog_visible"]) == (False, True)

    await show_on_number(scene, is_cart_enabled=True)
    catalog = await new_catalog(scene)
    await connect(scene, catalog)
    (shown,) = (await scene.graph("GET", settings)).json()["data"]
    assert shown == {"id": catalog, "is_cart_enabled": True, "is_catalog_visible": True}


@pytest.mark.parametrize("value", ["yes", 1, "1"])
async def test_wrong_settings(scene, settings, value):
    answer = await scene.graph("POST", settings, json={"is_catalog_visible": value})

    assert refused(answer)[0] == 100
