from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.cart import MAX_LINES, MAX_QUANTITY, Cart, CartLine, LineModifier
from engine.domain.ids import ModifierId, PresentationId, ProductId
from engine.domain.refusals import Reason, Refusal

EXPIRY = datetime(2030, 1, 1, tzinfo=UTC)
MODIFIERS = st.lists(st.sampled_from("abc"), unique=True, max_size=3)
LINES = st.builds(
    lambda product, size, modifiers, quantity: CartLine(
        ProductId(f"prod:{product}"),
        product,
        Decimal("2.50"),
        quantity,
        PresentationId(size) if size else None,
        size,
        tuple(LineModifier(ModifierId(m), m, Decimal(0)) for m in modifiers),
    ),
    st.sampled_from("xyz"),
    st.sampled_from([None, "s", "l"]),
    MODIFIERS,
    st.integers(1, 99),
)


def filled(lines):
    cart = Cart()
    taken: dict[str, int] = {}
    for line in lines:
        after = cart.add(line, expires_at=EXPIRY)
        if isinstance(after, Refusal):
            continue
        cart = after
        taken[line.id] = taken.get(line.id, 0) + line.quantity
    return cart, taken


@given(st.lists(LINES, max_size=40))
def test_the_same_make_up_is_one_line_whose_units_add_up(lines):
    cart, taken = filled(lines)
    assert {line.id: line.quantity for line in cart.lines} == taken
    assert cart.count == sum(taken.values())
    assert cart.subtotal == Decimal("2.50") * cart.count
    assert all(1 <= line.quantity <= MAX_QUANTITY for line in cart.lines)
    assert len(cart.lines) <= MAX_LINES


@given(st.lists(LINES, min_size=1, max_size=20), st.data())
def test_removing_takes_out_exactly_one_line(lines, data):
    cart, _ = filled(lines)
    gone = data.draw(st.sampled_from(cart.lines))
    rest = cart.remove(gone.id)
    assert isinstance(rest, Cart)
    assert [line for line in cart.lines if line.id != gone.id] == list(rest.lines)
    again = rest.remove(gone.id)
    assert isinstance(again, Refusal)
    assert again.reason is Reason.UNKNOWN_LINE


@given(LINES, st.permutations(["a", "b", "c"]))
def test_the_order_in_which_add_ons_were_chosen_makes_no_other_line(line, order):
    one, other = (
        CartLine(
            line.product_id, line.name, line.unit_price, 1, None, None,
            tuple(LineModifier(ModifierId(m), m, Decimal(0)) for m in made_of),
        )
        for made_of in (["a", "b", "c"], order)
    )  # fmt: skip
    assert one.id == other.id


def test_an_emptied_cart_does_not_expire():
    line = CartLine(ProductId("p"), "p", Decimal(1))
    cart = Cart().add(line, expires_at=EXPIRY)
    assert isinstance(cart, Cart)
    assert cart.expires_at == EXPIRY
    emptied = cart.remove(line.id)
    assert isinstance(emptied, Cart)
    assert (emptied.lines, emptied.expires_at) == ((), None)


def test_a_cart_takes_so_many_lines_and_units():
    cart: Any = Cart()
    for number in range(MAX_LINES):
        cart = cart.add(CartLine(ProductId(str(number)), "p", Decimal(1)), expires_at=EXPIRY)
    full = cart.add(CartLine(ProductId("more"), "p", Decimal(1)), expires_at=EXPIRY)
    assert full.reason is Reason.CART_FULL
    many = cart.add(CartLine(ProductId("0"), "p", Decimal(1), MAX_QUANTITY), expires_at=EXPIRY)
    assert many.reason is Reason.QUANTITY_OUT_OF_RANGE
