"""Work that goes on behind the answers, in lanes that keep its order; what it is, is not known."""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Hashable


class Background:
    """Tasks under way, and a lock for each lane."""

    def __init__(self) -> None:
        self._lanes: defaultdict[Hashable, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._under_way: set[asyncio.Task[None]] = set()

    def lane(self, *key: str) -> asyncio.Lock:
        """Return the lock of a lane: what holds it has its turn."""
        return self._lanes[key]

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Begin a piece of work."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def forget(self) -> None:
        """Drop what is under way."""
        tasks = tuple(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._lanes.clear()
