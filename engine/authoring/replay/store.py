"""What a replayed turn reads: what was read when the turn was taken, and nothing else.

It answers what was asked then; what nobody has asked is not known, and is said to be so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

from engine.box_ports import Said
from engine.clock import SeededIds
from engine.domain.cart import Cart
from engine.domain.catalog import Category, ModifierGroup, Presentation, Product
from engine.domain.conversation import Conversation
from engine.domain.ids import CustomerKey, OrderNumber, ProductId, TenantId
from engine.domain.order import Order, OrderStatus
from engine.errors import Conflict, EngineError
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
    Reading,
    TurnRecord,
)
from engine.runtime import recording as asked
from engine.staff_ports import HandOffRepository, Spoken, StaffLine

MADE_UP: Final = 20_301
"""The seed of ids that were not drawn then; tests and rehearsals have others."""
Key: TypeAlias = tuple[str | int | None, ...]


class NotRecorded(EngineError):
    """A replayed turn asks what nobody asked when the turn was taken."""


@dataclass(frozen=True, slots=True)
class Past:
    """What a turn is replayed from.

    Args:
        answers: what was read, by what was asked.
        products: those that any reading has, by id.
        orders: those that the replay has placed so far, the oldest first.
        said: which state said a message, by what Meta calls it.
        missing: gets a line for everything that is asked and not known.
    """

    conversation: Conversation | None
    cart: Cart | None
    answers: Mapping[Key, Any]
    products: Mapping[str, Product] = field(default_factory=dict)
    orders: tuple[Order, ...] = ()
    said: Mapping[str, Said] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def find(self, call: str, *arguments: str | int | None) -> Any:
        """Give what was answered.

        Raises:
            NotRecorded: nobody has asked it.
        """
        key = (call, *arguments)
        if key not in self.answers:
            line = " ".join(str(part) for part in key if part is not None)
            self.missing.append(line)
            raise NotRecorded(f"{line} was not recorded: it cannot be told what comes of it")
        return self.answers[key]


def answers_of(*recorded: Iterable[Reading]) -> dict[Key, Any]:
    """Give the answers of readings by what was asked; the ones named first count."""
    found: dict[Key, Any] = {}
    for readings in recorded:
        for reading in readings:
            found.setdefault((reading.call, *reading.arguments), reading.value)
    return found


def products_of(answers: Mapping[Key, Any]) -> dict[str, Product]:
    """Give the products that answers have, by id."""
    found: dict[str, Product] = {}
    for (call, *_), value in answers.items():
        if call == asked.PRODUCTS:
            found.update((each.id, each) for each in value)
    for (call, *_), value in answers.items():
        if call == asked.PRODUCT and value is not None:
            found[value.id] = value
    return found


class PastStore:
    """The store of a replayed turn: `engine.ports.TenantStore`, which nothing is written to."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self.catalog: CatalogRepository = _Catalog(past)
        self.carts: CartRepository = _Carts(past)
        self.orders: OrderRepository = _Orders(past)
        self.conversations: ConversationRepository = _Conversations(past)
        self.flow_sessions: FlowSessionRepository = _Sessions()
        self.deployments: DeploymentRepository = _Deployments(past)
        self.native: NativeCatalog = _Native(past)
        self.handoffs: HandOffRepository = _HandOffs(past)

    async def commit(self, record: TurnRecord) -> None:  # noqa: ARG002
        """Refuse: the past does not change."""
        raise Conflict("a replay writes nothing")

    async def said(self, wamid: str) -> Said | None:
        """Tell which state said a message."""
        recorded: Said | None = self._past.answers.get((asked.SAID, wamid))
        return self._past.said.get(wamid) or recorded

    async def move_order(
        self,
        number: OrderNumber,  # noqa: ARG002
        status: OrderStatus,  # noqa: ARG002
        *,
        at: datetime,  # noqa: ARG002
    ) -> bool | None:
        """Find no order: the past does not change."""
        return None

    async def business(self, tenant: TenantId) -> Business:
        """Give the tenant's document, as far as it was read."""
        return Business(tenant, "", (), flow_mapping=self._past.find(asked.MAPPING))


class PastTokens:
    """The tokens of a replayed turn: `engine.runtime.flow_tokens.Tokens`."""

    def __init__(self, past: Past) -> None:
        self._past = past

    def sign(self, session: FlowSession) -> str:
        """Give the token that was signed; a made-up one if this session was not."""
        token = self._past.answers.get((asked.TOKEN, session.id))
        return str(token or f"replayed.{session.id}")

    async def session(
        self,
        token: object,  # noqa: ARG002
        sessions: FlowSessionRepository,  # noqa: ARG002
    ) -> FlowSession | None:
        """Give the session whose end the message brought."""
        found: FlowSession | None = self._past.find(asked.SESSION)
        return found


