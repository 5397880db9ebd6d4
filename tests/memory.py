"""The ports without a database, to measure and fuzz the engine; storage has its own tests."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from engine.box_ports import OutboxEntry, Said
from engine.domain.cart import Cart
from engine.domain.catalog import Category, ModifierGroup, Presentation, Product
from engine.domain.conversation import Conversation
from engine.domain.ids import (
    CategoryId,
    CustomerKey,
    OrderNumber,
    ProductId,
    TenantId,
)
from engine.domain.menu import Menu
from engine.domain.order import Order, OrderStatus
from engine.errors import Conflict
from engine.flow_ports import (
    Deployment,
    DeploymentRepository,
    FlowSession,
    FlowSessionRepository,
    FlowStatus,
)
from engine.ports import (
    Business,
    CartRepository,
    CatalogRepository,
    ConversationRepository,
    NativeCatalog,
    OrderRepository,
    TurnRecord,
)
from engine.staff_ports import HandOffRepository, Spoken, StaffLine
from engine.whatsapp.flow_crypto import FlowKey
from tests.memory_boxes import Boxes


class MemoryCatalog:
    """A catalog made of a menu file."""

    def __init__(self, menu: Menu) -> None:
        self._menu = menu
        self.products = {rid: menu.product(rid) for rid in menu.products}

    async def get_categories(self) -> tuple[Category, ...]:
        counts: dict[str, int] = {}
        for product in self.products.values():
            counts[product.category_id] = counts.get(product.category_id, 0) + 1
        return tuple(
            Category(CategoryId(key), c.name, counts[key])
            for key, c in self._menu.categories.items()
            if c.active and key in counts
        )

    async def get_products_by_category(
        self, category_id: str | None = None, *, limit: int = 200
    ) -> tuple[Product, ...]:
        found = (p for p in self.products.values() if category_id in (None, p.category_id))
        return tuple(found)[:limit]

    async def get_product_by_id(self, product_id: str) -> Product | None:
        return self.products.get(product_id)

    async def get_presentations_for_product(self, product_id: str) -> tuple[Presentation, ...]:
        return self.products[product_id].presentations

    async def get_modifiers_for_product(self, product_id: str) -> tuple[ModifierGroup, ...]:
        return self.products[product_id].groups

    async def get_product_names(self) -> tuple[tuple[ProductId, str], ...]:
        return tuple((p.id, p.name) for p in self.products.values())


class MemoryOrders:
    """The orders of one tenant."""

    def __init__(self) -> None:
        self.orders: list[Order] = []

    async def get_latest(self, customer: CustomerKey) -> Order | None:
        return next((o for o in reversed(self.orders) if o.customer == customer), None)

    async def get_by_number(self, number: OrderNumber, customer: CustomerKey) -> Order | None:
        return next(
            (o for o in self.orders if o.number == number and o.customer == customer), None
        )

    async def move(self, number: OrderNumber, status: OrderStatus, *, at: datetime) -> bool | None:
        for place, order in enumerate(self.orders):
            if order.number == number:
                moved = order.move(status)
                self.orders[place] = moved or order
                return moved is not None
        return None


class MemoryConversations:
    """The conversations of one tenant."""

    def __init__(self) -> None:
        self.held: dict[CustomerKey, Conversation] = {}

    async def get(self, customer: CustomerKey) -> Conversation | None:
        return self.held.get(customer)


class MemoryCarts:
    """The carts of one tenant."""

    def __init__(self) -> None:
        self.held: dict[CustomerKey, Cart] = {}

    async def get(self, customer: CustomerKey) -> Cart | None:
        return self.held.get(customer)


class MemoryFlowSessions:
    """The Flow sessions of one tenant."""

    def __init__(self, sent: Mapping[str, OutboxEntry]) -> None:
        self.held: dict[str, FlowSession] = {}
        self._sent = sent

    async def get(self, session_id: str) -> FlowSession | None:
        return self.held.get(session_id)

    async def save(self, session: FlowSession) -> None:
        self.require_open(session)
        self.held[session.id] = session

    async def token_of(self, wamid: str) -> str | None:
        part: Any = self._sent[wamid].payload if wamid in self._sent else None
        for name in ("interactive", "action", "parameters", "flow_token"):
            part = part.get(name) if isinstance(part, Mapping) else None
        return part if isinstance(part, str) else None

    def require_open(self, session: FlowSession) -> None:
        before = self.held.get(session.id)
        if before is None or (before.state, before.version) != ("open", session.version - 1):
            raise Conflict("the Flow's outcome was taken already, or the Flow has moved on")


class MemoryDeployments:
    """The Flows of one tenant at Meta."""

    def __init__(self) -> None:
        self.held: dict[str, Deployment] = {}

    async def all(self) -> tuple[Deployment, ...]:
        return tuple(self.held[key] for key in sorted(self.held))

    async def save(self, deployment: Deployment) -> None:
        others = (held for key, held in self.held.items() if key != deployment.key)
        if any(held.meta_id == deployment.meta_id for held in others):
            raise Conflict("Meta's Flow is deployed under another key already")
        self.held[deployment.key] = deployment

    async def hold(
        self, meta_id: str, *, status: FlowStatus, until: datetime | None, at: datetime
    ) -> bool:
        found = next((held for held in self.held.values() if held.meta_id == meta_id), None)
        if found is None:
            return False
        if found.updated_at.replace(microsecond=0) <= at:
            self.held[found.key] = replace(found, status=status, held_until=until, updated_at=at)
        return True


class MemoryFlowKeys:
    """The tenants' keys for Flow exchanges: `engine.flow_ports.FlowKeys`."""

    def __init__(self, default: FlowKey | None = None) -> None:
        self.held: dict[TenantId, FlowKey] = {}
        self._default = default

    async def get(self, tenant: TenantId) -> FlowKey | None:
        return self.held.get(tenant, self._default)

    async def renew(self, tenant: TenantId) -> FlowKey | None:
        return await self.get(tenant)

    async def save(self, tenant: TenantId, key: FlowKey) -> None:
        self.held[tenant] = key


