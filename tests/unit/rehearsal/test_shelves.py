"""What is extreme on a menu, and carts and menus made of it."""

from datetime import UTC, datetime

import pytest

from engine.domain.cart import MAX_LINES
from engine.domain.money import Currency
from engine.domain.refusals import Refusal
from engine.rehearsal.shelves import (
    dearer,
    emptied,
    extremes,
    fullest_cart,
    sample_menu,
    sold_out,
)
from engine.whatsapp.limits import length
from tests.unit.actions.shop import LIBRARY
from tests.unit.rehearsal.edited import menu_of

UNTIL = datetime(2030, 6, 15, tzinfo=UTC)
MENU = menu_of(LIBRARY)


def test_the_extremes_have_the_longest_the_dearest_and_the_fullest():
    found = extremes(MENU)
    sold = [p for p in MENU.products.values() if not p.is_sold_out]
    assert found[0] in found
    assert len(found[0].groups) == max(len(p.groups) for p in sold)
    assert max(length(p.name) for p in found) == max(length(p.name) for p in sold)
    assert max(p.lowest_price for p in found) == max(p.lowest_price for p in sold)
    assert not all(p.is_customizable for p in found)
    assert len({p.id for p in found}) == len(found) <= 9


def test_the_fullest_cart_is_one_that_a_customer_could_fill():
    cart = fullest_cart(MENU, Currency("USD"), until=UNTIL)
    assert len(cart.lines) == MAX_LINES
    assert len({line.id for line in cart.lines}) == MAX_LINES
    more = cart.add(cart.lines[0], expires_at=UNTIL)
    assert not isinstance(more, Refusal)
    longest = max(MENU.products.values(), key=lambda p: length(p.name))
    assert longest.is_sold_out or cart.lines[0].name == longest.name
    for line in cart.lines:
        stock = MENU.products[line.product_id].stock
        assert stock is None or line.quantity <= stock


def test_a_menu_without_products_fills_no_cart():
    assert fullest_cart(emptied(), Currency("USD"), until=UNTIL).lines == ()
    assert extremes(emptied()) == ()


@pytest.mark.parametrize("code", ["USD", "JPY"])
def test_a_dearer_menu_costs_more_for_each_product(code):
    assert Currency(code)
    for key, product in dearer(MENU).products.items():
        assert product.lowest_price > MENU.products[key].lowest_price


def test_on_a_day_on_which_everything_has_run_out_nothing_can_be_ordered():
    assert all(product.is_sold_out for product in sold_out(MENU).products.values())


def test_the_menu_of_who_has_none_has_both_kinds_of_products():
    held = sample_menu().products.values()
    assert {product.is_customizable for product in held} == {True, False}
