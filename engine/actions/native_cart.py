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
from engine.domain.pricing import price_line
from engine.domain.refusals import Reason, Refusal
from engine.registry import Registry
from engine.rendering.views import line_view
from engine.turn import Event, Turn

registry = Registry()
Difference = dict[str, Any]
_KINDS = {
    Reason.SOLD_OUT: "sold_out",
    Reason.UNKNOWN_PRESENTATION: "choice_gone",
    Reason.PRESENTATION_NEEDED: "customization_needed",
    Reason.TOO_FEW_MODIFIERS: "customization_needed",
}
_TO_CUSTOMIZE = frozenset({"choice_gone", "customization_needed"})
_COUNTED = ("gone", "cart_full")
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
    told = [_difference("cart_full") for _ in wanted[MAX_LINES:]]
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


async def _take(turn: Turn, item: OrderedItem) -> tuple[CartLine | None, list[Difference]]:
    """Put an item in the cart, or as many units of it as there are; tell what is different."""
    product = await turn.catalog.get_product_by_id(item.product)
    if product is None:
        return None, [_difference("gone")]
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
        return None, [_difference("cart_full")]
    turn.cart = cart
    return line, _repriced(turn, line, product, item) + differences


def _units(
    cart: Cart, line: CartLine, product: Product, item: OrderedItem
) -> tuple[int, list[Difference]]:
    """Tell how many of the units can be had beside those that are in the cart already."""
    of_product = [held for held in cart.lines if held.product_id == line.product_id]
    room = MAX_QUANTITY - sum(held.quantity for held in of_product if held.id == line.id)
    kind, maximum = "at_most", MAX_QUANTITY
    if product.stock is not None:
        left = max(product.stock - sum(held.quantity for held in of_product), 0)
        if left < room:
            room, kind, maximum = left, "few_left", product.stock
    if item.quantity <= room:
        return item.quantity, []
    return room, [_of_product(kind, product, item, quantity=room, maximum=maximum)]


def _repriced(turn: Turn, line: CartLine, product: Product, item: OrderedItem) -> list[Difference]:
    """Tell that the customer saw another price, or one in another currency."""
    is_ours = item.currency == turn.tenant.currency
    # What no price can be is not repeated to him.
    seen = turn.tenant.money.round(item.price) if is_ours and item.price < LARGEST else None
    if seen == line.unit_price:
        return []
    return [_of_product("price_changed", product, item, seen=seen, now=line.unit_price)]


def _of_product(kind: str, product: Product, item: OrderedItem, **more: Any) -> Difference:
    size = product.presentation(item.presentation)
    named = {
        "name": f"{product.name}, {size.name}" if size else product.name,
        "product": product.id,
        "presentation": size.id if size else None,
        "quantity": min(item.quantity, MAX_QUANTITY),
    }
    return _difference(kind, **(named | more))


def _difference(kind: str, **more: Any) -> Difference:
    blank = dict.fromkeys(("name", "product", "presentation", "seen", "now", "maximum"))
    return {"kind": kind, **blank, "quantity": 1, **more}


def _counted(differences: list[Difference]) -> list[Difference]:
    """Tell once what has no name, with the number of items."""
    shown = [d for d in differences if d["kind"] not in _COUNTED]
    kinds = [d["kind"] for d in differences]
    counts = ((kind, kinds.count(kind)) for kind in _COUNTED)
    return shown + [_difference(kind, quantity=count) for kind, count in counts if count]