class MemoryBusinesses:
    """The documents of tenants, by sub-domain."""

    def __init__(self, *businesses: Business) -> None:
        self._held = {business.tenant: business for business in businesses}

    def change(self, tenant: TenantId, **changes: Any) -> None:
        """Write a business as another process does."""
        self._held[tenant] = replace(self._held[tenant], **changes)

    async def by_phone_number_id(self, phone_number_id: str) -> Business | None:
        held = self._held.values()
        return next((b for b in held if phone_number_id in b.phone_number_ids), None)

    async def by_tenant(self, tenant: TenantId) -> Business | None:
        return self._held.get(tenant)

    async def tenants_of(self, waba_id: str) -> tuple[TenantId, ...]:
        return tuple(b.tenant for b in self._held.values() if b.waba_id == waba_id)

    async def map_flow(self, tenant: TenantId, key: str, meta_id: str | None) -> None:
        held = self._held[tenant]
        mapping = {k: v for k, v in (held.flow_mapping or {}).items() if k != key}
        added = {} if meta_id is None else {key: meta_id}
        self._held[tenant] = replace(held, flow_mapping=mapping | added)

    async def map_catalog(self, tenant: TenantId, key: str, catalog_id: str | None) -> None:
        held = self._held[tenant]
        mapping = {k: v for k, v in (held.catalog_mapping or {}).items() if k != key}
        added = {} if catalog_id is None else {key: catalog_id}
        self._held[tenant] = replace(held, catalog_mapping=mapping | added)

    async def tenants_of_business(self, fb_business_id: str) -> tuple[TenantId, ...]:
        held = self._held.values()
        return tuple(
            b.tenant for b in held if fb_business_id and b.fb_business_id == fb_business_id
        )


class MemoryNative:
    """What customers see in WhatsApp's own catalogue; a test puts it there.

    Args:
        connected: Meta's id of the catalogue.
        held: the items Meta has taken, by product.
    """

    def __init__(self) -> None:
        self.connected: str | None = None
        self.held: dict[ProductId, tuple[str, ...]] = {}

    async def catalog_id(self) -> str | None:
        return self.connected

    async def items(self, products: Sequence[ProductId]) -> Mapping[ProductId, tuple[str, ...]]:
        return {product: self.held[product] for product in products if product in self.held}


