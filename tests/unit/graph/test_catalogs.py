"""The calls for catalogues, as they go over the wire and as Meta's answers are read."""

import asyncio
import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.responses import JSONResponse

from engine.domain.ids import PresentationId
from engine.errors import GraphError, GraphRetryable, GraphTerminal
from engine.graph.catalogs import GraphCatalogs
from engine.graph.client import GraphClient, Json
from engine.sandbox import PhoneNumber, SandboxOptions, create_sandbox
from engine.serving import serving
from engine.sync.calls import (
    BatchStatus,
    CommerceSettings,
    MetaCatalog,
    MetaItem,
    MetaSet,
    Taken,
)
from engine.sync.differences import differences
from engine.sync.item import Item
from engine.sync.ports import ItemId
from tests.unit.sync.test_item import PIZZA, made, one, size

UNSAID = "Meta did not say why"
USAGE = {
    "X-Business-Use-Case-Usage": json.dumps(
        {"1": [{"type": "catalog_batch", "call_count": 62, "estimated_time_to_regain_access": 2}]}
    )
}


@pytest.fixture
def catalogs(client):
    return GraphCatalogs(client, "secret")


def page(*rows, after=None, has_next=True):
    paging: Json = {"cursors": {"before": "b", "after": after}} if after else {}
    if after and has_next:
        paging["next"] = "https://graph.facebook.com/v26.0/1/x?access_token=secret"
    return {"data": list(rows), "paging": paging}


def refused(code, message, status=400):
    return (status, {"error": {"code": code, "message": message}})


def test_the_token_is_in_no_repr(catalogs):
    assert "secret" not in repr(catalogs)


@pytest.mark.parametrize(
    ("call", "path"),
    [("catalogs", "owned_product_catalogs"), ("connected", "product_catalogs")],
)
async def test_all_pages_of_catalogues_are_read(catalogs, scripted, call, path):
    scripted.say(
        page({"id": "1", "name": "a"}, {"id": 2}, after="A"),
        page({"name": "nobody"}, "x", {"id": "3", "name": "c"}, after="B"),
        page({"id": "4", "name": "d"}, after="C", has_next=False),
    )
    found = await getattr(catalogs, call)("77")
    assert found == tuple(
        MetaCatalog(id_, name) for id_, name in (("1", "a"), ("2", ""), ("3", "c"), ("4", "d"))
    )
    assert [asked.query.get("after") for asked in scripted.asked] == [None, "A", "B"]
    assert {asked.path for asked in scripted.asked} == {f"/v26.0/77/{path}"}
    assert scripted.last.headers["authorization"] == "Bearer secret"


async def test_a_page_that_follows_itself_is_the_last(catalogs, scripted):
    scripted.say(page({"id": "1"}, after="A"), page({"id": "2"}, after="A"))
    assert [each.id for each in await catalogs.catalogs("77")] == ["1", "2"]
    assert len(scripted.asked) == 2


async def test_a_list_does_not_go_on_for_ever(catalogs, scripted):
    scripted.say(*(page({"id": "1"}, after=f"A{n}") for n in range(120)))
    assert len(await catalogs.catalogs("77")) == 100
    scripted.answers.clear()


async def test_a_catalogue_is_made_for_commerce(catalogs, scripted):
    scripted.say({"id": "55"})
    assert await catalogs.create_catalog("77", "La Tavola: Pizza") == "55"
    asked = scripted.last
    assert (asked.method, asked.path) == ("POST", "/v26.0/77/owned_product_catalogs")
    assert json.loads(asked.body) == {"name": "La Tavola: Pizza", "vertical": "commerce"}


async def test_what_meta_does_not_name_may_be_there(catalogs, scripted):
    scripted.say({"success": True}, {"id": None})
    with pytest.raises(GraphRetryable):
        await catalogs.create_catalog("77", "x")
    with pytest.raises(GraphRetryable):
        await catalogs.create_set("55", name="x", retailer_id="y", rule={})


