"""Checks of what a tenant sells: why would "show menu" be empty?"""

from collections.abc import Mapping
from typing import Final

from engine.doctor.findings import Finding, counted, failed, ok, some, warning, worst
from engine.doctor.patient import Patient
from engine.doctor.registry import Registry
from engine.storage.documents import CategoryDocument, ProductDocument
from engine.storage.inspection import spellings
from engine.storage.menu_inspection import Goods, Parts

EMPTY_SHELF: Final = "`comanda seed {tenant}`, or let the back end write"

registry = Registry()


@registry.check(
    "menu.spelling",
    "sub-domain",
    remedy="write subDomain as '{tenant}' in the documents of categories and products",
    needs=("database.reachable",),
)
async def spelling(patient: Patient) -> Finding:
    """Do the tenant's categories and products lie under its own name, and no other spelling?"""
    database, found = patient.means.database, dict[str, int]()
    for document in (CategoryDocument, ProductDocument):
        for name, count in (await spellings(database, document, patient.tenant)).items():
            found[name] = found.get(name, 0) + count
    if found:
        told = [f"{counted(count, 'document')} under {name!r}" for name, count in found.items()]
        return failed(f"{some(told)}: they are never found")
    return ok(f"no other spelling of '{patient.tenant}' is there")


@registry.check(
    "menu.categories",
    "categories",
    remedy=EMPTY_SHELF + " categories whose isActive is true",
    needs=("database.reachable",),
)
async def categories(patient: Patient) -> Finding:
    """Are there categories, and are they active?"""
    shelves = (await patient.menu()).shelves
    said = f"{shelves.active} of {counted(shelves.total, 'category')} active"
    if not shelves.total:
        return failed("there are none: the menu is empty")
    if shelves.active == shelves.nameless:
        return failed(f"{said}: isActive hides them all, so the menu is empty")
    if shelves.nameless:
        return warning(f"{said}; {shelves.nameless} without rId or name are passed over")
    return ok(said)


@registry.check(
    "menu.products",
    "products",
    remedy=EMPTY_SHELF + " products whose isActive and isAvailable are true",
    needs=("database.reachable",),
)
async def products(patient: Patient) -> Finding:
    """Are there products, active, available, and in a category that is shown?"""
    goods = (await patient.menu()).goods
    if not goods.total:
        return failed("there are none: the menu is empty")
    said = f"customers see {goods.shown} of {counted(goods.total, 'product')}"
    reasons = "; ".join(_hiding(goods))
    if not goods.shown:
        return failed(f"the menu is empty: {reasons}")
    if not goods.buyable:
        return failed(f"{said}, and can buy none: {reasons}")
    if goods.stray or goods.unreadable:
        return warning(f"{said}: {reasons}")
    return ok(f"{said}{': ' if reasons else ''}{reasons}")


@registry.check(
    "menu.presentations",
    "presentations",
    remedy=EMPTY_SHELF + " the presentations that products name, isAvailable true",
    needs=("menu.products",),
)
async def presentations(patient: Patient) -> Finding:
    """Are the sizes there that products name, and is one of each product available?"""
    found = (await patient.menu()).presentations
    return _parts(found, "presentation", "have no size that is available")


@registry.check(
    "menu.modifiers",
    "modifiers",
    remedy=EMPTY_SHELF + " the modifiers that products name, isAvailable true",
    needs=("menu.products",),
)
async def modifiers(patient: Patient) -> Finding:
    """Are the add-ons there that products name, and enough of each group that must be chosen?"""
    found = (await patient.menu()).modifiers
    return _parts(found, "modifier", "need more add-ons than are available")


@registry.check(
    "menu.fields",
    "what Meta wants",
    remedy="let the back end give each product a name, a price, and an imageUrl",
    needs=("menu.products",),
)
async def fields(patient: Patient) -> Finding:
    """Has every product what Meta's catalogue wants: name, price and picture?"""
    goods = (await patient.menu()).goods
    told = []
    if goods.unreadable:
        named = [f"{rid} ({why})" for rid, why in goods.unreadable]
        told.append(failed(f"cannot be sold: {some(named)}"))
    if goods.imageless:
        told.append(warning(f"without imageUrl: {some(goods.imageless)}"))
    return worst(told, well=f"{counted(goods.active, 'product')} have it")


def _hiding(goods: Goods) -> list[str]:
    """Tell what keeps products from customers, one reason after the other."""
    reasons: Mapping[str, int] = {
        "isActive is false": goods.total - goods.active,
        "their category is not there or not active": len(goods.stray),
        "they cannot be read": len(goods.unreadable),
        "isAvailable is false (shown as sold out)": goods.unavailable,
    }
    return [f"{counted(n, 'product')}: {why}" for why, n in reasons.items() if n]


def _parts(found: Parts, noun: str, plight: str) -> Finding:
    told = []
    if found.stuck:
        told.append(
            failed(f"{counted(len(found.stuck), 'product')} {plight}: {some(found.stuck)}")
        )
    if found.missing:
        told.append(failed(f"products name what is not there: {some(found.missing)}"))
    if not found.wanted:
        return worst(told, well="no product names one")
    off = found.total - found.available
    hidden = f"; {off} with isAvailable false" if off else ""
    return worst(told, well=f"{counted(found.wanted, noun)} named, all there{hidden}")
