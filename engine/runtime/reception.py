"""Reception: a webhook's messages are stored before Meta is told that they arrived."""

from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from engine import metrics, tracing
from engine.box_ports import Inbox, InboxRow
from engine.clock import Clock
from engine.domain.ids import CustomerKey, TenantId
from engine.logs import digest
from engine.ports import Business, BusinessRepository
from engine.runtime.message_refusals import MessageRefusals
from engine.runtime.statuses import Statuses
from engine.whatsapp.echoes import FIELD as ECHOES
from engine.whatsapp.inbound import InboundMessage, OtherChange, Status, Webhook

FLOWS = "flows"
"""The field of what Meta says of Flows."""

log = structlog.get_logger(__name__)


class OtherChanges(Protocol):
    """What takes note of changes that are no messages, statuses or Flows."""

    async def take(self, changes: Sequence[OtherChange]) -> None:
        """Take note of them.

        Raises:
            Unavailable: the database does not answer.
        """
        ...


class Reception:
    """Stores messages and notes statuses; what else Meta tells is handed on."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        statuses: Statuses,
        businesses: BusinessRepository,
        clock: Clock,
        offer: Callable[[InboxRow], None],
        refusals: MessageRefusals,
        commerce: OtherChanges,
        echoes: OtherChanges,
    ) -> None:
        self._inbox = inbox
        self._statuses = statuses
        self._businesses = businesses
        self._clock = clock
        self._offer = offer
        self._refusals = refusals
        self._commerce = commerce
        self._echoes = echoes

    async def receive(self, webhook: Webhook) -> None:
        """Store what a webhook brings; when it returns, nothing of it can be lost.

        Raises:
            Unavailable: the database does not answer; Meta must deliver it again.
        """
        rows = [
            self._row(message, business)
            for message in webhook.messages
            if (business := await self._business(message.phone_number_id))
        ]
        once = {row.id: row for row in rows}
        fresh = await self._inbox.accept(list(once.values())) if once else ()
        metrics.messages.labels(outcome="accepted").inc(len(fresh))
        metrics.messages.labels(outcome="duplicate").inc(len(rows) - len(fresh))
        for row in fresh:
            log.debug("message.accepted", message=digest(row.id), tenant=row.tenant)
            self._offer(row)
        await self._note(webhook.statuses)
        for other in webhook.others:
            if other.field == FLOWS:
                await self._refusals.change(other)
        typed = [other for other in webhook.others if other.field == ECHOES]
        if typed:
            await self._echoes.take(typed)
        known = (FLOWS, ECHOES)
        await self._commerce.take([other for other in webhook.others if other.field not in known])

    async def _business(self, phone_number_id: str) -> Business | None:
        business = await self._businesses.by_phone_number_id(phone_number_id)
        if business is None:
            metrics.messages.labels(outcome="unknown_number").inc()
            log.warning("reception.unknown_number", phone_number_id=phone_number_id)
        return business

    def _row(self, message: InboundMessage, business: Business) -> InboxRow:
        return InboxRow(
            id=row_id(message),
            tenant=business.tenant,
            customer=CustomerKey(message.sender.key),
            timestamp=message.timestamp,
            received_at=self._clock.now(),
            raw=message.raw,
            trace=tracing.traceparent(),
        )

    async def _note(self, statuses: Sequence[Status]) -> None:
        told: dict[TenantId, list[Status]] = {}
        for status in statuses:
            metrics.statuses.labels(status=status.status).inc()
            business = await self._businesses.by_phone_number_id(status.phone_number_id)
            if business:
                told.setdefault(business.tenant, []).append(status)
        for tenant, some in told.items():
            await self._statuses.note(tenant, some)


def row_id(message: InboundMessage) -> str:
    """Name the inbox row of a message; it is stored once."""
    return f"{message.phone_number_id}:{message.wamid}"
