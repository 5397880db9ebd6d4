"""A Flow rehearsed: a made-up customer walks through it, for its examples and its limits.

Each option of each choice is tried until every screen has been seen. What the screens showed is
the example in the Flow JSON, and is held against WhatsApp's limits: with an ordinary product, with
the largest one the Flow takes, and with every product of the tenant's own catalog.
"""

from collections import deque
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.domain.catalog import Product
from engine.errors import EngineError
from engine.flows.answers import events, extra, filled
from engine.flows.compile import compile_flow, input_names, sendable
from engine.flows.document import FlowJson
from engine.flows.exchange import Asked, Screens, Shown
from engine.flows.fit import misfit
from engine.flows.form import Data
from engine.flows.names import note_names, note_unloaded
from engine.flows.samples import fullest_product, margherita, plain_product, sample_turn
from engine.flows.stuck import decided, ways_there
from engine.spec.bundle import Bundle
from engine.spec.check_flow import EVENT, routes
from engine.spec.flow import Flow
from engine.spec.placed import placed
from engine.spec.problems import Problems, Span
from engine.whatsapp.flow_json.check import FlowFault, check_flow_json, check_screen_data

MOST_EXCHANGES = 200
"""Exchanges of one walk."""


@dataclass(slots=True)
class Rehearsal:
    """What a walk saw.

    Args:
        seen: the data of each screen, in the order they were shown first.
        shows: every showing, to be held against the limits.
        ended: the end was reached.
        ends: what the ends gave to the chat.
        faults: what went wrong on the way, behind the place where it is known.
        is_endless: nothing failed, and all the same the end was not reached.
        held: of each branch with a guard, whether it ever held.
        ways: by place, what may be wrong with the way to where it does not end.
    """

    seen: dict[str, Data] = field(default_factory=dict)
    shows: list[tuple[str, Data]] = field(default_factory=list)
    ended: bool = False
    ends: list[Data] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    is_endless: bool = False
    held: dict[str, bool] = field(default_factory=dict)
    ways: dict[str, str] = field(default_factory=dict)


async def compile_flows(
    bundle: Bundle, problems: Problems, screens: Screens | None = None
) -> tuple[FlowJson, ...]:
    """Make the Flow JSON of every Flow of a tenant in each of its languages.

    Args:
        problems: gets what breaks a limit of WhatsApp, at the place where it is written.
        screens: compiled structures that others use too.
    """
    made: list[FlowJson] = []
    shared = screens or Screens()
    for flow in bundle.flows.values():
        own = Problems()
        for language in bundle.tenant.languages:
            compiled = await _compiled(flow, bundle, language, own, shared)
            made += [compiled] if compiled else []
        note_names(flow, own)
        note_unloaded(flow, own)
        problems.found |= own.found
    return tuple(made)


async def _compiled(
    flow: Flow, bundle: Bundle, language: str, problems: Problems, screens: Screens
) -> FlowJson | None:
    walks = [
        await rehearse(screens, flow, bundle, language, product, is_thorough=place == 0)
        for place, product in enumerate(_products(flow))
    ]
    for told in dict.fromkeys(f for w in walks if not w.is_endless for f in w.faults):
        _note_failure(told, flow, problems)
    examples: dict[str, dict[str, list[Any]]] = {}
    for name, data in (show for walk in walks for show in walk.shows):
        held = examples.setdefault(name, {})
        for key, value in data.items():
            held.setdefault(key, []).append(value)
    made: FlowJson | None = None
    try:
        made = compile_flow(flow, bundle, language, examples)
    except EngineError as error:
        _note_failure(str(error), flow, problems)
    if made:
        faults = check_flow_json(made.document)
        _note((f for f in faults if not _is_guessed(f, made, examples.keys())), made, problems)
        for name, data in (show for walk in walks for show in walk.shows):
            _note(check_screen_data(made.document, name, data), made, problems, screen=name)
    if not problems.errors:
        # What is never reached for another reason is no mistake of its own.
        for told in dict.fromkeys(f for w in walks if w.is_endless for f in w.faults):
            _note_failure(told, flow, problems)
        for where, told in (way for walk in walks for way in walk.ways.items()):
            problems.warn(Span.of(where), "flow-fails", told)
        _note_unseen(flow, examples.keys(), walks, problems)
    return made


