"""A whole order with all that can go wrong: no line of the log tells who the customer is."""

import io
import json
import logging
from datetime import timedelta

import httpx
import orjson
import pytest

from engine import logs
from engine.errors import RenderFailed
from engine.logs import digest
from engine.storage.records import InboxDocument
from engine.transcript import choices
from tests.e2e.flow_scene import NUMBERS, SHOP, Door, Guest, flow_ground, settled
from tests.e2e.test_webhook import body_of, signature

ADDRESS, NOTES = "148 Zanzibar Crescent, Apt. 5", "Mind the parrot upstairs"
NAME, GREETING = "Zoraida Quispe", "hello dear pizzaiolo"
QUESTION, BREAKS, CRASHES = "is the risotto vegan", "the template breaks", "the turn crashes"


@pytest.fixture(scope="module")
async def shop(mongodb_uri):
    async with flow_ground(mongodb_uri, "logs") as running:
        yield running


@pytest.fixture
def out(monkeypatch):
    """All that is logged, libraries' lines included, from the lowest level on."""
    stream = io.StringIO()
    logs.configure(level="debug", stream=stream)
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(before)


async def order(guest):
    """Order through the Flows of the shop, with an address and a note."""
    await guest.say(GREETING)
    await guest.say(QUESTION)
    flow = await (await guest.invited()).at_summary()
    await flow.submit({})
    flow = await (await guest.invited_to_pay()).opened()
    await flow.submit({"type": "delivery"})
    await flow.submit({"address": ADDRESS})
    await flow.submit({"payment": "card", "notes": NOTES})
    await settled(guest.ground)
    confirm = next(c for c in choices((await guest.newest()).payload) if c.title.startswith("Con"))
    await guest.tap(confirm.id)
    assert await guest.order()


async def refused_by_meta(shop, guest, monkeypatch):
    """Let Meta refuse in every way, and quote the customer and the token in its words."""
    words = f"Message to {guest.phone} ({NAME}) undeliverable with {shop.token}"
    monkeypatch.setattr("engine.sandbox.envelope.title", lambda code: words)
    for code in (131026, 100, 131047, 131056):
        fault = {"kind": "refuse", "code": code, "times": 1, "to": guest.phone}
        await shop.sandbox.post("/sandbox/faults", json=fault)
        await guest.say("menu")
        shop.engine.clock.move(timedelta(seconds=400))
        await settled(shop)
    for kind in ("fail", "drop"):
        fault = {"kind": kind, "code": 131026, "times": 1, "to": guest.phone}
        await shop.sandbox.post("/sandbox/faults", json=fault)
        await guest.say("menu")
    shop.engine.clock.move(timedelta(seconds=400))
    await settled(shop)


async def broken_turns(guest, monkeypatch):
    """Let a template fail and a turn crash, each quoting what the customer wrote."""
    with monkeypatch.context() as patch:

        def fails(message, context):
            raise RenderFailed(f"'{BREAKS}' of {NAME} ({guest.phone}) has no attribute 'x'")

        patch.setattr("engine.charts.run.render_all", fails)
        await guest.say(BREAKS)
    with monkeypatch.context() as patch:

        async def crashes(row, message):
            raise KeyError(f"{CRASHES}: {message.sender} {row.raw}")

        patch.setattr(guest.ground.engine.parts.worker._turns, "take", crashes)
        await guest.say(CRASHES)
    guest.ground.engine.clock.move(timedelta(seconds=60))
    await settled(guest.ground)


