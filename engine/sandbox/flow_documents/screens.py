"""Reads a Flow JSON whose shape is right: its screens and the components on them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine.sandbox.envelope import JsonObject
from engine.sandbox.flow_documents.components import COMPONENTS, Component
from engine.sandbox.flow_documents.faults import Path

ACTION_PROPERTIES = ("on-click-action", "on-select-action", "on-unselect-action")


@dataclass(frozen=True, slots=True)
class Placed:
    """A component where it stands.

    Args:
        around: the types of the components around it, the outermost first.
    """

    type: str
    body: JsonObject
    path: Path
    around: tuple[str, ...] = ()

    @property
    def kind(self) -> Component:
        """What Meta's reference says of its type."""
        return COMPONENTS[self.type]


@dataclass(frozen=True, slots=True)
class Action:
    """An action where it stands, and the component that it starts from."""

    name: str
    body: JsonObject
    path: Path
    source: Placed

    @property
    def payload(self) -> JsonObject:
        """What it hands over."""
        payload: JsonObject = self.body.get("payload", {})
        return payload


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen: its body, and all components on it, those within others too."""

    id: str
    body: JsonObject
    path: Path
    components: tuple[Placed, ...]

    @property
    def is_terminal(self) -> bool:
        """Tell whether the Flow can end here."""
        return self.body.get("terminal") is True

    @property
    def data(self) -> JsonObject:
        """The declarations of its data by name."""
        data: JsonObject = self.body.get("data", {})
        return data

    @property
    def top(self) -> Sequence[JsonObject]:
        """Its outermost components."""
        children: Sequence[JsonObject] = self.body["layout"]["children"]
        return children

    def inputs(self) -> dict[str, Placed]:
        """Return what the customer enters into, by name."""
        return {one.body["name"]: one for one in self.components if one.kind.is_input}

    def actions(self) -> Iterator[Action]:
        """Give the actions of its components, and of the options and items in them."""
        for component in self.components:
            yield from _actions(component, component.body, component.path)
            for name in ("data-source", "list-items"):
                items = component.body.get(name)
                for index, item in enumerate(items if isinstance(items, list) else ()):
                    yield from _actions(component, item, (*component.path, name, index))


def screens_of(document: JsonObject) -> list[Screen]:
    """Return the screens of a Flow JSON, in its order."""
    return [_screen(body, ("screens", index)) for index, body in enumerate(document["screens"])]


def branches(component: JsonObject) -> Iterator[tuple[Path, list[Any]]]:
    """Give the lists of components within a component, each with its path from there."""
    for name in ("children", "then", "else"):
        if name in component:
            yield (name,), component[name]
    for value, children in component.get("cases", {}).items():
        yield ("cases", value), children


def has_endpoint(document: JsonObject) -> bool:
    """Tell whether a Flow talks to the business while it is open."""
    return "data_api_version" in document


def _screen(body: JsonObject, path: Path) -> Screen:
    components = _placed(body["layout"]["children"], (*path, "layout", "children"), ())
    return Screen(body["id"], body, path, tuple(components))


def _placed(children: list[Any], path: Path, around: tuple[str, ...]) -> Iterator[Placed]:
    for index, body in enumerate(children):
        placed = Placed(body["type"], body, (*path, index), around)
        yield placed
        for within, inner in branches(body):
            yield from _placed(inner, (*placed.path, *within), (*around, placed.type))


def _actions(source: Placed, body: JsonObject, path: Path) -> Iterator[Action]:
    for name in ACTION_PROPERTIES:
        if name in body:
            yield Action(body[name]["name"], body[name], (*path, name), source)
