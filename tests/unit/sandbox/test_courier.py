import asyncio
import socket

from tests.unit.sandbox.scene import ANA, SHOP, staged, text_to, well_signed

BOB = "5491100000002"


async def test_a_customers_messages_stay_in_order(scene):
    ana, bob = scene.customer(), scene.customer(BOB)
    scene.engine.open.clear()
    first = asyncio.create_task(ana.say("one"))
    await scene.engine.until(1)
    second = asyncio.create_task(ana.say("two"))
    other = asyncio.create_task(bob.say("meanwhile"))
    webhooks = await scene.engine.until(2)

    assert [webhook.message["text"]["body"] for webhook in webhooks] == ["one", "meanwhile"]

    scene.engine.open.set()
    await asyncio.gather(first, second, other)
    assert scene.engine.webhooks[2].message["text"]["body"] == "two"


async def test_many_messages_at_once_arrive_one_by_one(scene):
    ana = scene.customer()
    said = await asyncio.gather(*(ana.say(str(n)) for n in range(20)))

    assert len({one.wamid for one in said}) == 20
    arrived = [webhook.message["timestamp"] for webhook in await scene.engine.until(20)]
    assert arrived == sorted(arrived)


async def test_an_engine_that_answers_while_it_is_asked(scene):
    """The status of a message sent during a webhook waits for that webhook, without a deadlock."""
    scene.engine.open.clear()
    said = asyncio.create_task(scene.customer().say("hola"))
    await scene.engine.until(1)

    assert (await scene.send(text_to())).status_code == 200
    assert len(scene.engine.webhooks) == 1

    scene.engine.open.set()
    await said
    webhooks = await scene.engine.until(3)
    assert [one.status["status"] for one in webhooks[1:]] == ["sent", "delivered"]


async def test_a_status_is_tried_again(scene):
    scene.engine.answers = [500, 200, 503, 503, 503]
    await scene.send(text_to())

    deliveries = await scene.deliveries(2)

    assert [(one["kind"], one["attempts"], one["status"]) for one in deliveries] == [
        ("sent", 2, 200),
        ("delivered", 3, 503),
    ]
    assert all(well_signed(webhook) for webhook in scene.engine.webhooks)
    assert len({webhook.raw for webhook in scene.engine.webhooks}) == 2


async def test_what_a_customer_says_is_tried_once(scene):
    scene.engine.answers = [500]
    said = await scene.customer().say("hola")

    assert said.status == 500
    (delivery,) = await scene.deliveries(1)
    assert delivery == {
        "n": 1,
        "kind": "message",
        "wamid": said.wamid,
        "attempts": 1,
        "status": 500,
        "error": "",
    }


def away() -> dict[str, str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    number = {name: getattr(SHOP, name) for name in SHOP.__slots__}
    return number | {"callback_url": f"http://127.0.0.1:{port}/whatsapp_response"}


async def test_an_engine_that_is_away_breaks_nothing(scene):
    (await scene.http.post("/sandbox/phones", json=away())).raise_for_status()

    assert (await scene.send(text_to())).status_code == 200
    deliveries = await scene.deliveries(2)
    assert [(one["attempts"], one["status"]) for one in deliveries] == [(3, None), (3, None)]
    assert "ConnectError" in deliveries[0]["error"]
    assert (await scene.customer().say("hola")).status is None
    assert len(await scene.customer().messages()) == 1


async def test_reset_drops_what_is_under_way():
    async with staged(retry_delays=(3600.0,)) as scene:
        scene.engine.answers = [500]
        await scene.send(text_to())
        await scene.engine.until(1)

        await scene.http.post("/sandbox/reset")
        await scene.register()

        await scene.send(text_to(ANA, body="again"))
        assert [one["status"] for one in await scene.engine.statuses(3)][1:] == [
            "sent",
            "delivered",
        ]
        assert [one["n"] for one in await scene.deliveries(2)] == [1, 2]
