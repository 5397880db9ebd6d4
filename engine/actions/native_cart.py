"""The cart that a customer filled in WhatsApp's own catalogue, checked against the catalog.

What he saw there may be old: what is taken is taken at today's price, and what differs is told.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from engine.actions.cart import with_line
from engine.domain.cart import MAX_LINES, MAX_QUANTITY, Cart, CartLine
from engine.domain.catalog import Product
from engine.domain.money import LARGEST
from engine.domain.native import Difference
from engine.domain.pricing import price_line
from engine.domain.refusals import Reason, Refusal
from engine.registry import Registry
from engine.rendering.views import line_view
from engine.turn import Event, Turn

registry = Registry()
Told = dict[str, Any]
_KINDS = {
    Reason.SOLD_OUT: Difference.SOLD_OUT,
    Reason.UNKNOWN_PRESENTATION: Difference.CHOICE_GONE,
    Reason.PRESENTATION_NEEDED: Difference.CUSTOMIZATION_NEEDED,
    Reason.TOO_FEW_MODIFIERS: Difference.CUSTOMIZATION_NEEDED,
}
_TO_CUSTOMIZE = frozenset({Difference.CHOICE_GONE, Difference.CUSTOMIZATION_NEEDED})
_COUNTED = (Difference.GONE, Difference.CART_FULL)
"""What is told once, with a number: such items have no name, or there may be very many."""


class OrderedItem(BaseModel):
    """A line of a native cart, with the price of one unit that the customer saw."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    product: str
    presentation: str | None = None
    quantity: Annotated[int, Field(ge=1, le=1_000_000)]
    price: Annotated[Decimal, Field(ge=0)]
    currency: str


@registry.action(
    "native.cart", gives=("native_cart",), raises=("native_taken", "native_not_taken")
)
async def add(
    turn: Turn, *, items: Annotated[tuple[OrderedItem, ...], Field(min_length=1)], catalog: str
) -> Refusal | Event:
    """Put what was ordered in WhatsApp's own catalogue in the cart, as far as it can be sold.

    `native_cart` has the lines `taken`, the `differences` to what the customer saw, each with its
    `kind`, and the products `to_customize` first. A cart of another catalogue is refused.
    """
    own = await turn.native.catalog_id() if turn.native else None
    if own is not None and catalog != own:
        return Refusal(Reason.WRONG_CATALOG)
    wanted = _together(items)
    taken: list[CartLine] = []
    told = [_difference(Difference.CART_FULL) for _ in wanted[MAX_LINES:]]
    for item in wanted[:MAX_LINES]:
        line, differences = await _take(turn, item)
        taken += [line] if line else []
        told += differences
    turn.memory["native_cart"] = {
        "taken": [line_view(line) for line in taken],
        "differences": _counted(told),
        "to_customize": [d for d in told if d["kind"] in _TO_CUSTOMIZE],
    }
    return Event("native_taken" if taken else "native_not_taken")


def _together(items: tuple[OrderedItem, ...]) -> list[OrderedItem]:
    """Add up the units of what is the same."""
    found: dict[tuple[object, ...], OrderedItem] = {}
    for item in items:
        key = (item.product, item.presentation, item.price, item.currency)
        known = found.get(key)
        units = item.quantity + (known.quantity if known else 0)
        found[key] = item.model_copy(update={"quantity": units})
    return list(found.values())


async def _take(turn: Turn, item: OrderedItem) -> tuple[CartLine | None, list[Told]]:
    """Put an item in the cart, or as many units of it as there are; tell what is different."""
    product = await turn.catalog.get_product_by_id(item.product)
    if product is None:
        return None, [_difference(Difference.GONE)]
    line = price_line(
        product,
        presentation=item.presentation,
        modifiers=(),
        quantity=1,
        currency=turn.tenant.money,
    )
    if isinstance(line, Refusal):
        return None, [_of_product(_KINDS[line.reason], product, item)]
    quantity, differences = _units(turn.cart, line, product, item)
    if quantity == 0:
        return None, differences
    line = replace(line, quantity=quantity)
    cart = with_line(turn, line, stock=product.stock)
    if isinstance(cart, Refusal):
        return None, [_difference(Difference.CART_FULL)]
    turn.cart = cart
    return line, _repriced(turn, line, product, item) + differences


def _units(
    cart: Cart, line: CartLine, product: Product, item: OrderedItem
) -> tuple[int, list[Told]]:
    """Tell how many of the units can be had beside those that are in the cart already."""
    of_product = [held for held in cart.lines if held.product_id == line.product_id]
    room = MAX_QUANTITY - sum(held.quantity for held in of_product if held.id == line.id)
    kind, maximum = Difference.AT_MOST, MAX_QUANTITY
    if product.stock is not None:
        left = max(product.stock - sum(held.quantity for held in of_product), 0)
        if left < room:
            room, kind, maximum = left, Difference.FEW_LEFT, product.stock
    if item.quantity <= room:
        return item.quantity, []
    return room, [_of_product(kind, product, item, quantity=room, maximum=maximum)]


def _repriced(turn: Turn, line: CartLine, product: Product, item: OrderedItem) -> list[Told]:
    """Tell that the customer saw another price, or one in another currency."""
    is_ours = item.currency == turn.tenant.currency
    # What no price can be is not repeated to him.
    seen = turn.tenant.money.round(item.price) if is_ours and item.price < LARGEST else None
    if seen == line.unit_price:
        return []
    return [_of_product(Difference.PRICE_CHANGED, product, item, seen=seen, now=line.unit_price)]


def _of_product(kind: Difference, product: Product, item: OrderedItem, **more: Any) -> Told:
    size = product.presentation(item.presentation)
    named = {
        "name": f"{product.name}, {size.name}" if size else product.name,
        "product": product.id,
        "presentation": size.id if size else None,
        "quantity": min(item.quantity, MAX_QUANTITY),
    }
    return _difference(kind, **(named | more))


def _difference(kind: Difference, **more: Any) -> Told:
    blank = dict.fromkeys(("name", "product", "presentation", "seen", "now", "maximum"))
    return {"kind": kind.value, **blank, "quantity": 1, **more}


def _counted(differences: list[Told]) -> list[Told]:
    """Tell once what has no name, with the number of items."""
    shown = [d for d in differences if d["kind"] not in _COUNTED]
    kinds = [d["kind"] for d in differences]
    counts = ((kind, kinds.count(kind)) for kind in _COUNTED)
    return shown + [_difference(kind, quantity=count) for kind, count in counts if count]
