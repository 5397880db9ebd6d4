"""What the expressions of a screen may name, and whether they fit where they stand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from engine.errors import EngineError
from engine.whatsapp.flow_json.declarations import inner_type
from engine.whatsapp.flow_json.expressions import (
    BadExpression,
    Node,
    Reference,
    read_condition,
    read_value,
    references,
    type_of,
)
from engine.whatsapp.flow_json.faults import Faults, FlowFault, Pointer, did_you_mean
from engine.whatsapp.flow_json.properties import Kind, Property
from engine.whatsapp.flow_json.screens import Placed, ScreenJson
from engine.whatsapp.json_values import JsonObject, as_object

TYPES: Final[Mapping[Kind, tuple[str, ...]]] = {
    "text": ("string",),
    "texts": ("string", "array"),
    "boolean": ("boolean",),
    "integer": ("number",),
    "number": ("number",),
    "date": ("string",),
    "dates": ("array",),
    "array": ("array",),
    "image": ("string",),
    "color": ("string",),
    "url": ("string",),
    "object": ("object",),
    "objects": ("array",),
    "options": ("array",),
    "condition": ("boolean",),
    "switch": ("string", "number", "boolean"),
}
"""The types of data that fit a kind of property."""

_INPUT_TYPES: Final = {
    "one": "string", "many": "array", "text": "string", "flag": "boolean", "date": "string",
    "dates": "string", "media": "array",
}  # fmt: skip
_NUMERIC: Final = ("number", "passcode")


class Unknown(EngineError):
    """A name leads to nothing; holds the fault's code, sentence and hint."""

    def __init__(self, code: str, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that one screen knows.

    Args:
        screens: every screen of the Flow, by id.
    """

    screen: ScreenJson
    screens: Mapping[str, ScreenJson]

    def check_value(self, text: str, rule: Property, pointer: Pointer) -> Faults:
        """Check an expression that stands for the value of a property."""
        try:
            node = read_value(text)
        except BadExpression as error:
            hint = "to mix words and data write `'Words ' ${data.name}` with the backticks"
            yield FlowFault(pointer, "bad-expression", str(error), hint)
            return
        yield from self._check_node(node, TYPES.get(rule.kind, ()), pointer)
        if isinstance(node, Reference):
            yield from self._check_shape(node, rule, pointer)

    def check_condition(self, text: str, kind: Kind, pointer: Pointer) -> Faults:
        """Check the expression of an If or a Switch."""
        try:
            node = read_condition(text)
        except BadExpression as error:
            yield FlowFault(pointer, "bad-expression", str(error))
            return
        yield from self._check_node(node, TYPES[kind], pointer)

    def check_payload(self, text: str, wanted: tuple[str, ...], pointer: Pointer) -> Faults:
        """Check an expression in what an action sends; any type is well where none is wanted."""
        try:
            node = read_value(text)
        except BadExpression as error:
            yield FlowFault(pointer, "bad-expression", str(error))
            return
        yield from self._check_node(node, wanted, pointer)

    def _check_node(self, node: Node, wanted: tuple[str, ...], pointer: Pointer) -> Faults:
        faults = list(self._check_names(node, pointer))
        yield from faults
        if faults:
            return
        try:
            found = type_of(node, self._type_named)
        except BadExpression as error:
            yield FlowFault(pointer, "wrong-type", str(error))
            return
        if wanted and found and found not in wanted:
            sentence = f"this gives a {found}, a {' or a '.join(wanted)} is needed here"
            yield FlowFault(pointer, "wrong-type", sentence)

    def _check_names(self, node: Node, pointer: Pointer) -> Iterator[FlowFault]:
        for reference in references(node):
            try:
                self.declaration(reference)
            except Unknown as error:
                yield FlowFault(pointer, error.code, error.sentence, error.hint)

    def _type_named(self, reference: Reference) -> str | None:
        return inner_type(self.declaration(reference))

    def _check_shape(self, reference: Reference, rule: Property, pointer: Pointer) -> Faults:
        """Check that what is in a list or an object is declared as the property needs it."""
        try:
            declaration = self.declaration(reference)
        except Unknown:
            return
        if inner_type(declaration) not in TYPES[rule.kind]:
            return
        items = as_object(declaration.get("items"))
        if rule.kind in ("array", "dates") and inner_type(items) != "string":
            yield FlowFault(pointer, "wrong-type", f"{reference} is not declared to hold texts")
        yield from _missing_keys(declaration, rule, pointer, name=str(reference))

    def declaration(self, reference: Reference) -> JsonObject:
        """Find how a named value is declared; of an input, its type.

        Raises:
            Unknown: there is nothing of that name.
        """
        screen = self._screen_of(reference)
        if reference.store == "data":
            return _declared(screen.declarations, reference)
        placed = screen.inputs.get(reference.path[0])
        if placed is None or len(reference.path) > 1:
            hint = did_you_mean(reference.path[0], screen.inputs)
            sentence = f"{reference} names no input of the screen '{screen.id}'"
            raise Unknown("unknown-input", sentence, hint)
        return value_type(placed)

    def _screen_of(self, reference: Reference) -> ScreenJson:
        if reference.screen is None:
            return self.screen
        if reference.screen == self.screen.id:
            short = Reference(reference.store, reference.path)
            raise Unknown("unknown-data", f"{reference} is on this very screen", f"write {short}")
        found = self.screens.get(reference.screen)
        if found is None:
            hint = did_you_mean(reference.screen, self.screens)
            raise Unknown("unknown-data", f"there is no screen '{reference.screen}'", hint)
        return found


def value_type(placed: Placed) -> JsonObject:
    """Declare the value that an input puts into the form."""
    kind = placed.component.input if placed.component else None
    found = _INPUT_TYPES.get(kind or "", "string")
    if kind == "text" and placed.json.get("input-type") in _NUMERIC:
        found = "number"
    elif kind == "dates" and placed.json.get("mode") == "range":
        found = "object"
    return {"type": found}


def _declared(declarations: JsonObject, reference: Reference) -> JsonObject:
    first, *further = reference.path
    if first not in declarations:
        hint = did_you_mean(first, declarations)
        raise Unknown("unknown-data", f"{reference} is not in the data of the screen", hint)
    declaration = as_object(declarations[first])
    for key in further:
        properties = as_object(declaration.get("properties"))
        if inner_type(declaration) != "object" or key not in properties:
            hint = did_you_mean(key, properties)
            raise Unknown("unknown-data", f"{reference}: there is no '{key}' in it", hint)
        declaration = as_object(properties[key])
    return declaration


def _missing_keys(
    declaration: JsonObject, rule: Property, pointer: Pointer, *, name: str
) -> Faults:
    if rule.kind != "object":
        declaration = as_object(declaration.get("items"))
    declared = as_object(declaration.get("properties"))
    for key, inner in rule.properties.items():
        if key not in declared:
            if inner.is_required:
                sentence = f"'{key}' is missing in what {name} is declared to hold"
                yield FlowFault(pointer, "missing-key", sentence)
        elif inner_type(as_object(declared[key])) not in TYPES.get(inner.kind, ("object",)):
            sentence = f"'{key}' in {name} is not declared as WhatsApp needs it"
            yield FlowFault(pointer, "wrong-type", sentence)
        elif inner.properties:
            yield from _missing_keys(as_object(declared[key]), inner, pointer, name=name)
