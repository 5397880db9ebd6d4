"""Bad mail over real HTTP: copies, disorder, delays, bundles and repeats."""

import asyncio
from collections import Counter

import pytest

from engine.sandbox import Mail
from engine.sandbox.mail import pauses
from tests.unit.sandbox.scene import ANA, staged, text_to, well_signed

BOB = "5491100000002"


def updates(webhook):
    """What one POST tells, in its order."""
    return [
        update
        for entry in webhook.body["entry"]
        for change in entry["changes"]
        for kind in ("messages", "statuses")
        for update in change["value"].get(kind, [])
    ]


def told(engine):
    return [
        (update["id"], update.get("status", "message"))
        for webhook in engine.webhooks
        for update in updates(webhook)
    ]


async def change(scene, **mail):
    answer = await scene.http.post("/sandbox/mail", json=mail)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def quiet(scene):
    """Wait until nothing is under way, and return the counts."""
    counts = (await scene.http.get("/sandbox/mail", params={"wait": 20})).json()["counts"]
    assert counts["under_way"] == 0
    return counts


async def say_and_send(scene, count):
    ana = scene.customer(retry=True)
    said = [(await ana.say(str(n))).wamid for n in range(count)]
    sent = []
    for n in range(count):
        answer = await scene.send(text_to(body=str(n)))
        sent.append(answer.json()["messages"][0]["id"])
    return said, sent


def test_pauses_grow_and_end():
    assert pauses(0.1) == ()
    assert pauses(1.0) == (0.2, 0.5)
    assert pauses(8.0) == (0.2, 0.5, 1.0, 2.0, 2.0, 2.0)
    assert sum(pauses(600)) == pytest.approx(600, abs=2)


async def test_copies(scene):
    await change(scene, copies=3)
    said, sent = await say_and_send(scene, 2)
    counts = await quiet(scene)

    wanted = [(wamid, "message") for wamid in said]
    wanted += [(wamid, status) for wamid in sent for status in ("sent", "delivered")]
    assert Counter(told(scene.engine)) == dict.fromkeys(wanted, 3)
    assert all(well_signed(webhook) for webhook in scene.engine.webhooks)
    assert counts == {
        "updates": 18,
        "posts": 18,
        "attempts": 18,
        "given_up": 0,
        "under_way": 0,
    }


async def test_copies_leave_with_the_first(scene):
    await change(scene, copies=3)
    scene.engine.open.clear()
    first = await scene.customer(retry=True).say("one")
    await scene.customer(retry=True).say("two")
    await scene.engine.until(3)

    assert told(scene.engine) == [(first.wamid, "message")] * 3
    scene.engine.open.set()
    await quiet(scene)
    assert len(scene.engine.webhooks) == 6


async def test_messages_keep_their_order_while_statuses_overtake(scene):
    await change(scene, seed=3, order="messages", longest_delay=0.15)
    said, _ = await say_and_send(scene, 12)
    await quiet(scene)

    arrived = told(scene.engine)
    assert [wamid for wamid, kind in arrived if kind == "message"] == said
    statuses = [one for one in arrived if one[1] != "message"]
    assert statuses != sorted(statuses, key=lambda one: (one[0], one[1] != "sent"))
    assert len(statuses) == 24


async def test_with_the_usual_order_a_delay_changes_nothing_of_it(scene):
    await change(scene, seed=3, longest_delay=0.1)
    said, sent = await say_and_send(scene, 6)
    await quiet(scene)

    statuses = [(wamid, status) for wamid in sent for status in ("sent", "delivered")]
    assert told(scene.engine) == [(wamid, "message") for wamid in said] + statuses


async def test_without_order_a_customers_messages_overtake_each_other(scene):
    await change(scene, seed=3, order="none", longest_delay=0.15)
    said, _ = await say_and_send(scene, 12)
    await quiet(scene)

    arrived = [wamid for wamid, kind in told(scene.engine) if kind == "message"]
    assert arrived != said
    assert sorted(arrived) == sorted(said)