async def hostile_requests(shop, guest):
    """Post what is not signed, not JSON, not encrypted, and for nobody."""
    url, number = shop.engine_url, NUMBERS[SHOP]
    good = body_of(QUESTION, wamid="wamid.HBgLforged", phone=guest.phone, number=number)
    stranger = body_of(QUESTION, wamid="wamid.HBgLnobody", phone=guest.phone, number="999")
    odd = orjson.dumps(
        {"object": "whatsapp_business_account", "entry": [{"changes": guest.phone}]}
    )
    async with httpx.AsyncClient(base_url=url) as http:

        async def post(body, signed=None):
            headers = {"X-Hub-Signature-256": signed or signature(shop, body)}
            await http.post(
                f"/whatsapp_response?phone={guest.phone}", content=body, headers=headers
            )

        await post(good, "sha256=" + "0" * 64)
        await post(b'{"phone": "%s", ' % guest.phone.encode())
        await post(stranger)
        await post(odd)
        token = shop.engine.settings.meta_webhook_verify_token.get_secret_value()
        await http.get("/whatsapp_response", params={"hub.verify_token": token + guest.phone})
        await http.get(f"/nothing/{guest.phone}?name={NAME}")
    door = Door(shop)
    await door.post(b'{"phone": "%s"}' % guest.phone.encode())
    await door.post(good, signed="sha256=" + "1" * 64)
    await door.ask({"version": "3.0", "action": "data_exchange", "flow_token": guest.phone,
                    "screen": NAME, "data": {"error": ADDRESS}})  # fmt: skip
    await door.ask({"version": "3.0", "action": "INIT", "data": {"error_message": ADDRESS}})


async def test_no_line_of_a_whole_run_tells_of_a_customer_or_a_secret(shop, out, monkeypatch):
    guest = Guest(shop, name=NAME)
    await order(guest)
    await hostile_requests(shop, guest)
    await broken_turns(guest, monkeypatch)
    await refused_by_meta(shop, guest, monkeypatch)
    text = out.getvalue()
    lines = [json.loads(line) for line in text.splitlines()]
    events = {line["event"] for line in lines}
    # It has gone through all of these, or the test proves nothing.
    assert events >= {
        "message.accepted", "webhook.refused", "flow.refused", "reception.unknown_number",
        "turn.failed", "worker.turn_broke", "worker.turn_failed", "relay.refused",
        "relay.retried", "relay.unknown", "relay.held",
    }  # fmt: skip
    settings = shop.engine.settings
    secrets = (
        guest.phone, str(guest.key), *NAME.split(), "Zanzibar", "parrot", GREETING, QUESTION,
        BREAKS, CRASHES, "pizzaiolo", shop.token, "wamid", "Bearer",
        settings.meta_app_secret.get_secret_value(),
        settings.meta_webhook_verify_token.get_secret_value(),
        settings.encryption_secret.get_secret_value(),
    )  # fmt: skip
    for secret in secrets:
        told = [line for line in text.splitlines() if secret.lower() in line.lower()]
        assert told == [], f"the log tells '{secret}'"
    assert [line for line in lines if "dropped" in line] == []


async def test_webhook_turn_and_sends_of_a_message_have_one_name(shop, out, monkeypatch):
    guest = Guest(shop, name=NAME)
    fault = {"kind": "refuse", "code": 131026, "times": 1, "to": guest.phone}
    await shop.sandbox.post("/sandbox/faults", json=fault)

    def fails(message, context):
        raise RenderFailed("no")

    await guest.say("menu")
    found = shop.engine.database.collection(InboxDocument)
    row = await found.find_one({"customer": guest.key})
    name = digest(row["_id"])
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    told = [line["event"] for line in lines if line.get("message") == name]
    assert told == ["message.accepted", "relay.refused", "message.refused"][: len(told)]
    assert told[:2] == ["message.accepted", "relay.refused"]
    fault = {"kind": "refuse", "code": 131056, "times": 1, "to": guest.phone}
    await shop.sandbox.post("/sandbox/faults", json=fault)
    with monkeypatch.context() as patch:
        patch.setattr("engine.charts.run.render_all", fails)
        await guest.say("help")
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    failed = next(line for line in lines if line["event"] == "turn.failed")
    assert failed["message"] != name
    accepted = [n["message"] for n in lines if n["event"] == "message.accepted"]
    assert failed["message"] == accepted[-1]


async def test_what_is_not_about_a_message_has_no_name(shop, out):
    async with httpx.AsyncClient(base_url=shop.engine_url) as http:
        await http.post("/whatsapp_response", content=b"{}")
    (line,) = [json.loads(line) for line in out.getvalue().splitlines()]
    assert line["event"] == "webhook.refused"
    assert "message" not in line
