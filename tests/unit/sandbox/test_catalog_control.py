import pytest

from tests.unit.sandbox.catalog_scene import connect, creation, item, kept, new_catalog, post
from tests.unit.sandbox.catalog_scene import release as released


@pytest.fixture
async def catalog(scene):
    return await new_catalog(scene)


async def test_what_meta_has(scene, catalog):
    await connect(scene, catalog)
    await scene.graph("POST", f"{catalog}/subscribed_apps", params={"app_id": "7"})
    rule = {"name": {"eq": "x"}}
    body = {"name": "Pizza", "filter": rule, "retailer_id": "cat:pizza"}
    known = (await scene.graph("POST", f"{catalog}/product_sets", json=body)).json()["id"]
    (handle,) = (await post(scene, catalog, creation("a"))).json()["handles"]
    await released(scene, catalog)

    assert (await scene.http.get("/sandbox/catalogs")).json() == [
        {
            "id": catalog,
            "business_id": scene.number.business_id,
            "name": "Menu",
            "vertical": "commerce",
            "items": {"a": item("a")},
            "sets": [
                {
                    "id": known,
                    "catalog_id": catalog,
                    "name": "Pizza",
                    "rule": rule,
                    "retailer_id": "cat:pizza",
                }
            ],
            "batches": {handle: "finished"},
            "connections": [scene.number.waba_id],
            "apps": ["7"],
        }
    ]


async def test_edit_by_hand(scene, catalog):
    name = "prod:1|size/large"
    path = f"/sandbox/catalogs/{catalog}/items/{name}"
    await post(scene, catalog, creation(name))
    await released(scene, catalog)

    edited = await scene.http.post(path, json={"fields": {"price": "1.00 USD"}})
    assert edited.json() == {"success": True}
    assert (await scene.http.get(path)).json() == item(name, price="1.00 USD")

    assert (await scene.http.post(path, json={"delete": True})).status_code == 200
    assert await kept(scene, catalog) == {}
    assert (await scene.http.post(path, json={"delete": True})).status_code == 404
    assert (await scene.http.get(path)).status_code == 404

    await scene.http.post(path, json={"fields": {"title": "Extra"}})
    assert await kept(scene, catalog) == {name: {"id": name, "title": "Extra"}}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("catalogs/2000000000000001/items/a", {}),
        ("catalogs/2000000000000001/items/a", {"fields": {}, "delete": True}),
        ("catalogs/2000000000000001/release", {"status": "started"}),
        ("batches", {}),
        ("catalog_faults", {"kind": "explode"}),
        ("catalog_faults", {"kind": "drop", "route": "messages"}),
        ("item_faults", {"item": "a"}),
    ],
)
async def test_wrong_bodies(scene, catalog, path, body):
    assert (await scene.http.post(f"/sandbox/{path}", json=body)).status_code == 400


async def test_unknown_catalogues(scene):
    assert (await scene.http.post("/sandbox/catalogs/9/release")).status_code == 404
    assert (await scene.http.get("/sandbox/catalogs/9/items/a")).status_code == 404


async def test_release_needs_no_body(scene, catalog):
    assert (await scene.http.post(f"/sandbox/catalogs/{catalog}/release")).json() == {
        "handles": []
    }


async def test_calls_are_counted(scene, catalog):
    await post(scene, catalog, creation("a"), creation("b"))
    await post(scene, catalog)
    await scene.graph("GET", f"{catalog}/products")
    await scene.graph("GET", catalog, token="stolen")

    answer = (await scene.http.get("/sandbox/catalog_calls")).json()

    assert answer["count"] == {
        "owned_product_catalogs": 1,
        "items_batch": 2,
        "products": 1,
        "catalog": 1,
    }
    assert [(one["n"], one["code"], one["requests"]) for one in answer["calls"]] == [
        (1, 0, 0),
        (2, 0, 2),
        (3, 100, 0),
        (4, 0, 0),
        (5, 190, 0),
    ]
    assert answer["calls"][1] == {
        "n": 2,
        "route": "items_batch",
        "method": "POST",
        "path": f"/v23.0/{catalog}/items_batch",
        "at": "2026-11-20T12:00:00+00:00",
        "requests": 2,
        "code": 0,
    }
    some = {"route": "items_batch", "after": 2}
    left = (await scene.http.get("/sandbox/catalog_calls", params=some)).json()
    assert left["calls"] == [answer["calls"][2]]


async def test_reset(scene, catalog):
    await scene.http.post("/sandbox/batches", json={"hold": True})
    await scene.http.post("/sandbox/catalog_faults", json={"kind": "refuse"})
    await scene.http.post("/sandbox/item_faults", json={"item": "a", "message": "no"})
    await connect_quietly(scene, catalog)

    await scene.http.post("/sandbox/reset")
    await scene.register()

    assert (await scene.http.get("/sandbox/catalogs")).json() == []
    assert (await scene.http.get("/sandbox/catalog_calls")).json() == {"calls": [], "count": {}}
    again = await new_catalog(scene)
    assert again == catalog
    await post(scene, again, creation("a"))
    await released(scene, again)
    assert list(await kept(scene, again)) == ["a"]
    connected = await scene.graph("GET", f"{scene.number.waba_id}/product_catalogs")
    assert connected.json() == {"data": []}


async def connect_quietly(scene, catalog):
    """Connect a catalogue though a fault waits."""
    edge = f"{scene.number.waba_id}/product_catalogs"
    for _ in range(2):
        await scene.graph("POST", edge, params={"catalog_id": catalog})
