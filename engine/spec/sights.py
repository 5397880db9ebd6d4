"""Sights: every text and guard of a chart, a message or a Flow, with the shapes of what it reads.

What is wrong with them is told by the `check_*` modules; nothing is judged here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from engine.spec.chart import Branch, Call, Chart, Value
from engine.spec.check import calls_of, templates_in
from engine.spec.flow import Flow, LayoutComponent, Repeat
from engine.spec.message import Entry, Message
from engine.spec.read_flow import CHOICE_GROUPS
from engine.spec.shapes import EVENT, SHAPES, Lacking, Many, Record, Shape, shape_at
from engine.templating.language import Expression, Text
from engine.whatsapp.flow_json.components import COMPONENTS

Shapes = Mapping[str, Shape]
SUBMIT: Final = "submit"
"""The event of a Flow's request that names none."""
_FLOW: Final = "flow."


@dataclass(frozen=True, slots=True)
class Sight:
    """A text or guard, and the shapes of the variables it may read.

    Args:
        event: the one in whose branch it stands, or nothing.
    """

    template: Text | Expression
    shapes: Shapes
    event: str = ""


def shapes_of(*charts: Chart) -> dict[str, Shape]:
    """Give the shapes of what a chart's texts read; what authors note may be anything."""
    calls = (call for chart in charts for call in calls_of(chart))
    own = (name for call in calls if call.verb.takes_any for name in call.arguments)
    return {**SHAPES, **dict.fromkeys(own)}


# Charts ------------------------------------------------------------------------------------------


def chat_shapes(chart: Chart, flows: Mapping[str, Flow]) -> dict[str, Shape]:
    """Give the shapes of what texts of a chat read, whatever the event is."""
    given = {name: None for flow in flows.values() for name in ends_with(flow)}
    shapes = shapes_of(chart, *(flow.chart for flow in flows.values()))
    return shapes | {"event": Record({**given, **EVENT.parts})}


def chart_sights(chart: Chart, flows: Mapping[str, Flow]) -> Iterator[Sight]:
    """Give the texts and guards of a chart."""
    shapes = chat_shapes(chart, flows)
    for state in chart.states.values():
        yield from _of_calls(state.calls, shapes)
    events = [*chart.anywhere.items()]
    events += [one for state in chart.states.values() for one in state.branches()]
    for event, branches in events:
        known = shapes
        flow = flows.get(event.removeprefix(_FLOW)) if event.startswith(_FLOW) else None
        if flow:
            known = shapes | {"event": _end_of(flow)}
        for branch in branches:
            yield from _of_branch(branch, known, event)


def _end_of(flow: Flow) -> Record:
    """Give the shape of the event that the end of a Flow is."""
    return Record({"name": None, "response": None, **ends_with(flow)})


def ends_with(flow: Flow) -> Mapping[str, Shape]:
    """Give what the ends of a Flow give to the chat, by name."""
    shapes = flow_shapes(flow)
    return {
        name: _shape_of(value, shapes)
        for screen in flow.screens.values()
        for name, value in (screen.params or {}).items()
    }


def _of_branch(branch: Branch, shapes: Shapes, event: str) -> Iterator[Sight]:
    for template in (branch.condition, branch.error):
        if template:
            yield Sight(template, shapes, event)
    yield from _of_calls(branch.calls, shapes, event)


def _of_calls(calls: tuple[Call, ...], shapes: Shapes, event: str = "") -> Iterator[Sight]:
    for call in calls:
        yield from _of_value(dict(call.arguments), shapes, event)


def _of_value(value: Value, shapes: Shapes, event: str = "") -> Iterator[Sight]:
    if isinstance(value, (Text, Expression)):
        yield Sight(value, shapes, event)
    elif isinstance(value, Repeat):
        yield Sight(value.each, shapes, event)
        yield from _of_value(value.item, _each(value.each, shapes), event)
    elif isinstance(value, (Mapping, list)):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _of_value(part, shapes, event)


