"""The watcher turns changes into marks: one process does it, and none is forgotten."""

import asyncio
import re
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from engine.errors import Conflict, EngineError, Unavailable
from engine.runtime import following
from engine.runtime.following import LEASE
from engine.sync.watcher import Watcher
from tests.unit.sync.scene import DRINKS, PIZZERIA, TAQUERIA, product, until

COLA = product("prod:cola", category=DRINKS, price="3.50")


@pytest.fixture(autouse=True)
def _brief(monkeypatch):
    monkeypatch.setattr(following, "STEP_SECONDS", 0.01)


def another(scene, owner):
    """Give the watcher of another process."""
    return Watcher(
        feed=scene.database.another_feed(),
        marks=scene.database.marks,
        runs=scene.database.runs,
        tenants=lambda: tuple(scene.tenants),
        clock=scene.clock,
        owner=owner,
        new_id=scene.ids.token,
        stir=lambda: None,
    )


def marked(scene):
    return sorted((mark.tenant, mark.product) for mark in scene.database.marks.held.values())


DRIVERS = re.compile("PyMongo|_poll_cancellation|Periodic")


async def test_a_change_becomes_a_mark(scene):
    await scene.sync.watcher.step()
    scene.database.log.tell(products=[(PIZZERIA, "prod:cola"), (TAQUERIA, "prod:cola")])
    assert await scene.sync.watcher.step()
    assert marked(scene) == [(TAQUERIA, "prod:cola"), (PIZZERIA, "prod:cola")]


async def test_a_deleted_document_is_known_by_the_item_it_was(scene):
    scene.sell(COLA)
    await scene.walk()
    await scene.sync.watcher.step()
    scene.database.log.tell(documents=["doc:prod:cola", "doc:never-seen"])
    await scene.sync.watcher.step()
    assert marked(scene) == [(PIZZERIA, "prod:cola")]


async def test_a_changed_size_marks_the_products_that_have_it(scene):
    scene.sell(product("prod:a", "small"), product("prod:b", "small"), product("prod:c"))
    await scene.sync.watcher.step()
    scene.database.log.tell(presentations=[(PIZZERIA, "pres:small", None)])
    await scene.sync.watcher.step()
    assert marked(scene) == [(PIZZERIA, "prod:a"), (PIZZERIA, "prod:b")]


async def test_one_process_follows_the_feed_and_another_takes_over(scene):
    first, second = scene.sync.watcher, another(scene, "other")
    await first.step()
    assert not await second.step()
    scene.database.log.tell(products=[(PIZZERIA, "prod:cola")])
    scene.clock.move(LEASE + timedelta(seconds=1))
    assert await second.step()
    assert marked(scene) == [(PIZZERIA, "prod:cola")]
    assert not await first.step()


async def test_what_was_marked_but_not_noted_is_marked_again(scene):
    await scene.sync.watcher.step()
    scene.database.log.tell(products=[(PIZZERIA, "prod:cola")])
    noted = scene.database.feed.noted

    async def dies(changes, *, owner):
        raise Unavailable("the process dies here")

    scene.database.feed.noted = dies
    with pytest.raises(Unavailable):
        await scene.sync.watcher.step()
    scene.database.feed.noted = noted
    await scene.database.feed.close()
    await scene.sync.watcher.step()
    assert marked(scene) == [(PIZZERIA, "prod:cola")] * 2


async def test_a_feed_that_cannot_be_gone_on_with_lets_everything_be_compared(scene):
    scene.sell(COLA)
    await scene.walk()
    await scene.sync.watcher.step()
    scene.database.log.is_lost = True
    await scene.sync.watcher.step()
    assert (await scene.database.runs.get(PIZZERIA)).requested
    assert (await scene.database.runs.get(TAQUERIA)).requested
    scene.database.log.tell(products=[(PIZZERIA, "prod:cola")])
    await scene.sync.watcher.step()
    assert marked(scene) == [(PIZZERIA, "prod:cola")]


async def test_it_runs_until_it_is_drained(scene):
    running = asyncio.create_task(scene.sync.watcher.run())
    await until(lambda: scene.database.log.place is not None)
    scene.database.log.tell(products=[(PIZZERIA, "prod:cola")])
    await until(lambda: scene.database.marks.held)
    await scene.sync.watcher.drain()
    await running


async def test_it_goes_on_after_the_database_was_away(scene, monkeypatch):
    monkeypatch.setattr(following, "REST_SECONDS", 0.01)
    claim, failures = scene.database.feed.claim, [Unavailable("away"), ZeroDivisionError("ours")]

    async def away(**more):
        if failures:
            raise failures.pop()
        return await claim(**more)

    scene.database.feed.claim = away
    running = asyncio.create_task(scene.sync.watcher.run())
    await until(lambda: scene.database.log.place is not None)
    await scene.sync.watcher.drain()
    await running
    assert failures == []


async def test_nothing_goes_on_when_it_is_cancelled(scene, monkeypatch):
    monkeypatch.setattr(following, "STEP_SECONDS", 60)
    others = asyncio.all_tasks()
    running = asyncio.create_task(scene.sync.watcher.run())
    await until(lambda: scene.database.log.place is not None)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    # The driver of the suite's own database reads when it likes.
    left = asyncio.all_tasks() - others
    assert [task for task in left if not DRIVERS.search(repr(task.get_coro()))] == []


async def test_a_feed_another_process_took_is_left_to_it(scene):
    await scene.sync.watcher.step()
    scene.database.log.tell(products=[(PIZZERIA, "prod:cola")])

    async def taken(changes, *, owner):
        raise Conflict("another process follows the changes")

    scene.database.feed.noted = taken
    assert await scene.sync.watcher.step()
    # Marked twice is compared once; not marked is lost.
    assert marked(scene) == [(PIZZERIA, "prod:cola")]


async def test_a_process_without_the_feed_asks_for_it_now_and_then(scene, monkeypatch):
    monkeypatch.setattr(following, "REST_SECONDS", 0.01)
    await another(scene, "other").step()
    claims = []
    claim = scene.database.feed.claim

    async def counted(**more):
        claims.append(1)
        return await claim(**more)

    scene.database.feed.claim = counted
    running = asyncio.create_task(scene.sync.watcher.run())
    await until(lambda: len(claims) >= 2)
    await scene.sync.watcher.drain()
    await running


async def test_a_refusing_database_is_told(scene, monkeypatch):
    monkeypatch.setattr(following, "REST_SECONDS", 60.0)

    async def refused(**more):
        raise EngineError("the database refused an operation")

    scene.database.feed.claim = refused
    with capture_logs() as logs:
        running = asyncio.create_task(scene.sync.watcher.run())
        await until(lambda: logs)
        await scene.sync.watcher.drain()
        await running
    assert [line["event"] for line in logs] == ["feed.failed"]
