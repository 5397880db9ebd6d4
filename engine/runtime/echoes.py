"""What staff types on the business phone becomes an event of the customer's conversation, once."""

from collections.abc import Callable, Sequence
from typing import Final

import structlog

from engine import metrics
from engine.box_ports import Inbox, InboxRow, Outbox
from engine.charts.inbound import STAFF_WROTE
from engine.clock import Clock
from engine.domain.ids import CustomerKey, TenantId
from engine.domain.tenant import Tenant
from engine.logs import digest
from engine.ports import BusinessRepository, TenantStore
from engine.whatsapp.content import Raised
from engine.whatsapp.echoes import Echo, read_echoes
from engine.whatsapp.inbound import OtherChange, raised

log = structlog.get_logger(__name__)
AHEAD_SECONDS: Final = 300
"""An echo cannot be much newer than now, whatever its phone or Meta says."""


class Echoes:
    """Stores what staff wrote.

    Args:
        settings: gives a tenant's settings, if it is served.
        offer: is told of the events, which are to be worked on at once.
    """

    def __init__(
        self,
        *,
        inbox: Inbox,
        outbox: Outbox,
        businesses: BusinessRepository,
        stores: Callable[[TenantId], TenantStore],
        settings: Callable[[TenantId], Tenant | None],
        clock: Clock,
        offer: Callable[[InboxRow], None],
    ) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._businesses = businesses
        self._stores = stores
        self._settings = settings
        self._clock = clock
        self._offer = offer

    async def take(self, changes: Sequence[OtherChange]) -> None:
        """Store the events of what staff wrote; what was stored before is dropped.

        Raises:
            Unavailable: the database does not answer; Meta must deliver it again.
        """
        rows: dict[str, InboxRow] = {}
        for change in changes:
            for echo in read_echoes(change.value):
                row = await self._row(echo)
                if row:
                    rows[row.id] = row
        fresh = await self._inbox.accept(list(rows.values()))
        metrics.echoes.labels(outcome="accepted").inc(len(fresh))
        metrics.echoes.labels(outcome="duplicate").inc(len(rows) - len(fresh))
        for row in fresh:
            log.debug("reception.echo_accepted", message=digest(row.id), tenant=row.tenant)
            self._offer(row)

    async def _row(self, echo: Echo) -> InboxRow | None:
        business = await self._businesses.by_phone_number_id(echo.phone_number_id)
        tenant = self._settings(business.tenant) if business else None
        if business is None or tenant is None:
            metrics.echoes.labels(outcome="unknown_number").inc()
            return None
        mine = await self._outbox.entry(business.tenant, wamid=echo.wamid, opaque=None)
        if mine or echo.to == tenant.staff.digits:
            # What we sent ourselves mutes nobody, nor does what one of them writes to another.
            metrics.echoes.labels(outcome="own").inc()
            return None
        key = echo.user_id or await self._known(business.tenant, echo) or echo.to
        now = self._clock.now()
        at = min(echo.timestamp or int(now.timestamp()), int(now.timestamp()) + AHEAD_SECONDS)
        return InboxRow(
            id=f"{echo.phone_number_id}:{echo.wamid}",
            tenant=business.tenant,
            customer=CustomerKey(key or ""),
            timestamp=at,
            received_at=now,
            raw=raised(Raised(STAFF_WROTE, {}), phone_number_id=echo.phone_number_id),
        )

    async def _known(self, tenant: TenantId, echo: Echo) -> CustomerKey | None:
        return await self._stores(tenant).handoffs.key_of(phone=echo.to) if echo.to else None
