"""What changes in the products of all tenants, followed in the database and in memory."""

import asyncio
from datetime import timedelta

import pytest
from bson import ObjectId

from engine.domain.ids import PresentationId, ProductId
from engine.errors import Conflict, FeedLost
from engine.storage.change_feed import MongoFeed
from engine.storage.documents import PresentationDocument, ProductDocument
from engine.storage.sync_records import SyncFeedDocument
from engine.sync.feed import ChangeFeed, Changes
from tests.memory_sync import MemoryFeed
from tests.unit.storage.builders import BAKERY, NOW, PIZZERIA
from tests.unit.storage.sync_builders import item

LEASE = timedelta(seconds=30)
COKE, PIZZA = ProductId("prod:coke"), ProductId("prod:pizza")


def both_agree(disk: MongoFeed, memory: MemoryFeed) -> tuple[ChangeFeed, ChangeFeed]:
    return disk, memory


class Shop:
    """Writes products as the Node back end does, or as the one in memory tells of it."""

    def __init__(self, sync, database):
        self.sync, self.database = sync, database
        self.others = []

    def another(self):
        """Follow the changes as another process."""
        if hasattr(self.sync, "log"):
            feed = self.sync.another_feed()
        else:
            feed = MongoFeed(self.database)
        self.others.append(feed)
        return feed

    async def sell(self, product, tenant=PIZZERIA, **fields):
        if hasattr(self.sync, "log"):
            self.sync.log.tell(products=[(tenant, product)])
            return
        rows = self.database.collection(ProductDocument)
        await rows.insert_one({"rId": product, "subDomain": tenant, **fields})

    async def forget(self):
        """Let the place no longer be known to the database."""
        if hasattr(self.sync, "log"):
            self.sync.log.is_lost = True
            return
        rows = self.database.collection(SyncFeedDocument)
        await rows.update_one({}, {"$set": {"token": {"_data": "82" * 20}}})


@pytest.fixture
async def shop(sync, database):
    made = Shop(sync, database)
    yield made
    for feed in made.others:
        await feed.close()


@pytest.fixture
async def feed(sync):
    """The feed, claimed and read once: it tells what changes from now on."""
    assert await claim(sync.feed)
    assert await sync.feed.next(seconds=0) is None
    return sync.feed


async def claim(feed, owner="me", now=NOW):
    return await feed.claim(owner=owner, now=now, until=now + LEASE)


async def test_one_process_reads_the_feed(sync, shop):
    mine, yours = sync.feed, shop.another()
    assert await claim(mine)
    assert not await claim(yours, "you")
    assert await claim(mine, now=NOW + LEASE / 2)
    assert not await claim(yours, "you", now=NOW + LEASE)
    assert await claim(yours, "you", now=NOW + LEASE * 2)
    assert not await claim(mine, now=NOW + LEASE * 2)


async def test_what_changes_is_told_once_and_together(feed, shop):
    await shop.sell(COKE)
    await shop.sell(PIZZA, BAKERY)
    changes = await feed.next(seconds=5)
    assert changes.products == ((PIZZERIA, COKE), (BAKERY, PIZZA))
    assert await feed.products_of(changes) == changes.products
    assert await feed.next(seconds=0) is None


async def test_what_was_not_noted_is_told_again_after_a_restart(feed, shop):
    await shop.sell(COKE)
    first = await feed.next(seconds=5)
    await feed.close()
    assert (await feed.next(seconds=5)).products == first.products
    await feed.noted(first, owner="me")
    await feed.close()
    await shop.sell(PIZZA)
    assert (await feed.next(seconds=5)).products == ((PIZZERIA, PIZZA),)


async def test_another_process_goes_on_where_the_first_noted(feed, shop):
    await shop.sell(COKE)
    await feed.noted(await feed.next(seconds=5), owner="me")
    await shop.sell(PIZZA)
    untold = await feed.next(seconds=5)
    other = shop.another()
    assert await claim(other, "you", NOW + LEASE)
    assert (await other.next(seconds=5)).products == untold.products
    for late in (feed.noted(untold, owner="me"), feed.restart(owner="me")):
        with pytest.raises(Conflict):
            await late
    # It has it again: not from where it stood itself, but from what is noted.
    assert await claim(feed, "me", NOW + LEASE * 2)
    assert (await feed.next(seconds=5)).products == untold.products


async def test_nothing_is_missed_between_the_first_reading_and_another_process(feed, shop):
    await shop.sell(COKE)
    other = shop.another()
    assert await claim(other, "you", NOW + LEASE)
    assert (await other.next(seconds=5)).products == ((PIZZERIA, COKE),)


async def test_a_place_that_is_lost_is_told_until_a_restart(feed, shop):
    await shop.forget()
    await feed.close()
    for _ in range(2):
        with pytest.raises(FeedLost):
            await feed.next(seconds=0)
    await shop.sell(COKE)
    await feed.restart(owner="me")
    await shop.sell(PIZZA)
    assert (await feed.next(seconds=5)).products == ((PIZZERIA, PIZZA),)


async def test_a_restart_holds_its_place_before_anything_is_read(feed, shop):
    await feed.restart(owner="me")
    await shop.sell(COKE)
    other = shop.another()
    assert await claim(other, "you", NOW + LEASE)
    assert (await other.next(seconds=5)).products == ((PIZZERIA, COKE),)


