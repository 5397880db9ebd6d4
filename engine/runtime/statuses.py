"""What Meta tells of messages we sent: it is noted, and what failed late is taken care of."""

from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from engine.box_ports import Outbox, OutboxEntry, StatusNews
from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.runtime.message_refusals import MessageRefusals
from engine.runtime.sender import STOP
from engine.whatsapp.inbound import Status
from engine.whatsapp.send_errors import Course, late_course

log = structlog.get_logger(__name__)


class Statuses:
    """Takes note of statuses.

    Args:
        refusals: is told of what Meta will never deliver.
    """

    def __init__(self, *, outbox: Outbox, refusals: MessageRefusals, clock: Clock) -> None:
        self._outbox = outbox
        self._refusals = refusals
        self._clock = clock

    async def note(self, tenant: TenantId, statuses: Sequence[Status]) -> None:
        """Take note of statuses; the same one twice, or an older one, changes nothing.

        Raises:
            Unavailable: the database does not answer.
        """
        await self._outbox.note_statuses(tenant, [_news(status) for status in statuses])
        for status in statuses:
            if status.status != "failed" or not status.errors:
                continue
            entry = await self._outbox.entry(tenant, wamid=status.wamid, opaque=status.opaque)
            # Also of a status that came before: whoever took that one may have died since.
            if entry and await self._outbox.status_of(entry) == "failed":
                await self._failed(entry, status.errors[0].code)

    async def _failed(self, entry: OutboxEntry, code: int) -> None:
        """Do what is to be done about a message that Meta had taken, and that failed after all."""
        course, now = late_course(code), self._clock.now()
        if course is Course.TEMPLATE:
            if entry.template:
                await self._outbox.switch(entry, payload=entry.template, at=now)
        elif course is Course.STOP_TENANT:
            log.error("status.tenant_stopped", tenant=entry.tenant, code=code)
            error = f"{code}: a message failed for a reason that meets every other one"
            await self._outbox.postpone_all(entry.tenant, until=now + STOP, error=error)
        elif course is Course.GIVE_UP or self._refusals.has_stand_in(entry):
            await self._refusals.entry(entry, code)
        else:
            # Once: what came after it has been delivered, so it comes late, and not again.
            await self._outbox.switch(entry, payload=entry.payload, at=now)


def _news(status: Status) -> StatusNews:
    first = status.errors[0] if status.errors else None
    return StatusNews(
        wamid=status.wamid,
        opaque=status.opaque,
        status=status.status,
        at=datetime.fromtimestamp(status.timestamp, UTC),
        error=f"{first.code}: {first.title or first.details}" if first else None,
    )
