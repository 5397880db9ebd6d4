"""What tests of catalogues do with the Graph API again and again."""

from collections.abc import Iterable
from dataclasses import replace

import httpx

from tests.unit.sandbox.samples import ITEMS
from tests.unit.sandbox.scene import SHOP, Json, Scene

BUSINESS = SHOP.business_id
# A number of another business, with a token of its own.
OTHER = replace(
    SHOP,
    phone_number_id="207",
    token="token-other",
    waba_id="102",
    business_id="385002",
    callback_url="http://127.0.0.1:9/",
)


def item(name: str = "prod:1", **fields: object) -> Json:
    """A right item; a field of None is left out."""
    whole: Json = {
        "id": name,
        "title": "Margherita",
        "description": "Tomato and mozzarella",
        "availability": "in stock",
        "condition": "new",
        "price": "12.00 USD",
        "link": f"https://example.com/p/{name}",
        "image": [{"url": "https://example.com/p.jpg", "tag": []}],
        "brand": "Pizzería",
    }
    return {key: value for key, value in (whole | fields).items() if value is not None}


def creation(name: str = "prod:1", **fields: object) -> Json:
    return {"method": "CREATE", "data": item(name, **fields)}


def update(name: str = "prod:1", **fields: object) -> Json:
    return {"method": "UPDATE", "data": {"id": name} | fields}


def deletion(name: str = "prod:1") -> Json:
    return {"method": "DELETE", "data": {"id": name}}


async def new_catalog(scene: Scene, name: str = "Menu", **more: object) -> str:
    edge = f"{BUSINESS}/owned_product_catalogs"
    answer = await scene.graph("POST", edge, json={"name": name} | more)
    assert answer.status_code == 200, answer.text
    catalog: str = answer.json()["id"]
    return catalog


async def post(scene: Scene, catalog: str, *requests: Json, **more: object) -> httpx.Response:
    body = {"item_type": "PRODUCT_ITEM", "requests": requests} | more
    return await scene.graph("POST", f"{catalog}/items_batch", json=body)


async def release(scene: Scene, catalog: str, **body: str) -> list[str]:
    answer = await scene.http.post(f"/sandbox/catalogs/{catalog}/release", json=body)
    assert answer.status_code == 200, answer.text
    handles: list[str] = answer.json()["handles"]
    return handles


async def worked_off(scene: Scene, catalog: str, *requests: Json, **more: object) -> Json:
    """Post a batch, work it off and return all that Meta says of it."""
    answer = await post(scene, catalog, *requests, **more)
    assert answer.status_code == 200, answer.text
    (handle,) = answer.json()["handles"]
    await release(scene, catalog)
    return await check(scene, catalog, handle)


async def check(scene: Scene, catalog: str, handle: str, **query: object) -> Json:
    wanted = {"handle": handle, "load_ids_of_invalid_requests": "true"} | query
    edge = f"{catalog}/check_batch_request_status"
    answer = await scene.graph("GET", edge, params=wanted)
    assert answer.status_code == 200, answer.text
    (state,) = answer.json()["data"]
    assert isinstance(state, dict)
    return state


async def kept(scene: Scene, catalog: str) -> dict[str, Json]:
    """The fields of a catalogue's items as batches gave them, by id."""
    shown = (await scene.http.get("/sandbox/catalogs")).json()
    (items,) = [one["items"] for one in shown if one["id"] == catalog]
    return dict(items)


async def fill(scene: Scene, catalog: str, names: Iterable[str] = ITEMS) -> None:
    state = await worked_off(scene, catalog, *(creation(name) for name in names))
    assert state["errors_total_count"] == 0, state


async def connect(scene: Scene, catalog: str) -> None:
    edge = f"{scene.number.waba_id}/product_catalogs"
    answer = await scene.graph("POST", edge, params={"catalog_id": catalog})
    assert answer.json() == {"success": True}


async def show_on_number(scene: Scene, **settings: bool) -> None:
    edge = f"{scene.number.phone_number_id}/whatsapp_commerce_settings"
    assert (await scene.graph("POST", edge, json=settings)).json() == {"success": True}


async def shop(scene: Scene) -> str:
    """A catalogue with items, connected and visible."""
    catalog = await new_catalog(scene)
    await fill(scene, catalog)
    await connect(scene, catalog)
    await show_on_number(scene, is_catalog_visible=True)
    return catalog


def refused(answer: httpx.Response) -> tuple[int, str]:
    """The code of a refusal, and what it says is wrong."""
    error = answer.json()["error"]
    return error["code"], error.get("error_data", {}).get("details") or error["message"]