class MemoryHandOffs:
    """The hand-offs of one tenant; a test fills them.

    Args:
        words: what customers sent last.
        known: ids of hand-offs that the staff was told of.
        lines: those of staff who have written, by phone.
        keys: customers' keys by phone.
    """

    def __init__(self) -> None:
        self.words: dict[CustomerKey, tuple[Spoken, ...]] = {}
        self.known: set[str] = set()
        self.lines: dict[str, StaffLine] = {}
        self.keys: dict[str, CustomerKey] = {}

    async def line(self, phone: str) -> StaffLine:
        return self.lines.get(phone, StaffLine(CustomerKey(phone), phone))

    async def last_words(self, customer: CustomerKey) -> Sequence[Spoken]:
        return self.words.get(customer, ())

    async def is_known(self, handoff: str) -> bool:
        return handoff in self.known

    async def key_of(self, *, phone: str) -> CustomerKey | None:
        return self.keys.get(phone)


class MemoryStore:
    """One tenant's store: `engine.ports.TenantStore`; stock and order numbers are not asked.

    Args:
        committed: every turn.
        placed: every order.
        sent: what was sent, by what Meta calls it; a test puts it there.
        shown: `native`, for a test to fill.
        called: `handoffs`, for a test to fill.
        boxes: what a turn is committed to as well; without them messages and timers are kept in
            `committed` only.
    """

    def __init__(self, catalog: CatalogRepository, boxes: Boxes | None = None) -> None:
        self._boxes = boxes
        self.sent: dict[str, OutboxEntry] = {}
        self._carts, self._orders = MemoryCarts(), MemoryOrders()
        self._conversations = MemoryConversations()
        self._flow_sessions = MemoryFlowSessions(self.sent)
        self.catalog = catalog
        self.carts: CartRepository = self._carts
        self.orders: OrderRepository = self._orders
        self.conversations: ConversationRepository = self._conversations
        self.flow_sessions: FlowSessionRepository = self._flow_sessions
        self.deployments: DeploymentRepository = MemoryDeployments()
        self.shown = MemoryNative()
        self.native: NativeCatalog = self.shown
        self.called = MemoryHandOffs()
        self.handoffs: HandOffRepository = self.called
        self.committed: list[TurnRecord] = []
        self.placed = self._orders.orders
        self._turns: set[str] = set()

    async def commit(self, record: TurnRecord) -> None:
        if self._boxes is None:
            self._write(record)
            return
        await self._boxes.strike("turn.commit")
        self._boxes.require_new(record)
        self._write(record)
        self._boxes.put_turn(record)
        await self._boxes.strike("turn.committed")

    def _write(self, record: TurnRecord) -> None:
        self._require_first(record)
        customer = record.conversation.customer
        self._turns.add(record.inbox_id)
        self.committed.append(record)
        self._conversations.held[customer] = record.conversation
        if record.succeeds is not None:
            del self._conversations.held[record.succeeds.customer]
        if record.cart is not None:
            self._carts.held[customer] = record.cart
        self.placed += record.orders
        sessions = self._flow_sessions.held
        sessions.update((flow.id, flow) for flow in record.flow_sessions)
        if record.flow_done is not None:
            sessions[record.flow_done.id] = replace(record.flow_done, state="done")

    def _require_first(self, record: TurnRecord) -> None:
        if record.flow_done is not None:
            self._flow_sessions.require_open(record.flow_done)
        if record.inbox_id in self._turns:
            raise Conflict("the message was answered already")
        held = self._conversations.held.get(record.conversation.customer)
        if record.conversation.version != (held.version if held else 0) + 1:
            raise Conflict("another turn of the conversation was faster")
        former = record.succeeds
        if former is not None and self._conversations.held.get(former.customer) != former:
            raise Conflict("the conversation that it goes on with has moved on")
        if any(flow.id in self._flow_sessions.held for flow in record.flow_sessions):
            raise Conflict("another turn changed the same records")

    async def said(self, wamid: str) -> Said | None:
        return self.sent[wamid].said if wamid in self.sent else None

    async def move_order(
        self, number: OrderNumber, status: OrderStatus, *, at: datetime
    ) -> bool | None:
        return await self._orders.move(number, status, at=at)
