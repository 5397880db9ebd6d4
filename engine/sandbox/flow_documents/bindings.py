"""Meta's rules for what properties are bound to: it must exist and have the right type."""

from collections.abc import Iterator
from typing import Any

from engine.sandbox.envelope import JsonObject
from engine.sandbox.flow_documents.data import declared
from engine.sandbox.flow_documents.expressions import (
    BadExpression,
    Reference,
    Resolve,
    Type,
    condition_type,
    reference,
    type_of,
)
from engine.sandbox.flow_documents.faults import Fault, Path, listed, wrong_value
from engine.sandbox.flow_documents.screens import ACTION_PROPERTIES, Placed, Screen
from engine.sandbox.flow_documents.shapes import is_bound

# What is judged elsewhere, or is never bound.
APART = frozenset(
    {*ACTION_PROPERTIES, "type", "name", "pattern", "then", "else", "cases", "children"}
)
NEEDED = {
    "data-source": ("id", "title"),
    "list-items": ("id", "main-content"),
    "images": ("src", "alt-text"),
}


class Missing(BadExpression):
    """An expression refers to something that is not there."""

    def __init__(self, message: str, *, is_global: bool) -> None:
        super().__init__(message)
        self.is_global = is_global


class Names:
    """What expressions of a Flow JSON can refer to."""

    def __init__(self, screens: list[Screen]) -> None:
        self._screens = {screen.id: screen for screen in screens}
        self._inputs = {screen.id: screen.inputs() for screen in screens}

    def seen_from(self, screen: Screen) -> Resolve:
        """Return what gives the type of a reference on a screen, or raises Missing."""

        def resolve(wanted: Reference) -> Type:
            place = self._place(wanted, screen)
            if wanted.store == "form":
                return self._input_type(wanted, place)
            return self._data_type(wanted, place)

        return resolve

    def _place(self, wanted: Reference, screen: Screen) -> Screen:
        if wanted.screen is None:
            return screen
        if wanted.screen == screen.id:
            message = (
                f"Global dynamic data '{wanted.text}' used on screen '{screen.id}' is invalid "
                f"since screen '{screen.id}' represents current screen."
            )
            raise Missing(message, is_global=True)
        if wanted.screen not in self._screens:
            message = (
                f"Global dynamic data '{wanted.text}' used on screen '{screen.id}' is invalid "
                f"since screen '{wanted.screen}' is missing in the Flow JSON."
            )
            raise Missing(message, is_global=True)
        return self._screens[wanted.screen]

    def _input_type(self, wanted: Reference, place: Screen) -> Type:
        found = self._inputs[place.id].get(wanted.names[0])
        if found is None:
            message = f"Missing Form component {wanted.text} for screen '{place.id}'."
            raise Missing(message, is_global=wanted.screen is not None)
        if len(wanted.names) > 1 or found.body.get("input-type") == "number":
            return None
        return found.kind.value

    def _data_type(self, wanted: Reference, place: Screen) -> Type:
        declaration = declared(place, wanted.names)
        if declaration is None:
            message = (
                f"Missing dynamic data '{wanted.text}' in the data model for screen '{place.id}'."
            )
            raise Missing(message, is_global=wanted.screen is not None)
        found: str = declaration["type"]
        return found


def binding_faults(screens: list[Screen]) -> Iterator[Fault]:
    """Say what is wrong with what the properties of screens and components are bound to."""
    names = Names(screens)
    for screen in screens:
        resolve = names.seen_from(screen)
        title = screen.body.get("title")
        if is_bound(title):
            yield from _judge(title, (*screen.path, "title"), ("string",), resolve)
        for component in screen.components:
            yield from _component_faults(component, screen, resolve)


def bindings(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Give the bound strings in a value, except in actions, each with its path."""
    if is_bound(value):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name not in ACTION_PROPERTIES:
                yield from bindings(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from bindings(inner, (*path, index))


def _component_faults(component: Placed, screen: Screen, resolve: Resolve) -> Iterator[Fault]:
    fields = component.kind.fields
    for name, value in component.body.items():
        path = (*component.path, name)
        if name in APART:
            continue
        if (component.type, name) in (("If", "condition"), ("Switch", "value")):
            yield from _condition_faults(component, path, value, resolve)
        elif is_bound(value):
            property_ = fields.get(name) or fields[f"{name}?"]
            found = list(_judge(value, path, property_.takes, resolve))
            yield from found or _parts_faults(value, path, screen)
        else:
            for where, inner in bindings(value, path):
                yield from _judge(inner, where, (), resolve)


def _judge(value: str, path: Path, takes: tuple[str, ...], resolve: Resolve) -> Iterator[Fault]:
    try:
        found = type_of(value, resolve)
    except Missing as problem:
        error = "INVALID_SCREEN_DATA" if problem.is_global else "INVALID_SCREEN_DYNAMIC_DATA"
        yield Fault(error, str(problem), path)
    except BadExpression as problem:
        yield wrong_value(path, str(problem))
    else:
        if takes and found is not None and found not in takes:
            wanted = f"type '{takes[0]}'"
            if len(takes) > 1:
                wanted = f"one of these types: {listed(list(takes))}"
            message = f"Expected '{value}' to be of {wanted}, but it is of type '{found}'."
            yield Fault("INVALID_SCREEN_DYNAMIC_DATA", message, path)


def _condition_faults(
    component: Placed, path: Path, value: str, resolve: Resolve
) -> Iterator[Fault]:
    try:
        found = condition_type(value, resolve)
    except Missing as problem:
        error = "INVALID_SCREEN_DATA" if problem.is_global else "INVALID_SCREEN_DYNAMIC_DATA"
        yield Fault(error, str(problem), path)
    except BadExpression as problem:
        yield wrong_value(path, str(problem))
    else:
        if component.type == "If" and found not in ("boolean", None):
            yield wrong_value(path, "Expected single operand to be a boolean.")


def _parts_faults(value: str, path: Path, screen: Screen) -> Iterator[Fault]:
    """Want the items that a list shows declared with what it needs of each."""
    needed = NEEDED.get(str(path[-1]))
    if needed is None or value.startswith("`"):
        return
    wanted = reference(value)
    if wanted.screen is not None or wanted.store != "data":
        return
    declaration: JsonObject = declared(screen, wanted.names) or {}
    items = declaration.get("items")
    properties = items.get("properties", {}) if isinstance(items, dict) else {}
    for name in needed:
        if name not in properties:
            message = f"Data model schema is invalid for '{value}'. Missing schema for {name}."
            yield Fault("INVALID_SCREEN_DYNAMIC_DATA", message, path)
