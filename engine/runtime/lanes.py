"""Lanes: one customer's work is done in order, one at a time; different customers' at once."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lanes(Generic[T]):
    """Queues by key, each emptied by a task of its own.

    Args:
        work: does one item; False drops what else waits in its lane, to be found again later.
        at_once: how many items are worked on at the same time over all lanes.
    """

    def __init__(self, work: Callable[[T], Awaitable[bool]], *, at_once: int) -> None:
        self._work = work
        self._room = asyncio.Semaphore(at_once)
        self._waiting: dict[Hashable, deque[tuple[Hashable, T]]] = {}
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}
        self._names: set[Hashable] = set()

    def put(self, key: Hashable, name: Hashable, item: T) -> None:
        """Queue an item, unless one of its name waits or is worked on already."""
        if name in self._names:
            return
        self._names.add(name)
        self._waiting.setdefault(key, deque()).append((name, item))
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(self._empty(key))

    async def _empty(self, key: Hashable) -> None:
        waiting = self._waiting[key]
        try:
            while waiting:
                name, item = waiting[0]
                async with self._room:
                    goes_on = await self._work(item)
                waiting.popleft()
                self._names.discard(name)
                if not goes_on:
                    return
        finally:
            self._names.difference_update(name for name, _ in waiting)
            del self._tasks[key], self._waiting[key]

    async def idle(self) -> bool:
        """Wait until nothing is queued; tell whether something was."""
        was_busy = bool(self._tasks)
        while self._tasks:
            await asyncio.wait(set(self._tasks.values()))
        return was_busy

    async def stop(self) -> None:
        """Stop at once; what was not finished is found again."""
        for task in list(self._tasks.values()):
            task.cancel()
        await self.idle()


async def poll(
    look: Callable[[], Awaitable[None]], *, every: float, stopped: asyncio.Event
) -> None:
    """Look for work again and again until stopped.

    Args:
        every: seconds between two looks.
    """
    while not stopped.is_set():
        await look()
        try:
            await asyncio.wait_for(stopped.wait(), every)
        except TimeoutError:
            continue
