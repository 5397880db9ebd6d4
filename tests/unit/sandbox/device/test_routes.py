import asyncio
from dataclasses import replace
from urllib.parse import quote

import pytest

from tests.unit.sandbox.device.samples import EXTRAS_DATA, PIZZA, SIZE_DATA
from tests.unit.sandbox.device.scene import Opened, Plain, Sealed, shows, succeeds
from tests.unit.sandbox.endpoint import public_pem
from tests.unit.sandbox.scene import ANA, hmac_sha256, well_signed

ORDER = {"size": "small", "quantity": "1"}
FLOWS = f"/sandbox/customers/{ANA}/flows"


def step(flow, name):
    return f"{FLOWS}/{quote(flow.wamid, safe='')}/{name}"


async def test_what_opening_answers(phone):
    wamid = (await phone.opened()).wamid
    phone.endpoint.answers = [shows("SIZE", **SIZE_DATA)]

    answer = await phone.http.post(f"/sandbox/customers/+{ANA}/flows", json={"wamid": wamid})

    assert answer.status_code == 200
    body = answer.json()
    assert body.pop("screen")["title"] == "Select size"
    assert body == {"state": "open", "error": None, "reply": None, "status": 200, "url": None}


@pytest.mark.parametrize("name", ["submit", "select", "back", "close"])
async def test_nothing_is_open(phone, name):
    wamid = await phone.offer()
    body = {"name": "size", "value": "small"} if name == "select" else {}

    answer = await phone.http.post(f"{FLOWS}/{quote(wamid, safe='')}/{name}", json=body)

    assert answer.status_code == 404
    assert answer.text == f"This customer has no Flow open from the message {wamid}"


async def test_what_cannot_be_opened(phone):
    await phone.opened()
    interactive = {
        "type": "button",
        "body": {"text": "Yes?"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "yes", "title": "Yes"}}]},
    }
    plain = await phone.http.post(
        f"/v23.0/{phone.number.phone_number_id}/messages",
        json={
            "messaging_product": "whatsapp",
            "to": ANA,
            "type": "interactive",
            "interactive": interactive,
        },
        headers={"Authorization": f"Bearer {phone.number.token}"},
    )
    button = plain.json()["messages"][0]["id"]

    for path, wamid in [
        (FLOWS, "wamid.none"),
        (FLOWS, button),
        ("/sandbox/customers/5491100000009/flows", "wamid.none"),
    ]:
        answer = await phone.http.post(path, json={"wamid": wamid})
        assert (answer.status_code, answer.text) == (
            404,
            f"This customer received no flow message {wamid}",
        )


async def test_another_customers_flow(phone):
    flow = await phone.opened()
    other = step(flow, "submit").replace(ANA, "5491100000009")

    assert (await phone.http.post(other, json={})).status_code == 404
    assert (await phone.http.post(other, json={"raw": {}})).status_code == 404
    assert len(phone.endpoint.raws) == 1


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("submit", {"values": []}, "Param values must be an object"),
        ("submit", {"component": 1}, "Param component must be a string"),
        ("submit", {"reply": "no"}, "Param reply must be a boolean"),
        ("submit", {"colour": "red"}, 'Unexpected key "colour"'),
        ("submit", {"raw_body": {}}, "Param raw_body must be a string"),
        ("submit", [], "must be an object"),
        ("select", {"name": "size"}, "Param value is required"),
        ("select", {"value": "x"}, "Param name is required"),
        ("select", {"name": "colour", "value": "red"}, "The screen SIZE shows no input 'colour'"),
        ("submit", {"values": {"size": "medium"}}, "'size' does not offer 'medium' but: small"),
        ("submit", {"values": {"size": "huge"}}, "'Huge' of 'size' is disabled"),
        ("submit", {"values": {"quantity": "1x"}}, "'quantity' takes digits only, not '1x'"),
        ("submit", {"values": {"quantity": 100}}, "'quantity' takes at most 2 characters"),
        ("submit", {}, "'quantity' is required"),
        ("submit", {"component": "Pay"}, "SIZE has nothing to press that is called 'Pay'"),
        ("back", {}, "There is no screen before SIZE; it can be closed"),
    ],
)
async def test_what_a_phone_does_not_do(phone, name, body, says):
    flow = await phone.opened()

    answer = await phone.http.post(step(flow, name), json=body)

    assert answer.status_code == 400
    assert says in answer.text
    assert len(phone.endpoint.raws) == 1
    assert await phone.errors() == []


