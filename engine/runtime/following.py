"""Following a feed under a lease until told to stop; what it tells of is not known here.

One process at a time reads it. Another takes over from the place that was noted last, so that what
was seen to but not noted comes again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar

import structlog

from engine.clock import Clock
from engine.errors import Conflict, EngineError, FeedLost, Unavailable
from engine.logs import reason
from engine.runtime.polling import pause

LEASE: Final = timedelta(seconds=20)
"""How long a process that died keeps the feed."""
STEP_SECONDS: Final = 2.0
"""How long news is waited for before the feed is claimed again."""
REST_SECONDS: Final = 5.0
"""How soon a process that has not the feed asks for it again."""

News = TypeVar("News")

log = structlog.get_logger(__name__)


class Feed(Protocol[News]):
    """What tells news in an order, from a place that is stored; one process at a time reads it."""

    async def claim(self, *, owner: str, now: datetime, until: datetime) -> bool:
        """Take the feed, or keep it; False while another process has it."""
        ...

    async def next(self, *, seconds: float) -> News | None:
        """Wait for news; None if there were none in the time.

        Raises:
            FeedLost: what was stored is too old to go on from.
        """
        ...

    async def noted(self, news: News, /, *, owner: str) -> None:
        """Go on after these news from now on, also after a restart.

        Raises:
            Conflict: another process has taken the feed over.
        """
        ...

    async def restart(self, *, owner: str) -> None:
        """Forget where the feed was, and go on with what comes from now on.

        Raises:
            Conflict: another process has taken the feed over.
        """
        ...

    async def close(self) -> None:
        """Stop reading; the stored place stays."""
        ...


async def _nothing() -> None:
    return


class Following(Generic[News]):
    """Follows a feed while this process has it.

    Args:
        about: what the feed tells of, for the log.
        take: sees to news, before their place is noted; it may get them again.
        lost: is called when the feed cannot go on, before it begins anew: what it did not tell
            is to be found in another way.
        quiet: is called when there were no news for a while.
        refused: is called when the database refuses something, such as to be followed.
        elsewhere: is called when another process has the feed.
    """

    def __init__(
        self,
        feed: Feed[News],
        *,
        about: str,
        owner: str,
        clock: Clock,
        take: Callable[[News], Awaitable[None]],
        lost: Callable[[], Awaitable[None]],
        quiet: Callable[[], Awaitable[None]] = _nothing,
        refused: Callable[[], Awaitable[None]] = _nothing,
        elsewhere: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        self._feed = feed
        self._about = about
        self._owner = owner
        self._clock = clock
        self._take = take
        self._lost = lost
        self._quiet = quiet
        self._refused = refused
        self._elsewhere = elsewhere
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Follow the feed until stopped."""
        while not self._stopped.is_set():
            step = asyncio.create_task(self._guarded())
            ended = asyncio.create_task(self._stopped.wait())
            try:
                await asyncio.wait({step, ended}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                # What it had not noted yet is found again by whoever follows the feed next.
                step.cancel()
                ended.cancel()
                results = await asyncio.gather(step, ended, return_exceptions=True)
            if results[0] is False:
                await pause(REST_SECONDS, self._stopped)
        await self._feed.close()

    def stop(self) -> None:
        """Follow no more."""
        self._stopped.set()

    async def step(self) -> bool:
        """Take the news there are, or wait for some; False if another process has the feed.

        Raises:
            Unavailable: the database does not answer.
        """
        now = self._clock.now()
        if not await self._feed.claim(owner=self._owner, now=now, until=now + LEASE):
            await self._feed.close()
            await self._elsewhere()
            return False
        try:
            news = await self._feed.next(seconds=STEP_SECONDS)
            if news is None:
                await self._quiet()
                return True
            await self._take(news)
            await self._feed.noted(news, owner=self._owner)
        except FeedLost as error:
            log.warning("feed.lost", what=self._about, reason=reason(error))
            await self._lost()
            await self._feed.restart(owner=self._owner)
        except Conflict:
            await self._feed.close()
        return True

    async def _guarded(self) -> bool:
        """Take a step; False if it is no use to take another one at once."""
        try:
            return await self.step()
        except Unavailable as error:
            log.warning("feed.database_away", what=self._about, error=reason(error))
        except EngineError as error:
            log.error("feed.failed", what=self._about, error=reason(error))
            await self._after_refusal()
        except Exception:
            log.exception("feed.broke", what=self._about)
        await self._feed.close()
        return False

    async def _after_refusal(self) -> None:
        try:
            await self._refused()
        except EngineError as error:
            log.error("feed.failed", what=self._about, error=reason(error))
