"""What the engine needs of a database, as protocols and the values that cross them.

The adapters live in `engine.storage`; nothing here knows how a row is stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from engine.box_ports import InboxRow, OutboxEntry, Said, Timer
from engine.domain.cart import Cart
from engine.domain.catalog import Category, ModifierGroup, Presentation, Product
from engine.domain.conversation import Conversation
from engine.domain.ids import CustomerKey, OrderNumber, ProductId, TenantId
from engine.domain.order import Order, OrderStatus
from engine.flow_ports import DeploymentRepository, FlowSession, FlowSessionRepository
from engine.staff_ports import HandOffRepository


@dataclass(frozen=True, slots=True)
class Business:
    """A tenant's document in the database: what Meta calls it, and the key to its account."""

    tenant: TenantId
    name: str
    phone_number_ids: tuple[str, ...]
    access_token: str = field(default="", repr=False)
    waba_id: str | None = None
    fb_business_id: str | None = None
    catalog_mapping: Mapping[str, str] | None = None
    flow_mapping: Mapping[str, str] | None = None
    local_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a turn asked from outside its conversation, and what it was told.

    Args:
        call: what was asked, such as `catalog.product`.
        value: the answer as the turn got it.
    """

    call: str
    arguments: tuple[str | int | None, ...]
    value: object


@dataclass(frozen=True, slots=True)
class Recording:
    """What a turn was decided from, beside its cause and the bundle: with it, it can be replayed.

    Args:
        conversation: as it was stored; None for a new customer's.
        cart: as it was stored; None if there was none.
        drawn: the ids that were made, each with its kind, in order.
        session: the Flow that came to its end by an exchange, if that is the cause.
    """

    conversation: Conversation | None
    cart: Cart | None
    drawn: tuple[tuple[str, str], ...] = ()
    readings: tuple[Reading, ...] = ()
    session: FlowSession | None = None


@dataclass(frozen=True, slots=True)
class TurnLog:
    """What a turn did and why; what the customer wrote is in the inbox, what he got in the outbox.

    Args:
        recording: None for one that an earlier version took.
    """

    event: str
    source: str | None
    target: str | None
    steps: tuple[Mapping[str, Any], ...]
    bundle: str
    outcome: Literal["done", "ignored", "failed"]
    error: str | None = None
    recording: Recording | None = None


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """Everything one turn writes; it is committed as a whole or not at all.

    Args:
        inbox_id: the row that becomes done; `flow:<session id>` for the end of a Flow that came
            by an exchange, which has no row.
        conversation: with its `version` raised by one; the stored one must be one behind.
        cart: the new cart, or None if it did not change; one without lines is deleted.
        stock: units to take, by product; the product must still have them.
        timers: to be set; those of a state are new, one of no state takes the earlier one's place.
        has_timers: the chart has timers, so that some of states that were left may wait: they go.
        timers_dropped: ids of timers of no state that go.
        given_up: why the message is not tried any more; its row becomes dead, not done.
        has_inbox_row: False for the end of a Flow that came by an exchange.
        flow_sessions: Flows that this turn sends.
        flow_done: the session whose outcome this turn takes, with its `params` and its `version`
            raised by one; the stored one must be open and one behind.
        sync_products: products to be compared with Meta's catalogue soon.
        given_back: hand-offs that end, by their ids: each raises `handed_back` in the conversation
            it is of, once.
        succeeds: a conversation of another key that this one goes on with: it goes, if it is still
            of that version, and its timers become this one's.
        passed_on: new rows of other conversations.
    """

    inbox_id: str
    conversation: Conversation
    log: TurnLog
    at: datetime
    cart: Cart | None = None
    orders: tuple[Order, ...] = ()
    stock: tuple[tuple[ProductId, int], ...] = ()
    outbox: tuple[OutboxEntry, ...] = ()
    timers: tuple[Timer, ...] = ()
    has_timers: bool = True
    timers_dropped: tuple[str, ...] = ()
    has_inbox_row: bool = True
    given_up: str | None = None
    flow_sessions: tuple[FlowSession, ...] = ()
    flow_done: FlowSession | None = None
    sync_products: tuple[ProductId, ...] = ()
    given_back: tuple[str, ...] = ()
    succeeds: Conversation | None = None
    passed_on: tuple[InboxRow, ...] = ()


@dataclass(frozen=True, slots=True)
class LoggedMessage:
    """A message that a turn decided on.

    Args:
        wamid: what Meta calls it; None if it was not sent.
        is_switched: it went out with its template as its body.
    """

    entry: OutboxEntry
    wamid: str | None = None
    is_switched: bool = False


@dataclass(frozen=True, slots=True)
class LoggedTurn:
    """A turn as it was logged.

    Args:
        version: of the conversation after it.
        row: what came; None for the end of a Flow, and if it is not kept any more.
        given_up: why the message was given up, if that is what the turn told.
    """

    id: str
    tenant: TenantId
    customer: CustomerKey
    version: int
    at: datetime
    log: TurnLog
    row: InboxRow | None = None
    messages: tuple[LoggedMessage, ...] = ()
    given_up: str | None = None


class TurnLogs(Protocol):
    """The logs of one tenant's turns."""

    async def of(
        self, customer: CustomerKey, *, until: datetime | None = None, limit: int = 0
    ) -> tuple[LoggedTurn, ...]:
        """Give a customer's turns, the oldest first.

        Args:
            until: those that were taken at this time or before.
            limit: the newest of them; 0 for all.
        """
        ...

    async def customer_of(self, number: OrderNumber) -> CustomerKey | None:
        """Give the customer who placed an order; None if there is no such order, or nobody."""
        ...


