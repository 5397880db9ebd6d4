"""A moment of a rehearsed conversation: everything its next turn builds on, as a value.

A moment is never changed: any number of turns can be tried from it. How a turn is decided is not
known here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from engine.box_ports import OutboxEntry, Said, Timer
from engine.domain.cart import Cart
from engine.domain.conversation import Conversation
from engine.domain.ids import CustomerKey, OrderNumber, ProductId
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
    CartRepository,
    CatalogRepository,
    ConversationRepository,
    NativeCatalog,
    OrderRepository,
    TurnRecord,
)
from engine.staff_ports import HandOffRepository, Spoken, StaffLine


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a rehearsed conversation stands.

    Args:
        conversation: None before the customer's first message.
        turns: how many were taken.
        sent: the messages he got, by the id of each.
        taken: units ordered of counted products.
    """

    now: datetime
    conversation: Conversation | None = None
    cart: Cart | None = None
    orders: tuple[Order, ...] = ()
    timers: tuple[Timer, ...] = ()
    sessions: Mapping[str, FlowSession] = field(default_factory=dict)
    sent: Mapping[str, OutboxEntry] = field(default_factory=dict)
    taken: Mapping[ProductId, int] = field(default_factory=dict)
    turns: int = 0

    @property
    def state(self) -> str | None:
        """Name the state the customer is in."""
        position = self.conversation.position if self.conversation else None
        return position.leaf if position else None

    @property
    def next_timer(self) -> Timer | None:
        """Give the timer that fires first."""
        return min(self.timers, key=lambda timer: (timer.due, timer.id), default=None)

    def after(self, record: TurnRecord) -> "Moment":
        """Give the moment after a turn: what a database would hold."""
        cart = self.cart
        if record.cart is not None:
            cart = record.cart if record.cart.lines else None
        taken = dict(self.taken)
        for product, units in record.stock:
            taken[product] = taken.get(product, 0) + units
        sessions = {**self.sessions, **{one.id: one for one in record.flow_sessions}}
        if record.flow_done:
            sessions[record.flow_done.id] = record.flow_done
        said = {entry.id: entry for entry in record.outbox if entry.said is not None}
        return replace(
            self,
            conversation=record.conversation,
            cart=cart,
            orders=(*self.orders, *record.orders),
            timers=tuple(self._timers_after(record)),
            sessions=sessions,
            sent={**self.sent, **said},
            taken=taken,
            turns=self.turns + 1,
        )

    def _timers_after(self, record: TurnRecord) -> list[Timer]:
        current = {None, *record.conversation.entries.values()}
        new = {timer.id for timer in record.timers}
        kept = [
            timer
            for timer in self.timers
            if timer.id not in new
            and timer.id not in record.timers_dropped
            and (not record.has_timers or timer.entry in current)
        ]
        return [*kept, *record.timers]


class MomentStore:
    """What a turn reads of a moment: `engine.ports.TenantStore`, which nothing can be written to.

    Args:
        native: what of the products is in WhatsApp's own catalogue.
    """

    def __init__(self, moment: Moment, catalog: CatalogRepository, native: NativeCatalog) -> None:
        self._moment = moment
        self.catalog: CatalogRepository = catalog
        self.carts: CartRepository = _Carts(moment)
        self.orders: OrderRepository = _Orders(moment)
        self.conversations: ConversationRepository = _Conversations(moment)
        self.flow_sessions: FlowSessionRepository = _Sessions(moment)
        self.deployments: DeploymentRepository = _NoDeployments()
        self.native: NativeCatalog = native
        self.handoffs: HandOffRepository = _NobodyElse()

    async def commit(self, record: TurnRecord) -> None:  # noqa: ARG002
        """Refuse: a moment does not change."""
        raise Conflict("a rehearsal writes nothing")

    async def said(self, wamid: str) -> Said | None:
        """Tell which state said a message."""
        found = self._moment.sent.get(wamid)
        return found.said if found else None

    async def move_order(
        self,
        number: OrderNumber,  # noqa: ARG002
        status: OrderStatus,  # noqa: ARG002
        *,
        at: datetime,  # noqa: ARG002
    ) -> bool | None:
        """Find no order: a moment does not change."""
        return None


@dataclass(frozen=True, slots=True)
class _Conversations:
    moment: Moment

    async def get(self, customer: CustomerKey) -> Conversation | None:  # noqa: ARG002
        """Give the customer's conversation."""
        return self.moment.conversation


@dataclass(frozen=True, slots=True)
class _Carts:
    moment: Moment

    async def get(self, customer: CustomerKey) -> Cart | None:  # noqa: ARG002
        """Give the customer's cart."""
        return self.moment.cart


@dataclass(frozen=True, slots=True)
class _Orders:
    moment: Moment

    async def get_latest(self, customer: CustomerKey) -> Order | None:  # noqa: ARG002
        """Give the customer's newest order."""
        return self.moment.orders[-1] if self.moment.orders else None

    async def get_by_number(self, number: OrderNumber, customer: CustomerKey) -> Order | None:  # noqa: ARG002
        """Give one of the customer's orders."""
        return next((order for order in self.moment.orders if order.number == number), None)


@dataclass(frozen=True, slots=True)
class _Sessions:
    moment: Moment

    async def get(self, session_id: str) -> FlowSession | None:
        """Give a Flow session."""
        return self.moment.sessions.get(session_id)

    async def save(self, session: FlowSession) -> None:  # noqa: ARG002
        """Refuse: a moment does not change."""
        raise Conflict("a rehearsal writes nothing")

    async def token_of(self, wamid: str) -> str | None:  # noqa: ARG002
        """Find no token: a rehearsed Flow ends without one."""
        return None


class _NoDeployments:
    """No Flow was deployed by us: what the mapping names can be sent."""

    async def all(self) -> tuple[Deployment, ...]:
        """Give nothing."""
        return ()

    async def save(self, deployment: Deployment) -> None:
        """Keep nothing."""

    async def hold(
        self,
        meta_id: str,  # noqa: ARG002
        *,
        status: FlowStatus,  # noqa: ARG002
        until: datetime | None,  # noqa: ARG002
        at: datetime,  # noqa: ARG002
    ) -> bool:
        """Know of no Flow."""
        return False


class _NobodyElse:
    """The staff of a rehearsal: they can be told, and have never written."""

    async def line(self, phone: str) -> StaffLine:
        return StaffLine(CustomerKey(phone), phone)

    async def last_words(self, customer: CustomerKey) -> Sequence[Spoken]:  # noqa: ARG002
        return ()

    async def is_known(self, handoff: str) -> bool:  # noqa: ARG002
        return False

    async def key_of(self, *, phone: str) -> CustomerKey | None:  # noqa: ARG002
        return None
