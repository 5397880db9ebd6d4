"""What Meta says becomes marks and jobs: once each, of the right tenant, and somebody is woken."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.clock import ManualClock, SeededIds
from engine.domain.ids import ProductId, TenantId
from engine.sync.news import News
from engine.sync.ports import Batch, CatalogKey, TenantCatalog
from engine.sync.runs import Job, SyncRun
from tests.memory_sync import MemoryBatches, MemoryMarks, MemoryRuns, MemoryTenantCatalogs

NOON = datetime(2030, 6, 14, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
SHOP, OTHER = TenantId("shop"), TenantId("other")


class Desk:
    """The news and what it writes to."""

    def __init__(self):
        self.batches, self.marks = MemoryBatches(), MemoryMarks()
        self.runs, self.catalogs = MemoryRuns(), MemoryTenantCatalogs()
        self.woken = 0
        self.news = News(
            catalogs=self.catalogs,
            batches=self.batches,
            marks=self.marks,
            runs=self.runs,
            clock=ManualClock(NOON),
            ids=SeededIds(),
            wake=self._wake,
        )

    def _wake(self):
        self.woken += 1

    async def marked(self):
        waiting = await self.marks.waiting(limit=100)
        return {(mark.tenant, mark.product, mark.kind, mark.at) for mark in waiting}


@pytest.fixture
def desk():
    return Desk()


def batch(**changes):
    held: dict[str, Any] = {
        "id": "1:h1", "tenant": SHOP, "catalog": CatalogKey("*"), "catalog_id": "1",
        "handles": ("h1", "h2"), "items": 2, "sent_at": NOON, "check_at": LATER,
    }  # fmt: skip
    return Batch(**held | changes)


async def test_a_batch_that_is_through_is_asked_for_now(desk):
    await desk.batches.add(batch())
    await desk.runs.claim(SHOP, owner="a", now=NOON, until=NOON)
    await desk.runs.save(SyncRun(SHOP, due=LATER), owner="a", until=NOON)
    for _ in range(2):
        assert await desk.news.batch_finished("1", "h2") is True
    assert desk.batches.held["1:h1"].check_at == NOON
    assert await desk.runs.due(now=NOON, limit=9) == (SHOP,)
    assert desk.woken == 2


@pytest.mark.parametrize(("catalog_id", "handle"), [("1", "h3"), ("2", "h1"), ("", "")])
async def test_a_batch_that_is_not_ours_wakes_nobody(desk, catalog_id, handle):
    await desk.batches.add(batch())
    assert await desk.news.batch_finished(catalog_id, handle) is False
    assert desk.batches.held["1:h1"].check_at == LATER
    assert desk.runs.held == {}
    assert desk.woken == 0


async def test_items_that_changed_mark_their_products_once(desk):
    await desk.news.items_changed(SHOP, ["prod:a", "prod:b|pres:s", "prod:b|pres:l", "|", ""])
    assert await desk.marked() == {
        (SHOP, ProductId("prod:a"), "verify", NOON),
        (SHOP, ProductId("prod:b"), "verify", NOON),
    }
    assert desk.woken == 1


async def test_marks_of_two_tenants_do_not_mix_and_a_repetition_adds_its_own(desk):
    for tenant in (SHOP, OTHER, SHOP):
        await desk.news.items_changed(tenant, ["prod:a"])
    assert await desk.marked() == {(t, "prod:a", "verify", NOON) for t in (SHOP, OTHER)}
    assert len(desk.marks.held) == 3


async def test_items_without_a_product_mark_nothing(desk):
    await desk.news.items_changed(SHOP, ["", "|pres:s"])
    assert desk.marks.held == {}
    assert desk.woken == 0


async def test_a_catalogue_that_changed_is_verified_once(desk):
    for _ in range(3):
        await desk.news.catalog_changed(SHOP)
    run = await desk.runs.get(SHOP)
    assert (run.requested.kind, run.requested.requested_at) == ("verify", NOON)
    assert run.due == NOON
    assert desk.woken == 3


async def test_a_walk_under_way_is_joined(desk):
    under_way = Job("mine", "full", requested_at=NOON)
    await desk.runs.request(SHOP, under_way)
    await desk.news.catalog_changed(SHOP)
    assert (await desk.runs.get(SHOP)).requested == under_way


async def test_whose_a_catalogue_is(desk):
    await desk.catalogs.save(TenantCatalog(SHOP, CatalogKey("*"), "1", "Shop"))
    assert await desk.news.tenant_of("1") == SHOP
    assert await desk.news.tenant_of("2") is None