def _each(each: Expression, shapes: Shapes) -> Shapes:
    """Give the shapes within `each`: there `item` is an element of the list."""
    through = _shape_of(each, shapes)
    return {**shapes, "item": through.of if isinstance(through, Many) else None}


def _shape_of(value: Value, shapes: Shapes) -> Shape:
    """Give the shape of what a text or guard gives, as far as it can be told."""
    path = value.reading.value if isinstance(value, Expression) else None
    shape = shape_at(path, shapes) if path else None
    return None if isinstance(shape, Lacking) else shape


# Messages ----------------------------------------------------------------------------------------


def message_sights(message: Message, shapes: Shapes) -> Iterator[Sight]:
    """Give the texts and guards of a message."""
    repeated: set[int] = set()
    for entry in message.entries():
        if entry.each:
            parts = [part for part in _of_entry(entry) if part is not None]
            repeated |= {id(part) for part in parts}
            within = _each(entry.each, shapes)
            yield from (Sight(part, within) for part in parts)
    for template in templates_in(message):
        if id(template) not in repeated:
            yield Sight(template, shapes)


def _of_entry(entry: Entry) -> tuple[Text | Expression | None, ...]:
    return entry.title, entry.description, entry.argument, entry.id, entry.condition


# Flows -------------------------------------------------------------------------------------------


def flow_shapes(flow: Flow) -> dict[str, Shape]:
    """Give the shapes of what texts of a Flow read, whatever the event is."""
    shapes = shapes_of(flow.chart) | {"input": Record(dict.fromkeys(flow.input))}
    sent = {name: None for screen in flow.screens for name in inputs(flow, screen)}
    return shapes | {"event": Record({**EVENT.parts, **sent})}


def flow_sights(flow: Flow) -> Iterator[Sight]:
    """Give the texts and guards of a Flow."""
    shapes = flow_shapes(flow)
    for branches in flow.chart.anywhere.values():
        for branch in branches:
            yield from _of_branch(branch, shapes, "")
    for name, screen in flow.screens.items():
        state = flow.chart.states[name]
        yield Sight(screen.title, shapes)
        yield from _of_calls(state.calls, shapes)
        for value in (screen.data, screen.params, *(c.properties for c in screen.components())):
            yield from _of_value(value, shapes)
        sent = {SUBMIT, *(part.event for part in screen.components() if part.event)}
        given = inputs(flow, name)
        for event, branches in state.branches():
            known = given if event in sent else {**EVENT.parts, **given}
            within = {**shapes, "event": Record({"name": None, **known})}
            for branch in branches:
                yield from _of_branch(branch, within, event if event in sent else "")


def inputs(flow: Flow, screen: str) -> Mapping[str, Shape]:
    """Give what a screen sends with its events, by name."""
    found: dict[str, Shape] = {}
    for component in flow.screens[screen].components():
        found |= {name: _chosen(flow, screen, component, name) for name in sent_by(component)}
    return found


def sent_by(component: LayoutComponent) -> Iterator[str]:
    """Name what a component adds to the events of its screen."""
    known = COMPONENTS.get(component.type)
    if component.type == CHOICE_GROUPS or (known and known.input):
        yield component.name
    yield from component.payload


def _chosen(flow: Flow, screen: str, component: LayoutComponent, name: str) -> Shape:
    """Give the shape of what is chosen: the id of one of the options."""
    source = component.properties.get("data-source")
    held = source.source if isinstance(source, Text) else source
    if not isinstance(held, str) or name != component.name:
        return None
    data = flow.screens[screen].data.get(held.removeprefix("${data.").removesuffix("}"))
    if not isinstance(data, Repeat) or not isinstance(data.item, Mapping):
        return None
    return _shape_of(data.item.get("id"), _each(data.each, shapes_of(flow.chart)))
