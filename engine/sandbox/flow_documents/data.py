"""Meta's rules for the data a screen declares, and whether a value is as declared."""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.sandbox.envelope import JsonObject
from engine.sandbox.flow_documents.faults import Fault, Path, rooted, type_name
from engine.sandbox.flow_documents.screens import Screen

TYPES = ("string", "number", "boolean", "object", "array")
EXAMPLE = "__example__"


def data_faults(screen: Screen) -> Iterator[Fault]:
    """Say what is wrong with the data that a screen declares."""
    for name, declaration in screen.data.items():
        path = (*screen.path, "data", name)
        found = list(_declaration_faults(path, declaration, top=True))
        yield from found
        if not found:
            yield from _example_faults(path, declaration)


def misfit(value: Any, declaration: JsonObject, path: Path = ()) -> tuple[Path, str, str] | None:
    """Return where a value is not as declared, the type it should have and the one it has."""
    expected = declaration["type"]
    if type_name(value) != expected:
        return path, expected, type_name(value)
    for part, one, inner in _inner(value, declaration):
        found = misfit(one, inner, (*path, part))
        if found is not None:
            return found
    return None


def declared(screen: Screen, names: tuple[str, ...]) -> JsonObject | None:
    """Return the declaration of some data, of a property of it if there are more names."""
    declaration: JsonObject | None = screen.data.get(names[0])
    for name in names[1:]:
        if declaration is None:
            return None
        declaration = declaration.get("properties", {}).get(name)
    return declaration


def _inner(value: Any, declaration: JsonObject) -> Iterator[tuple[str | int, Any, JsonObject]]:
    """Give the parts of a value that are declared too; what is not declared may be there."""
    if isinstance(value, dict):
        properties: Mapping[str, JsonObject] = declaration.get("properties", {})
        yield from ((name, value[name], one) for name, one in properties.items() if name in value)
    elif isinstance(value, list) and isinstance(declaration["items"], dict):
        yield from ((index, one, declaration["items"]) for index, one in enumerate(value))


def _declaration_faults(path: Path, declaration: Any, *, top: bool) -> Iterator[Fault]:
    if not isinstance(declaration, dict):
        yield _fault(path, f"Expected '{rooted(path)}' to be an object with a property 'type'.")
        return
    if not top and EXAMPLE in declaration:
        message = (
            f"Property '{EXAMPLE}' is allowed only as a top level property of data model. "
            f"Invalid entry: '{rooted(path)}'."
        )
        yield _fault((*path, EXAMPLE), message)
    if "type" not in declaration:
        yield _fault(path, "Missing the definition of property 'type'.")
    elif not isinstance(declaration["type"], str):
        yield _fault((*path, "type"), "Expected the property 'type' to be of type string.")
    elif declaration["type"] not in TYPES:
        message = f"Value should be one of: [{', '.join(TYPES)}]."
        yield _fault((*path, "type"), message)
    else:
        yield from _parts_faults(path, declaration)


def _parts_faults(path: Path, declaration: JsonObject) -> Iterator[Fault]:
    """Say what is wrong with the declarations of an object's properties or an array's items."""
    if declaration["type"] == "array":
        yield from _items_faults(path, declaration)
    if declaration["type"] != "object":
        return
    properties = declaration.get("properties")
    if not isinstance(properties, dict):
        yield _fault(path, "Missing the schema for property 'properties' in object.")
        return
    for name, one in properties.items():
        if name == EXAMPLE:
            message = (
                f"Property '{EXAMPLE}' is allowed only as a top level property of data model. "
                f"Invalid entry: '{rooted((*path, 'properties'))}'."
            )
            yield _fault((*path, "properties", EXAMPLE), message)
        else:
            yield from _declaration_faults((*path, "properties", name), one, top=False)


def _items_faults(path: Path, declaration: JsonObject) -> Iterator[Fault]:
    items = declaration.get("items")
    if "items" not in declaration:
        yield _fault(path, "Missing the schema for property 'items' in array.")
    elif isinstance(items, dict):
        yield from _declaration_faults((*path, "items"), items, top=False)
    elif not isinstance(items, bool):
        message = "Expected the property 'items' to be of type boolean or object."
        yield _fault((*path, "items"), message)


def _example_faults(path: Path, declaration: JsonObject) -> Iterator[Fault]:
    if EXAMPLE not in declaration:
        message = f"Property '{EXAMPLE}' is missing in the data model of '{path[-1]}'."
        yield _fault(path, message)
        return
    found = misfit(declaration[EXAMPLE], declaration)
    if found is not None:
        where, expected, actual = found
        message = (
            f"Invalid data model schema. Expected property '{EXAMPLE}' to be of type {expected}, "
            f"but found {actual}."
        )
        yield _fault((*path, EXAMPLE, *where), message)


def _fault(path: Path, message: str) -> Fault:
    return Fault("INVALID_SCREEN_DATA", message, path)
