"""How a sync stands: the counts, the errors by product, and who started it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from engine.clock import ManualClock, SeededIds
from engine.domain.ids import ProductId, TenantId
from engine.sync.ports import CatalogKey, ItemId, ItemState
from engine.sync.report import MOST_ERRORS, SyncReport, SyncReports
from engine.sync.runs import Alert, Job
from tests.memory_sync import MemoryItemStates, MemoryRuns

NOON = datetime(2030, 6, 14, 12, tzinfo=UTC)
SHOP, OTHER = TenantId("shop"), TenantId("other")
ALERT = Alert(190, "store a valid access token", NOON)


class Desk:
    """The reports, and what they are made of."""

    def __init__(self):
        self.runs = MemoryRuns()
        self.states = {SHOP: MemoryItemStates(), OTHER: MemoryItemStates()}
        self.woken = 0
        self.reports = SyncReports(
            runs=self.runs,
            states=self.states.__getitem__,
            clock=ManualClock(NOON),
            ids=SeededIds(),
            wake=self._wake,
        )

    def _wake(self):
        self.woken += 1

    async def work(self, **changes):
        """Be the worker: take the tenant and write its run."""
        claimed = await self.runs.claim(SHOP, owner="w", now=NOON, until=NOON)
        assert claimed is not None
        run = replace(claimed, **changes)
        if run.job and self.runs.held[SHOP].run.requested:
            await self.runs.begin(run, owner="w")
        else:
            await self.runs.save(run, owner="w", until=NOON)

    async def hold(self, *items, tenant=SHOP):
        await self.states[tenant].put([state(*item) for item in items])


def state(item, status="synced", error=None):
    product = ProductId(item.partition("|")[0])
    return ItemState(CatalogKey("*"), ItemId(item), product, "1", "d", status, NOON, error=error)


@pytest.fixture
def desk():
    return Desk()


async def test_there_is_nothing_to_tell_before_the_first_sync(desk):
    assert await desk.reports.report(SHOP) is None
    await desk.runs.wake(SHOP, at=NOON)
    assert await desk.reports.report(SHOP) is None


@pytest.mark.parametrize(("is_full", "kind"), [(True, "full"), (False, "changed")])
async def test_the_first_starts_a_sync_and_the_second_joins_it(desk, is_full, kind):
    assert await desk.reports.start(SHOP, is_full=is_full) is True
    assert await desk.reports.start(SHOP, is_full=False) is False
    run = await desk.runs.get(SHOP)
    assert (run.requested.kind, run.requested.requested_at) == (kind, NOON)
    assert desk.woken == 2
    await desk.work(job=run.requested)
    assert await desk.reports.start(SHOP, is_full=is_full) is False
    assert await desk.reports.start(OTHER, is_full=is_full) is True


async def test_a_full_sync_does_not_join_one_that_does_less(desk):
    await desk.reports.start(SHOP, is_full=False)
    await desk.work(job=(await desk.runs.get(SHOP)).requested)
    assert await desk.reports.start(SHOP, is_full=True) is True
    assert (await desk.runs.get(SHOP)).requested.kind == "full"


async def test_a_sync_that_an_alert_keeps_is_not_joined(desk):
    await desk.reports.start(SHOP, is_full=False)
    kept = (await desk.runs.get(SHOP)).requested
    await desk.work(job=kept, alert=ALERT, held_until=NOON)
    assert await desk.reports.start(SHOP, is_full=False) is True
    assert (await desk.reports.report(SHOP)).status == "running"


async def test_a_sync_that_was_asked_for_is_running(desk):
    await desk.reports.start(SHOP, is_full=False)
    await desk.hold(("prod:a",), ("prod:b", "sent"))
    report = await desk.reports.report(SHOP)
    assert report == SyncReport("running", total_products=2, synced=1)


async def test_a_sync_under_way_tells_how_far_it_is(desk):
    await desk.reports.start(SHOP, is_full=True)
    job = (await desk.runs.get(SHOP)).requested
    await desk.work(job=replace(job, started_at=NOON, total=50, done=20))
    await desk.hold(("prod:a",), ("prod:b", "refused", "it has no image"))
    report = await desk.reports.report(SHOP)
    assert report.answer() == {
        "status": "running", "total_products": 50, "synced": 1, "failed": 1, "done": 20,
        "errors": [{"product_id": "prod:b", "error": "it has no image"}],
    }  # fmt: skip


async def test_a_sync_that_is_through_is_told_as_required(desk):
    last = Job("1", "full", NOON, total=3, done=3, walked=True, finished_at=NOON)
    await desk.work(last=last)
    await desk.hold(("prod:a",), ("prod:b",), ("prod:c", "failed", "Missing image"))
    await desk.hold(("prod:z", "failed", "another shop's"), tenant=OTHER)
    report = await desk.reports.report(SHOP)
    assert report.answer() == {
        "status": "completed", "total_products": 3, "synced": 2, "failed": 1,
        "errors": [{"product_id": "prod:c", "error": "Missing image"}],
    }  # fmt: skip


async def test_an_alert_blocks_until_it_is_gone(desk):
    await desk.work(alert=ALERT, held_until=NOON)
    report = await desk.reports.report(SHOP)
    assert report.answer() == {
        "status": "blocked", "total_products": 0, "synced": 0, "failed": 0, "errors": [],
        "reason": "store a valid access token",
    }  # fmt: skip
    await desk.reports.start(SHOP, is_full=False)
    report = await desk.reports.report(SHOP)
    assert (report.status, report.reason) == ("running", "")


async def test_a_walk_that_met_an_alert_is_blocked_until_it_is_tried_again(desk):
    await desk.reports.start(SHOP, is_full=False)
    job = replace((await desk.runs.get(SHOP)).requested, total=50, done=20)
    await desk.work(job=job, alert=ALERT)
    assert (await desk.reports.report(SHOP)).status == "running"
    await desk.work(alert=ALERT, held_until=NOON)
    report = await desk.reports.report(SHOP)
    assert (report.status, report.total_products) == ("blocked", 50)
    await desk.work(alert=None, held_until=None, job=None, last=job)
    assert (await desk.reports.report(SHOP)).status == "completed"


async def test_meta_being_away_blocks_nothing(desk):
    await desk.reports.start(SHOP, is_full=False)
    await desk.work(job=(await desk.runs.get(SHOP)).requested, held_until=NOON, failures=3)
    assert (await desk.reports.report(SHOP)).status == "running"


async def test_there_is_one_error_for_a_product_and_its_sizes_are_named(desk):
    await desk.work(last=Job("1", "full", NOON))
    await desk.hold(
        ("prod:a|pres:l", "failed", "the image is too large"),
        ("prod:a|pres:m",),
        ("prod:a|pres:s", "failed", "the image is too large"),
        ("prod:a|pres:x", "refused", "it has no price"),
        ("prod:b", "refused", "it has no name"),
        ("prod:c", "failed"),
    )
    report = await desk.reports.report(SHOP)
    assert report.errors == (
        ("prod:a", "pres:l, pres:s: the image is too large; pres:x: it has no price"),
        ("prod:b", "it has no name"),
        ("prod:c", "failed"),
    )
    assert (report.failed, report.total_products) == (3, 3)


async def test_errors_are_told_up_to_a_number(desk):
    await desk.work(last=Job("1", "full", NOON))
    await desk.hold(*((f"prod:{n:05}", "failed", "no") for n in range(MOST_ERRORS + 5)))
    report = await desk.reports.report(SHOP)
    assert len(report.errors) == MOST_ERRORS
    assert report.failed == MOST_ERRORS + 5
