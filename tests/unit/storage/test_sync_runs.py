"""How far each tenant's sync is and who works on it, on disk and in memory."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.errors import Conflict
from engine.storage.sync_runs import MongoSyncRuns
from engine.sync.ports import CatalogKey
from engine.sync.runs import Alert, SyncRun, SyncRuns
from tests.memory_sync import MemoryRuns
from tests.unit.storage.builders import BAKERY, NOW, PIZZERIA
from tests.unit.storage.sync_builders import LATER, MINUTE, job

SOON = NOW + MINUTE
FAR = NOW + timedelta(days=1)


def both_agree(disk: MongoSyncRuns, memory: MemoryRuns) -> tuple[SyncRuns, SyncRuns]:
    return disk, memory


@pytest.fixture
def runs(sync):
    return sync.runs


async def claim(runs, owner="me", *, tenant=PIZZERIA, now=NOW):
    return await runs.claim(tenant, owner=owner, now=now, until=now + MINUTE)


async def test_a_tenant_that_is_claimed_first_gets_a_run(runs):
    assert await runs.get(PIZZERIA) is None
    assert await claim(runs) == SyncRun(PIZZERIA, due=NOW)
    assert await runs.get(PIZZERIA) == SyncRun(PIZZERIA, due=NOW)


async def test_one_process_works_on_a_tenant(runs):
    assert await claim(runs)
    assert await claim(runs, "you") is None
    assert await claim(runs, "you", tenant=BAKERY)
    assert await claim(runs, now=NOW + MINUTE / 2)
    assert await claim(runs, "you", now=NOW + MINUTE) is None
    assert await claim(runs, "you", now=NOW + 3 * MINUTE / 2)
    assert await claim(runs, now=NOW + 3 * MINUTE / 2) is None
    await runs.release(PIZZERIA, owner="me")
    assert await claim(runs, now=NOW + 3 * MINUTE / 2) is None
    await runs.release(PIZZERIA, owner="you")
    assert await claim(runs, now=NOW + 3 * MINUTE / 2)


async def test_of_many_that_claim_at_once_one_has_it(runs):
    for now in (NOW, NOW + 2 * MINUTE):
        taken = await asyncio.gather(*(claim(runs, f"p{n}{now}", now=now) for n in range(8)))
        assert len([run for run in taken if run]) == 1


async def test_a_run_is_written_by_its_owner_only(runs):
    await claim(runs)
    run = SyncRun(
        PIZZERIA,
        due=LATER,
        job=job(started_at=NOW, total=5, done=2, shelf=CatalogKey("cat:a"), position="prod:a"),
        last=job("j0", "verify", walked=True, finished_at=NOW),
        failures=3,
        held_until=SOON,
        alert=Alert(code=190, sentence="$expired", since=NOW, token="f1"),
        compared_at=NOW,
        verified_at=NOW,
    )
    await runs.save(run, owner="me", until=FAR)
    assert await runs.get(PIZZERIA) == run
    assert await claim(runs, "you", now=LATER) is None
    for late in (runs.save(run, owner="you", until=FAR), runs.begin(run, owner="you")):
        with pytest.raises(Conflict):
            await late
    with pytest.raises(Conflict):
        await runs.save(replace(run, tenant=BAKERY), owner="me", until=FAR)
    await runs.release(PIZZERIA, owner="me")
    with pytest.raises(Conflict):
        await runs.save(replace(run, failures=9), owner="me", until=FAR)
    assert await runs.get(PIZZERIA) == run


async def test_those_that_are_due_and_free_come_the_longest_waiting_first(runs):
    await runs.wake(PIZZERIA, at=NOW)
    await runs.wake(BAKERY, at=NOW - MINUTE)
    assert await runs.due(now=NOW, limit=9) == (BAKERY, PIZZERIA)
    assert await runs.due(now=NOW, limit=1) == (BAKERY,)
    assert await runs.due(now=NOW - MINUTE, limit=9) == (BAKERY,)
    await claim(runs, tenant=BAKERY)
    assert await runs.due(now=NOW, limit=9) == (PIZZERIA,)
    assert await runs.due(now=NOW + MINUTE, limit=9) == (BAKERY, PIZZERIA)


async def test_a_walk_that_is_asked_for_is_begun_once(runs):
    assert await runs.request(PIZZERIA, job()) == job()
    assert await runs.due(now=NOW, limit=9) == (PIZZERIA,)
    assert await runs.request(PIZZERIA, job("j2")) == job()
    run = await claim(runs)
    assert (run.requested, run.job) == (job(), None)
    begun = replace(run, job=replace(run.requested, started_at=NOW), due=LATER)
    await runs.begin(begun, owner="me")
    assert await runs.get(PIZZERIA) == replace(begun, requested=None)
    assert await runs.request(PIZZERIA, job("j3")) == begun.job
    with pytest.raises(Conflict):
        await runs.begin(begun, owner="me")
    finished = replace(begun.job, finished_at=NOW)
    for done in (replace(begun, job=finished), replace(begun, job=None, last=finished)):
        await runs.save(done, owner="me", until=SOON)
        assert await runs.request(PIZZERIA, job("j4")) == job("j4")
        held = await runs.get(PIZZERIA)
        assert (held.job, held.requested, held.due) == (done.job, job("j4"), NOW)
        run = await claim(runs)
        await runs.begin(replace(run, job=run.requested), owner="me")


async def test_a_walk_that_does_more_is_asked_for_instead(runs):
    full = job("j2", "full")
    assert await runs.request(PIZZERIA, job()) == job()
    run = await claim(runs)
    assert await runs.request(PIZZERIA, full) == full
    assert await runs.request(PIZZERIA, job("j3", "verify")) == full
    # What was begun is not what is asked for now.
    with pytest.raises(Conflict):
        await runs.begin(replace(run, job=run.requested), owner="me")
    assert (await runs.get(PIZZERIA)).requested == full


async def test_a_walk_that_does_more_than_the_one_under_way_comes_next(runs):
    run = await claim(runs)
    going = replace(run, job=job(kind="verify", started_at=NOW))
    await runs.save(going, owner="me", until=SOON)
    assert await runs.request(PIZZERIA, job("j2")) == going.job
    full = job("j3", "full")
    assert await runs.request(PIZZERIA, full) == full
    held = await runs.get(PIZZERIA)
    assert (held.job, held.requested) == (going.job, full)


async def test_a_walk_that_waits_for_a_person_is_not_joined(runs):
    run = await claim(runs)
    alert = Alert(code=190, sentence="the token has expired", since=NOW)
    await runs.save(replace(run, job=job(), alert=alert, held_until=SOON), owner="me", until=SOON)
    assert await runs.request(PIZZERIA, job("j2")) == job("j2")


async def test_of_many_walks_that_are_asked_for_at_once_there_is_one(runs):
    asked = await asyncio.gather(
        *(runs.request(PIZZERIA, job(f"j{n}")) for n in range(8)), claim(runs)
    )
    (joined,) = set(asked[:-1])
    assert (await runs.get(PIZZERIA)).requested == joined


async def test_what_is_asked_for_while_somebody_works_is_neither_lost_nor_put_off(runs):
    run = await claim(runs)
    await runs.request(PIZZERIA, job(requested_at=SOON))
    await runs.save(replace(run, due=FAR), owner="me", until=SOON)
    held = await runs.get(PIZZERIA)
    assert (held.requested, held.due) == (job(requested_at=SOON), SOON)
    # Whoever claims it from now on has seen it.
    run = await claim(runs)
    assert run == held
    await runs.save(replace(run, due=FAR), owner="me", until=SOON)
    assert (await runs.get(PIZZERIA)).due == FAR


async def test_a_run_is_woken_but_never_put_off(runs):
    run = await claim(runs)
    await runs.save(replace(run, due=LATER), owner="me", until=SOON)
    await runs.wake(PIZZERIA, at=FAR)
    assert (await runs.get(PIZZERIA)).due == LATER
    await runs.wake(PIZZERIA, at=SOON)
    assert (await runs.get(PIZZERIA)).due == SOON
    for due, then in ((LATER, SOON), (NOW, NOW)):
        await runs.save(replace(run, due=due), owner="me", until=SOON)
        assert (await runs.get(PIZZERIA)).due == then
