"""A tenant's menu as a rehearsed turn reads it; what was ordered in the rehearsal is taken off."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from engine.domain.catalog import Category, ModifierGroup, Presentation, Product
from engine.domain.ids import CategoryId, ProductId
from engine.domain.menu import Menu
from engine.domain.native import item_id

CATALOG_ID = "100200300400500"
"""Meta's catalogue of the rehearsed tenant."""


class MenuCatalog:
    """The products of a menu: `engine.ports.CatalogRepository`, and its `NativeCatalog`.

    Args:
        categories: the active ones that have products, in order.
        products: by id, in the order of the menu; those of categories that are not active, too.
    """

    def __init__(
        self, categories: tuple[Category, ...], products: Mapping[ProductId, Product]
    ) -> None:
        self.categories = categories
        active = {category.id for category in categories}
        self.products = {
            key: product for key, product in products.items() if product.category_id in active
        }

    @classmethod
    def of(cls, menu: Menu) -> "MenuCatalog":
        """Make the catalog that `comanda seed` makes of a menu."""
        products = {ProductId(rid): menu.product(rid) for rid in menu.products}
        held = [product.category_id for product in products.values()]
        categories = (
            Category(CategoryId(key), category.name, held.count(CategoryId(key)))
            for key, category in menu.categories.items()
            if category.active and key in held
        )
        return cls(tuple(categories), products)

    def without(self, taken: Mapping[ProductId, int]) -> "MenuCatalog":
        """Give it with fewer units of counted products."""
        if not taken:
            return self
        left = {
            key: replace(product, stock=max(product.stock - taken.get(key, 0), 0))
            if product.stock is not None
            else product
            for key, product in self.products.items()
        }
        return MenuCatalog(self.categories, left)

    async def get_categories(self) -> tuple[Category, ...]:
        """Give the active categories that have products, with their number, in order."""
        return self.categories

    async def get_products_by_category(
        self, category_id: str | None = None, *, limit: int = 200
    ) -> tuple[Product, ...]:
        """Give the products of a category (of all, if None) in order."""
        wanted = (p for p in self.products.values() if category_id in (None, p.category_id))
        return tuple(wanted)[:limit]

    async def get_product_by_id(self, product_id: str) -> Product | None:
        """Give a product."""
        return self.products.get(ProductId(product_id))

    async def get_presentations_for_product(self, product_id: str) -> tuple[Presentation, ...]:
        """Give the presentations of a product in order."""
        found = await self.get_product_by_id(product_id)
        return found.presentations if found else ()

    async def get_modifiers_for_product(self, product_id: str) -> tuple[ModifierGroup, ...]:
        """Give the modifier groups of a product in order."""
        found = await self.get_product_by_id(product_id)
        return found.groups if found else ()

    async def get_product_names(self) -> tuple[tuple[ProductId, str], ...]:
        """Give the name of every product."""
        return tuple((p.id, p.name) for p in self.products.values())


class MenuNative:
    """A menu that is in WhatsApp's own catalogue, or is not: `engine.ports.NativeCatalog`."""

    def __init__(self, catalog: MenuCatalog, *, is_there: bool) -> None:
        self._catalog = catalog
        self._is_there = is_there

    async def catalog_id(self) -> str | None:
        """Give Meta's id of the catalogue that is connected to WhatsApp; None if there is none."""
        return CATALOG_ID if self._is_there else None

    async def items(self, products: Sequence[ProductId]) -> Mapping[ProductId, tuple[str, ...]]:
        """Give the ids of the items of products: Meta has taken all of them."""
        held = self._catalog.products if self._is_there else {}
        found = (held[key] for key in products if key in held)
        return {
            product.id: tuple(item_id(product.id, each.id) for each in product.presentations)
            or (item_id(product.id),)
            for product in found
        }
