from dataclasses import dataclass

import pytest

from engine.sandbox import META_LIMITS, Limits
from engine.sandbox.limits import Meter
from tests.unit.sandbox.scene import ANA, staged, text_to

BOB = "5491100000002"


@dataclass
class Stopwatch:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def code(meter, phone=ANA, number="1"):
    complaint = meter.take(number, phone)
    return None if complaint is None else complaint.code


def taken_in(meter, watch, *, seconds, step):
    """How many of the sends that come every `step` seconds are taken."""
    end, taken = watch.now + seconds, 0
    while watch.now < end:
        taken += code(meter) is None
        watch.now += step
    return taken


def test_without_limits_everything_is_taken():
    watch = Stopwatch()
    meter = Meter(Limits(), watch)

    assert {code(meter) for _ in range(500)} == {None}


def test_one_message_in_six_seconds_can_go_on_for_ever():
    watch = Stopwatch()
    meter = Meter(META_LIMITS, watch)

    assert taken_in(meter, watch, seconds=6 * 200, step=6) == 200


def test_a_burst_borrows_from_the_future():
    watch = Stopwatch()
    meter = Meter(META_LIMITS, watch)

    assert [code(meter) for _ in range(46)] == [None] * 45 + [131056]
    assert code(meter, BOB) is None
    watch.now += 5.9
    assert code(meter) == 131056
    watch.now += 0.1
    assert [code(meter), code(meter)] == [None, 131056]
    watch.now += 45 * 6
    assert [code(meter) for _ in range(46)].count(None) == 45
    assert meter.counts == {"pair": 4, "throughput": 0}


def test_what_is_refused_does_not_count():
    watch = Stopwatch()
    meter = Meter(Limits(pair_interval=6.0, pair_burst=1), watch)

    assert taken_in(meter, watch, seconds=60, step=0.5) == 10


def test_after_a_burst_nothing_is_taken_until_it_is_paid_back():
    watch = Stopwatch()
    meter = Meter(Limits(pair_interval=6.0, pair_pause=True), watch)

    assert {code(meter) for _ in range(20)} == {None}
    watch.now += 5.9
    assert code(meter) is None
    watch.now += 0.1
    assert code(meter) == 131056
    watch.now += 21 * 6 - 6.1
    assert code(meter) == 131056
    watch.now += 0.1
    assert code(meter) is None


def test_throughput_is_of_any_second_and_of_each_number():
    watch = Stopwatch()
    meter = Meter(Limits(throughput=3), watch)

    for later in (0.0, 0.5, 0.4):
        watch.now += later
        assert code(meter) is None
    assert code(meter, BOB) == 130429
    assert code(meter, number="2") is None
    watch.now += 0.1
    assert [code(meter), code(meter)] == [None, 130429]
    assert meter.counts == {"pair": 0, "throughput": 2}


def test_what_customers_say_counts_but_is_never_refused():
    watch = Stopwatch()
    meter = Meter(Limits(throughput=3), watch)
    for _ in range(5):
        meter.hear("1")

    assert code(meter) == 130429
    watch.now += 1.0
    assert code(meter) is None


async def test_the_pair_limit_over_http():
    watch = Stopwatch()
    async with staged(limits=Limits(pair_interval=6.0, pair_burst=2), stopwatch=watch) as scene:
        said = await scene.customer().say("hola")
        read = {"messaging_product": "whatsapp", "status": "read", "message_id": said.wamid}
        for _ in range(3):
            assert (await scene.send(read)).status_code == 200

        answers = [await scene.send(text_to()) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 400]
        assert answers[2].json()["error"]["code"] == 131056
        assert not (await scene.refusals())[0]["injected"]
        assert (await scene.send(text_to(BOB))).status_code == 200

        watch.now += 6
        assert (await scene.send(text_to())).status_code == 200
        told = (await scene.http.get("/sandbox/limits")).json()
        assert told == {
            "limits": {
                "pair_interval": 6.0,
                "pair_burst": 2,
                "pair_pause": False,
                "throughput": 0,
            },
            "counts": {"pair": 1, "throughput": 0},
        }


async def test_throughput_over_http_and_while_it_runs():
    watch = Stopwatch()
    async with staged(stopwatch=watch) as scene:
        answer = await scene.http.post("/sandbox/limits", json={"throughput": 3})
        assert answer.json()["limits"]["throughput"] == 3
        await scene.customer().say("hola")

        answers = [await scene.send(text_to(phone)) for phone in (ANA, BOB, ANA)]
        assert [answer.status_code for answer in answers] == [200, 200, 400]
        assert answers[2].json()["error"]["code"] == 130429

        await scene.http.post("/sandbox/limits", json={})
        assert (await scene.send(text_to())).status_code == 200


@pytest.mark.parametrize("body", [{"pair_burst": 0}, {"throughput": -1}, {"speed": 1}])
async def test_limits_that_cannot_be(scene, body):
    assert (await scene.http.post("/sandbox/limits", json=body)).status_code == 400