async def test_a_product_that_is_gone_is_known_by_its_document(sync):
    await sync.states(PIZZERIA).put(
        [item(name="a|1", document="d1"), item(name="a|2", document="d1")]
    )
    await sync.states(BAKERY).put([item("prod:b", document="d2"), item("prod:c", document="d3")])
    changes = Changes(((PIZZERIA, COKE),), ("d1", "d3", "d9"), (), None)
    found = await sync.feed.products_of(changes)
    assert set(found) == {(PIZZERIA, COKE), (PIZZERIA, "prod:a"), (BAKERY, "prod:c")}
    assert len(found) == 3


@pytest.fixture
async def followed(mongo_sync):
    await claim(mongo_sync.feed)
    await mongo_sync.feed.restart(owner="me")
    return mongo_sync.feed


@pytest.fixture
def products(database):
    return database.collection(ProductDocument)


@pytest.fixture
def sizes(database):
    return database.collection(PresentationDocument)


async def test_updates_deletions_and_other_collections(followed, products, database):
    first, second, third = (ObjectId() for _ in range(3))
    for key, rid in ((first, "a"), (second, "b"), (third, "c")):
        await products.insert_one({"_id": key, "rId": rid, "subDomain": PIZZERIA, "name": "N"})
    await followed.noted(await followed.next(seconds=5), owner="me")
    await products.update_one({"_id": first}, {"$set": {"name": "M"}})
    await products.replace_one({"_id": second}, {"rId": "b2", "subDomain": BAKERY})
    await products.delete_one({"_id": third})
    await products.insert_one({"name": "without an id"})
    await database.client[database.name]["others"].insert_one({"rId": "x", "subDomain": PIZZERIA})
    changes = await followed.next(seconds=5)
    assert changes.products == ((PIZZERIA, "a"), (BAKERY, "b2"))
    assert changes.documents == (str(first), str(second), str(third))
    await database.client[database.name].drop_collection("others")


async def test_a_size_concerns_its_product_or_all_that_have_it(followed, products, sizes):
    held = [("a", PIZZERIA, ["s", "t"]), ("b", PIZZERIA, ["t"]), ("c", PIZZERIA, ["u"])]
    for rid, tenant, has in [*held, ("d", BAKERY, ["s"]), (None, PIZZERIA, ["s"])]:
        await products.insert_one({"rId": rid, "subDomain": tenant, "presentations": has})
    await followed.noted(await followed.next(seconds=5), owner="me")
    await sizes.insert_one({"rId": "s", "subDomain": PIZZERIA})
    await sizes.insert_one({"rId": "t", "subDomain": BAKERY})
    await sizes.insert_one({"rId": "u", "subDomain": PIZZERIA, "productId": "c"})
    await sizes.update_one({"rId": "s"}, {"$set": {"price": 2}})
    changes = await followed.next(seconds=5)
    assert changes.presentations == (
        (PIZZERIA, PresentationId("s"), None),
        (BAKERY, PresentationId("t"), None),
        (PIZZERIA, PresentationId("u"), ProductId("c")),
    )
    assert set(await followed.products_of(changes)) == {(PIZZERIA, "a"), (PIZZERIA, "c")}


async def test_a_collection_that_is_dropped_is_a_lost_feed(followed, products):
    await products.insert_one({"rId": "a", "subDomain": PIZZERIA})
    indexes = [dict(index) async for index in await products.list_indexes()]
    await products.drop()
    with pytest.raises(FeedLost, match="dropped"):
        await followed.next(seconds=5)
    for index in indexes:
        if index["name"] != "_id_":
            await products.create_index(list(index["key"].items()))


async def test_a_burst_is_told_in_parts(followed, products):
    await products.insert_many([{"rId": f"p{n:04}", "subDomain": PIZZERIA} for n in range(1100)])
    first = await followed.next(seconds=5)
    await followed.noted(first, owner="me")
    second = await followed.next(seconds=5)
    assert 0 < len(first.products) <= 1000
    told = [product for _, product in first.products + second.products]
    assert told == [f"p{n:04}" for n in range(1100)]


async def test_a_place_that_nothing_of_ours_moves_is_moved_on(followed, database):
    rows = database.collection(SyncFeedDocument)
    before = await rows.find_one({})
    await database.client[database.name]["others"].insert_one({})
    assert await followed.next(seconds=0) is None
    assert await claim(followed)
    assert (await rows.find_one({}))["token"] != before["token"]
    await database.client[database.name].drop_collection("others")


async def test_a_place_is_not_moved_on_over_what_was_not_noted(followed, products, database):
    rows = database.collection(SyncFeedDocument)
    before = await rows.find_one({})
    await products.insert_one({"rId": "a", "subDomain": PIZZERIA})
    assert await followed.next(seconds=5)
    assert await followed.next(seconds=0) is None
    assert await claim(followed)
    assert (await rows.find_one({}))["token"] == before["token"]


async def test_a_reader_that_is_cancelled_may_read_again(followed, products):
    reading = asyncio.create_task(followed.next(seconds=60))
    done, _ = await asyncio.wait({reading}, timeout=0.1)
    assert not done
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await products.insert_one({"rId": "a", "subDomain": PIZZERIA})
    assert (await followed.next(seconds=5)).products == ((PIZZERIA, "a"),)