@pytest.mark.parametrize("business", ["", " 77", "77/x", "..", "77?a=b", "77\n", "a b"])
async def test_what_is_no_id_asks_nothing(catalogs, scripted, business):
    with pytest.raises(GraphTerminal, match="is no id of Meta's"):
        await catalogs.catalogs(business)
    assert scripted.asked == []


REQUESTS = [
    {"method": "UPDATE", "data": {"id": "a", "title": "Ñandú"}},
    {"method": "DELETE", "data": {"id": "b"}},
]


async def test_a_batch_is_sent_in_one_call(catalogs, scripted):
    scripted.say(JSONResponse({"handles": ["h1", "h2"]}, headers=USAGE))
    assert await catalogs.send("55", REQUESTS) == Taken(("h1", "h2"), {}, 62, 120.0)
    (asked,) = scripted.asked
    assert (asked.method, asked.path) == ("POST", "/v26.0/55/items_batch")
    assert asked.headers["content-type"] == "application/json"
    assert json.loads(asked.body) == {
        "item_type": "PRODUCT_ITEM",
        "allow_upsert": True,
        "requests": REQUESTS,
    }


async def test_items_that_are_not_taken_say_why(catalogs, scripted):
    answer = {
        "handles": [],
        "validation_status": [
            {"retailer_id": "a", "errors": [{"message": "No title."}, {"message": " No price. "}]},
            {"retailer_id": "a", "errors": [{"message": "No title."}]},
            {"retailer_id": "b", "errors": [], "warnings": [{"message": "Odd."}]},
            {"retailer_id": "c", "errors": [{}]},
            {"retailer_id": "d", "errors": ["x", {"message": "Bad."}]},
            {"retailer_id": 7, "errors": [{"message": 8}]},
            {"errors": [{"message": "Nobody."}]},
            "x",
        ],
    }
    scripted.say(answer)
    faults = {"a": "No title.; No price.", "c": UNSAID, "d": "Bad.", "7": "8"}
    taken = await catalogs.send("55", [])
    assert (taken.handles, taken.faults) == ((), faults)


@pytest.mark.parametrize("answer", [{}, {"handles": "h"}, {"handles": None}, [1]])
async def test_a_batch_of_which_nothing_is_said_may_be_sent_again(catalogs, scripted, answer):
    scripted.say(answer)
    with pytest.raises(GraphRetryable):
        await catalogs.send("55", REQUESTS)


async def test_a_batch_too_many_tells_how_long_to_wait(catalogs, scripted):
    body = {"error": {"code": 80014, "message": "(#80014) Too many calls"}}
    scripted.say(JSONResponse(body, 400, headers=USAGE))
    with pytest.raises(GraphRetryable) as caught:
        await catalogs.send("55", REQUESTS)
    assert (caught.value.code, caught.value.wait) == (80014, 120.0)


async def test_a_handle_is_asked_for_with_the_ids_of_what_failed(catalogs, scripted):
    failed = {
        "handle": "h/1+=",
        "status": "Finished",
        "errors": [
            {"line": 1, "id": "a", "message": "No image."},
            {"line": 1, "id": "a", "message": "No price."},
            {"line": 2, "id": "b"},
            {"line": 3, "message": "Nobody."},
        ],
        "errors_total_count": 6,
        "warnings": [{"line": 4, "id": "w", "message": "Odd."}],
        "ids_of_invalid_requests": ["a", "b", "c", 7, None],
    }
    scripted.say({"data": [{"handle": "other", "status": "started"}, failed]})
    status = await catalogs.status("55", "h/1+=")
    assert status.is_finished
    assert status.faults == {"a": "No image.; No price.", "b": UNSAID, "c": UNSAID, "7": UNSAID}
    asked = scripted.last
    assert (asked.method, asked.path) == ("GET", "/v26.0/55/check_batch_request_status")
    assert (asked.query["handle"], asked.query["load_ids_of_invalid_requests"]) == (
        "h/1+=",
        "true",
    )
    assert {"status", "errors", "ids_of_invalid_requests"} <= set(asked.query["fields"].split(","))


