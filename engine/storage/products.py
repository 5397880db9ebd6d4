"""Products as they lie in the database, read whole: presentations and modifiers in two finds.

The Node back end writes them too, so a product it left half written is told apart, not a failure.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from engine.domain.catalog import Modifier, ModifierGroup, Presentation, Product
from engine.domain.ids import CategoryId, GroupId, ModifierId, PresentationId, ProductId
from engine.domain.money import Currency
from engine.storage.amounts import from_disk
from engine.storage.connection import Json, reachable
from engine.storage.tenancy import TenantCollection

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
REQUIRED = {
    "name": "it has no name",
    "categoryId": "it has no category",
    "basePrice": "it has no price",
}
"""What to say of a product without a field."""
SIZELESS = "one of its presentations has no name or no price"

Owned = Mapping[tuple[str, str | None], Json]
"""Presentations or modifiers by their id and the id of the product or group they are only for."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading a product's document.

    Args:
        product: None when it cannot be read.
        reason: why not.
    """

    document: Json
    product: Product | None
    reason: str = ""


class ProductReader:
    """Reads the products of one tenant from their documents."""

    def __init__(
        self, *, presentations: TenantCollection, modifiers: TenantCollection, currency: Currency
    ) -> None:
        self._presentations = presentations
        self._modifiers = modifiers
        self._currency = currency

    async def read(self, documents: Sequence[Json]) -> tuple[Reading, ...]:
        """Read documents, one reading for each, in their order."""
        sizes: set[str] = set()
        add_ons: set[str] = set()
        for document in documents:
            with suppress(*UNREADABLE):
                sizes |= _sizes(document)
                add_ons |= _add_ons(document)
        parts = await asyncio.gather(
            _owned(self._presentations, sizes, "productId"),
            _owned(self._modifiers, add_ons, "groupId"),
        )
        return tuple(self._reading(document, *parts) for document in documents)

    def _reading(self, document: Json, presentations: Owned, modifiers: Owned) -> Reading:
        try:
            product = _product(document, presentations, modifiers, self._currency)
        except UNREADABLE:
            reason = _reason(document, presentations, modifiers, self._currency)
            return Reading(document, None, reason)
        return Reading(document, product)


async def _owned(parts: TenantCollection, ids: set[str], owner: str) -> Owned:
    if not ids:
        return {}
    with reachable():
        found = await parts.find({"rId": {"$in": list(ids)}}).to_list()
    return {(part["rId"], part.get(owner)): part for part in found}


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
        stock=_stock(document),
    )


def _reason(document: Json, presentations: Owned, modifiers: Owned, currency: Currency) -> str:
    """Say why a document cannot be read."""
    for field, sentence in REQUIRED.items():
        if document.get(field) in (None, ""):
            return sentence
    attempts = (
        (from_disk, (document["basePrice"], currency), "its basePrice is not an amount of money"),
        (
            _presentations,
            (document, presentations, currency),
            SIZELESS,
        ),
        (_groups, (document, modifiers, currency), "its modifiers cannot be read"),
        (_stock, (document,), "its stock is not a number"),
    )
    for read, arguments, sentence in attempts:
        try:
            read(*arguments)
        except UNREADABLE:
            return sentence
    return "its document cannot be read"


def _stock(document: Json) -> int | None:
    stock: Any = document.get("stock")
    return None if stock is None else max(0, int(stock))


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
