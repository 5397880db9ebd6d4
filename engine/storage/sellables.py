"""The active products of a tenant as they lie in the database, to be compared with Meta's."""

from collections.abc import Collection, Mapping
from typing import Any

from engine.domain.ids import CategoryId, ProductId
from engine.storage.connection import Json, reachable
from engine.storage.products import REQUIRED, SIZELESS, ProductReader, Reading
from engine.storage.tenancy import TenantCollection
from engine.sync.ports import Sellable

TEXT: Json = {"$gt": ""}
"""Matches texts that are not empty, and nothing else."""


class MongoSellables:
    """The active products of one tenant: `engine.sync.ports.Sellables`.

    Of several active documents of one product the one with the least `_id` counts.
    """

    def __init__(
        self, *, categories: TenantCollection, products: TenantCollection, reader: ProductReader
    ) -> None:
        self._categories = categories
        self._products = products
        self._reader = reader

    async def categories(self) -> Mapping[CategoryId, int]:
        """Count the active products by category; without one it is the empty text."""
        stages: list[Json] = [
            {"$group": {"_id": {"category": "$categoryId", "product": "$rId"}}},
            {"$group": {"_id": "$_id.category", "count": {"$sum": 1}}},
        ]
        with reachable():
            found = await self._products.aggregate({"isActive": True, "rId": TEXT}, stages)
        counts: dict[CategoryId, int] = {}
        for row in found:
            category = _category(row["_id"])
            counts[category] = counts.get(category, 0) + row["count"]
        return counts

    async def names(self) -> Mapping[CategoryId, str]:
        """Name the active categories."""
        fields = {"_id": 0, "rId": 1, "name": 1}
        with reachable():
            found = await self._categories.find({"isActive": True}, projection=fields).to_list()
        return {
            CategoryId(row["rId"]): row["name"]
            for row in found
            if row.get("rId") and row.get("name")
        }

    async def page(
        self, category: CategoryId | None, *, after: ProductId | None, limit: int
    ) -> tuple[Sellable, ...]:
        """Give the next products by id, of a category or (None) of all; empty at the end."""
        while True:
            ids = await self._ids(category, after, limit)
            if not ids:
                return ()
            page = tuple(
                sellable
                for sellable in await self.some(ids)
                if category in (None, sellable.category_id)
            )
            # All of them may count in another category; that is not the end.
            if page:
                return page
            after = ids[-1]

    async def some(self, products: Collection[ProductId]) -> tuple[Sellable, ...]:
        """Give the active ones among products, by id."""
        if not products:
            return ()
        wanted = {"rId": {"$in": list(set(products))}, "isActive": True}
        with reachable():
            found = await self._products.find(wanted, sort=(("rId", 1), ("_id", 1))).to_list()
        first: dict[str, Json] = {}
        for document in found:
            first.setdefault(document["rId"], document)
        readings = await self._reader.read([_priced(document) for document in first.values()])
        return tuple(map(_sellable, readings))

    async def _ids(
        self, category: CategoryId | None, after: ProductId | None, limit: int
    ) -> list[ProductId]:
        wanted: Json = {"isActive": True, "rId": {"$gt": after or ""}}
        if category is not None:
            wanted["categoryId"] = category or {"$not": TEXT}
        with reachable():
            found = await self._products.find(
                wanted, projection={"_id": 0, "rId": 1}, sort=(("rId", 1),), limit=limit
            ).to_list()
        return list(dict.fromkeys(ProductId(row["rId"]) for row in found))


def _sellable(reading: Reading) -> Sellable:
    document = reading.document
    reason = reading.reason or _fault(reading)
    return Sellable(
        id=ProductId(document["rId"]),
        product=None if reason else reading.product,
        category_id=_category(document.get("categoryId")),
        document=str(document["_id"]),
        reason=reason,
    )


def _fault(reading: Reading) -> str:
    """Say what Meta could not be given, though it can be read."""
    document, product = reading.document, reading.product
    for field in ("name", "categoryId"):
        if not _is_text(document.get(field)):
            return REQUIRED[field]
    for field in ("description", "imageUrl"):
        if document.get(field) and not _is_text(document[field]):
            return f"its {field} is no text"
    if product is not None and not all(_is_text(size.name) for size in product.presentations):
        return SIZELESS
    return ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _category(value: Any) -> CategoryId:
    return CategoryId(value if _is_text(value) else "")


def _priced(document: Json) -> Json:
    # A product of sizes is sold at theirs: it needs none of its own.
    if document.get("basePrice") is None and document.get("presentations"):
        return {**document, "basePrice": 0}
    return document
