"""The worker: takes the turns of stored messages, each customer's in order."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from engine import metrics, tracing
from engine.box_ports import Inbox, InboxRow, OutboxEntry
from engine.clock import Clock
from engine.errors import Conflict, EngineError, Unavailable
from engine.logs import about, reason
from engine.runtime.claims import Claims
from engine.runtime.lanes import Lanes
from engine.runtime.polling import Poll
from engine.runtime.turns import Turns
from engine.slots import slot_of
from engine.whatsapp.inbound import InboundMessage, restore_message

MAX_ATTEMPTS = 6
"""Turns tried for one message before it is given up; the last wait is half a minute."""
AT_ONCE = 16
"""Turns at the same time: more than a process has time for, and not so many that all are slow."""
POLL_SECONDS = 0.25
"""How soon a message is found that another process has stored, or that was left behind."""
PAGE = 100
ENOUGH = 4 * AT_ONCE
"""Messages queued with which no more are looked for: each look reads the queued ones again, and of
many workers that are behind each would keep the database from the others' turns."""
CONFLICT_PATIENCE = timedelta(minutes=10)
"""A killed process's transaction may block a conversation for a minute, on any MongoDB: conflicts
count as failures of a message only when it is older than that by far."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Task:
    """A message to take the turn of, in the term in which it was found."""

    row: InboxRow
    message: InboundMessage
    term: int


class Worker:
    """Takes turns as messages come, and finds those that others have stored.

    Args:
        claims: whose turns it may take.
        send: gets what is to be sent, and the term in which it was decided.
    """

    def __init__(
        self,
        *,
        inbox: Inbox,
        turns: Turns,
        clock: Clock,
        claims: Callable[[], Claims],
        send: Callable[[tuple[OutboxEntry, ...], int], None],
    ) -> None:
        self._inbox = inbox
        self._turns = turns
        self._clock = clock
        self._claims = claims
        self._send = send
        self._poll = Poll(self.look, every=POLL_SECONDS)
        self._looking = asyncio.Lock()
        self._looks_later = False
        self._lanes: Lanes[_Task] = Lanes(self._take, at_once=AT_ONCE)

    def offer(self, row: InboxRow) -> None:
        """Look soon for a message that was stored just now, if its turn is this process's to take.

        It is not queued from here: before it there may be others of its conversation on disk, that
        another process has stored, or had put off before it lost the slot.
        """
        if self._claims().term(row.tenant, row.customer) is not None:
            self._poll.wake()

    async def run(self) -> None:
        """Look for messages until stopped."""
        await self._poll.run()

    async def look(self) -> None:
        """Queue the messages that are due in the slots this process has."""
        if len(self._lanes) >= ENOUGH:
            self._looks_later = True
            return
        async with self._looking:
            try:
                await self._look()
            except Unavailable as error:
                log.warning("worker.database_away", error=reason(error))

    async def _look(self) -> None:
        claims = self._claims()
        terms = claims.terms()
        with self._lanes.looking() as found:
            now, limit = self._clock.now(), PAGE + len(self._lanes)
            for row in await self._inbox.waiting(terms.keys(), now=now, limit=limit):
                term = claims.term(row.tenant, row.customer)
                if term is None or term != terms[slot_of(row.tenant, row.customer)]:
                    continue  # the slot was another's while this was read
                message = await self._restored(row)
                if message:
                    task = _Task(row, message, term)
                    found((row.tenant, row.customer), row.id, task, place=_place(row))

    async def _restored(self, row: InboxRow) -> InboundMessage | None:
        try:
            return restore_message(row.raw)
        except EngineError as error:
            with about(row.id):
                log.error("worker.unreadable", error=reason(error))
            metrics.turns.labels(outcome="dead").inc()
            await self._inbox.bury(row, error=str(error))
            return None

    def busy(self) -> frozenset[int]:
        """Give the slots with turns under way."""
        return frozenset(slot_of(*lane) for lane in self._lanes.lanes())

    async def end(self) -> None:
        """Stop looking, and finish the turns that are under way."""
        self._poll.stop()
        await self._lanes.end()

    async def idle(self) -> bool:
        """Wait until nothing is queued; tell whether something was."""
        return await self._lanes.idle()

    async def _take(self, task: _Task) -> bool:
        if self._looks_later and len(self._lanes) < ENOUGH:
            self._looks_later = False
            self._poll.wake()
        row = task.row
        if self._claims().term(row.tenant, row.customer) != task.term:
            return False
        with about(row.id), tracing.resumed("turn", row.trace, tenant=row.tenant):
            return await self._turn(task)

    async def _turn(self, task: _Task) -> bool:
        row = task.row
        try:
            self._send(await self._turns.take(row, task.message), task.term)
        except (Unavailable, Conflict) as error:
            return await self._put_off(task, error)
        except EngineError as error:
            return await self._failed(task, str(error), kind=reason(error))
        except Exception as error:
            log.exception("worker.turn_broke")
            return await self._failed(task, f"{type(error).__name__}: {error}", kind=reason(error))
        return True

    async def _put_off(self, task: _Task, error: EngineError) -> bool:
        """Leave a message to the next look: it is not its fault."""
        log.warning("worker.turn_put_off", error=reason(error))
        age = self._clock.now() - task.row.received_at
        if isinstance(error, Conflict) and age > CONFLICT_PATIENCE:
            return await self._failed(task, str(error), kind=reason(error))
        return False

    async def _failed(self, task: _Task, error: str, *, kind: str) -> bool:
        row = task.row
        metrics.turns.labels(outcome="error").inc()
        log.error("worker.turn_failed", tenant=row.tenant, attempt=row.attempts + 1, error=kind)
        try:
            if row.attempts + 1 >= MAX_ATTEMPTS:
                await self._give_up(task, error)
                return True
            wait = timedelta(seconds=2**row.attempts)
            await self._inbox.postpone(row, until=self._clock.now() + wait, error=error)
        except Unavailable:
            log.warning("worker.database_away")
        return False

    async def _give_up(self, task: _Task, error: str) -> None:
        """Put a message aside, and tell its customer once that something went wrong."""
        try:
            said = await self._turns.give_up(task.row, task.message, error=error)
            self._send(said, task.term)
        except Unavailable:
            raise
        except Exception as broken:  # noqa: BLE001 - the turn boundary
            # What keeps the turn from being taken may keep us from saying so.
            log.error("worker.problem_untold", error=reason(broken))
            await self._inbox.bury(task.row, error=error)
            metrics.turns.labels(outcome="dead").inc()


def _place(row: InboxRow) -> tuple[int, datetime, str]:
    """Give a message's place in its conversation: Meta's order, then ours."""
    return row.timestamp, row.received_at, row.id
