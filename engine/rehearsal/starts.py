"""With what made-up customers begin a walk: nothing, a full cart, one that ran out, an order."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from engine.domain.cart import Cart
from engine.domain.ids import CustomerKey, OrderNumber
from engine.domain.money import ZERO
from engine.domain.order import Address, Order, OrderType
from engine.domain.pricing import price_order
from engine.domain.tenant import Tenant
from engine.rehearsal.moment import Moment
from engine.rehearsal.rehearsal import CUSTOMER
from engine.rehearsal.trail import Start
from engine.rehearsal.tries import FULL, NEW
from engine.rehearsal.worlds import opened

LAST_ORDER = "last_order"
"""What a conversation remembers of an order; see the action `order.place`."""
_NUMBER = OrderNumber("K7M2QX")
_PLACE = "1234 Long Avenue of the Americas, building B, apartment 56, ring twice"


def beginning(tenant: Tenant) -> Moment:
    """Give the moment in which a new customer writes, while the tenant is open."""
    return Moment(now=opened(tenant))


def starts(tenant: Tenant, cart: Cart, greeted: Moment) -> Iterator[Start]:
    """Give what made-up customers begin with, the new one first.

    Args:
        cart: as full as it can be.
        greeted: the moment after a new customer's first message.
    """
    yield Start(NEW, "", beginning(tenant))
    now = greeted.now
    if cart.lines:
        alive = now + timedelta(hours=tenant.cart_hours)
        yield Start(FULL, "(a customer with the fullest cart)", _with(greeted, cart, alive))
    order = _order(tenant, cart, now) if cart.lines else None
    if order:
        yield Start("regular", "(a customer who has ordered before)", _ordered(greeted, order))
        gone = now - timedelta(minutes=1)
        yield Start("late", "(a customer whose cart has expired)", _with(greeted, cart, gone))


def _with(greeted: Moment, cart: Cart, expiry: datetime) -> Moment:
    assert greeted.conversation is not None
    conversation = replace(greeted.conversation, cart_expires_at=expiry)
    return replace(greeted, cart=replace(cart, expires_at=expiry), conversation=conversation)


def _ordered(greeted: Moment, order: Order) -> Moment:
    assert greeted.conversation is not None
    noted = {**greeted.conversation.variables, LAST_ORDER: order.number}
    conversation = replace(greeted.conversation, variables=noted)
    return replace(greeted, orders=(order,), conversation=conversation)


def _order(tenant: Tenant, cart: Cart, now: datetime) -> Order:
    kind = OrderType.DELIVERY if tenant.delivery else OrderType.PICKUP
    fee = tenant.delivery_fee(cart.subtotal) if tenant.delivery else ZERO
    quote = price_order(cart.lines, delivery_fee=fee, tax=tenant.tax_rule, currency=tenant.money)
    name, method = max(tenant.payment_methods.items(), key=lambda held: len(str(held[1])))
    return Order(
        number=_NUMBER,
        customer=CustomerKey(CUSTOMER),
        quote=quote,
        type=kind,
        payment_method=name,
        payment_kind=method.kind,
        created_at=now - timedelta(days=1),
        address=Address(_PLACE) if kind is OrderType.DELIVERY else None,
    )
