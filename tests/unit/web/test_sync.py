"""The doors of the catalogue sync: who may come in, who waits, and what each is told."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from engine.clock import ManualClock, SeededIds
from engine.domain.ids import ProductId, TenantId
from engine.errors import EngineError, Unavailable
from engine.serving import serving
from engine.sync.report import SyncReport, SyncReports
from engine.web.sync import SyncDoors
from tests.memory_sync import MemoryItemStates, MemoryRuns

TOKEN = "operator's token ñ"
PATH = "/meta/catalog/sync/shop"
SHOP = TenantId("shop")
RUNNING = SyncReport("running", total_products=3, synced=1, done=2)
DONE = SyncReport("completed", 3, 2, 1, ((ProductId("prod:c"), "Missing image"),))
BLOCKED = SyncReport("blocked", reason="save a valid access token")


class Syncs:
    """Gives reports one after the other, the last one for ever."""

    def __init__(self, *reports, is_first=True):
        self.reports = list(reports)
        self.is_first = is_first
        self.started = []
        self.seen = 0
        self.looked = asyncio.Event()

    async def start(self, tenant, *, is_full):
        self.started.append((tenant, is_full))
        return self.is_first

    async def report(self, tenant):
        self.seen += 1
        self.looked.set()
        return self.reports.pop(0) if len(self.reports) > 1 else self.reports[0]


def doors(syncs, admin_token=TOKEN):
    def given():
        if isinstance(syncs, Exception):
            raise syncs
        return syncs

    made = SyncDoors(
        admin_token=admin_token, syncs=given, tenants=lambda name: name == "shop", poll=0
    )
    return Starlette(routes=made.routes())


async def ask(syncs, method="POST", path=PATH, *, token=TOKEN, admin_token=TOKEN):
    headers: Any = {} if token is None else {"Authorization": f"Bearer {token}".encode()}
    transport = httpx.ASGITransport(doors(syncs, admin_token))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
        return await http.request(method, path, headers=headers)


async def test_the_first_waits_for_the_end_and_gets_what_is_required():
    syncs = Syncs(RUNNING, RUNNING, DONE)
    answer = await ask(syncs)
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "completed", "total_products": 3, "synced": 2, "failed": 1,
        "errors": [{"product_id": "prod:c", "error": "Missing image"}],
    }  # fmt: skip
    assert syncs.started == [("shop", False)]
    assert syncs.seen == 3


@pytest.mark.parametrize("wait", ["0", "0.05"])
async def test_one_that_takes_longer_is_told_how_far_it_is(wait):
    answer = await ask(Syncs(RUNNING), path=f"{PATH}?wait={wait}")
    assert answer.status_code == 202
    assert (answer.json()["status"], answer.json()["done"]) == ("running", 2)


async def test_one_that_is_not_waited_for_is_looked_at_once():
    syncs = Syncs(RUNNING, DONE)
    assert (await ask(syncs, path=f"{PATH}?wait=0")).status_code == 202
    assert syncs.seen == 1


async def test_the_second_joins_and_does_not_wait():
    syncs = Syncs(RUNNING, DONE, is_first=False)
    answer = await ask(syncs, path=f"{PATH}?wait=60")
    assert (answer.status_code, answer.json()["status"]) == (202, "running")
    assert syncs.seen == 1


@pytest.mark.parametrize("is_first", [True, False])
async def test_what_blocks_it_is_told_at_once(is_first):
    answer = await ask(Syncs(RUNNING, BLOCKED) if is_first else Syncs(BLOCKED, is_first=False))
    assert answer.status_code == 409
    assert answer.json()["reason"] == "save a valid access token"


async def test_a_run_that_is_not_there_yet_is_running():
    assert (await ask(Syncs(None), path=f"{PATH}?wait=0")).json()["status"] == "running"


@pytest.mark.parametrize(
    ("query", "is_full"),
    [("?full=true", True), ("?full=1&wait=60", True), ("?full=FALSE", False), ("?full=0", False)],
)
async def test_everything_is_sent_if_asked_for(query, is_full):
    syncs = Syncs(DONE)
    assert (await ask(syncs, path=PATH + query)).status_code == 200
    assert syncs.started == [("shop", is_full)]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("?full=yes", "'full'"), ("?full=", "'full'"), ("?wait=-1", "'wait'"),
        ("?wait=61", "'wait'"), ("?wait=60.001", "'wait'"), ("?wait=nan", "'wait'"),
        ("?wait=1e1", "'wait'"), ("?wait=", "'wait'"), ("?wait=٣", "'wait'"),
        ("?ful=true", "'ful'"),
        ("?" + "x" * 5000, "no parameter"),
    ],
)  # fmt: skip
async def test_a_malformed_query_starts_nothing(query, word):
    syncs = Syncs(DONE)
    answer = await ask(syncs, path=PATH + query)
    assert answer.status_code == 400
    assert word in answer.json()["error"]
    assert len(answer.json()["error"]) < 150
    assert syncs.started == []


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"token": None}, 401), ({"token": "x"}, 401), ({"token": f"{TOKEN}x"}, 401),
        ({"admin_token": ""}, 503), ({"admin_token": "", "token": ""}, 503),
        ({"path": "/meta/catalog/sync/nobody"}, 404),
        ({"path": "/meta/catalog/sync/nobody", "token": None}, 401),
        ({"path": "/meta/catalog/sync/nobody?full=yes"}, 404),
    ],
)  # fmt: skip
async def test_who_may_not_come_in_starts_nothing(method, given, status):
    syncs = Syncs(DONE)
    with capture_logs() as logs:
        answer = await ask(syncs, method, **given)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert (syncs.started, syncs.seen) == ([], 0)
    assert TOKEN not in str(logs)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("error", "status"), [(Unavailable("the database is away"), 503), (EngineError("odd"), 500)]
)
async def test_an_error_is_a_status_and_a_sentence(method, error, status):
    answer = await ask(error, method)
    assert (answer.status_code, answer.json()) == (status, {"error": str(error)})


@pytest.mark.parametrize("report", [RUNNING, DONE, BLOCKED])
async def test_looking_starts_nothing(report):
    syncs = Syncs(report)
    answer = await ask(syncs, "GET")
    assert (answer.status_code, answer.json()) == (200, report.answer())
    assert syncs.started == []


async def test_there_is_nothing_to_look_at_before_the_first_sync():
    answer = await ask(Syncs(None), "GET")
    assert answer.status_code == 404
    assert "never" in answer.json()["error"]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_only_posting_and_looking(method):
    assert (await ask(Syncs(DONE), method)).status_code == 405


async def test_a_sync_is_logged():
    with capture_logs() as logs:
        await ask(Syncs(DONE), path=f"{PATH}?full=true")
    (entry,) = [log for log in logs if log["event"] == "operator.sync"]
    assert (entry["tenant"], entry["full"], entry["status"]) == ("shop", True, 200)


async def test_nobody_waits_for_a_client_that_went_away():
    syncs = Syncs(RUNNING)
    async with serving(doors(syncs)) as url, httpx.AsyncClient(base_url=url) as http:
        headers: Any = {"Authorization": f"Bearer {TOKEN}".encode()}
        asking = asyncio.create_task(http.post(f"{PATH}?wait=60", headers=headers))
        await asyncio.wait_for(syncs.looked.wait(), 10)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        before = -1
        async with asyncio.timeout(10):
            while syncs.seen != before:  # it looks without a pause, as long as it looks
                before = syncs.seen
                await http.get("/nothing")
    assert syncs.started == [("shop", False)]


async def test_two_at_once_start_one_sync():
    runs, states = MemoryRuns(), MemoryItemStates()
    clock = ManualClock(datetime(2030, 6, 14, tzinfo=UTC))
    reports = SyncReports(
        runs=runs, states=lambda _: states, clock=clock, ids=SeededIds(), wake=lambda: None
    )
    first, second = await asyncio.gather(
        ask(reports, path=f"{PATH}?wait=0"), ask(reports, path=f"{PATH}?wait=60")
    )
    assert (first.status_code, second.status_code) == (202, 202)
    run = await runs.get(SHOP)
    assert run is not None
    assert run.requested is not None
    assert run.requested.kind == "changed"