async def test_a_body_that_is_not_json(phone):
    flow = await phone.opened()

    answer = await phone.http.post(step(flow, "submit"), content=b"{")

    assert (answer.status_code, answer.text[:20]) == (400, "The body is not JSON")


async def test_what_was_entered_stays_when_it_cannot_be_sent(phone):
    flow = await phone.opened(shows("EXTRAS", **EXTRAS_DATA))
    await phone.http.post(step(flow, "submit"), json={"values": {"size": "large"}})

    await flow.submit({"quantity": 1})

    assert phone.endpoint.requests[-1]["data"]["size"] == "large"


async def test_two_taps_at_once_are_one_after_the_other(phone):
    flow = await phone.opened(shows("EXTRAS", **EXTRAS_DATA))
    phone.endpoint.open.clear()
    body = {"values": ORDER}
    taps = [
        asyncio.create_task(phone.http.post(step(flow, "submit"), json=body)) for _ in range(2)
    ]
    await phone.endpoint.until(2)
    phone.endpoint.open.set()

    answers = sorted([answer.status_code for answer in await asyncio.gather(*taps)])

    # The second one finds the next screen, which has no such inputs.
    assert answers == [200, 400]
    assert len(phone.endpoint.requests) == 2


async def test_raw(phone):
    flow = await phone.opened(shows("PASTA", total=None))
    hostile = {"version": "4.0", "action": "data_exchange", "flow_token": "stolen", "data": [1]}

    status, answer = await flow.raw(hostile)

    assert (status, answer) == (200, shows("PASTA", total=None))
    assert phone.endpoint.requests[-1] == hostile
    raw, signature = phone.endpoint.raws[-1]
    assert signature == f"sha256={hmac_sha256(phone.number.app_secret.encode(), raw)}"
    # Nothing of it is seen on the phone.
    assert (flow.state, flow.screen["id"]) == ("open", "SIZE")
    assert phone.endpoint.complaints == []
    assert await phone.errors() == []


@pytest.mark.parametrize(
    ("scripted", "status", "answer"),
    [
        (Sealed(427, {"error_msg": "Gone"}), 427, {"error_msg": "Gone"}),
        (Plain(500, "Oops"), 500, "Oops"),
        (Plain(200, "Oops"), 200, "Oops"),
    ],
)
async def test_raw_answers_of_all_kinds(phone, scripted, status, answer):
    flow = await phone.opened(scripted)

    assert await flow.raw({"action": "ping", "version": "4.0"}) == (status, answer)


@pytest.mark.parametrize("document", [[1], "text", 7, {"action": ["x"]}])
async def test_raw_documents_of_all_kinds(phone, document):
    flow = await phone.opened()

    def read(opened: Opened) -> Plain:
        assert opened.document == document
        return Plain(400)

    phone.endpoint.answers = [read]

    assert (await flow.raw(document))[0] == 400


async def test_raw_without_opening(phone):
    phone.publish(PIZZA)
    wamid = await phone.offer()
    phone.endpoint.answers = [{"data": {"status": "active"}}]

    answer = await phone.http.post(
        f"{FLOWS}/{quote(wamid, safe='')}/submit", json={"raw": {"action": "ping"}}
    )

    assert answer.json() == {"status": 200, "answer": {"data": {"status": "active"}}}


async def test_raw_body(phone):
    flow = await phone.opened()

    assert await flow.raw_body('{"encrypted_flow_data": "eA=="}') == (421, "")

    raw, signature = phone.endpoint.raws[-1]
    assert raw == b'{"encrypted_flow_data": "eA=="}'
    assert signature == f"sha256={hmac_sha256(phone.number.app_secret.encode(), raw)}"
    # What is not sealed by the phone is not tried again with a fresh key.
    assert len(phone.endpoint.raws) == 2


