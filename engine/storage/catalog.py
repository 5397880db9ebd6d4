"""The catalog on disk: products, presentations and modifiers in three finds, however many.

The Node back end writes it too, so a product it left half written is passed over, not a failure.
"""

import structlog

from engine.domain.catalog import Category, ModifierGroup, Presentation, Product
from engine.domain.ids import CategoryId, ProductId
from engine.domain.money import Currency
from engine.storage.connection import Json, reachable
from engine.storage.products import ProductReader
from engine.storage.tenancy import TenantCollection

log = structlog.get_logger(__name__)

IN_ORDER = (("sortOrder", 1), ("rId", 1))


class MongoCatalog:
    """What one tenant sells: `engine.ports.CatalogRepository`."""

    def __init__(
        self,
        *,
        categories: TenantCollection,
        products: TenantCollection,
        presentations: TenantCollection,
        modifiers: TenantCollection,
        currency: Currency,
    ) -> None:
        self._categories = categories
        self._products = products
        self._reader = ProductReader(
            presentations=presentations, modifiers=modifiers, currency=currency
        )

    async def get_categories(self) -> tuple[Category, ...]:
        """Give the active categories that have active products, with their number, in order."""
        with reachable():
            found = await self._categories.find({"isActive": True}, sort=IN_ORDER).to_list()
            shelves = [row for row in found if row.get("rId") and row.get("name")]
            if not shelves:
                return ()
            on_sale = {"categoryId": {"$in": [row["rId"] for row in shelves]}, "isActive": True}
            counts = await self._products.count_by("categoryId", on_sale)
        return tuple(
            Category(CategoryId(row["rId"]), row["name"], counts[row["rId"]])
            for row in shelves
            if row["rId"] in counts
        )

    async def get_products_by_category(
        self, category_id: str | None = None, *, limit: int = 200
    ) -> tuple[Product, ...]:
        """Give the active products of a category (of all, if None) in order."""
        wanted: Json = {} if category_id is None else {"categoryId": category_id}
        with reachable():
            found = await self._products.find(
                {**wanted, "isActive": True}, sort=IN_ORDER, limit=limit
            ).to_list()
        return await self._complete(found)

    async def get_product_by_id(self, product_id: str) -> Product | None:
        """Give an active product with its presentations and modifier groups."""
        with reachable():
            found = await self._products.find({"rId": product_id}).to_list()
        products = await self._complete([row for row in found if row.get("isActive")])
        return products[0] if products else None

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
        fields = {"_id": 0, "rId": 1, "name": 1}
        with reachable():
            found = await self._products.find(
                {"isActive": True}, projection=fields, sort=IN_ORDER
            ).to_list()
        return tuple((ProductId(row["rId"]), row["name"]) for row in found if row.get("name"))

    async def _complete(self, documents: list[Json]) -> tuple[Product, ...]:
        products = []
        for reading in await self._reader.read(documents):
            if reading.product is None:
                rid = reading.document.get("rId")
                log.warning("catalog.product_passed_over", product=rid, reason=reading.reason)
            else:
                products.append(reading.product)
        return tuple(products)
