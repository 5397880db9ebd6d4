"""What a turn reads and draws, noted as it goes, so that the turn can be decided again.

Nothing is written here, and no value is copied: what a turn is told, it does not change.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from engine.clock import Ids
from engine.domain.cart import Cart
from engine.domain.catalog import Category, ModifierGroup, Presentation, Product
from engine.domain.conversation import Conversation
from engine.domain.ids import CustomerKey, OrderNumber, ProductId
from engine.domain.order import Order
from engine.flow_ports import Deployment, FlowSession, FlowSessionRepository
from engine.ports import (
    Business,
    CatalogRepository,
    NativeCatalog,
    OrderRepository,
    Reading,
    Recording,
)
from engine.runtime.deployed_flows import Deployed
from engine.runtime.flow_tokens import Tokens

CATEGORIES = "catalog.categories"
PRODUCTS = "catalog.products"
PRODUCT = "catalog.product"
NAMES = "catalog.names"
LATEST_ORDER = "orders.latest"
ORDER = "orders.by_number"
NATIVE_CATALOG = "native.catalog"
NATIVE_ITEMS = "native.items"
MAPPING = "flows.mapping"
DEPLOYMENTS = "flows.deployments"
TOKEN = "flows.token"
SESSION = "flows.session"
SAID = "chat.said"
STAFF_LINE = "staff.line"
STAFF_WORDS = "staff.words"
HANDOFF = "staff.handoff"
STAFF_PEER = "staff.peer"
NUMBER_DRAWN = "order_number"
TOKEN_DRAWN = "token"

T = TypeVar("T")


class Recorder:
    """Notes what one turn is told; what it asks again it is told again, whatever has changed."""

    def __init__(self) -> None:
        self.conversation: Conversation | None = None
        self.cart: Cart | None = None
        self.drawn: list[tuple[str, str]] = []
        self._told: dict[tuple[str | int | None, ...], Any] = {}
        self._readings: list[Reading] = []

    async def ask(
        self, ask: Callable[[], Awaitable[T]], call: str, *arguments: str | int | None
    ) -> T:
        """Ask something, once in a turn."""
        key = (call, *arguments)
        if key not in self._told:
            answer = self._told[key] = await ask()
            self._readings.append(Reading(call, arguments, answer))
        told: T = self._told[key]
        return told

    def note(self, call: str, *arguments: str | int | None, value: object) -> None:
        """Note an answer."""
        self._readings.append(Reading(call, arguments, value))

    def recording(self, session: FlowSession | None) -> Recording:
        """Give what was noted.

        Args:
            session: the Flow that came to its end by an exchange, if that is the cause.
        """
        return Recording(
            self.conversation, self.cart, tuple(self.drawn), tuple(self._readings), session
        )


class RecordedCatalog:
    """A catalog whose answers are noted: `engine.ports.CatalogRepository`."""

    def __init__(self, catalog: CatalogRepository, recorder: Recorder) -> None:
        self._catalog = catalog
        self._ask = recorder.ask

    async def get_categories(self) -> tuple[Category, ...]:
        """Give the active categories that have active products, with their number, in order."""
        return await self._ask(self._catalog.get_categories, CATEGORIES)

    async def get_products_by_category(
        self, category_id: str | None = None, *, limit: int = 200
    ) -> tuple[Product, ...]:
        """Give the active products of a category (of all, if None) in order."""
        ask = partial(self._catalog.get_products_by_category, category_id, limit=limit)
        return await self._ask(ask, PRODUCTS, category_id, limit)

    async def get_product_by_id(self, product_id: str) -> Product | None:
        """Give an active product with its presentations and modifier groups."""
        ask = partial(self._catalog.get_product_by_id, product_id)
        return await self._ask(ask, PRODUCT, product_id)

    async def get_presentations_for_product(self, product_id: str) -> tuple[Presentation, ...]:
        """Give the presentations of a product in order."""
        product = await self.get_product_by_id(product_id)
        return product.presentations if product else ()

    async def get_modifiers_for_product(self, product_id: str) -> tuple[ModifierGroup, ...]:
        """Give the modifier groups of a product in order."""
        product = await self.get_product_by_id(product_id)
        return product.groups if product else ()

    async def get_product_names(self) -> tuple[tuple[ProductId, str], ...]:
        """Give the name of every active product, to find one by what a customer typed."""
        return await self._ask(self._catalog.get_product_names, NAMES)


class RecordedOrders:
    """A customer's orders whose reading is noted: `engine.ports.OrderRepository`."""

    def __init__(self, orders: OrderRepository, recorder: Recorder) -> None:
        self._orders = orders
        self._ask = recorder.ask

    async def get_latest(self, customer: CustomerKey) -> Order | None:
        """Give a customer's newest order."""
        return await self._ask(partial(self._orders.get_latest, customer), LATEST_ORDER)

    async def get_by_number(self, number: OrderNumber, customer: CustomerKey) -> Order | None:
        """Give one of a customer's own orders."""
        ask = partial(self._orders.get_by_number, number, customer)
        return await self._ask(ask, ORDER, number)


