"""What a made-up customer tries at a moment of a walk: each thing once, the likeliest first.

A key tells which tries are the same: a row of one message tapped in one state, say. Of repeated
rows the first, the longest and the last are tapped. Nothing is played here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from engine.box_ports import OutboxEntry
from engine.charts.inbound import ORDER_MOVED, TYPED, tap_event
from engine.domain.catalog import Product
from engine.domain.native import item_id
from engine.domain.order import OrderStatus, leads_to
from engine.rehearsal import acts
from engine.rehearsal.acts import Act
from engine.rehearsal.menu import CATALOG_ID, MenuCatalog
from engine.rehearsal.moment import Moment
from engine.rehearsal.shelves import extremes
from engine.rehearsal.trail import Node, Start, Try
from engine.rendering.lists import offers, wire_id
from engine.spec.bundle import Bundle
from engine.spec.message import Entry, Message
from engine.transcript import Choice, choices
from engine.whatsapp.content import NativeOrderItem
from engine.whatsapp.limits import length

NEW = "new"
"""The start of a new customer, whose tries are the most thorough."""
FULL = "full"
"""The start of a customer with a full cart, who goes everywhere once more."""
NONSENSE = "qwrtzp xkvb"
ADDRESS = "12 Mulberry Street, 3rd floor"
REASON = "we have run out of dough"
MOST_BODIES = 4
"""Times that a message is answered again because it says something else."""
_MISSES = 3
_ORDER_SLOT = "ABC234"


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that can be tapped, and the row or button it was made of."""

    choice: Choice
    sent: OutboxEntry
    message: Message
    entry: Entry | None

    @property
    def where(self) -> str:
        """Give the place where it is written."""
        part = self.message.list
        if self.entry is not None:
            return self.entry.where
        return part.more.id.where if part and part.more else self.message.where


def offered(node: Node) -> list[Offer]:
    """Tell what can be tapped in the messages of a scene, in the order the customer sees it."""
    if "offers" not in node.memo:
        node.memo["offers"] = _offered(node)
    made: list[Offer] = node.memo["offers"]
    return made


def _offered(node: Node) -> list[Offer]:
    known: dict[str, tuple[Message, Entry]] = {}
    for message, context in node.heard:
        for entry, local in offers(tuple(message.entries()), context):
            known.setdefault(wire_id(entry, local), (message, entry))
    lists = [message for message, _ in node.heard if message.list and message.list.more]
    made: list[Offer] = []
    for sent in node.scene.said:
        for choice in choices(sent.payload):
            if choice.id in known:
                made.append(Offer(choice, sent, *known[choice.id]))
            elif lists:
                made.append(Offer(choice, sent, lists[-1], None))
    return made


