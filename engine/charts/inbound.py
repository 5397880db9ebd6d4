"""A customer's message -> the events it may mean, the likeliest first; the chart decides which.

Reading a message needs no chart state: a tap carries its event in its id, a text is looked up in
the phrase books of the tenant's languages.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.charts.timers import HANDED_BACK, event_now
from engine.domain.native import split_item
from engine.phrases import Meaning
from engine.spec.bundle import Bundle
from engine.turn import Event
from engine.whatsapp import content as wire

NOTHING_MATCHED = "nothing_matched"
RAISED = "raised"
"""What is of our own making: nobody is told that nobody wanted it."""
ORDER_MOVED = "order_moved"
"""The event of an order that took another status; with the status, as `order_moved.ready`, it may
be taken by itself."""
STAFF_WROTE = "staff_wrote"
"""The event of a person who typed to the customer on the business phone."""
FROM_STAFF = "from_staff"
"""The event of whatever the tenant's own staff sends and no tap is."""
TYPED = "typed"
"""The event of any text, before what it means: `event.meaning` is the event of its phrase."""
UNASKED = frozenset({ORDER_MOVED, STAFF_WROTE, HANDED_BACK})
"""Events of ours that nobody waits for: if their turn fails, nothing is said."""
IGNORED = (wire.Reaction, wire.SystemChange, wire.Edited, wire.Revoked, wire.CallPermission)
"""What needs no answer."""

_PAGE = re.compile(r"#([1-9][0-9]{0,2})$")
_NUMBER = re.compile(r"\s*([0-9]{1,4})\s*")


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a message may mean.

    Args:
        sure: events that come before what a state does with any text.
        general: the event of its kind (`text`, `location`, `media`, ...).
        vague: events to try if no state wants the text as such.
        language: the other language the customer just used.
        data: what texts and guards read as `event.<key>`.
    """

    general: str
    sure: tuple[Event, ...] = ()
    vague: tuple[Event, ...] = ()
    language: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def candidates(content: wire.Content, bundle: Bundle, language: str) -> Candidates | None:
    """Tell what a message may mean; None if it needs no answer.

    Args:
        language: the one the conversation is in.
    """
    if isinstance(content, IGNORED):
        return None
    if isinstance(content, wire.Text):
        return _text(content.body, bundle, language)
    if isinstance(content, wire.Tap):
        return _tap(content, bundle)
    if isinstance(content, wire.Raised):
        return _raised(content, bundle)
    reader = _KINDS.get(type(content))
    return reader(content) if reader else Candidates("unsupported", data={"kind": "unknown"})


def _raised(content: wire.Raised, bundle: Bundle) -> Candidates:
    event = Event(event_now(bundle.chart, content.event), content.data)
    if content.event != ORDER_MOVED:
        return Candidates(RAISED, sure=(event,), data=content.data)
    narrow = Event(f"{ORDER_MOVED}.{content.data.get('status')}", content.data)
    return Candidates(RAISED, sure=(narrow, event), data=content.data)


def _text(body: str, bundle: Bundle, language: str) -> Candidates:
    text = body.strip()
    if not text:
        return Candidates("empty")
    number = _NUMBER.fullmatch(text)
    data = {"text": text, "number": int(number[1]) if number else None}
    languages = sorted(bundle.vocabularies, key=lambda name: name != language)
    found = _meaning(text, bundle, languages)
    if found is None:
        return Candidates("text", data=data)
    meaning, spoken = found
    event = Event(meaning.event, data | _slot(meaning))
    other = spoken if spoken != language else None
    if meaning.certainty != "exact":
        if meaning.event in bundle.chart.careful:
            return Candidates("text", data=data)
        return Candidates("text", vague=(event,), data=data)
    return Candidates("text", sure=(event,), language=other, data=data)


def typed(found: Candidates) -> Event:
    """Make the event of a text before its phrase counts; only the very phrase has a meaning."""
    # One with a slot is about something, as "show me the pizza" is: no word that is said alone.
    meant = (event.name for event in found.sure if event.data.get("argument") is None)
    return Event(TYPED, {**found.data, "meaning": next(meant, None)})


def from_staff(content: wire.Content, found: Candidates, bundle: Bundle) -> Candidates:
    """Tell what a message of the tenant's own staff means, if the chart makes a difference."""
    if isinstance(content, (wire.Tap, wire.Raised)) or FROM_STAFF not in bundle.chart.events():
        return found
    return Candidates(FROM_STAFF, data=found.data)


