"""Loads a tenant's `catalog.yaml` into the database; running it again changes nothing more."""

from collections.abc import Sequence
from dataclasses import dataclass

from pymongo import DeleteOne, UpdateOne

from engine.domain.ids import TenantId
from engine.domain.menu import Menu, MenuGroup, MenuProduct
from engine.domain.money import Currency
from engine.domain.tenant import Tenant
from engine.ports import Business
from engine.storage.amounts import to_disk
from engine.storage.businesses import business_change
from engine.storage.connection import Database, Json, reachable
from engine.storage.documents import (
    BusinessDocument,
    CategoryDocument,
    ModifierDocument,
    PresentationDocument,
    ProductDocument,
    Row,
)
from engine.storage.secrets import Vault


@dataclass(frozen=True, slots=True)
class Seeded:
    """How much is in the database now, and how many documents the file no longer had."""

    categories: int
    products: int
    presentations: int
    modifiers: int
    removed: int


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The documents of one collection, and the fields that tell them apart in a tenant."""

    document: type[Row]
    rows: Sequence[Json]
    keys: tuple[str, ...] = ("rId",)


async def seed(
    database: Database,
    tenant_id: TenantId,
    tenant: Tenant,
    menu: Menu,
    *,
    access_token: str = "",
    vault: Vault,
    local_id: str | None = None,
) -> Seeded:
    """Make the tenant's business and catalog what its files say.

    What the file no longer has is removed; fields that the Node back end added stay.

    Args:
        access_token: for the Graph API; empty leaves a stored one as it is.
        local_id: the Node back end's id of the shop.
    """
    money = tenant.money
    # Parts before the products that name them, so that a reader in between finds them.
    shelves = (
        _Shelf(PresentationDocument, _presentations(menu, money), ("rId", "productId")),
        _Shelf(ModifierDocument, _modifiers(menu, money), ("rId", "groupId")),
        _Shelf(CategoryDocument, _categories(menu)),
        _Shelf(ProductDocument, _products(menu, money, local_id)),
    )
    with reachable():
        await _seed_business(database, tenant_id, tenant, access_token, vault)
        for shelf in shelves:
            await _fill(database, tenant_id, shelf)
        removed = [await _clear(database, tenant_id, shelf) for shelf in reversed(shelves)]
    presentations, modifiers, categories, products = (len(shelf.rows) for shelf in shelves)
    return Seeded(categories, products, presentations, modifiers, sum(removed))


async def _seed_business(
    database: Database, tenant_id: TenantId, tenant: Tenant, access_token: str, vault: Vault
) -> None:
    business = Business(
        tenant=tenant_id,
        name=tenant.name,
        phone_number_ids=tenant.phone_number_ids,
        access_token=access_token,
        waba_id=tenant.waba_id or None,
        fb_business_id=tenant.business_id or None,
    )
    # Only what the files know: ids that Meta gave and catalogues that were made are kept.
    change = business_change(business, vault)
    known = {"name", "whatsappPhoneNumberIds", "accessToken", "wabaId"}
    if tenant.business_id:
        known.add("fbBusinessId")
    change["$set"] = {key: value for key, value in change["$set"].items() if key in known}
    rows = database.collection(BusinessDocument)
    await rows.update_one({"subDomain": tenant_id}, change, upsert=True)


async def _fill(database: Database, tenant_id: TenantId, shelf: _Shelf) -> None:
    updates = [
        UpdateOne(
            {**{key: row[key] for key in shelf.keys}, "subDomain": tenant_id},
            {"$set": row},
            upsert=True,
        )
        for row in shelf.rows
    ]
    if updates:
        await database.collection(shelf.document).bulk_write(updates, ordered=False)


async def _clear(database: Database, tenant_id: TenantId, shelf: _Shelf) -> int:
    rows = database.collection(shelf.document)
    kept = {tuple(row[key] for key in shelf.keys) for row in shelf.rows}
    found = await rows.find({"subDomain": tenant_id}, dict.fromkeys(shelf.keys, 1)).to_list()
    gone = []
    for row in found:
        key = tuple(row.get(field) for field in shelf.keys)
        # One of each: two programs that seed at once may both have inserted it.
        if key in kept:
            kept.remove(key)
        else:
            gone.append(DeleteOne({"_id": row["_id"]}))
    if not gone:
        return 0
    return (await rows.bulk_write(gone, ordered=False)).deleted_count


def _categories(menu: Menu) -> list[Json]:
    return [
        {"rId": rid, "name": category.name, "isActive": category.active, "sortOrder": place}
        for place, (rid, category) in enumerate(menu.categories.items())
    ]


def _products(menu: Menu, money: Currency, local_id: str | None) -> list[Json]:
    return [
        {
            "rId": rid,
            "localId": local_id,
            "name": product.name,
            "description": product.description,
            "categoryId": product.category,
            "category": menu.categories[product.category].name,
            "basePrice": to_disk(product.price, money),
            "isActive": True,
            "isAvailable": product.available,
            "sortOrder": place,
            "imageUrl": product.image,
            "presentations": list(product.presentations),
            "modifiers": _groups(menu, product),
            "stock": product.stock,
        }
        for place, (rid, product) in enumerate(menu.products.items())
    ]


def _groups(menu: Menu, product: MenuProduct) -> list[Json]:
    return [_group(rid, menu.groups[rid]) for rid in product.groups]


def _group(rid: str, group: MenuGroup) -> Json:
    return {
        "groupId": rid,
        "name": group.name,
        "min": group.minimum,
        "max": group.maximum,
        "type": "single" if group.maximum == 1 else "multiple",
        "modifiers": list(group.modifiers),
    }


def _presentations(menu: Menu, money: Currency) -> list[Json]:
    return [
        {
            "rId": rid,
            "productId": product_id,
            "name": presentation.name,
            "price": to_disk(presentation.price, money),
            "isAvailable": presentation.available,
        }
        for product_id, product in menu.products.items()
        for rid, presentation in product.presentations.items()
    ]


def _modifiers(menu: Menu, money: Currency) -> list[Json]:
    return [
        {
            "rId": rid,
            "groupId": group_id,
            "name": modifier.name,
            "price": to_disk(modifier.price, money),
            "isAvailable": modifier.available,
        }
        for group_id, group in menu.groups.items()
        for rid, modifier in group.modifiers.items()
    ]
