"""What a tenant sells: categories, products, their presentations and modifier groups."""

from dataclasses import dataclass
from decimal import Decimal

from engine.domain.ids import CategoryId, GroupId, ModifierId, PresentationId, ProductId


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf of the menu; `products` counts the ones a customer can see in it."""

    id: CategoryId
    name: str
    products: int = 0


@dataclass(frozen=True, slots=True)
class Presentation:
    """A size or variant of a product, with the price of the product in that size."""

    id: PresentationId
    name: str
    price: Decimal
    is_available: bool = True


@dataclass(frozen=True, slots=True)
class Modifier:
    """An add-on; its price is added to the product's, once per unit."""

    id: ModifierId
    name: str
    price: Decimal
    is_available: bool = True


@dataclass(frozen=True, slots=True)
class ModifierGroup:
    """Add-ons that are chosen together, at least `minimum` and at most `maximum` of them."""

    id: GroupId
    name: str
    minimum: int
    maximum: int
    modifiers: tuple[Modifier, ...]

    @property
    def is_single(self) -> bool:
        """Tell whether one choice replaces the other."""
        return self.maximum == 1


@dataclass(frozen=True, slots=True)
class Product:
    """A product as sold; `stock` is None when it is not counted."""

    id: ProductId
    name: str
    category_id: CategoryId
    category: str
    base_price: Decimal
    description: str = ""
    is_available: bool = True
    image_url: str | None = None
    presentations: tuple[Presentation, ...] = ()
    groups: tuple[ModifierGroup, ...] = ()
    stock: int | None = None

    @property
    def is_sold_out(self) -> bool:
        """Tell whether no unit can be ordered now."""
        no_size = bool(self.presentations) and not any(p.is_available for p in self.presentations)
        return not self.is_available or self.stock == 0 or no_size

    @property
    def is_customizable(self) -> bool:
        """Tell whether the customer has something to choose before it goes into the cart."""
        return bool(self.presentations or self.groups)

    @property
    def lowest_price(self) -> Decimal:
        """Give the price of the cheapest available presentation, else the base price."""
        prices = [p.price for p in self.presentations if p.is_available]
        return min(prices, default=self.base_price)

    def presentation(self, presentation_id: str | None) -> Presentation | None:
        """Find one of its presentations."""
        return next((p for p in self.presentations if p.id == presentation_id), None)
