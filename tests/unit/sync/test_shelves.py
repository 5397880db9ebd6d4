"""Products and their items are gone through side by side, page by page, from any place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clock import ManualClock
from engine.ports import Business
from engine.sync import shelves
from engine.sync.ports import SINGLE, CatalogKey, ItemId, ItemState
from engine.sync.shelves import Shelf, pairs
from engine.sync.shop import Shop
from tests.memory_sync import MemoryItemStates, MemorySellables
from tests.unit.sync.meta import MemoryMeta
from tests.unit.sync.scene import DRINKS, NOON, PIZZA, PIZZERIA, product, settings


def shop(sold=(), known=(), *, mode="per_category"):
    """Give a shop that sells products, and has items at Meta: catalogue, product, item."""
    states = MemoryItemStates()
    for catalog, rid, item in known:
        key = CatalogKey(catalog), rid, ItemId(item)
        states.held[key] = ItemState(key[0], key[2], rid, "c", "d", "synced", NOON)
    sellables = MemorySellables(*(product(rid, category=category) for rid, category in sold))
    return Shop(
        id=PIZZERIA,
        settings=settings(PIZZERIA, mode=mode),
        business=Business(PIZZERIA, "La Tavola", (), ""),
        links="",
        known={},
        calls=MemoryMeta(ManualClock(NOON)),
        sellables=sellables,
        states=states,
        still_ours=ours,
    )


async def ours():
    return None


async def found(of, key, count, after=None):
    return [
        (pair.product, pair.sellable is not None, tuple(row.item for row in pair.rows))
        async for pair in pairs(of, Shelf(CatalogKey(key), count), after=after)
    ]


async def test_shelves_are_what_is_sold_and_what_was():
    of = shop([("a", PIZZA), ("b", PIZZA), ("c", "")], [(DRINKS, "x", "x"), (PIZZA, "a", "a")])
    assert await shelves.shelves(of) == (
        Shelf(CatalogKey(""), 1), Shelf(CatalogKey(DRINKS), 0), Shelf(CatalogKey(PIZZA), 2)
    )  # fmt: skip
    of = shop([("a", PIZZA), ("b", DRINKS)], [(PIZZA, "a", "a")], mode="single")
    assert await shelves.shelves(of) == (Shelf(SINGLE, 2), Shelf(CatalogKey(PIZZA), 0))


async def test_each_product_comes_once_with_what_is_sold_and_what_is_known_of_it():
    of = shop(
        [("a", PIZZA), ("c", PIZZA), ("d", DRINKS)],
        [(PIZZA, "b", "b|l"), (PIZZA, "b", "b|s"), (PIZZA, "c", "c"), (DRINKS, "a", "a")],
    )
    assert await found(of, PIZZA, 2) == [
        ("a", True, ()),
        ("b", False, ("b|l", "b|s")),
        ("c", True, ("c",)),
    ]
    assert await found(of, PIZZA, 2, after="a") == [
        ("b", False, ("b|l", "b|s")),
        ("c", True, ("c",)),
    ]
    assert await found(of, PIZZA, 2, after="b") == [("c", True, ("c",))]
    assert await found(of, PIZZA, 2, after="c") == []


async def test_the_single_catalogue_has_every_category():
    of = shop([("a", PIZZA), ("d", DRINKS)], [(PIZZA, "a", "a")], mode="single")
    assert await found(of, SINGLE, 2) == [("a", True, ()), ("d", True, ())]
    # What is left of the time when each category had one.
    assert await found(of, PIZZA, 0) == [("a", False, ("a",))]


@pytest.fixture(scope="module", autouse=True)
def _small_pages():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shelves, "PAGE", 3)
        yield


names = st.sampled_from("abcdefghij")


@given(st.sets(names), st.sets(st.tuples(names, st.sampled_from(["", "|l", "|s"]))), names)
async def test_pages_and_places_make_no_difference(sold, known, place):
    of = shop([(rid, PIZZA) for rid in sold], [(PIZZA, rid, rid + size) for rid, size in known])
    expected = [
        (rid, rid in sold, tuple(sorted(rid + size for each, size in known if each == rid)))
        for rid in sorted(sold | {rid for rid, _ in known})
    ]
    assert await found(of, PIZZA, len(sold)) == expected
    assert await found(of, PIZZA, len(sold), place) == [e for e in expected if e[0] > place]
