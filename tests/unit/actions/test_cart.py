"""The cart: what goes in, what does not, and what is noticed when prices change under it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.domain.cart import MAX_LINES, MAX_SUBTOTAL, Cart, CartLine
from engine.domain.refusals import Reason, Refusal
from engine.turn import Turn
from tests.unit.actions.shop import (
    OPEN,
    VERBS,
    a_turn,
    act,
    alter,
    done,
    key,
    menu,
    money,
    priced,
    product,
    products,
    reason,
    refused,
)

SMALL, LARGE = "pres:margherita-small", "pres:margherita-large"
LATER = OPEN + timedelta(hours=24)


def filled(turn: Turn, *lines: CartLine) -> Turn:
    turn.cart = Cart(lines=lines, expires_at=OPEN + timedelta(hours=1))
    return turn


# cart.add


def test_a_product_goes_in_and_the_cart_lives_on():
    turn = a_turn()
    done(turn, "cart.add", product="prod:coke", quantity=2)
    assert turn.cart == Cart(lines=(priced(turn, "prod:coke", quantity=2),), expires_at=LATER)
    assert turn.memory["added"]["quantity"] == 2
    assert turn.memory["added"]["total"] == money("5.00")


def test_without_a_quantity_one_goes_in():
    turn = a_turn()
    done(turn, "cart.add", product="prod:coke")
    done(turn, "cart.add", product="prod:coke", quantity=None)
    assert turn.cart.count == 2


def test_a_make_up_goes_in_as_chosen():
    turn = a_turn()
    done(
        turn, "cart.add", product="prod:margherita", presentation=LARGE,
        modifiers=("mod:stuffed-crust", "mod:bacon"), quantity=2,
    )  # fmt: skip
    (line,) = turn.cart.lines
    assert line.unit_price == money("23.00")
    assert turn.memory["added"]["presentation"] == 'Large (16")'
    assert [m["name"] for m in turn.memory["added"]["modifiers"]] == ["Stuffed", "Smoked bacon"]


def test_an_expired_cart_begins_anew():
    turn = a_turn(cart=Cart(is_expired=True))
    done(turn, "cart.add", product="prod:coke")
    assert not turn.cart.is_expired


MARGHERITA = {"product": "Margherita Pizza"}


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        ({"product": "prod:gone"}, Refusal(Reason.UNKNOWN_PRODUCT)),
        (
            {"product": "prod:margherita"},
            Refusal(Reason.CUSTOMIZATION_NEEDED, MARGHERITA | {"product_id": "prod:margherita"}),
        ),
        (
            {"product": "prod:margherita", "presentation": SMALL},
            Refusal(Reason.CUSTOMIZATION_NEEDED, MARGHERITA | {"product_id": "prod:margherita"}),
        ),
        (
            {"product": "prod:margherita", "presentation": "pres:gone"},
            Refusal(Reason.UNKNOWN_PRESENTATION, MARGHERITA),
        ),
        (
            {"product": "prod:coke", "modifiers": ("mod:bacon",)},
            Refusal(Reason.UNKNOWN_MODIFIER, {"product": "Coca-Cola"}),
        ),
        (
            {"product": "prod:gelato", "modifiers": ("mod:pistachio", "mod:hazelnut",
                                                     "mod:lemon-sorbet")},
            Refusal(Reason.TOO_MANY_MODIFIERS,
                    {"group": "Two scoops", "minimum": 2, "maximum": 2}),
        ),
        ({"product": "prod:cannoli"},
         Refusal(Reason.SOLD_OUT, {"product": "Cannoli Siciliani (2)"})),
        (
            {"product": "prod:tiramisu", "quantity": 4},
            Refusal(Reason.SOLD_OUT, {"product": "Tiramisù", "maximum": 3}),
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_sold_does_not_go_in(wanted, refusal):
    assert refused(a_turn(), "cart.add", **wanted) == refusal


def test_units_of_all_lines_count_against_the_stock():
    turn = a_turn(changes={"prod:margherita": {"stock": 3}})
    make_up = {"product": "prod:margherita", "modifiers": ("mod:thin-crust",)}
    done(turn, "cart.add", **make_up, presentation=SMALL, quantity=2)
    done(turn, "cart.add", **make_up, presentation=LARGE)
    found = refused(turn, "cart.add", **make_up, presentation=LARGE)
    assert found == Refusal(Reason.SOLD_OUT, {"product": "Margherita Pizza", "maximum": 3})


def test_a_line_takes_99_units_and_no_more():
    turn = a_turn()
    done(turn, "cart.add", product="prod:coke", quantity=99)
    assert refused(turn, "cart.add", product="prod:coke").details == {"maximum": 99}
    assert reason(turn, "cart.add", product="prod:coke") is Reason.QUANTITY_OUT_OF_RANGE


def test_a_cart_takes_so_many_lines_and_no_more():
    turn = a_turn()
    plain = replace(product(turn, "prod:coke"), name="Line")
    for place in range(MAX_LINES + 1):
        rid = key(f"prod:line-{place}")
        products(turn)[rid] = replace(plain, id=rid)
    for place in range(MAX_LINES):
        done(turn, "cart.add", product=f"prod:line-{place}")
    assert reason(turn, "cart.add", product=f"prod:line-{MAX_LINES}") is Reason.CART_FULL
    done(turn, "cart.add", product="prod:line-0")


def test_a_cart_is_worth_no_more_than_can_be_written():
    gold = {"base_price": money("1000000")}
    turn = a_turn(changes=dict.fromkeys(("prod:coke", "prod:caprese", "prod:panna-cotta"), gold))
    done(turn, "cart.add", product="prod:coke", quantity=99)
    done(turn, "cart.add", product="prod:caprese", quantity=99)
    found = refused(turn, "cart.add", product="prod:panna-cotta", quantity=99)
    assert found.reason is Reason.CART_FULL
    done(turn, "cart.add", product="prod:panna-cotta", quantity=52)
    assert turn.cart.subtotal == MAX_SUBTOTAL


@pytest.mark.parametrize("quantity", [0, -1, 100, "many", 1.5])
@pytest.mark.parametrize("action", ["cart.add", "cart.price", "draft.start"])
def test_a_quantity_is_checked_before_the_action_is_taken(action, quantity):
    with pytest.raises(ValidationError):
        VERBS.actions[action].bind({"product": "prod:coke", "quantity": quantity})


# cart.price


def test_a_make_up_is_priced_and_not_taken():
    turn = a_turn()
    filled(turn, priced(turn, "prod:coke"))
    before = turn.cart
    make_up = {"presentation": LARGE, "modifiers": ("mod:stuffed-crust", "mod:bacon")}
    done(turn, "cart.price", product="prod:margherita", **make_up, quantity=2)
    shown = turn.memory["priced"]
    assert turn.cart is before
    assert (shown["base"], shown["modifiers_total"], shown["unit_price"], shown["total"]) == (
        money("18.00"), money("5.00"), money("23.00"), money("46.00"),
    )  # fmt: skip
    assert shown["modifiers"] == [
        {"name": "Stuffed", "quantity": 1, "price": money("2.50")},
        {"name": "Smoked bacon", "quantity": 1, "price": money("2.50")},
    ]
    done(turn, "cart.add", product="prod:margherita", **make_up, quantity=2)
    assert turn.memory["added"]["total"] == shown["total"]


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"product": "prod:gone"}, Reason.UNKNOWN_PRODUCT),
        ({"product": "prod:cannoli"}, Reason.SOLD_OUT),
        ({"product": "prod:margherita"}, Reason.PRESENTATION_NEEDED),
        ({"product": "prod:margherita", "presentation": SMALL}, Reason.TOO_FEW_MODIFIERS),
        ({"product": "prod:coke", "modifiers": ("mod:bacon",)}, Reason.UNKNOWN_MODIFIER),
        # Nor has what the cart would not take.
        ({"product": "prod:tiramisu", "quantity": 4}, Reason.SOLD_OUT),
        ({"product": "prod:tiramisu", "quantity": 3}, Reason.SOLD_OUT),
        ({"product": "prod:coke", "quantity": 99}, Reason.QUANTITY_OUT_OF_RANGE),
    ],
)
def test_what_cannot_be_bought_has_no_price(wanted, why):
    turn = a_turn()
    filled(turn, priced(turn, "prod:coke"), priced(turn, "prod:tiramisu"))
    assert reason(turn, "cart.price", **wanted) is why


# cart.remove, cart.clear


def test_a_line_is_taken_out_by_its_id():
    turn = a_turn()
    filled(turn, priced(turn, "prod:coke"), priced(turn, "prod:caprese"))
    done(turn, "cart.remove", line=turn.cart.lines[0].id)
    assert turn.memory["removed"] == "Coca-Cola"
    assert [line.name for line in turn.cart.lines] == ["Caprese"]
    done(turn, "cart.remove", line=turn.cart.lines[0].id)
    assert turn.cart == Cart()


def test_a_line_that_is_not_there_is_refused():
    turn = a_turn()
    filled(turn, priced(turn, "prod:coke"))
    assert reason(turn, "cart.remove", line="gone") is Reason.UNKNOWN_LINE
    assert reason(a_turn(), "cart.remove", line="") is Reason.UNKNOWN_LINE


def test_a_cart_is_emptied():
    turn = a_turn()
    filled(turn, priced(turn, "prod:coke"))
    done(turn, "cart.clear")
    assert turn.cart == Cart()


# cart.refresh


def test_a_cart_that_is_as_it_was_is_left_alone():
    turn = a_turn()
    before = filled(turn, priced(turn, "prod:coke")).cart
    done(turn, "cart.refresh")
    assert turn.cart is before
    assert turn.memory == {"changes": [], "expired": False}


def test_what_changed_is_told():
    turn = a_turn()
    lines = [priced(turn, rid, quantity=2) for rid in ("prod:coke", "prod:caprese")]
    filled(turn, *lines, priced(turn, "prod:panna-cotta"))
    alter(turn.catalog, "prod:coke", None)
    alter(turn.catalog, "prod:panna-cotta", {"is_available": False})
    alter(turn.catalog, "prod:caprese", {"base_price": money("14.00")})
    done(turn, "cart.refresh")
    assert turn.memory["changes"] == [
        {"name": "Coca-Cola", "is_gone": True},
        {"name": "Caprese", "is_gone": False, "before": money("13.75"), "now": money("14.00")},
        {"name": "Vanilla Panna Cotta", "is_gone": True},
    ]
    assert [(x.name, x.total) for x in turn.cart.lines] == [("Caprese", money("28.00"))]
    assert turn.cart.expires_at == LATER


def test_a_cart_whose_products_are_all_gone_is_empty():
    turn = a_turn()
    filled(turn, priced(turn, "prod:coke"))
    alter(turn.catalog, "prod:coke", None)
    done(turn, "cart.refresh")
    assert turn.cart == Cart()


def test_an_expired_cart_is_empty_and_told_once():
    turn = a_turn(cart=Cart(is_expired=True))
    done(turn, "cart.refresh")
    assert turn.memory["expired"]
    done(turn, "cart.refresh")
    assert not turn.memory["expired"]


SIMPLE = [rid for rid, p in menu().products.items() if not p.presentations and not p.groups]
STEPS = st.one_of(
    st.tuples(st.just("cart.add"), st.sampled_from(SIMPLE), st.integers(1, 99)),
    st.tuples(st.just("cart.remove"), st.sampled_from(SIMPLE), st.none()),
    st.tuples(st.just("price"), st.sampled_from(SIMPLE), st.integers(0, 5000)),
    st.tuples(st.just("cart.refresh"), st.none(), st.none()),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_whatever_is_done_a_refreshed_cart_costs_what_the_catalog_says(steps):
    turn = a_turn()
    for name, rid, number in steps:
        if name == "cart.add":
            act(turn, name, product=rid, quantity=number)
        elif name == "cart.remove":
            act(turn, name, line=priced_id(turn, rid))
        elif name == "price":
            products(turn)[rid] = replace(products(turn)[rid], base_price=Decimal(number) / 100)
        else:
            done(turn, name)
    done(turn, "cart.refresh")
    assert turn.cart.subtotal == sum(
        product(turn, x.product_id).base_price * x.quantity for x in turn.cart.lines
    )
    for line in turn.cart.lines:
        assert 1 <= line.quantity <= 99
        stock = product(turn, line.product_id).stock
        assert stock is None or line.quantity <= stock


def priced_id(turn: Turn, rid: str) -> str:
    return next((line.id for line in turn.cart.lines if line.product_id == rid), "")
