"""Marks, batches and catalogues of the sync, on disk and in memory."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.errors import Conflict
from engine.storage.batches import MongoBatches
from engine.storage.sync_marks import MongoSyncMarks
from engine.storage.sync_records import SyncBatchDocument
from engine.storage.tenant_catalogs import MongoTenantCatalogs
from engine.sync.ports import Batches, CatalogKey, SyncMarks, TenantCatalogs
from tests.memory_sync import MemoryBatches, MemoryMarks, MemoryTenantCatalogs
from tests.unit.storage.builders import BAKERY, NOW, PIZZERIA
from tests.unit.storage.sync_builders import LATER, MINUTE, batch, catalogue, mark

PIZZA = CatalogKey("cat:a.b")


def the_disk_agrees(
    marks: MongoSyncMarks, batches: MongoBatches, catalogs: MongoTenantCatalogs
) -> tuple[SyncMarks, Batches, TenantCatalogs]:
    return marks, batches, catalogs


def memory_agrees(
    marks: MemoryMarks, batches: MemoryBatches, catalogs: MemoryTenantCatalogs
) -> tuple[SyncMarks, Batches, TenantCatalogs]:
    return marks, batches, catalogs


async def test_marks_come_the_oldest_first_until_they_are_done(sync):
    late = mark("m0", at=LATER, kind="verify")
    theirs = mark("m2", tenant=BAKERY, at=NOW + MINUTE)
    held = (mark("m1"), mark("m3"), theirs, late)
    await sync.marks.add([late, held[1], theirs, held[0]])
    await sync.marks.add([])
    assert await sync.marks.waiting(limit=9) == held
    assert await sync.marks.waiting(limit=2) == held[:2]
    assert await sync.marks.of(PIZZERIA, limit=9) == (held[0], held[1], late)
    assert await sync.marks.of(PIZZERIA, limit=1) == held[:1]
    await sync.marks.done([held[0], late, mark("none")])
    await sync.marks.done([])
    assert await sync.marks.waiting(limit=9) == (held[1], theirs)


async def test_a_mark_that_is_stored_is_left_as_it_is(sync):
    await sync.marks.add([mark()])
    await sync.marks.add([mark(at=LATER), mark("m2")])
    assert await sync.marks.waiting(limit=9) == (mark(), mark("m2"))


async def test_many_marks_are_done_at_once(sync):
    held = [mark(f"m{n:04}") for n in range(130)]
    await sync.marks.add(held)
    await sync.marks.done(held[:-1])
    assert await sync.marks.waiting(limit=9) == (held[-1],)


async def test_open_batches_come_the_oldest_first(sync):
    late = batch("h2", sent_at=LATER, handles=("h2", "h3"), checks=1)
    for each in (late, batch(), batch("h4", tenant=BAKERY, catalog_id="catalog-2")):
        await sync.batches.add(each)
    await sync.batches.add(batch())
    assert await sync.batches.open(PIZZERIA) == (batch(), late)
    await sync.batches.save(batch(finished_at=LATER))
    await sync.batches.save(replace(late, checks=2))
    await sync.batches.save(batch("none"))
    assert await sync.batches.open(PIZZERIA) == (replace(late, checks=2),)


async def test_what_was_sent_to_a_catalogue_is_counted_over_a_time(sync):
    for n in (3, 1, 2):
        finished = NOW if n == 2 else None
        await sync.batches.add(batch(f"h{n}", sent_at=NOW + n * MINUTE, finished_at=finished))
    await sync.batches.add(batch("h9", catalog_id="catalog-2", sent_at=LATER))
    times = tuple(NOW + n * MINUTE for n in (1, 2, 3))
    assert await sync.batches.sent_since("catalog-1", NOW) == times
    assert await sync.batches.sent_since("catalog-1", times[1]) == times[1:]
    assert await sync.batches.sent_since("catalog-1", LATER) == ()


async def test_a_webhook_hurries_its_batch(sync):
    held = batch(handles=("h1", "h2"))
    await sync.batches.add(held)
    assert await sync.batches.hurry("catalog-1", "h2", at=NOW) == PIZZERIA
    assert await sync.batches.open(PIZZERIA) == (replace(held, check_at=NOW),)
    assert await sync.batches.hurry("catalog-1", "h1", at=LATER) == PIZZERIA
    assert await sync.batches.open(PIZZERIA) == (replace(held, check_at=NOW),)
    assert await sync.batches.hurry("catalog-2", "h1", at=NOW) is None
    assert await sync.batches.hurry("catalog-1", "h3", at=NOW) is None
    await sync.batches.save(replace(held, finished_at=NOW))
    assert await sync.batches.hurry("catalog-1", "h1", at=NOW) == PIZZERIA
    assert await sync.batches.open(PIZZERIA) == ()


async def test_only_a_finished_batch_goes_and_after_two_days(mongo_sync, database):
    await mongo_sync.batches.add(batch())
    rows = database.collection(SyncBatchDocument)
    assert "expireAt" not in await rows.find_one({})
    await mongo_sync.batches.save(batch(finished_at=LATER))
    assert (await rows.find_one({}))["expireAt"] == LATER + timedelta(days=2)


async def test_catalogues_come_back_by_key(sync):
    whole = catalogue(
        key=PIZZA, catalog_id="catalog-2", connection="f1", sets={"cat:a.b": ("set-1", "$name")}
    )
    for each in (whole, catalogue(), catalogue(tenant=BAKERY, catalog_id="")):
        await sync.catalogs.save(each)
    assert await sync.catalogs.all(PIZZERIA) == (catalogue(), whole)
    assert await sync.catalogs.get(PIZZERIA, PIZZA) == whole
    assert await sync.catalogs.get(BAKERY, PIZZA) is None
    await sync.catalogs.save(replace(whole, connection=""))
    assert await sync.catalogs.get(PIZZERIA, PIZZA) == replace(whole, connection="")


async def test_a_catalogue_of_meta_is_one_tenants(sync):
    await sync.catalogs.save(catalogue())
    theirs = catalogue(tenant=BAKERY)
    for other in (theirs, catalogue(key=PIZZA)):
        with pytest.raises(Conflict, match="catalog-1 is in use"):
            await sync.catalogs.save(other)
    await sync.catalogs.save(replace(theirs, catalog_id=""))
    with pytest.raises(Conflict):
        await sync.catalogs.save(theirs)
    assert await sync.catalogs.get(BAKERY, theirs.key) == replace(theirs, catalog_id="")
    assert await sync.catalogs.tenant_of("catalog-1") == PIZZERIA
    assert await sync.catalogs.tenant_of("catalog-2") is None
    assert await sync.catalogs.tenant_of("") is None


async def test_two_processes_may_write_a_catalogue_at_once(sync):
    made = [catalogue(catalog_id="", name=f"n{n}") for n in range(8)]
    await asyncio.gather(*(sync.catalogs.save(each) for each in made))
    (held,) = await sync.catalogs.all(PIZZERIA)
    assert held in made
