"""What was left behind is found again, and what Meta refuses stops nobody else."""

import asyncio
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from structlog.testing import capture_logs

from engine.app import Engine
from engine.box_ports import InboxRow
from engine.clock import ManualClock
from engine.domain.ids import CustomerKey, TenantId
from engine.errors import SettingsError
from engine.sandbox import serving
from engine.settings import read_settings
from engine.storage.embedded import EmbeddedServer
from engine.storage.inbox import MongoInbox
from engine.storage.records import InboxDocument, OutboxDocument
from tests.e2e.test_webhook import body_of

NUMBER = "106540352242922"


async def test_a_message_stored_before_a_crash_is_answered_after_it(ground, phone, customer):
    await customer.say("hello")
    await ground.engine.idle()
    rows = ground.engine.database.collection(InboxDocument)
    raw = (await rows.find_one({"customer": customer.user_id}))["raw"]
    raw["message"]["id"] = f"wamid.left{phone}"
    raw["message"]["text"] = {"body": "menu"}
    clock = ground.engine.clock
    left = InboxRow(
        id=f"{NUMBER}:wamid.left{phone}",
        tenant=TenantId("la-tavola"),
        customer=CustomerKey(customer.user_id),
        timestamp=1907700000,
        received_at=clock.now(),
        raw=raw,
    )
    await MongoInbox(ground.engine.database).accept([left])
    clock.move(timedelta(seconds=10))
    await ground.engine.parts.worker.look()
    await ground.engine.idle()
    received = await customer.messages()
    assert len(received) == 2
    row = await rows.find_one({"_id": left.id})
    assert row["state"] == "done"


async def test_a_refusal_for_good_is_buried_and_the_next_message_goes_out(ground, customer):
    fault = {"kind": "refuse", "code": 131026, "times": 1, "to": customer.phone}
    await ground.sandbox.post("/sandbox/faults", json=fault)
    await customer.say("hello")
    await ground.engine.idle()
    await customer.say("menu")
    await ground.engine.idle()
    received = await customer.messages()
    assert len(received) == 1
    outbox = ground.engine.database.collection(OutboxDocument)
    key = {"tenant": "la-tavola", "customer": customer.user_id}
    states = [row["state"] async for row in outbox.find(key | {"said": {"$ne": None}})]
    assert sorted(states) == ["dead", "sent"]


async def test_a_rate_limit_is_tried_again_and_keeps_the_order(ground, customer):
    fault = {"kind": "refuse", "code": 131056, "times": 1, "to": customer.phone}
    await ground.sandbox.post("/sandbox/faults", json=fault)
    await customer.say("hello")
    await ground.engine.idle()
    assert await customer.messages() == []
    ground.engine.clock.move(timedelta(seconds=30))
    await ground.engine.parts.relay.look()
    await ground.engine.idle()
    received = await customer.messages()
    assert "Welcome" in received[0].payload["interactive"]["body"]["text"]


async def test_a_broken_tenant_does_not_stop_the_others(ground, tmp_path):
    root = ground.engine.library.root
    (tmp_path / "conversations").symlink_to(root / "conversations")
    tenants = tmp_path / "tenants"
    tenants.mkdir()
    (tenants / "la-tavola").symlink_to(root / "tenants/la-tavola")
    (tenants / "broken").mkdir()
    (tenants / "broken/tenant.yaml").write_text("name: [unfinished\n")
    settings = ground.engine.settings.model_copy(update={"comanda_content": tmp_path})
    engine = Engine(settings, clock=ManualClock(datetime(2030, 6, 14, tzinfo=UTC)))
    engine.bundles.load()
    assert engine.bundles.tenants() == ["la-tavola"]
    assert "broken" in engine.bundles.broken
    await engine.graph.close()


@pytest.mark.usefixtures("forgotten_sockets")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("away_first", [False, True])
async def test_a_database_that_is_away_is_said_and_it_recovers_by_itself(
    tmp_path, monkeypatch, away_first
):
    monkeypatch.setattr("engine.app.RETRY_SECONDS", 0.2)
    server = EmbeddedServer(tmp_path / "data")
    uri = await server.start()
    port = int(uri.split(":")[2].split("/")[0])
    settings = read_settings(
        mongodb_uri=uri, mongodb_db_name="away", meta_app_secret="s", encryption_secret="e" * 32,
        meta_webhook_verify_token="t", graph_api_url="http://127.0.0.1:9",
    )  # fmt: skip
    if away_first:
        await server.stop()
    engine = Engine(settings)
    engine.database = type(engine.database)(uri, name="away", away_after=0.3)
    async with serving(engine.web) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
        if not away_first:
            await until_ready(http)
            await server.stop()
        ready = await http.get("/health/ready")
        assert ready.status_code == 503
        assert ready.json()["status"] == "unready"
        assert (await http.get("/health/live")).status_code == 200
        body = body_of("hello", wamid="wamid.away")
        refused = await post_signed(http, body)
        assert refused.status_code == 503
        await server.start(port=port)
        await until_ready(http)
        assert (await post_signed(http, body)).status_code == 200
    await server.stop()


async def test_a_start_that_fails_later_is_told(ground, monkeypatch):
    monkeypatch.setattr("engine.app.RETRY_SECONDS", 0.01)
    engine = Engine(ground.engine.settings)
    gate, failed = asyncio.Event(), asyncio.Event()

    async def open_late():
        await gate.wait()
        failed.set()
        raise SettingsError("the database has an index that contradicts ours")

    monkeypatch.setattr(engine.database, "open", open_late)
    with capture_logs() as logs:
        async with engine.running():
            gate.set()
            await failed.wait()
            await asyncio.sleep(0.01)
            assert await engine.unready() is not None
    (told,) = [log for log in logs if log["event"] == "engine.not_started"]
    assert "contradicts" in told["error"]


async def until_ready(http):
    async with asyncio.timeout(30):
        while (await http.get("/health/ready")).status_code != 200:
            pass


async def post_signed(http, body):
    signed = "sha256=" + hmac.new(b"s", body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": signed}
    return await http.post("/whatsapp_response", content=body, headers=headers)
