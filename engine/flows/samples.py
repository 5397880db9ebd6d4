"""What a Flow is rehearsed with: products, a cart and a customer that no tenant has.

They are fixed, so that the examples in a Flow JSON change only when its author changes the Flow.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from engine.clock import SeededIds
from engine.domain.cart import Cart, CartLine
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
from engine.domain.order import Order
from engine.spec.bundle import Bundle
from engine.spec.flow import Takes
from engine.turn import Turn

NOW = datetime(2030, 6, 14, 12, tzinfo=UTC)
_TITLE = "Stone-baked sourdough with everything on it, family size"


def margherita() -> Product:
    """Make the product whose data is the example in a Flow JSON."""
    sizes = [("pres:small", 'Small (10")', "12.00"), ("pres:large", 'Large (16")', "18.00")]
    crust = _group("group:crust", "Crust", 1, 1, [("mod:classic", "Classic", "0"),
                                                  ("mod:stuffed", "Stuffed", "2.50")])  # fmt: skip
    toppings = [
        ("mod:extra-cheese", "Extra Cheese", "2.00"),
        ("mod:pepperoni", "Pepperoni", "2.50"),
    ]
    return Product(
        id=ProductId("prod:margherita"),
        name="Margherita Pizza",
        category_id=CategoryId("cat:pizza"),
        category="Pizza",
        base_price=Decimal("12.00"),
        description="Classic tomato and mozzarella",
        image_url="https://example.com/margherita.jpg",
        presentations=tuple(Presentation(PresentationId(i), n, Decimal(p)) for i, n, p in sizes),
        groups=(crust, _group("group:toppings", "Extra toppings", 0, 2, toppings)),
    )


def _group(
    rid: str, name: str, minimum: int, maximum: int, modifiers: list[tuple[str, str, str]]
) -> ModifierGroup:
    held = tuple(Modifier(ModifierId(i), n, Decimal(p)) for i, n, p in modifiers)
    return ModifierGroup(GroupId(rid), name, minimum, maximum, held)


def plain_product() -> Product:
    """Make a product with a size and nothing else to choose."""
    held = margherita()
    return Product(
        id=ProductId("prod:plain"),
        name=held.name,
        category_id=held.category_id,
        category=held.category,
        base_price=held.base_price,
        presentations=held.presentations,
    )


def fullest_product(takes: Takes) -> Product:
    """Make the largest product a Flow says it takes, with long names and prices."""
    groups = [
        _group(
            f"group:{place}",
            f"{_TITLE} {place}",
            *((1, 1) if place % 2 else (1, takes.options)),
            [(f"mod:{place}-{n}", f"{_TITLE} {n}", "999.99") for n in range(takes.options)],
        )
        for place in range(takes.groups)
    ]
    sizes = [
        Presentation(PresentationId(f"pres:{n}"), f"{n} {_TITLE}", Decimal("99999.99"))
        for n in range(takes.presentations)
    ]
    return Product(
        id=ProductId("prod:fullest"),
        name=f"{_TITLE} " * 2,
        category_id=CategoryId("cat:fullest"),
        category=_TITLE,
        base_price=Decimal("99999.99"),
        description=f"{_TITLE} " * 20,
        presentations=tuple(sizes),
        groups=tuple(groups),
    )


class FixedCatalog:
    """A catalog of given products: `engine.ports.CatalogRepository`."""

    def __init__(self, products: Iterable[Product]) -> None:
        self._products = {product.id: product for product in products}

    async def get_categories(self) -> tuple[Category, ...]:
        """Give the categories of its products."""
        found = {p.category_id: Category(p.category_id, p.category, 1) for p in self._held()}
        return tuple(found.values())

    def _held(self) -> Iterable[Product]:
        return self._products.values()

    async def get_products_by_category(
        self, category_id: str | None = None, *, limit: int = 200
    ) -> tuple[Product, ...]:
        """Give the products of a category."""
        wanted = (p for p in self._held() if category_id in (None, p.category_id))
        return tuple(wanted)[:limit]

    async def get_product_by_id(self, product_id: str) -> Product | None:
        """Give a product."""
        return self._products.get(ProductId(product_id))

    async def get_presentations_for_product(self, product_id: str) -> tuple[Presentation, ...]:
        """Give the presentations of a product."""
        found = await self.get_product_by_id(product_id)
        return found.presentations if found else ()

    async def get_modifiers_for_product(self, product_id: str) -> tuple[ModifierGroup, ...]:
        """Give the modifier groups of a product."""
        found = await self.get_product_by_id(product_id)
        return found.groups if found else ()

    async def get_product_names(self) -> tuple[tuple[ProductId, str], ...]:
        """Give the name of every product."""
        return tuple((p.id, p.name) for p in self._held())


class NoOrders:
    """A customer who has ordered nothing: `engine.ports.OrderRepository`."""

    async def get_latest(self, customer: CustomerKey) -> Order | None:  # noqa: ARG002
        """Give nothing."""
        return None

    async def get_by_number(self, number: OrderNumber, customer: CustomerKey) -> Order | None:  # noqa: ARG002
        """Give nothing."""
        return None


def sample_turn(bundle: Bundle, language: str, product: Product) -> Turn:
    """Make a turn of a customer with a full cart, in which nothing is stored."""
    line = CartLine(product.id, product.name, Decimal("100000.00"))
    conversation = Conversation(bundle.tenant_id, CustomerKey("customer"), language, name="Ana")
    return Turn(
        tenant=bundle.tenant,
        conversation=conversation,
        cart=Cart((line,), expires_at=NOW + timedelta(hours=24)),
        catalog=FixedCatalog([product]),
        orders=NoOrders(),
        ids=SeededIds(),
        now=NOW,
        terms={},
    )
