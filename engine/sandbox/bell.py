"""Wakes those who wait for something to happen, and nobody else; what it was, is not known."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Hashable
from contextlib import suppress


class Bell:
    """One bell for each thing that can be waited for."""

    def __init__(self) -> None:
        self._waiting: defaultdict[Hashable, set[asyncio.Future[None]]] = defaultdict(set)

    def ring(self, what: Hashable) -> None:
        """Wake everyone who waits for this."""
        for waiting in self._waiting.pop(what, ()):
            if not waiting.done():
                waiting.set_result(None)

    async def wait_until(
        self, ready: Callable[[], bool], *, what: Hashable, seconds: float
    ) -> None:
        """Return when the condition holds, or when the time is over.

        Args:
            ready: the condition; asked again each time it rings for `what`.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not ready():
                    await self._next(what)

    async def _next(self, what: Hashable) -> None:
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[what].add(waiting)
        try:
            await waiting
        finally:
            others = self._waiting.get(what)
            if others is not None:
                others.discard(waiting)
                if not others:
                    del self._waiting[what]
