"""Rows that wait for their time, in lanes: a row that is put off holds back the later ones.

Inbox and outbox are two of it; what a row means is theirs.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo.asynchronous.collection import AsyncCollection

from engine.ports import Backlog
from engine.slots import SLOTS
from engine.storage.connection import Json, reachable

LONGEST_ERROR = 2000
"""Characters of an error that are kept."""
WIDER = 8
"""How much further is looked when a whole page is held back."""
MOST_COUNTED = 1000
"""Due rows that are counted."""
# All of them, named: MongoDB then merges the slots' parts of the index, each in order of time.
EVERY_SLOT: Final = list(range(SLOTS))

Place = tuple[Any, ...]
"""Where a row stands in its lane; comparable."""


@dataclass(frozen=True, slots=True)
class WaitingRows:
    """The waiting rows of a collection.

    Args:
        state: that waiting rows have.
        place: gives a row's place in its lane.
        place_fields: the fields `place` reads.
    """

    rows: AsyncCollection[Json]
    state: str
    place: Callable[[Json], Place]
    place_fields: tuple[str, ...]

    async def due(self, slots: Collection[int], *, now: datetime, limit: int) -> list[Json]:
        """Give the longest due rows of the slots that no earlier row of their lane holds back.

        Rows of one lane come in order of their places.
        """
        if not slots:
            return []
        with reachable():
            for window in (limit, limit * WIDER):
                page = await self._page(sorted(slots), now, window)
                free = page and await self._free(page, now)
                # A page full of rows behind one that was put off must not stop everybody else.
                if free or len(page) < window:
                    break
        return _by_lane(free, self.place)[:limit]

    async def postpone(
        self,
        key: str,
        *,
        tenant: str,
        until: datetime,
        error: str,
        counts: bool = True,
        noted: Json | None = None,
    ) -> None:
        """Try a row again later.

        Args:
            counts: it was an attempt.
            noted: other fields to set.
        """
        change = {"$set": {**(noted or {}), "due": until, "error": error[:LONGEST_ERROR]}}
        await self._change(key, tenant, {**change, "$inc": {"attempts": 1}} if counts else change)

    async def put_aside(
        self, key: str, *, tenant: str, state: str, error: str, expires: datetime
    ) -> None:
        """Let a row wait no longer, and keep it for a while."""
        kept = {"state": state, "error": error[:LONGEST_ERROR], "expireAt": expires}
        await self._change(key, tenant, {"$set": kept})

    async def backlog(self, *, now: datetime) -> Backlog:
        """Tell how many rows are due, up to a thousand, and since when the first one is."""
        due = {"state": self.state, "slot": {"$in": EVERY_SLOT}, "due": {"$lte": now}}
        with reachable():
            found = self.rows.find(due, {"_id": 0, "due": 1}).sort("due", 1)
            rows = await found.limit(MOST_COUNTED).to_list()
        return Backlog(len(rows), rows[0]["due"]) if rows else Backlog()

    async def _change(self, key: str, tenant: str, change: Json) -> None:
        # In the filter, not checked: a row that is no longer waiting was finished by another
        # process, and that is as good.
        with reachable():
            await self.rows.update_one({"_id": key, "state": self.state, "tenant": tenant}, change)

    async def _page(self, slots: list[int], now: datetime, limit: int) -> list[Json]:
        waiting = {"state": self.state, "slot": {"$in": slots}, "due": {"$lte": now}}
        return await self.rows.find(waiting).sort("due", 1).limit(limit).to_list()

    async def _free(self, page: list[Json], now: datetime) -> list[Json]:
        fields = ("tenant", "customer", *self.place_fields)
        put_off = await self.rows.find(
            {
                "state": self.state,
                "slot": {"$in": sorted({row["slot"] for row in page})},
                "due": {"$gt": now},
                "customer": {"$in": sorted({row["customer"] for row in page})},
            },
            dict.fromkeys(fields, 1),
        ).to_list()
        heads: dict[tuple[str, str], Place] = {}
        for row in put_off:
            place = self.place(row)
            heads[_lane(row)] = min(place, heads.get(_lane(row), place))
        return [
            row for row in page if _lane(row) not in heads or self.place(row) < heads[_lane(row)]
        ]


def _lane(row: Json) -> tuple[str, str]:
    return row["tenant"], row["customer"]


def _by_lane(rows: Iterable[Json], place: Callable[[Json], Place]) -> list[Json]:
    """Put the rows of each lane in order, and leave the lanes where they stand."""
    held = list(rows)
    lanes: dict[tuple[str, str], list[Json]] = {}
    for row in sorted(held, key=place, reverse=True):
        lanes.setdefault(_lane(row), []).append(row)
    return [lanes[_lane(row)].pop() for row in held]
