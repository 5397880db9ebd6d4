"""Carts filled in WhatsApp's own catalogue: what goes in, at which price, and what is told."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.domain.cart import MAX_LINES, MAX_QUANTITY, MAX_SUBTOTAL, Cart, CartLine
from engine.domain.native import split_item
from engine.domain.pricing import price_line
from engine.domain.refusals import Reason, Refusal
from engine.turn import Event, Turn
from tests.unit.actions.shop import (
    a_turn,
    act,
    done,
    key,
    la_tavola,
    money,
    priced,
    product,
    products,
    raised,
    reason,
    shown,
)

TAKEN, NOT_TAKEN = Event("native_taken"), Event("native_not_taken")
PIZZA, SMALL = "prod:margherita", "pres:margherita-small"


def ordered(item: str, price: str, quantity: int = 1, currency: str = "USD") -> dict[str, Any]:
    rid, size = split_item(item)
    return {
        "product": rid, "presentation": size, "quantity": quantity, "price": Decimal(price),
        "currency": currency,
    }  # fmt: skip


def send(turn: Turn, *items: dict[str, Any], catalog: str = "900") -> Event:
    return raised(turn, "native.cart", items=items, catalog=catalog)


def told(turn: Turn) -> list[dict[str, Any]]:
    """Give the differences, without what they say nothing of."""
    found = turn.memory["native_cart"]["differences"]
    return [{name: v for name, v in one.items() if v is not None} for one in found]


def lines(turn: Turn) -> list[tuple[str, int, Decimal]]:
    return [(line.product_id, line.quantity, line.unit_price) for line in turn.cart.lines]


def of_coke(kind: str, quantity: int = 1, **more: Any) -> dict[str, Any]:
    named = {"kind": kind, "name": "Coca-Cola", "product": "prod:coke", "quantity": quantity}
    return named | more


def test_what_is_as_he_saw_it_goes_in_and_nothing_is_told():
    turn = a_turn()
    assert send(turn, ordered("prod:coke", "2.5", 2), ordered("prod:caprese", "13.75")) == TAKEN
    assert lines(turn) == [
        ("prod:coke", 2, money("2.50")), ("prod:caprese", 1, money("13.75")),
    ]  # fmt: skip
    assert turn.cart.expires_at == turn.cart_expiry
    cart = turn.memory["native_cart"]
    assert [(line["name"], line["quantity"]) for line in cart["taken"]] == [
        ("Coca-Cola", 2), ("Caprese", 1),
    ]  # fmt: skip
    assert (cart["differences"], cart["to_customize"]) == ([], [])


def test_a_presentation_goes_in_at_its_own_price():
    turn = a_turn(changes={PIZZA: {"groups": ()}})
    assert send(turn, ordered(f"{PIZZA}|pres:margherita-large", "18.00")) == TAKEN
    assert turn.cart.lines == (priced(turn, PIZZA, size="pres:margherita-large"),)
    assert told(turn) == []


def test_it_is_added_to_what_is_in_the_cart_already():
    turn = a_turn()
    done(turn, "cart.add", product="prod:coke", quantity=2)
    assert send(turn, ordered("prod:coke", "2.50", 3)) == TAKEN
    assert lines(turn) == [("prod:coke", 5, money("2.50"))]
    assert turn.memory["native_cart"]["taken"][0]["quantity"] == 3


def test_the_same_item_twice_is_one_with_all_its_units():
    turn = a_turn()
    assert send(turn, *[ordered("prod:coke", "2.50", 2)] * 3) == TAKEN
    assert lines(turn) == [("prod:coke", 6, money("2.50"))]
    assert len(turn.memory["native_cart"]["taken"]) == 1


def test_an_expired_cart_begins_anew():
    turn = a_turn(cart=Cart(is_expired=True))
    assert send(turn, ordered("prod:coke", "2.50")) == TAKEN
    assert not turn.cart.is_expired


# Prices


def test_another_price_is_told_and_todays_is_taken():
    turn = a_turn()
    assert send(turn, ordered("prod:coke", "2.25", 2)) == TAKEN
    assert lines(turn) == [("prod:coke", 2, money("2.50"))]
    changed = of_coke("price_changed", 2, seen=money("2.25"), now=money("2.50"))
    assert told(turn) == [changed]


@pytest.mark.parametrize("price", ["2.5", "2.500", "2.504", "2.4950001"])
def test_a_price_is_the_same_if_it_is_shown_the_same(price):
    turn = a_turn()
    assert send(turn, ordered("prod:coke", price)) == TAKEN
    assert told(turn) == []


@pytest.mark.parametrize(
    ("price", "currency"),
    [("2.50", "PEN"), ("2.50", "usd"), ("2.50", ""), ("999999999999", "USD"),
     ("1000000000", "USD"), ("1E+11", "XXX")],
)  # fmt: skip
def test_a_price_that_cannot_be_ours_is_not_repeated(price, currency):
    turn = a_turn()
    assert send(turn, ordered("prod:coke", price, currency=currency)) == TAKEN
    assert told(turn) == [of_coke("price_changed", now=money("2.50"))]
    assert lines(turn) == [("prod:coke", 1, money("2.50"))]


def test_a_currency_without_cents_is_compared_in_its_own_units():
    turn = a_turn(
        tenant=la_tavola(currency="JPY"), changes={"prod:coke": {"base_price": money("300")}}
    )
    assert send(turn, ordered("prod:coke", "300", currency="JPY")) == TAKEN
    assert told(turn) == []


def test_of_two_prices_for_one_product_the_wrong_one_is_told():
    turn = a_turn()
    assert send(turn, ordered("prod:coke", "2.50"), ordered("prod:coke", "1")) == TAKEN
    assert lines(turn) == [("prod:coke", 2, money("2.50"))]
    assert told(turn) == [of_coke("price_changed", seen=money("1.00"), now=money("2.50"))]


# What cannot be sold


def test_what_is_gone_has_no_name_and_is_counted():
    turn = a_turn(changes={"prod:caprese": None})
    items = [ordered(rid, "1") for rid in ("prod:caprese", "prod:never", "", "a\x00b")]
    assert send(turn, *items) == NOT_TAKEN
    assert told(turn) == [{"kind": "gone", "quantity": 4}]
    assert turn.memory["native_cart"]["taken"] == []
    assert turn.cart == Cart()


@pytest.mark.parametrize(
    ("item", "change"),
    [
        ("prod:coke", {"is_available": False}),
        ("prod:coke", {"stock": 0}),
        ("prod:cannoli", {}),
        (f"{PIZZA}|{SMALL}", {"is_available": False}),
        ("prod:quattro-formaggi|pres:quattro-formaggi-large", {}),
        ("prod:quattro-formaggi|pres:quattro-formaggi-large", {"groups": ()}),
    ],
)
def test_what_is_sold_out_is_told(item, change):
    rid, _ = split_item(item)
    turn = a_turn(changes={rid: change})
    assert send(turn, ordered(item, "2.50")) == NOT_TAKEN
    (difference,) = told(turn)
    assert (difference["kind"], difference["product"]) == ("sold_out", rid)
    assert turn.memory["native_cart"]["to_customize"] == []


def test_of_the_last_units_he_gets_as_many_as_there_are():
    turn = a_turn(changes={"prod:coke": {"stock": 3}})
    assert send(turn, ordered("prod:coke", "2.50", 5)) == TAKEN
    assert lines(turn) == [("prod:coke", 3, money("2.50"))]
    assert told(turn) == [of_coke("few_left", 3, maximum=3)]


@pytest.mark.parametrize(("held", "stock", "room"), [(2, 3, 1), (3, 3, 0), (3, 1, 0)])
def test_units_in_the_cart_count_against_the_stock(held, stock, room):
    turn = a_turn()
    done(turn, "cart.add", product="prod:coke", quantity=held)
    products(turn)[key("prod:coke")] = replace(product(turn, "prod:coke"), stock=stock)
    assert send(turn, ordered("prod:coke", "2.50", 4)) == (TAKEN if room else NOT_TAKEN)
    assert turn.cart.count == held + room
    assert told(turn) == [of_coke("few_left", room, maximum=stock)]


def test_units_of_all_presentations_count_against_the_stock():
    turn = a_turn(changes={PIZZA: {"groups": (), "stock": 3}})
    small, large = (f"{PIZZA}|pres:margherita-{size}" for size in ("small", "large"))
    assert send(turn, ordered(small, "12", 2), ordered(large, "18", 2)) == TAKEN
    assert [line.quantity for line in turn.cart.lines] == [2, 1]
    (difference,) = told(turn)
    assert (difference["kind"], difference["name"]) == (
        "few_left",
        'Margherita Pizza, Large (16")',
    )


@pytest.mark.parametrize(("held", "wanted", "room"), [(0, 100, 99), (98, 2, 1), (99, 1, 0)])
def test_a_line_takes_99_units_and_no_more(held, wanted, room):
    turn = a_turn()
    if held:
        done(turn, "cart.add", product="prod:coke", quantity=held)
    assert send(turn, ordered("prod:coke", "2.50", wanted)) == (TAKEN if room else NOT_TAKEN)
    assert turn.cart.count == MAX_QUANTITY
    assert told(turn) == [of_coke("at_most", room, maximum=MAX_QUANTITY)]


def test_of_each_presentation_there_may_be_99():
    turn = a_turn(changes={PIZZA: {"groups": ()}})
    small, large = (f"{PIZZA}|pres:margherita-{size}" for size in ("small", "large"))
    assert send(turn, ordered(small, "12", 99), ordered(large, "18", 99)) == TAKEN
    assert turn.cart.count == 2 * MAX_QUANTITY
    assert told(turn) == []


def test_a_price_and_a_number_may_both_be_different():
    turn = a_turn(changes={"prod:coke": {"stock": 2}})
    assert send(turn, ordered("prod:coke", "2", 9)) == TAKEN
    assert [one["kind"] for one in told(turn)] == ["price_changed", "few_left"]


# What needs a choice


@pytest.mark.parametrize(
    ("item", "kind", "size"),
    [
        (PIZZA, "customization_needed", None),
        (f"{PIZZA}|{SMALL}", "customization_needed", SMALL),
        ("prod:garlic-knots", "customization_needed", None),
        (f"{PIZZA}|pres:gone", "choice_gone", None),
        (f"{PIZZA}|", "choice_gone", None),
        ("prod:coke|pres:can", "choice_gone", None),
    ],
)
def test_what_needs_a_choice_is_told_and_can_be_customized(item, kind, size):
    turn = a_turn()
    assert send(turn, ordered(item, "12", 2)) == NOT_TAKEN
    (difference,) = turn.memory["native_cart"]["to_customize"]
    rid, _ = split_item(item)
    assert (difference["kind"], difference["product"]) == (kind, rid)
    assert (difference["presentation"], difference["quantity"]) == (size, 2)
    assert turn.memory["native_cart"]["differences"] == [difference]


def test_what_may_be_chosen_but_need_not_goes_in_plain():
    turn = a_turn()
    groups = tuple(replace(g, minimum=0) for g in product(turn, "prod:garlic-knots").groups)
    products(turn)[key("prod:garlic-knots")] = replace(
        product(turn, "prod:garlic-knots"), groups=groups
    )
    plain = priced(turn, "prod:garlic-knots")
    assert send(turn, ordered("prod:garlic-knots", str(plain.unit_price))) == TAKEN
    assert turn.cart.lines == (plain,)


def test_the_number_that_is_offered_to_be_customized_is_one_that_can_be_ordered():
    turn = a_turn()
    send(turn, ordered(PIZZA, "12", 500))
    assert turn.memory["native_cart"]["to_customize"][0]["quantity"] == MAX_QUANTITY


# Too much


def many(turn: Turn, count: int, **changes: Any) -> list[dict[str, Any]]:
    """Sell so many products more, and order them."""
    coke = product(turn, "prod:coke")
    for place in range(count):
        rid = key(f"prod:line-{place}")
        products(turn)[rid] = replace(coke, id=rid, **changes)
    return [ordered(f"prod:line-{place}", "2.50") for place in range(count)]


def test_a_cart_takes_so_many_lines_and_no_more():
    turn = a_turn()
    done(turn, "cart.add", product="prod:coke")
    assert send(turn, *many(turn, MAX_LINES + 5)) == TAKEN
    assert len(turn.cart.lines) == MAX_LINES
    assert told(turn) == [{"kind": "cart_full", "quantity": 6}]


def test_a_cart_is_worth_no_more_than_can_be_written():
    turn = a_turn()
    items = many(turn, 5, base_price=money("1000000"))
    assert send(turn, *[item | {"quantity": 99, "price": 10**6} for item in items]) == TAKEN
    assert turn.cart.subtotal <= MAX_SUBTOTAL
    assert told(turn) == [{"kind": "cart_full", "quantity": 3}]


async def test_of_a_thousand_items_only_so_many_are_looked_up(monkeypatch):
    turn = a_turn()
    asked: list[str] = []
    known = turn.catalog.get_product_by_id

    async def count(product_id: str) -> Any:
        asked.append(product_id)
        return await known(product_id)

    monkeypatch.setattr(turn.catalog, "get_product_by_id", count)
    items = [ordered(f"prod:{n}", "1") for n in range(1000)]
    assert send(turn, *items) == NOT_TAKEN
    assert len(asked) == MAX_LINES
    assert told(turn) == [
        {"kind": "gone", "quantity": MAX_LINES}, {"kind": "cart_full", "quantity": 970},
    ]  # fmt: skip


# Whose catalogue


@pytest.mark.parametrize(
    ("native", "refused"),
    [(None, False), (shown({}, connected=None), False), (shown({}, connected="900"), False),
     (shown({}, connected="901"), True)],
)  # fmt: skip
def test_a_cart_of_another_catalogue_is_refused_as_a_whole(native, refused):
    turn = a_turn(native=native)
    arguments = {"items": [ordered("prod:coke", "2.50")], "catalog": "900"}
    if refused:
        assert reason(turn, "native.cart", **arguments) is Reason.WRONG_CATALOG
    else:
        assert raised(turn, "native.cart", **arguments) == TAKEN


# Anything at all


@pytest.mark.parametrize(
    "change",
    [{"quantity": 0}, {"quantity": -1}, {"quantity": 10**9}, {"quantity": "many"},
     {"price": "NaN"}, {"price": Decimal("NaN")}, {"price": float("inf")}, {"price": -1},
     {"currency": None}, {"product": None}, {"colour": "red"}],
)  # fmt: skip
def test_what_no_phone_sends_is_no_argument(change):
    with pytest.raises(ValidationError):
        act(a_turn(), "native.cart", items=[ordered("prod:coke", "1") | change], catalog="1")


@pytest.mark.parametrize("items", [[], None, "prod:coke", [1], [[]], [{}]])
def test_a_cart_has_items(items):
    with pytest.raises(ValidationError):
        act(a_turn(), "native.cart", items=items, catalog="1")


IDS = st.sampled_from(
    ["prod:coke", "prod:caprese", "prod:tiramisu", PIZZA, f"{PIZZA}|{SMALL}", "prod:cannoli",
     "prod:gelato", "prod:never", "prod:coke|", "|", "", "a\nb", "{{ x }}", "💥" * 50, "x" * 512]
)  # fmt: skip
PRICES = st.sampled_from(["0", "0.00001", "2.5", "12", "13.75", "999999999999.999999"])
ITEMS = st.builds(
    ordered, IDS, PRICES, st.sampled_from([1, 2, 3, 98, 99, 100, 10**6]),
    st.sampled_from(["USD", "PEN", "JPY"]),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(ITEMS, min_size=1, max_size=40), min_size=1, max_size=3))
def test_whatever_is_ordered_only_what_is_sold_at_todays_price_goes_in(carts):
    turn = a_turn()
    for items in carts:
        before = turn.cart
        event = send(turn, *items)
        cart = turn.memory["native_cart"]
        assert bool(cart["taken"]) == (event == TAKEN)
        assert cart["taken"] or cart["differences"]
        assert (turn.cart == before) == (event == NOT_TAKEN)
        assert turn.cart.count == before.count + sum(line["quantity"] for line in cart["taken"])
    assert len(turn.cart.lines) <= MAX_LINES
    for line in turn.cart.lines:
        assert line == today(turn, line)
    tiramisu = sum(one.quantity for one in turn.cart.lines if one.product_id == "prod:tiramisu")
    assert tiramisu <= (product(turn, "prod:tiramisu").stock or 0)


def today(turn: Turn, held: CartLine) -> CartLine | Refusal:
    return price_line(
        product(turn, held.product_id), presentation=held.presentation_id, modifiers=(),
        quantity=held.quantity, currency=turn.tenant.money,
    )  # fmt: skip
