"""How the data of a screen is declared, and whether values are as declared."""

from collections.abc import Mapping
from typing import Final

from engine.whatsapp.flow_json.faults import Faults, FlowFault, Pointer, did_you_mean, wrong_type
from engine.whatsapp.json_values import JsonObject, as_object

ANSWER_MESSAGE: Final = "error_message"
"""The key of an answer that needs no declaration: a message shown below the screen."""

_WANTED: Final[Mapping[str, str]] = {
    "string": "a text",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a group of keys",
}
_TAKES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (dict,),
}
_EXAMPLE: Final = "__example__"
_RESERVED: Final = "required"  # Meta's validator takes it for a list of names


def check_declarations(declarations: object, pointer: Pointer) -> Faults:
    """Check the `data` of a screen."""
    if not isinstance(declarations, dict):
        yield wrong_type(declarations, "a group of keys", pointer=pointer, name="data")
        return
    for key, declaration in declarations.items():
        below = (*pointer, key)
        if not is_name(key) or key == _RESERVED:
            sentence = f"'{key:.60}' cannot be the name of data"
            yield FlowFault(below, "unknown-value", sentence, "use letters, digits and _")
        yield from _check_declaration(declaration, below, name=key)
        if not isinstance(declaration, dict):
            continue
        if _EXAMPLE not in declaration:
            yield FlowFault(below, "missing-key", f"'{_EXAMPLE}' of '{key}' is missing")
        else:
            example = declaration[_EXAMPLE]
            yield from check_value(example, declaration, pointer=(*below, _EXAMPLE), name=key)


def is_name(text: str) -> bool:
    """Tell whether an expression can name something so."""
    return text.isascii() and text.isidentifier()


def _check_declaration(declaration: object, pointer: Pointer, *, name: str) -> Faults:
    if not isinstance(declaration, dict):
        yield wrong_type(declaration, "a declaration", pointer=pointer, name=name)
        return
    declared = declaration.get("type")
    if declared is None:
        yield FlowFault(pointer, "missing-key", f"'type' of '{name}' is missing")
    elif not isinstance(declared, str) or declared not in _WANTED:
        yield _unknown_type(declared, (*pointer, "type"))
    elif declared == "array":
        yield from _check_items(declaration, pointer, name=name)
    elif declared == "object":
        yield from _check_keys(declaration, pointer, name=name)


def _unknown_type(declared: object, pointer: Pointer) -> FlowFault:
    if not isinstance(declared, str):
        return wrong_type(declared, "a text", pointer=pointer, name="type")
    hint = did_you_mean(declared, _WANTED) or f"one of {', '.join(_WANTED)}"
    return FlowFault(pointer, "unknown-value", f"'{declared:.60}' is no type of data", hint)


def _check_items(declaration: JsonObject, pointer: Pointer, *, name: str) -> Faults:
    if "items" not in declaration:
        yield FlowFault(pointer, "missing-key", f"'items' of the list '{name}' is missing")
    else:
        yield from _check_inner(declaration["items"], (*pointer, "items"), name=name)


def _check_keys(declaration: JsonObject, pointer: Pointer, *, name: str) -> Faults:
    if "properties" not in declaration:
        yield FlowFault(pointer, "missing-key", f"'properties' of '{name}' is missing")
        return
    below = (*pointer, "properties")
    properties = declaration["properties"]
    if not isinstance(properties, dict):
        yield wrong_type(properties, "a group of keys", pointer=below, name="properties")
        return
    for key, inner in properties.items():
        yield from _check_inner(inner, (*below, key), name=key)


def _check_inner(declaration: object, pointer: Pointer, *, name: str) -> Faults:
    yield from _check_declaration(declaration, pointer, name=name)
    if _EXAMPLE in as_object(declaration):
        sentence = f"'{_EXAMPLE}' stands beside the name of the data only"
        yield FlowFault((*pointer, _EXAMPLE), "unknown-property", sentence)


def check_value(value: object, declaration: JsonObject, *, pointer: Pointer, name: str) -> Faults:
    """Check a value against its declaration; null is told elsewhere."""
    declared = declaration.get("type")
    if value is None or not isinstance(declared, str) or declared not in _TAKES:
        return
    if not is_of(value, declared):
        yield wrong_type(value, _WANTED[declared], pointer=pointer, name=name)
    elif isinstance(value, list | tuple):
        items = as_object(declaration.get("items"))
        for index, part in enumerate(value):
            yield from check_value(part, items, pointer=(*pointer, index), name=name)
    elif isinstance(value, dict):
        yield from _check_object(value, declaration.get("properties"), pointer)


def _check_object(value: JsonObject, properties: object, pointer: Pointer) -> Faults:
    if not isinstance(properties, dict):
        return
    for key, part in value.items():
        below = (*pointer, key)
        if key not in properties:
            hint = did_you_mean(key, properties)
            yield FlowFault(below, "unknown-data", f"'{key:.60}' is not declared", hint)
        else:
            inner = as_object(properties[key])
            yield from check_value(part, inner, pointer=below, name=key)


def is_of(value: object, declared: str) -> bool:
    """Tell whether a value is of a declared type."""
    is_boolean = isinstance(value, bool)
    return isinstance(value, _TAKES[declared]) and is_boolean == (declared == "boolean")


def inner_type(declaration: JsonObject) -> str | None:
    """Give the declared type; None if there is no such type."""
    declared = declaration.get("type")
    return declared if isinstance(declared, str) and declared in _TAKES else None
