"""The screens of a Flow JSON and the components on them, wherever they are nested.

The document may be any JSON value: what is not as it should be is left out here, not told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.whatsapp.flow_json.components import COMPONENTS, Component
from engine.whatsapp.flow_json.faults import Pointer, elements
from engine.whatsapp.json_values import JsonObject, as_object, as_text

_DEEPEST: Final = 12  # Form, three Ifs and a Switch are five


@dataclass(frozen=True, slots=True)
class Placed:
    """A component on a screen.

    Args:
        inside: the components that hold it with the property or case it is in, outermost first.
    """

    pointer: Pointer
    json: JsonObject
    inside: tuple[tuple["Placed", str], ...] = ()

    @property
    def type(self) -> str:
        """Give its type; "" if it has none."""
        return as_text(self.json.get("type")) or ""

    @property
    def component(self) -> Component | None:
        """Give what is known of its type."""
        return COMPONENTS.get(self.type)

    @property
    def name(self) -> str:
        """Give the name of an input; "" if it has none."""
        return as_text(self.json.get("name")) or ""

    @property
    def is_input(self) -> bool:
        """Tell whether it puts a value into the screen's form."""
        return self.component is not None and self.component.input is not None

    def is_inside(self, *types: str) -> bool:
        """Tell whether a component of one of these types holds it, at any distance."""
        return any(box.type in types for box, _ in self.inside)

    def at(self, *keys: str | int) -> Pointer:
        """Point into it."""
        return (*self.pointer, *keys)

    def branches(self) -> Iterator[tuple[str, Pointer, object]]:
        """Give the lists of components it may hold: property or case, where, and what is there."""
        for key in ("children", "then", "else"):
            if key in self.json and self.type in ("Form", "If"):
                yield key, self.at(key), self.json[key]
        if self.type == "Switch":
            for case, parts in as_object(self.json.get("cases")).items():
                yield case, self.at("cases", case), parts


@dataclass(frozen=True, slots=True)
class ScreenJson:
    """A screen.

    Args:
        components: all of them, outer before inner, from top to bottom.
        inputs: the first of each name.
    """

    index: int
    json: JsonObject
    components: tuple[Placed, ...] = ()
    inputs: Mapping[str, Placed] = field(default_factory=dict)

    @classmethod
    def read(cls, index: int, json: JsonObject) -> "ScreenJson":
        """Find the components of a screen."""
        pointer = ("screens", index, "layout", "children")
        children = as_object(json.get("layout")).get("children")
        components = tuple(_walk(children, pointer, ()))
        inputs: dict[str, Placed] = {}
        for placed in components:
            if placed.is_input and placed.name:
                inputs.setdefault(placed.name, placed)
        return cls(index, json, components, inputs)

    @property
    def id(self) -> str:
        """Give its id; "" if it has none."""
        return as_text(self.json.get("id")) or ""

    @property
    def is_terminal(self) -> bool:
        """Tell whether the Flow may end on it."""
        return self.json.get("terminal") is True

    @property
    def declarations(self) -> JsonObject:
        """Give the declarations of its data."""
        return as_object(self.json.get("data"))

    def at(self, *keys: str | int) -> Pointer:
        """Point into it."""
        return ("screens", self.index, *keys)


def _walk(
    parts: object, pointer: Pointer, inside: tuple[tuple[Placed, str], ...]
) -> Iterator[Placed]:
    if len(inside) > _DEEPEST:
        return
    for index, part in enumerate(elements(parts)):
        if not isinstance(part, dict):
            continue
        placed = Placed((*pointer, index), part, inside)
        yield placed
        for branch, below, inner in placed.branches():
            yield from _walk(inner, below, (*inside, (placed, branch)))


def read_screens(document: JsonObject) -> tuple[ScreenJson, ...]:
    """Give the screens of a Flow JSON."""
    return tuple(
        ScreenJson.read(index, json)
        for index, json in enumerate(elements(document.get("screens")))
        if isinstance(json, dict)
    )


def read_screen(document: JsonObject, screen: str) -> ScreenJson | None:
    """Give one screen without looking into the others."""
    for index, json in enumerate(elements(document.get("screens"))):
        if isinstance(json, dict) and json.get("id") == screen:
            return ScreenJson.read(index, json)
    return None