@pytest.mark.parametrize(
    ("answer", "is_finished"),
    [
        ({"data": [{"handle": "h", "status": "finished"}]}, True),
        ({"data": [{"handle": "h", "status": "FINISHED"}]}, True),
        ({"data": [{"status": "finished"}]}, True),
        ({"data": [{"handle": "h", "status": "started"}]}, False),
        ({"data": [{"handle": "h", "status": "in_progress"}]}, False),
        ({"data": [{"handle": "h", "status": None}]}, False),
        ({"data": [{"handle": "h"}]}, False),
        ({"data": [{"handle": "other", "status": "finished"}]}, False),
        ({"data": []}, False),
        ({}, False),
    ],
)
async def test_a_handle_is_finished_when_meta_says_so(catalogs, scripted, answer, is_finished):
    scripted.say(answer)
    assert await catalogs.status("55", "h") == BatchStatus(is_finished)


async def test_an_unknown_handle_is_refused(catalogs, scripted):
    scripted.say(refused(100, "(#100) Param handle is not valid"))
    with pytest.raises(GraphTerminal) as caught:
        await catalogs.status("55", "h")
    assert caught.value.code == 100


async def test_items_are_read_page_by_page(catalogs, scripted):
    row: Json = {
        "id": "9",
        "retailer_id": "a",
        "name": "Margherita",
        "price": "$12.00",
        "brand": None,
        "size": 7,
        "custom_label_0": True,
        "description": ["x"],
        "image_url": {},
        "other": "x",
    }
    scripted.say(page(row, {"id": "8"}, "x", after="A"), page(after="B", has_next=False))
    fields = {
        "retailer_id": "a",
        "name": "Margherita",
        "price": "$12.00",
        "size": "7",
        "custom_label_0": "true",
    }
    assert await catalogs.items("55") == ((MetaItem(ItemId("a"), fields),), "A")
    assert scripted.last.path == "/v26.0/55/products"
    assert scripted.last.query["limit"] == "250"
    assert {"retailer_id", "name", "price", "currency", "url"} <= set(
        scripted.last.query["fields"].split(",")
    )
    assert await catalogs.items("55", after="A") == ((), None)
    assert scripted.last.query["after"] == "A"


async def test_one_item_is_asked_for_by_our_id(catalogs, scripted):
    scripted.say(page({"retailer_id": 'a"|b', "name": "x"}, {"retailer_id": "a"}), page())
    found = await catalogs.item("55", 'a"|b')
    assert found == MetaItem(ItemId('a"|b'), {"retailer_id": 'a"|b', "name": "x"})
    assert json.loads(scripted.last.query["filter"]) == {"retailer_id": {"eq": 'a"|b'}}
    assert await catalogs.item("55", "a") is None


async def test_sets_are_made_named_and_deleted(catalogs, scripted):
    scripted.say({"id": "66"}, {"success": True}, {"success": True})
    rule = {"custom_label_0": {"eq": "cat:pizza"}}
    made_ = await catalogs.create_set("55", name="Pizza", retailer_id="cat:pizza", rule=rule)
    assert made_ == "66"
    assert scripted.last.path == "/v26.0/55/product_sets"
    body = json.loads(scripted.last.body)
    assert body == {"name": "Pizza", "retailer_id": "cat:pizza", "filter": json.dumps(
        rule, separators=(",", ":"))}  # fmt: skip
    await catalogs.rename_set("66", "Pizzas")
    assert (scripted.last.method, scripted.last.path) == ("POST", "/v26.0/66")
    assert json.loads(scripted.last.body) == {"name": "Pizzas"}
    await catalogs.delete_set("66")
    assert (scripted.last.method, scripted.last.path) == ("DELETE", "/v26.0/66")
    assert scripted.last.query == {"allow_live_product_set_deletion": "true"}


