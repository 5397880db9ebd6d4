"""The active products of a tenant, on disk and in memory."""

import pytest
from bson import ObjectId

from engine.domain.ids import CategoryId, ProductId
from engine.storage.documents import CategoryDocument, PresentationDocument, ProductDocument
from engine.storage.seeding import seed
from engine.storage.sellables import MongoSellables
from engine.sync.ports import Sellables
from tests.memory_sync import MemorySellables
from tests.unit.storage.builders import BAKERY, PIZZERIA, TENANT, USD, menu

COKE, DIAVOLA, MARGHERITA = (ProductId(f"prod:{n}") for n in ("coke", "diavola", "margherita"))
PIZZA = CategoryId("cat:pizza")


def both_agree(disk: MongoSellables, memory: MemorySellables) -> tuple[Sellables, Sellables]:
    return disk, memory


@pytest.fixture
def rows(database):
    return database.collection(ProductDocument)


@pytest.fixture
async def disk(database, vault, mongo_sync):
    for tenant in (PIZZERIA, BAKERY):
        await seed(database, tenant, TENANT, menu(), vault=vault)
    return mongo_sync.sellables(PIZZERIA, USD)


@pytest.fixture
def memory(memory_sync):
    whole = menu()
    sellables = memory_sync.sellables(PIZZERIA)
    for rid in whole.products:
        sellables.put(whole.product(rid))
    sellables.shelves |= {CategoryId("cat:empty"): "Empty"}
    return sellables


@pytest.fixture(params=["disk", "memory"])
def sellables(request):
    return request.getfixturevalue(request.param)


def ids(page):
    return [sellable.id for sellable in page]


async def remove(sellables, rows, product):
    if isinstance(sellables, MemorySellables):
        sellables.remove(product)
    else:
        mine = {"rId": product, "subDomain": PIZZERIA}
        await rows.update_one(mine, {"$set": {"isActive": False}})


async def test_pages_come_by_id_until_there_are_no_more(sellables):
    assert ids(await sellables.page(None, after=None, limit=9)) == [COKE, DIAVOLA, MARGHERITA]
    assert ids(await sellables.page(None, after=None, limit=2)) == [COKE, DIAVOLA]
    assert ids(await sellables.page(None, after=DIAVOLA, limit=2)) == [MARGHERITA]
    assert ids(await sellables.page(None, after=ProductId("prod:d"), limit=1)) == [DIAVOLA]
    assert await sellables.page(None, after=MARGHERITA, limit=2) == ()
    assert ids(await sellables.page(PIZZA, after=None, limit=1)) == [DIAVOLA]
    assert ids(await sellables.page(PIZZA, after=DIAVOLA, limit=1)) == [MARGHERITA]
    assert await sellables.page(CategoryId("cat:none"), after=None, limit=9) == ()
    assert await sellables.page(CategoryId(""), after=None, limit=9) == ()


async def test_categories_are_counted_and_named(sellables):
    assert await sellables.categories() == {PIZZA: 2, "cat:drinks": 1}
    names = {PIZZA: "Pizza", "cat:drinks": "Drinks", "cat:empty": "Empty"}
    assert await sellables.names() == names


async def test_products_come_whole(disk, store):
    for sellable in await disk.page(None, after=None, limit=9):
        assert sellable.product == await store.catalog.get_product_by_id(sellable.id)
        assert sellable.category_id == sellable.product.category_id
        assert sellable.reason == ""
        assert sellable.document


async def test_what_is_not_active_is_not_sold(sellables, rows, disk):
    wanted = [MARGHERITA, COKE, COKE, ProductId("prod:none")]
    assert ids(await sellables.some(wanted)) == [COKE, MARGHERITA]
    await remove(sellables, rows, COKE)
    assert ids(await sellables.some(wanted)) == [MARGHERITA]
    assert ids(await sellables.page(None, after=None, limit=1)) == [DIAVOLA]
    assert await sellables.categories() == {PIZZA: 2}
    assert await sellables.some([]) == ()


FAULTS = [
    ({"name": None}, "it has no name"),
    ({"name": ""}, "it has no name"),
    ({"name": 5}, "it has no name"),
    ({"categoryId": None}, "it has no category"),
    ({"categoryId": 5}, "it has no category"),
    ({"description": 5}, "its description is no text"),
    ({"imageUrl": ["x"]}, "its imageUrl is no text"),
    ({"stock": float("inf")}, "its stock is not a number"),
    ({"basePrice": None}, "it has no price"),
    ({"basePrice": "twelve"}, "its basePrice is not an amount of money"),
    ({"basePrice": True}, "its basePrice is not an amount of money"),
    ({"stock": "many"}, "its stock is not a number"),
    ({"presentations": 5}, "one of its presentations has no name or no price"),
    ({"presentations": ["size:bad"]}, "one of its presentations has no name or no price"),
    ({"presentations": ["size:none"]}, "one of its presentations has no name or no price"),
    ({"modifiers": ["mod:olives"]}, "its modifiers cannot be read"),
]


