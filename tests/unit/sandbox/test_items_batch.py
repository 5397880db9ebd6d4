import asyncio
import json

import pytest

from tests.unit.sandbox.catalog_scene import (
    BUSINESS,
    check,
    creation,
    deletion,
    item,
    kept,
    new_catalog,
    post,
    refused,
    release,
    update,
    worked_off,
)
from tests.unit.sandbox.scene import staged


@pytest.fixture
async def catalog(scene):
    """A catalogue whose batches wait until they are released."""
    (await scene.http.post("/sandbox/batches", json={"hold": True})).raise_for_status()
    return await new_catalog(scene)


async def test_a_batch_is_taken_and_worked_off_later(scene, catalog):
    answer = await post(scene, catalog, creation("a"), creation("b"))

    (handle,) = answer.json()["handles"]
    assert answer.json() == {"handles": [handle], "validation_status": []}
    assert await kept(scene, catalog) == {}
    assert (await check(scene, catalog, handle))["status"] == "started"

    assert await release(scene, catalog) == [handle]

    assert await kept(scene, catalog) == {"a": item("a"), "b": item("b")}
    assert await check(scene, catalog, handle) == {
        "handle": handle,
        "status": "finished",
        "errors": [],
        "errors_total_count": 0,
        "warnings": [],
        "warnings_total_count": 0,
        "ids_of_invalid_requests": [],
    }


async def test_without_holding_a_batch_is_worked_off_by_itself(scene):
    catalog = await new_catalog(scene)
    for name in "abc":
        await post(scene, catalog, creation(name))

    async with asyncio.timeout(10):
        while list(await kept(scene, catalog)) != ["a", "b", "c"]:
            pass


@pytest.mark.parametrize("form", ["data", "params"])
async def test_requests_as_a_string(scene, catalog, form):
    given = {
        "item_type": "PRODUCT_ITEM",
        "allow_upsert": "false",
        "requests": json.dumps([creation("ñ")]),
    }
    answer = await scene.graph("POST", f"{catalog}/items_batch", **{form: given})

    assert len(answer.json()["handles"]) == 1
    await release(scene, catalog)
    assert list(await kept(scene, catalog)) == ["ñ"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"requests": [creation()]}, "Param item_type is required"),
        ({"item_type": "HOTEL", "requests": [creation()]}, "Param item_type must be one of"),
        ({"item_type": "PRODUCT_ITEM"}, "Param requests is required"),
        ({"item_type": "PRODUCT_ITEM", "requests": []}, "requests must have at least 1"),
        ({"item_type": "PRODUCT_ITEM", "requests": "["}, "Param requests is not JSON"),
        ({"item_type": "PRODUCT_ITEM", "requests": {}}, "Param requests must be an array"),
        ({"item_type": "PRODUCT_ITEM", "requests": [7]}, "requests[0] must be an object"),
        (
            {"item_type": "PRODUCT_ITEM", "requests": [{"method": "PUT", "data": {"id": "a"}}]},
            "requests[0].method must be one of {CREATE, UPDATE, DELETE}",
        ),
        (
            {"item_type": "PRODUCT_ITEM", "requests": [{"method": "DELETE"}]},
            "requests[0].data is required",
        ),
        (
            {"item_type": "PRODUCT_ITEM", "requests": [deletion(str(n)) for n in range(5001)]},
            "at most 5000 elements, it has 5001",
        ),
        (
            {"item_type": "PRODUCT_ITEM", "requests": [creation()], "allow_upsert": 1},
            "Param allow_upsert must be a boolean",
        ),
    ],
)
async def test_wrong_calls(scene, catalog, body, says):
    answer = await scene.graph("POST", f"{catalog}/items_batch", json=body)

    code, told = refused(answer)
    assert (answer.status_code, code) == (400, 100)
    assert says in told
    assert await release(scene, catalog) == []


async def test_a_body_that_is_too_large(scene, catalog):
    answer = await post(scene, catalog, creation(description="x" * 28 * 1024 * 1024))

    assert refused(answer)[0] == 100
    assert "at most 29360128 bytes" in refused(answer)[1]