class RecordedNative:
    """WhatsApp's own catalogue, whose reading is noted: `engine.ports.NativeCatalog`."""

    def __init__(self, native: NativeCatalog, recorder: Recorder) -> None:
        self._native = native
        self._ask = recorder.ask

    async def catalog_id(self) -> str | None:
        """Give Meta's id of the catalogue that is connected to WhatsApp; None if there is none."""
        return await self._ask(self._native.catalog_id, NATIVE_CATALOG)

    async def items(self, products: Sequence[ProductId]) -> Mapping[ProductId, tuple[str, ...]]:
        """Give the ids of the items of products that Meta has taken."""
        return await self._ask(partial(self._native.items, products), NATIVE_ITEMS, *products)


class RecordedDeployments:
    """A tenant's Flows at Meta, whose reading is noted: `engine.runtime.deployed_flows.Deployed`.

    Args:
        business: gives the tenant's document; only its mapping of Flows is noted.
    """

    def __init__(
        self,
        deployed: Deployed,
        business: Callable[[], Awaitable[Business | None]],
        recorder: Recorder,
    ) -> None:
        self._deployed = deployed
        self._find = business
        self._recorder = recorder
        self._business: list[Business | None] = []

    async def business(self) -> Business | None:
        """Give the tenant's document, the same one all the time."""
        if not self._business:
            found = await self._find()
            self._business.append(found)
            self._recorder.note(MAPPING, value=dict((found and found.flow_mapping) or {}))
        return self._business[0]

    async def all(self) -> tuple[Deployment, ...]:
        """Give every deployment of the tenant, by key."""
        return await self._recorder.ask(self._deployed.all, DEPLOYMENTS)


class RecordedTokens:
    """Tokens of Flows, which are noted: `engine.runtime.flow_tokens.Tokens`."""

    def __init__(self, tokens: Tokens, recorder: Recorder) -> None:
        self._tokens = tokens
        self._recorder = recorder

    def sign(self, session: FlowSession) -> str:
        """Give the token of a session."""
        token = self._tokens.sign(session)
        self._recorder.note(TOKEN, session.id, value=token)
        return token

    async def session(self, token: object, sessions: FlowSessionRepository) -> FlowSession | None:
        """Find the session a token was signed for."""
        return await self._tokens.session(token, sessions)


class RecordedIds:
    """Ids, which are noted in order: `engine.clock.Ids`."""

    def __init__(self, ids: Ids, recorder: Recorder) -> None:
        self._ids = ids
        self._drawn = recorder.drawn

    def order_number(self) -> str:
        """Make a short order number."""
        number = self._ids.order_number()
        self._drawn.append((NUMBER_DRAWN, number))
        return number

    def token(self) -> str:
        """Make a long id."""
        token = self._ids.token()
        self._drawn.append((TOKEN_DRAWN, token))
        return token

    def jitter(self) -> float:
        """Give a factor for a wait: nobody sees it."""
        return self._ids.jitter()
