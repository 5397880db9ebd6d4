import asyncio

import httpx
import pytest

from engine.sandbox import Fault
from engine.sandbox.state import default_user_id
from tests.unit.sandbox.samples import MESSAGES
from tests.unit.sandbox.scene import ANA, Json, staged, text_to, well_signed


def template_to(phone: str = ANA) -> Json:
    return {"messaging_product": "whatsapp", "to": phone} | MESSAGES["template"]


async def test_answer_of_an_accepted_send(scene):
    answer = await scene.send(text_to(f"+{ANA}"))

    assert answer.status_code == 200
    assert answer.json() == {
        "messaging_product": "whatsapp",
        "contacts": [{"input": f"+{ANA}", "wa_id": ANA, "user_id": default_user_id(ANA)}],
        "messages": [{"id": "wamid.0001"}],
    }


async def test_statuses_come_in_order_and_signed(scene):
    await scene.send(text_to(biz_opaque_callback_data="outbox:4"))

    sent, delivered = await scene.engine.statuses(2)
    assert [sent["status"], delivered["status"]] == ["sent", "delivered"]
    for status in (sent, delivered):
        assert status["id"] == "wamid.0001"
        assert status["recipient_id"] == ANA
        assert status["biz_opaque_callback_data"] == "outbox:4"
        assert status["timestamp"] == "1795176000"
    assert all(well_signed(webhook) for webhook in scene.engine.webhooks)
    assert scene.engine.webhooks[0].value["metadata"] == {
        "display_phone_number": "15550783881",
        "phone_number_id": scene.number.phone_number_id,
    }


async def test_customers_who_read():
    async with staged(read=True) as scene:
        await scene.send(text_to())

        statuses = await scene.engine.statuses(3)
        assert [status["status"] for status in statuses] == ["sent", "delivered", "read"]


async def test_without_statuses_only_a_failure_is_reported():
    async with staged(statuses=False) as scene:
        await scene.send(text_to())
        await scene.fault(kind="fail", code=131026)
        await scene.send(text_to())

        [status] = await scene.engine.statuses(1)
        assert (status["id"], status["status"]) == ("wamid.0002", "failed")


async def test_statuses_of_several_messages_keep_their_order(scene):
    for body in ("one", "two", "three"):
        await scene.send(text_to(body=body))

    statuses = await scene.engine.statuses(6)
    assert [(status["id"], status["status"]) for status in statuses] == [
        (f"wamid.000{n}", status) for n in (1, 2, 3) for status in ("sent", "delivered")
    ]


async def test_templates_say_that_they_are_accepted(scene):
    (message,) = (await scene.send(template_to())).json()["messages"]

    assert message["message_status"] == "accepted"


async def test_a_reaction_is_only_sent(scene):
    said = await scene.customer().say("hola")
    reaction = {"message_id": said.wamid, "emoji": "👍"}
    await scene.send(text_to(type="reaction", reaction=reaction))
    await scene.send(text_to())

    statuses = await scene.engine.until(4)
    assert [webhook.status["status"] for webhook in statuses[1:]] == ["sent", "sent", "delivered"]


async def test_a_reaction_to_nothing_fails(scene):
    reaction = {"message_id": "wamid.none", "emoji": "👍"}
    answer = await scene.send(text_to(type="reaction", reaction=reaction))

    assert answer.status_code == 200
    (failed,) = await scene.engine.statuses(1)
    assert failed["errors"][0]["code"] == 131009


async def test_send_to_a_user_id(scene):
    ana = scene.customer(user_id="US.4711", hide_phone=True, username="ana")
    await ana.say("hola")

    body = {"messaging_product": "whatsapp", "recipient": "US.4711", "type": "text"}
    answer = await scene.send(body | {"text": {"body": "hola, Ana"}})

    assert answer.json()["contacts"] == [
        {"input": "US.4711", "wa_id": "", "user_id": "US.4711"},
    ]
    (received,) = await ana.wait_for()
    assert received.payload["text"]["body"] == "hola, Ana"
    webhooks = await scene.engine.until(3)
    assert webhooks[1].status["recipient_user_id"] == "US.4711"
    assert all(ANA.encode() not in webhook.raw for webhook in webhooks)


async def test_to_wins_over_recipient(scene):
    await scene.customer("5491100000001", user_id="US.1").say("hola")
    await scene.send(text_to(recipient="US.1"))

    assert len(await scene.customer().messages()) == 1
    assert await scene.customer("5491100000001").messages() == []


async def test_unknown_user_id(scene):
    body = {"messaging_product": "whatsapp", "recipient": "US.1", "type": "text"}
    answer = await scene.send(body | {"text": {"body": "hola"}})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 131026)


