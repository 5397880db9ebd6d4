"""Products in WhatsApp's own catalogue: which items stand for them, and when a list must do."""

from dataclasses import replace
from typing import Any

import pytest

from engine.domain.catalog import Product
from engine.domain.ids import CategoryId, ProductId
from engine.domain.native import item_id
from engine.turn import Event, Turn
from tests.memory import MemoryNative
from tests.unit.actions.shop import a_turn, key, product, products, raised, shown

PIZZA = "prod:margherita"
READY, NOTHING = Event("native_ready"), Event("native_unavailable")


def items_of(one: Product) -> tuple[str, ...]:
    """Name the items of a product, as the sync makes them."""
    sizes = tuple(item_id(one.id, size.id) for size in one.presentations)
    return sizes or (item_id(one.id),)


def synced(**changes: Any) -> Turn:
    """Make a turn of a tenant all of whose products Meta has taken."""
    turn = a_turn(**changes)
    turn.native = shown({p.id: items_of(p) for p in products(turn).values()})
    return turn


def taken_of(turn: Turn) -> dict[ProductId, tuple[str, ...]]:
    """Give the items that Meta has taken."""
    assert isinstance(turn.native, MemoryNative)
    return turn.native.held


def filled(count: int, *, shelves: int = 1) -> Turn:
    """Make a turn of a tenant that sells so many products in so many categories."""
    turn = a_turn()
    coke = product(turn, "prod:coke")
    shelf = list(dict.fromkeys(p.category_id for p in products(turn).values()))
    products(turn).clear()
    for place in range(count):
        rid, of = key(f"prod:{place}"), shelf[place % shelves]
        products(turn)[rid] = replace(coke, id=rid, category_id=of, category=f"Shelf {of}")
    turn.native = shown({p.id: items_of(p) for p in products(turn).values()})
    return turn


def test_the_products_of_a_category_are_one_item_each():
    turn = synced()
    assert raised(turn, "native.products", category="cat:pizza") == READY
    native = turn.memory["native"]
    pizzas = [p for p in products(turn).values() if p.category_id == "cat:pizza"]
    assert native == {
        "catalog": "900",
        "sections": [{"title": "Pizza", "items": [items_of(p)[0] for p in pizzas]}],
        "others": [],
    }
    assert native["sections"][0]["items"][0] == f"{PIZZA}|{PIZZA.replace('prod', 'pres')}-small"


@pytest.mark.parametrize(
    ("taken", "chosen"),
    [
        (("large", "medium"), "medium"),  # in the order of the product, not of Meta
        (("large",), "large"),
        (("large", ""), "large"),
        (("",), ""),
        (("gone", ""), ""),
        (("gone",), None),
        ((), None),
    ],
)
def test_the_first_presentation_that_meta_has_stands_for_a_product(taken, chosen):
    def item(size: str) -> str:
        return f"{PIZZA}|pres:margherita-{size}" if size else PIZZA

    turn = synced()
    taken_of(turn)[key(PIZZA)] = tuple(item(size) for size in taken)
    assert raised(turn, "native.products", category="cat:pizza") == READY
    (section,) = turn.memory["native"]["sections"]
    assert [i for i in section["items"] if i.startswith(PIZZA)] == [
        item(size) for size in (chosen,) if size is not None
    ]
    others = [other["id"] for other in turn.memory["native"]["others"]]
    assert others == ([] if chosen is not None else [PIZZA])


def test_without_a_category_the_sections_are_the_categories_in_their_order():
    turn = filled(9, shelves=3)
    products(turn)[key("prod:x")] = replace(
        product(turn, "prod:0"), id=key("prod:x"), category_id=CategoryId("cat:closed")
    )
    assert raised(turn, "native.products") == READY
    sections = turn.memory["native"]["sections"]
    assert [section["title"] for section in sections] == [
        "Shelf cat:pizza", "Shelf cat:pasta", "Shelf cat:salads",
    ]  # fmt: skip
    assert [section["items"] for section in sections] == [
        [f"prod:{n}" for n in range(start, 9, 3)] for start in range(3)
    ]


@pytest.mark.parametrize(
    ("count", "event"), [(0, NOTHING), (1, READY), (30, READY), (31, NOTHING)]
)
def test_a_list_holds_thirty_products(count, event):
    for category in (None, "cat:pizza"):
        turn = filled(count)
        assert raised(turn, "native.products", category=category) == event
        assert ("native" in turn.memory) == (event == READY)


def test_a_list_holds_ten_sections(monkeypatch):
    monkeypatch.setattr("engine.actions.native.PRODUCT_LIST_SECTIONS", 3)
    assert raised(filled(9, shelves=3), "native.products") == READY
    assert raised(filled(9, shelves=4), "native.products") == NOTHING


def test_what_meta_has_not_taken_must_fit_a_list_beside_it():
    turn = filled(12)
    for rid in list(taken_of(turn))[:10]:
        del taken_of(turn)[rid]
    assert raised(turn, "native.products", category="cat:pizza") == READY
    native = turn.memory["native"]
    assert [other["id"] for other in native["others"]] == [f"prod:{n}" for n in range(10)]
    assert native["sections"][0]["items"] == ["prod:10", "prod:11"]
    del taken_of(turn)[key("prod:10")]
    assert raised(turn, "native.products", category="cat:pizza") == NOTHING


@pytest.mark.parametrize(
    "native", [None, shown({}), shown({"prod:coke": ("prod:coke",)}, connected=None)]
)
def test_without_a_catalogue_or_an_item_the_chat_does_it(native):
    turn = a_turn(native=native)
    assert raised(turn, "native.products", category="cat:drinks") == NOTHING
    assert turn.memory == {}


def test_a_category_that_is_gone_is_not_shown():
    assert raised(synced(), "native.products", category="cat:gone") == NOTHING
