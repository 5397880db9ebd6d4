"""The relay: gives stored messages to Meta, each customer's in the order they were written."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, Protocol

import structlog

from engine import metrics
from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.errors import EngineError, GraphError, GraphRetryable, Unavailable
from engine.ports import BusinessRepository, Outbox, OutboxEntry
from engine.runtime.lanes import Lanes, poll

MAX_ATTEMPTS = 10
AT_ONCE = 64
POLL_SECONDS = 1.0
BROKEN_PAUSE = timedelta(minutes=1)
GRACE = timedelta(seconds=5)
"""An entry younger than this is being sent by the process that wrote it."""

log = structlog.get_logger(__name__)


class Graph(Protocol):
    """What the relay needs of Meta."""

    async def send(self, phone_number_id: str, *, token: str, payload: Mapping[str, Any]) -> str:
        """Send a message and give the wamid Meta called it."""
        ...


class Relay:
    """Sends entries as turns write them, and finds the ones that were left behind.

    Args:
        refused: is told of an entry that Meta will never take, and its error code.
    """

    def __init__(
        self,
        *,
        outbox: Outbox,
        businesses: BusinessRepository,
        graph: Graph,
        clock: Clock,
        refused: Callable[[OutboxEntry, int], Awaitable[None]],
    ) -> None:
        self._outbox = outbox
        self._businesses = businesses
        self._graph = graph
        self._clock = clock
        self._refused = refused
        self._stopped = asyncio.Event()
        self._lanes: Lanes[OutboxEntry] = Lanes(self._send, at_once=AT_ONCE)

    def offer(self, entries: Iterable[OutboxEntry]) -> None:
        """Queue entries that were stored just now."""
        for entry in entries:
            self._lanes.put((entry.tenant, entry.customer), entry.id, entry)

    async def run(self) -> None:
        """Look for entries left behind until stopped."""
        await poll(self.look, every=POLL_SECONDS, stopped=self._stopped)

    async def look(self) -> None:
        """Queue the entries that are due and were left behind."""
        now = self._clock.now()
        try:
            entries = await self._outbox.waiting(now=now)
        except Unavailable as error:
            log.warning("relay.database_away", error=str(error))
            return
        self.offer(e for e in entries if e.attempts or e.created_at <= now - GRACE)

    async def drain(self) -> None:
        """Stop looking and finish what is queued."""
        self._stopped.set()
        await self._lanes.idle()

    async def idle(self) -> bool:
        """Wait until nothing is queued; tell whether something was."""
        return await self._lanes.idle()

    async def _send(self, entry: OutboxEntry) -> bool:
        try:
            return await self._try(entry)
        except Unavailable as error:
            log.warning("relay.database_away", entry=entry.id, error=str(error))
            return False
        except EngineError as error:
            # Such as an access token that cannot be opened: a person must mend it.
            return await self._broken(entry, str(error))

    async def _broken(self, entry: OutboxEntry, error: str) -> bool:
        log.error("relay.broken", entry=entry.id, error=error)
        try:
            until = self._clock.now() + BROKEN_PAUSE
            await self._outbox.postpone(entry, until=until, error=error)
        except Unavailable:
            log.warning("relay.database_away", entry=entry.id)
        return False

    async def _try(self, entry: OutboxEntry) -> bool:
        token = await self._token(entry.tenant)
        try:
            wamid = await self._graph.send(
                entry.phone_number_id, token=token, payload=entry.payload
            )
        except GraphError as error:
            return await self._failed(entry, error)
        metrics.sends.labels(outcome="sent", code="0").inc()
        await self._outbox.sent(entry, wamid=wamid, at=self._clock.now())
        return True

    async def _token(self, tenant: TenantId) -> str:
        business = await self._businesses.by_tenant(tenant)
        return business.access_token if business else ""

    async def _failed(self, entry: OutboxEntry, error: GraphError) -> bool:
        code, said = str(error.code), f"{error} {error.details}".strip()
        if isinstance(error, GraphRetryable) and entry.attempts + 1 < MAX_ATTEMPTS:
            metrics.sends.labels(outcome="retried", code=code).inc()
            log.warning("relay.retry", entry=entry.id, code=code, error=said)
            wait = timedelta(seconds=min(2**entry.attempts, 300))
            await self._outbox.postpone(entry, until=self._clock.now() + wait, error=said)
            return False
        metrics.sends.labels(outcome="refused", code=code).inc()
        log.error("relay.refused", entry=entry.id, code=code, error=said)
        # First: if the process dies in between, the entry is refused once more.
        await self._refused(entry, error.code)
        await self._outbox.bury(entry, error=f"{code}: {said}")
        return True
