"""A round: everything that can be done now for one tenant; it waits for nothing."""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from engine import metrics
from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.errors import GraphError, GraphRetryable, GraphTerminal
from engine.logs import reason
from engine.sync.alerts import UNCONNECTED, alert_of
from engine.sync.connection import Connection
from engine.sync.drift import Drift, Drifted
from engine.sync.follow import Follow
from engine.sync.jobs import begun, finished, next_job, started_over
from engine.sync.marked import Marked
from engine.sync.pace import NotNow
from engine.sync.ports import Batches, SyncMarks
from engine.sync.runs import Alert, Job, SyncRun, SyncRuns
from engine.sync.shop import Shop
from engine.sync.shops import Shops
from engine.sync.walk import Walk

LEASE: Final = timedelta(seconds=60)
"""How long a process that died keeps a tenant."""
ALERT_LOOK: Final = timedelta(minutes=1)
"""How soon it is seen that a person has mended what Meta refuses; costs no call."""
SETUP_LOOK: Final = timedelta(minutes=10)
"""How soon it is seen that a tenant was set up that never was; many never are."""
ALERT_AGAIN: Final = timedelta(hours=1)
"""When Meta is asked again though nothing was mended here: it may have been there."""
LONGEST_HOLD: Final = timedelta(minutes=5)
"""Between two attempts while Meta is away."""
MEND_AT_ONCE: Final = 1000
NO_SUCH: Final = 100
"""Meta's code for a parameter that is wrong, such as a catalogue somebody has deleted."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outlook:
    """When a tenant is worth another round.

    Args:
        due: whatever happens.
        marks: not for marks before it; None if they are welcome at once.
    """

    due: datetime
    marks: datetime | None = None


class Stopped(NotNow):
    """The process is to end: what is left is done by the next one."""


class Rounds:
    """Takes rounds.

    Args:
        new_id: makes ids of jobs.
        stopped: tells whether the process is to end.
    """

    def __init__(
        self,
        *,
        shops: Shops,
        runs: SyncRuns,
        marks: SyncMarks,
        batches: Batches,
        follow: Follow,
        marked: Marked,
        walk: Walk,
        drift: Drift,
        connection: Connection,
        clock: Clock,
        new_id: Callable[[], str],
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.shops = shops
        self.runs = runs
        self.marks = marks
        self.batches = batches
        self.follow = follow
        self.marked = marked
        self.walk = walk
        self.drift = drift
        self.connection = connection
        self.clock = clock
        self.new_id = new_id
        self.stopped = stopped
        self.walked: dict[TenantId, datetime] = {}
        """Since when walks are over that wait for their batches."""

    async def take(self, tenant: TenantId, *, owner: str) -> Outlook | None:
        """Take a round for a tenant.

        Returns:
            When to take the next one; None while another process has the tenant.

        Raises:
            Unavailable: the database does not answer.
            Conflict: another process has taken the tenant over.
        """
        now = self.clock.now()
        run = await self.runs.claim(tenant, owner=owner, now=now, until=now + LEASE)
        if run is None:
            return None
        try:
            return await Round(self, run, owner).take()
        finally:
            await self.runs.release(tenant, owner=owner)


class Round:
    """One round of one tenant."""

    def __init__(self, tools: Rounds, run: SyncRun, owner: str) -> None:
        self._tools = tools
        self._run = run
        self._owner = owner
        self._marks: datetime | None = None

    async def take(self) -> Outlook:
        """Do what can be done now, and tell when to go on."""
        due = await self._due()
        return Outlook(due, self._marks)

    async def _due(self) -> datetime:
        alert = self._run.alert if self._run.is_blocked else None
        await self._begin()
        if not await self._may_ask():
            await self._forget_marks()
            return await self._rest(self._next_look())
        if alert and alert.code == NO_SUCH:
            await self._tools.shops.forget_unmapped(self._run.tenant)
        opened = await self._tools.shops.open(self._run.tenant, still_ours=self._save)
        if isinstance(opened, str):
            return await self._alert(Alert(0, opened, self._now(), await self._mended()))
        try:
            due = await self._work(opened)
        except NotNow as rate:
            return await self._end(min(rate.at, await self._next_check() or rate.at))
        except GraphRetryable as error:
            return await self._hold(error)
        except GraphTerminal as error:
            alert = alert_of(error, now=self._now(), token=await self._mended())
            return await self._alert(alert)
        return await self._end(due)

    async def _work(self, shop: Shop) -> datetime:
        await self._tools.follow.ask(shop)
        self._marks = later = await self._tools.marked.work(shop)
        job = self._run.job
        if job and not job.walked:
            await self._walk(shop, job)
        self._met()
        is_done = await self._is_done()
        await self._connected(shop, is_done=is_done)
        if is_done and job:
            self._run = finished(self._run, self._now())
            log.info("sync.job_done", tenant=shop.id, kind=job.kind, products=job.total)
        times = [time for time in (await self._next_check(), later) if time]
        if self._run.job is None:
            times.append(next_job(self._run, self._now()))
        return min(times, default=self._now())

    async def _next_check(self) -> datetime | None:
        """Tell when to ask for a batch next; None if none is open."""
        batches = await self._tools.batches.open(self._run.tenant)
        return min((batch.check_at for batch in batches), default=None)

    async def _is_done(self) -> bool:
        """Tell whether the walk is over, and Meta is through with what was sent in it."""
        job, walked = self._run.job, self._tools.walked
        if job is None or not job.walked:
            return False
        # Since when it is known here: later than it was if another process has walked.
        since = walked.setdefault(self._run.tenant, self._now())
        batches = await self._tools.batches.open(self._run.tenant)
        return all(batch.sent_at > since for batch in batches)

    def _met(self) -> None:
        """Note that Meta does what it is asked."""
        run = self._run
        if run.is_blocked or run.failures:
            log.info("sync.goes_on", tenant=run.tenant)
        alert = None if run.is_blocked else run.alert
        self._run = replace(run, failures=0, held_until=None, alert=alert)

    async def _walk(self, shop: Shop, job: Job) -> None:
        self._tools.walked.pop(shop.id, None)
        verified, started = self._run.verified_at, job.started_at
        is_verified = verified is not None and started is not None and verified > started
        if job.kind == "verify" and not is_verified:
            await self._verify(shop)
        walked = await self._tools.walk.go(shop, job, self._noted)
        self._run = replace(self._run, job=walked)

    async def _verify(self, shop: Shop) -> None:
        """Find what drifted; the walk that follows sends it. What is extra is only told of."""
        found: list[Drifted] = []
        extra = 0
        async with aclosing(self._tools.drift.look(shop)) as looked:
            async for drifted in looked:
                if drifted.kind == "extra":
                    extra += 1
                    metrics.sync_drift.labels(kind="extra").inc()
                    continue
                found.append(drifted)
                if len(found) >= MEND_AT_ONCE:
                    await self._tools.drift.mend(shop, found)
                    found = []
        await self._tools.drift.mend(shop, found)
        if extra:
            log.warning("sync.extra_items", tenant=shop.id, items=extra)
        self._run = replace(self._run, verified_at=self._now())

    async def _connected(self, shop: Shop, *, is_done: bool) -> None:
        """Connect the catalogue to WhatsApp; if Meta refuses, the items are synced all the same.

        Raises:
            GraphRetryable: Meta does not answer, or says later.
        """
        try:
            is_known = await self._connect(shop, is_done=is_done)
        except GraphTerminal as error:
            token = await self._mended()
            alert = alert_of(error, now=self._now(), token=token, hints=UNCONNECTED)
            if _is_new(alert, self._run.alert):
                log.error("sync.not_connected", tenant=shop.id, reason=alert.sentence)
                self._run = replace(self._run, alert=alert)
        else:
            self._run = replace(self._run, alert=None if is_known else self._run.alert)

    async def _connect(self, shop: Shop, *, is_done: bool) -> bool:
        """Connect it if that is due; tell whether nothing keeps it from being connected."""
        connection, job = self._tools.connection, self._run.job
        if job and is_done:
            await connection.make(shop, is_new=job.kind != "changed")
        elif shop.is_single and self._run.alert:
            # Meta has refused it: it is asked again after the next walk.
            return False
        elif shop.is_single:
            categories = {c for c in await shop.sellables.categories() if c}
            if await connection.lacks(shop, categories):
                await connection.make(shop)
        return True

    async def _begin(self) -> None:
        """Take up the walk that is due, if one is."""
        asked, new_id = self._run.requested, self._tools.new_id
        self._run = begun(self._run, self._now(), new_id)
        if asked and self._run.requested is None:
            await self._tools.runs.begin(self._run, owner=self._owner)

    async def _may_ask(self) -> bool:
        run = self._run
        if run.held_until is None or run.held_until <= self._now():
            return True
        return run.alert is not None and run.alert.token != await self._mended()

    def _next_look(self) -> datetime:
        run, now = self._run, self._now()
        if run.alert is None:
            return run.held_until or now
        return now + (ALERT_LOOK if run.alert.code else SETUP_LOOK)

    async def _mended(self) -> str:
        return await self._tools.shops.fingerprint(self._run.tenant)

    async def _hold(self, error: GraphError) -> datetime:
        """Leave Meta alone for a while, longer each time."""
        failures = self._run.failures + 1
        wait = min(timedelta(seconds=2 ** min(failures, 10)), LONGEST_HOLD)
        if isinstance(error, GraphRetryable) and error.wait:
            wait = timedelta(seconds=error.wait)
        until = self._now() + wait
        metrics.sync_failures.labels(kind="meta").inc()
        log.warning(
            "sync.meta_away", tenant=self._run.tenant, failures=failures, code=error.code,
            error=reason(error), until=until.isoformat(),
        )  # fmt: skip
        self._run = replace(self._run, failures=failures, held_until=until)
        await self._forget_marks()
        return await self._rest(until)

    async def _alert(self, alert: Alert) -> datetime:
        known = self._run.alert
        is_new = _is_new(alert, known)
        if alert.code:
            metrics.sync_failures.labels(kind="refused").inc()
        if is_new:
            say = log.error if alert.code else log.info
            say("sync.alert", tenant=self._run.tenant, code=alert.code, reason=alert.sentence)
        kept = alert if is_new or known is None else replace(known, token=alert.token)
        self._run = replace(self._run, alert=kept, held_until=self._now() + ALERT_AGAIN)
        await self._forget_marks()
        return await self._rest(self._next_look())

    async def _forget_marks(self) -> None:
        """Let the next walk find what is marked: meanwhile marks would only pile up."""
        while marks := await self._tools.marks.of(self._run.tenant, limit=1000):
            is_doubted = any(mark.kind == "verify" for mark in marks)
            new_id = self._tools.new_id
            self._run = started_over(self._run, self._now(), new_id, is_doubted=is_doubted)
            await self._save()
            await self._tools.marks.done(marks)

    async def _noted(self, job: Job) -> None:
        self._run = replace(self._run, job=job)
        self._met()
        await self._save()
        if self._tools.stopped():
            raise Stopped(self._now())

    async def _save(self) -> None:
        until = self._now() + LEASE
        await self._tools.runs.save(self._run, owner=self._owner, until=until)

    async def _rest(self, until: datetime) -> datetime:
        """Do nothing before a time, whatever is marked."""
        self._marks = until
        return await self._end(until)

    async def _end(self, due: datetime) -> datetime:
        self._run = replace(self._run, due=due)
        await self._save()
        return due

    def _now(self) -> datetime:
        return self._tools.clock.now()


def _is_new(alert: Alert, known: Alert | None) -> bool:
    return known is None or (known.code, known.sentence) != (alert.code, alert.sentence)