@pytest.mark.parametrize("is_missing", [False, True])
@pytest.mark.parametrize(("fields", "reason"), FAULTS)
async def test_a_product_that_cannot_be_read_says_why(
    disk, rows, database, fields, reason, is_missing
):
    bad = {"rId": "size:bad", "subDomain": PIZZERIA, "name": "Bad"}
    nameless = {"rId": "size:none", "subDomain": PIZZERIA, "price": 1}
    await database.collection(PresentationDocument).insert_many([bad, {**nameless, "name": None}])
    gone = is_missing and None in fields.values()
    change = {"$unset": fields} if gone else {"$set": fields}
    await rows.update_one({"rId": COKE, "subDomain": PIZZERIA}, change)
    page = await disk.page(None, after=None, limit=9)
    assert ids(page) == [COKE, DIAVOLA, MARGHERITA]
    assert (page[0].product, page[0].reason) == (None, reason)
    assert page[0].category_id == ("" if "categoryId" in fields else "cat:drinks")
    assert all(sellable.product for sellable in page[1:])


async def test_a_product_of_sizes_needs_no_price_of_its_own(disk, rows):
    await rows.update_many({"subDomain": PIZZERIA}, {"$unset": {"basePrice": ""}})
    await rows.update_one({"rId": DIAVOLA, "subDomain": PIZZERIA}, {"$set": {"basePrice": 0}})
    coke, diavola, margherita = await disk.page(None, after=None, limit=9)
    assert (coke.product, coke.reason) == (None, "it has no price")
    assert (diavola.product.base_price, margherita.product.base_price) == (0, 0)
    assert [size.id for size in margherita.product.presentations] == ["size:large", "size:small"]


async def test_a_price_of_nothing_can_be_read(disk, rows):
    await rows.update_one({"rId": COKE, "subDomain": PIZZERIA}, {"$set": {"basePrice": 0}})
    (coke,) = await disk.some([COKE])
    assert coke.product.base_price == 0


async def test_of_several_documents_of_a_product_the_first_active_one_counts(disk, rows):
    coke = await rows.find_one({"rId": COKE, "subDomain": PIZZERIA}, {"_id": 0})
    for n in range(3):
        key = ObjectId(f"{n}".rjust(24, "f"))
        await rows.insert_one({**coke, "_id": key, "name": f"Copy {n}", "categoryId": PIZZA})
    (sellable,) = await disk.some([COKE])
    assert sellable.product.name == "Coke"
    assert ids(await disk.page(None, after=None, limit=9)) == [COKE, DIAVOLA, MARGHERITA]
    # A page of nothing but such is not the end.
    assert ids(await disk.page(PIZZA, after=None, limit=1)) == [DIAVOLA]
    first = {"rId": COKE, "name": "Coke", "subDomain": PIZZERIA}
    await rows.update_one(first, {"$set": {"isActive": False}})
    (sellable,) = await disk.some([COKE])
    assert sellable.product.name == "Copy 0"
    assert ids(await disk.page(PIZZA, after=None, limit=1)) == [COKE]
    assert await disk.categories() == {PIZZA: 3}


async def test_products_without_an_id_or_a_category(disk, rows):
    bare = {"subDomain": PIZZERIA, "isActive": True, "name": "X", "basePrice": 1}
    await rows.insert_many([dict(bare), {**bare, "rId": None}, {**bare, "rId": ""}])
    await rows.insert_many(
        [{**bare, "rId": f"x{n}", "categoryId": c} for n, c in enumerate(["", 5])]
    )
    await rows.insert_one({**bare, "rId": "x9"})
    assert await disk.categories() == {PIZZA: 2, "cat:drinks": 1, "": 3}
    assert ids(await disk.page(CategoryId(""), after=None, limit=9)) == ["x0", "x1", "x9"]
    assert ids(await disk.page(None, after=MARGHERITA, limit=9)) == ["x0", "x1", "x9"]


async def test_only_categories_with_a_name_and_an_id_are_named(disk, database):
    bare = {"subDomain": PIZZERIA, "isActive": True}
    categories = database.collection(CategoryDocument)
    await categories.insert_many([{**bare, "rId": "cat:x"}, {**bare, "name": "X"}])
    assert len(await disk.names()) == 3
