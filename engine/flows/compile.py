"""A Flow in one language -> Flow JSON 7.3: layout, data declarations, routing model, and places.

What WhatsApp allows is not decided here (`engine.whatsapp.flow_json`), nor what the screens show
as an example (`rehearsal`).
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from engine.flows.document import FlowJson, Pointer
from engine.flows.form import ChoiceGroups, choice_groups
from engine.rendering.messages import evaluate
from engine.rendering.views import tenant_view
from engine.spec.bundle import Bundle
from engine.spec.chart import Value
from engine.spec.check_flow import EVENT, routes
from engine.spec.flow import Flow, LayoutComponent, Screen
from engine.spec.problems import Span
from engine.spec.read_flow import CHOICE_GROUPS
from engine.whatsapp.flow_json.components import COMPONENTS

VERSION = "7.3"
"""The Flow JSON version Meta recommends (flows/changelogs)."""
DATA_API = "4.0"
"""The data API version Meta recommends (flows/changelogs)."""

Json = dict[str, Any]
Examples = Mapping[str, Mapping[str, list[Any]]]
"""What each screen has shown, by screen and name, groups spread; the first is the example."""


def compile_flow(flow: Flow, bundle: Bundle, language: str, examples: Examples) -> FlowJson:
    """Make the Flow JSON of a Flow.

    Args:
        language: one of the tenant's.
        examples: of every screen; a name without one is declared as a text.

    Raises:
        RenderFailed: a text of the layout cannot be rendered.
    """
    writer = _Writer(flow, bundle, language)
    screens = [
        writer.screen(screen, place, examples.get(screen.id, {}))
        for place, screen in enumerate(flow.shown())
    ]
    document: Json = {
        "version": VERSION,
        "data_api_version": DATA_API,
        "routing_model": routing_model(flow),
        "screens": screens,
    }
    return FlowJson(flow.id, language, document, writer.places, flow.categories)


def routing_model(flow: Flow) -> dict[str, list[str]]:
    """Tell which screens each screen may be followed by."""
    model: dict[str, list[str]] = {}
    for screen in flow.shown():
        targets = dict.fromkeys(target for _, target in routes(flow, screen.id))
        model[screen.id] = [t for t in targets if t in flow.screens and not flow.is_end(t)]
    return model


def is_terminal(flow: Flow, screen: str) -> bool:
    """Tell whether a Flow can end after a screen."""
    return any(t in flow.screens and flow.is_end(t) for _, t in routes(flow, screen))


class _Writer:
    """Writes one document and notes where its parts came from."""

    def __init__(self, flow: Flow, bundle: Bundle, language: str) -> None:
        self.flow = flow
        self.places: dict[Pointer, Span] = {(): Span.of(flow.where)}
        self.context: Json = {
            "tenant": tenant_view(bundle.tenant, language),
            "terms": bundle.vocabulary(language).terms,
            "language": language,
            "locale": bundle.tenant.locale(language),
        }

    def screen(self, screen: Screen, place: int, example: Mapping[str, list[Any]]) -> Json:
        """Write a screen."""
        here: Pointer = ("screens", place)
        where = Span.of(screen.where)
        self.places |= {here: where, (*here, "title"): Span.of(screen.title.where)}
        self.places[("routing_model", screen.id)] = where
        made: Json = {
            "id": screen.id,
            "title": " ".join(screen.title.render(self.context).split()),
        }
        if is_terminal(self.flow, screen.id):
            made["terminal"] = True
        if screen.refresh_on_back:
            made["refresh_on_back"] = True
        made["data"] = self._declarations(screen, example)
        inputs = list(input_names(screen))
        children = self._components(screen.layout, inputs, (*here, "layout", "children"))
        made["layout"] = {"type": "SingleColumnLayout", "children": children}
        for key in made["data"]:
            self.places[(*here, "data", key)] = self._data_place(screen, key)
        return made

    def _data_place(self, screen: Screen, key: str) -> Span:
        """Find where a name of the data is written; that of a group's part is the groups'."""
        for part in screen.components():
            if key not in screen.data and part.type == CHOICE_GROUPS:
                groups = choice_groups(part).source
                key = groups if key.startswith(f"{groups}_") else key
        return self.flow.places.at((*screen.path, "data", key))

    def _declarations(self, screen: Screen, example: Mapping[str, list[Any]]) -> Json:
        names = [*example, *(name for name in screen.data if name not in example)]
        groups = {choice_groups(c).source for c in screen.components() if c.type == CHOICE_GROUPS}
        made: Json = {}
        for name in names:
            if name not in groups:
                shown = example.get(name, ["–"])
                made[name] = _declared(shown) | {"__example__": sendable(shown[0])}
        return made

    def _components(
        self, parts: tuple[LayoutComponent, ...], inputs: list[str], here: Pointer
    ) -> list[Json]:
        made: list[Json] = []
        for part in parts:
            if part.type == CHOICE_GROUPS:
                for component in _groups(choice_groups(part)):
                    self.places[(*here, len(made))] = Span.of(part.where)
                    made.append(component)
                continue
            place: Pointer = (*here, len(made))
            made.append(self._component(part, inputs, place))
        return made

    def _component(self, part: LayoutComponent, inputs: list[str], here: Pointer) -> Json:
        self.places[here] = Span.of(part.where)
        self.places[(*here, "type")] = self.flow.places.value_at((*part.path, "type"))
        made: Json = {"type": part.type}
        known = COMPONENTS.get(part.type)
        if known and known.input and "name" not in part.properties:
            made["name"] = part.id
        for key, value in part.properties.items():
            made[key] = sendable(evaluate(value, self.context))
            self.places[(*here, key)] = self.flow.places.value_at((*part.path, key))
        if part.event:
            payload = {EVENT: part.event} | {name: f"${{form.{name}}}" for name in inputs}
            action = {"name": "data_exchange", "payload": payload | dict(part.payload)}
            made[_trigger(part)] = action
            self._place_event(part, (*here, _trigger(part)))
        for holder, parts in part.inside.items():
            below = (*here, holder) if part.type != "Switch" else (*here, "cases", holder)
            children = self._components(parts, inputs, below)
            if part.type == "Switch":
                made.setdefault("cases", {})[holder] = children
            else:
                made[holder] = children
        return made

    def _place_event(self, part: LayoutComponent, here: Pointer) -> None:
        self.places[here] = self.flow.places.value_at((*part.path, "event"))
        for name in part.payload:
            place = self.flow.places.value_at((*part.path, "payload", name))
            self.places[(*here, "payload", name)] = place


def _trigger(part: LayoutComponent) -> str:
    """Name the action of a component that may ask our endpoint."""
    known = COMPONENTS.get(part.type)
    is_tapped = known is None or "on-click-action" in known.properties
    return "on-click-action" if is_tapped else "on-select-action"


def input_names(screen: Screen) -> Iterator[str]:
    """Name the inputs of a screen as they are sent."""
    for part in screen.components():
        known = COMPONENTS.get(part.type)
        if part.type == CHOICE_GROUPS:
            groups = choice_groups(part)
            for place in range(1, groups.groups + 1):
                yield from (groups.one(place), groups.many(place))
        elif known and known.input:
            yield part.name


def _groups(groups: ChoiceGroups) -> Iterator[Json]:
    """Write the radio buttons and the check boxes of each group; one of them is visible."""
    for place in range(1, groups.groups + 1):

        def data(part: str, place: int = place) -> str:
            return f"${{data.{groups.key(place, part)}}}"

        yield {
            "type": "RadioButtonsGroup",
            "name": groups.one(place),
            "label": data("label"),
            "data-source": data("options"),
            "required": data("must_one"),
            "visible": data("is_single"),
        }
        yield {
            "type": "CheckboxGroup",
            "name": groups.many(place),
            "label": data("label"),
            "data-source": data("options"),
            "required": data("must_several"),
            "visible": data("is_several"),
            "min-selected-items": data("minimum"),
            "max-selected-items": data("maximum"),
        }


def _declared(shown: list[Any]) -> Json:
    """Declare data by what it looked like: type, and everything that was ever in it."""
    first = shown[0]
    if isinstance(first, bool):
        return {"type": "boolean"}
    if isinstance(first, (int, float, Decimal)):
        return {"type": "number"}
    if isinstance(first, list):
        elements = [e for one in shown if isinstance(one, list) for e in one]
        return {"type": "array", "items": _declared(elements) if elements else {"type": "string"}}
    if isinstance(first, Mapping):
        parts: dict[str, list[Any]] = {}
        for one in shown:
            for key, value in one.items() if isinstance(one, Mapping) else ():
                parts.setdefault(key, []).append(value)
        return {"type": "object", "properties": {k: _declared(v) for k, v in parts.items()}}
    return {"type": "string"}


def sendable(value: Value) -> Any:
    """Give a value as it is sent: amounts as numbers."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return {str(key): sendable(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [sendable(part) for part in value]
    return value
