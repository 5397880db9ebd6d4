"""The watcher: turns what changes in the database into marks; one process at a time does it."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final

import structlog

from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.errors import Conflict, EngineError, FeedLost, Unavailable
from engine.logs import reason
from engine.sync.feed import ChangeFeed
from engine.sync.ports import Mark, SyncMarks
from engine.sync.runs import Job, SyncRuns

LEASE: Final = timedelta(seconds=20)
"""How long a process that died keeps the feed."""
STEP_SECONDS: Final = 2.0
"""How long changes are waited for before the feed is claimed again."""
REST_SECONDS: Final = 5.0
"""How soon a process that has not the feed asks for it again."""

log = structlog.get_logger(__name__)


class Watcher:
    """Follows the change feed while this process has it.

    Args:
        tenants: names the tenants that are served.
        stir: is called when there are new marks.
    """

    def __init__(
        self,
        *,
        feed: ChangeFeed,
        marks: SyncMarks,
        runs: SyncRuns,
        tenants: Callable[[], Iterable[TenantId]],
        clock: Clock,
        owner: str,
        new_id: Callable[[], str],
        stir: Callable[[], None],
    ) -> None:
        self._feed = feed
        self._marks = marks
        self._runs = runs
        self._tenants = tenants
        self._clock = clock
        self._owner = owner
        self._new_id = new_id
        self._stir = stir
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
            if isinstance(results[0], float) and results[0]:
                await self._rest(results[0])
        await self._feed.close()

    async def step(self) -> bool:
        """Take the changes there are, or wait for some; False if another process has the feed.

        Raises:
            Unavailable: the database does not answer.
        """
        now = self._clock.now()
        if not await self._feed.claim(owner=self._owner, now=now, until=now + LEASE):
            await self._feed.close()
            return False
        try:
            changes = await self._feed.next(seconds=STEP_SECONDS)
            if changes is None:
                return True
            found = await self._feed.products_of(changes)
            now = self._clock.now()
            # Before the place in the feed: what is marked twice is compared once.
            await self._marks.add([Mark(self._new_id(), t, p, now) for t, p in found])
            await self._feed.noted(changes, owner=self._owner)
            self._stir()
        except FeedLost as error:
            log.warning("sync.feed_lost", reason=reason(error))
            await self._compare_all()
            await self._feed.restart(owner=self._owner)
        except Conflict:
            await self._feed.close()
        return True

    async def drain(self) -> None:
        """Stop following."""
        self._stopped.set()

    async def _guarded(self) -> float:
        try:
            return 0.0 if await self.step() else REST_SECONDS
        except Unavailable as error:
            log.warning("sync.database_away", error=reason(error))
        except EngineError as error:
            # The walks go on without it, only later: see COMPARE_EVERY.
            log.error("sync.feed_failed", error=reason(error))
        except Exception:
            log.exception("sync.feed_broke")
        await self._feed.close()
        return REST_SECONDS

    async def _compare_all(self) -> None:
        now = self._clock.now()
        for tenant in self._tenants():
            await self._runs.request(tenant, Job(self._new_id(), "changed", now))

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopped.wait(), seconds)
        except TimeoutError:
            return