def _slot(meaning: Meaning) -> dict[str, Any]:
    return {"argument": meaning.argument, "quantity": meaning.quantity}


def _meaning(text: str, bundle: Bundle, languages: list[str]) -> tuple[Meaning, str] | None:
    books = [(bundle.vocabularies[name].intents, name) for name in languages]
    for look in ("exact", "fuzzy", "contained"):
        for book, name in books:
            found: Meaning | None = getattr(book, look)(text)
            if found:
                return found, name
    return None


def _tap(tap: wire.Tap, bundle: Bundle) -> Candidates:
    event = tap_event(tap.id, bundle.chart.prefixes, title=tap.title)
    return Candidates("tap", sure=(event,), data=event.data)


def tap_event(wire_id: str, prefixes: Mapping[str, str], *, title: str = "") -> Event:
    """Read a wire id: `cat:pizza#2` is the event of the prefix `cat` with the page 2.

    Args:
        wire_id: `<prefix or event>[:<argument>][#<page>]`; an argument's parts are joined by `|`.
        prefixes: events by prefix.
    """
    page = _PAGE.search(wire_id)
    bare = wire_id[: page.start()] if page else wire_id
    word, found, rest = bare.partition(":")
    # A dotted name is the engine's own (`refused.sold_out`, `after.cart.1h`), and so is what
    # happens elsewhere: nobody can tap it.
    name = "" if "." in word or word in UNASKED else prefixes.get(word, word)
    argument = bare if word in prefixes else (rest if found else None)
    data = {
        "id": wire_id,
        "title": title,
        "argument": argument,
        "arguments": argument.split("|") if argument else [],
        "page": int(page[1]) if page else 1,
    }
    return Event(name, data)


def _location(place: wire.Location) -> Candidates:
    data = {
        "latitude": place.latitude,
        "longitude": place.longitude,
        "text": ", ".join(part for part in (place.name, place.address) if part),
    }
    return Candidates("location", data=data)


def _media(media: wire.Media) -> Candidates:
    kind = "voice" if media.voice else media.kind
    return Candidates("media", data={"kind": kind, "text": media.caption or ""})


def _flow_reply(reply: wire.FlowReply) -> Candidates:
    return Candidates("flow_reply", data={"response": dict(reply.response)})


def flow_end(flow: str, params: Mapping[str, Any]) -> Candidates:
    """Tell what the end of a Flow means: the event `flow.<id>`, with what it gives."""
    data = {**params, "response": dict(params)}
    return Candidates("flow_reply", sure=(Event(f"flow.{flow}", data),), data=data)


def _native_order(order: wire.NativeOrder) -> Candidates:
    data = {
        "items": [_ordered(item) for item in order.items],
        "catalog": order.catalog_id,
        "text": order.text or "",
    }
    return Candidates("native_order", data=data)


def _ordered(item: wire.NativeOrderItem) -> dict[str, Any]:
    product, presentation = split_item(item.product_id)
    return {
        "product": product,
        "presentation": presentation,
        "quantity": item.quantity,
        "price": item.item_price,
        "currency": item.currency,
    }


def _address(reply: wire.AddressReply) -> Candidates:
    values = [str(v) for v in reply.values.values() if isinstance(v, str) and v]
    return Candidates("text", data={"text": ", ".join(values), "number": None})


_KINDS: Mapping[type, Callable[[Any], Candidates]] = {
    wire.Location: _location,
    wire.Media: _media,
    wire.FlowReply: _flow_reply,
    wire.NativeOrder: _native_order,
    wire.AddressReply: _address,
    wire.Contacts: lambda _: Candidates("contacts"),
    wire.Welcome: lambda _: Candidates("welcome"),
}
