"""A feed is followed by one process, step by step, until it is stopped."""

import asyncio

import pytest
from structlog.testing import capture_logs

from engine.clock import ManualClock
from engine.errors import Conflict, EngineError, FeedLost, Unavailable
from engine.runtime import following
from engine.runtime.following import Following
from tests.unit.storage.builders import NOW


class Tape:
    """A feed that does what it is told, and notes what was asked of it."""

    def __init__(self, *news):
        self.news = list(news)
        self.is_mine = True
        self.asked = []
        self.noting = None

    async def claim(self, *, owner, now, until):
        assert until - now == following.LEASE
        return self.is_mine

    async def next(self, *, seconds):
        found = self.news.pop(0) if self.news else None
        if isinstance(found, Exception):
            raise found
        if found is None:
            await asyncio.sleep(0.001)
        return found

    async def noted(self, news, /, *, owner):
        if self.noting:
            raise self.noting
        self.asked.append(f"noted {news}")

    async def restart(self, *, owner):
        self.asked.append("restart")

    async def close(self):
        self.asked.append("close")


class Reader:
    def __init__(self, tape, **failing):
        self.tape, self.failing = tape, failing
        hooks = {
            name: self.hook(name) for name in ("take", "lost", "quiet", "refused", "elsewhere")
        }
        self.following = Following(
            tape, about="things", owner="me", clock=ManualClock(NOW), **hooks
        )

    def hook(self, name):
        async def called(*news):
            self.tape.asked.append(" ".join([name, *news]))
            if name in self.failing:
                raise self.failing[name]

        return called


async def test_news_are_seen_to_before_their_place_is_noted():
    reader = Reader(Tape("a", "b"))
    assert await reader.following.step()
    assert await reader.following.step()
    assert reader.tape.asked == ["take a", "noted a", "take b", "noted b"]
    assert await reader.following.step()
    assert reader.tape.asked[4:] == ["quiet"]


async def test_another_process_has_it():
    reader = Reader(Tape("a"))
    reader.tape.is_mine = False
    assert not await reader.following.step()
    assert reader.tape.asked == ["close", "elsewhere"]


async def test_a_lost_place_is_made_good_before_the_feed_begins_anew():
    reader = Reader(Tape(FeedLost("too old")))
    with capture_logs() as logs:
        assert await reader.following.step()
    assert reader.tape.asked == ["lost", "restart"]
    assert [(log["event"], log["what"]) for log in logs] == [("feed.lost", "things")]


async def test_what_another_took_meanwhile_is_left_to_him():
    reader = Reader(Tape("a"))
    reader.tape.noting = Conflict("another process reads it")
    assert await reader.following.step()
    assert reader.tape.asked == ["take a", "close"]


@pytest.mark.parametrize(
    ("error", "events", "asked"),
    [
        (Unavailable("away"), ["feed.database_away"], ["close"]),
        (EngineError("may not"), ["feed.failed"], ["refused", "close"]),
        (ZeroDivisionError("ours"), ["feed.broke"], ["close"]),
    ],
)
async def test_it_goes_on_after_a_rest_whatever_broke(monkeypatch, error, events, asked):
    monkeypatch.setattr(following, "REST_SECONDS", 0.01)
    reader = Reader(Tape(error, "a"))
    with capture_logs() as logs:
        await run_until(reader, "noted a")
    assert [log["event"] for log in logs] == events
    assert reader.tape.asked[: len(asked)] == asked
    assert reader.tape.asked[-1] == "close"


async def test_what_breaks_when_it_is_refused_is_told_too(monkeypatch):
    monkeypatch.setattr(following, "REST_SECONDS", 0.01)
    reader = Reader(Tape(EngineError("may not"), "a"), refused=Unavailable("away"))
    with capture_logs() as logs:
        await run_until(reader, "noted a")
    assert [log["event"] for log in logs] == ["feed.failed", "feed.failed"]


async def test_it_stops_in_the_middle_of_a_step_and_of_a_rest():
    reader = Reader(Tape())
    reader.tape.is_mine = False
    async with asyncio.timeout(2):
        await run_until(reader, "elsewhere")  # it rests for five seconds


async def run_until(reader, what):
    running = asyncio.create_task(reader.following.run())
    async with asyncio.timeout(5):
        while what not in reader.tape.asked:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    reader.following.stop()
    await running
