"""Declared message templates are made at Meta, approved there, and sent only then."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from engine.clock import SystemClock
from engine.sandbox import SandboxOptions
from engine.storage.documents import BusinessDocument, OrderDocument
from engine.storage.message_templates import MongoMessageTemplates
from engine.storage.meta_records import MessageTemplateDocument
from engine.storage.records import ConversationDocument, OutboxDocument
from tests.e2e.serve_scene import town
from tests.e2e.sync_scene import PIZZERIA, TOKEN, eventually
from tests.e2e.test_order_moves import comanda, news, ordered

READY = ("order_ready", "en_US")


@pytest.fixture(scope="module")
async def place(tmp_path_factory):
    options = SandboxOptions(enforce_window=True, enforce_templates=True)
    async with town(tmp_path_factory.mktemp("templates"), options) as ground:
        served = await ground.start("all")
        await ground.connect(served)
        rows = ground.database.collection(BusinessDocument)
        await rows.update_one({"subDomain": PIZZERIA}, {"$set": {"wabaId": "waba"}})
        yield ground


async def decide(place, name, status, language="en_US", reason=None):
    body = {"status": status} | ({"reason": reason} if reason else {})
    answer = await place.sandbox.post(f"/sandbox/templates/{name}/{language}", json=body)
    assert answer.json() == {"statuses": [200]}


async def test_templates_are_made_approved_and_sent_only_then(place):
    code, out, _ = await comanda(place, "templates", "sync", PIZZERIA, "--check")
    assert code == 1
    assert "order_ready en_US: missing" in out
    assert (await place.sandbox.get("/sandbox/templates")).json() == []

    code, out, err = await comanda(place, "templates", "sync", PIZZERIA)
    assert code == 0, out + err
    assert "order_ready en_US: created (pending)" in out
    made = (await place.sandbox.get("/sandbox/templates")).json()
    assert {each["language"] for each in made} == {"en_US", "es"}
    assert {each["name"] for each in made} >= {"order_ready", "order_rejected", "cart_reminder"}

    # Nothing is made twice.
    code, out, _ = await comanda(place, "templates", "sync", PIZZERIA, "--format", "json")
    assert {step["verb"] for step in json.loads(out)} == {"known"}
    assert len((await place.sandbox.get("/sandbox/templates")).json()) == len(made)

    # One that is not approved yet is held back, and goes when it is.
    zoe = place.customer("15553330001")
    number = await ordered(place, zoe)
    seen = len(await zoe.messages())
    talks = place.database.collection(ConversationDocument)
    long_ago = {"$set": {"spokeAt": datetime.now(UTC) - timedelta(hours=25)}}
    await talks.update_one({"phone": {"$regex": zoe.phone}}, long_ago)
    orders = place.database.collection(OrderDocument)
    await orders.update_one({"orderNumber": number}, {"$set": {"status": "confirmed"}})
    outbox = place.database.collection(OutboxDocument)
    held = await eventually(lambda: outbox.find_one({"tenant": PIZZERIA, "state": "held"}))
    assert held["error"] == "the template 'order_confirmed' is pending"
    assert len(await zoe.messages()) == seen
    await decide(place, "order_confirmed", "APPROVED")
    assert await news(zoe, seen, 1) == [f"[order_confirmed en_US] {number}, La Tavola"]

    # A rejection and its reason are known; the others go on.
    await decide(place, "order_ready", "REJECTED", reason="TAG_CONTENT_MISMATCH")
    known = MongoMessageTemplates(place.database, clock=SystemClock())
    assert await known.status_of(PIZZERIA, "order_ready", "en_US") == "REJECTED"
    code, out, _ = await comanda(place, "templates", "list", PIZZERIA)
    assert "order_ready en_US: REJECTED: TAG_CONTENT_MISMATCH" in out
    code, out, _ = await comanda(place, "templates", "sync", PIZZERIA)
    assert code == 1

    # Somebody changes it by hand, Meta approves that, and the command makes it as it is declared.
    held = (await place.sandbox.get("/sandbox/templates")).json()
    ready = next(each for each in held if (each["name"], each["language"]) == READY)
    body = {**ready["components"][0], "text": "Come and get your order {{1}} from {{2}}, please."}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = await place.sandbox.post(
        f"/v26.0/{ready['id']}", json={"components": [body]}, headers=headers
    )
    assert answer.json() == {"success": True}
    await decide(place, "order_ready", "APPROVED")
    code, out, _ = await comanda(place, "templates", "sync", PIZZERIA, "--check")
    said = "order_ready en_US: different (approved): Meta has another text: without --check it is"
    assert said in out
    code, out, err = await comanda(place, "templates", "sync", PIZZERIA)
    assert code == 0, out + err
    assert "order_ready en_US: edited (pending)" in out
    held = (await place.sandbox.get("/sandbox/templates")).json()
    assert ready["components"] in [each["components"] for each in held]

    # What waits longer than a day is no news any more.
    await orders.update_one({"orderNumber": number}, {"$set": {"status": "preparing"}})
    await eventually(lambda: outbox.find_one({"tenant": PIZZERIA, "state": "held"}))
    old = {"$set": {"createdAt": datetime.now(UTC) - timedelta(hours=25)}}
    await outbox.update_many({"tenant": PIZZERIA, "state": "held"}, old)
    await decide(place, "order_preparing", "APPROVED")
    await asyncio.sleep(1.0)
    assert await outbox.count_documents({"tenant": PIZZERIA, "state": "held"}) == 1


async def test_a_lost_approval_is_asked_for(place):
    """The webhook comes while nobody runs; who is started next asks Meta."""
    await comanda(place, "templates", "sync", PIZZERIA)
    for served in place.running:
        await served.end()
    told = {"status": "APPROVED"}
    answer = await place.sandbox.post("/sandbox/templates/order_delivered/es", json=told)
    assert answer.json() != {"statuses": [200]}
    known = MongoMessageTemplates(place.database, clock=SystemClock())
    assert await known.status_of(PIZZERIA, "order_delivered", "es") == "PENDING"
    long_ago = {"$set": {"updatedAt": datetime.now(UTC) - timedelta(minutes=16)}}
    rows = place.database.collection(MessageTemplateDocument)
    await rows.update_many({"tenant": PIZZERIA}, long_ago)
    await place.start("worker")

    async def is_known():
        return await known.status_of(PIZZERIA, "order_delivered", "es") == "APPROVED"

    await eventually(is_known)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "Big Name"}, "Param name"),
        ({"language": "en_PE"}, "Param language"),
        ({"category": "SPAM"}, "Param category"),
        ({"text": "{{1}} is the order"}, "Leading or Trailing"),
        ({"text": "The order {{1}}"}, "Leading or Trailing"),
        ({"text": "Hi {{1}}."}, "Too many variables"),
        ({"text": "x" * 1025, "examples": []}, "at most 1024"),
        ({"examples": []}, "an example for each"),
        ({"name": "twice"}, "Already Exists"),
    ],
)
async def test_the_sandbox_refuses_what_meta_refuses(place, change, said):
    def request(name="fine", language="en", category="UTILITY", text=None, examples=("1",)):
        body = {"type": "BODY", "text": text or "Your order {{1}} is ready now."}
        if examples:
            body["example"] = {"body_text": [list(examples)]}
        made = {"name": name, "language": language, "category": category, "components": [body]}
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return place.sandbox.post("/v26.0/waba/message_templates", json=made, headers=headers)

    if change.get("name") == "twice":
        assert (await request(**change)).status_code == 200
    answer = await request(**change)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert said in json.dumps(error)
