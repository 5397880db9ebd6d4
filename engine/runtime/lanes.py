"""Lanes: one customer's work is done in order, one at a time; different customers' at once.

What is queued here is stored elsewhere, so it may be dropped at any time and is found again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import structlog

from engine.domain.ids import CustomerKey, TenantId

log = structlog.get_logger(__name__)

T = TypeVar("T")
C = TypeVar("C", contravariant=True)
Lane: TypeAlias = tuple[TenantId, CustomerKey]


class Found(Protocol[C]):
    """Takes what a look has found."""

    def __call__(self, key: Lane, name: Hashable, item: C, *, place: Any) -> None:
        """Queue an item, unless it is known or has been worked on since the look began."""
        ...


@dataclass(order=True, slots=True)
class _Queued(Generic[T]):
    place: Any
    arrived: int
    name: Hashable = field(compare=False)
    item: T = field(compare=False)


class Lanes(Generic[T]):
    """Queues by key, each emptied in the order of its items' places by a task of its own.

    Args:
        work: does one item; False drops what else waits in its lane, and keeps the lane shut until
            a look finds something for it again: so nothing overtakes an item that was put off.
        at_once: how many items are worked on at the same time over all lanes.
        ready: waits until an item may be worked on, without taking up room; False is as of `work`.
    """

    def __init__(
        self,
        work: Callable[[T], Awaitable[bool]],
        *,
        at_once: int,
        ready: Callable[[T], Awaitable[bool]] | None = None,
    ) -> None:
        self._work = work
        self._ready = ready
        self._room = asyncio.Semaphore(at_once)
        self._waiting: dict[Lane, list[_Queued[T]]] = {}
        self._tasks: dict[Lane, asyncio.Task[None]] = {}
        self._names: set[Hashable] = set()
        self._arrived = 0
        self._look = 0
        self._is_looking = False
        self._finished: set[Hashable] = set()
        self._shut: dict[Lane, int] = {}
        self._is_ending = False

    def __len__(self) -> int:
        """Give the number of items that wait or are worked on."""
        return len(self._names)

    def lanes(self) -> tuple[Lane, ...]:
        """Give the lanes with work."""
        return tuple(self._tasks)

    def put(self, key: Lane, name: Hashable, item: T, *, place: Any) -> bool:
        """Queue a new item; one for a shut lane is left to be found: False."""
        is_open = key not in self._shut
        if is_open:
            self._put(key, name, item, place)
        return is_open

    @contextmanager
    def looking(self) -> Iterator[Found[T]]:
        """Queue what is read inside the block; there may be one such block at a time."""
        self._look += 1
        look = self._look
        self._finished.clear()
        self._is_looking = True

        def found(key: Lane, name: Hashable, item: T, *, place: Any) -> None:
            # What was read may be older than what happened since.
            if name in self._finished or self._shut.get(key, 0) >= look:
                return
            self._shut.pop(key, None)
            self._put(key, name, item, place)

        try:
            yield found
        finally:
            self._is_looking = False

    def _put(self, key: Lane, name: Hashable, item: T, place: Any) -> None:
        if name in self._names or self._is_ending:
            return
        self._names.add(name)
        self._arrived += 1
        heappush(self._waiting.setdefault(key, []), _Queued(place, self._arrived, name, item))
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(self._empty(key))

    async def _empty(self, key: Lane) -> None:
        waiting = self._waiting[key]
        name: Hashable = None
        try:
            while waiting and not self._is_ending:
                queued = heappop(waiting)
                name = queued.name
                goes_on = await self._safely(queued.item)
                self._names.discard(name)
                if not goes_on:
                    self._shut[key] = self._look
                    return
                if self._is_looking:
                    self._finished.add(name)
        finally:
            self._names.discard(name)
            self._names.difference_update(queued.name for queued in waiting)
            del self._tasks[key], self._waiting[key]

    async def _do(self, item: T) -> bool:
        if self._ready and not await self._ready(item):
            return False
        async with self._room:
            return await self._work(item)

    async def _safely(self, item: T) -> bool:
        try:
            return await self._do(item)
        except Exception:
            # As what was put off: what comes after it must not overtake it.
            log.exception("lanes.broke")
            return False

    async def idle(self) -> bool:
        """Wait until nothing is queued; tell whether something was."""
        was_busy = bool(self._tasks)
        while self._tasks:
            await asyncio.wait(set(self._tasks.values()))
        return was_busy

    async def end(self) -> None:
        """Finish what is worked on, and drop what waits."""
        self._is_ending = True
        await self.idle()