async def test_5000_items(scene, catalog):
    await worked_off(scene, catalog, *(creation(str(n)) for n in range(5000)))

    assert len(await kept(scene, catalog)) == 5000


async def test_what_is_wrong_at_once_is_not_taken(scene, catalog):
    requests = (creation("a", title=None), creation("b"), creation("c", colour="red"))
    answer = await post(scene, catalog, *requests)

    assert answer.json()["validation_status"] == [
        {
            "retailer_id": "a",
            "errors": [{"message": "Param item.title is required"}],
            "warnings": [],
        },
        {
            "retailer_id": "c",
            "errors": [],
            "warnings": [{"message": "Field colour is not known and was ignored"}],
        },
    ]
    (handle,) = answer.json()["handles"]
    await release(scene, catalog)
    assert list(await kept(scene, catalog)) == ["b", "c"]
    state = await check(scene, catalog, handle)
    assert (state["errors_total_count"], state["warnings_total_count"]) == (0, 1)


async def test_when_all_is_wrong_there_is_no_handle(scene, catalog):
    answer = await post(
        scene, catalog, creation("a", title=None), {"method": "DELETE", "data": {}}
    )

    assert answer.status_code == 200
    assert answer.json()["handles"] == []
    assert [one["retailer_id"] for one in answer.json()["validation_status"]] == ["a", ""]


async def test_one_id_twice_in_a_call(scene, catalog):
    answer = await post(scene, catalog, creation("a"), deletion("a"), creation("b"))

    (status,) = answer.json()["validation_status"]
    assert status["retailer_id"] == "a"
    assert status["errors"] == [{"message": "Param item.id must be unique in a call: a"}]
    await release(scene, catalog)
    assert list(await kept(scene, catalog)) == ["b"]


async def test_what_is_wrong_later_is_told_by_the_handle(scene, catalog):
    state = await worked_off(
        scene,
        catalog,
        creation("a"),
        creation("b", price="12 Euro"),
        creation("c", image=[{"url": "https://shop.invalid/p.jpg"}]),
    )

    assert list(await kept(scene, catalog)) == ["a"]
    assert state["status"] == "finished"
    assert [(one["line"], one["id"]) for one in state["errors"]] == [(1, "b"), (2, "c")]
    assert "ISO currency code" in state["errors"][0]["message"]
    assert state["errors_total_count"] == 2
    assert state["ids_of_invalid_requests"] == ["b", "c"]


async def test_five_errors_are_shown_and_ids_only_if_asked_for(scene, catalog):
    answer = await post(scene, catalog, *(creation(str(n), price="0 USD") for n in range(7)))
    (handle,) = answer.json()["handles"]
    await release(scene, catalog)

    short = await check(scene, catalog, handle, load_ids_of_invalid_requests="false")
    assert len(short["errors"]) == 5
    assert (short["errors_total_count"], short["ids_of_invalid_requests"]) == (7, [])
    wanted = await check(scene, catalog, handle, fields="status,ids_of_invalid_requests")
    assert wanted == {"status": "finished", "ids_of_invalid_requests": list("0123456")}


async def test_an_update_leaves_the_other_fields(scene, catalog):
    await worked_off(scene, catalog, creation("a", size="L", custom_label_0="x"))

    await worked_off(scene, catalog, update("a", price="13.00 USD", custom_label_0=""))

    assert await kept(scene, catalog) == {"a": item("a", size="L", price="13.00 USD")}


async def test_creating_again_replaces(scene, catalog):
    await worked_off(scene, catalog, creation("a", size="L"))
    before = (await scene.graph("GET", f"{catalog}/products")).json()["data"]

    await worked_off(scene, catalog, creation("a", title="Marinara"))

    assert await kept(scene, catalog) == {"a": item("a", title="Marinara")}
    after = (await scene.graph("GET", f"{catalog}/products")).json()["data"]
    assert [one["id"] for one in after] == [one["id"] for one in before]


