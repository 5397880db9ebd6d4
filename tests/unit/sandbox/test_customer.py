import asyncio
import json

import httpx
import pytest

from tests.unit.sandbox.samples import MESSAGES
from tests.unit.sandbox.scene import ANA, text_to


async def offer(scene, name):
    answer = await scene.send({"messaging_product": "whatsapp", "to": ANA} | MESSAGES[name])
    return answer.json()["messages"][0]["id"]


async def said(scene):
    """The last message the engine got from a customer; statuses are passed over."""
    (delivery, *_) = [one for one in await scene.deliveries(1) if one["kind"] == "message"]
    messages = [one.message for one in scene.engine.webhooks if "messages" in one.value]
    assert delivery["status"] == 200
    return messages[-1]


async def test_say(scene):
    result = await scene.customer(name="Ana").say("hola", answering="wamid.0")

    assert (result.wamid, result.status) == ("wamid.0001", 200)
    message = await said(scene)
    assert message["text"] == {"body": "hola"}
    assert message["context"] == {"from": "15550783881", "id": "wamid.0"}
    assert scene.engine.webhooks[0].value["contacts"][0]["profile"] == {"name": "Ana"}


async def test_tap_a_row(scene):
    wamid = await offer(scene, "list")

    await scene.customer().tap("row:2")

    message = await said(scene)
    assert message["interactive"] == {
        "type": "list_reply",
        "list_reply": {"id": "row:2", "title": "Row 2", "description": "Large"},
    }
    assert message["context"] == {"from": "15550783881", "id": wamid}


async def test_tap_a_button(scene):
    await offer(scene, "button")

    await scene.customer().tap("button:1")

    message = await said(scene)
    assert message["interactive"] == {
        "type": "button_reply",
        "button_reply": {"id": "button:1", "title": "Button 1"},
    }


async def test_tap_a_quick_reply_of_a_template(scene):
    wamid = await offer(scene, "template")

    await scene.customer().tap("order_status", title="Where is it?")

    message = await said(scene)
    assert message["button"] == {"payload": "order_status", "text": "Where is it?"}
    assert message["context"]["id"] == wamid


async def test_tap_the_newest_or_the_named_message(scene):
    old = await offer(scene, "button")
    new = await offer(scene, "button")
    await scene.send(text_to())
    ana = scene.customer()

    await ana.tap("button:1")
    assert (await said(scene))["context"]["id"] == new

    await ana.tap("button:1", answering=old)
    assert (await said(scene))["context"]["id"] == old


async def test_tap_what_nobody_offered(scene):
    wamid = await offer(scene, "list")
    ana = scene.customer()

    with pytest.raises(LookupError, match="nothing that 5491122223333 received offers 'cat:old'"):
        await ana.tap("cat:old")

    await ana.tap("cat:old", title="Old", answering=wamid)
    message = await said(scene)
    assert message["interactive"] == {
        "type": "list_reply",
        "list_reply": {"id": "cat:old", "title": "Old"},
    }
    assert message["context"]["id"] == wamid

    await ana.tap("cat:old", title="Old")
    message = await said(scene)
    assert message["interactive"]["type"] == "button_reply"
    assert "context" not in message


async def test_share_location(scene):
    await scene.customer().share_location(-34.6, -58.4, name="Home", answering="wamid.0")

    message = await said(scene)
    assert message["location"] == {"latitude": -34.6, "longitude": -58.4, "name": "Home"}
    assert message["context"]["id"] == "wamid.0"


async def test_reply_flow(scene):
    await scene.flow()
    wamid = await offer(scene, "flow")
    response = {"flow_token": "token", "size": "prod:margherita:large", "note": "sin ají"}

    await scene.customer().reply_flow(response, answering=wamid)

    message = await said(scene)
    assert message["interactive"]["type"] == "nfm_reply"
    reply = message["interactive"]["nfm_reply"]
    assert (reply["name"], reply["body"]) == ("flow", "Sent")
    assert json.loads(reply["response_json"]) == response
    assert message["context"]["id"] == wamid