class Tries:
    """Tells what is still to be tried; it remembers what each message has said.

    Args:
        ends: by id of a Flow's session, what its end may give.
    """

    def __init__(self, bundle: Bundle, catalog: MenuCatalog) -> None:
        self.ends: dict[str, list[Mapping[str, Any]]] = {}
        self._chart = bundle.chart
        self._catalog = catalog
        self._met: set[tuple[str, str, str, str]] = set()
        self._bodies: dict[tuple[str, ...], dict[str, int]] = {}
        words = bundle.vocabulary(bundle.tenant.languages[0])
        self._phrases = words.intents.phrases
        self._extremes = extremes(catalog)
        self._currency = bundle.tenant.currency
        entries = (entry for message in words.messages.values() for entry in message.entries())
        self._tappable = {e.event for e in entries if e.argument is None and e.id is None}
        self._of_state = {
            event: " ".join(b.condition.source for b in branches if b.condition)
            for event, branches in self._chart.anywhere.items()
            if any(b.condition and "state" in b.condition.names for b in branches)
        }
        self._hears_moves = any(
            event.partition(".")[0] == ORDER_MOVED for event in self._chart.events()
        )
        self._counts_misses = any(
            branch.condition and "misses" in branch.condition.names
            for branch in self._chart.all_branches()
        )

    def opening(self) -> Act:
        """Choose what a new customer writes first."""
        return next((acts.says(p) for p in self._said("greet")), acts.says(NONSENSE))

    # At the beginning ------------------------------------------------------------------------

    def first(self, start: Start) -> Iterator[Try]:
        """Tell what is tried where nothing has been said yet."""
        if start.name != NEW:
            yield from self._anywhere(start, start.moment)
            yield from self._moves(start)
            return
        yield Try(("first", "opening"), self.opening())
        for name, act in (("nothing", acts.says(NONSENSE)), ("voice", acts.sends("voice"))):
            yield Try(("first", name), act)

    def _moves(self, start: Start) -> Iterator[Try]:
        """Let the shop move his order: to each status it can come to."""
        if not start.moment.orders or not self._hears_moves:
            return
        order = start.moment.orders[-1]
        for status in OrderStatus:
            if leads_to(order.type, OrderStatus.PENDING, status):
                # Once without a reason, and once with one.
                reason = REASON if status is OrderStatus.REJECTED else ""
                yield Try(("moved", status), acts.moves(order, status, reason))

    def _anywhere(self, start: Start, moment: Moment) -> Iterator[Try]:
        """Try what works in every state."""
        for event in self._chart.anywhere:
            for place, act in enumerate(self._raising(event, moment)):
                yield Try(("say", start.name, "", event, place), act)

    def _raising(self, event: str, moment: Moment) -> Iterator[Act]:
        """Say or tap what an event is."""
        said = list(self._said(event, moment))
        yield from (acts.says(text) for text in said)
        if not said and event in self._tappable:
            yield Act(f"customer taps: {event}", acts.taps(Choice(event, event), "").content)

    def _said(self, event: str, moment: Moment | None = None) -> Iterator[str]:
        """Give the first phrase of an event, and the first with a slot, filled."""
        phrases = self._phrases.get(event, ())
        plain = (phrase for phrase in phrases if "{" not in phrase)
        slotted = (phrase for phrase in phrases if "{" in phrase)
        yield from list(plain)[:1]
        for phrase in list(slotted)[:1]:
            before, _, rest = phrase.partition("{")
            slot, _, after = rest.partition("}")
            orders = moment.orders if moment else ()
            filled = orders[-1].number if orders else _ORDER_SLOT
            if slot == "product" and self._extremes:
                filled = self._extremes[0].name
            yield f"{before}{filled}{after}"

    # After a scene ---------------------------------------------------------------------------

    def after(self, node: Node) -> Iterator[Try]:
        """Tell what is tried after a scene."""
        moment = node.scene.after
        leaf = moment.state
        if node.scene.failure or leaf is None:
            return
        is_new = node.start.name == NEW
        is_root = is_new and node.before is None and node.tried.key == ("first", "opening")
        if is_root:
            yield from self._extreme_taps()
        yield from self._flow_ends(node, leaf)
        if not is_new and node.start.name != FULL:
            return
        made = offered(node)
        yield from self._taps(node, leaf, made)
        if is_new:
            yield from self._thorough(node, leaf, made)
        if is_root:
            yield from self._anywhere(node.start, moment)
            yield from self._any_kind()

    def _thorough(self, node: Node, leaf: str, made: list[Offer]) -> Iterator[Try]:
        """Try what is no tap on what was just shown."""
        moment = node.scene.after
        yield from self._old_taps(node, leaf)
        yield from self._own(node, leaf, made)
        for timer in moment.timers:
            yield Try(("timer", timer.event), None, timer=timer)
        for event, guards in self._of_state.items():
            if any(name in guards for name in self._chart.path(leaf)):
                for place, act in enumerate(self._raising(event, moment)):
                    yield Try(("say", NEW, leaf, event, place), act)
        if node.tried.key[0] == "miss" and self._counts_misses:
            yield Try(("miss", min(node.tried.key[1] + 1, _MISSES)), acts.says(NONSENSE))

    def _extreme_taps(self) -> Iterator[Try]:
        for product in self._extremes:
            if product.id.partition(":")[0] in self._chart.prefixes:
                choice = Choice(product.id, product.name)
                act = Act(f"customer taps: {product.name}", acts.taps(choice, "").content)
                yield Try(("product", product.id), act)

    def _flow_ends(self, node: Node, leaf: str) -> Iterator[Try]:
        for session in node.scene.record.flow_sessions:
            for place, params in enumerate(self.ends.get(session.id, ())):
                act = acts.ends_flow(session.id, params)
                yield Try(("flow", session.flow, node.start.name, leaf, place), act)

    def _taps(self, node: Node, leaf: str, made: list[Offer]) -> Iterator[Try]:
        start = node.start.name
        for (name, where), of_entry in groupby(made, lambda o: (o.message.id, o.where)):
            rows = list(of_entry)
            body = self._body(start, leaf, rows[0])
            is_first = (start, leaf, name, where) not in self._met
            self._met.add((start, leaf, name, where))
            if (body >= MOST_BODIES and not is_first) or (start != NEW and body):
                continue
            few = body > 0 or start != NEW
            for variant, offer in _some(rows, is_few=few):
                key = ("tap", start, leaf, name, where, variant, body)
                act = acts.taps(offer.choice, offer.sent.id)
                yield Try(key, act, is_fresh=True, where=where)

    def _body(self, start: str, leaf: str, offer: Offer) -> int:
        """Number what a message says where a customer stands."""
        text = str(offer.sent.payload.get("interactive", {}).get("body", {}).get("text", ""))
        known = self._bodies.setdefault((start, leaf, offer.message.id), {})
        return known.setdefault(text, len(known))

    def _old_taps(self, node: Node, leaf: str) -> Iterator[Try]:
        """Tap what an older message offers, and nobody reacts to here."""
        if node.before is None:
            return
        for offer in offered(node.before):
            event = tap_event(offer.choice.id, self._chart.prefixes).name
            act = acts.taps(offer.choice, offer.sent.id, is_old=True)
            if not self._reacts(leaf, event):
                yield Try(("old", offer.message.id, offer.where), act, is_odd=True)
            elif _has_sold(node) and node.tried.act and act.content == node.tried.act.content:
                yield Try(("twice", offer.message.id, offer.where), act, is_odd=True)

    def _reacts(self, leaf: str, event: str) -> bool:
        path = (self._chart.states[state] for state in self._chart.path(leaf))
        return event in self._chart.anywhere or any(event in state.when for state in path)

    # What a state reacts to ------------------------------------------------------------------

    def _own(self, node: Node, leaf: str, made: list[Offer]) -> Iterator[Try]:
        for name in self._chart.path(leaf):
            for event in self._chart.states[name].when:
                if event == "text":
                    yield from self._texts(node, name, made)
                elif event == TYPED:
                    for meaning in self._meanings(name):
                        for place, act in enumerate(self._raising(meaning, node.scene.after)):
                            yield Try(("typed", name, meaning, place), act)
                elif event in _OF_KIND:
                    for place, act in enumerate(self._kind(event)):
                        yield Try(("kind", name, event, place), act)
                else:
                    for place, act in enumerate(self._raising(event, node.scene.after)):
                        yield Try(("say", NEW, leaf, event, place), act)

    def _meanings(self, state: str) -> Iterator[str]:
        """Name the meanings of a text that a state tells apart before anything else hears it."""
        branches = self._chart.states[state].when[TYPED]
        asked = " ".join(b.condition.source for b in branches if b.condition)
        quoted = {word for pair in re.findall(r"'([^']*)'|\"([^\"]*)\"", asked) for word in pair}
        yield from (event for event in self._phrases if event in quoted)

    def _texts(self, node: Node, state: str, made: list[Offer]) -> Iterator[Try]:
        """Write what a state may take for an answer."""
        for offer in made[:1]:
            yield Try(("typed", state, offer.message.id), acts.says(offer.choice.title))
        texts = {"number": "2", "many": "150", "address": ADDRESS, "short": "x"}
        for name, text in texts.items():
            yield Try(("text", state, name), acts.says(text))
        conversation = node.scene.after.conversation
        misses = conversation.misses if conversation and self._counts_misses else 0
        if misses <= _MISSES:
            yield Try(("text", state, "nothing", misses), acts.says(NONSENSE))

    def _any_kind(self) -> Iterator[Try]:
        for kind in _OF_KIND:
            for place, act in enumerate(self._kind(kind)):
                yield Try(("kind", "", kind, place), act)
        yield Try(("miss", 0), acts.says(NONSENSE))
        yield Try(("find", "nothing"), acts.says(f"{NONSENSE} " * 6))
        if not self._extremes:
            return
        longest = max(self._extremes, key=lambda product: length(product.name))
        yield Try(("find", "product"), acts.says(longest.name))
        yield Try(("find", "category"), acts.says(longest.category))
        word = _shared_word(self._catalog)
        if word:
            yield Try(("find", "several"), acts.says(word))

    def _kind(self, kind: str) -> Iterator[Act]:
        if kind == "native_order":
            yield from self._native_orders()
        elif kind == "location":
            yield acts.shares(40.7305, -74.0021, "Home", ADDRESS)
            yield acts.shares(40.7305, -74.0021)
        else:
            yield from (acts.sends(name) for name in _OF_KIND[kind])

    def _native_orders(self) -> Iterator[Act]:
        items = [item for product in self._extremes[:6] for item in self._items(product)]
        yield from (acts.orders((item,), CATALOG_ID) for item in items[:2])
        # A cart with nothing to ask or to mend: of a product that needs no choices.
        plain = next(filter(_is_plain, self._catalog.products.values()), None)
        if plain and plain is not self._extremes[0]:
            yield acts.orders((next(self._items(plain)),), CATALOG_ID)
        gone = (
            NativeOrderItem("prod:gone", 1, items[0].item_price, self._currency) if items else None
        )
        if gone:
            yield acts.orders((gone,), CATALOG_ID)
            yield acts.orders((*items, gone), CATALOG_ID, "Please ring twice")

    def _items(self, product: Product) -> Iterator[NativeOrderItem]:
        sizes = product.presentations
        item = item_id(product.id, sizes[0].id) if sizes else item_id(product.id)
        price = sizes[0].price if sizes else product.base_price
        yield NativeOrderItem(item, 1, price, self._currency)
        yield NativeOrderItem(item, 200, price + 1, self._currency)


