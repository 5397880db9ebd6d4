import json

import pytest

from tests.unit.sandbox.catalog_scene import creation, fill, new_catalog, refused, worked_off

ALL = (
    "id,retailer_id,name,description,availability,condition,price,currency,url,image_url,brand,"
    "retailer_product_group_id,product_type,custom_label_0,size"
)


@pytest.fixture
async def catalog(scene):
    return await new_catalog(scene)


async def products(scene, catalog, **query):
    answer = await scene.graph("GET", f"{catalog}/products", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_an_item_has_other_names_than_in_a_batch(scene, catalog):
    more = {"item_group_id": "prod:1", "product_type": "Pizza", "size": "L"}
    await worked_off(scene, catalog, creation("prod:1|l", custom_label_0="cat:pizza", **more))

    (shown,) = await products(scene, catalog, fields=ALL)

    assert shown.pop("id").isdigit()
    assert shown == {
        "retailer_id": "prod:1|l",
        "name": "Margherita",
        "description": "Tomato and mozzarella",
        "availability": "in stock",
        "condition": "new",
        "price": "$12.00",
        "currency": "USD",
        "url": "https://example.com/p/prod:1|l",
        "image_url": "https://example.com/p.jpg",
        "brand": "Pizzería",
        "retailer_product_group_id": "prod:1",
        "product_type": "Pizza",
        "custom_label_0": "cat:pizza",
        "size": "L",
    }


async def test_only_what_is_asked_for_and_there(scene, catalog):
    await worked_off(
        scene,
        catalog,
        creation("a", price="1200 PEN", image=None, image_link="https://a.b/c"),
    )

    (default,) = await products(scene, catalog)
    assert default == {"id": default["id"], "name": "Margherita", "retailer_id": "a"}
    (asked,) = await products(scene, catalog, fields="price,currency,size,image_url")
    assert asked == {
        "id": default["id"],
        "price": "PEN1,200.00",
        "currency": "PEN",
        "image_url": "https://a.b/c",
    }


async def test_a_price_edited_by_hand_may_be_anything(scene, catalog):
    path = f"/sandbox/catalogs/{catalog}/items/a"
    for price, shown in (("cheap", {"price": "cheap"}), (7, {"price": "7"}), ("", {})):
        await scene.http.post(path, json={"fields": {"price": price}})

        (item,) = await products(scene, catalog, fields="price,currency,retailer_id")
        assert item == {"id": item["id"], "retailer_id": "a"} | shown


async def test_more_images(scene, catalog):
    images = [{"url": f"https://example.com/{n}.jpg"} for n in range(3)]
    await worked_off(scene, catalog, creation("a", image=images))

    (shown,) = await products(scene, catalog, fields="image_url,additional_image_urls")

    assert shown["image_url"] == images[0]["url"]
    assert shown["additional_image_urls"] == [image["url"] for image in images[1:]]


async def test_pages(scene, catalog):
    await fill(scene, catalog, [str(n) for n in range(260)])

    assert len(await products(scene, catalog)) == 25
    edge, seen = f"{catalog}/products", []
    query = {"limit": 250, "fields": "retailer_id"}
    while True:
        page = (await scene.graph("GET", edge, params=query)).json()
        seen += [one["retailer_id"] for one in page["data"]]
        if "next" not in page["paging"]:
            break
        query["after"] = page["paging"]["cursors"]["after"]
    assert seen == [str(n) for n in range(260)]
    assert refused(await scene.graph("GET", edge, params={"limit": 251}))[0] == 100
    assert refused(await scene.graph("GET", edge, params={"fields": "title"}))[0] == 100


async def test_one_item(scene, catalog):
    await fill(scene, catalog, ["a", "b"])

    wanted = json.dumps({"retailer_id": {"eq": "b"}})
    (shown,) = await products(scene, catalog, filter=wanted)
    assert shown["retailer_id"] == "b"
    assert await products(scene, catalog, filter='{"retailer_id":{"eq":"z"}}') == []


async def test_wrong_filters(scene, catalog):
    for given in ('{"colour":{"eq":"red"}}', "{", "[]"):
        answer = await scene.graph("GET", f"{catalog}/products", params={"filter": given})
        assert refused(answer)[0] == 100
