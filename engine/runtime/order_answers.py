"""What operators may ask of orders, and what they are told, at every door."""

from typing import Any, Final

from engine.domain.ids import OrderNumber
from engine.domain.order import OrderStatus
from engine.errors import Malformed
from engine.row_ports import AskedMove, OrderSummary
from engine.runtime.order_moves import LONGEST_REASON
from engine.spec.problems import did_you_mean

STATUSES: Final = tuple(status.value for status in OrderStatus)


def number_of(written: str) -> OrderNumber:
    """Read an order's number as people write it: `#k7m2qx`."""
    return OrderNumber(written.strip().lstrip("#").strip().upper())


def status_of(written: str) -> OrderStatus:
    """Read a status.

    Raises:
        Malformed: there is no such status.
    """
    word = written.strip().lower().replace("-", "_").replace(" ", "_")
    if word in STATUSES:
        return OrderStatus(word)
    hint = did_you_mean(word, STATUSES)
    known = f"'{written[:40]}' is no status; there are {', '.join(STATUSES)}"
    raise Malformed(f"{known}; {hint}" if hint else known)


def reason_of(written: str) -> str:
    """Read the reason of a move.

    Raises:
        Malformed: it is longer than a customer is told.
    """
    reason = " ".join(written.split())
    if len(reason) > LONGEST_REASON:
        raise Malformed(f"the reason has {len(reason)} characters, {LONGEST_REASON} are told")
    return reason


def refused(asked: AskedMove) -> str:
    """Tell why an order was not moved, and what it may take."""
    if not asked.moves:
        return f"the order is {asked.before}: it takes no other status any more"
    named = " or ".join(status.value for status in asked.moves)
    return f"the order is {asked.before}: it cannot become {asked.status}, only {named}"


def answer(order: OrderSummary) -> dict[str, Any]:
    """Give an order as it is written in JSON."""
    return {
        "number": order.number,
        "status": order.status,
        "type": order.type,
        "total": str(order.total),
        "at": order.at.isoformat(),
        "updated_at": order.updated_at.isoformat(),
        "reason": order.reason,
        "told": None if order.told is None else list(order.told),
        "moves": [status.value for status in order.moves],
    }
