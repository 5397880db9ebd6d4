"""Looking into the catalog: what is loaded for the texts, what is found by a typed name."""

import pytest

from engine.domain.menu import Menu
from engine.domain.refusals import Reason, Refusal
from engine.turn import Event
from tests.unit.actions.shop import a_turn, act, done, menu, product, raised, reason, refused

EMPTY = Menu(categories=menu().categories, groups=menu().groups, products={})


def test_categories_come_in_the_menus_order_with_the_number_of_their_products():
    turn = a_turn()
    done(turn, "catalog.categories")
    shown = turn.memory["categories"]
    assert [c["id"] for c in shown] == list(menu().categories)
    assert sum(c["products"] for c in shown) == len(menu().products)


def test_an_empty_menu_is_refused():
    assert reason(a_turn(of=EMPTY), "catalog.categories") is Reason.NOT_FOUND


def test_a_category_is_loaded_with_all_its_products():
    turn = a_turn()
    done(turn, "catalog.category", category="cat:drinks")
    assert turn.memory["category"] == {"id": "cat:drinks", "name": "Drinks"}
    ids = [rid for rid, p in menu().products.items() if p.category == "cat:drinks"]
    assert [p["id"] for p in turn.memory["products"]] == ids


@pytest.mark.parametrize("category", ["cat:gone", "", "prod:coke"])
def test_a_category_without_products_is_unknown(category):
    assert reason(a_turn(), "catalog.category", category=category) is Reason.UNKNOWN_CATEGORY


def test_a_product_is_loaded_as_texts_read_it():
    turn = a_turn()
    done(turn, "catalog.product", product="prod:quattro-formaggi")
    shown = turn.memory["product"]
    assert shown["name"] == "Quattro Formaggi"
    assert shown["category"] == {"id": "cat:pizza", "name": "Pizza"}
    assert shown["is_available"]
    assert shown["is_customizable"]
    assert [p["is_available"] for p in shown["presentations"]] == [True, True, False]


def test_a_product_that_is_sold_out_is_shown_all_the_same():
    turn = a_turn()
    done(turn, "catalog.product", product="prod:cannoli")
    assert not turn.memory["product"]["is_available"]


def test_a_product_that_is_sold_out_is_not_loaded_to_be_ordered():
    turn = a_turn()
    found = refused(turn, "catalog.product", product="prod:cannoli", to_order=True)
    assert found == Refusal(Reason.SOLD_OUT, {"product": "Cannoli Siciliani (2)"})
    assert turn.memory == {}
    done(turn, "catalog.product", product="prod:coke", to_order=True)
    assert turn.memory["product"]["id"] == "prod:coke"


@pytest.mark.parametrize("to_order", [False, True])
def test_a_product_that_is_gone_is_unknown(to_order):
    found = reason(a_turn(), "catalog.product", product="prod:gone", to_order=to_order)
    assert found is Reason.UNKNOWN_PRODUCT


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Caprese", "prod:caprese"),
        ("caprese", "prod:caprese"),
        ("TIRAMISU", "prod:tiramisu"),
        ("tiramisú", "prod:tiramisu"),
        ("carbonara", "prod:carbonara"),
        ("margarita piza", "prod:margherita"),
        ("panacotta", "prod:panna-cotta"),
    ],
)
def test_a_typed_name_finds_its_product(text, found):
    event = raised(a_turn(), "catalog.find", text=text, quantity=2)
    assert event == Event("product_found", {"argument": found, "text": text, "quantity": 2})


def test_a_product_may_be_named_by_the_words_of_its_id():
    event = raised(a_turn(), "catalog.find", text="coke", then="add_found")
    assert event == Event("add_found", {"argument": "prod:coke", "text": "coke", "quantity": None})


def test_a_typed_name_finds_a_category_where_it_names_no_one_product():
    event = raised(a_turn(), "catalog.find", text="desserts")
    assert event == Event("category_found", {"argument": "cat:desserts", "text": "desserts"})


def test_a_category_cannot_be_added():
    outcome = act(a_turn(), "catalog.find", text="desserts", then="add_found")
    assert not isinstance(outcome, Event) or outcome.name != "category_found"


def test_several_products_are_loaded_to_choose_from():
    turn = a_turn()
    event = raised(turn, "catalog.find", text="spaghetti", quantity=3)
    assert event == Event("products_found", {"text": "spaghetti", "quantity": 3})
    shown = [p["id"] for p in turn.memory["products"]]
    assert set(shown) == {"prod:spaghetti-meatballs", "prod:carbonara"}
    assert len(shown) <= 10
    assert turn.memory["sought"] == "spaghetti"


@pytest.mark.parametrize("text", ["xylophone", "", "   ", "🍕", "?!", "prod:caprese" * 40])
def test_what_is_not_there_is_refused_by_its_name(text):
    found = refused(a_turn(), "catalog.find", text=text)
    assert found == Refusal(Reason.NOT_FOUND, {"product": text})


def test_a_product_named_by_an_emoji_is_not_found_by_every_text():
    turn = a_turn(changes={"prod:caprese": {"name": "🍕"}})
    assert product(turn, "prod:caprese").name == "🍕"
    assert reason(turn, "catalog.find", text="xylophone") is Reason.NOT_FOUND
