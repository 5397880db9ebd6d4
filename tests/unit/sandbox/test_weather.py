import asyncio
from collections import Counter
from dataclasses import replace

import httpx
import pytest

from engine.sandbox import Weather
from engine.sandbox.weather import BLOWS, Sky
from tests.unit.sandbox.scene import ANA, staged, text_to

BAD = Weather(
    seed=7,
    delay=0.5,
    longest_delay=2.0,
    throttled=0.1,
    pair=0.1,
    error=0.1,
    gateway=0.1,
    cut_before=0.1,
    cut_after=0.1,
)


async def change(scene, **weather):
    answer = await scene.http.post("/sandbox/weather", json=weather)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def counts(scene):
    told = (await scene.http.get("/sandbox/weather")).json()["counts"]
    return {name: count for name, count in told.items() if count}


def test_luck_hangs_on_the_seed_and_on_nothing_that_happens_to_others():
    alone, among = Sky(BAD), Sky(BAD)
    for_ana = [alone.spell("1", ANA) for _ in range(50)]
    mingled = []
    for n in range(50):
        among.spell("1", str(n))
        mingled.append(among.spell("1", ANA))

    assert mingled == for_ana
    other = Sky(replace(BAD, seed=8))
    assert [other.spell("1", ANA) for _ in range(50)] != for_ana


def test_everything_is_met_as_often_as_it_is_likely():
    sky = Sky(BAD)
    spells = [sky.spell("1", ANA) for _ in range(2000)]

    blows = Counter(spell.blow for spell in spells)
    assert set(blows) == {*BLOWS, None}
    assert all(140 < blows[blow] < 260 for blow in BLOWS)
    assert all(0 <= spell.delay < 2 for spell in spells)
    assert 900 < sum(spell.delay > 0 for spell in spells) < 1100
    assert {spell.code for spell in spells} == {131000, 131016}
    assert {spell.http_status for spell in spells} == {502, 504}
    delayed = sum(spell.delay > 0 for spell in spells)
    met = [(blow, blows[blow]) for blow in BLOWS]
    assert list(sky.counts.items()) == [("sends", 2000), ("delay", delayed), *met]


def test_after_a_streak_a_send_is_spared():
    sky = Sky(Weather(error=1.0, streak=2))

    blows = [sky.spell("1", ANA).blow for _ in range(6)]

    assert blows == ["error", "error", None, "error", "error", None]


@pytest.mark.parametrize(
    ("blow", "answers"),
    [
        ("throttled", {(429, 130429)}),
        ("pair", {(400, 131056)}),
        ("error", {(500, 131000), (500, 131016)}),
    ],
)
async def test_refusals(scene, blow, answers):
    await change(scene, seed=3, **{blow: 1})
    got = [await scene.send(text_to()) for _ in range(8)]

    assert {(one.status_code, one.json()["error"]["code"]) for one in got} == answers
    assert all(refusal["injected"] for refusal in await scene.refusals())
    assert await scene.customer().messages() == []
    assert await counts(scene) == {"sends": 8, blow: 8}


async def test_a_page_of_a_gateway(scene):
    await change(scene, seed=3, gateway=1)
    answers = [await scene.send(text_to()) for _ in range(8)]

    assert {answer.status_code for answer in answers} == {502, 504}
    assert all(answer.headers["Content-Type"].startswith("text/html") for answer in answers)
    assert await scene.customer().messages() == []


async def test_a_connection_that_is_cut_before_the_send_is_taken(scene):
    await change(scene, cut_before=1)

    with pytest.raises(httpx.RemoteProtocolError):
        await scene.send(text_to())

    assert await scene.customer().messages() == []
    assert (await scene.http.get("/sandbox/sends")).json() == []


async def test_a_connection_that_is_cut_after_the_send_is_taken(scene):
    await change(scene, cut_after=1)

    with pytest.raises(httpx.RemoteProtocolError):
        await scene.send(text_to(biz_opaque_callback_data="outbox:4"))

    (send,) = (await scene.http.get("/sandbox/sends")).json()
    assert (send["answer"], send["biz_opaque_callback_data"]) == ("cut", "outbox:4")
    assert len(await scene.customer().messages()) == 1
    assert [one["status"] for one in await scene.engine.statuses(2)] == ["sent", "delivered"]


async def test_a_delayed_send_is_taken_though_its_sender_has_gone(scene):
    await change(scene, seed=1, delay=1, longest_delay=0.3)

    sending = asyncio.create_task(scene.send(text_to()))
    async with asyncio.timeout(10):
        while not await counts(scene):
            pass
    sending.cancel()

    assert len(await scene.customer().wait_for()) == 1
    assert await counts(scene) == {"sends": 1, "delay": 1}


async def test_armed_faults_go_first(scene):
    await change(scene, gateway=1)
    await scene.fault(kind="refuse", code=131048)

    assert (await scene.send(text_to())).json()["error"]["code"] == 131048
    assert (await scene.send(text_to())).status_code in (502, 504)
    assert await counts(scene) == {"sends": 1, "gateway": 1}


async def test_receipts_and_wrong_sends_meet_no_weather(scene):
    said = await scene.customer().say("hola")
    await change(scene, gateway=1)
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": said.wamid}

    assert (await scene.send(read)).status_code == 200
    assert (await scene.send(text_to(body=""))).status_code == 400
    assert await counts(scene) == {}


async def test_what_a_body_leaves_out_is_fair(scene):
    await change(scene, seed=5, gateway=1, streak=3)
    told = await change(scene, error="0.25")

    assert told["weather"] == {
        "seed": 0,
        "delay": 0.0,
        "longest_delay": 0.0,
        "throttled": 0.0,
        "pair": 0.0,
        "error": 0.25,
        "gateway": 0.0,
        "cut_before": 0.0,
        "cut_after": 0.0,
        "streak": 0,
    }
    await change(scene)
    assert (await scene.send(text_to())).status_code == 200


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"error": 1.1}, "Param error must be between 0 and 1"),
        ({"error": 0.6, "gateway": 0.5}, "add up to 1.1, which is more than 1"),
        ({"streak": -1}, "Param streak must be between"),
        ({"snow": 1}, "Unexpected key"),
    ],
)
async def test_weather_that_cannot_be(scene, body, says):
    answer = await scene.http.post("/sandbox/weather", json=body)

    assert answer.status_code == 400
    assert says in answer.text


async def test_the_weather_of_the_start_comes_back_with_a_reset():
    async with staged(weather=Weather(pair=1.0)) as scene:
        await change(scene)
        assert (await scene.send(text_to())).status_code == 200

        await scene.http.post("/sandbox/reset")
        await scene.register()

        assert (await scene.send(text_to())).json()["error"]["code"] == 131056
        assert await counts(scene) == {"sends": 1, "pair": 1}
