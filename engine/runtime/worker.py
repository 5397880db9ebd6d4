"""The worker: takes the turns of stored messages, each customer's in order."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from engine import metrics
from engine.clock import Clock
from engine.errors import EngineError, Unavailable
from engine.ports import Inbox, InboxRow, OutboxEntry
from engine.runtime.lanes import Lanes, poll
from engine.runtime.turns import Turns
from engine.whatsapp.inbound import InboundMessage, restore_message

MAX_ATTEMPTS = 6
"""Turns tried for one message before it is given up; the last wait is half a minute."""
AT_ONCE = 32
POLL_SECONDS = 1.0
"""How soon a message is found that nobody handed over: after a crash, or from another process."""
GRACE = timedelta(seconds=2)
"""A message younger than this is being worked on by the process that took it."""

log = structlog.get_logger(__name__)


class Worker:
    """Takes turns as messages come, and finds the ones that were left behind."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        turns: Turns,
        clock: Clock,
        send: Callable[[tuple[OutboxEntry, ...]], None],
    ) -> None:
        self._inbox = inbox
        self._turns = turns
        self._clock = clock
        self._send = send
        self._stopped = asyncio.Event()
        self._lanes: Lanes[tuple[InboxRow, InboundMessage]] = Lanes(self._take, at_once=AT_ONCE)

    def offer(self, row: InboxRow, message: InboundMessage) -> None:
        """Queue a message that was stored just now."""
        self._lanes.put((row.tenant, row.customer), row.id, (row, message))

    async def run(self) -> None:
        """Look for messages left behind until stopped."""
        await poll(self.look, every=POLL_SECONDS, stopped=self._stopped)

    async def look(self) -> None:
        """Queue the messages that are due and were left behind."""
        now = self._clock.now()
        try:
            rows = await self._inbox.waiting(now=now)
        except Unavailable as error:
            log.warning("worker.database_away", error=str(error))
            return
        for row in rows:
            if row.attempts or row.received_at <= now - GRACE:
                self.offer(row, restore_message(row.raw))

    async def drain(self) -> None:
        """Stop looking and finish what is queued."""
        self._stopped.set()
        await self._lanes.idle()

    async def idle(self) -> bool:
        """Wait until nothing is queued; tell whether something was."""
        return await self._lanes.idle()

    async def _take(self, item: tuple[InboxRow, InboundMessage]) -> bool:
        row, message = item
        try:
            self._send(await self._turns.take(row, message))
        except Unavailable as error:
            log.warning("worker.database_away", row=row.id, error=str(error))
            return False
        except EngineError as error:
            return await self._failed(row, str(error))
        except Exception as error:
            log.exception("worker.turn_broke", row=row.id)
            return await self._failed(row, f"{type(error).__name__}: {error}")
        return True

    async def _failed(self, row: InboxRow, error: str) -> bool:
        metrics.turns.labels(outcome="error").inc()
        log.error("worker.turn_failed", row=row.id, attempt=row.attempts + 1, error=error)
        try:
            if row.attempts + 1 >= MAX_ATTEMPTS:
                await self._inbox.bury(row, error=error)
                return True
            wait = timedelta(seconds=2**row.attempts)
            await self._inbox.postpone(row, until=self._clock.now() + wait, error=error)
        except Unavailable:
            log.warning("worker.database_away", row=row.id)
        return False