@pytest.mark.parametrize(
    "answer",
    [
        refused(100, "Unsupported delete request. Object with ID '66' does not exist, cannot be"),
        refused(803, "(#803) Some of the aliases you requested do not exist: 66", 404),
    ],
)
async def test_a_set_that_is_gone_is_deleted(catalogs, scripted, answer):
    scripted.say(answer)
    await catalogs.delete_set("66")


@pytest.mark.parametrize(
    "answer",
    [refused(100, "Invalid parameter"), refused(200, "It does not exist"), (404, {}),
     (200, {"success": False})],
)  # fmt: skip
async def test_a_set_that_meta_keeps_is_an_error(catalogs, scripted, answer):
    scripted.say(answer)
    with pytest.raises(GraphTerminal):
        await catalogs.delete_set("66")


async def test_sets_are_listed(catalogs, scripted):
    ours = {"id": "1", "name": "a", "retailer_id": "cat:a"}
    scripted.say(page(ours, after="A"), page({"id": "2", "name": "b"}))
    assert await catalogs.sets("55") == (MetaSet("1", "a", "cat:a"), MetaSet("2", "b"))


async def test_a_catalogue_is_connected_and_shown(catalogs, scripted):
    await catalogs.connect("88", "55")
    assert (scripted.last.method, scripted.last.path) == ("POST", "/v26.0/88/product_catalogs")
    assert scripted.last.query == {"catalog_id": "55"}
    await catalogs.show_catalog("101")
    assert scripted.last.path == "/v26.0/101/whatsapp_commerce_settings"
    assert scripted.last.query == {"is_cart_enabled": "true", "is_catalog_visible": "true"}


@pytest.mark.parametrize("call", [("connect", "88", "55"), ("show_catalog", "101")])
async def test_no_success_is_a_refusal(catalogs, scripted, call):
    scripted.say({"success": False})
    name, *parts = call
    with pytest.raises(GraphTerminal):
        await getattr(catalogs, name)(*parts)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"data": [{"id": "1", "is_cart_enabled": True, "is_catalog_visible": False}]},
         CommerceSettings(is_cart_enabled=True, is_catalog_visible=False)),
        ({"data": [{"is_catalog_visible": True}]},
         CommerceSettings(is_cart_enabled=False, is_catalog_visible=True)),
        ({"data": []}, None),
        ({"data": {}}, None),
        ({}, None),
    ],
)  # fmt: skip
async def test_the_settings_of_a_number_are_read(catalogs, scripted, answer, told):
    scripted.say(answer)
    assert await catalogs.commerce_settings("101") == told


NAMES = st.sampled_from(
    ["data", "id", "name", "handles", "handle", "status", "errors", "message", "retailer_id",
     "validation_status", "ids_of_invalid_requests", "paging", "cursors", "after", "next",
     "error", "code", "success"]
)  # fmt: skip
STRANGE = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
CALLS = [
    ("catalogs", "77"),
    ("create_catalog", "77", "x"),
    ("send", "55", REQUESTS),
    ("status", "55", "h"),
    ("items", "55"),
    ("item", "55", "a"),
    ("sets", "55"),
    ("delete_set", "66"),
    ("connected", "88"),
    ("commerce_settings", "101"),
]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=STRANGE, call=st.sampled_from(CALLS), status=st.sampled_from([200, 400, 500]))
async def test_no_answer_is_too_strange(catalogs, scripted, body, call, status):
    scripted.answers.clear()
    scripted.say((status, body))
    name, *parts = call
    with suppress(GraphError):
        await getattr(catalogs, name)(*parts)


SHOP = PhoneNumber(
    phone_number_id="101",
    display_phone_number="+1 555 078-3881",
    token="secret",
    callback_url="",
    app_secret="s",
    waba_id="88",
    business_id="77",
)


