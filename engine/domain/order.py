"""An order: what was sold, to whom, and the moves its status may make."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from engine.domain.cart import CartLine
from engine.domain.ids import CustomerKey, OrderNumber
from engine.domain.pricing import Quote


class OrderStatus(StrEnum):
    """Where an order stands."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    PREPARING = "preparing"
    READY = "ready"
    ON_THE_WAY = "on_the_way"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


class OrderType(StrEnum):
    """How the customer gets it."""

    DELIVERY = "delivery"
    PICKUP = "pickup"


_S = OrderStatus
_COMMON: dict[OrderStatus, frozenset[OrderStatus]] = {
    _S.PENDING: frozenset({_S.CONFIRMED, _S.CANCELLED, _S.REJECTED}),
    _S.CONFIRMED: frozenset({_S.PREPARING, _S.CANCELLED, _S.REJECTED}),
    _S.PREPARING: frozenset({_S.READY, _S.CANCELLED}),
    _S.DELIVERED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.REJECTED: frozenset(),
}
LEGAL_MOVES: dict[OrderType, dict[OrderStatus, frozenset[OrderStatus]]] = {
    # A kitchen that does not use `ready` or `on_the_way` may leave them out.
    OrderType.DELIVERY: _COMMON
    | {
        _S.PREPARING: frozenset({_S.READY, _S.ON_THE_WAY, _S.DELIVERED, _S.CANCELLED}),
        _S.READY: frozenset({_S.ON_THE_WAY, _S.DELIVERED, _S.CANCELLED}),
        _S.ON_THE_WAY: frozenset({_S.DELIVERED, _S.CANCELLED}),
    },
    OrderType.PICKUP: _COMMON
    | {
        _S.PREPARING: frozenset({_S.READY, _S.DELIVERED, _S.CANCELLED}),
        _S.READY: frozenset({_S.DELIVERED, _S.CANCELLED}),
        _S.ON_THE_WAY: frozenset(),
    },
}


RETURNED: Final = frozenset({_S.CANCELLED, _S.REJECTED})
"""The statuses of an order that nobody gets: what it took of the stock is there again."""


def leads_to(kind: OrderType, before: OrderStatus, after: OrderStatus) -> bool:
    """Tell whether legal moves lead from one status to another, in one step or several."""
    seen: set[OrderStatus] = set()
    waiting = set(LEGAL_MOVES[kind][before])
    while waiting:
        status = waiting.pop()
        seen.add(status)
        waiting |= LEGAL_MOVES[kind][status] - seen
    return after in seen


def in_order(statuses: Iterable[OrderStatus]) -> tuple[OrderStatus, ...]:
    """Give statuses in the order in which an order comes to them."""
    wanted = frozenset(statuses)
    return tuple(status for status in OrderStatus if status in wanted)


@dataclass(frozen=True, slots=True)
class Address:
    """Where an order goes: typed text, a shared place, or both."""

    text: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An order as placed.

    Args:
        payment_method: the tenant's id of the method, such as `yape`.
        payment_kind: what the back end knows: cash, card or digital_wallet.
    """

    number: OrderNumber
    customer: CustomerKey
    quote: Quote
    type: OrderType
    payment_method: str
    payment_kind: str
    created_at: datetime
    customer_name: str | None = None
    customer_phone: str | None = None
    customer_user_id: str | None = None
    address: Address | None = None
    notes: str = ""
    status: OrderStatus = OrderStatus.PENDING

    @property
    def lines(self) -> tuple[CartLine, ...]:
        """Give the lines of its quote."""
        return self.quote.lines

    @property
    def total(self) -> Decimal:
        """Give what the customer pays."""
        return self.quote.total

    def moves(self) -> frozenset[OrderStatus]:
        """Tell the statuses it may take next."""
        return LEGAL_MOVES[self.type][self.status]

    def move(self, status: OrderStatus) -> "Order | None":
        """Give it another status; None when the move is not legal."""
        return replace(self, status=status) if status in self.moves() else None
