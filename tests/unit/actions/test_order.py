"""From a cart to an order: the customer pays what he was shown, or nothing is ordered."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.cart import Cart, CartLine
from engine.domain.ids import CustomerKey, OrderNumber
from engine.domain.money import ZERO
from engine.domain.order import Address, Order, OrderType
from engine.domain.pricing import price_order
from engine.domain.refusals import Reason, Refusal
from engine.domain.tenant import PaymentMethod, Tax
from engine.turn import Turn
from tests.memory import MemoryOrders
from tests.unit.actions.shop import (
    CLOSED,
    CUSTOMER,
    a_turn,
    act,
    alter,
    done,
    key,
    la_tavola,
    menu,
    money,
    priced,
    product,
    products,
    reason,
    refused,
)

READY: dict[str, Any] = {"order_type": "pickup", "payment": "cash"}
ADDRESS: dict[str, Any] = {"text": "1 Main Street", "latitude": None, "longitude": None}


def ordering(*rids: str, quantity: int = 1, **more: Any) -> Turn:
    """Make a turn with a cart and everything chosen that an order needs."""
    turn = a_turn(**(READY | more))
    lines = tuple(priced(turn, rid, quantity=quantity) for rid in rids)
    turn.cart = Cart(lines=lines, expires_at=turn.cart_expiry)
    return turn


def seen(turn: Turn) -> str:
    """Show the summary, and give what a tap on its button carries."""
    done(turn, "order.quote")
    shown: str = turn.memory["quote"]["fingerprint"]
    assert turn.variables["shown_quote"] == shown
    return shown


# checkout.type


@pytest.mark.parametrize("kind", ["delivery", "pickup"])
def test_a_way_to_receive_is_noted(kind):
    turn = ordering("prod:caprese", order_type=None)
    done(turn, "checkout.type", type=kind)
    assert turn.variables["order_type"] == kind


def test_an_empty_cart_is_not_received():
    assert reason(a_turn(), "checkout.type", type="pickup") is Reason.CART_EMPTY


@pytest.mark.parametrize("kind", ["delivery", "pickup"])
def test_what_is_not_offered_is_refused(kind):
    turn = ordering("prod:caprese", order_type=None, tenant=la_tavola(**{kind: None}))
    assert reason(turn, "checkout.type", type=kind) is Reason.CHECKOUT_INCOMPLETE


def test_a_small_cart_is_fetched_but_not_delivered():
    turn = ordering("prod:coke", order_type=None)
    found = refused(turn, "checkout.type", type="delivery")
    assert found == Refusal(Reason.BELOW_MINIMUM, {"minimum": money("12.00")})
    done(turn, "checkout.type", type="pickup")


def test_a_cart_of_exactly_the_minimum_is_delivered():
    turn = ordering(
        "prod:coke", order_type=None, changes={"prod:coke": {"base_price": Decimal(12)}}
    )
    done(turn, "checkout.type", type="delivery")


# checkout.address


@pytest.mark.parametrize(
    ("given_", "noted"),
    [
        ({"text": " 1 Main Street "}, ADDRESS),
        ({"text": "12345"}, ADDRESS | {"text": "12345"}),
        ({"latitude": 40.5, "longitude": -74.0},
         {"text": "", "latitude": 40.5, "longitude": -74.0}),
        ({"text": "Home", "latitude": 0.0, "longitude": 0.0},
         {"text": "Home", "latitude": 0.0, "longitude": 0.0}),
        ({"text": "1 Main Street", "latitude": 40.5}, ADDRESS),
        ({"text": "x" * 400}, ADDRESS | {"text": "x" * 300}),
    ],
)  # fmt: skip
def test_an_address_is_noted(given_, noted):
    turn = a_turn()
    done(turn, "checkout.address", **given_)
    assert turn.variables["address"] == noted


@pytest.mark.parametrize(
    "given_", [{}, {"text": "1234"}, {"text": "  12  34  "[:6]}, {"text": " \n "},
               {"latitude": 40.5}, {"longitude": -74.0}],
)  # fmt: skip
def test_what_is_no_address_is_refused(given_):
    assert reason(a_turn(), "checkout.address", **given_) is Reason.CHECKOUT_INCOMPLETE


# checkout.payment


@pytest.mark.parametrize(
    ("language", "said", "chosen"),
    [("en", "cash", "cash"), ("en", " CARD! ", "card"), ("es", "Efectivo", "cash"),
     ("es", "tarjeta", "card"), ("es", "card", "card")],
)  # fmt: skip
def test_a_way_to_pay_is_chosen_by_its_id_or_name(language, said, chosen):
    turn = a_turn(language=language)
    done(turn, "checkout.payment", method=said)
    assert turn.variables["payment"] == chosen


@pytest.mark.parametrize("said", ["gold", "", "?", "tarjeta"])
def test_a_way_to_pay_that_is_not_offered_is_refused(said):
    assert reason(a_turn(), "checkout.payment", method=said) is Reason.UNKNOWN_PAYMENT


def paid_by(**names: str) -> Any:
    methods = {rid: PaymentMethod(name=name, kind="cash") for rid, name in names.items()}
    return la_tavola(payment_methods=methods)


def test_a_name_without_letters_is_not_chosen_by_every_text_without_letters():
    turn = a_turn(tenant=paid_by(cash="💵"))
    assert reason(turn, "checkout.payment", method="👎") is Reason.UNKNOWN_PAYMENT
    done(turn, "checkout.payment", method="cash")


def test_a_tap_chooses_its_own_method_whatever_another_is_called():
    turn = a_turn(tenant=paid_by(card="Debit", other="Card"))
    done(turn, "checkout.payment", method="card")
    assert turn.variables["payment"] == "card"
    done(turn, "checkout.payment", method="Card")
    assert turn.variables["payment"] == "other"


# checkout.notes


@pytest.mark.parametrize(
    ("said", "noted"),
    [
        ("Ring twice ", "Ring twice"),
        ("", None),
        (" \n ", None),
        (None, None),
        ("x" * 600, "x" * 500),
    ],
)
def test_a_note_is_kept_for_the_shop(said, noted):
    turn = ordering("prod:coke", notes="Old")
    done(turn, "checkout.notes", text=said)
    assert turn.variables["notes"] == noted
    done(turn, "order.place", seen=seen(turn))
    assert turn.orders_placed[0].notes == (noted or "")
    assert turn.memory["order"]["notes"] == (noted or "")
    assert turn.variables["notes"] is None


# order.quote


def test_a_quote_is_the_cart_with_delivery_and_tax():
    turn = ordering("prod:caprese", quantity=2, order_type="delivery")
    seen(turn)
    shown = turn.memory["quote"]
    assert (shown["subtotal"], shown["delivery_fee"], shown["tax"], shown["total"]) == (
        money("27.50"), money("3.50"), money("2.44"), money("33.44"),
    )  # fmt: skip
    turn = ordering("prod:caprese", quantity=4, order_type="delivery")
    seen(turn)
    assert turn.memory["quote"]["delivery_fee"] == ZERO
    turn = ordering("prod:caprese")
    seen(turn)
    assert turn.memory["quote"]["delivery_fee"] == ZERO


def test_a_quote_brings_the_cart_up_to_date():
    turn = ordering("prod:caprese", "prod:coke")
    alter(turn.catalog, "prod:caprese", {"base_price": money("14.00")})
    seen(turn)
    assert [line.unit_price for line in turn.cart.lines] == [money("14.00"), money("2.50")]
    before = turn.cart
    seen(turn)
    assert turn.cart is before


CHANGES: list[tuple[dict[str, Any] | None, dict[str, Any]]] = [
    (None, {"product": "Tiramisù"}),
    ({"is_available": False}, {"product": "Tiramisù"}),
    ({"stock": 0}, {"product": "Tiramisù"}),
    ({"stock": 1}, {"product": "Tiramisù", "maximum": 1}),
]


@pytest.mark.parametrize("name", ["order.quote", "order.place"])
@pytest.mark.parametrize(("change", "details"), CHANGES)
def test_what_was_sold_out_meanwhile_is_not_ordered(name, change, details):
    turn = ordering("prod:tiramisu", quantity=2)
    shown = {"seen": seen(turn)} if name == "order.place" else {}
    alter(turn.catalog, "prod:tiramisu", change)
    assert refused(turn, name, **shown) == Refusal(Reason.SOLD_OUT, details)


@pytest.mark.parametrize(("name", "shown"), [("order.quote", {}), ("order.place", {"seen": "x"})])
def test_an_empty_cart_is_not_ordered(name, shown):
    assert reason(a_turn(**READY), name, **shown) is Reason.CART_EMPTY


@pytest.mark.parametrize("name", ["order.quote", "order.place"])
def test_units_of_one_product_in_several_lines_count_together(name):
    turn = ordering("prod:tiramisu", quantity=2)
    pizza = {"product": "prod:margherita", "modifiers": ("mod:thin-crust",)}
    alter(turn.catalog, "prod:margherita", {"stock": 2})
    done(turn, "cart.add", **pizza, presentation="pres:margherita-small")
    done(turn, "cart.add", **pizza, presentation="pres:margherita-large")
    shown = {"seen": seen(turn)} if name == "order.place" else {}
    alter(turn.catalog, "prod:margherita", {"stock": 1})
    found = refused(turn, name, **shown)
    assert found.details == {"product": "Margherita Pizza", "maximum": 1}


# order.place


def test_an_order_is_what_was_shown():
    turn = ordering("prod:tiramisu", "prod:coke", quantity=2, order_type="delivery",
                    address=ADDRESS)  # fmt: skip
    done(turn, "order.place", seen=seen(turn))
    (order,) = turn.orders_placed
    assert order.customer == CUSTOMER
    assert (order.customer_name, order.customer_phone) == ("Ana", "12125550100")
    assert order.type is OrderType.DELIVERY
    assert order.address == Address("1 Main Street")
    assert (order.payment_method, order.payment_kind) == ("cash", "cash")
    assert order.created_at == turn.now
    assert turn.stock_taken == [("prod:tiramisu", 2)]
    assert turn.cart == Cart()
    assert turn.variables["last_order"] == order.number
    assert [turn.variables[n] for n in ("order_type", "address", "payment")] == [None] * 3
    assert turn.memory["order"]["number"] == order.number


def test_a_fetched_order_has_no_address():
    turn = ordering("prod:coke", address=ADDRESS)
    done(turn, "order.place", seen=seen(turn))
    assert turn.orders_placed[0].address is None


@pytest.mark.parametrize(
    ("missing", "why"),
    [
        ({"now": CLOSED}, Reason.CLOSED),
        ({"payment": None}, Reason.CHECKOUT_INCOMPLETE),
        ({"payment": "gold"}, Reason.CHECKOUT_INCOMPLETE),
        ({"order_type": None}, Reason.CHECKOUT_INCOMPLETE),
        ({"order_type": "drone"}, Reason.CHECKOUT_INCOMPLETE),
        ({"order_type": "delivery"}, Reason.CHECKOUT_INCOMPLETE),
        ({"order_type": "delivery", "address": None}, Reason.CHECKOUT_INCOMPLETE),
    ],
)
def test_an_order_that_is_not_complete_is_refused(missing, why):
    turn = ordering("prod:coke", **missing)
    assert reason(turn, "order.place", seen=seen(turn)) is why


@pytest.mark.parametrize("other", ["", "x", "shown"])
def test_only_what_was_shown_is_ordered(other):
    turn = ordering("prod:coke")
    shown = seen(turn)
    wrong = other if other != "shown" else shown[:-1]
    assert reason(turn, "order.place", seen=wrong) is Reason.PRICE_CHANGED
    done(turn, "order.place", seen=shown)


@pytest.mark.parametrize(
    "change",
    [
        lambda turn: alter(turn.catalog, "prod:coke", {"base_price": money("2.51")}),
        lambda turn: done(turn, "cart.add", product="prod:coke"),
        lambda turn: done(turn, "cart.add", product="prod:caprese"),
        lambda turn: done(turn, "cart.remove", line=turn.cart.lines[0].id),
        lambda turn: done(turn, "checkout.type", type="delivery"),
        lambda turn: setattr(turn, "tenant", la_tavola(tax=Tax(rate=Decimal(5)))),
    ],
    ids=["price", "quantity", "more", "less", "delivery", "tax"],
)
def test_what_would_cost_something_else_than_shown_is_refused(change):
    turn = ordering("prod:coke", "prod:panna-cotta", quantity=2, address=ADDRESS)
    shown = seen(turn)
    change(turn)
    assert reason(turn, "order.place", seen=shown) is Reason.PRICE_CHANGED
    assert turn.orders_placed == []


def test_a_new_name_does_not_change_the_price():
    turn = ordering("prod:coke")
    shown = seen(turn)
    alter(turn.catalog, "prod:coke", {"name": "Cola"})
    done(turn, "order.place", seen=shown)
    assert turn.orders_placed[0].lines[0].name == "Cola"


SIMPLE = [r for r, p in menu().products.items()
          if p.available and p.stock != 0 and not p.presentations and not p.groups]  # fmt: skip
BOUGHT = st.lists(st.tuples(st.sampled_from(SIMPLE), st.integers(1, 60)), min_size=1, max_size=6)
AMOUNTS = st.decimals(0, 400, places=2)
TAXES = st.builds(
    Tax, rate=st.decimals(0, 40, places=3), included=st.booleans(), on_delivery=st.booleans()
)


@settings(max_examples=80, deadline=None)
@given(
    BOUGHT, st.sampled_from(["delivery", "pickup"]), TAXES,
    st.dictionaries(st.sampled_from(SIMPLE), st.tuples(AMOUNTS, st.none() | st.integers(0, 80)),
                    max_size=3),
    st.dictionaries(st.sampled_from(SIMPLE), AMOUNTS, max_size=1),
)  # fmt: skip
def test_an_order_is_the_ladder_over_its_lines_and_only_what_is_counted_is_taken(
    bought, kind, tax, menu_changes, later
):
    changes = {r: {"base_price": p, "stock": s} for r, (p, s) in menu_changes.items()}
    turn = a_turn(
        tenant=la_tavola(tax=tax), changes=changes, order_type=kind, payment="card",
        address=ADDRESS,
    )  # fmt: skip
    for rid, quantity in bought:
        act(turn, "cart.add", product=rid, quantity=quantity)
    if not turn.cart.lines:
        return
    shown, lines = seen(turn), turn.cart.lines
    total = turn.memory["quote"]["total"]
    differs = any(line.unit_price != later.get(line.product_id, line.unit_price) for line in lines)
    for rid, price in later.items():
        products(turn)[key(rid)] = replace(product(turn, rid), base_price=price)
    outcome = act(turn, "order.place", seen=shown)
    if differs:
        assert outcome == Refusal(Reason.PRICE_CHANGED)
        outcome = act(turn, "order.place", seen=seen(turn))
        lines, total = reordered(turn, lines), turn.memory["quote"]["total"]
    assert outcome is None
    (order,) = turn.orders_placed
    subtotal = sum((line.total for line in lines), ZERO)
    fee = turn.tenant.delivery_fee(subtotal) if kind == "delivery" else ZERO
    ladder = price_order(
        lines, delivery_fee=fee, tax=turn.tenant.tax_rule, currency=turn.tenant.money
    )
    assert order.quote == ladder
    assert order.total == total
    assert turn.cart == Cart()
    assert turn.stock_taken == [
        (line.product_id, line.quantity) for line in lines
        if product(turn, line.product_id).stock is not None
    ]  # fmt: skip


def reordered(turn: Turn, lines: tuple[CartLine, ...]) -> tuple[CartLine, ...]:
    """Give lines at the prices of now."""
    return tuple(
        replace(line, unit_price=product(turn, line.product_id).base_price) for line in lines
    )


# order.load


def placed(turn: Turn, number: str, customer: CustomerKey = CUSTOMER) -> Order:
    line = priced(turn, "prod:coke")
    quote = price_order(
        [line], delivery_fee=ZERO, tax=turn.tenant.tax_rule, currency=turn.tenant.money
    )
    order = Order(OrderNumber(number), customer, quote, OrderType.PICKUP, "cash", "cash", turn.now)
    assert isinstance(turn.orders, MemoryOrders)
    turn.orders.orders.append(order)
    return order


@pytest.mark.parametrize("asked", ["K7M2QX", "k7m2qx", " #K7M2QX ", "#k7m2qx"])
def test_an_order_is_found_by_its_number_however_it_is_typed(asked):
    turn = a_turn()
    placed(turn, "K7M2QX")
    placed(turn, "B2B2B2")
    done(turn, "order.load", number=asked)
    assert turn.memory["order"]["number"] == "K7M2QX"


def test_without_a_number_the_newest_order_is_shown():
    turn = a_turn()
    placed(turn, "K7M2QX")
    placed(turn, "B2B2B2")
    done(turn, "order.load")
    assert turn.memory["order"]["number"] == "B2B2B2"


def test_an_order_of_this_turn_is_the_newest():
    turn = ordering("prod:coke")
    placed(turn, "K7M2QX")
    done(turn, "order.place", seen=seen(turn))
    done(turn, "order.load")
    assert turn.memory["order"]["number"] == turn.orders_placed[0].number


@pytest.mark.parametrize("number", ["B2B2B2", "nothing", "#", " "])
def test_an_order_of_somebody_else_is_unknown(number):
    turn = a_turn()
    placed(turn, "K7M2QX")
    placed(turn, "B2B2B2", CustomerKey("US.2"))
    assert reason(turn, "order.load", number=number) is Reason.UNKNOWN_ORDER


def test_a_customer_without_orders_is_told_so():
    turn = a_turn()
    placed(turn, "B2B2B2", CustomerKey("US.2"))
    assert reason(turn, "order.load") is Reason.UNKNOWN_ORDER
