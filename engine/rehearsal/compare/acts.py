"""What a customer tries with two versions of a tenant: the same thing, seen from his side.

Buttons are matched by what is written on them, not by the event they raise. What comes of an act
is not known here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.charts.inbound import tap_event
from engine.domain.native import item_id
from engine.domain.tenant import Tenant
from engine.rehearsal.acts import KINDS, Act, orders, says, sends, shares, taps
from engine.rehearsal.compare.side import Read, Version
from engine.rehearsal.menu import CATALOG_ID
from engine.rehearsal.rehearsal import NOON
from engine.transcript import Choice
from engine.whatsapp.content import NativeOrderItem

NONSENSE = "qwzx vbrk"
_TEXTS = ("2", "12 Mulberry Street, New York", NONSENSE)
_CHANGED = 40
"""Phrases that mean something else now, and are tried."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that can be tapped, and the message it is in."""

    choice: Choice
    sent: str
    message: str = ""

    def word(self, version: Version) -> str:
        """Name the event that it raises."""
        return tap_event(self.choice.id, version.bundle.chart.prefixes).name


Match = tuple[Offer | None, Offer | None]


@dataclass(frozen=True, slots=True)
class Move:
    """The same act for both versions; None for one that does not offer it.

    Args:
        is_offered: it is a button or row of the newest messages.
    """

    shown: str
    before: Act | None
    after: Act | None
    is_offered: bool = False


def offers_of(read: Read) -> list[Offer]:
    """Give what can be tapped in a message."""
    return [Offer(choice, read.sent, read.message) for choice in read.choices]


def matched(before: list[Offer], after: list[Offer]) -> list[Match]:
    """Match what both versions offer: by what is written on it, else by what it is."""
    rest = list(before)
    found: dict[int, Offer] = {}
    for same in (_is_named_alike, _is_one_thing):
        for place, offer in enumerate(after):
            other = next((o for o in rest if same(o, offer)), None)
            if place not in found and other:
                found[place] = other
                rest.remove(other)
    pairs: list[Match] = [(found.get(place), offer) for place, offer in enumerate(after)]
    return [*pairs, *((offer, None) for offer in rest)]


def _is_named_alike(one: Offer, other: Offer) -> bool:
    return one.choice.title == other.choice.title


def _is_one_thing(one: Offer, other: Offer) -> bool:
    return one.choice.id == other.choice.id


def tapping(match: Match, *, is_old: bool = False) -> Move:
    """Make the tap of a match."""
    acts = [taps(o.choice, o.sent, is_old=is_old) if o else None for o in match]
    shown = next(act.shown for act in reversed(acts) if act)
    return Move(shown, acts[0], acts[1], is_offered=not is_old)


def both(act: Act) -> Move:
    """Make a move of what does not depend on what was offered."""
    return Move(act.shown, act, act)


class Words:
    """What can be written and sent in every state.

    Args:
        before, after: the versions.
    """

    def __init__(self, before: Version, after: Version) -> None:
        self._before, self._after = before, after
        language = after.bundle.tenant.languages[0]
        self.known = [both(says(text)) for text in self._phrases(language)]
        self.changed = [both(says(text)) for text in list(self._changed())[:_CHANGED]]
        products = list(after.catalog.products.values())
        names = dict.fromkeys(
            name for p in products if not p.is_sold_out for name in (p.name, p.category)
        )
        self.free = [both(says(text)) for text in (*list(names)[:2], *_TEXTS)]
        self.free += [both(sends(kind)) for kind in KINDS]
        self.free.append(both(shares(40.72, -73.99, "Home", "12 Mulberry Street")))
        self.free += [both(act) for act in self._carts()]

    def _phrases(self, language: str) -> Iterator[str]:
        """Give a phrase of each event that a text can mean in either version."""
        seen: set[str] = set()
        product = next(iter(self._after.catalog.products.values()), None)
        for version in (self._after, self._before):
            book = version.bundle.vocabulary(language).intents
            for event, phrases in book.phrases.items():
                plain = [phrase for phrase in phrases if "{" not in phrase]
                slotted = [phrase for phrase in phrases if "{" in phrase]
                if event not in seen and plain:
                    yield plain[0]
                if event not in seen and slotted and product:
                    head, _, tail = slotted[0].partition("{")
                    yield f"{head}{product.name}{tail.partition('}')[2]}"
                seen.add(event)

    def _changed(self) -> Iterator[str]:
        """Give phrases that only one version knows, or that mean another event in the other."""
        for language in self._after.bundle.tenant.languages:
            old, new = _meanings(self._before, language), _meanings(self._after, language)
            for phrase in dict.fromkeys((*new, *old)):
                if old.get(phrase) != new.get(phrase):
                    yield phrase

    def _carts(self) -> Iterator[Act]:
        """Fill carts in WhatsApp's own catalogue: something simple, and something with sizes."""
        products = list(self._after.catalog.products.values())
        currency = self._after.bundle.tenant.currency
        for has_sizes in (False, True):
            found = next((p for p in products if bool(p.presentations) is has_sizes), None)
            if found:
                size = found.presentations[0] if found.presentations else None
                name = item_id(found.id, size.id if size else None)
                price = size.price if size else found.base_price
                yield orders((NativeOrderItem(name, 1, price, currency),), CATALOG_ID)


def _meanings(version: Version, language: str) -> dict[str, str]:
    """Give the phrases of a language with the events they mean."""
    words = version.bundle.vocabularies.get(language)
    held = words.intents.phrases.items() if words else ()
    return {phrase: event for event, said in held for phrase in said if "{" not in phrase}


def times_of(before: Tenant, after: Tenant) -> tuple[datetime, list[datetime]]:
    """Give a time when both versions are open, and times near it when one or none is.

    It is noon of an ordinary day if they are never open together.
    """
    found: dict[tuple[bool, bool], list[datetime]] = {}
    for time in (NOON + timedelta(hours=n) for n in range(7 * 24)):
        found.setdefault((before.is_open(time), after.is_open(time)), []).append(time)
    opened = found.pop((True, True), [NOON])[0]
    return opened, [min(times, key=lambda time: abs(time - opened)) for times in found.values()]
