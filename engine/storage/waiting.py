"""Rows that wait for their time, in lanes: a row that is put off holds back the later ones.

Inbox and outbox are two of it; what a row means is theirs.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from engine.storage.connection import Json, reachable

LONGEST_ERROR = 2000
"""Characters of an error that are kept."""
WIDER = 8
"""How much further is looked when a whole page is held back."""

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

    async def due(self, *, now: datetime, limit: int) -> list[Json]:
        """Give the longest due rows that no earlier row of their lane holds back.

        Rows of one lane come in order of their places.
        """
        with reachable():
            for window in (limit, limit * WIDER):
                page = await self._page(now, window)
                free = page and await self._free(page, now)
                # A page full of rows behind one that was put off must not stop everybody else.
                if free or len(page) < window:
                    break
        return _by_lane(free, self.place)[:limit]

    async def postpone(self, key: str, *, tenant: str, until: datetime, error: str) -> None:
        """Count a failed attempt and try again later."""
        change = {"$set": {"due": until, "error": error[:LONGEST_ERROR]}, "$inc": {"attempts": 1}}
        await self._change(key, tenant, change)

    async def bury(self, key: str, *, tenant: str, error: str) -> None:
        """Give a row up, and keep it."""
        change = {"$set": {"state": "dead", "error": error[:LONGEST_ERROR]}}
        await self._change(key, tenant, change)

    async def _change(self, key: str, tenant: str, change: Json) -> None:
        # In the filter, not checked: a row that is no longer waiting was finished by another
        # process, and that is as good.
        with reachable():
            await self.rows.update_one({"_id": key, "state": self.state, "tenant": tenant}, change)

    async def _page(self, now: datetime, limit: int) -> list[Json]:
        waiting = {"state": self.state, "due": {"$lte": now}}
        return await self.rows.find(waiting).sort("due", 1).limit(limit).to_list()

    async def _free(self, page: list[Json], now: datetime) -> list[Json]:
        fields = ("tenant", "customer", *self.place_fields)
        put_off = await self.rows.find(
            {
                "state": self.state,
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