async def test_order(scene):
    picked = {
        "product_retailer_id": "prod:1",
        "quantity": 2,
        "item_price": 7.99,
        "currency": "USD",
    }

    await scene.customer().order("77", [picked], text="no onions")
    await scene.customer().order("77", [picked])

    noted, plain = (webhook.message for webhook in scene.engine.webhooks)
    assert noted["type"] == "order"
    assert noted["order"] == {
        "catalog_id": "77",
        "text": "no onions",
        "product_items": [picked],
    }
    assert plain["order"] == {"catalog_id": "77", "product_items": [picked]}


async def test_send_raw(scene):
    await scene.customer().send_raw({"type": "system", "system": {"type": "user_changed_number"}})

    assert "contacts" not in scene.engine.webhooks[0].value


async def test_hidden_phone(scene):
    ana = scene.customer(hide_phone=True, username="ana", user_id="US.9")
    await ana.say("hola")

    (webhook,) = scene.engine.webhooks
    assert ANA.encode() not in webhook.raw
    assert webhook.message["from_user_id"] == "US.9"


async def test_an_unregistered_number_is_an_error(scene):
    ana = scene.customer()
    ana.phone_number_id = "999"

    with pytest.raises(httpx.HTTPStatusError, match="404"):
        await ana.say("hola")


async def test_wait_for_gives_each_message_once(scene):
    ana = scene.customer()
    waiting = asyncio.create_task(ana.wait_for(2))
    for body in ("one", "two", "three"):
        await scene.send(text_to(body=body))

    first = await waiting
    rest = await ana.wait_for(3 - len(first)) if len(first) < 3 else []

    bodies = [message.payload["text"]["body"] for message in first + rest]
    assert bodies == ["one", "two", "three"]
    assert await ana.wait_for(0) == []
    assert len(await ana.messages()) == 3
    assert len(await ana.messages(after=2)) == 1


async def test_wait_for_says_what_is_missing(scene):
    await scene.send(text_to())
    ana = scene.customer()

    with pytest.raises(TimeoutError, match=r"received 1 of 2 messages within 0\.05 s"):
        await ana.wait_for(2, within=0.05)

    assert len(await ana.wait_for()) == 1


async def test_wait_for_idle_takes_all_that_comes(scene):
    ana = scene.customer()
    waiting = asyncio.create_task(ana.wait_for(idle=0.5))
    for body in ("one", "two", "three"):
        await scene.send(text_to(body=body))

    assert [one.n for one in await waiting] == [1, 2, 3]
    assert await ana.wait_for(0, idle=0.05) == []


async def test_another_business_is_another_chat(scene):
    await scene.send(text_to())
    elsewhere = scene.customer()
    elsewhere.phone_number_id = "207"

    assert await elsewhere.messages() == []


async def test_hear_waits_for_a_certain_message_and_leaves_the_rest(scene):
    ana = scene.customer()
    waiting = asyncio.create_task(ana.hear(lambda one: one.payload["text"]["body"] == "two"))
    for body in ("one", "two", "three"):
        await scene.send(text_to(body=body))

    assert [one.payload["text"]["body"] for one in await waiting] == ["one", "two"]
    (left,) = await ana.wait_for()
    assert left.payload["text"]["body"] == "three"


async def test_hear_says_that_it_did_not_come_and_takes_nothing_away(scene):
    await scene.send(text_to())
    ana = scene.customer()

    with pytest.raises(TimeoutError, match=r"received 1 messages within 0\.05 s"):
        await ana.hear(lambda _: False, within=0.05)

    assert len(await ana.wait_for()) == 1


async def test_something_offered_long_ago_can_be_tapped(scene):
    button = {"type": "reply", "reply": {"id": "yes", "title": "Yes"}}
    interactive = {"type": "button", "body": {"text": "?"}, "action": {"buttons": [button]}}
    await scene.send(text_to() | {"type": "interactive", "interactive": interactive})
    for _ in range(25):
        await scene.send(text_to())

    await scene.customer().tap("yes")

    webhook = next(one for one in scene.engine.webhooks if "messages" in one.value)
    assert webhook.message["interactive"]["button_reply"] == {"id": "yes", "title": "Yes"}
