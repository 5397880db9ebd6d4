"""A document held against its JSON Schema: each deviation becomes a problem with a place."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema

from engine.spec.problems import Problems, did_you_mean
from engine.spec.source import Path, Source

SchemaError = Any
# A jsonschema ValidationError: its fields are typed for every draft, ours are of one.


def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    """Make the validator of a schema."""
    return jsonschema.Draft202012Validator(schema)


def validate(source: Source, against: jsonschema.Draft202012Validator, problems: Problems) -> bool:
    """Note every deviation of a document from a schema; tell whether there is none."""
    fine = True
    for error in against.iter_errors(source.data):
        fine = False
        path: Path = tuple(error.absolute_path)
        _DESCRIBE.get(str(error.validator), _other)(source, path, error, problems)
    return fine


def _place(source: Source, path: Path, problems: Problems) -> Callable[..., None]:
    span = source.value_at(path) or source.at(path)
    while span is None and path:
        path = path[:-1]
        span = source.at(path) or source.value_at(path)

    def add(code: str, sentence: str, hint: str = "") -> None:
        problems.add(span or source.values[()], code, sentence, hint)

    return add


def _unknown_key(source: Source, path: Path, error: SchemaError, problems: Problems) -> None:
    known = error.schema.get("properties", {})
    for key in _extras(error):
        at = source.at((*path, key))
        hint = did_you_mean(key, known) or f"known here: {', '.join(known)}"
        code = "unknown-action" if _names_actions(path) else "unknown-key"
        problems.add(at or source.values[()], code, f"'{key}' is not known here", hint)


def _names_actions(path: Path) -> bool:
    """Tell whether the words at a place are actions: `do: x`, or an element of such a list."""
    return path[-1:] == ("do",) or (path[-2:-1] == ("do",) and isinstance(path[-1], int))


def _extras(error: SchemaError) -> Iterator[str]:
    known = error.schema.get("properties", {})
    yield from (key for key in error.instance if key not in known)


def _wrong_name(source: Source, path: Path, error: SchemaError, problems: Problems) -> None:
    # The failing instance is the key itself, one level below the mapping.
    span = source.at((*path, error.instance)) or source.values[()]
    problems.add(span, "wrong-name", f"'{error.instance}' is not a name", _shape(error))


def _shape(error: SchemaError) -> str:
    return shape(str(error.validator_value))


def shape(pattern: str) -> str:
    """Tell an author what a pattern wants."""
    return f"it must look like {_SHAPES.get(pattern, pattern)}"


_SHAPES = {
    r"^[A-Za-z][A-Za-z0-9_]*$": "a word of letters, digits and '_'",
    r"^[A-Z][A-Z_]*$": "SCREEN_NAME",
    r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$": "view_cart or refused.sold_out",
    r"^[1-9][0-9]{0,3}[smhd]$": "30m, 24h or 2d",
    r"^[a-z]{2}$": "en or es",
    r"^(\+?[0-9][0-9 ()./-]{5,24})?$": "+51 999 555 010",
    r"^[a-z]+$": "a word of small letters",
    r"^[a-z0-9_]{1,512}$": "cart_reminder",
    r"^[a-z][a-z0-9_]*$": "a word of small letters, digits and '_'",
    r"^[A-Z]{2}$": "US or PE",
    r"^[A-Z]{3}$": "USD or PEN",
    r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d$": "12:00-22:30",
    r"^[a-z]+:[A-Za-z0-9._-]{1,60}$": "cat:pizza",
    r"^https://": "https://example.com/picture.jpg",
}

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


def _type(source: Source, path: Path, error: SchemaError, problems: Problems) -> None:
    wanted = error.validator_value
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    said = " or ".join(_TYPES.get(n, n) for n in names)
    got = _TYPES[_type_of(error.instance)]
    _place(source, path, problems)("wrong-type", f"{_called(path)} must be {said}, this is {got}")


def _called(path: Path) -> str:
    """Name what is at a place by the last key that leads there."""
    return next((f"'{key}'" for key in reversed(path) if isinstance(key, str)), "the document")


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer"}
    return kinds.get(type(value), "number")


def _enum(source: Source, path: Path, error: SchemaError, problems: Problems) -> None:
    known = [str(v) for v in error.validator_value]
    word = str(error.instance)
    hint = did_you_mean(word, known) or f"known: {', '.join(known)}"
    code = "unknown-action" if _names_actions(path) else "unknown-value"
    _place(source, path, problems)(code, f"'{word}' is not known here", hint)


def _required(source: Source, path: Path, error: SchemaError, problems: Problems) -> None:
    missing = error.message.split("'")[1]
    span = source.at(path) or source.values[()]
    problems.add(span, "missing-key", f"'{missing}' is missing here")


def _pattern(source: Source, path: Path, error: SchemaError, problems: Problems) -> None:
    if error.parent is not None and error.parent.validator == "propertyNames":
        return
    if "propertyNames" in error.absolute_schema_path:
        _wrong_name(source, path, error, problems)
        return
    sentence = f"{_called(path)}: '{error.instance}'"
    _place(source, path, problems)("wrong-value", sentence, _shape(error))


def _other(source: Source, path: Path, error: SchemaError, problems: Problems) -> None:
    sentence = re.sub(r"\s+", " ", error.message)
    if len(sentence) > 160:
        sentence = f"{_called(path)} breaks '{error.validator}'"
    _place(source, path, problems)("wrong-value", sentence)


def _size(source: Source, path: Path, error: SchemaError, problems: Problems) -> None:
    length, limit = len(error.instance), error.validator_value
    unit = "characters" if isinstance(error.instance, str) else "elements"
    sentence = f"{_called(path)} has {length} {unit}, {limit} fit"
    if length < limit:
        sentence = f"{_called(path)} is empty" if length == 0 else f"{sentence} at least"
    _place(source, path, problems)("wrong-value", sentence)


def _one_action(source: Source, path: Path, error: SchemaError, problems: Problems) -> None:
    if error.schema.get("maxProperties") == 1 and error.schema.get("minProperties") == 1:
        sentence = f"one action per entry, this has {len(error.instance)}"
        _place(source, path, problems)("wrong-value", sentence, "write a list of actions")
        return
    _size(source, path, error, problems)


_DESCRIBE: dict[str, Callable[[Source, Path, SchemaError, Problems], None]] = {
    "additionalProperties": _unknown_key,
    "type": _type,
    "enum": _enum,
    "required": _required,
    "pattern": _pattern,
    "maxProperties": _one_action,
    "minProperties": _one_action,
    "minItems": _size,
    "maxItems": _size,
    "minLength": _size,
    "maxLength": _size,
}
