"""What Meta says of Flows, and of messages it will not show: the chat goes on without them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast, get_args

import structlog

from engine import metrics
from engine.box_ports import Inbox, InboxRow, OutboxEntry
from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.errors import TurnError
from engine.flow_ports import FlowStatus
from engine.logs import reason
from engine.ports import BusinessRepository, TenantStore
from engine.whatsapp.content import Raised
from engine.whatsapp.inbound import OtherChange, raised
from engine.whatsapp.send_errors import is_of_the_chat

REFUSED: Mapping[str, str] = {
    "flow": "flow_refused",
    "product": "native_refused",
    "product_list": "native_refused",
    "catalog_message": "native_refused",
}
"""By the kind of an interactive message, the event with which the chart takes the chat instead."""
HELD: Mapping[int, tuple[FlowStatus, timedelta]] = {
    # Ten sends of a throttled Flow are allowed per hour (flows/guides/healthmonitoring).
    132069: ("THROTTLED", timedelta(hours=1)),
    # A blocked one recovers by itself, and a webhook says so; it is tried again if none comes.
    132068: ("BLOCKED", timedelta(hours=6)),
}
"""Error codes of a send that say something of the Flow, and how long it is not sent after them."""

log = structlog.get_logger(__name__)


class MessageRefusals:
    """Takes note of what Meta says, and puts an event in the customer's inbox.

    Args:
        offer: is told of the event, which is to be worked on at once.
    """

    def __init__(
        self,
        *,
        inbox: Inbox,
        businesses: BusinessRepository,
        stores: Callable[[TenantId], TenantStore],
        clock: Clock,
        offer: Callable[[InboxRow], None],
    ) -> None:
        self._inbox = inbox
        self._businesses = businesses
        self._stores = stores
        self._clock = clock
        self._offer = offer

    def has_stand_in(self, entry: OutboxEntry) -> bool:
        """Tell whether the chat can do without an entry."""
        return _kind(entry) in REFUSED

    async def entry(self, entry: OutboxEntry, code: int) -> None:
        """Take note that Meta will not deliver an entry, if the chat can do without it.

        That is a message that opens a Flow, or shows products of Meta's catalogue.

        Raises:
            Unavailable: the database does not answer.
        """
        kind = _kind(entry)
        event = REFUSED.get(kind)
        if event is None:
            return
        log.info("message.refused", kind=kind, code=code)
        if kind == "flow":
            await self._flow(entry, code)
        if is_of_the_chat(code):
            return
        now = self._clock.now()
        raw = raised(Raised(event, {"id": entry.id}), phone_number_id=entry.phone_number_id)
        row = InboxRow(
            id=f"{entry.id}:{event}",
            tenant=entry.tenant,
            customer=entry.customer,
            timestamp=int(now.timestamp()),
            received_at=now,
            raw=raw,
            trace=entry.trace,
        )
        for fresh in await self._inbox.accept([row]):
            self._offer(fresh)

    async def _flow(self, entry: OutboxEntry, code: int) -> None:
        metrics.flow_refusals.labels(code=str(code)).inc()
        if code in HELD:
            status, pause = HELD[code]
            flow_id, now = _flow_id(entry.payload), self._clock.now()
            store = self._stores(entry.tenant)
            await store.deployments.hold(flow_id, status=status, until=now + pause, at=now)

    async def change(self, change: OtherChange) -> None:
        """Take note of a webhook of the field `flows`.

        Raises:
            Unavailable: the database does not answer.
        """
        value = change.value
        event, flow_id = str(value.get("event", "")), str(value.get("flow_id", ""))
        state = str(value.get("alert_state") or value.get("new_status") or "")
        log.info("flow.webhook", flow_event=event[:40], flow_id=flow_id[:40], state=state[:40])
        status = value.get("new_status")
        if event != "FLOW_STATUS_CHANGE" or status not in get_args(FlowStatus):
            return
        at = datetime.fromtimestamp(change.time, UTC) if change.time else self._clock.now()
        for tenant in await self._businesses.tenants_of(change.waba_id):
            try:
                store = self._stores(tenant)
            except TurnError as error:
                # It is not served, so nothing of it is sent; others of the account may be.
                log.warning("flow.webhook_of_nobody", tenant=tenant, error=reason(error))
                continue
            await store.deployments.hold(
                flow_id, status=cast("FlowStatus", status), until=None, at=at
            )


def _kind(entry: OutboxEntry) -> str:
    interactive = entry.payload.get("interactive")
    return str(interactive.get("type")) if isinstance(interactive, Mapping) else ""


def _flow_id(payload: Mapping[str, Any]) -> str:
    return str(payload["interactive"]["action"]["parameters"].get("flow_id", ""))