_OF_KIND: Mapping[str, tuple[str, ...]] = {
    "media": ("voice", "image"),
    "location": (),
    "contacts": ("contacts",),
    "flow_reply": ("reply",),
    "unsupported": ("unknown",),
    "empty": ("empty",),
    "native_order": (),
}
"""By the event of a kind of message, what is sent."""


def _some(rows: list[Offer], *, is_few: bool) -> Iterator[tuple[str, Offer]]:
    """Choose of repeated rows the first, the longest and the last."""
    yield "first", rows[0]
    if is_few:
        return
    longest = max(rows, key=lambda o: (length(o.choice.title), length(o.choice.description)))
    shown = {rows[0].choice.id}
    for name, offer in (("longest", longest), ("last", rows[-1])):
        if offer.choice.id not in shown:
            shown.add(offer.choice.id)
            yield name, offer


def _is_plain(product: Product) -> bool:
    return not product.is_sold_out and not any(group.minimum for group in product.groups)


def _has_sold(node: Node) -> bool:
    """Tell whether a scene changed the cart, or brought an order: to do so twice is risky."""
    before, after = node.scene.before, node.scene.after
    return before.cart != after.cart or before.orders != after.orders


def _shared_word(catalog: MenuCatalog) -> str | None:
    """Find a word that the names of several products have."""
    shelves = " ".join(category.name.casefold() for category in catalog.categories)
    seen: set[str] = set()
    for product in catalog.products.values():
        words = {word.strip("(),.").casefold() for word in product.name.split()}
        for word in sorted(words, key=len, reverse=True):
            if len(word) > 3 and word in seen and word not in shelves:
                return word
        seen |= words
    return None
