"""A document held against its JSON Schema: each deviation becomes a problem with a place."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from engine.spec.problems import Problems, did_you_mean
from engine.spec.source import Path, Source


class Validator:
    """Holds documents against one schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._validator = jsonschema_rs.Draft202012Validator(schema)

    def deviations(self, data: Any) -> Iterator["Deviation"]:
        """Give what is different in a document.

        Args:
            data: of mappings, lists, texts, numbers and nothing else.
        """
        for error in self._validator.iter_errors(data):
            *within, keyword = error.schema_path
            schema = _at(self._schema, within)
            path = _path(data, error.instance_path, error.instance)
            if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.PropertyNames):
                key = str(error.kind.error.instance)
                told = str(keyword), (*path, key), key, schema, error.message
                yield Deviation(*told, is_key=True)
            else:
                yield Deviation(str(keyword), path, error.instance, schema, error.message)


@dataclass(frozen=True, slots=True)
class Deviation:
    """A part of a document that its schema refuses.

    Args:
        keyword: of the schema that refuses it.
        schema: in which the keyword stands.
        is_key: it is the key of a mapping, not its value.
    """

    keyword: str
    path: Path
    instance: Any
    schema: Any
    message: str
    is_key: bool = False

    @property
    def wanted(self) -> Any:
        """Give what the keyword says."""
        return self.schema.get(self.keyword)


def _at(value: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        value = value[step]
    return value


def _path(data: Any, steps: Sequence[str | int], instance: Any) -> Path:
    """Give a path as its keys are written: the library leaves out empty ones, and counts `"0"`."""
    path: list[str | int] = []
    for step in steps:
        while isinstance(data, dict) and str(step) not in data and "" in data:
            path, data = [*path, ""], data[""]
        path.append(str(step) if isinstance(data, dict) else step)
        data = data[path[-1]]
    while isinstance(data, dict) and data != instance and "" in data:
        path, data = [*path, ""], data[""]
    return tuple(path)


def validate(source: Source, against: Validator, problems: Problems) -> bool:
    """Note every deviation of a document from a schema; tell whether there is none."""
    fine = True
    for one in against.deviations(source.data):
        fine = False
        _DESCRIBE.get(one.keyword, _other)(source, one, problems)
    return fine


def _place(source: Source, one: Deviation, problems: Problems) -> Callable[..., None]:
    path = one.path
    span = source.at(path) if one.is_key else source.value_at(path) or source.at(path)
    while span is None and path:
        path = path[:-1]
        span = source.at(path) or source.value_at(path)

    def add(code: str, sentence: str, hint: str = "") -> None:
        problems.add(span or source.values[()], code, sentence, hint)

    return add


def _unknown_key(source: Source, one: Deviation, problems: Problems) -> None:
    known = one.schema.get("properties", {})
    for key in _extras(one):
        at = source.at((*one.path, key))
        hint = did_you_mean(key, known) or f"known here: {', '.join(known)}"
        code = "unknown-action" if _names_actions(one.path) else "unknown-key"
        problems.add(at or source.values[()], code, f"'{key}' is not known here", hint)


def _names_actions(path: Path) -> bool:
    """Tell whether the words at a place are actions: `do: x`, or an element of such a list."""
    return path[-1:] == ("do",) or (path[-2:-1] == ("do",) and isinstance(path[-1], int))


def _extras(one: Deviation) -> Iterator[str]:
    known = one.schema.get("properties", {})
    yield from (key for key in one.instance if key not in known)


def _shape(one: Deviation) -> str:
    return shape(str(one.wanted))


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


def _type(source: Source, one: Deviation, problems: Problems) -> None:
    wanted = one.wanted
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    said = " or ".join(_TYPES.get(n, n) for n in names)
    got = _TYPES[_type_of(one.instance)]
    _place(source, one, problems)(
        "wrong-type", f"{_called(one.path)} must be {said}, this is {got}"
    )


def _called(path: Path) -> str:
    """Name what is at a place by the last key that leads there."""
    return next((f"'{key}'" for key in reversed(path) if isinstance(key, str)), "the document")


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer"}
    return kinds.get(type(value), "number")


def _enum(source: Source, one: Deviation, problems: Problems) -> None:
    known = [str(v) for v in one.wanted]
    word = str(one.instance)
    hint = did_you_mean(word, known) or f"known: {', '.join(known)}"
    code = "unknown-action" if _names_actions(one.path) else "unknown-value"
    _place(source, one, problems)(code, f"'{word}' is not known here", hint)


def _required(source: Source, one: Deviation, problems: Problems) -> None:
    span = source.at(one.path) or source.values[()]
    for missing in one.wanted:
        if missing not in one.instance:
            problems.add(span, "missing-key", f"'{missing}' is missing here")


def _pattern(source: Source, one: Deviation, problems: Problems) -> None:
    if one.is_key:
        sentence = f"'{one.instance}' is not a name"
        _place(source, one, problems)("wrong-name", sentence, _shape(one))
        return
    sentence = f"{_called(one.path)}: '{one.instance}'"
    _place(source, one, problems)("wrong-value", sentence, _shape(one))


def _other(source: Source, one: Deviation, problems: Problems) -> None:
    sentence = re.sub(r"\s+", " ", one.message)
    if len(sentence) > 160:
        sentence = f"{_called(one.path)} breaks '{one.keyword}'"
    _place(source, one, problems)("wrong-value", sentence)


def _size(source: Source, one: Deviation, problems: Problems) -> None:
    length, limit = len(one.instance), one.wanted
    unit = "characters" if isinstance(one.instance, str) else "elements"
    sentence = f"{_called(one.path)} has {length} {unit}, {limit} fit"
    if length < limit:
        sentence = f"{_called(one.path)} is empty" if length == 0 else f"{sentence} at least"
    _place(source, one, problems)("wrong-value", sentence)


def _one_action(source: Source, one: Deviation, problems: Problems) -> None:
    if one.schema.get("maxProperties") == 1 and one.schema.get("minProperties") == 1:
        sentence = f"one action per entry, this has {len(one.instance)}"
        _place(source, one, problems)("wrong-value", sentence, "write a list of actions")
        return
    _size(source, one, problems)


_DESCRIBE: dict[str, Callable[[Source, Deviation, Problems], None]] = {
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
