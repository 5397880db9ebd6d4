"""What the engine needs of a database, as protocols and the values that cross them.

The adapters live in `engine.storage`; nothing here knows how a row is stored.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from engine.domain.cart import Cart
from engine.domain.catalog import Category, ModifierGroup, Presentation, Product
from engine.domain.conversation import Conversation
from engine.domain.ids import CustomerKey, OrderNumber, ProductId, TenantId
from engine.domain.order import Order, OrderStatus
from engine.flow_ports import DeploymentRepository, FlowSession, FlowSessionRepository
from engine.slots import SlotTable


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
class InboxRow:
    """A message of a customer, stored before it is answered for.

    Args:
        id: `<phone_number_id>:<wamid>`; storing it twice is refused by the database.
        raw: the message as `engine.whatsapp.inbound.restore_message` reads it back.
        timestamp: Meta's, in Unix seconds.
        attempts: turns tried so far.
    """

    id: str
    tenant: TenantId
    customer: CustomerKey
    timestamp: int
    received_at: datetime
    raw: Mapping[str, Any]
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """Which state of which chart said a message, to make sense of a tap on it later."""

    chart: str
    version: int
    state: str
    entry: int


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """A message to a customer, stored in the transaction that decided on it.

    Args:
        id: `<inbox id>:<n>`, so that a repeated turn cannot say it twice; it goes out as
            `biz_opaque_callback_data`, and comes back in every status.
        sequence: order of the conversation's messages.
        payload: the complete body for the Graph API.
        said: None for a read receipt.
        window_ends: until when WhatsApp takes it as it is: 24 hours after the customer's last
            message (messages/send-messages); None if that does not matter.
        template: the complete body that may be sent after that; None if there is none, empty if
            the one of the entry before stands for this one, too.
        is_unknown: it was sent, and Meta did not answer; it may have taken it.
    """

    id: str
    tenant: TenantId
    customer: CustomerKey
    phone_number_id: str
    sequence: int
    payload: Mapping[str, Any]
    created_at: datetime
    said: Said | None = None
    attempts: int = 0
    window_ends: datetime | None = None
    template: Mapping[str, Any] | None = None
    is_unknown: bool = False


@dataclass(frozen=True, slots=True)
class StatusNews:
    """What Meta tells of a message of ours.

    Args:
        wamid: what Meta calls it.
        opaque: the id of its entry, which it went out with; None if Meta does not repeat it.
        status: Meta's word.
        error: why it failed.
    """

    wamid: str
    opaque: str | None
    status: str
    at: datetime
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Timer:
    """An event a conversation gets at a time, unless it has moved on.

    Args:
        id: setting one of the same id again moves it.
        entry: of the state it is of, as in `Conversation.entries`; None if it is of no state.
        phone_number_id: the business number the conversation is with.
    """

    id: str
    tenant: TenantId
    customer: CustomerKey
    event: str
    entry: int | None
    due: datetime
    phone_number_id: str = ""


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much is due and waits.

    Args:
        depth: rows; counted up to a thousand.
        since: when the longest due one became due; None if nothing is due.
    """

    depth: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class TurnLog:
    """What a turn did and why, without what the customer wrote."""

    event: str
    source: str | None
    target: str | None
    steps: tuple[Mapping[str, Any], ...]
    bundle: str
    outcome: Literal["done", "ignored", "failed"]
    error: str | None = None


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


class Inbox(Protocol):
    """Messages of customers that wait for their turn."""

    async def accept(self, rows: Sequence[InboxRow]) -> tuple[InboxRow, ...]:
        """Store messages durably; give the ones that were not stored before."""
        ...

    async def waiting(
        self, slots: Collection[int], *, now: datetime, limit: int = 100
    ) -> tuple[InboxRow, ...]:
        """Give the oldest messages of the slots that are due, per conversation in Meta's order."""
        ...

    async def postpone(self, row: InboxRow, *, until: datetime, error: str) -> None:
        """Count a failed attempt and try again later."""
        ...

    async def bury(self, row: InboxRow, *, error: str) -> None:
        """Give a message up; it stays for the operator to see."""
        ...

    async def backlog(self) -> Backlog:
        """Tell how much waits, and since when."""
        ...


class Outbox(Protocol):
    """Messages to customers that wait to be sent.

    What is changed here is changed only while an entry waits: one that a status has settled, or an
    operator has taken out, stays as it is.
    """

    async def waiting(
        self, slots: Collection[int], *, now: datetime, limit: int = 100
    ) -> tuple[OutboxEntry, ...]:
        """Give the oldest entries of the slots that are due, per customer as they were written."""
        ...

    async def sent(self, entry: OutboxEntry, *, wamid: str, at: datetime) -> None:
        """Note that Meta took an entry."""
        ...

    async def postpone(
        self,
        entry: OutboxEntry,
        *,
        until: datetime,
        error: str,
        counts: bool = True,
        is_unknown: bool = False,
    ) -> None:
        """Try again later.

        Args:
            counts: it was an attempt.
            is_unknown: Meta may have taken the entry: a status may settle it meanwhile.
        """
        ...

    async def postpone_all(self, tenant: TenantId, *, until: datetime, error: str) -> None:
        """Try everything of a tenant that waits later."""
        ...

    async def bury(self, entry: OutboxEntry, *, error: str) -> None:
        """Give an entry up; it stays for the operator to see."""
        ...

    async def discard(self, entry: OutboxEntry, *, reason: str) -> None:
        """Take an entry out that is not worth another try; nobody need see to it."""
        ...

    async def hold(self, entry: OutboxEntry, *, reason: str) -> None:
        """Keep an entry back until an operator decides; later ones go on."""
        ...

    async def switch(
        self, entry: OutboxEntry, *, payload: Mapping[str, Any], at: datetime
    ) -> bool:
        """Let an entry that waits or has failed go out with another body, once.

        It waits from then on, without a template and with no attempt made.

        Returns:
            False if its body was switched already.
        """
        ...

    async def entry(
        self, tenant: TenantId, *, wamid: str, opaque: str | None
    ) -> OutboxEntry | None:
        """Find an entry by the id it went out with, else by what Meta calls it.

        A status may come before we have noted what Meta calls the message.
        """
        ...

    async def note_statuses(self, tenant: TenantId, news: Sequence[StatusNews]) -> int:
        """Note what became of messages; a status never moves backwards.

        One that still waits was taken: it is sent from then on, whatever we know of its sending.
        Old statuses, and those of messages that are not ours, change nothing.

        Returns:
            How many entries have changed.
        """
        ...

    async def status_of(self, entry: OutboxEntry) -> str | None:
        """Give the latest status of an entry."""
        ...

    async def sent_since(
        self, tenant: TenantId, customer: CustomerKey, since: datetime
    ) -> tuple[datetime, ...]:
        """Give when messages (no receipts) went out to a customer, the oldest first."""
        ...

    async def backlog(self) -> Backlog:
        """Tell how much waits, and since when."""
        ...


class Timers(Protocol):
    """Events that wait for their time; turns set them."""

    async def due(
        self, slots: Collection[int], *, now: datetime, limit: int = 100
    ) -> tuple[Timer, ...]:
        """Give the longest due timers of the slots."""
        ...

    async def drop(self, timers: Sequence[Timer]) -> None:
        """Remove timers that have fired, unless one was set again to another time meanwhile."""
        ...


class SlotTables(Protocol):
    """The table of slots, which all processes share."""

    async def read(self) -> SlotTable:
        """Give the table; an empty one if there is none."""
        ...

    async def swap(self, table: SlotTable) -> bool:
        """Store a table whose version was raised by one; False if another process was faster."""
        ...
