"""What Meta says of catalogues, commerce orders and templates; it compares nothing itself.

Meta documents the object `catalog` only. The fields of `commerce_account` are taken as they were
described to us, and nothing depends on them.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import structlog

from engine import metrics
from engine.clock import Clock
from engine.domain.ids import OrderNumber, TenantId
from engine.domain.order import OrderStatus
from engine.errors import EngineError, Unavailable
from engine.logs import reason
from engine.ports import BusinessRepository, TenantStore
from engine.whatsapp.inbound import OtherChange
from engine.whatsapp.json_values import as_id, as_integer, as_text

OBJECTS: Final = frozenset({"catalog", "commerce_account", "whatsapp_business_account"})
STATUS_UPDATE: Final = "message_template_status_update"
TEMPLATES: Final = frozenset({
    STATUS_UPDATE,
    "message_template_quality_update",
    "message_template_components_update",
})  # fmt: skip
OTHER: Final = "other"

STATUSES: Final[Mapping[str, OrderStatus]] = {status.value: status for status in OrderStatus} | {
    "canceled": OrderStatus.CANCELLED,
    # Of Meta's commerce orders.
    "created": OrderStatus.PENDING,
    "in_progress": OrderStatus.PREPARING,
    "completed": OrderStatus.DELIVERED,
    # Of WhatsApp's messages of type order_status.
    "processing": OrderStatus.PREPARING,
    "shipped": OrderStatus.ON_THE_WAY,
}
_NUMBERS: Final = ("order_number", "retailer_id", "order_id", "id", "reference_id")
_STATES: Final = ("status", "state", "new_status", "order_status")
_LONGEST: Final = 40
"""Of a text of Meta's in a log."""

log = structlog.get_logger(__name__)


class CatalogNews(Protocol):
    """What wants to know of changes in Meta's catalogues."""

    async def batch_finished(self, catalog_id: str, handle: str) -> bool:
        """Note that a batch is through; tell whether it is one of ours."""
        ...

    async def items_changed(self, tenant: TenantId, items: Collection[str]) -> None:
        """Note that items of a tenant may have changed at Meta."""
        ...

    async def catalog_changed(self, tenant: TenantId) -> None:
        """Note that anything of a tenant may have changed at Meta."""
        ...

    async def tenant_of(self, catalog_id: str) -> TenantId | None:
        """Name the tenant that a catalogue is of."""
        ...


