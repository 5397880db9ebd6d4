"""A Flow rehearsed: a made-up customer walks through it, for its examples and its limits.

Each option of each choice is tried until every screen has been seen. What the screens showed is
the example in the Flow JSON, and is held against WhatsApp's limits: with an ordinary product, with
the largest one the Flow takes, and with every product of the tenant's own catalog.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.domain.catalog import Product
from engine.errors import EngineError
from engine.flows.compile import compile_flow, input_names, sendable
from engine.flows.document import FlowJson
from engine.flows.exchange import Asked, Screens, Shown
from engine.flows.fit import misfit
from engine.flows.form import Data, Form, Input, written
from engine.flows.samples import fullest_product, margherita, plain_product, sample_turn
from engine.spec.bundle import Bundle
from engine.spec.check_flow import EVENT
from engine.spec.model import Flow
from engine.spec.problems import Problems, Span
from engine.whatsapp.flow_json.check import FlowFault, check_flow_json, check_screen_data

MOST_EXCHANGES = 200
"""Exchanges of one walk."""
MOST_TRIES = 3
"""Options of one choice that are tried."""


@dataclass(slots=True)
class Rehearsal:
    """What a walk saw.

    Args:
        seen: the data of each screen, in the order they were shown first.
        shows: every showing, to be held against the limits.
        ended: the end was reached.
        ends: what the ends gave to the chat.
        faults: what went wrong on the way.
    """

    seen: dict[str, Data] = field(default_factory=dict)
    shows: list[tuple[str, Data]] = field(default_factory=list)
    ended: bool = False
    ends: list[Data] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


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
        for language in bundle.tenant.languages:
            compiled = await _compiled(flow, bundle, language, problems, shared)
            made += [compiled] if compiled else []
    return tuple(made)


async def _compiled(
    flow: Flow, bundle: Bundle, language: str, problems: Problems, screens: Screens
) -> FlowJson | None:
    where = Span.of(flow.where)
    walks = [
        await rehearse(screens, flow, bundle, language, product, is_thorough=place == 0)
        for place, product in enumerate(_products(flow))
    ]
    for told in dict.fromkeys(fault for walk in walks for fault in walk.faults):
        problems.add(where, "flow-fails", told)
    examples: dict[str, dict[str, list[Any]]] = {}
    for name, data in (show for walk in walks for show in walk.shows):
        held = examples.setdefault(name, {})
        for key, value in data.items():
            held.setdefault(key, []).append(value)
    for screen in flow.shown():
        if screen.id not in examples and not problems.errors:
            sentence = f"no choice of the sample customer leads to the screen '{screen.id}'"
            problems.add(Span.of(screen.where), "unreachable-state", sentence)
    try:
        made = compile_flow(flow, bundle, language, examples)
    except EngineError as error:
        problems.add(where, "flow-fails", str(error))
        return None
    _note(check_flow_json(made.document), made, problems)
    for name, data in (show for walk in walks for show in walk.shows):
        _note(check_screen_data(made.document, name, data), made, problems, screen=name)
    return made


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
    for _ in range(MOST_EXCHANGES):
        if not waiting or (walk.ended and wanted <= walk.seen.keys()):
            break
        asked, variables = waiting.popleft()
        turn = sample_turn(bundle, language, product)
        turn.conversation.variables = dict(variables)
        shown = await screens.show(flow, bundle, turn, asked)
        if shown.params is not None:
            walk.ended = True
            walk.ends.append(shown.params)
        if shown.screen is None:
            _note_stuck(walk, shown, asked)
            continue
        walk.shows.append((shown.screen, sendable(shown.data)))
        if shown.screen in walk.seen:
            continue
        walk.seen[shown.screen] = shown.data
        form = screens.form(flow, shown.screen)
        following: list[tuple[Asked, dict[str, Any]]] = []
        for event in _events(flow, shown.screen):
            for sent in _filled(form, shown.data, list(input_names(flow.screens[shown.screen]))):
                payload = {EVENT: event, **sent, **_extra(flow, shown)}
                again = Asked("data_exchange", shown.screen, payload, opened, shown.trail)
                following.append((again, shown.variables))
        # The first choices first, to the end; then the others.
        waiting.extendleft(reversed(following))
    if not walk.ended and not walk.faults:
        walk.faults.append(f"with '{product.name}' the Flow never ends")
    return walk


def _note_stuck(walk: Rehearsal, shown: Shown, asked: Asked) -> None:
    if shown.params is None and (shown.failure or asked.action == "INIT"):
        place = f" after '{asked.screen}'" if asked.screen else ""
        walk.faults.append(f"it cannot go on{place}: {shown.failure or shown.error}")


def _events(flow: Flow, screen: str) -> list[str]:
    events = [part.event for part in flow.screens[screen].components() if part.event]
    return list(dict.fromkeys(events))


def _extra(flow: Flow, shown: Shown) -> Data:
    """Fill what is sent beside the inputs from the data it is taken from."""
    made: Data = {}
    for part in flow.screens[shown.screen or ""].components():
        for name, source in part.payload.items():
            key = source.removeprefix("${data.").removesuffix("}")
            made[name] = shown.data.get(key)
    return made


def _filled(form: Form, data: Data, names: list[str]) -> Iterator[Data]:
    """Fill a form in several ways: each with another option of one choice."""
    choices = {name: options for name in names if (options := _choices(form, data, name))}
    first = {name: options[0] for name, options in choices.items()}
    yield first
    for name, options in choices.items():
        for other in options[1:MOST_TRIES]:
            yield first | {name: other}


def _choices(form: Form, data: Data, name: str) -> list[Any]:
    for part in form.inputs:
        if part.name == name:
            return _of_kind(part, _ids(data, part.source))
    for groups in form.groups:
        for place in range(1, groups.groups + 1):
            ids = _ids(data, groups.key(place, "options"))
            if name == groups.one(place) and data.get(groups.key(place, "is_single")):
                return ids
            if name == groups.many(place) and data.get(groups.key(place, "must_several")):
                return [ids[: data[groups.key(place, "minimum")]]]
    return []


def _of_kind(part: Input, ids: list[str]) -> list[Any]:
    if part.kind == "one":
        return ids
    if part.kind == "many":
        return [ids[:1]] if ids else []
    if part.kind == "text":
        return ["1" if part.longest < len(_ADDRESS) else _ADDRESS]
    return _SAMPLES.get(part.kind, [])


_ADDRESS = "12 Mulberry Street"
_DAY = "2030-06-15"
_SAMPLES: Mapping[str, list[Any]] = {
    "flag": [True],
    "date": [_DAY],
    "dates": [_DAY, {"start-date": _DAY, "end-date": _DAY}],
    "media": [[{"file_name": "picture.jpg", "mime_type": "image/jpeg"}]],
}


def _ids(data: Data, source: Any) -> list[str]:
    options = data.get(source) if isinstance(source, str) else source
    if not isinstance(options, (list, tuple)):  # such as one text in the place of a list
        return []
    return [written(o.get("id")) for o in options if isinstance(o, dict)]
