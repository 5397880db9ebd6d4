"""What committed turns did is counted here, and nowhere before they are committed."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from engine import metrics
from engine.domain.cart import Cart
from engine.domain.ids import CustomerKey, TenantId
from engine.ports import TurnRecord

MOST_TALKS: Final = 20_000
"""Conversations of which a process remembers how far they have come."""
FORGOTTEN: Final = timedelta(days=1)

_BY_ACTION: Final[Mapping[str, str]] = {
    "catalog.categories": "menu",
    "catalog.category": "menu",
    "catalog.product": "product",
    "draft.start": "product",
    "checkout.type": "checkout",
    "checkout.address": "checkout",
    "checkout.payment": "checkout",
    "order.quote": "checkout",
}
_BY_STATE: Final[Mapping[str, str]] = {"checkout": "checkout"}

_Talk = tuple[TenantId, CustomerKey]


class Tally:
    """Counts committed turns.

    Args:
        most: conversations that are remembered; of one that is forgotten a step counts again.
    """

    def __init__(self, most: int = MOST_TALKS) -> None:
        self._most = most
        self._reached: dict[_Talk, tuple[frozenset[str], datetime]] = {}

    def committed(self, record: TurnRecord, *, seconds: float) -> None:
        """Count a turn that was committed just now, once.

        Args:
            seconds: that it took.
        """
        metrics.turn_seconds.observe(seconds)
        if record.given_up is not None:
            metrics.turns.labels(outcome="dead").inc()
            return
        metrics.turns.labels(outcome=record.log.outcome).inc()
        if record.log.outcome == "done":
            self._sold(record)

    def _sold(self, record: TurnRecord) -> None:
        tenant = record.conversation.tenant
        seen = frozenset(_seen(record.log.steps))
        is_filled = _is_filled(record)
        if not (seen or is_filled or record.orders):
            return
        metrics.TENANTS.admit(tenant)
        fresh = sorted(self._news(record, seen))
        steps = [*fresh, *(["cart"] if is_filled else []), *("order" for _ in record.orders)]
        for step in steps:
            metrics.conversions.labels(tenant=tenant, step=step).inc()
        for order in record.orders:
            metrics.orders.labels(
                tenant=tenant, type=order.type.value, payment=order.payment_kind
            ).inc()

    def _news(self, record: TurnRecord, seen: frozenset[str]) -> frozenset[str]:
        """Give the steps a conversation had not come to; after an order it begins again."""
        talk = record.conversation.tenant, record.conversation.customer
        before, at = self._reached.pop(talk, (frozenset[str](), record.at))
        if record.at - at > FORGOTTEN:
            before = frozenset()
        if not record.orders:
            if len(self._reached) >= self._most:
                del self._reached[next(iter(self._reached))]
            self._reached[talk] = before | seen, record.at
        return seen - before


def _seen(steps: tuple[Mapping[str, Any], ...]) -> Iterator[str]:
    for step in steps:
        if "refused" in step:
            continue
        found = _BY_ACTION.get(step.get("action", "")) or _BY_STATE.get(step.get("state", ""))
        if found:
            yield found


def _is_filled(record: TurnRecord) -> bool:
    """Tell whether an empty cart was filled."""
    before = record.log.recording.cart if record.log.recording else None
    was_filled = before is not None and before.lines and not _is_over(before, record.at)
    return bool(record.cart and record.cart.lines) and not was_filled


def _is_over(cart: Cart, at: datetime) -> bool:
    return cart.expires_at is not None and cart.expires_at <= at
