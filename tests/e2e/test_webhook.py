"""The webhook's door: what is refused leaves nothing behind, what is accepted is never lost."""

import hashlib
import hmac

import httpx
import orjson
import pytest

from engine.storage.documents import OrderDocument
from engine.storage.records import InboxDocument, OutboxDocument
from engine.transcript import choices, lines

NUMBER = "106540352242922"


def body_of(text, *, wamid, phone="15557770001", number=NUMBER):
    message = {
        "from": phone, "from_user_id": f"US.{phone}", "id": wamid, "timestamp": "1907700000",
        "type": "text", "text": {"body": text},
    }  # fmt: skip
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "1", "phone_number_id": number},
        "contacts": [{"profile": {"name": "Ana"}, "wa_id": phone, "user_id": f"US.{phone}"}],
        "messages": [message],
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})


def signature(ground, body):
    secret = ground.engine.settings.meta_app_secret.get_secret_value().encode()
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


async def post(ground, body, *, signed=None, **headers):
    if signed is not False:
        headers["X-Hub-Signature-256"] = signature(ground, body) if signed is None else signed
    async with httpx.AsyncClient(base_url=ground.engine_url) as http:
        return await http.post("/whatsapp_response", content=body, headers=headers)


async def stored(ground):
    rows = ground.engine.database.collection(InboxDocument)
    return await rows.count_documents({})


async def counted(ground, name):
    async with httpx.AsyncClient(base_url=ground.engine_url) as http:
        text = (await http.get("/metrics")).text
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))


async def test_verification_answers_with_the_bare_challenge(ground):
    token = ground.engine.settings.meta_webhook_verify_token.get_secret_value()
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": token}
    async with httpx.AsyncClient(base_url=ground.engine_url) as http:
        answer = await http.get("/whatsapp_response", params=query)
        wrong = await http.get("/whatsapp_response", params=query | {"hub.verify_token": "no"})
        other = await http.get("/whatsapp_response", params=query | {"hub.mode": "unsubscribe"})
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"].startswith("text/plain")
    assert (wrong.status_code, other.status_code) == (403, 403)
    assert "1158201444" not in wrong.text


@pytest.mark.parametrize("signed", [False, "", "sha256=" + "0" * 64, "sha1=abc", "sha256=zz"])
async def test_a_wrong_signature_is_refused_and_nothing_is_stored(ground, signed):
    before, name = await stored(ground), 'comanda_signature_failures_total{door="webhook"}'
    refused = await counted(ground, name)
    answer = await post(ground, body_of("hi", wamid="wamid.forged"), signed=signed)
    assert answer.status_code == 401
    assert await stored(ground) == before
    assert await counted(ground, name) == refused + 1


async def test_a_signature_of_another_body_is_refused(ground):
    before = await stored(ground)
    other = signature(ground, body_of("hi", wamid="wamid.one"))
    answer = await post(ground, body_of("hi", wamid="wamid.two"), signed=other)
    assert answer.status_code == 401
    assert await stored(ground) == before


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff\xfe", b"nonsense"])
async def test_malformed_json_is_400(ground, body):
    before = await stored(ground)
    answer = await post(ground, body)
    assert answer.status_code == 400
    assert "Traceback" not in answer.text
    assert await stored(ground) == before


async def test_a_body_over_three_megabytes_is_413(ground):
    body = b" " * (3 * 1024 * 1024 + 1)
    answer = await post(ground, body)
    assert answer.status_code == 413


async def test_an_unknown_number_is_200_counted_and_not_stored(ground):
    before = await stored(ground)
    name = 'comanda_messages_total{outcome="unknown_number"}'
    seen = await counted(ground, name)
    answer = await post(ground, body_of("hi", wamid="wamid.lost", number="999"))
    assert answer.status_code == 200
    assert await stored(ground) == before
    assert await counted(ground, name) == seen + 1


