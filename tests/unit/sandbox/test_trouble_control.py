import asyncio

import pytest

from tests.unit.sandbox.scene import ANA, text_to

BOB = "5491100000002"


async def test_sends_are_listed(scene):
    await scene.send(text_to(biz_opaque_callback_data="outbox:1"))
    await scene.fault(kind="drop")
    with pytest.raises(Exception, match="without sending"):
        await scene.send(text_to(BOB))
    await scene.fault(kind="refuse")
    await scene.send(text_to())
    await scene.fault(kind="fail", code=131026)
    await scene.send(text_to())

    sends = (await scene.http.get("/sandbox/sends")).json()

    times = [send.pop("at") for send in sends]
    assert times == sorted(times)
    assert 0 <= times[0] < 60
    common = {"phone_number_id": scene.number.phone_number_id, "type": "text"}
    assert sends == [
        common
        | {
            "n": 1,
            "customer": ANA,
            "wamid": "wamid.0001",
            "biz_opaque_callback_data": "outbox:1",
            "answer": "written",
            "failed": None,
        },
        common
        | {
            "n": 2,
            "customer": BOB,
            "wamid": "wamid.0002",
            "biz_opaque_callback_data": None,
            "answer": "cut",
            "failed": None,
        },
        common
        | {
            "n": 3,
            "customer": ANA,
            "wamid": "wamid.0003",
            "biz_opaque_callback_data": None,
            "answer": "written",
            "failed": 131026,
        },
    ]


async def test_sends_in_parts(scene):
    for _ in range(5):
        await scene.send(text_to())

    async def numbers(**query):
        return [one["n"] for one in (await scene.http.get("/sandbox/sends", params=query)).json()]

    assert await numbers(after=3) == [4, 5]
    assert await numbers(after=1, limit=2) == [2, 3]
    assert await numbers(after=1, last=2) == [4, 5]
    assert await numbers(limit=0) == await numbers(last=0) == await numbers(after=5) == []

    waiting = asyncio.create_task(numbers(after=5, count=2, wait=10))
    await scene.send(text_to())
    await scene.send(text_to())
    assert await waiting == [6, 7]


async def test_a_reset_forgets_the_sends(scene):
    await scene.send(text_to())
    await scene.http.post("/sandbox/reset")

    assert (await scene.http.get("/sandbox/sends")).json() == []
