"""Actions that make an order of a cart, and show orders."""

from typing import Literal

from engine.actions.cart import reprice
from engine.domain.cart import Cart, CartLine
from engine.domain.catalog import Product
from engine.domain.ids import OrderNumber
from engine.domain.money import ZERO
from engine.domain.order import Address, Order, OrderType
from engine.domain.pricing import Quote, price_order
from engine.domain.refusals import Reason, Refusal
from engine.domain.tenant import in_language
from engine.phrases import normalise
from engine.registry import Registry
from engine.rendering.views import order_view, quote_view
from engine.turn import Turn

registry = Registry()
MIN_ADDRESS = 5
"""Shorter texts are no address."""
LONGEST_NOTE = 500
"""Characters of a note that are kept."""


@registry.action("checkout.type", gives=("order_type",))
async def choose_type(turn: Turn, *, type: Literal["delivery", "pickup"]) -> Refusal | None:
    """Choose delivery or pickup, if the tenant offers it and the cart is worth it."""
    if not turn.cart.lines:
        return Refusal(Reason.CART_EMPTY)
    offer = turn.tenant.delivery if type == "delivery" else turn.tenant.pickup
    if offer is None:
        return Refusal(Reason.CHECKOUT_INCOMPLETE)
    delivery = turn.tenant.delivery
    if type == "delivery" and delivery and turn.cart.subtotal < delivery.minimum_order:
        details = {"minimum": delivery.minimum_order}
        return Refusal(Reason.BELOW_MINIMUM, details)
    turn.variables["order_type"] = type
    return None


@registry.action("checkout.address", gives=("address",))
async def choose_address(
    turn: Turn, *, text: str = "", latitude: float | None = None, longitude: float | None = None
) -> Refusal | None:
    """Note where the order goes: typed text or a shared place."""
    is_shared = latitude is not None and longitude is not None
    if not is_shared and len(text.strip()) < MIN_ADDRESS:
        return Refusal(Reason.CHECKOUT_INCOMPLETE)
    turn.variables["address"] = {
        "text": text.strip()[:300],
        "latitude": latitude if is_shared else None,
        "longitude": longitude if is_shared else None,
    }
    return None


@registry.action("checkout.payment", gives=("payment",))
async def choose_payment(turn: Turn, *, method: str) -> Refusal | None:
    """Choose one of the tenant's ways to pay, by its id or name."""
    names: dict[str, str] = {}
    for key, offered in turn.tenant.payment_methods.items():
        names[normalise(in_language(offered.name, turn.conversation.language))] = key
        names[normalise(key)] = key
    # A tap brings the id; a name without letters would be every text without letters.
    names.pop("", None)
    chosen = method if method in turn.tenant.payment_methods else names.get(normalise(method))
    if chosen is None:
        return Refusal(Reason.UNKNOWN_PAYMENT)
    turn.variables["payment"] = chosen
    return None


@registry.action("checkout.notes", gives=("notes",))
async def note(turn: Turn, *, text: str | None = None) -> None:
    """Note what the customer wants the shop to know about his order."""
    turn.variables["notes"] = (text or "").strip()[:LONGEST_NOTE] or None


@registry.action("order.quote", gives=("quote", "shown_quote"))
async def quote(turn: Turn) -> Refusal | None:
    """Price the cart as an order, from the catalog as it is now, as `quote`.

    `shown_quote` remembers which quote the customer saw last.
    """
    priced = await _quote(turn)
    if isinstance(priced, Refusal):
        return priced
    turn.memory["quote"] = quote_view(priced, turn.tenant)
    turn.variables["shown_quote"] = priced.fingerprint
    held = {line.id: line.unit_price for line in turn.cart.lines}
    if any(held[line.id] != line.unit_price for line in priced.lines):
        turn.cart = Cart(lines=priced.lines, expires_at=turn.cart_expiry)
    return None


async def _quote(turn: Turn) -> Quote | Refusal:
    priced = await _priced_lines(turn)
    if isinstance(priced, Refusal):
        return priced
    return _sum_up(turn, [line for _, line in priced])