def _is_guessed(fault: FlowFault, made: FlowJson, seen: Container[str]) -> bool:
    """Tell whether a fault is of data that nobody has seen, so that its type is not known."""
    part, number = (*fault.pointer, None, None)[:2]
    if part != "screens" or not isinstance(number, int):
        return False
    is_seen = made.document["screens"][number]["id"] in seen
    return not is_seen and fault.code in ("wrong-type", "unknown-data")


def _note_failure(told: str, flow: Flow, problems: Problems) -> None:
    """Note what went wrong where it was written."""
    calls = [call.arguments for state in flow.chart.states.values() for call in state.calls]
    branches = [(b.error, b.condition, *(c.arguments for c in b.calls))
                for b in flow.chart.all_branches()]  # fmt: skip
    where, said = placed(told, flow.where, (flow.screens, calls, branches))
    problems.add(Span.of(where), "flow-fails", said)


def _note_unseen(
    flow: Flow, seen: Container[str], walks: list[Rehearsal], problems: Problems
) -> None:
    """Note screens that nobody came to, and the guards that kept him from them."""
    held: dict[str, bool] = {}
    for walk in walks:
        for where, holds in walk.held.items():
            held[where] = held.get(where, False) or holds
    for screen in flow.shown():
        if screen.id in seen:
            continue
        sentence = f"no choice of the sample customer leads to the screen '{screen.id}'"
        problems.add(Span.of(screen.where), "unreachable-state", sentence)
        for name in flow.screens:
            for branch, target in routes(flow, name):
                if target == screen.id and not held.get(branch.where, True):
                    sentence = f"it never held, so nobody comes to the screen '{screen.id}'"
                    problems.warn(Span.of(branch.where), "guard-never-holds", sentence)


def _products(flow: Flow) -> Iterator[Product]:
    yield margherita()
    if flow.takes:
        yield plain_product()
        yield fullest_product(flow.takes)


def _note(
    faults: Iterator[FlowFault], made: FlowJson, problems: Problems, *, screen: str | None = None
) -> None:
    for fault in faults:
        pointer = fault.pointer
        if screen is not None:
            ids = [s["id"] for s in made.document["screens"]]
            pointer = ("screens", ids.index(screen), "data", *pointer)
        problems.add(made.place_of(pointer), fault.code, fault.sentence, fault.hint)


async def misfits(
    bundle: Bundle,
    compiled: tuple[FlowJson, ...],
    products: Mapping[str, Product],
    problems: Problems,
    screens: Screens | None = None,
    *,
    is_known: bool = False,
) -> None:
    """Note which products of a tenant's catalog a Flow cannot show.

    Args:
        compiled: the tenant's Flows.
        is_known: another tenant's customers have walked through the same Flows with the same
            products.
        products: by the place of each in its file.
        problems: gets a warning for a product that is customized in the chat instead, and an
            error for one that breaks a limit in the Flow.
    """
    screens = screens or Screens()
    language = bundle.tenant.languages[0]
    for flow in bundle.flows.values():
        if flow.takes is None or all(made.flow != flow.id for made in compiled):
            continue
        document = next(made.document for made in compiled if made.flow == flow.id)
        telling = frozenset[str]() if is_known else _telling(products)
        for where, product in products.items():
            reason = misfit(flow, product)
            if reason:
                hint = "it is customized in the chat"
                problems.warn(Span.of(where), "not-in-flow", f"{flow.id}: {reason}", hint)
            elif where in telling:
                walk = await rehearse(screens, flow, bundle, language, product)
                faults = [f"{flow.id}: {fault}" for fault in walk.faults]
                for screen, data in walk.shows:
                    told = check_screen_data(document, screen, data)
                    faults += [f"{flow.id}, {screen}: {fault.sentence}" for fault in told]
                for sentence in dict.fromkeys(faults):
                    problems.add(Span.of(where), "flow-fails", sentence)


def _telling(products: Mapping[str, Product]) -> frozenset[str]:
    """Choose the products that are walked through a Flow, by their places.

    Of those with the same to choose the ones with the longest texts tell what the others would.
    """
    alike: dict[tuple[object, ...], list[str]] = {}
    for where, product in products.items():
        if product.is_customizable and not product.is_sold_out:
            groups = tuple(group.id for group in product.groups)
            alike.setdefault((groups, len(product.presentations)), []).append(where)
    return frozenset(
        max(places, key=lambda where: measure(products[where]))
        for places in alike.values()
        for measure in _MEASURES
    )