class CatalogRepository(Protocol):
    """What one tenant sells."""

    async def get_categories(self) -> tuple[Category, ...]:
        """Give the active categories that have active products, with their number, in order."""
        ...

    async def get_products_by_category(
        self, category_id: str | None = None, *, limit: int = 200
    ) -> tuple[Product, ...]:
        """Give the active products of a category (of all, if None) in order."""
        ...

    async def get_product_by_id(self, product_id: str) -> Product | None:
        """Give an active product with its presentations and modifier groups."""
        ...

    async def get_presentations_for_product(self, product_id: str) -> tuple[Presentation, ...]:
        """Give the presentations of a product in order."""
        ...

    async def get_modifiers_for_product(self, product_id: str) -> tuple[ModifierGroup, ...]:
        """Give the modifier groups of a product in order."""
        ...

    async def get_product_names(self) -> tuple[tuple[ProductId, str], ...]:
        """Give the name of every active product, to find one by what a customer typed."""
        ...


class CartRepository(Protocol):
    """The carts of one tenant."""

    async def get(self, customer: CustomerKey) -> Cart | None:
        """Give a customer's stored cart, expired or not."""
        ...


class OrderRepository(Protocol):
    """The orders of one tenant."""

    async def get_latest(self, customer: CustomerKey) -> Order | None:
        """Give a customer's newest order."""
        ...

    async def get_by_number(self, number: OrderNumber, customer: CustomerKey) -> Order | None:
        """Give one of a customer's own orders."""
        ...


class ConversationRepository(Protocol):
    """The conversations of one tenant."""

    async def get(self, customer: CustomerKey) -> Conversation | None:
        """Give a customer's conversation."""
        ...


class NativeCatalog(Protocol):
    """What of one tenant's products customers can see in WhatsApp's own catalogue."""

    async def catalog_id(self) -> str | None:
        """Give Meta's id of the catalogue that is connected to WhatsApp; None if there is none."""
        ...

    async def items(self, products: Sequence[ProductId]) -> Mapping[ProductId, tuple[str, ...]]:
        """Give the ids (Meta's `retailer_id`) of the items of products that Meta has taken."""
        ...


class TenantStore(Protocol):
    """The database as one tenant sees it: no query can leave it."""

    catalog: CatalogRepository
    carts: CartRepository
    orders: OrderRepository
    conversations: ConversationRepository
    flow_sessions: FlowSessionRepository
    deployments: DeploymentRepository
    native: NativeCatalog
    handoffs: HandOffRepository

    async def commit(self, record: TurnRecord) -> None:
        """Write a turn in one transaction.

        Raises:
            Conflict: another turn of the conversation was faster, the row or the Flow session is
                done already, an order number is taken, or a product has not the units; nothing
                is written.
            Unavailable: the database does not answer.
        """
        ...

    async def said(self, wamid: str) -> Said | None:
        """Tell which state said the message that Meta calls so."""
        ...

    async def move_order(
        self, number: OrderNumber, status: OrderStatus, *, at: datetime
    ) -> bool | None:
        """Give one of the tenant's orders another status.

        Returns:
            False if the move is not legal, None if there is no such order.
        """
        ...


class BusinessRepository(Protocol):
    """The tenants' documents."""

    async def by_phone_number_id(self, phone_number_id: str) -> Business | None:
        """Find the active business with WhatsApp enabled that has a number."""
        ...

    async def by_tenant(self, tenant: TenantId) -> Business | None:
        """Find a business by its sub-domain."""
        ...

    async def tenants_of(self, waba_id: str) -> tuple[TenantId, ...]:
        """Name the tenants that a WhatsApp account is of."""
        ...

    async def map_flow(self, tenant: TenantId, key: str, meta_id: str | None) -> None:
        """Set or remove one key of `fbFlowMapping`; the others stay as they are."""
        ...

    async def map_catalog(self, tenant: TenantId, key: str, catalog_id: str | None) -> None:
        """Set or remove one key of `fbCatalogMapping`; the others stay as they are."""
        ...

    async def tenants_of_business(self, fb_business_id: str) -> tuple[TenantId, ...]:
        """Name the tenants that a business portfolio of Meta is of."""
        ...
