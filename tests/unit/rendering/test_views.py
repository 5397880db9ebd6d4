"""What texts see: plain data only, whatever a turn knows."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.cart import Cart
from engine.domain.catalog import Category
from engine.domain.ids import CategoryId, OrderNumber
from engine.domain.order import Address, Order, OrderType
from engine.domain.pricing import price_order
from engine.rendering.views import (
    address_text,
    cart_view,
    category_view,
    group_view,
    line_view,
    order_view,
    plain,
    priced_view,
    product_view,
    quote_view,
    tenant_view,
)
from tests.unit.actions.shop import (
    CUSTOMER,
    OPEN,
    a_turn,
    alter,
    bundle,
    la_tavola,
    menu,
    money,
    priced,
    product,
)

TURN = a_turn()
LINE = priced(TURN, "prod:margherita", "mod:stuffed-crust", size="pres:margherita-large",
              quantity=2)  # fmt: skip
SHOWN_LINE = {
    "id": LINE.id, "product": "prod:margherita", "name": "Margherita Pizza",
    "presentation": 'Large (16")', "modifiers": [{"name": "Stuffed", "price": money("2.50")}],
    "quantity": 2, "unit_price": money("20.50"), "total": money("41.00"),
}  # fmt: skip


def an_order(**more: Any) -> Order:
    quote = price_order(
        [LINE], delivery_fee=money("3.50"), tax=TURN.tenant.tax_rule, currency=TURN.tenant.money
    )
    known: dict[str, Any] = {
        "number": OrderNumber("K7M2QX"), "customer": CUSTOMER, "quote": quote,
        "type": OrderType.DELIVERY, "payment_method": "card", "payment_kind": "card",
        "created_at": OPEN, "address": Address("1 Main Street"),
    }  # fmt: skip
    return Order(**(known | more))


def is_plain(value: Any) -> bool:
    """Tell whether a value has no object of ours in it."""
    if isinstance(value, dict):
        return all(type(key) is str and is_plain(part) for key, part in value.items())
    if isinstance(value, list):
        return all(is_plain(part) for part in value)
    return type(value) in {str, int, float, bool, type(None), Decimal, datetime}


def test_a_line_is_shown_with_its_make_up():
    assert line_view(LINE) == SHOWN_LINE


def test_a_price_is_shown_part_by_part():
    extras = [{"name": "Stuffed", "quantity": 1, "price": money("2.50")}]
    assert priced_view(LINE) == SHOWN_LINE | {
        "modifiers": extras, "modifiers_total": money("2.50"), "base": money("18.00"),
    }  # fmt: skip
    plain_line = priced_view(priced(TURN, "prod:coke", quantity=3))
    assert (plain_line["base"], plain_line["modifiers_total"]) == (money("2.50"), 0)
    assert plain_line["modifiers"] == []


def test_a_cart_is_shown_with_its_lines():
    assert cart_view(Cart(lines=(LINE,), expires_at=OPEN)) == {
        "lines": [SHOWN_LINE], "count": 2, "subtotal": money("41.00"), "is_expired": False,
    }  # fmt: skip
    assert cart_view(Cart(is_expired=True)) == {
        "lines": [], "count": 0, "subtotal": 0, "is_expired": True,
    }  # fmt: skip


def test_a_category_is_shown():
    shown = category_view(Category(CategoryId("cat:x"), "X", 3))
    assert shown == {"id": "cat:x", "name": "X", "products": 3}


@pytest.mark.parametrize("rid", menu().products)
def test_a_product_is_shown_as_the_menu_has_it(rid):
    of, shown = menu().products[rid], product_view(product(TURN, rid))
    assert is_plain(shown)
    offered = [p.price for p in of.presentations.values() if p.available]
    assert shown["price"] == min(offered, default=of.price)
    assert shown["is_from_price"] == (len(set(offered)) > 1)
    assert shown["is_available"] == (of.available and of.stock != 0)
    assert shown["is_customizable"] == bool(of.presentations or of.groups)
    assert [p["id"] for p in shown["presentations"]] == list(of.presentations)
    assert [g["id"] for g in shown["groups"]] == list(of.groups)
    assert shown["image"] == of.image


def test_a_product_of_no_available_size_is_sold_out():
    turn = a_turn()
    gone = tuple(
        type(p)(p.id, p.name, p.price, False)
        for p in product(turn, "prod:margherita").presentations
    )
    alter(turn.catalog, "prod:margherita", {"presentations": gone})
    shown = product_view(product(turn, "prod:margherita"))
    assert not shown["is_available"]
    assert not shown["is_from_price"]
    assert shown["price"] == money("12.00")


def test_a_group_is_shown_with_what_is_chosen_of_it():
    (group,) = product(TURN, "prod:gelato").groups
    shown = group_view(group, ("mod:hazelnut", "mod:bacon"))
    assert (shown["chosen"], shown["minimum"], shown["maximum"]) == (1, 2, 2)
    assert [m["id"] for m in shown["modifiers"] if m["is_chosen"]] == ["mod:hazelnut"]


def test_a_quote_is_shown_with_its_ladder():
    quote = an_order().quote
    assert quote_view(quote, TURN.tenant) == {
        "lines": [SHOWN_LINE], "subtotal": money("41.00"), "delivery_fee": money("3.50"),
        "tax": money("3.64"), "tax_rate": money("8.875"), "is_tax_included": False,
        "total": money("48.14"), "fingerprint": quote.fingerprint,
    }  # fmt: skip


@pytest.mark.parametrize(("language", "payment"), [("en", "Card"), ("es", "Tarjeta")])
def test_an_order_is_shown_in_a_language(language, payment):
    shown = order_view(an_order(), TURN.tenant, language)
    assert is_plain(shown)
    assert (shown["number"], shown["status"], shown["type"]) == ("K7M2QX", "pending", "delivery")
    assert shown["payment"] == payment
    assert shown["instructions"]
    assert shown["minutes"] == {"minimum": 30, "maximum": 45}
    assert shown["notes"] == ""
    assert order_view(an_order(notes="Ring twice"), TURN.tenant, language)["notes"] == "Ring twice"


def test_an_order_outlives_what_the_tenant_offered_then():
    shown = order_view(an_order(payment_method="gone"), la_tavola(delivery=None), "en")
    assert (shown["payment"], shown["instructions"]) == ("gone", "")
    assert shown["minutes"] == {"minimum": 30, "maximum": 45}
    fetched = order_view(an_order(type=OrderType.PICKUP, address=None), TURN.tenant, "en")
    assert fetched["minutes"] == {"minimum": 15, "maximum": 20}
    assert fetched["address"] == ""


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (None, ""),
        (Address("Home"), "Home"),
        (Address("Home", 1.5, 2.5), "Home"),
        (Address("", 40.730612, -74.0), "40.73061, -74.00000"),
        (Address("", 0.0, 0.0), "0.00000, 0.00000"),
        (Address(), ""),
    ],
)
def test_an_address_is_one_line(address, text):
    assert address_text(an_order(address=address)) == text


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_tenant_is_shown_without_its_ids(language):
    shown = tenant_view(TURN.tenant, language)
    assert is_plain(shown)
    assert shown["languages"] == ["en", "es"]
    assert shown["hours"][1]["spans"] == ["11:30-15:00", "17:00-22:30"]
    assert shown["delivery"]["minimum_order"] == 12
    assert shown["pickup"] == {"minutes": {"minimum": 15, "maximum": 20}}
    names = {"en": ["Cash", "Card"], "es": ["Efectivo", "Tarjeta"]}
    assert [m["name"] for m in shown["payment_methods"]] == names[language]
    assert TURN.tenant.phone_number_ids[0] not in str(shown)


DELIVERED = {"id": "delivery", "fee": money("3.50"), "minutes": {"minimum": 30, "maximum": 45}}
FETCHED = {"id": "pickup", "fee": 0, "minutes": {"minimum": 15, "maximum": 20}}


@pytest.mark.parametrize(
    ("changes", "receiving"),
    [
        ({}, [DELIVERED, FETCHED]),
        ({"delivery": None}, [FETCHED]),
        ({"pickup": None}, [DELIVERED]),
        ({"pickup": None, "delivery": None}, []),
    ],
)
def test_the_ways_to_receive_an_order_are_listed(changes, receiving):
    assert tenant_view(la_tavola(**changes), "en")["receiving"] == receiving


def test_what_a_tenant_does_not_offer_is_none():
    assert tenant_view(la_tavola(delivery=None), "en")["delivery"] is None
    assert tenant_view(la_tavola(pickup=None), "en")["pickup"] is None
    assert is_plain(tenant_view(bundle("dona-lucha").tenant, "es"))


MIXED = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3)
    | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner)
    | st.dictionaries(st.integers(0, 9) | st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(MIXED)
def test_whatever_is_made_plain_can_be_stored_and_stays(value):
    made = plain(value)
    orjson.dumps(made)
    assert plain(made) == made