async def test_raw_with_nobody_there(phone):
    flow = await phone.opened()
    phone.flow.endpoint_uri = None

    answer = await phone.http.post(step(flow, "submit"), json={"raw": {}})

    assert answer.json()["status"] is None
    assert "UnsupportedProtocol" in answer.json()["error"]
    assert await flow.raw({}) == (None, None)


async def test_the_reply_is_a_webhook_like_any_other(phone):
    flow = await phone.opened(succeeds(note="sin ají"))
    phone.engine.answers = [503]

    await flow.submit(ORDER)

    assert flow.reply["status"] == 503
    (webhook,) = phone.engine.webhooks
    assert well_signed(webhook)
    assert webhook.value["contacts"][0]["wa_id"] == ANA
    assert webhook.message["timestamp"] == "1795176000"
    (delivery,) = (await phone.http.get("/sandbox/deliveries")).json()
    assert (delivery["kind"], delivery["wamid"]) == ("message", flow.reply["wamid"])
    # The business may mark it as read.
    read = await phone.http.post(
        f"/v23.0/{phone.number.phone_number_id}/messages",
        json={
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": flow.reply["wamid"],
        },
        headers={"Authorization": f"Bearer {phone.number.token}"},
    )
    assert read.status_code == 200


async def test_a_reset_closes_all_flows(shared_phones):
    first = await shared_phones.scene()
    flow = await first.opened(Plain(427))
    await flow.submit(ORDER)
    assert len(await first.errors()) == 1

    second = await shared_phones.scene()

    assert await second.errors() == []
    wamid = await second.offer()
    answer = await second.http.post(f"{FLOWS}/{quote(wamid, safe='')}/close", json={})
    assert answer.status_code == 404
    assert (await second.opened()).state == "open"


async def test_the_sandbox_has_phones(scene):
    answer = await scene.http.post(FLOWS, json={"wamid": "wamid.0"})

    assert answer.text == "This customer received no flow message wamid.0"
    assert (await scene.http.get("/sandbox/flow-errors")).json() == []


async def test_from_the_upload_to_the_end(scene, endpoint):
    """A Flow as a business has it: uploaded, published, sent, filled in, over the real doors."""
    number = scene.number
    key = {"business_public_key": public_pem(endpoint.key)}
    await scene.graph("POST", f"{number.phone_number_id}/whatsapp_business_encryption", json=key)
    flow_id = await scene.flow(PIZZA, endpoint_uri=endpoint.url)
    assert (await scene.graph("POST", f"{flow_id}/publish")).json() == {"success": True}
    parameters = {
        "flow_message_version": "3",
        "flow_id": flow_id,
        "flow_cta": "Customise",
        "flow_token": "token",
        "flow_action": "data_exchange",
    }
    interactive = {
        "type": "flow",
        "body": {"text": "Make it yours"},
        "action": {"name": "flow", "parameters": parameters},
    }
    message = {"type": "interactive", "interactive": interactive}
    sent = await scene.send({"messaging_product": "whatsapp", "to": ANA} | message)
    assert sent.status_code == 200
    endpoint.answer = shows("SIZE", **SIZE_DATA)

    flow = await scene.customer().open_flow()
    assert flow.screen["title"] == "Select size"
    endpoint.answer = succeeds()
    await flow.submit(ORDER)

    assert (flow.state, flow.reply["status"]) == ("finished", 200)
    assert [one["action"] for one in endpoint.asked] == ["ping", "INIT", "data_exchange"]


async def test_a_message_id_with_a_slash(phone):
    wamid = "wamid.a/b+c=="
    phone.publish(PIZZA)
    offered = await phone.offer()
    person = phone.world.people[ANA]
    person.messages[:] = [replace(one, wamid=wamid) for one in person.messages]
    phone.endpoint.answers = [shows("SIZE", **SIZE_DATA), shows("EXTRAS", **EXTRAS_DATA)]

    flow = await phone.customer().open_flow()
    await flow.submit(ORDER)

    assert (flow.wamid, flow.screen["id"]) == (wamid, "EXTRAS")
    assert offered != wamid
