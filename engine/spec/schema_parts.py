"""The words of which the schemas are made; a mistake is named by them and not "none of these"."""

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

ID = r"^[A-Za-z][A-Za-z0-9_]*$"
EVENT = r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$"


def mapping(properties: Mapping[str, Any], *, about: str = "", **more: Any) -> Schema:
    """A mapping that has these keys and no others."""
    schema: Schema = {"type": "object", "properties": dict(properties)}
    schema["additionalProperties"] = False
    return schema | ({"description": about} if about else {}) | more


def part(properties: Mapping[str, Any], **more: Any) -> Schema:
    """A part that overlays lie over: each of its entries may be deleted with null."""
    return mapping({name: or_null(schema) for name, schema in properties.items()}, **more)


def by_id(key: str, value: Schema, about: str = "") -> Schema:
    """A mapping with ids; in an overlay an entry may be deleted with null."""
    schema: Schema = {
        "type": "object",
        "propertyNames": {"pattern": key},
        "additionalProperties": or_null(value),
    }
    return schema | ({"description": about} if about else {})


def or_null(value: Schema) -> Schema:
    """A value that an overlay may delete."""
    return {"if": {"type": "null"}, "then": True, "else": value}


def if_type(kind: str, then: Schema, otherwise: Schema) -> Schema:
    """One schema for values of a type, another for all others."""
    return {"if": {"type": kind}, "then": then, "else": otherwise}


def text(about: str = "") -> Schema:
    """A text."""
    return {"type": "string", "description": about} if about else {"type": "string"}


def ref(name: str) -> Schema:
    """A part of the document's schema that has a name."""
    return {"$ref": f"#/$defs/{name}"}
