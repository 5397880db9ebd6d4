"""The sync worker: finds the tenants that are due and takes rounds for them; never two at once."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

import structlog

from engine import metrics, tracing
from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.errors import Conflict, EngineError, Unavailable
from engine.logs import reason
from engine.sync.ports import Mark, SyncMarks
from engine.sync.rounds import Outlook, Rounds
from engine.sync.runs import SyncRuns

LOOK_SECONDS: Final = 1.0
AT_ONCE: Final = 4
"""Tenants worked on at the same time."""
QUIET: Final = timedelta(seconds=1)
"""A burst of changes is over when nothing came for so long: then it goes out as one batch."""
PATIENCE: Final = timedelta(seconds=3)
"""A burst that does not end is not waited for longer."""
ENOUGH: Final = 3000
"""Marks that fill a batch: more need not be waited for."""
LONGEST_LATER: Final = timedelta(seconds=15)
DRAIN_SECONDS: Final = 10.0
MOST_SEEN: Final = 10_000
AGAIN: Final = timedelta(seconds=30)
"""When a tenant is tried again whose round broke."""

log = structlog.get_logger(__name__)


class SyncWorker:
    """Takes rounds as products change, and as time goes by.

    Args:
        tenants: names the tenants that are served.
        owner: this process's name, unlike any other's.
    """

    def __init__(
        self,
        *,
        tenants: Callable[[], Iterable[TenantId]],
        runs: SyncRuns,
        marks: SyncMarks,
        rounds: Rounds,
        clock: Clock,
        owner: str,
    ) -> None:
        self._tenants = tenants
        self._runs = runs
        self._marks = marks
        self._rounds = rounds
        self._clock = clock
        self._owner = owner
        self._room = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[TenantId, asyncio.Task[None]] = {}
        self._later: dict[TenantId, datetime] = {}
        self._broken: dict[TenantId, datetime] = {}
        self._known: set[TenantId] = set()
        self._awake = asyncio.Event()
        self._is_stopped = False

    def is_stopped(self) -> bool:
        """Tell whether it is to end."""
        return self._is_stopped

    def wake(self) -> None:
        """Look at once; somebody asked for a walk, or Meta told of a batch."""
        self._later.clear()
        self._broken.clear()
        self._awake.set()

    def stir(self) -> None:
        """Look soon: products have changed."""
        self._awake.set()

    async def run(self) -> None:
        """Look for work until stopped."""
        while not self._is_stopped:
            self._awake.clear()
            await self.look()
            try:
                await asyncio.wait_for(self._awake.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Begin a round for every tenant that is due."""
        now = self._clock.now()
        try:
            await self._introduce(now)
            due = await self._runs.due(now=now, limit=100)
            marks = await self._marks.waiting(limit=MOST_SEEN)
        except Unavailable as error:
            log.warning("sync.database_away", error=reason(error))
            return
        except EngineError as error:
            log.error("sync.look_failed", error=reason(error))
            return
        except Exception:
            log.exception("sync.look_broke")
            return
        since = min((mark.at for mark in marks), default=now)
        metrics.sync_lag.set(max((now - since).total_seconds(), 0.0))
        settled = (t for t in _settled(marks, now) if self._later.get(t, now) <= now)
        for tenant in dict.fromkeys((*due, *settled)):
            is_idle = tenant not in self._tasks and self._broken.get(tenant, now) <= now
            if is_idle and not self._is_stopped:
                task = asyncio.create_task(self._take(tenant))
                self._tasks[tenant] = task

    async def idle(self) -> bool:
        """Wait until no round is under way; tell whether one was."""
        was_busy = bool(self._tasks)
        while self._tasks:
            await asyncio.wait(set(self._tasks.values()))
        return was_busy

    async def drain(self) -> None:
        """Stop looking and let the rounds under way come to a point where they can stop."""
        self._is_stopped = True
        self._awake.set()
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks.values()), timeout=DRAIN_SECONDS)
            for task in late:
                # It waits for Meta: what it had not noted is done again by the next process.
                task.cancel()
        await self.idle()

    def _put_off(self, tenant: TenantId, outlook: Outlook | None) -> None:
        """Do not look every second at marks that wait for Meta."""
        now = self._clock.now()
        # Another process has it: it is through soon.
        until = outlook.marks if outlook else now + timedelta(seconds=LOOK_SECONDS)
        if until is None:
            self._later.pop(tenant, None)
        else:
            # What keeps a tenant from being synced may be mended, which marks are a sign of.
            self._later[tenant] = min(until, now + LONGEST_LATER)

    async def _introduce(self, now: datetime) -> None:
        """Let tenants that were never synced be due."""
        for tenant in self._tenants():
            if tenant not in self._known:
                if await self._runs.get(tenant) is None:
                    await self._runs.wake(tenant, at=now)
                self._known.add(tenant)

    async def _take(self, tenant: TenantId) -> None:
        self._broken.pop(tenant, None)
        try:
            async with self._room:
                if self._is_stopped:
                    return
                with tracing.begun("sync.round", tenant=tenant):
                    outlook = await self._rounds.take(tenant, owner=self._owner)
            self._put_off(tenant, outlook)
        except (Unavailable, Conflict) as error:
            metrics.sync_failures.labels(kind="interrupted").inc()
            log.warning("sync.interrupted", tenant=tenant, error=reason(error))
        except EngineError as error:
            metrics.sync_failures.labels(kind="broken").inc()
            log.error("sync.failed", tenant=tenant, error=reason(error))
            self._broken[tenant] = self._clock.now() + AGAIN
        except Exception:
            metrics.sync_failures.labels(kind="broken").inc()
            log.exception("sync.broke", tenant=tenant)
            self._broken[tenant] = self._clock.now() + AGAIN
        finally:
            del self._tasks[tenant]


def _settled(marks: Iterable[Mark], now: datetime) -> Iterable[TenantId]:
    """Name the tenants whose burst of changes is over, or has lasted long enough."""
    first: dict[TenantId, datetime] = {}
    last: dict[TenantId, datetime] = {}
    count: dict[TenantId, int] = {}
    for mark in marks:
        first[mark.tenant] = min(mark.at, first.get(mark.tenant, mark.at))
        last[mark.tenant] = max(mark.at, last.get(mark.tenant, mark.at))
        count[mark.tenant] = count.get(mark.tenant, 0) + 1
    return (
        tenant
        for tenant in first
        if now - last[tenant] >= QUIET
        or now - first[tenant] >= PATIENCE
        or count[tenant] >= ENOUGH
    )
