"""Rows that wait for their time, in lanes: a row that is put off holds back the later ones.

Inbox and outbox are two of it; what a row means is theirs.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo.asynchronous.collection import AsyncCollection

from engine.box_ports import Backlog
from engine.slots import SLOTS
from engine.storage.connection import Json, reachable

LONGEST_ERROR = 2000
"""Characters of an error that are kept."""
MOST_OF_LANE: Final = 20
"""Rows of one lane that are given at once: a crowd of them must not keep others out of memory."""
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
        found: list[Json] = []
        passed: set[str] = set()
        with reachable():
            while True:
                page = await self._page(sorted(slots), now, limit, passed)
                is_full = len(page) == limit
                free = await self._free(page, now, is_full=is_full) if page else []
                found += _few(_by_lane(free, self.place))
                if not is_full or len(found) >= limit:
                    return found[:limit]
                # Rows behind one that was put off, or a crowd of one customer's, must not stop
                # everybody else. Who writes to two tenants is passed over in both: next time.
                passed |= {row["customer"] for row in page}

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
        self,
        key: str,
        *,
        tenant: str,
        state: str,
        error: str,
        expires: datetime,
        noted: Json | None = None,
    ) -> None:
        """Let a row wait no longer, and keep it for a while.

        Args:
            noted: other fields to set.
        """
        kept = {"state": state, "error": error[:LONGEST_ERROR], "expireAt": expires}
        kept |= noted or {}
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

    async def _page(
        self, slots: list[int], now: datetime, limit: int, passed: Collection[str]
    ) -> list[Json]:
        waiting: Json = {"state": self.state, "slot": {"$in": slots}, "due": {"$lte": now}}
        if passed:
            waiting["customer"] = {"$nin": sorted(passed)}
        return await self.rows.find(waiting).sort("due", 1).limit(limit).to_list()

    async def _free(self, page: list[Json], now: datetime, *, is_full: bool) -> list[Json]:
        """Give the rows of a page that no row outside of it holds back.

        A row that was tried before is due later than those that came after it: it may be due, and
        still stand behind a full page. Then it is given, too.
        """
        tops: dict[tuple[str, str], Place] = {}
        for row in page:
            tops[_lane(row)] = max(self.place(row), tops.get(_lane(row), self.place(row)))
        outside = await self.rows.find(
            {
                "state": self.state,
                "slot": {"$in": sorted({row["slot"] for row in page})},
                "due": {"$gte": page[-1]["due"]} if is_full else {"$gt": now},
                "customer": {"$in": sorted({row["customer"] for row in page})},
                self.place_fields[0]: {"$lte": max(tops.values())[0]},
            },
            dict.fromkeys(("tenant", "customer", "due", *self.place_fields), 1),
        ).to_list()
        known = {row["_id"] for row in page}
        late: list[Any] = []
        heads: dict[tuple[str, str], Place] = {}
        for row in outside:
            lane, place = _lane(row), self.place(row)
            if lane not in tops or place > tops[lane]:
                continue
            if row["due"] > now:
                heads[lane] = min(place, heads.get(lane, place))
            elif row["_id"] not in known:
                late.append(row["_id"])
        if late:
            wanted = {"_id": {"$in": late}, "state": self.state}
            page = [*page, *await self.rows.find(wanted).to_list()]
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


def _few(rows: Iterable[Json]) -> list[Json]:
    """Leave out what is more than a few of one lane."""
    counts: Counter[tuple[str, str]] = Counter()
    kept: list[Json] = []
    for row in rows:
        counts[_lane(row)] += 1
        if counts[_lane(row)] <= MOST_OF_LANE:
            kept.append(row)
    return kept
