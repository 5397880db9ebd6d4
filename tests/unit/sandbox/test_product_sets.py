import json

import pytest

from tests.unit.sandbox.catalog_scene import creation, new_catalog, refused, worked_off

PIZZA = {"custom_label_0": {"eq": "cat:pizza"}}


@pytest.fixture
async def catalog(scene):
    return await new_catalog(scene)


async def create(scene, catalog, **body):
    answer = await scene.graph("POST", f"{catalog}/product_sets", json={"name": "Pizza"} | body)
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


async def test_create_and_show(scene, catalog):
    first = await create(scene, catalog, filter=PIZZA, retailer_id="cat:pizza")

    assert (await scene.graph("GET", first)).json() == {"id": first, "name": "Pizza"}
    fields = {"fields": "filter,retailer_id,product_count,product_catalog"}
    assert (await scene.graph("GET", first, params=fields)).json() == {
        "filter": PIZZA,
        "retailer_id": "cat:pizza",
        "product_count": 0,
        "product_catalog": {"id": catalog},
        "id": first,
    }


async def test_list(scene, catalog):
    ids = [await create(scene, catalog, name=name) for name in "abc"]
    await create(scene, await new_catalog(scene))

    answer = await scene.graph("GET", f"{catalog}/product_sets", params={"limit": 2})

    assert answer.json()["data"] == [{"id": ids[0], "name": "a"}, {"id": ids[1], "name": "b"}]
    assert "next" in answer.json()["paging"]


async def test_its_items(scene, catalog):
    labelled = {"custom_label_0": "cat:pizza"}
    requests = (creation("a", **labelled), creation("b"), creation("c", **labelled))
    await worked_off(scene, catalog, *requests)
    pizza = await create(scene, catalog, filter=json.dumps(PIZZA))
    everything = await create(scene, catalog, name="All")

    async def names(product_set, **query):
        answer = await scene.graph("GET", f"{product_set}/products", params=query)
        return [one["retailer_id"] for one in answer.json()["data"]]

    assert await names(pizza) == ["a", "c"]
    assert await names(pizza, filter='{"retailer_id":{"is_any":["b","c"]}}') == ["c"]
    assert await names(everything) == ["a", "b", "c"]


async def test_change(scene, catalog):
    known = await create(scene, catalog, retailer_id="a")
    more = {"name": "Drinks", "filter": PIZZA, "retailer_id": "a"}

    assert (await scene.graph("POST", known, json=more)).json() == {"success": True}

    shown = await scene.graph("GET", known, params={"fields": "name,filter,retailer_id"})
    assert shown.json() == more | {"id": known}


async def test_delete(scene, catalog):
    known = await create(scene, catalog)

    assert (await scene.graph("DELETE", known)).json() == {"success": True}

    for method, path in (("DELETE", known), ("GET", f"{known}/products")):
        answer = await scene.graph(method, path)
        assert answer.json()["error"]["error_subcode"] == 33


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"name": ""}, "Param name must not be empty"),
        ({"filter": {"colour": {"eq": "red"}}}, "names the unknown field colour"),
        ({"filter": "{"}, "Param filter is not JSON"),
        ({"retailer_id": "taken"}, "retailer_id taken exists already"),
    ],
)
async def test_wrong_bodies(scene, catalog, body, says):
    await create(scene, catalog, retailer_id="taken")
    known = await create(scene, catalog)

    for path in (f"{catalog}/product_sets", known):
        code, told = refused(await scene.graph("POST", path, json={"name": "x"} | body))
        assert code == 100
        assert says in told


async def test_sets_of_another_business(scene, catalog):
    known = await create(scene, catalog)
    other = {"phone_number_id": "207", "token": "token-other", "business_id": "385002"}
    registered = {name: getattr(scene.number, name) for name in scene.number.__slots__}
    await scene.http.post("/sandbox/phones", json=registered | other)

    for method in ("GET", "POST", "DELETE"):
        answer = await scene.graph(method, known, token="token-other")
        assert answer.json()["error"]["error_subcode"] == 33
    assert (await scene.graph("GET", known, token="stolen")).status_code == 401