async def test_number_that_is_not_on_whatsapp():
    async with staged(not_on_whatsapp=frozenset({f"+{ANA}"})) as scene:
        answer = await scene.send(text_to())

        assert (answer.status_code, answer.json()["error"]["code"]) == (400, 131026)
        assert (await scene.send(text_to("5491100000001"))).status_code == 200


async def test_sender_is_not_the_recipient(scene):
    answer = await scene.send(text_to(scene.number.display_phone_number.replace(" ", "")))

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 131021)


async def test_refused_messages_reach_nobody(scene):
    await scene.send(text_to(body=""))

    assert await scene.customer().messages() == []
    assert (await scene.http.get("/sandbox/deliveries")).json() == []


async def test_read_receipts(scene):
    said = await scene.customer().say("hola")
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": said.wamid}

    assert (await scene.send(read)).json() == {"success": True}
    assert (await scene.send(read | {"typing_indicator": {"type": "text"}})).status_code == 200
    receipts = (await scene.http.get(f"/sandbox/customers/{ANA}/receipts")).json()
    assert receipts == [
        {"message_id": said.wamid, "typing": False},
        {"message_id": said.wamid, "typing": True},
    ]
    assert len(scene.engine.webhooks) == 1


async def test_read_receipt_of_an_unknown_message(scene):
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.none"}
    answer = await scene.send(read)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)
    assert (await scene.http.get(f"/sandbox/customers/{ANA}/receipts")).json() == []


async def test_window():
    async with staged(enforce_window=True) as scene:
        ana = scene.customer()
        await scene.send(text_to(body="too early"))
        await ana.say("hola")
        scene.clock.advance(hours=23, minutes=59)
        await scene.send(text_to(body="in time"))
        scene.clock.advance(minutes=1)
        answer = await scene.send(text_to(body="too late"))
        await scene.send(template_to())

        assert answer.status_code == 200
        received = await ana.wait_for(2)
        assert [message.payload["type"] for message in received] == ["text", "template"]
        assert received[0].payload["text"]["body"] == "in time"
        webhooks = await scene.engine.until(7)
        statuses = [one.status for one in webhooks if "statuses" in one.value]
        failed = [status for status in statuses if status["status"] == "failed"]
        assert [status["errors"][0]["code"] for status in failed] == [131047, 131047]


async def test_without_the_option_there_is_no_window(scene):
    await scene.send(text_to())

    assert (await scene.engine.statuses(1))[0]["status"] == "sent"


@pytest.mark.parametrize(
    ("code", "status"), [(131056, 400), (130429, 400), (131000, 500), (133004, 503), (190, 401)]
)
async def test_fault_refuses_the_next_sends(scene, code, status):
    await scene.fault(kind="refuse", code=code, times=2)

    answers = [await scene.send(text_to()) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert answers[0].json()["error"]["code"] == code
    assert [refusal["injected"] for refusal in await scene.refusals()] == [True, True]
    assert len(await scene.customer().messages()) == 1


async def test_fault_with_a_status_of_its_own(scene):
    await scene.fault(kind="refuse", code=131000, http_status=503)

    assert (await scene.send(text_to())).status_code == 503


async def test_fault_for_one_customer(scene):
    await scene.fault(kind="refuse", code=131056, to=f"+{ANA}")

    assert (await scene.send(text_to("5491100000001"))).status_code == 200
    assert (await scene.send(text_to())).status_code == 400


async def test_wrong_sends_and_receipts_use_up_no_fault(scene):
    said = await scene.customer().say("hola")
    await scene.fault(kind="refuse", code=131056)
    await scene.send(text_to(body=""))
    await scene.send({"messaging_product": "whatsapp", "status": "read", "message_id": said.wamid})

    assert (await scene.send(text_to())).json()["error"]["code"] == 131056


async def test_fault_fails_later(scene):
    await scene.fault(kind="fail", code=131026)

    assert (await scene.send(text_to())).status_code == 200
    (failed,) = await scene.engine.statuses(1)
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", 131026)
    assert await scene.customer().messages() == []


async def test_fault_drops_the_connection_after_accepting(scene):
    await scene.fault(kind="drop")

    with pytest.raises(httpx.RemoteProtocolError):
        await scene.send(text_to(biz_opaque_callback_data="outbox:4"))

    statuses = await scene.engine.statuses(2)
    assert {status["biz_opaque_callback_data"] for status in statuses} == {"outbox:4"}
    assert len(await scene.customer().messages()) == 1


async def test_fault_delays(scene):
    await scene.fault(kind="delay", seconds=0.3, to=ANA)

    slow = asyncio.create_task(scene.send(text_to(body="slow")))
    await scene.send(text_to("5491100000001", body="fast"))

    assert not slow.done()
    assert (await slow).status_code == 200


async def test_faults_from_the_start():
    async with staged(faults=(Fault("refuse", code=131016),)) as scene:
        assert (await scene.send(text_to())).status_code == 500
        assert (await scene.send(text_to())).status_code == 200