def _sum_up(turn: Turn, lines: list[CartLine]) -> Quote:
    subtotal = sum((line.total for line in lines), ZERO)
    delivers = turn.variables.get("order_type") == OrderType.DELIVERY
    return price_order(
        lines,
        delivery_fee=turn.tenant.delivery_fee(subtotal) if delivers else ZERO,
        tax=turn.tenant.tax_rule,
        currency=turn.tenant.money,
    )


async def _priced_lines(turn: Turn) -> list[tuple[Product, CartLine]] | Refusal:
    if not turn.cart.lines:
        return Refusal(Reason.CART_EMPTY)
    lines: list[tuple[Product, CartLine]] = []
    wanted: dict[str, int] = {}
    for held in turn.cart.lines:
        product = await turn.catalog.get_product_by_id(held.product_id)
        if product is None:
            return Refusal(Reason.SOLD_OUT, {"product": held.name})
        line = reprice(turn, held, product)
        if isinstance(line, Refusal):
            return Refusal(Reason.SOLD_OUT, {"product": held.name})
        wanted[product.id] = wanted.get(product.id, 0) + line.quantity
        if product.stock is not None and wanted[product.id] > product.stock:
            return Refusal(Reason.SOLD_OUT, {"product": held.name, "maximum": product.stock})
        lines.append((product, line))
    return lines


@registry.action("order.place", gives=("order", "last_order"))
async def place(turn: Turn, *, seen: str) -> Refusal | None:
    """Place the order the customer was shown; refuses if it would cost something else now.

    `seen` is the `quote.fingerprint` of the summary he confirms.
    """
    lines = await _priced_lines(turn)
    if isinstance(lines, Refusal):
        return lines
    incomplete = _incomplete(turn)
    if incomplete:
        return incomplete
    priced = _sum_up(turn, [line for _, line in lines])
    if priced.fingerprint != seen:
        return Refusal(Reason.PRICE_CHANGED)
    order = _order(turn, priced)
    turn.orders_placed.append(order)
    turn.stock_taken += [(p.id, line.quantity) for p, line in lines if p.stock is not None]
    turn.cart = Cart()
    turn.variables["last_order"] = order.number
    for name in ("order_type", "address", "payment", "notes"):
        turn.variables[name] = None
    turn.memory["order"] = order_view(order, turn.tenant, turn.conversation.language)
    return None


def _incomplete(turn: Turn) -> Refusal | None:
    noted = turn.variables
    if not turn.tenant.is_open(turn.now):
        return Refusal(Reason.CLOSED)
    if noted.get("payment") not in turn.tenant.payment_methods:
        return Refusal(Reason.CHECKOUT_INCOMPLETE)
    if noted.get("order_type") == OrderType.DELIVERY and not noted.get("address"):
        return Refusal(Reason.CHECKOUT_INCOMPLETE)
    if noted.get("order_type") not in set(OrderType):
        return Refusal(Reason.CHECKOUT_INCOMPLETE)
    return None


def _order(turn: Turn, priced: Quote) -> Order:
    noted, who = turn.variables, turn.conversation
    kind = OrderType(noted["order_type"])
    return Order(
        number=OrderNumber(turn.ids.order_number()),
        customer=who.customer,
        quote=priced,
        type=kind,
        payment_method=noted["payment"],
        payment_kind=turn.tenant.payment_methods[noted["payment"]].kind,
        created_at=turn.now,
        customer_name=who.name,
        customer_phone=who.phone,
        customer_user_id=who.user_id,
        address=Address(**noted["address"]) if kind is OrderType.DELIVERY else None,
        notes=noted.get("notes") or "",
    )


@registry.action("order.load", gives=("order",))
async def load(turn: Turn, *, number: str | None = None) -> Refusal | None:
    """Load one of the customer's orders by its number, or his newest one, as `order`."""
    if turn.orders_placed and not number:
        found: Order | None = turn.orders_placed[-1]
    elif number:
        wanted = OrderNumber(number.strip().lstrip("#").strip().upper())
        found = await turn.orders.get_by_number(wanted, turn.conversation.customer)
    else:
        found = await turn.orders.get_latest(turn.conversation.customer)
    if found is None:
        return Refusal(Reason.UNKNOWN_ORDER)
    turn.memory["order"] = order_view(found, turn.tenant, turn.conversation.language)
    return None