class PastIds:
    """The ids of a replayed turn, in their order; further ones are made up, always the same."""

    def __init__(self, drawn: Sequence[tuple[str, str]]) -> None:
        self._drawn = list(drawn)
        self._more = SeededIds(MADE_UP)

    def order_number(self) -> str:
        """Give the next order number."""
        return self._next(asked.NUMBER_DRAWN) or self._more.order_number()

    def token(self) -> str:
        """Give the next long id."""
        return self._next(asked.TOKEN_DRAWN) or self._more.token()

    def jitter(self) -> float:
        """Give one: nobody waits."""
        return 1.0

    def _next(self, kind: str) -> str | None:
        found = next((pair for pair in self._drawn if pair[0] == kind), None)
        if found is None:
            return None
        self._drawn.remove(found)
        return found[1]


@dataclass(frozen=True, slots=True)
class _Catalog:
    past: Past

    async def get_categories(self) -> tuple[Category, ...]:
        found: tuple[Category, ...] = self.past.find(asked.CATEGORIES)
        return found

    async def get_products_by_category(
        self, category_id: str | None = None, *, limit: int = 200
    ) -> tuple[Product, ...]:
        found: tuple[Product, ...] = self.past.find(asked.PRODUCTS, category_id, limit)
        return found

    async def get_product_by_id(self, product_id: str) -> Product | None:
        key = (asked.PRODUCT, product_id)
        if key not in self.past.answers and product_id in self.past.products:
            return self.past.products[product_id]
        found: Product | None = self.past.find(*key)
        return found

    async def get_presentations_for_product(self, product_id: str) -> tuple[Presentation, ...]:
        found = await self.get_product_by_id(product_id)
        return found.presentations if found else ()

    async def get_modifiers_for_product(self, product_id: str) -> tuple[ModifierGroup, ...]:
        found = await self.get_product_by_id(product_id)
        return found.groups if found else ()

    async def get_product_names(self) -> tuple[tuple[ProductId, str], ...]:
        found: tuple[tuple[ProductId, str], ...] = self.past.find(asked.NAMES)
        return found


@dataclass(frozen=True, slots=True)
class _Orders:
    past: Past

    async def get_latest(self, customer: CustomerKey) -> Order | None:  # noqa: ARG002
        placed = self.past.orders[-1:]
        if (asked.LATEST_ORDER,) not in self.past.answers and placed:
            return placed[0]
        return self._as_replayed(self.past.find(asked.LATEST_ORDER))

    async def get_by_number(self, number: OrderNumber, customer: CustomerKey) -> Order | None:  # noqa: ARG002
        placed = [order for order in self.past.orders if order.number == number]
        if (asked.ORDER, number) not in self.past.answers and placed:
            return placed[0]
        return self._as_replayed(self.past.find(asked.ORDER, number))

    def _as_replayed(self, found: Order | None) -> Order | None:
        """Give an order as the replay has placed it, with the status it had."""
        for placed in self.past.orders:
            if found and placed.number == found.number:
                return placed.move(found.status) or placed
        return found


@dataclass(frozen=True, slots=True)
class _Conversations:
    past: Past

    async def get(self, customer: CustomerKey) -> Conversation | None:  # noqa: ARG002
        return self.past.conversation


@dataclass(frozen=True, slots=True)
class _Carts:
    past: Past

    async def get(self, customer: CustomerKey) -> Cart | None:  # noqa: ARG002
        return self.past.cart


class _Sessions:
    async def get(self, session_id: str) -> FlowSession | None:  # noqa: ARG002
        return None

    async def save(self, session: FlowSession) -> None:  # noqa: ARG002
        raise Conflict("a replay writes nothing")

    async def token_of(self, wamid: str) -> str | None:  # noqa: ARG002
        return None


@dataclass(frozen=True, slots=True)
class _Deployments:
    past: Past

    async def all(self) -> tuple[Deployment, ...]:
        found: tuple[Deployment, ...] = self.past.find(asked.DEPLOYMENTS)
        return found

    async def save(self, deployment: Deployment) -> None:  # noqa: ARG002
        raise Conflict("a replay writes nothing")

    async def hold(
        self,
        meta_id: str,  # noqa: ARG002
        *,
        status: FlowStatus,  # noqa: ARG002
        until: datetime | None,  # noqa: ARG002
        at: datetime,  # noqa: ARG002
    ) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class _Native:
    past: Past

    async def catalog_id(self) -> str | None:
        found: str | None = self.past.find(asked.NATIVE_CATALOG)
        return found

    async def items(self, products: Sequence[ProductId]) -> Mapping[ProductId, tuple[str, ...]]:
        found: Mapping[ProductId, tuple[str, ...]] = self.past.find(asked.NATIVE_ITEMS, *products)
        return found


@dataclass(frozen=True)
class _HandOffs:
    past: Past

    async def line(self, phone: str) -> StaffLine:
        found: StaffLine = self.past.find(asked.STAFF_LINE, phone)
        return found

    async def is_known(self, handoff: str) -> bool:
        return bool(self.past.find(asked.HANDOFF, handoff))

    async def last_words(self, customer: CustomerKey) -> Sequence[Spoken]:  # noqa: ARG002
        found: Sequence[Spoken] = self.past.find(asked.STAFF_WORDS)
        return found

    async def key_of(self, *, phone: str) -> CustomerKey | None:  # noqa: ARG002
        found: CustomerKey | None = self.past.answers.get((asked.STAFF_PEER,))
        return found
