"""Actions on the cart."""

from typing import Annotated

from pydantic import Field

from engine.domain.cart import Cart, CartLine
from engine.domain.catalog import Product
from engine.domain.pricing import price_line
from engine.domain.refusals import Reason, Refusal
from engine.registry import Registry
from engine.rendering.views import line_view, priced_view
from engine.turn import Turn

registry = Registry()
Quantity = Annotated[int, Field(ge=1, le=99)]


@registry.action("cart.add", gives=("added",))
async def add(
    turn: Turn,
    *,
    product: str,
    presentation: str | None = None,
    modifiers: tuple[str, ...] = (),
    quantity: Quantity | None = None,
) -> Refusal | None:
    """Put a product in the customer's cart; `added` is the line."""
    found = await turn.catalog.get_product_by_id(product)
    if found is None:
        return Refusal(Reason.UNKNOWN_PRODUCT)
    line = price_line(
        found,
        presentation=presentation,
        modifiers=modifiers,
        quantity=quantity or 1,
        currency=turn.tenant.money,
    )
    if isinstance(line, Refusal):
        if line.reason in _TO_CUSTOMIZE:
            details = {"product": found.name, "product_id": found.id}
            return Refusal(Reason.CUSTOMIZATION_NEEDED, details)
        return line
    return put(turn, line, stock=found.stock)


@registry.action("cart.price", gives=("priced",))
async def price(
    turn: Turn,
    *,
    product: str,
    presentation: str | None = None,
    modifiers: tuple[str, ...] = (),
    quantity: Quantity = 1,
) -> Refusal | None:
    """Price a product in one make-up without putting it in the cart, as `priced`.

    Refuses whatever the cart would refuse.
    """
    found = await turn.catalog.get_product_by_id(product)
    if found is None:
        return Refusal(Reason.UNKNOWN_PRODUCT)
    line = price_line(
        found,
        presentation=presentation,
        modifiers=modifiers,
        quantity=quantity,
        currency=turn.tenant.money,
    )
    if isinstance(line, Refusal):
        return line
    cart = with_line(turn, line, stock=found.stock)
    if isinstance(cart, Refusal):
        return cart
    turn.memory["priced"] = priced_view(line)
    return None


_TO_CUSTOMIZE = frozenset({Reason.PRESENTATION_NEEDED, Reason.TOO_FEW_MODIFIERS})


def with_line(turn: Turn, line: CartLine, *, stock: int | None) -> Cart | Refusal:
    """Give the cart as it would be with a line more."""
    cart = turn.cart.add(line, expires_at=turn.cart_expiry)
    if isinstance(cart, Refusal):
        return cart
    held = sum(other.quantity for other in cart.lines if other.product_id == line.product_id)
    if stock is not None and held > stock:
        return Refusal(Reason.SOLD_OUT, {"product": line.name, "maximum": stock})
    return cart


def put(turn: Turn, line: CartLine, *, stock: int | None) -> Refusal | None:
    """Put a priced line in the cart, unless there are not as many units left."""
    cart = with_line(turn, line, stock=stock)
    if isinstance(cart, Refusal):
        return cart
    turn.cart = cart
    turn.memory["added"] = line_view(line)
    return None


@registry.action("cart.remove", gives=("removed",))
async def remove(turn: Turn, *, line: str) -> Refusal | None:
    """Take a line out of the cart; `removed` is its name."""
    name = next((held.name for held in turn.cart.lines if held.id == line), "")
    cart = turn.cart.remove(line)
    if isinstance(cart, Refusal):
        return cart
    turn.cart = cart
    turn.memory["removed"] = name
    return None


@registry.action("cart.clear")
async def clear(turn: Turn) -> None:
    """Empty the cart."""
    turn.cart = Cart()


@registry.action("cart.refresh", gives=("changes", "expired"))
async def refresh(turn: Turn) -> None:
    """Price the cart anew; `changes` says what is gone or costs something else now.

    `expired` tells that its time had run out; it is then empty.
    """
    turn.memory["expired"] = turn.cart.is_expired
    if turn.cart.is_expired:
        turn.cart = Cart()
    changes: list[dict[str, object]] = []
    lines: list[CartLine] = []
    for held in turn.cart.lines:
        product = await turn.catalog.get_product_by_id(held.product_id)
        line = reprice(turn, held, product) if product else None
        if line is None or isinstance(line, Refusal):
            changes.append({"name": held.name, "is_gone": True})
            continue
        if line.unit_price != held.unit_price:
            changes.append(
                {
                    "name": line.name, "is_gone": False, "before": held.unit_price,
                    "now": line.unit_price,
                }
            )  # fmt: skip
        lines.append(line)
    if changes:
        turn.cart = Cart(lines=tuple(lines), expires_at=turn.cart_expiry if lines else None)
    turn.memory["changes"] = changes


def reprice(turn: Turn, held: CartLine, product: Product) -> CartLine | Refusal:
    """Price a line of the cart anew from its product as it is now."""
    return price_line(
        product,
        presentation=held.presentation_id,
        modifiers=[m.id for m in held.modifiers],
        quantity=held.quantity,
        currency=turn.tenant.money,
    )
