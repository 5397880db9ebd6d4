"""The worker finds the tenants that are due, waits for bursts to end, and survives what breaks."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from engine.errors import EngineError, Unavailable
from engine.metrics import REGISTRY
from engine.sync import worker
from engine.sync.worker import AGAIN, AT_ONCE, PATIENCE, QUIET
from tests.unit.sync.scene import DRINKS, PIZZERIA, TAQUERIA, product, until

COLA = product("prod:cola", category=DRINKS, price="3.50")


async def look(scene):
    """Look once, and let what it began come to its end."""
    await scene.sync.worker.look()
    await scene.sync.worker.idle()


async def synced(scene):
    scene.sell(COLA)
    await scene.walk()
    scene.sell(COLA, tenant=TAQUERIA)
    await scene.walk(TAQUERIA)
    return await scene.calls("items_batch")


async def test_tenants_that_were_never_synced_are_found(scene):
    scene.sell(COLA)
    scene.sell(COLA, tenant=TAQUERIA)
    await look(scene)
    assert await scene.calls("items_batch") == 2


async def test_a_burst_is_waited_for_until_it_is_quiet(scene):
    before = await synced(scene)
    scene.sell(replace(COLA, base_price=COLA.base_price + 1))
    await scene.mark("prod:cola")
    await look(scene)
    assert await scene.calls("items_batch") == before
    scene.clock.move(QUIET)
    await look(scene)
    assert await scene.calls("items_batch") == before + 1


async def test_a_burst_that_does_not_end_is_not_waited_for_longer(scene):
    before = await synced(scene)
    scene.sell(replace(COLA, base_price=COLA.base_price + 1))
    steps = 0
    while await scene.calls("items_batch") == before:
        await scene.mark("prod:cola")
        await look(scene)
        scene.clock.move(QUIET / 2)
        steps += 1
    assert QUIET / 2 * (steps - 1) == PATIENCE


async def test_what_fills_a_batch_is_not_waited_for(scene):
    before = await synced(scene)
    scene.sell(*(product(f"prod:{n}", category=DRINKS) for n in range(3000)))
    await scene.mark(*(f"prod:{n}" for n in range(3000)))
    await look(scene)
    assert await scene.calls("items_batch") == before + 1


async def test_marks_that_wait_for_meta_are_not_looked_at_every_second(scene):
    await synced(scene)
    scene.sell(replace(COLA, base_price=COLA.base_price + 1))
    await scene.mark("prod:cola")
    scene.clock.move(QUIET)
    await look(scene)
    scene.sell(replace(COLA, base_price=COLA.base_price + 2))
    await scene.mark("prod:cola")
    scene.clock.move(QUIET)
    await look(scene)
    claims = []
    claim = scene.database.runs.claim

    async def counted(tenant, **more):
        claims.append(tenant)
        return await claim(tenant, **more)

    scene.database.runs.claim = counted
    await look(scene)
    assert claims == []


async def test_the_lag_is_how_long_the_longest_change_waits(scene):
    await synced(scene)
    await look(scene)
    assert REGISTRY.get_sample_value("comanda_sync_lag_seconds") == 0
    scene.sell(replace(COLA, base_price=COLA.base_price + 1))
    await scene.mark("prod:cola")
    scene.clock.move(QUIET)
    await scene.mark("prod:cola")
    await scene.sync.worker.look()
    assert REGISTRY.get_sample_value("comanda_sync_lag_seconds") == QUIET.total_seconds()
    await scene.sync.worker.idle()


async def test_a_round_that_breaks_does_not_break_the_others(scene):
    failures = REGISTRY.get_sample_value("comanda_sync_failures_total", {"kind": "broken"}) or 0
    before = await synced(scene)
    for tenant in (PIZZERIA, TAQUERIA):
        scene.sell(replace(COLA, base_price=COLA.base_price + 1), tenant=tenant)
        await scene.mark("prod:cola", tenant=tenant)
    scene.tenants[PIZZERIA] = None  # no settings: whatever reads them breaks
    scene.clock.move(QUIET)
    take = scene.sync.rounds.take

    async def broken(tenant, **more):
        if tenant == PIZZERIA:
            raise ZeroDivisionError("a mistake of ours")
        return await take(tenant, **more)

    scene.sync.rounds.take = broken
    with capture_logs() as logs:
        await look(scene)
        await look(scene)
    assert [line["tenant"] for line in logs if line["event"] == "sync.broke"] == [PIZZERIA]
    counted = REGISTRY.get_sample_value("comanda_sync_failures_total", {"kind": "broken"})
    assert counted == failures + 1
    assert await scene.calls("items_batch") == before + 1


async def test_a_database_that_is_away_is_waited_for(scene):
    before = await synced(scene)
    waiting = scene.database.marks.waiting

    async def away(*, limit):
        raise Unavailable("the database does not answer")

    scene.database.marks.waiting = away
    with capture_logs() as logs:
        await look(scene)
    assert [line["event"] for line in logs] == ["sync.database_away"]
    scene.database.marks.waiting = waiting
    scene.sell(replace(COLA, base_price=COLA.base_price + 1))
    await scene.mark("prod:cola")
    scene.clock.move(QUIET)
    await look(scene)
    assert await scene.calls("items_batch") == before + 1


async def test_a_database_that_refuses_is_told_and_does_not_end_the_worker(scene):
    async def refused(*, now, limit):
        raise EngineError("the database refused an operation")

    scene.database.runs.due = refused
    with capture_logs() as logs:
        await look(scene)
    assert [line["event"] for line in logs] == ["sync.look_failed"]


async def test_it_runs_until_it_is_drained(scene):
    scene.sell(COLA)
    running = asyncio.create_task(scene.sync.worker.run())
    await until(lambda: scene.states())
    scene.sync.worker.stir()
    await scene.sync.worker.drain()
    await running
    assert scene.sync.worker.is_stopped()
    assert scene.states()["prod:cola"].status == "sent"


async def test_what_meta_tells_is_looked_at_at_once(scene):
    await synced(scene)
    scene.sell(replace(COLA, base_price=COLA.base_price + 1))
    await scene.mark("prod:cola")
    scene.clock.move(QUIET)
    await look(scene)
    await scene.settled()
    (batch,) = await scene.database.batches.open(PIZZERIA)
    assert await scene.sync.news.batch_finished(batch.catalog_id, batch.handles[0])
    await look(scene)
    assert await scene.database.batches.open(PIZZERIA) == ()


async def test_marks_of_nobody_are_worked_off_too(scene):
    await scene.mark("prod:cola", tenant="nobody")
    scene.clock.move(timedelta(minutes=1))
    await look(scene)
    assert not scene.database.marks.held


@pytest.mark.parametrize("error", [EngineError("its token cannot be opened"), KeyError("ours")])
async def test_a_tenant_whose_round_breaks_is_not_tried_every_second(scene, error):
    scene.sell(COLA)
    scene.sell(COLA, tenant=TAQUERIA)
    take, taken = scene.sync.rounds.take, []

    async def broken(tenant, **more):
        taken.append(tenant)
        if tenant == PIZZERIA:
            raise error
        return await take(tenant, **more)

    scene.sync.rounds.take = broken
    with capture_logs():
        for _ in range(10):
            await look(scene)
            scene.clock.move(timedelta(seconds=1))
        assert taken.count(PIZZERIA) == 1
        scene.clock.move(AGAIN)
        await look(scene)
        assert taken.count(PIZZERIA) == 2
        # Somebody asked for it: it may have been mended.
        scene.sync.worker.wake()
        await look(scene)
    assert taken.count(PIZZERIA) == 3


async def test_a_mistake_of_ours_does_not_end_the_worker(scene):
    async def broken(*, now, limit):
        raise ZeroDivisionError("a mistake of ours")

    scene.database.runs.due = broken
    with capture_logs() as logs:
        await look(scene)
    assert [line["event"] for line in logs] == ["sync.look_broke"]


async def test_a_database_that_goes_away_in_a_round_is_told(scene):
    async def away(tenant, **more):
        raise Unavailable("the database does not answer")

    scene.sync.rounds.take = away
    with capture_logs() as logs:
        await look(scene)
    assert {line["event"] for line in logs} == {"sync.interrupted"}


async def test_rounds_that_have_not_begun_are_not_begun_when_it_is_to_end(scene):
    for n in range(AT_ONCE):
        scene.tenants[f"tenant-{n}"] = scene.tenants[PIZZERIA]
    go_on, taken = asyncio.Event(), []

    async def waits(tenant, **more):
        taken.append(tenant)
        await go_on.wait()

    scene.sync.rounds.take = waits
    await scene.sync.worker.look()
    await until(lambda: len(taken) == AT_ONCE)
    ending = asyncio.create_task(scene.sync.worker.drain())
    await until(scene.sync.worker.is_stopped)
    go_on.set()
    await ending
    assert len(taken) == AT_ONCE


async def test_a_tenant_another_process_has_is_looked_at_again_soon(scene):
    await synced(scene)
    now = scene.clock.now()
    await scene.database.runs.claim(PIZZERIA, owner="other", now=now, until=now + PATIENCE * 10)
    await scene.mark("prod:cola")
    scene.clock.move(QUIET)
    await look(scene)
    assert scene.database.marks.held
    await scene.database.runs.release(PIZZERIA, owner="other")
    scene.clock.move(QUIET)
    await look(scene)
    assert not scene.database.marks.held


async def test_a_round_that_waits_for_meta_does_not_keep_the_process(scene, monkeypatch):
    monkeypatch.setattr(worker, "DRAIN_SECONDS", 0.01)
    scene.sell(COLA)
    never, asked = asyncio.Event(), asyncio.Event()

    async def waiting(*args, **more):
        asked.set()
        await never.wait()

    scene.graph.request = waiting
    await scene.sync.worker.look()
    await asked.wait()
    await scene.sync.worker.drain()
    held = scene.database.runs.held[PIZZERIA]
    assert (held.owner, held.run.job.walked) == (None, False)
