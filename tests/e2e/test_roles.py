"""Web and worker processes beside each other: who does what, who takes over, who leaves."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from engine.sandbox import Customer
from engine.sandbox.state import Received
from engine.slots import SLOTS
from engine.storage.records import InboxDocument, OutboxDocument
from tests.e2e.serve_scene import Served, Town, town
from tests.e2e.sync_scene import APP_SECRET, eventually
from tests.e2e.test_webhook import body_of


@pytest.fixture(scope="module")
async def place(tmp_path_factory):
    async with town(tmp_path_factory.mktemp("roles")) as ground:
        yield ground


async def answered(customer: Customer, count: int = 1) -> list[Received]:
    return await customer.wait_for(count, within=20)


async def post(served: Served, body: bytes) -> httpx.Response:
    signed = "sha256=" + hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
    async with httpx.AsyncClient(base_url=served.url) as http:
        headers = {"X-Hub-Signature-256": signed}
        return await http.post("/whatsapp_response", content=body, headers=headers)


async def get(served: Served, path: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=served.url) as http:
        return await http.get(path)


async def test_roles(place: Town):
    web = await place.start("web", INBOX_MAX_AGE="1")
    await place.connect(web)
    rows = place.database.collection(InboxDocument)

    # A web process alone stores and takes no turn; it says so when that lasts, and goes on.
    ana = place.customer("15551110001")
    await ana.say("hello")
    await eventually(lambda: rows.count_documents({"state": "new"}))
    old = {"$set": {"due": datetime.now(UTC) - timedelta(minutes=5)}}
    await rows.update_many({}, old)
    ready = await get(web, "/health/ready")
    assert ready.status_code == 503
    assert "s behind: 1 messages wait for their turn" in ready.json()["reason"]
    assert (await post(web, body_of("menu", wamid="wamid.more"))).status_code == 200
    assert await place.members() == {}

    # A worker takes them, and has no doors for strangers.
    one = await place.start("worker")
    (first, *_) = await answered(ana)
    assert "Welcome" in first.payload["interactive"]["body"]["text"]
    assert (await get(web, "/health/ready")).status_code == 200
    assert (await get(one, "/health/live")).status_code == 200
    assert "comanda_slots 64.0" in (await get(one, "/metrics")).text
    assert (await post(one, body_of("menu", wamid="wamid.odd"))).status_code == 404

    # A second one takes its half.
    two = await place.start("worker")
    await eventually(lambda: _is_shared(place, [32, 32]))

    # One that is told to end leaves nothing behind, and the other has everything.
    assert await one.end() == 0
    assert sum((await place.members()).values()) <= SLOTS
    await eventually(lambda: _is_shared(place, [SLOTS]))
    assert "Traceback" not in one.said()
    ben = place.customer("15551110002")
    await ben.say("hello")
    await answered(ben)

    # One that is killed is missed when its lease is over.
    three = await place.start("worker")
    await eventually(lambda: _is_shared(place, [32, 32]))
    two.process.kill()
    await two.process.wait()
    eva = place.customer("15551110003")
    await eva.say("hello")
    await answered(eva)
    await eventually(lambda: _is_shared(place, [SLOTS]))
    assert await three.end() == 0
    assert await web.end() == 0
    assert await place.members() == {}
    outbox = place.database.collection(OutboxDocument)
    assert await outbox.count_documents({"state": {"$ne": "sent"}, "said": {"$ne": None}}) == 0
    assert await rows.count_documents({"state": "new"}) == 0


async def _is_shared(place: Town, shares: list[int]) -> bool:
    return sorted((await place.members()).values()) == shares
