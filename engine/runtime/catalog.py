"""The catalog as one turn sees it: what was read once is not read again, and stays the same."""

from engine.domain.catalog import Category, ModifierGroup, Presentation, Product
from engine.domain.ids import ProductId
from engine.ports import CatalogRepository


class TurnCatalog:
    """A catalog that remembers the products of one turn: `engine.ports.CatalogRepository`."""

    def __init__(self, catalog: CatalogRepository) -> None:
        self._catalog = catalog
        self._products: dict[str, Product | None] = {}

    async def get_categories(self) -> tuple[Category, ...]:
        """Give the active categories that have active products, with their number, in order."""
        return await self._catalog.get_categories()

    async def get_products_by_category(
        self, category_id: str | None = None, *, limit: int = 200
    ) -> tuple[Product, ...]:
        """Give the active products of a category (of all, if None) in order."""
        found = await self._catalog.get_products_by_category(category_id, limit=limit)
        self._products.update({product.id: product for product in found})
        return found

    async def get_product_by_id(self, product_id: str) -> Product | None:
        """Give an active product with its presentations and modifier groups."""
        if product_id not in self._products:
            self._products[product_id] = await self._catalog.get_product_by_id(product_id)
        return self._products[product_id]

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
        return await self._catalog.get_product_names()