class Commerce:
    """Takes note of what Meta says beside messages, statuses and Flows.

    Args:
        approved: is told of a tenant's template that has another status at Meta.
    """

    def __init__(
        self,
        *,
        news: CatalogNews,
        businesses: BusinessRepository,
        stores: Callable[[TenantId], TenantStore],
        clock: Clock,
        approved: Callable[[TenantId, Mapping[str, Any]], Awaitable[None]] | None = None,
    ) -> None:
        self._approved = approved
        self._news = news
        self._businesses = businesses
        self._stores = stores
        self._clock = clock

    async def take(self, changes: Sequence[OtherChange]) -> None:
        """Take note of changes; each may come again, and from anybody who can sign.

        Raises:
            Unavailable: the database does not answer; Meta must deliver them again.
        """
        accounts = _Accounts(self._news, self._businesses)
        told: dict[str, list[OtherChange]] = {}
        for change in changes:
            told.setdefault(_kind(change), []).append(change)
        takers: Mapping[str, Callable[..., Awaitable[None]]] = {
            "items_batch": self._batches,
            "product_feed": self._feeds,
            "product_item_update": self._items,
            "catalog_update": self._catalogs,
            "commerce_order_update": self._orders,
            **dict.fromkeys(TEMPLATES, self._templates),
        }
        for kind, same in told.items():
            await takers.get(kind, self._others)(same, accounts)

    async def _batches(self, changes: Sequence[OtherChange], _: "_Accounts") -> None:
        batches = [
            (as_id(change.value.get("catalog_id")) or change.waba_id, handle)
            for change in changes
            if (handle := as_id(change.value.get("handle")))
        ]
        _count("items_batch", "malformed", len(changes) - len(batches))
        for catalog_id, handle in dict.fromkeys(batches):
            is_ours = await self._news.batch_finished(catalog_id, handle)
            _count("items_batch", "taken" if is_ours else "unknown")

    async def _feeds(self, changes: Sequence[OtherChange], _: "_Accounts") -> None:
        # Somebody's file, uploaded beside the engine: drift is found by comparing everything.
        _count("product_feed", "noted", len(changes))

    async def _items(self, changes: Sequence[OtherChange], accounts: "_Accounts") -> None:
        changed: dict[TenantId, dict[str, None]] = {}
        for change in changes:
            item = as_id(change.value.get("retailer_id"))
            tenants = await accounts.tenants(change) if item else ()
            _count("product_item_update", _outcome(item, tenants))
            for tenant in tenants:
                changed.setdefault(tenant, {})[item or ""] = None
        for tenant, items in changed.items():
            await self._news.items_changed(tenant, tuple(items))

    async def _catalogs(self, changes: Sequence[OtherChange], accounts: "_Accounts") -> None:
        changed: dict[TenantId, None] = {}
        for change in changes:
            tenants = await accounts.tenants(change)
            _count("catalog_update", "taken" if tenants else "unknown")
            changed |= dict.fromkeys(tenants)
        for tenant in changed:
            await self._news.catalog_changed(tenant)

    async def _orders(self, changes: Sequence[OtherChange], accounts: "_Accounts") -> None:
        moves: dict[tuple[tuple[TenantId, ...], tuple[OrderNumber, ...], OrderStatus], None] = {}
        for change in changes:
            numbers, status = tuple(_numbers(change)), _status(change)
            if not numbers or status is None:
                _count("commerce_order_update", "malformed")
            elif status is OrderStatus.PENDING:
                _count("commerce_order_update", "noted")
            else:
                moves[await accounts.tenants(change), numbers, status] = None
        for tenants, numbers, status in moves:
            _count("commerce_order_update", await self._move(tenants, numbers, status))

    async def _move(
        self, tenants: Sequence[TenantId], numbers: Sequence[OrderNumber], status: OrderStatus
    ) -> str:
        # A number is one order's in the whole database: the first tenant who knows it has it.
        for tenant, number in ((tenant, number) for tenant in tenants for number in numbers):
            try:
                is_moved = await self._stores(tenant).move_order(
                    number, status, at=self._clock.now()
                )
            except Unavailable:
                raise
            except EngineError as error:
                log.warning("commerce.order_failed", tenant=tenant, reason=reason(error))
                continue
            if is_moved is not None:
                outcome = "moved" if is_moved else "illegal"
                log.info(
                    "commerce.order", tenant=tenant, order=number, status=status, outcome=outcome
                )
                return outcome
        log.info("commerce.order", tenants=len(tenants), status=status, outcome="unknown")
        return "unknown"

    async def _templates(self, changes: Sequence[OtherChange], accounts: "_Accounts") -> None:
        for change in changes:
            tenants = await accounts.tenants(change)
            _count("template_update", "noted" if tenants else "unknown")
            if self._approved and change.field == STATUS_UPDATE:
                for tenant in tenants:
                    await self._approved(tenant, change.value)
            value = change.value
            log.info(
                "commerce.template",
                tenants=tenants,
                field=change.field,
                template=_cut(value.get("message_template_name")),
                language=_cut(value.get("message_template_language")),
                template_event=_cut(value.get("event") or value.get("new_quality_score")),
                reason=_cut(value.get("reason")),
            )

    async def _others(self, changes: Sequence[OtherChange], _: "_Accounts") -> None:
        _count(OTHER, "noted", len(changes))
        seen = Counter((_cut(c.object_type), _cut(c.field)) for c in changes)
        for (object_type, field), times in seen.most_common(10):
            log.info("commerce.other", object_type=object_type, field=field, times=times)


class _Accounts:
    """Whose the accounts of one request are, asked once each."""

    def __init__(self, news: CatalogNews, businesses: BusinessRepository) -> None:
        self._news = news
        self._businesses = businesses
        self._known: dict[tuple[str, str], tuple[TenantId, ...]] = {}

    async def tenants(self, change: OtherChange) -> tuple[TenantId, ...]:
        """Name the tenants that a change is about."""
        key = as_id(change.value.get("catalog_id")) or "", change.waba_id
        if key not in self._known:
            self._known[key] = await self._found(*key)
        return self._known[key]

    async def _found(self, catalog_id: str, entry: str) -> tuple[TenantId, ...]:
        for each in filter(None, (catalog_id, entry)):
            tenant = await self._news.tenant_of(each)
            if tenant is not None:
                return (tenant,)
        if not entry:
            return ()
        businesses = self._businesses
        return await businesses.tenants_of(entry) or await businesses.tenants_of_business(entry)


def _kind(change: OtherChange) -> str:
    return change.field if change.object_type in OBJECTS else OTHER


def _outcome(named: str | None, tenants: Sequence[TenantId]) -> str:
    if not named:
        return "malformed"
    return "taken" if tenants else "unknown"


def _numbers(change: OtherChange) -> Iterator[OrderNumber]:
    """Give what may be our number of the order, each once."""
    seen = dict.fromkeys(_bare(change.value.get(name)) for name in _NUMBERS)
    yield from (OrderNumber(number) for number in seen if number)


def _bare(number: object) -> str:
    # A text of digits stays as it is: it may begin with zeros.
    text = as_id(number) if isinstance(number, str) else as_integer(number)
    return str(text or "").strip().removeprefix("#")


def _status(change: OtherChange) -> OrderStatus | None:
    told = next((text for name in _STATES if (text := as_text(change.value.get(name)))), "")
    return STATUSES.get(told.strip().lower().replace(" ", "_").replace("-", "_"))


def _cut(value: object) -> str:
    return (as_text(value) or "")[:_LONGEST]


def _count(kind: str, outcome: str, times: int = 1) -> None:
    metrics.catalog_webhooks.labels(kind=kind, outcome=outcome).inc(times)
