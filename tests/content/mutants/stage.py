"""A made-up customer before a shop: what he can do at a moment, and what comes of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

from structlog.testing import capture_logs

from engine.box_ports import OutboxEntry
from engine.charts.compiler import Structures
from engine.charts.run import Heard
from engine.domain.catalog import Product
from engine.domain.ids import ProductId
from engine.rehearsal import acts
from engine.rehearsal.acts import Act
from engine.rehearsal.menu import CATALOG_ID, MenuCatalog
from engine.rehearsal.moment import Moment
from engine.rehearsal.rehearsal import Rehearsal, Scene, view_of
from engine.spec.chart import delay_of
from engine.transcript import Choice, choices
from engine.whatsapp.content import NativeOrderItem
from tests.content.mutants.shop import Shop, place_of

OPEN = datetime(2030, 6, 14, 20, tzinfo=UTC)
"""A Friday on which every shipped shop is open: 16:00 in New York, 15:00 in Lima."""
CLOSED = datetime(2030, 6, 17, 9, tzinfo=UTC)
FALLBACKS = frozenset({"old_tap", "nothing_matched"})
NOISES = ("turn.guard_failed", "turn.event_unhandled")
"""What the engine notes of a mistake that it survives."""

Do = tuple[str, ...]
"""What the customer does, in words that can be done again before another shop."""
Covered = tuple[str, str, str, int]
"""A part of the content that something has happened with: its kind, language, file and line."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a conversation stands.

    Args:
        shelf: what has become of the menu meanwhile.
        newest: the messages of the turn before.
        said: the names of those messages.
    """

    world: str
    moment: Moment
    shelf: str = ""
    newest: tuple[OutboxEntry, ...] = ()
    said: tuple[str, ...] = ()
    event: str = ""

    @property
    def choices(self) -> list[tuple[OutboxEntry, Choice]]:
        """Give what he can tap in the newest messages."""
        return [(entry, choice) for entry in self.newest for choice in choices(entry.payload)]


@dataclass(slots=True)
class Outcome:
    """What came of an act.

    Args:
        noises: what the engine noted of mistakes.
    """

    stand: Stand
    scenes: list[Scene]
    covered: set[Covered] = field(default_factory=set)
    noises: tuple[str, ...] = ()

    @property
    def view(self) -> list[dict[str, object]]:
        """Give the messages as Meta would get them."""
        return [view for scene in self.scenes for view in view_of(scene)]

    @property
    def failure(self) -> str | None:
        """Tell why a turn failed."""
        return next((scene.failure for scene in self.scenes if scene.failure), None)

    @property
    def is_fallback(self) -> bool:
        """Tell whether nobody wanted what he did."""
        steps = (step for scene in self.scenes for step in scene.record.log.steps)
        return any(step.get("event") in FALLBACKS for step in steps)

    @property
    def late(self) -> list[str]:
        """Name the messages that WhatsApp would not take any more, as the 24 hours are over."""
        return [
            str(entry.payload.get("type"))
            for scene in self.scenes
            for entry in scene.said
            if entry.window_ends
            and entry.created_at >= entry.window_ends
            and entry.template is None
            and entry.payload.get("type") != "template"
        ]


def begin(shop: Shop) -> Iterator[tuple[Stand, Do]]:
    """Give the beginnings: every world in every language, and one at night."""
    for world in ("chat", "flows", "native"):
        if world == "native" and shop.bundle.tenant.catalog.mode != "single":
            continue
        for said in shop.phrases.values():
            yield Stand(world, Moment(OPEN)), ("say", next(iter(said.get("greet", ("hi",)))))
    yield Stand("chat", Moment(CLOSED)), ("send", "welcome")


class Stage:
    """Plays acts before a shop.

    Args:
        heard: is told of every message that is said.
    """

    def __init__(self, shop: Shop, heard: Heard | None = None) -> None:
        self._heard = heard
        self._kept = shop
        self._lasting = self._opened(shop)
        self.show(shop)

    def show(self, shop: Shop) -> None:
        """Take another shop of the same tenant; what was compiled for the first one is kept."""
        self.shop = shop
        self._shelves = {"": MenuCatalog.of(shop.menu)}
        for name in ("sold out", "dearer", "few"):
            self._shelves[name] = _changed(self._shelves[""], name)
        kept = self._kept
        is_alike = shop.bundle.chart is kept.bundle.chart and shop.menu == kept.menu
        is_alike = is_alike and shop.bundle.flows.keys() == kept.bundle.flows.keys()
        self._open = self._lasting if is_alike else self._opened(shop)
        for rehearsal in self._open.values():
            rehearsal.bundle = shop.bundle

    def _opened(self, shop: Shop) -> dict[str, Rehearsal]:
        structures, menu = Structures(), MenuCatalog.of(shop.menu)
        return {
            world: Rehearsal(
                shop.bundle,
                menu,
                has_flows=world == "flows",
                has_native=world == "native",
                heard=self._heard,
                structures=structures,
            )
            for world in ("chat", "flows", "native")
        }

    async def play(self, stand: Stand, do: Do) -> Outcome | None:
        """Do something; None if that is not possible here."""
        if do[0] == "shelf":
            return Outcome(replace(stand, shelf=do[1]), [])
        if do[0] == "change":
            return Outcome(replace(stand, shelf="=".join((stand.shelf, *do[1:]))), [])
        rehearsal = self._open[stand.world]
        rehearsal.catalog = self._shelf(stand.shelf)
        with capture_logs() as logs:
            if do[0] == "wait":
                scenes, after = await rehearsal.wait(stand.moment, delay_of(do[1]))
            else:
                act = self._act(stand, do)
                if act is None:
                    return None
                scene = await rehearsal.play(stand.moment, act)
                scenes, after = [scene], scene.after
        noises = tuple(
            f"{log['event']}: {log.get('error') or log.get('raised')}"
            for log in logs
            if log["event"] in NOISES
        )
        newest = tuple(entry for scene in scenes for entry in scene.said)
        steps = [step for scene in scenes for step in scene.record.log.steps]
        said = tuple(str(step["say"]) for step in steps if "say" in step)
        event = scenes[-1].record.log.event if scenes else ""
        if not scenes:
            newest, said = stand.newest, stand.said
        made = Stand(stand.world, after, stand.shelf, newest, said, event)
        return Outcome(made, scenes, set(self._covered(stand, do, scenes)), noises)

    def _act(self, stand: Stand, do: Do) -> Act | None:
        kind, *words = do
        if kind == "say":
            return acts.says(words[0])
        if kind == "tap":
            found = ((e, c) for e, c in stand.choices if c.id == words[0])
            return next((acts.taps(choice, entry.id) for entry, choice in found), None)
        if kind in ("old", "press", "press old"):
            return self._tap(stand, kind, words[0])
        if kind == "send":
            return acts.sends(words[0]) if words[0] in acts.KINDS else None
        if kind == "place":
            return acts.shares(40.7, -74.0, "Home", "12 Mulberry Street, New York")
        if kind == "order":
            return self._order(stand, words[0])
        if kind == "cart":
            return self._cart(words[0])
        return self._end(stand, words[0])

    def _tap(self, stand: Stand, kind: str, wanted: str) -> Act | None:
        """Tap what was offered at any time, by its id, or as dialogs do by its title."""
        sent = list(stand.moment.sent.values())
        if kind == "press":
            sent.reverse()
        for entry in sent:
            for choice in choices(entry.payload):
                if choice.id == wanted or (kind != "old" and choice.title == wanted):
                    return acts.taps(choice, entry.id, is_old=kind != "press")
        return None

    def _cart(self, written: str) -> Act:
        currency = self.shop.bundle.tenant.currency
        lines = json.loads(written)
        items = tuple(NativeOrderItem(i, int(n), Decimal(p), currency) for i, n, p in lines)
        return acts.orders(items, CATALOG_ID)

    def _shelf(self, name: str) -> MenuCatalog:
        """Give the menu as it has become: changes of products are written in its name."""
        if name not in self._shelves:
            before, product, price, available = name.rsplit("=", 3)
            held = self._shelf(before)
            found = held.products.get(ProductId(product))
            if found is None:
                return held
            changed = replace(
                found,
                base_price=Decimal(price or found.base_price),
                is_available=available == "True" if available or not price else True,
            )
            products = {**held.products, found.id: changed}
            self._shelves[name] = MenuCatalog(held.categories, products)
        return self._shelves[name]

    def _order(self, stand: Stand, which: str) -> Act:
        products = list(self._shelf(stand.shelf).products.values())
        simple = [p for p in products if not p.is_customizable][:1]
        chosen = {
            "simple": simple,
            "sizes": [p for p in products if p.is_customizable][:2],
            "wrong": simple,
            "gone": [],
        }[which]
        items = tuple(
            NativeOrderItem(str(p.id), 2, p.base_price, self.shop.bundle.tenant.currency)
            for p in chosen
        ) or (NativeOrderItem("prod:gone", 1, Decimal(1), self.shop.bundle.tenant.currency),)
        return acts.orders(items, "999" if which == "wrong" else CATALOG_ID)

    def _end(self, stand: Stand, which: str) -> Act | None:
        """End the newest Flow, as its screens would."""
        opened = [s for s in stand.moment.sessions.values() if s.state == "open"]
        if not opened:
            return None
        session = opened[-1]
        if session.flow == "checkout":
            payment = next(iter(self.shop.bundle.tenant.payment_methods))
            params = {
                "type": which,
                "address": "12 Mulberry Street",
                "payment": payment,
                "notes": "",
            }
            return acts.ends_flow(session.id, params)
        product = self._shelf(stand.shelf).products.get(
            ProductId(str(session.input.get("product")))
        )
        return acts.ends_flow(session.id, _made_up(product) if product else {})

    # What happened ---------------------------------------------------------------------------

    def _covered(self, stand: Stand, do: Do, scenes: list[Scene]) -> Iterator[Covered]:
        chart = self.shop.bundle.chart
        for scene in scenes:
            language = scene.after.conversation.language if scene.after.conversation else ""
            for step in scene.record.log.steps:
                if "branch" in step:
                    yield "branch", "", *place_of(step["branch"])
                elif "state" in step and step["state"] in chart.states:
                    yield "state", "", *place_of(chart.states[step["state"]].where)
                elif "say" in step:
                    yield "message", language, *place_of(step["at"])
            yield from self._used(stand, do, scene, language)

    def _used(self, stand: Stand, do: Do, scene: Scene, language: str) -> Iterator[Covered]:
        event = scene.record.log.event
        if any(step.get("event") in FALLBACKS for step in scene.record.log.steps):
            return
        if do[0] == "say":
            for spoken in (language, *self.shop.bundle.tenant.languages):
                place = self.shop.phrase_places.get((spoken, event))
                if place and do[1] in self.shop.phrases[spoken][event]:
                    yield "phrases", spoken, *place
        if do[0] in ("tap", "press") and stand.moment.conversation:
            spoken = stand.moment.conversation.language
            for name in stand.said:
                message = self.shop.bundle.vocabulary(spoken).messages.get(name)
                for entry in message.entries() if message else ():
                    if entry.event == event:
                        yield "entry", spoken, *place_of(entry.where)


def parts_of(shop: Shop) -> set[Covered]:
    """Name every part of a shop that something can happen with."""
    chart = shop.bundle.chart
    found: set[Covered] = {("branch", "", *place_of(b.where)) for b in chart.all_branches()}
    found |= {("state", "", *place_of(state.where)) for state in chart.states.values()}
    for language, words in shop.bundle.vocabularies.items():
        for message in words.messages.values():
            found.add(("message", language, *place_of(message.where)))
            found |= {("entry", language, *place_of(e.where)) for e in message.entries()}
    return found | {("phrases", spoken, *at) for (spoken, _), at in shop.phrase_places.items()}


def _made_up(product: Product) -> dict[str, object]:
    modifiers = [m.id for group in product.groups for m in group.modifiers[: group.minimum]]
    sizes = product.presentations
    return {
        "product": product.id,
        "presentation": sizes[0].id if sizes else "",
        "modifiers": modifiers,
        "quantity": 1,
    }


def _changed(catalog: MenuCatalog, name: str) -> MenuCatalog:
    def changed(product: Product) -> Product:
        if name == "dearer":
            sizes = tuple(replace(s, price=s.price + 1) for s in product.presentations)
            return replace(product, base_price=product.base_price + 1, presentations=sizes)
        return replace(product, stock=0 if name == "sold out" else 1)

    products = {key: changed(product) for key, product in catalog.products.items()}
    return MenuCatalog(catalog.categories, products)
