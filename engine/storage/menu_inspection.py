"""What a tenant's menu has in it and what hides it from customers: counts, nothing is changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from beanie import Document

from engine.domain.catalog import Product
from engine.domain.ids import TenantId
from engine.domain.money import Currency
from engine.storage.connection import Database, Json, reachable
from engine.storage.documents import (
    CategoryDocument,
    ModifierDocument,
    PresentationDocument,
    ProductDocument,
)
from engine.storage.products import ProductReader, Reading
from engine.storage.tenancy import TenantCollection


@dataclass(frozen=True, slots=True)
class Shelves:
    """The categories of a tenant.

    Args:
        total: how many there are.
        active: those that customers are shown, if something is in them.
        nameless: active ones without id or name: they are passed over.
    """

    total: int
    active: int
    nameless: int


@dataclass(frozen=True, slots=True)
class Goods:
    """The products of a tenant; the tuples have their ids.

    Args:
        total: how many there are.
        active: those whose `isActive` is true.
        shown: active ones in an active category.
        buyable: shown ones that are not sold out.
        unavailable: active ones whose `isAvailable` is false.
        stray: active ones whose category is not there, or is not active.
        unreadable: active ones that are passed over, each with the reason.
        imageless: active ones without a picture.
    """

    total: int
    active: int
    shown: int
    buyable: int
    unavailable: int
    stray: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]
    imageless: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """Presentations or modifiers; the tuples have ids of products.

    Args:
        total: how many of them there are.
        available: those whose `isAvailable` is true.
        wanted: how many ids active products name.
        missing: ids that products name and that are not there.
        stuck: products that nobody can buy for want of them.
    """

    total: int
    available: int
    wanted: int
    missing: tuple[str, ...]
    stuck: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MenuFacts:
    """All that is told of a tenant's menu."""

    shelves: Shelves
    goods: Goods
    presentations: Parts
    modifiers: Parts


async def menu_facts(database: Database, tenant: TenantId, currency: Currency) -> MenuFacts:
    """Look at a tenant's menu.

    Raises:
        Unavailable: the database does not answer.
    """

    def mine(document: type[Document]) -> TenantCollection:
        return TenantCollection(database.collection(document), "subDomain", tenant)

    presentations, modifiers = mine(PresentationDocument), mine(ModifierDocument)
    with reachable():
        categories = await mine(CategoryDocument).find({}).to_list()
        products = await mine(ProductDocument).find({}).to_list()
        fields = {"rId": 1, "isAvailable": 1}
        sizes = await presentations.find({}, projection=fields).to_list()
        add_ons = await modifiers.find({}, projection=fields).to_list()
    active = [row for row in products if row.get("isActive")]
    reader = ProductReader(presentations=presentations, modifiers=modifiers, currency=currency)
    readings = await reader.read(active)
    sold = [reading.product for reading in readings if reading.product]
    return MenuFacts(
        shelves=_shelves(categories),
        goods=_goods(products, readings, {row.get("rId") for row in categories if _is_shown(row)}),
        presentations=_parts(sizes, _named_sizes(active), [p for p in sold if _has_no_size(p)]),
        modifiers=_parts(
            add_ons, _named_add_ons(active), [p for p in sold if _has_unmet_group(p)]
        ),
    )


def _is_shown(category: Json) -> bool:
    return bool(category.get("isActive") and category.get("rId") and category.get("name"))


def _shelves(rows: Sequence[Json]) -> Shelves:
    active = [row for row in rows if row.get("isActive")]
    return Shelves(len(rows), len(active), sum(not _is_shown(row) for row in active))


def _goods(rows: Sequence[Json], readings: Sequence[Reading], shelves: set[object]) -> Goods:
    sold = [reading for reading in readings if reading.product]
    shown = [reading for reading in sold if reading.document.get("categoryId") in shelves]
    return Goods(
        total=len(rows),
        active=len(readings),
        shown=len(shown),
        buyable=sum(not each.product.is_sold_out for each in shown if each.product),
        unavailable=sum(not each.document.get("isAvailable", True) for each in readings),
        stray=_ids(
            each.document for each in sold if each.document.get("categoryId") not in shelves
        ),
        unreadable=tuple(
            (str(each.document.get("rId", "?")), each.reason)
            for each in readings
            if each.product is None
        ),
        imageless=_ids(each.document for each in readings if not each.document.get("imageUrl")),
    )


def _parts(rows: Sequence[Json], named: set[str], stuck: Sequence[Product]) -> Parts:
    there = {str(row.get("rId")) for row in rows}
    return Parts(
        total=len(rows),
        available=sum(bool(row.get("isAvailable", True)) for row in rows),
        wanted=len(named),
        missing=tuple(sorted(named - there)),
        stuck=tuple(product.id for product in stuck),
    )


def _ids(rows: Iterable[Json]) -> tuple[str, ...]:
    return tuple(str(row.get("rId", "?")) for row in rows)


def _named_sizes(rows: Sequence[Json]) -> set[str]:
    named = (row.get("presentations") for row in rows)
    return {each for some in named if isinstance(some, list) for each in some if _is_id(each)}


def _named_add_ons(rows: Sequence[Json]) -> set[str]:
    groups = [group for row in rows for group in _objects(row.get("modifiers"))]
    return {each for group in groups for each in group.get("modifiers") or () if _is_id(each)}


def _objects(value: object) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _is_id(value: object) -> bool:
    return isinstance(value, str)


def _has_no_size(product: Product) -> bool:
    sizes = product.presentations
    return bool(sizes) and not any(size.is_available for size in sizes)


def _has_unmet_group(product: Product) -> bool:
    return any(
        sum(modifier.is_available for modifier in group.modifiers) < group.minimum
        for group in product.groups
    )
