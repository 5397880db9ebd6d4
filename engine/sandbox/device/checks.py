"""Is an answer of the endpoint right? What WhatsApp checks before it shows a screen.

The limits of the components are those of `flow_document_components`: what flows in from an answer
must be as right as what stands in the document.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from engine.sandbox.device.components import Component
from engine.sandbox.envelope import JsonObject
from engine.sandbox.flow_documents.components import COMPONENTS
from engine.sandbox.flow_documents.data import misfit
from engine.sandbox.flow_documents.faults import Version, dotted
from engine.sandbox.flow_documents.routing import entry_screens, routes_of
from engine.sandbox.flow_documents.shapes import record

SCHEMA = "payload-schema-error"
TRANSITION = "invalid-screen-transition"
# These say something; other texts may be there and empty.
SAYS_SOMETHING = frozenset({"id", "label", "name", "src", "text", "title"})


class BadAnswer(Exception):
    """WhatsApp cannot show what it got.

    Args:
        key: what the error notification calls it.
        sentence: what is wrong.
    """

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(sentence)
        self.key = key
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Move:
    """From where to where an answer leads.

    Args:
        action: of the request: INIT, data_exchange or BACK; or the client's own `navigate`.
        trail: the screens the person has come along, the current one last.
        target: the screen that is to be shown.
    """

    action: str
    trail: Sequence[str]
    target: str


def screen_of(document: JsonObject, name: str) -> JsonObject:
    """Return a screen of a Flow.

    Raises:
        BadAnswer: it has no such screen.
    """
    for screen in document["screens"]:
        if screen["id"] == name:
            found: JsonObject = screen
            return found
    raise BadAnswer(TRANSITION, f"There is no screen {name!r}")


def check_move(document: JsonObject, move: Move) -> None:
    """Check that a screen may be shown now.

    Raises:
        BadAnswer: it may not.
    """
    if not move.trail:
        if move.target not in entry_screens(document):
            sentence = f"The first screen cannot be {move.target}: other screens lead to it"
            raise BadAnswer(TRANSITION, sentence)
        return
    *passed, current = move.trail
    routes = routes_of(document)
    allowed = list(routes.get(current, ()))
    if move.action == "BACK":
        # Going back is going along a route the other way.
        allowed = [one for one in passed if current in routes.get(one, ())]
    refreshed = [] if move.action == "navigate" else [current]
    if move.target not in (*refreshed, *allowed):
        raise BadAnswer(
            TRANSITION,
            f"{move.action} cannot lead from {current} to {move.target}: the routing model allows "
            f"{', '.join(allowed) or 'no screen'}",
        )


def check_data(screen: JsonObject, data: JsonObject) -> None:
    """Check the data of a screen against what the screen declares.

    Raises:
        BadAnswer: a key is missing, of the wrong type or null.
    """
    fault = next(_data_faults(screen, data), None)
    if fault is not None:
        raise BadAnswer(SCHEMA, f"{screen['id']}: {fault}")


def check_components(
    screen: JsonObject, components: Iterable[Component], version: Version
) -> None:
    """Check what is about to be shown against the limits of the components.

    Args:
        version: of the Flow JSON.

    Raises:
        BadAnswer: something is too long, too many, missing or not a picture.
    """
    for component in components:
        fault = next(_component_faults(component, version), None)
        if fault is not None:
            named = f"{component.type} {component.name}".rstrip()
            raise BadAnswer(SCHEMA, f"{screen['id']}: {named}: {fault}")


def version_of(document: JsonObject) -> Version:
    """Return the version of a Flow JSON."""
    major, minor = document["version"].split(".")
    return int(major), int(minor)


def _data_faults(screen: JsonObject, data: JsonObject) -> Iterator[str]:
    declared = screen.get("data")
    yield from _nulls("data", data)
    given = [key for key in data if key != "error_message"]
    if declared is None and given:
        yield f"the screen declares no data but gets {', '.join(given)}"
    for key, declaration in (declared or {}).items():
        if key not in data:
            yield f"data.{key} is missing"
        elif (found := misfit(data[key], declaration, ("data", key))) is not None:
            path, expected, actual = found
            yield f"{dotted(path)} must be of type {expected}, it is of type {actual}"


def _nulls(path: str, value: object) -> Iterator[str]:
    if value is None:
        yield f"{path} is null"
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _nulls(f"{path}.{key}", one)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _nulls(f"{path}[{index}]", one)


def _component_faults(component: Component, version: Version) -> Iterator[str]:
    fields = COMPONENTS[component.type].fields
    body = _without_blanks(component.properties)
    del body["type"]
    for fault in record(fields, owner=component.type).check(version, (), body):
        yield f"{dotted(fault.path)}: {fault.message}" if fault.path else fault.message
    ids = [str(one["id"]) for one in component.options]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        yield f"the ids of the options must differ, there are two {', '.join(twice)}"
    least = component.properties.get("min-selected-items", 0)
    if least > component.properties.get("max-selected-items", least):
        yield "min-selected-items is more than max-selected-items"


def _without_blanks(value: JsonObject) -> JsonObject:
    """Leave out the texts that say nothing and need not."""
    left: JsonObject = {}
    for key, one in value.items():
        if isinstance(one, str) and not one.strip() and key not in SAYS_SOMETHING:
            continue
        is_list = isinstance(one, list)
        left[key] = [_plain(part) for part in one] if is_list else _plain(one)
    return left


def _plain(value: object) -> object:
    return _without_blanks(value) if isinstance(value, dict) else value