@pytest.mark.parametrize("order", ["customer", "messages", "none"])
async def test_a_bundle(scene, order):
    await change(scene, seed=3, order=order, batch=1000, batch_wait=0.3)
    said, sent = await say_and_send(scene, 8)
    await scene.customer(BOB, retry=True).say("hola")
    counts = await quiet(scene)

    assert counts["posts"] <= 3
    assert counts["updates"] == len(told(scene.engine)) == 8 + 16 + 1
    of_ana = [
        update["id"]
        for webhook in scene.engine.webhooks
        for update in updates(webhook)
        if update.get("from") == ANA
    ]
    assert sorted(of_ana) == sorted(said)
    assert (of_ana == said) == (order != "none")
    assert all(well_signed(webhook) for webhook in scene.engine.webhooks)
    rows = await scene.deliveries(25)
    assert {row["wamid"] for row in rows} >= {*said, *sent}


async def test_a_bundle_is_not_larger_than_it_may_be(scene):
    await change(scene, order="none", batch=4, batch_wait=0.1)
    await say_and_send(scene, 3)
    counts = await quiet(scene)

    sizes = [len(updates(webhook)) for webhook in scene.engine.webhooks]
    assert sum(sizes) == counts["updates"] == 9
    assert max(sizes) <= 4
    assert len(sizes) < 9


async def test_a_bundle_that_is_not_taken_is_repeated_as_it_is(scene):
    await change(scene, order="none", batch=100, batch_wait=0.1, repeat_for=1)
    scene.engine.answers = [500]
    await scene.send(text_to())
    counts = await quiet(scene)

    first, second = scene.engine.webhooks
    assert first.raw == second.raw
    assert len(updates(first)) == 2
    assert counts["attempts"] == 2


async def test_what_is_said_without_retry_is_alone_and_answered(scene):
    await change(scene, batch=100, batch_wait=0.05)
    scene.engine.answers = [503]

    said = await asyncio.gather(*(scene.customer().say(str(n)) for n in range(3)))

    assert sorted(one.status for one in said if one.status) == [200, 200, 503]
    assert [len(updates(webhook)) for webhook in scene.engine.webhooks] == [1, 1, 1]


async def test_what_is_said_with_retry_is_repeated_until_it_is_taken(scene):
    scene.engine.answers = [500, 503]
    ana = scene.customer(retry=True)

    said = await ana.say("hola")
    await ana.say("¿hola?")

    assert said.status is None
    assert (await scene.engine.until(1))[0].message["id"] == said.wamid
    rows = await scene.deliveries(2)
    assert [(row["attempts"], row["status"]) for row in rows] == [(3, 200), (1, 200)]
    bodies = [webhook.message["text"]["body"] for webhook in scene.engine.webhooks]
    assert bodies == ["hola", "hola", "hola", "¿hola?"]


async def test_it_gives_up_in_the_end(scene):
    await change(scene, repeat_for=0.3)
    scene.engine.answers = [500] * 4
    await scene.customer(retry=True).say("hola")
    await scene.send(text_to())
    counts = await quiet(scene)

    assert counts["given_up"] == 2
    kinds = [(row["kind"], row["attempts"], row["status"]) for row in await scene.deliveries(3)]
    assert kinds == [("message", 2, 500), ("sent", 2, 500), ("delivered", 1, 200)]


async def test_a_reset_answers_who_waits_and_drops_the_rest():
    async with staged(mail=Mail(copies=2)) as scene:
        scene.engine.open.clear()
        waiting = asyncio.create_task(scene.customer().say("hola"))
        await scene.engine.until(2)
        await scene.send(text_to())

        await change(scene)
        await scene.http.post("/sandbox/reset")

        assert (await waiting).status is None
        told = (await scene.http.get("/sandbox/mail")).json()
        assert told["mail"]["copies"] == 2
        assert set(told["counts"].values()) == {0}
        scene.engine.open.set()
        assert len(scene.engine.webhooks) == 2


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"copies": 0}, "Param copies must be between 1 and 10"),
        ({"batch": 1001}, "Param batch must be between 1 and 1000"),
        ({"order": "alphabetical"}, "Param order must be one of"),
        ({"stamps": 1}, "Unexpected key"),
    ],
)
async def test_mail_that_cannot_be(scene, body, says):
    answer = await scene.http.post("/sandbox/mail", json=body)

    assert answer.status_code == 400
    assert says in answer.text
