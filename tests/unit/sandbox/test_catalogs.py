from dataclasses import asdict

import pytest

from tests.unit.sandbox.catalog_scene import (
    BUSINESS,
    OTHER,
    connect,
    creation,
    fill,
    new_catalog,
    refused,
    worked_off,
)
from tests.unit.sandbox.samples import FIRST_CATALOG

EDGE = f"{BUSINESS}/owned_product_catalogs"


async def test_create_and_show(scene):
    answer = await scene.graph("POST", EDGE, json={"name": "Pizza"})

    assert (answer.status_code, answer.json()) == (200, {"id": FIRST_CATALOG})
    assert (await scene.graph("GET", FIRST_CATALOG)).json() == {
        "id": FIRST_CATALOG,
        "name": "Pizza",
    }
    fields = {"fields": "product_count,vertical,business"}
    assert (await scene.graph("GET", FIRST_CATALOG, params=fields)).json() == {
        "product_count": 0,
        "vertical": "commerce",
        "business": {"id": BUSINESS},
        "id": FIRST_CATALOG,
    }


@pytest.mark.parametrize("form", ["params", "data"])
async def test_create_with_a_query_or_a_form(scene, form):
    given = {"name": "Rooms", "vertical": "hotels"}
    catalog = (await scene.graph("POST", EDGE, **{form: given})).json()["id"]

    shown = (await scene.graph("GET", catalog, params={"fields": "name,vertical"})).json()
    assert shown == given | {"id": catalog}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "Param name is required"),
        ({"name": ""}, "Param name must not be empty"),
        ({"name": "a", "vertical": "food"}, "Param vertical must be one of"),
    ],
)
async def test_wrong_creations(scene, body, says):
    code, told = refused(await scene.graph("POST", EDGE, json=body))

    assert code == 100
    assert says in told
    assert (await scene.graph("GET", EDGE)).json() == {"data": []}


async def test_list_page_by_page(scene):
    ids = [await new_catalog(scene, name) for name in "abc"]

    first = (await scene.graph("GET", EDGE, params={"limit": 2})).json()
    after = first["paging"]["cursors"]["after"]
    second = (await scene.graph("GET", EDGE, params={"limit": 2, "after": after})).json()

    assert [one["id"] for one in first["data"] + second["data"]] == ids
    assert first["data"][0] == {"id": ids[0], "name": "a"}
    assert f"after={after.replace('=', '%3D')}" in first["paging"]["next"]
    assert "next" not in second["paging"]
    assert refused(await scene.graph("GET", EDGE, params={"limit": 0}))[0] == 100
    assert refused(await scene.graph("GET", EDGE, params={"after": "x"}))[0] == 100


async def test_a_business_sees_only_its_own(scene):
    await scene.http.post("/sandbox/phones", json=asdict(OTHER))
    mine = await new_catalog(scene)

    for method, path in (
        ("GET", mine),
        ("POST", mine),
        ("DELETE", mine),
        ("GET", f"{mine}/products"),
        ("GET", f"{mine}/product_sets"),
        ("POST", f"{mine}/items_batch"),
        ("POST", f"{mine}/subscribed_apps"),
        ("GET", EDGE),
        ("POST", EDGE),
    ):
        answer = await scene.graph(method, path, token=OTHER.token)
        assert answer.json()["error"]["error_subcode"] == 33, path
    assert (await scene.graph("GET", mine, token="stolen")).status_code == 401
    elsewhere = await scene.graph("GET", f"{OTHER.business_id}/owned_product_catalogs")
    assert elsewhere.json()["error"]["error_subcode"] == 33


async def test_rename(scene):
    catalog = await new_catalog(scene)

    answer = await scene.graph("POST", catalog, json={"name": "Cena"})

    assert answer.json() == {"success": True}
    assert (await scene.graph("GET", catalog)).json()["name"] == "Cena"


async def test_delete_takes_all_of_it(scene):
    catalog = await new_catalog(scene)
    await fill(scene, catalog)
    await connect(scene, catalog)
    edge = f"{catalog}/product_sets"
    product_set = (await scene.graph("POST", edge, json={"name": "All"})).json()["id"]

    assert (await scene.graph("DELETE", catalog)).json() == {"success": True}

    for gone in (catalog, product_set):
        answer = await scene.graph("GET", gone)
        assert answer.json()["error"]["error_subcode"] == 33
    connected = await scene.graph("GET", f"{scene.number.waba_id}/product_catalogs")
    assert connected.json() == {"data": []}
    assert await new_catalog(scene) != catalog


async def test_ids_of_all_kinds_have_one_address(scene):
    catalog, flow = await new_catalog(scene), await scene.flow()

    assert (await scene.graph("GET", catalog)).json()["name"] == "Menu"
    assert (await scene.graph("GET", flow)).json()["name"] == "customise"
    for method in ("GET", "POST", "DELETE"):
        unknown = await scene.graph(method, "999")
        assert unknown.json()["error"]["error_subcode"] == 33
        assert (await scene.graph(method, "999", token="stolen")).status_code == 401


async def test_fields_that_are_not_there(scene):
    catalog = await new_catalog(scene)

    answer = await scene.graph("GET", catalog, params={"fields": "id,colour"})

    assert refused(answer) == (100, "(#100) Tried accessing nonexisting field (colour)")


async def test_subscribed_apps(scene):
    catalog = await new_catalog(scene)
    edge = f"{catalog}/subscribed_apps"

    for given in ({"params": {"app_id": "77"}}, {"json": {"app_id": "77"}}):
        assert (await scene.graph("POST", edge, **given)).json() == {"success": True}

    assert (await scene.graph("GET", edge)).json()["data"] == [{"id": "77"}]
    assert refused(await scene.graph("POST", edge, json={}))[0] == 100


async def test_items_are_counted(scene):
    catalog = await new_catalog(scene)
    await worked_off(scene, catalog, creation("a"), creation("b"))

    shown = await scene.graph("GET", catalog, params={"fields": "product_count"})

    assert shown.json()["product_count"] == 2