@pytest.fixture
async def at_meta():
    """The calls, before the sandbox."""
    options = SandboxOptions(phones=(SHOP,), batch_delay=0.0)
    async with serving(create_sandbox(options)) as url:
        client = GraphClient(url, "v26.0")
        yield GraphCatalogs(client, "secret")
        await client.close()


async def finished(calls, catalog, taken):
    async with asyncio.timeout(10):
        while True:
            status = await calls.status(catalog, taken.handles[0])
            if status.is_finished:
                return status


async def test_the_sandbox_takes_our_items_and_has_what_we_want(at_meta):
    catalog = await at_meta.create_catalog("77", "La Tavola")
    assert await at_meta.catalogs("77") == (MetaCatalog(catalog, "La Tavola"),)
    sizes = (size("Small", "9"), replace(size("Large"), id=PresentationId('odd " | é/id')))
    items = [*made(), *made(id="prod:b", presentations=sizes, stock=0), *made(id="c", category="")]
    wanted = {each.item: each for each in items if isinstance(each, Item)}
    assert len(wanted) == 4
    requests = [{"method": "UPDATE", "data": dict(each.fields)} for each in wanted.values()]
    taken = await at_meta.send(catalog, requests)
    assert (len(taken.handles), taken.faults) == (1, {})
    assert taken.usage > 0
    assert await finished(at_meta, catalog, taken) == BatchStatus(is_finished=True)
    found, after = await at_meta.items(catalog)
    assert after is None
    assert {each.item for each in found} == set(wanted)
    for each in found:
        assert differences(wanted[each.item], each) == ()
        assert await at_meta.item(catalog, each.item) == each
    assert await at_meta.item(catalog, ItemId("nobody")) is None


async def test_the_sandbox_refuses_at_once_and_later(at_meta):
    catalog = await at_meta.create_catalog("77", "La Tavola")
    good, late, bad = (dict(one(id=each).fields) for each in ("good", "late", "bad"))
    late["price"] = "free"
    del bad["title"]
    requests = [{"method": "CREATE", "data": each} for each in (good, late, bad)]
    taken = await at_meta.send(catalog, requests)
    assert set(taken.faults) == {"bad"}
    status = await finished(at_meta, catalog, taken)
    assert set(status.faults) == {"late"}
    found, _ = await at_meta.items(catalog)
    assert [each.item for each in found] == ["good"]


async def test_the_sandbox_keeps_sets_and_shows_the_catalogue(at_meta):
    catalog = await at_meta.create_catalog("77", "La Tavola")
    rule = {"custom_label_0": {"eq": PIZZA.category_id}}
    made_ = await at_meta.create_set(catalog, name="Pizza", retailer_id="cat:pizza", rule=rule)
    await at_meta.rename_set(made_, "Pizzas")
    assert await at_meta.sets(catalog) == (MetaSet(made_, "Pizzas", "cat:pizza"),)
    await at_meta.delete_set(made_)
    await at_meta.delete_set(made_)
    assert await at_meta.sets(catalog) == ()
    assert await at_meta.connected("88") == ()
    await at_meta.connect("88", catalog)
    assert await at_meta.connected("88") == (MetaCatalog(catalog, "La Tavola"),)
    await at_meta.show_catalog("101")
    assert await at_meta.commerce_settings("101") == CommerceSettings(
        is_cart_enabled=True, is_catalog_visible=True
    )


async def test_the_sandboxs_rate_is_met_with_a_wait(at_meta):
    catalog = await at_meta.create_catalog("77", "La Tavola")
    request = {"method": "UPDATE", "data": dict(one().fields)}
    usages = [(await at_meta.send(catalog, [request])).usage for _ in range(8)]
    assert usages == sorted(usages)
    assert usages[-1] == 100
    with pytest.raises(GraphRetryable) as caught:
        await at_meta.send(catalog, [request])
    assert caught.value.code == 80014
    assert 0 < caught.value.wait <= 60
