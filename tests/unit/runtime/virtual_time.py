"""An event loop whose seconds pass as soon as everybody waits for them."""

import asyncio
import selectors
from datetime import datetime, timedelta
from typing import Any


class _Seconds(selectors.SelectSelector):
    """Waits for nothing: what would be waited has passed at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise AssertionError("everybody waits for somebody else")
        # Never nothing: who waits for less than can be told from now, would wait for ever.
        self.now += max(timeout, 1e-6)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in which waiting costs nothing, and what happens is the same every time."""

    def __init__(self) -> None:
        self._seconds = _Seconds()
        super().__init__(self._seconds)

    def time(self) -> float:
        return self._seconds.now

    def jump(self, seconds: float) -> None:
        """Let time pass in which nothing at all is done."""
        self._seconds.now += seconds


class LoopClock:
    """The time of day of such a loop: `engine.clock.Clock`."""

    def __init__(self, loop: VirtualLoop, since: datetime) -> None:
        self._loop = loop
        self._since = since

    def now(self) -> datetime:
        """Give the time, cut to the millisecond that MongoDB stores."""
        return self._since + timedelta(milliseconds=int(self._loop.time() * 1000))
