"""Looking for work again and again, until told to stop; what is looked for is not known here."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Poll:
    """Looks at intervals, and at once when woken.

    Args:
        every: seconds between two looks.
    """

    def __init__(self, look: Callable[[], Awaitable[None]], *, every: float) -> None:
        self._look = look
        self._every = every
        self._woken = asyncio.Event()
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Look until stopped, whatever a look raises: nobody else would do this work."""
        while not self.is_stopped:
            self._woken.clear()
            try:
                await self._look()
            except Exception:
                log.exception("poll.broke")
            await pause(self._every, self._woken)

    @property
    def is_stopped(self) -> bool:
        """Tell whether it looks no more."""
        return self._stopped.is_set()

    def wake(self) -> None:
        """Look soon."""
        self._woken.set()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self._woken.set()

    async def pause(self, seconds: float) -> None:
        """Wait for a time, or until stopped."""
        await pause(seconds, self._stopped)


async def pause(seconds: float, ended: asyncio.Event) -> None:
    """Wait for a time, or until something has happened."""
    try:
        await asyncio.wait_for(ended.wait(), seconds)
    except TimeoutError:
        return


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait until it has ended, whatever its end is.

    It is told again and again: what it waits for inside may swallow one request, when it is done
    at the same moment (CPython issue 86296).
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=1.0)
    if not task.cancelled():
        task.exception()  # whoever wanted to know has been told
