"""What a customer and his shop can do in a rehearsal, and how a transcript says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.charts.inbound import ORDER_MOVED
from engine.domain.order import Order, OrderStatus
from engine.transcript import Choice
from engine.whatsapp import content as wire


@dataclass(frozen=True, slots=True)
class Act:
    """One thing a customer does, or his shop.

    Args:
        shown: the transcript's line.
        content: as WhatsApp brings it; None for the end of a Flow that came by an exchange.
        answers: id of the message that is tapped.
        flow: id of the session that ends, and what it gives.
    """

    shown: str
    content: wire.Content | None = None
    answers: str | None = None
    flow: tuple[str, Mapping[str, Any]] | None = None


def says(text: str) -> Act:
    """Write something."""
    return Act(f"customer: {text}", wire.Text(text))


def taps(choice: Choice, message: str, *, is_old: bool = False) -> Act:
    """Tap a row or button of a message."""
    old = " (of an older message)" if is_old else ""
    tap = wire.Tap(choice.id, choice.title, "list" if choice.description else "button")
    return Act(f"customer taps: {choice.title}{old}", tap, answers=message)


def shares(latitude: float, longitude: float, name: str = "", address: str = "") -> Act:
    """Share a place."""
    place = wire.Location(latitude, longitude, name or None, address or None)
    return Act(f"customer shares a place: {name or f'{latitude}, {longitude}'}", place)


def sends(kind: str) -> Act:
    """Send something that is no text, as dialogs name it: `voice`, `image`, ..."""
    return Act(f"customer sends: {kind}", _KINDS[kind])


def orders(items: tuple[wire.NativeOrderItem, ...], catalog: str, note: str | None = None) -> Act:
    """Send a cart filled in WhatsApp's own catalogue."""
    shown = "; ".join(f"{item.quantity}× {item.product_id}" for item in items)
    return Act(f"customer sends: a cart: {shown}", wire.NativeOrder(catalog, note, items))


def ends_flow(session: str, params: Mapping[str, Any]) -> Act:
    """Finish a Flow."""
    return Act("customer finishes the Flow", flow=(session, params))


def moves(order: Order, status: OrderStatus, reason: str = "") -> Act:
    """Let the shop move an order."""
    why = f": {reason}" if reason else ""
    data = {"order": order.number, "status": status.value, "reason": reason}
    event = wire.Raised(ORDER_MOVED, {**data, "type": order.type.value})
    return Act(f"(the shop moves the order to {status.value}{why})", event)


_KINDS: Mapping[str, wire.Content] = {
    "voice": wire.Media("audio", "media", voice=True),
    "image": wire.Media("image", "media"),
    "sticker": wire.Media("sticker", "media"),
    "contacts": wire.Contacts(({"name": {"formatted_name": "Luis"}},), is_contact_request=False),
    "unknown": wire.Unknown("hologram"),
    "empty": wire.Text("  "),
    "reply": wire.FlowReply({}, None),
    "welcome": wire.Welcome(),
}
KINDS = tuple(_KINDS)
"""The kinds `sends` knows."""
