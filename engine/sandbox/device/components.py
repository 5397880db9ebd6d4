"""The components of a screen as they stand when it is shown; not what a person sees of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from engine.sandbox.device.expressions import Scope, evaluate, resolve, truth, written
from engine.sandbox.envelope import JsonObject
from engine.sandbox.flow_documents.components import COMPONENTS
from engine.sandbox.flow_documents.screens import branches

NOTHING: Mapping[str | None, object] = MappingProxyType(
    {"string": "", "boolean": False, "array": [], None: ""}
)
# What an input holds as long as nobody gave it anything.
EMPTY: Mapping[str, object] = MappingProxyType(
    {name: NOTHING[kind.value] for name, kind in COMPONENTS.items() if kind.is_input}
)
FOOTER = "Footer"
ONE_OF_MANY = frozenset({"RadioButtonsGroup", "Dropdown"})
SOME_OF_MANY = frozenset({"CheckboxGroup", "ChipsSelector"})


@dataclass(frozen=True, slots=True)
class Component:
    """A component with its properties resolved, but for what its actions send."""

    type: str
    properties: JsonObject

    @property
    def name(self) -> str:
        """Return the name under which the form holds its value."""
        return str(self.properties.get("name", ""))

    @property
    def label(self) -> str:
        """Return what is written on it or above it."""
        return str(self.properties.get("label") or self.properties.get("text") or "")

    @property
    def is_input(self) -> bool:
        """Tell whether a person gives it a value."""
        return self.type in EMPTY

    @property
    def is_enabled(self) -> bool:
        """Tell whether it can be used."""
        return truth(self.properties.get("enabled", True))

    @property
    def is_required(self) -> bool:
        """Tell whether the form cannot be sent without it."""
        return truth(self.properties.get("required", False))

    @property
    def options(self) -> list[JsonObject]:
        """Return what it offers to choose from; entries of a list have their `main-content`."""
        if self.type == "NavigationList":
            items = _objects(self.properties.get("list-items"))
            return [one | _mapping(one.get("main-content")) for one in items]
        return _objects(self.properties.get("data-source"))

    def option(self, wanted: object) -> JsonObject | None:
        """Return an option by its id, or else by its title."""
        for key in ("id", "title"):
            for one in self.options:
                if one.get(key) == wanted:
                    return one
        return None

    @property
    def initial(self) -> object:
        """Return what it holds when it is shown for the first time."""
        given = self.properties.get("init-value")
        return EMPTY[self.type] if given is None else given

    @property
    def press_name(self) -> str | None:
        """Return the name under which it can be pressed; entries of a list have their ids."""
        if "on-click-action" not in self.properties or self.type == "NavigationList":
            return None
        return FOOTER if self.type == FOOTER else self.name or self.label

    def has_lost(self, value: object) -> bool:
        """Tell whether something is chosen that is not offered any more."""
        offered = [one.get("id") for one in self.options]
        chosen = _as_list(value) if value else []
        return bool(offered) and any(one not in offered for one in chosen)


def shown(children: Iterable[JsonObject], scope: Scope) -> Iterator[Component]:
    """Return the components that are visible, in order."""
    for child in children:
        if child["type"] == "If":
            holds = truth(evaluate(child["condition"], scope))
            yield from shown(child.get("then" if holds else "else") or (), scope)
        elif child["type"] == "Switch":
            cases = child["cases"]
            case = written(evaluate(child["value"], scope))
            yield from shown(cases.get(case, cases.get("default")) or (), scope)
        elif child["type"] == "Form":
            yield from _in_form(child, scope)
        else:
            component = Component(child["type"], resolve(child, scope, actions=False))
            if truth(component.properties.get("visible", True)):
                yield component


def empty_form(children: Iterable[JsonObject]) -> dict[str, object]:
    """Return what the inputs hold at first, also those that are not shown."""
    form: dict[str, object] = {}
    for child in children:
        if child["type"] in EMPTY:
            form[child["name"]] = EMPTY[child["type"]]
        for _, branch in branches(child):
            form |= empty_form(branch)
    return form


def actions_of_choice(component: Component, before: object, after: object) -> list[JsonObject]:
    """Return what is to be done: for what is not chosen any more, for what is, for the input."""
    old, new = _as_list(before), _as_list(after)
    left = [one for one in component.options if one["id"] in old and one["id"] not in new]
    taken = [one for one in component.options if one["id"] in new and one["id"] not in old]
    own = "on-select-action" if after else "on-unselect-action"
    actions = [
        *(one.get("on-unselect-action") for one in left),
        *(one.get("on-select-action") for one in taken),
        component.properties.get(own),
    ]
    return [one for one in actions if one is not None]


def pressed(components: Iterable[Component], wanted: str) -> tuple[Component, JsonObject] | None:
    """Return the component that carries a button, a link or an entry of a list, and its action."""
    for component in components:
        action = component.properties.get("on-click-action")
        if component.type == "NavigationList":
            entry = component.option(wanted)
            action = None if entry is None else entry.get("on-click-action", action)
        elif wanted not in (component.press_name, component.label):
            action = None
        if action is not None:
            return component, action
    return None


def _in_form(form: JsonObject, scope: Scope) -> Iterator[Component]:
    given = {
        prop: _mapping(resolve(form.get(f"{prop}s"), scope))
        for prop in ("init-value", "error-message")
    }
    for component in shown(form["children"], scope):
        of_form = {
            prop: values[component.name]
            for prop, values in given.items()
            if component.name in values
        }
        yield Component(component.type, of_form | component.properties)


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _objects(value: object) -> list[JsonObject]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
