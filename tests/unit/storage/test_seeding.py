"""Loading a menu into the database."""

from engine.clock import ManualClock
from engine.storage.businesses import MongoBusinesses
from engine.storage.documents import (
    BusinessDocument,
    CategoryDocument,
    ModifierDocument,
    PresentationDocument,
    ProductDocument,
)
from engine.storage.seeding import Seeded, seed
from tests.unit.storage.builders import BAKERY, MENU, NOW, PIZZERIA, TENANT, menu

SHELVES = (
    BusinessDocument,
    CategoryDocument,
    ModifierDocument,
    PresentationDocument,
    ProductDocument,
)


async def everything(database):
    return [await database.collection(x).find({}).sort("_id", 1).to_list() for x in SHELVES]


async def test_seeding_twice_changes_nothing(database, vault):
    counts = Seeded(categories=4, products=3, presentations=3, modifiers=4, removed=0)
    assert await seed(database, PIZZERIA, TENANT, menu(), vault=vault) == counts
    before = await everything(database)
    assert await seed(database, PIZZERIA, TENANT, menu(), vault=vault) == counts
    assert await everything(database) == before


async def test_the_whatsapp_account_of_the_files_is_stored_and_none_leaves_the_stored_one(
    database, vault
):
    rows = database.collection(BusinessDocument)
    for written, stored in (
        ("", None),
        ("waba-1", "waba-1"),
        ("", "waba-1"),
        ("waba-2", "waba-2"),
    ):
        tenant = TENANT.model_copy(update={"waba_id": written})
        await seed(database, PIZZERIA, tenant, menu(), vault=vault)
        assert (await rows.find_one({})).get("wabaId") == stored


async def test_a_product_is_what_the_back_end_reads(database, vault):
    await seed(database, PIZZERIA, TENANT, menu(), vault=vault, local_id="local-7")
    rows = database.collection(ProductDocument)
    assert await rows.find_one({"rId": "prod:margherita"}, {"_id": 0}) == {
        "rId": "prod:margherita",
        "subDomain": "pizzeria",
        "localId": "local-7",
        "name": "Margherita",
        "description": "Tomato and mozzarella",
        "categoryId": "cat:pizza",
        "category": "Pizza",
        "basePrice": 12.0,
        "isActive": True,
        "isAvailable": True,
        "sortOrder": 0,
        "imageUrl": "https://example.com/margherita.jpg",
        "presentations": ["size:large", "size:small"],
        "modifiers": [
            {
                "groupId": "group:crust",
                "name": "Crust",
                "min": 1,
                "max": 1,
                "type": "single",
                "modifiers": ["mod:thin", "mod:thick"],
            },
            {
                "groupId": "group:toppings",
                "name": "Toppings",
                "min": 0,
                "max": 2,
                "type": "multiple",
                "modifiers": ["mod:olives", "mod:ham"],
            },
        ],
        "stock": None,
    }


async def test_what_the_file_no_longer_has_is_removed_from_this_tenant_only(
    database, vault, store, bakery
):
    await seed(database, PIZZERIA, TENANT, menu(), vault=vault)
    await seed(database, BAKERY, TENANT, menu(), vault=vault)
    coke = {"prod:coke": {**MENU["products"]["prod:coke"], "name": "Cola"}}
    smaller = menu(categories={"cat:drinks": {"name": "Drinks"}}, groups={}, products=coke)
    counts = Seeded(categories=1, products=1, presentations=0, modifiers=0, removed=3 + 2 + 3 + 4)
    assert await seed(database, PIZZERIA, TENANT, smaller, vault=vault) == counts
    assert await store.catalog.get_product_names() == (("prod:coke", "Cola"),)
    assert len(await bakery.catalog.get_product_names()) == 3
    assert len(await bakery.catalog.get_modifiers_for_product("prod:margherita")) == 2


async def test_order_and_fields_of_the_file_win_and_foreign_fields_stay(database, vault, store):
    await seed(database, PIZZERIA, TENANT, menu(), vault=vault)
    rows = database.collection(ProductDocument)
    await rows.update_one({"rId": "prod:coke"}, {"$set": {"stock": 1, "metaId": "m-1"}})
    turned = dict(reversed(MENU["products"].items()))
    await seed(database, PIZZERIA, TENANT, menu(products=turned), vault=vault)
    names = [name for _, name in await store.catalog.get_product_names()]
    assert names == ["Coke", "Diavola", "Margherita"]
    coke = await rows.find_one({"rId": "prod:coke"})
    assert (coke["stock"], coke["metaId"]) == (5, "m-1")


async def test_the_business_is_created_once_and_keeps_what_meta_gave(database, vault):
    businesses = MongoBusinesses(database, vault=vault, clock=ManualClock(NOW), ttl=0)
    await seed(database, PIZZERIA, TENANT, menu(), vault=vault, access_token="EAAG")
    business = await businesses.by_phone_number_id("222")
    assert business is not None
    assert (business.tenant, business.name) == (PIZZERIA, "Pizzeria Roma")
    assert business.access_token == "EAAG"
    rows = database.collection(BusinessDocument)
    await rows.update_one({}, {"$set": {"fbCatalogMapping": {"cat:pizza": "c1"}, "wabaId": "w"}})
    await seed(database, PIZZERIA, TENANT, menu(), vault=vault)
    business = await businesses.by_tenant(PIZZERIA)
    assert business is not None
    assert business.catalog_mapping == {"cat:pizza": "c1"}
    assert (business.waba_id, business.access_token) == ("w", "EAAG")


async def test_a_double_that_two_programs_made_at_once_is_removed(database, vault):
    await seed(database, PIZZERIA, TENANT, menu(), vault=vault)
    rows = database.collection(ProductDocument)
    await rows.insert_one(await rows.find_one({"rId": "prod:coke"}, {"_id": 0}))
    assert (await seed(database, PIZZERIA, TENANT, menu(), vault=vault)).removed == 1
    assert await rows.count_documents({"rId": "prod:coke"}) == 1
