"""Timers whose time has come become events in their conversations' inbox, once.

Whether the conversation has moved on meanwhile is seen in its turn, not here.
"""

import hashlib
from collections.abc import Callable, Collection
from typing import Final

import structlog

from engine import metrics
from engine.box_ports import Inbox, InboxRow, Timer, Timers
from engine.charts.timers import ENTRY
from engine.clock import Clock
from engine.errors import Unavailable
from engine.logs import reason
from engine.runtime.polling import Poll
from engine.whatsapp.content import Raised
from engine.whatsapp.inbound import raised

POLL_SECONDS: Final = 1.0
PAGE: Final = 100

log = structlog.get_logger(__name__)


class Alarm:
    """Fires the timers of the slots this process has.

    Args:
        slots: gives those slots.
        offer: is told of the events, which are to be worked on at once.
    """

    def __init__(
        self,
        *,
        timers: Timers,
        inbox: Inbox,
        clock: Clock,
        slots: Callable[[], Collection[int]],
        offer: Callable[[InboxRow], None],
    ) -> None:
        self._timers = timers
        self._inbox = inbox
        self._clock = clock
        self._slots = slots
        self._offer = offer
        self._poll = Poll(self.look, every=POLL_SECONDS)

    async def run(self) -> None:
        """Fire what is due until stopped."""
        await self._poll.run()

    def stop(self) -> None:
        """Fire nothing more."""
        self._poll.stop()

    async def look(self) -> None:
        """Fire what is due in the slots this process has."""
        try:
            await self.fire(self._slots())
        except Unavailable as error:
            log.warning("timers.database_away", error=reason(error))

    async def fire(self, slots: Collection[int]) -> None:
        """Fire what is due in slots.

        Raises:
            Unavailable: the database does not answer; what was not fired is still there.
        """
        while True:
            due = await self._timers.due(slots, now=self._clock.now(), limit=PAGE)
            if not due:
                return
            # The inbox takes each only once: if the process dies here, the next one drops it.
            fresh = await self._inbox.accept([self._row(timer) for timer in due])
            await self._timers.drop(due)
            metrics.timers.inc(len(fresh))
            for row in fresh:
                self._offer(row)
            if len(due) < PAGE:
                return

    def _row(self, timer: Timer) -> InboxRow:
        due = int(timer.due.timestamp())
        event = Raised(timer.event, {ENTRY: timer.entry})
        return InboxRow(
            id=_name(timer, due),
            tenant=timer.tenant,
            customer=timer.customer,
            # Its place among what he wrote meanwhile is the time it was set to.
            timestamp=due,
            received_at=self._clock.now(),
            raw=raised(event, phone_number_id=timer.phone_number_id),
        )


def _name(timer: Timer, due: int) -> str:
    """Name a fired timer, always the same; it is logged, and tells nothing of a customer."""
    digest = hashlib.blake2s(f"{timer.id}:{due}".encode(), digest_size=16).hexdigest()
    return f"timer:{timer.tenant}:{digest}"
