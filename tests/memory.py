"""The ports without a database, to measure and fuzz the engine; storage has its own tests."""

from engine.domain.cart import Cart
from engine.domain.catalog import Category, Modifier, ModifierGroup, Presentation, Product
from engine.domain.conversation import Conversation
from engine.domain.ids import (
    CategoryId,
    CustomerKey,
    GroupId,
    ModifierId,
    OrderNumber,
    PresentationId,
    ProductId,
)
from engine.domain.menu import Menu, MenuProduct
from engine.domain.order import Order
from engine.ports import (
    CartRepository,
    CatalogRepository,
    ConversationRepository,
    OrderRepository,
    Said,
    TurnRecord,
)


class MemoryCatalog:
    """A catalog made of a menu file."""

    def __init__(self, menu: Menu) -> None:
        self._menu = menu
        self.products = {rid: self._product(rid, p) for rid, p in menu.products.items()}

    def _product(self, rid: str, product: MenuProduct) -> Product:
        return Product(
            id=ProductId(rid),
            name=product.name,
            category_id=CategoryId(product.category),
            category=self._menu.categories[product.category].name,
            base_price=product.price,
            description=product.description,
            is_available=product.available,
            image_url=product.image,
            presentations=tuple(
                Presentation(PresentationId(key), p.name, p.price, p.available)
                for key, p in product.presentations.items()
            ),
            groups=tuple(self._group(g) for g in product.groups),
            stock=product.stock,
        )

    def _group(self, rid: str) -> ModifierGroup:
        group = self._menu.groups[rid]
        return ModifierGroup(
            GroupId(rid),
            group.name,
            group.minimum,
            group.maximum,
            tuple(
                Modifier(ModifierId(key), m.name, m.price, m.available)
                for key, m in group.modifiers.items()
            ),
        )

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


class MemoryStore:
    """One tenant's store: `engine.ports.TenantStore`; whether it was overtaken is not asked.

    Args:
        committed: every turn.
        placed: every order.
    """

    def __init__(self, catalog: CatalogRepository) -> None:
        self._carts, self._orders = MemoryCarts(), MemoryOrders()
        self._conversations = MemoryConversations()
        self.catalog = catalog
        self.carts: CartRepository = self._carts
        self.orders: OrderRepository = self._orders
        self.conversations: ConversationRepository = self._conversations
        self.committed: list[TurnRecord] = []
        self.placed = self._orders.orders

    async def commit(self, record: TurnRecord) -> None:
        customer = record.conversation.customer
        self.committed.append(record)
        self._conversations.held[customer] = record.conversation
        if record.cart is not None:
            self._carts.held[customer] = record.cart
        self.placed += record.orders

    async def said(self, wamid: str) -> Said | None:
        return None
