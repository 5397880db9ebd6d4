"""The catalog on disk: products, presentations and modifiers in three finds, however many.

The Node back end writes it too, so a product it left half written is passed over, not a failure.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from engine.domain.catalog import Category, Modifier, ModifierGroup, Presentation, Product
from engine.domain.ids import CategoryId, GroupId, ModifierId, PresentationId, ProductId
from engine.domain.money import Currency
from engine.storage.amounts import from_disk
from engine.storage.connection import Json, reachable
from engine.storage.tenancy import TenantCollection

log = logging.getLogger(__name__)

IN_ORDER = (("sortOrder", 1), ("rId", 1))
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)

Owned = Mapping[tuple[str, str | None], Json]
"""Presentations or modifiers by their id and the id of the product or group they are only for."""


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
        self._presentations = presentations
        self._modifiers = modifiers
        self._currency = currency

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

    async def _owned(self, parts: TenantCollection, ids: set[str], owner: str) -> Owned:
        if not ids:
            return {}
        with reachable():
            found = await parts.find({"rId": {"$in": list(ids)}}).to_list()
        return {(part["rId"], part.get(owner)): part for part in found}

    async def _complete(self, documents: list[Json]) -> tuple[Product, ...]:
        sizes: set[str] = set()
        add_ons: set[str] = set()
        for document in documents:
            with suppress(*UNREADABLE):
                sizes |= _sizes(document)
                add_ons |= _add_ons(document)
        presentations, modifiers = await asyncio.gather(
            self._owned(self._presentations, sizes, "productId"),
            self._owned(self._modifiers, add_ons, "groupId"),
        )
        products = []
        for document in documents:
            try:
                products.append(_product(document, presentations, modifiers, self._currency))
            except UNREADABLE as exc:
                log.warning("product %s is passed over: %r", document.get("rId"), exc)
        return tuple(products)


def _sizes(document: Json) -> set[str]:
    return set(document.get("presentations") or ())


def _add_ons(document: Json) -> set[str]:
    groups = document.get("modifiers") or ()
    return {add_on for group in groups for add_on in group.get("modifiers") or ()}


def _pick(parts: Owned, ids: Iterable[str], owner: str) -> list[Json]:
    """Choose the owner's own part of each id, else the one that belongs to nobody."""
    own = (parts.get((rid, owner)) or parts.get((rid, None)) for rid in ids)
    return [part for part in own if part is not None]


def _product(
    document: Json, presentations: Owned, modifiers: Owned, currency: Currency
) -> Product:
    stock: Any = document.get("stock")
    return Product(
        id=ProductId(document["rId"]),
        name=document["name"],
        category_id=CategoryId(document["categoryId"]),
        category=document.get("category") or "",
        base_price=from_disk(document["basePrice"], currency),
        description=document.get("description") or "",
        is_available=bool(document.get("isAvailable", True)),
        image_url=document.get("imageUrl") or None,
        presentations=_presentations(document, presentations, currency),
        groups=_groups(document, modifiers, currency),
        stock=None if stock is None else max(0, int(stock)),
    )


def _presentations(document: Json, parts: Owned, currency: Currency) -> tuple[Presentation, ...]:
    return tuple(
        Presentation(
            id=PresentationId(part["rId"]),
            name=part["name"],
            price=from_disk(part["price"], currency),
            is_available=bool(part.get("isAvailable", True)),
        )
        for part in _pick(parts, document.get("presentations") or (), document["rId"])
    )


def _groups(document: Json, parts: Owned, currency: Currency) -> tuple[ModifierGroup, ...]:
    groups = (_group(group, parts, currency) for group in document.get("modifiers") or ())
    return tuple(group for group in groups if group.modifiers or group.minimum)


def _group(group: Json, parts: Owned, currency: Currency) -> ModifierGroup:
    modifiers = tuple(
        Modifier(
            id=ModifierId(part["rId"]),
            name=part["name"],
            price=from_disk(part["price"], currency),
            is_available=bool(part.get("isAvailable", True)),
        )
        for part in _pick(parts, group.get("modifiers") or (), group["groupId"])
    )
    many: Any = group.get("max")
    single = group.get("type") == "single"
    return ModifierGroup(
        id=GroupId(group["groupId"]),
        name=group["name"],
        minimum=int(group.get("min") or 0),
        maximum=1 if single else int(many) if many is not None else len(modifiers),
        modifiers=modifiers,
    )
