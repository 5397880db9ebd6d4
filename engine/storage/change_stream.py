"""A change stream that one process at a time reads, and that goes on where the last one ended.

What the changes mean, and which collections they are of, is the reader's.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import OperationFailure, PyMongoError

from engine.errors import Conflict, FeedLost
from engine.storage.connection import Database, Json, reachable
from engine.storage.leases import take

AWAIT_MS = 500
"""How long the server waits for a change before it answers that there is none."""
MOST = 1000
"""Most changes told at once."""
# FailedToParse, CappedPositionLost, InvalidResumeToken, ChangeStreamFatalError,
# ChangeStreamHistoryLost, and of tokens that are none: 40647, 40649, 50811.
LOST: Final = frozenset({9, 136, 260, 280, 286, 40647, 40649, 50811})
GONE: Final = frozenset({"drop", "rename", "dropDatabase", "invalidate"})
"""What happens to a collection as a whole: what was in it is not told."""

Token = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes, and the place after them."""

    changes: Sequence[Json]
    token: Token | None


class StoredStream:
    """A change stream whose place is stored in a row, with who reads it.

    Changes that were told and could not be noted are told again after `close`.

    Args:
        rows: holds the row, with `owner`, `until` and `token`.
        row: its id.
        pipeline: which changes, and what of them.
        lookup: each change comes with the document as it is now.
        gather: seconds in which further changes are gathered once there is one.
        about: what is followed, for the sentence that a collection of it is gone.
    """

    def __init__(
        self,
        database: Database,
        rows: AsyncCollection[Json],
        row: str,
        *,
        pipeline: Sequence[Json],
        lookup: bool,
        gather: float,
        about: str,
    ) -> None:
        self._database = database
        self._rows = rows
        self._row = row
        self._pipeline = list(pipeline)
        self._lookup = "updateLookup" if lookup else None
        self._gather_seconds = gather
        self._about = about
        self._stream: AsyncChangeStream[Json] | None = None
        self._owner: str | None = None
        self._idle: Token | None = None
        self._has_unnoted = False

    async def claim(self, *, owner: str, now: datetime, until: datetime) -> bool:
        """Take the stream, or keep it; False while another process has it."""
        with reachable():
            held = await take(
                (self._rows, self._row), owner=owner, now=now, until=until, blank={"token": None}
            )
            self._owner = owner if held else None
            if held != "kept":
                # Another process may go on, or have gone on, from where this one stands.
                await self.close()
            elif self._idle is not None:
                # Nothing of ours changed, but much else may have: a place that is never moved
                # falls out of what the database remembers.
                await self._store(self._idle, owner)
                self._idle = None
        return held is not None

    async def next(self, *, seconds: float) -> Batch | None:
        """Wait for changes; None if there were none in the time.

        Raises:
            FeedLost: what was stored is too old to go on from.
        """
        try:
            with reachable(), _lost():
                stream = await self._open()
                found = await self._gather(stream, seconds)
        except BaseException:
            await self.close()
            raise
        token = stream.resume_token
        if not found:
            self._idle = None if self._has_unnoted else token
            return None
        self._idle, self._has_unnoted = None, True
        return Batch(found, None if token is None else dict(token))

    async def noted(self, token: Token | None, *, owner: str) -> None:
        """Go on after these changes from now on, also after a restart.

        Raises:
            Conflict: another process has taken the stream over.
        """
        with reachable():
            await self._store(token, owner)
        self._has_unnoted = False

    async def restart(self, *, owner: str) -> None:
        """Forget where the stream was, and go on with what changes from now on.

        Raises:
            Conflict: another process has taken the stream over.
        """
        await self.close()
        with reachable():
            await self._store(None, owner)
            self._owner = owner
            await self._open()

    async def close(self) -> None:
        """Stop reading; the stored place stays."""
        stream, self._stream = self._stream, None
        self._idle, self._has_unnoted = None, False
        if stream is not None:
            with suppress(PyMongoError):
                await stream.close()

    async def _open(self) -> AsyncChangeStream[Json]:
        if self._stream is not None:
            return self._stream
        row = await self._rows.find_one({"_id": self._row})
        token = None if row is None else row["token"]
        stream = await self._database.client[self._database.name].watch(
            self._pipeline,
            full_document=self._lookup,
            resume_after=token,
            max_await_time_ms=AWAIT_MS,
        )
        self._stream = stream
        if token is None and self._owner is not None and stream.resume_token is not None:
            # At once: what changes until the first change is noted must not be missed by the
            # next process. If this one has it no more, the next claim tells.
            with suppress(Conflict):
                await self._store(stream.resume_token, self._owner)
        return stream

    async def _store(self, token: Token | None, owner: str) -> None:
        change = {"$set": {"token": None if token is None else dict(token)}}
        mine = {"_id": self._row, "owner": owner}
        if not (await self._rows.update_one(mine, change)).matched_count:
            raise Conflict("another process follows the changes")

    async def _gather(self, stream: AsyncChangeStream[Json], seconds: float) -> list[Json]:
        """Wait for a change and take what comes soon after it.

        Raises:
            FeedLost: a whole collection is gone.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        found: list[Json] = []
        while len(found) < MOST:
            change = await stream.try_next()
            if change is not None:
                if change["operationType"] in GONE:
                    raise FeedLost(f"a collection of {self._about} was dropped or renamed")
                if not found:
                    end = loop.time() + self._gather_seconds
                found.append(change)
            elif found or not stream.alive:
                break
            if loop.time() >= end:
                break
        if not found and not stream.alive:
            raise FeedLost("the database ended its changes")
        return found


@contextmanager
def _lost() -> Iterator[None]:
    try:
        yield
    except OperationFailure as exc:
        if exc.code in LOST:
            raise FeedLost("the database no longer knows the place in its changes") from exc
        raise
