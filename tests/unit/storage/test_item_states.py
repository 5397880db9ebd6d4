"""What is known of a tenant's items, on disk and in memory."""

from dataclasses import replace

import pytest

from engine.domain.ids import ProductId
from engine.storage.item_states import MongoItemStates
from engine.storage.sync_records import SyncStateDocument
from engine.sync.ports import SINGLE, CatalogKey, ItemId, ItemStates, Summary
from tests.memory_sync import MemoryItemStates
from tests.unit.storage.builders import BAKERY, PIZZERIA
from tests.unit.storage.sync_builders import LATER, item

PIZZA = CatalogKey("cat:pizza")


def both_agree(disk: MongoItemStates, memory: MemoryItemStates) -> tuple[ItemStates, ItemStates]:
    return disk, memory


@pytest.fixture
def states(sync):
    return sync.states(PIZZERIA)


async def everything(states, catalog=SINGLE, limit=1000):
    return await states.page(catalog, after=None, limit=limit)


async def test_items_come_back_as_they_were(states):
    whole = item(status="failed", error="no image")
    bare = item("prod:b", catalog_id="", status="refused", batch=None, document=None)
    await states.put([bare, whole])
    assert await everything(states) == (whole, bare)


async def test_an_item_is_written_over_and_may_be_given_twice(states):
    await states.put([item(), item("prod:b")])
    again = item(digest="d2", status="synced", updated_at=LATER)
    await states.put([item(digest="d0"), item("prod:c"), again])
    assert await everything(states) == (again, item("prod:b"), item("prod:c"))
    await states.put([])


# In the order they must come in: of ids that begin alike and of characters below any text.
ODD = ["", "\x00", "\x01", "\x01\x02", "\x02", "\x02\x02", "\x03", " ", "a", "a\x01", "a b", "a|b"]


async def test_pages_go_on_by_product_and_item_whatever_is_in_an_id(states):
    held = [item(f"p{product}", f"i{name}") for product in ODD for name in ODD]
    await states.put(list(reversed(held)))
    found, after = [], None
    while page := await states.page(SINGLE, after=after, limit=7):
        found += page
        after = page[-1].product, page[-1].item
    assert found == held
    before_b = (ProductId("pa b"), ItemId(""))
    assert (await states.page(SINGLE, after=before_b, limit=1))[0] == item("pa b", "i")


async def test_a_page_is_of_one_catalogue(states):
    theirs = item(catalog=PIZZA)
    await states.put([theirs, item(), item("prod:b")])
    assert await everything(states, PIZZA) == (theirs,)
    assert await everything(states, CatalogKey("cat:pi")) == ()
    assert await states.catalogs() == {PIZZA: 1, SINGLE: 2}


async def test_the_items_of_products_and_what_is_forgotten(states):
    large, small = item(name="prod:a|large"), item(name="prod:a|small", catalog=PIZZA)
    held = [large, small, item("prod:b"), item("prod:c")]
    await states.put(held)
    wanted = [ProductId("prod:a"), ProductId("prod:c"), ProductId("prod:none")]
    assert await states.of(wanted) == (large, item("prod:c"), small)
    assert await states.of([]) == ()
    await states.drop([large, item("prod:c"), item("prod:none")])
    await states.drop([])
    assert await states.of(wanted) == (small,)
    assert await everything(states) == (item("prod:b"),)


async def test_a_batch_that_is_through_settles_what_waits_for_it(states):
    sent, faulty = item(error="old"), item("prod:b")
    removing, stuck = item("prod:c", status="removing"), item("prod:d", status="removing")
    elsewhere = item("prod:e", batch="catalog-1:h2")
    settled = item("prod:f", status="failed", error="before")
    await states.put([sent, faulty, removing, stuck, elsewhere, settled])
    faults = {
        ItemId("prod:b"): "no image",
        ItemId("prod:d"): "not found",
        ItemId("prod:e"): "not its",
        ItemId("prod:f"): "not its any more",
    }
    assert await states.in_batch("catalog-1:h1") == (sent, faulty, removing, stuck)
    assert await states.settle("catalog-1:h1", faults=faults) == 4
    assert await everything(states) == (
        replace(sent, status="synced", error=None),
        replace(faulty, status="failed", error="no image"),
        replace(stuck, status="failed", error="not found"),
        elsewhere,
        settled,
    )
    assert await states.in_batch("catalog-1:h1") == ()
    assert await states.settle("catalog-1:h1", faults=faults) == 0
    assert await states.settle("catalog-1:none", faults={}) == 0


async def test_an_item_that_waits_for_a_newer_batch_is_left(states):
    await states.put([item()])
    newer = item(batch="catalog-1:h2", digest="d2")
    await states.put([newer])
    assert await states.settle("catalog-1:h1", faults={newer.item: "late"}) == 0
    assert await everything(states) == (newer,)


async def test_products_are_counted_by_their_worst_item(states):
    assert await states.summary() == Summary(synced=0, failed=0, waiting=0)
    kinds = {
        "a": ["synced", "synced"],
        "b": ["synced", "sent"],
        "c": ["sent", "refused"],
        "d": ["failed"],
        "e": ["removing"],
        "f": ["synced"],
    }
    held = [
        item(product, f"{product}|{n}", status=status)
        for product, statuses in kinds.items()
        for n, status in enumerate(statuses)
    ]
    await states.put(held)
    assert await states.summary() == Summary(synced=2, failed=2, waiting=2)
    bad = tuple(state for state in held if state.status in ("failed", "refused"))
    assert await states.errors(5) == bad
    assert await states.errors(1) == bad[:1]


async def test_the_items_of_two_tenants_do_not_mix(sync):
    ours, theirs = sync.states(PIZZERIA), sync.states(BAKERY)
    await ours.put([item()])
    await theirs.put([item(digest="theirs")])
    await ours.settle("catalog-1:h1", faults={})
    await ours.drop([item()])
    assert await everything(ours) == ()
    assert await everything(theirs) == (item(digest="theirs"),)
    assert await ours.of([ProductId("prod:a")]) == await ours.in_batch("catalog-1:h1") == ()
    assert await theirs.summary() == Summary(synced=0, failed=0, waiting=1)
    await ours.put([item(status="synced")])
    assert await theirs.catalogs() == {SINGLE: 1}


async def test_more_items_than_one_command_has_room_for(mongo_sync, database):
    states = mongo_sync.states(PIZZERIA)
    held = [item(f"prod:{n:04}") for n in range(600)]
    await states.put(held)
    faults = {state.item: "bad" for state in held[:120]}
    assert await states.settle("catalog-1:h1", faults=faults) == 600
    assert await states.summary() == Summary(synced=480, failed=120, waiting=0)
    await states.put([replace(state, digest="d2") for state in held])
    rows = database.collection(SyncStateDocument)
    assert await rows.count_documents({"digest": "d2"}) == 600
    assert await rows.count_documents({}) == 600
    await states.drop(held[:599])
    assert await everything(states) == (replace(held[-1], digest="d2"),)
