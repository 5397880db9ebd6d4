import json

import httpx
import pytest

from tests.unit.sandbox.catalog_scene import (
    BUSINESS,
    creation,
    kept,
    new_catalog,
    post,
    refused,
    release,
    worked_off,
)


@pytest.fixture
async def catalog(scene):
    return await new_catalog(scene)


async def break_calls(scene, **fault):
    answer = await scene.http.post("/sandbox/catalog_faults", json=fault)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def codes(scene):
    calls = (await scene.http.get("/sandbox/catalog_calls")).json()["calls"]
    return [call["code"] for call in calls[1:]]


async def test_a_fault_says_what_it_is(scene):
    assert await break_calls(scene, kind="refuse") == {
        "kind": "refuse",
        "route": "any",
        "times": 1,
        "code": 2,
        "http_status": None,
    }


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"code": 190}, 401),
        ({"code": 2}, 503),
        ({"code": 100}, 400),
        ({"code": 1, "http_status": 502}, 502),
    ],
)
async def test_refuse(scene, catalog, fault, status):
    await break_calls(scene, kind="refuse", route="items_batch", times=2, **fault)

    assert (await scene.graph("GET", catalog)).status_code == 200
    answers = [await post(scene, catalog, creation("a")) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert refused(answers[0])[0] == fault["code"]
    assert [one["injected"] for one in await scene.refusals()] == [True, True]
    assert await codes(scene) == [0, fault["code"], fault["code"], 0]


async def test_a_fault_of_the_rate_tells_when_to_come_back(scene, catalog):
    await break_calls(scene, kind="refuse", code=80014, http_status=429)

    answer = await post(scene, catalog, creation("a"))

    assert answer.status_code == 429
    (use,) = json.loads(answer.headers["X-Business-Use-Case-Usage"])[BUSINESS]
    assert (use["call_count"], use["estimated_time_to_regain_access"]) == (100, 1)


async def test_drop_before_anything_is_done(scene, catalog):
    await break_calls(scene, kind="drop")

    with pytest.raises(httpx.RemoteProtocolError):
        await post(scene, catalog, creation("a"))

    assert await release(scene, catalog) == []
    assert await kept(scene, catalog) == {}
    assert await codes(scene) == [None]


async def test_drop_after_it_is_done(scene, catalog):
    await break_calls(scene, kind="drop_after", route="items_batch")

    with pytest.raises(httpx.RemoteProtocolError):
        await post(scene, catalog, creation("a"))

    await release(scene, catalog)
    assert list(await kept(scene, catalog)) == ["a"]
    assert await codes(scene) == [None]


async def test_every_route_meets_a_fault_of_any(scene, catalog):
    known = (await scene.graph("POST", f"{catalog}/product_sets", json={"name": "x"})).json()
    paths = [
        f"{BUSINESS}/owned_product_catalogs",
        catalog,
        known["id"],
        f"{catalog}/products",
        f"{catalog}/product_sets",
        f"{catalog}/subscribed_apps",
        f"{catalog}/check_batch_request_status",
        f"{scene.number.waba_id}/product_catalogs",
        f"{scene.number.phone_number_id}/whatsapp_commerce_settings",
    ]
    await break_calls(scene, kind="refuse", times=len(paths), code=368)

    assert [refused(await scene.graph("GET", path))[0] for path in paths] == [368] * len(paths)
    assert (await scene.graph("GET", catalog)).status_code == 200


async def test_an_item_fails_when_it_is_worked_off(scene, catalog):
    fault = {"item": "b", "message": "IMAGE_FETCH_FAILED", "times": 2}
    assert (await scene.http.post("/sandbox/item_faults", json=fault)).json() == fault
    requests = (creation("a"), creation("b"))

    states = [await worked_off(scene, catalog, *requests) for _ in range(3)]

    assert [state["errors_total_count"] for state in states] == [1, 1, 0]
    assert states[0]["errors"] == [{"line": 1, "id": "b", "message": "IMAGE_FETCH_FAILED"}]
    assert sorted(await kept(scene, catalog)) == ["a", "b"]
