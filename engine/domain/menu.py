"""A catalog as written in a tenant's `catalog.yaml`, which `comanda seed` loads."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from engine.domain.catalog import Modifier, ModifierGroup, Presentation, Product
from engine.domain.ids import CategoryId, GroupId, ModifierId, PresentationId, ProductId

# An id travels in row and button ids (200 characters with an event's name before it), and `|` and
# `#` part them.
Rid = Annotated[str, StringConstraints(pattern=r"^[a-z]+:[A-Za-z0-9._-]{1,60}$")]
Price = Annotated[Decimal, Field(ge=0, le=10**6)]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class MenuPart(BaseModel):
    """A part of a menu: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Misplaced(ValueError):
    """Values that do not fit together, and the name of the one where an author would look."""

    def __init__(self, name: str, said: str) -> None:
        super().__init__(said)
        self.name = name


class MenuCategory(MenuPart):
    """A shelf of the menu."""

    name: Name
    active: bool = True


class MenuModifier(MenuPart):
    """An add-on."""

    name: Name
    price: Price = Decimal(0)
    available: bool = True


class MenuGroup(MenuPart):
    """Add-ons chosen together."""

    name: Name
    minimum: Annotated[int, Field(ge=0, le=20)] = 0
    maximum: Annotated[int, Field(ge=1, le=20)] = 1
    modifiers: Annotated[dict[Rid, MenuModifier], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def _possible(self) -> Self:
        count = len(self.modifiers)
        if self.minimum > self.maximum:
            said = f"at least {self.minimum} are to be chosen, and at most {self.maximum}"
            raise Misplaced("minimum", said)
        if self.maximum > count:
            raise Misplaced("maximum", f"{self.maximum} may be chosen, and there are {count}")
        return self


class MenuPresentation(MenuPart):
    """A size or variant, with the product's price in it."""

    name: Name
    price: Price
    available: bool = True


class MenuProduct(MenuPart):
    """A product."""

    name: Name
    category: Rid = Field(description="Id of one of the categories above.")
    price: Price = Field(description="Price without presentation and add-ons.")
    description: Annotated[str, Field(max_length=1000)] = ""
    image: str | None = Field(default=None, pattern=r"^https://", description="Its picture.")
    available: bool = True
    stock: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Units left; leave out if nobody counts."
    )
    presentations: dict[Rid, MenuPresentation] = Field(default_factory=dict)
    groups: Annotated[tuple[Rid, ...], Field(max_length=10)] = Field(
        default=(), description="Ids of the modifier groups it offers, in order."
    )


class Menu(MenuPart):
    """A whole catalog; every id is the one customers' taps carry."""

    categories: Annotated[dict[Rid, MenuCategory], Field(min_length=1)]
    groups: dict[Rid, MenuGroup] = Field(default_factory=dict)
    products: dict[Rid, MenuProduct]

    def product(self, rid: str) -> Product:
        """Give a product as it is sold.

        Raises:
            KeyError: it names a category or group that does not exist (see `dangling`).
        """
        written = self.products[rid]
        return Product(
            id=ProductId(rid),
            name=written.name,
            category_id=CategoryId(written.category),
            category=self.categories[written.category].name,
            base_price=written.price,
            description=written.description,
            is_available=written.available,
            image_url=written.image,
            presentations=tuple(
                Presentation(PresentationId(key), p.name, p.price, p.available)
                for key, p in written.presentations.items()
            ),
            groups=tuple(self._group(group) for group in written.groups),
            stock=written.stock,
        )

    def _group(self, rid: str) -> ModifierGroup:
        group = self.groups[rid]
        modifiers = tuple(
            Modifier(ModifierId(key), m.name, m.price, m.available)
            for key, m in group.modifiers.items()
        )
        return ModifierGroup(GroupId(rid), group.name, group.minimum, group.maximum, modifiers)

    def dangling(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Find references to categories and groups that do not exist, as (path, sentence)."""
        for rid, product in self.products.items():
            if product.category not in self.categories:
                yield ("products", rid, "category"), f"there is no category '{product.category}'"
            for place, group in enumerate(product.groups):
                if group not in self.groups:
                    yield ("products", rid, "groups", place), f"there is no group '{group}'"