_MEASURES: tuple[Callable[[Product], Any], ...] = (
    lambda product: len(product.name),
    lambda product: len(product.description),
    lambda product: max((len(size.name) for size in product.presentations), default=0),
    lambda product: max((size.price for size in product.presentations), default=0),
)


async def rehearse(
    screens: Screens,
    flow: Flow,
    bundle: Bundle,
    language: str,
    product: Product,
    *,
    is_thorough: bool = False,
) -> Rehearsal:
    """Walk through a Flow with one product until its end, and through every screen if told so."""
    walk = Rehearsal()
    wanted = {screen.id for screen in flow.shown()} if is_thorough else set[str]()
    opened = {name: product.id for name, is_needed in flow.input.items() if is_needed}
    waiting: deque[tuple[Asked, dict[str, Any]]] = deque()
    waiting.append((Asked("INIT", None, {}, opened, ()), {}))
    came: dict[str, Shown] = {}
    stays: dict[str, Shown] = {}
    for _ in range(MOST_EXCHANGES):
        if not waiting or (walk.ended and wanted <= walk.seen.keys()):
            break
        asked, variables = waiting.popleft()
        turn = sample_turn(bundle, language, product)
        turn.conversation.variables = dict(variables)
        shown = await screens.show(flow, bundle, turn, asked)
        _note_steps(walk, shown)
        if shown.params is not None:
            walk.ended = True
            walk.ends.append(shown.params)
        if shown.screen is None:
            _note_stuck(walk, flow, shown, asked)
            continue
        walk.shows.append((shown.screen, sendable(shown.data)))
        if shown.screen in walk.seen:
            stays.setdefault(asked.screen or shown.screen, shown)
            continue
        came[shown.screen] = shown
        walk.seen[shown.screen] = shown.data
        form = screens.form(flow, shown.screen)
        following: list[tuple[Asked, dict[str, Any]]] = []
        for event in events(flow, shown.screen):
            for sent in filled(form, shown.data, list(input_names(flow.screens[shown.screen]))):
                payload = {EVENT: event, **sent, **extra(flow, shown)}
                again = Asked("data_exchange", shown.screen, payload, opened, shown.trail)
                following.append((again, shown.variables))
        # The first choices first, to the end; then the others.
        waiting.extendleft(reversed(following))
    if not walk.ended and not walk.faults:
        _note_endless(walk, flow, product, came, stays)
    return walk


def _note_steps(walk: Rehearsal, shown: Shown) -> None:
    """Note which guards held, and what could not be calculated."""
    for step in shown.steps:
        if "guard" in step:
            walk.held[step["guard"]] = walk.held.get(step["guard"], False) or step["holds"]
        if "failed" in step and step["failed"] not in walk.faults:
            walk.faults.append(step["failed"])


def _note_endless(
    walk: Rehearsal,
    flow: Flow,
    product: Product,
    came: Mapping[str, Shown],
    stays: Mapping[str, Shown],
) -> None:
    """Note that a Flow never ends, behind the place where it stays."""
    walk.is_endless = True
    sentence = f"with '{product.name}' the Flow never ends"
    last = next(reversed(walk.seen), None)
    if last is None:
        walk.faults.append(sentence)
    elif last in stays:
        where = decided(flow, stays[last])
        walk.faults.append(f"{where}: {sentence}: it stays on '{last}'")
        walk.ways |= ways_there(flow, came.get(last), stays[last])
    else:
        where = str(flow.places.at((*flow.screens[last].path, "layout")))
        walk.faults.append(f"{where}: {sentence}: nothing on '{last}' leads on")


def _note_stuck(walk: Rehearsal, flow: Flow, shown: Shown, asked: Asked) -> None:
    if shown.params is None and (shown.failure or asked.action == "INIT"):
        after = f" after '{asked.screen}'" if asked.screen else ""
        refused = f"{decided(flow, shown)}: {shown.error}"
        where, said = placed(shown.failure or refused, flow.where, ())
        walk.faults.append(f"{where}: it cannot go on{after}: {said}")
