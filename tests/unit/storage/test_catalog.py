"""The catalog on disk."""

from decimal import Decimal

from structlog.testing import capture_logs

from engine.domain.catalog import Category, Modifier, ModifierGroup, Presentation
from engine.domain.ids import CategoryId, GroupId, ModifierId, PresentationId
from engine.storage.documents import (
    CategoryDocument,
    ModifierDocument,
    PresentationDocument,
    ProductDocument,
)
from engine.storage.seeding import seed
from tests.unit.storage.builders import BAKERY, PIZZERIA, TENANT, menu


async def seeded(database, vault, **changes):
    await seed(database, PIZZERIA, TENANT, menu(**changes), vault=vault)


async def change(database, product, **fields):
    rows = database.collection(ProductDocument)
    result = await rows.update_one({"rId": product, "subDomain": PIZZERIA}, {"$set": fields})
    assert result.matched_count == 1


async def test_categories_come_in_order_with_the_number_of_their_products(store, database, vault):
    assert await store.catalog.get_categories() == ()
    await seeded(database, vault)
    assert await store.catalog.get_categories() == (
        Category(CategoryId("cat:pizza"), "Pizza", 2),
        Category(CategoryId("cat:drinks"), "Drinks", 1),
    )
    await change(database, "prod:coke", isActive=False)
    assert await store.catalog.get_categories() == (Category(CategoryId("cat:pizza"), "Pizza", 2),)


async def test_products_come_whole_and_in_order(store, database, vault):
    await seeded(database, vault)
    products = await store.catalog.get_products_by_category()
    assert [p.id for p in products] == ["prod:margherita", "prod:diavola", "prod:coke"]
    pizzas = await store.catalog.get_products_by_category("cat:pizza")
    assert pizzas == products[:2]
    assert await store.catalog.get_products_by_category("cat:pizza", limit=1) == products[:1]
    assert await store.catalog.get_products_by_category("cat:none") == ()
    margherita, diavola = pizzas
    assert margherita == await store.catalog.get_product_by_id("prod:margherita")
    assert margherita.presentations == (
        Presentation(PresentationId("size:large"), "Large", Decimal("14.50")),
        Presentation(PresentationId("size:small"), "Small", Decimal("9.90"), is_available=False),
    )
    assert diavola.base_price == Decimal("13.33")
    assert diavola.stock == 3


async def test_one_id_may_be_another_size_of_another_product(store, database, vault):
    await seeded(database, vault)
    (large, _) = await store.catalog.get_presentations_for_product("prod:margherita")
    (other,) = await store.catalog.get_presentations_for_product("prod:diavola")
    assert (large.id, large.price) == ("size:large", Decimal("14.50"))
    assert (other.id, other.price) == ("size:large", Decimal("17.00"))


async def test_modifier_groups_come_in_the_order_of_the_product(store, database, vault):
    await seeded(database, vault)
    crust, toppings = await store.catalog.get_modifiers_for_product("prod:margherita")
    assert crust.is_single
    assert crust.minimum == 1
    assert toppings == ModifierGroup(
        GroupId("group:toppings"),
        "Toppings",
        0,
        2,
        (
            Modifier(ModifierId("mod:olives"), "Olives", Decimal("1.10")),
            Modifier(ModifierId("mod:ham"), "Ham", Decimal("2.00"), is_available=False),
        ),
    )


async def test_what_is_not_active_or_not_there_is_not_given(store, database, vault):
    await seeded(database, vault)
    await change(database, "prod:margherita", isActive=False)
    assert await store.catalog.get_product_by_id("prod:margherita") is None
    assert await store.catalog.get_product_by_id("prod:none") is None
    assert await store.catalog.get_presentations_for_product("prod:margherita") == ()
    assert await store.catalog.get_modifiers_for_product("prod:none") == ()
    assert await store.catalog.get_product_names() == (
        ("prod:diavola", "Diavola"),
        ("prod:coke", "Coke"),
    )


async def test_the_catalogs_of_two_tenants_do_not_mix(store, bakery, database, vault):
    await seeded(database, vault)
    croissant = {
        "prod:coke": {"name": "Croissant", "category": "cat:drinks", "price": "1"},
    }
    await seed(database, BAKERY, TENANT, menu(products=croissant, groups={}), vault=vault)
    assert (await store.catalog.get_product_by_id("prod:coke")).name == "Coke"
    assert (await bakery.catalog.get_product_by_id("prod:coke")).name == "Croissant"
    assert len(await store.catalog.get_product_names()) == 3
    assert await bakery.catalog.get_categories() == (
        Category(CategoryId("cat:drinks"), "Drinks", 1),
    )


async def test_what_the_back_end_left_out_is_made_up_for(store, database):
    """As Node writes them: fewer fields, and parts that belong to nobody in particular."""
    tenant = {"subDomain": PIZZERIA}
    await database.collection(ProductDocument).insert_one(
        {
            **tenant,
            "rId": "prod:x",
            "name": "X",
            "categoryId": "cat:x",
            "basePrice": 12,
            "isActive": True,
            "presentations": ["size:x", "size:gone"],
            "modifiers": [
                {"groupId": "g:1", "name": "One", "type": "single", "modifiers": ["mod:x"]},
                {"groupId": "g:2", "name": "Many", "type": "multiple", "modifiers": ["mod:x"]},
                {"groupId": "g:3", "name": "None", "modifiers": ["mod:gone"]},
            ],
        }
    )
    part = {**tenant, "name": "Part", "price": 1.5}
    await database.collection(PresentationDocument).insert_one({**part, "rId": "size:x"})
    await database.collection(ModifierDocument).insert_one({**part, "rId": "mod:x"})
    product = await store.catalog.get_product_by_id("prod:x")
    assert product.presentations == (
        Presentation(PresentationId("size:x"), "Part", Decimal("1.50")),
    )
    assert [(g.id, g.minimum, g.maximum) for g in product.groups] == [("g:1", 0, 1), ("g:2", 0, 1)]
    assert (product.category, product.stock, product.image_url) == ("", None, None)
    assert product.is_available


async def test_a_product_that_cannot_be_read_does_not_take_the_menu_with_it(
    store, database, vault
):
    await seeded(database, vault)
    await change(database, "prod:coke", basePrice=None)
    await change(database, "prod:diavola", modifiers=["mod:olives"])
    rows = database.collection(CategoryDocument)
    await rows.insert_one({"rId": "cat:new", "subDomain": PIZZERIA, "isActive": True})
    with capture_logs() as told:
        products = await store.catalog.get_products_by_category()
    assert [p.id for p in products] == ["prod:margherita"]
    passed_over = {(line["event"], line["product"]) for line in told}
    assert ("catalog.product_passed_over", "prod:coke") in passed_over
    assert len(await store.catalog.get_categories()) == 2