async def test_a_message_delivered_three_times_is_answered_once(ground, phone):
    body = body_of("hello", wamid="wamid.thrice", phone=phone)
    answers = [await post(ground, body) for _ in range(3)]
    await ground.engine.idle()
    answers.append(await post(ground, body))
    await ground.engine.idle()
    assert [a.status_code for a in answers] == [200] * 4
    received = await ground.customer("la-tavola", phone, "Ana").messages()
    assert len(received) == 1


async def test_a_batch_of_two_customers_answers_both(ground, phone):
    other = str(int(phone) + 5_000_000)
    first = orjson.loads(body_of("hello", wamid="wamid.a" + phone, phone=phone))
    second = orjson.loads(body_of("menu", wamid="wamid.b" + phone, phone=other))
    first["entry"] += second["entry"]
    answer = await post(ground, orjson.dumps(first))
    await ground.engine.idle()
    assert answer.status_code == 200
    said = [await ground.customer("la-tavola", p, "Ana").messages() for p in (phone, other)]
    assert [len(s) for s in said] == [1, 1]
    assert "Categories" in "\n".join(lines(said[1][0].payload))


async def test_unknown_types_and_shapes_are_200_and_break_nothing(ground, phone):
    strange = [
        {"type": "hologram", "hologram": {}},
        {"type": "interactive", "interactive": {"type": "telepathy"}},
        {"type": "text", "text": "not an object"},
        {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": ""}}},
        {"type": "location", "location": {"latitude": "north", "longitude": None}},
        {"type": "order", "order": {"product_items": [{"quantity": -5}]}},
    ]
    customer = ground.customer("la-tavola", phone, "Ana")
    for message in strange:
        said = await customer.send_raw(message)
        assert said.status == 200
    await ground.engine.idle()
    await customer.say("menu")
    await ground.engine.idle()
    last = (await customer.messages())[-1]
    assert len(choices(last.payload)) == 6


async def test_a_customer_without_a_phone_number_is_answered_by_user_id(ground, phone):
    customer = ground.customer("la-tavola", phone, "Ana")
    customer.hide_phone = True
    await customer.say("menu")
    await ground.engine.idle()
    received = await customer.messages()
    assert received[0].payload["recipient"] == customer.user_id
    assert "to" not in received[0].payload


async def test_the_sandbox_refused_nothing_the_engine_sent(ground, customer):
    before = (await ground.sandbox.get("/sandbox/refusals")).json()
    for step in ("hello", "menu", "diet coke", "tap:Add to cart", "show my cart"):
        await act(ground, customer, step)
    assert (await ground.sandbox.get("/sandbox/refusals")).json() == before
    assert len(await customer.messages()) == 5


async def test_statuses_reach_the_outbox_row_and_never_move_back(ground, customer):
    await customer.say("menu")
    await ground.engine.idle()
    wamid = (await customer.messages())[-1].wamid
    await ground.sandbox.get("/sandbox/deliveries", params={"count": 2, "wait": 5})
    outbox = ground.engine.database.collection(OutboxDocument)
    row = await outbox.find_one({"tenant": "la-tavola", "providerId": wamid})
    assert row is not None
    assert row["state"] == "sent"


async def test_two_confirmations_make_one_order(ground, customer):
    steps = ["menu", "diet coke", "tap:Add to cart", "tap:Checkout", "tap:🏪 Pickup", "cash"]
    for step in steps:
        await act(ground, customer, step)
    confirm = next(
        c for m in await customer.messages() for c in choices(m.payload) if c.id[:7] == "confirm"
    )
    for _ in range(2):
        await customer.tap(confirm.id, title=confirm.title)
    await ground.engine.idle()
    orders = ground.engine.database.collection(OrderDocument)
    placed = await orders.find({"customer.userId": customer.user_id}).to_list()
    assert len(placed) == 1
    assert placed[0]["status"] == "pending"
    assert placed[0]["type"] == "pickup"
    assert placed[0]["source"] == "whatsapp"


async def act(ground, customer, step):
    if step.startswith("tap:"):
        title = step[4:]
        offered = [c for m in await customer.messages() for c in choices(m.payload)]
        await customer.tap(next(c.id for c in reversed(offered) if c.title == title))
    else:
        await customer.say(step)
    await ground.engine.idle()