async def test_updating_what_is_not_there(scene, catalog):
    whole = {"method": "UPDATE", "data": item("a")}

    partly = (await post(scene, catalog, update("a", price="1 USD"))).json()
    assert partly["handles"] == []
    assert {"message": "Param item.title is required"} in partly["validation_status"][0]["errors"]

    without = (await post(scene, catalog, whole, allow_upsert=False)).json()
    assert without["handles"] == []
    assert without["validation_status"][0]["errors"] == [
        {"message": "There is no such item to update"}
    ]

    await worked_off(scene, catalog, whole)
    assert await kept(scene, catalog) == {"a": item("a")}


async def test_what_is_under_way_counts_as_there(scene, catalog):
    await post(scene, catalog, creation("a"))
    assert (await post(scene, catalog, update("a", size="L"))).json()["validation_status"] == []
    await post(scene, catalog, deletion("a"))
    late = (await post(scene, catalog, update("a", size="L"))).json()

    await release(scene, catalog)

    assert late["handles"] == []
    assert await kept(scene, catalog) == {}


async def test_an_update_may_make_an_item_wrong_later(scene, catalog):
    await worked_off(scene, catalog, creation("a"))

    state = await worked_off(scene, catalog, update("a", price="0 USD"))

    assert state["ids_of_invalid_requests"] == ["a"]
    assert await kept(scene, catalog) == {"a": item("a")}


async def test_deleting(scene, catalog):
    await worked_off(scene, catalog, creation("a"), creation("b"))

    state = await worked_off(scene, catalog, deletion("a"), deletion("z"))

    assert list(await kept(scene, catalog)) == ["b"]
    assert state["errors"] == []
    assert [one["id"] for one in state["warnings"]] == ["z"]


async def test_handles_are_of_one_catalogue(scene, catalog):
    other = await new_catalog(scene)
    (handle,) = (await post(scene, catalog, creation("a"))).json()["handles"]

    for where, what in ((other, handle), (catalog, "Acz-nothing")):
        edge = f"{where}/check_batch_request_status"
        answer = await scene.graph("GET", edge, params={"handle": what})
        assert refused(answer)[0] == 100
    answer = await scene.graph("GET", f"{catalog}/check_batch_request_status")
    assert "handle is required" in refused(answer)[1]


def used(answer) -> dict[str, int]:
    """What the usage header says, of the business's batches."""
    (use,) = json.loads(answer.headers["X-Business-Use-Case-Usage"])[BUSINESS]
    return dict(use)


async def test_eight_calls_a_minute_are_taken(scene, catalog):
    taken = []
    for n in range(8):
        taken.append(await post(scene, catalog, creation(str(n))))
        scene.clock.advance(seconds=5)

    assert [used(answer)["call_count"] for answer in taken] == [
        12, 25, 37, 50, 62, 75, 87, 100,
    ]  # fmt: skip
    assert used(taken[-1])["estimated_time_to_regain_access"] == 0

    late = await post(scene, catalog, creation("x"))
    assert (late.status_code, refused(late)[0]) == (400, 80014)
    assert used(late) == {
        "type": "catalog_batch",
        "call_count": 100,
        "total_cputime": 0,
        "total_time": 0,
        "estimated_time_to_regain_access": 1,
    }
    assert (await post(scene, await new_catalog(scene), creation("x"))).status_code == 200

    scene.clock.advance(seconds=20)
    assert (await post(scene, catalog, creation("x"))).status_code == 200
    assert (await post(scene, catalog, creation("y"))).status_code == 400
    scene.clock.advance(seconds=5)
    assert (await post(scene, catalog, creation("y"))).status_code == 200


async def test_refused_calls_do_not_count(scene, catalog):
    for _ in range(10):
        assert (await post(scene, catalog)).status_code == 400

    assert used(await post(scene, catalog, creation()))["call_count"] == 12


async def test_another_rate():
    async with staged(catalog_calls_per_minute=2, hold_batches=True) as scene:
        catalog = await new_catalog(scene)
        answers = [await post(scene, catalog, creation(str(n))) for n in range(3)]

        assert [answer.status_code for answer in answers] == [200, 200, 400]
        assert len(await release(scene, catalog)) == 2
