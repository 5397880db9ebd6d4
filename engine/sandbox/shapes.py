"""The words in which rules about JSON are written: a shape tells what is wrong with a value.

Not a JSON Schema: codes and details are Meta's. Complaints come lazily and Meta names the first,
so what is checked later may rely on what was checked before.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from engine.sandbox.envelope import Complaint

Shape = Callable[[str, Any], Iterator[Complaint]]

INVALID = 100
MISSING = 131008
NOT_VALID = 131009


def text(most: int | None = None, *, like: str | None = None) -> Shape:
    """Want a string that is not empty, of at most so many code points, like a pattern."""

    def check(path: str, value: Any) -> Iterator[Complaint]:
        if not isinstance(value, str):
            yield Complaint(INVALID, f"Param {path} must be a string")
        elif not value:
            yield Complaint(NOT_VALID, f"Param {path} must not be empty")
        elif most is not None and len(value) > most:
            yield Complaint(
                NOT_VALID,
                f"Param {path} must be at most {most} characters long, it has {len(value)}",
            )
        elif like is not None and re.fullmatch(like, value, re.DOTALL) is None:
            yield Complaint(NOT_VALID, f"Param {path} is not valid: it must be like {like}")

    return check


def one_of(*values: str) -> Shape:
    """Want one of these strings."""

    def check(path: str, value: Any) -> Iterator[Complaint]:
        if value not in values:
            yield Complaint(NOT_VALID, f"Param {path} must be one of {{{', '.join(values)}}}")

    return check


def number(least: float, most: float) -> Shape:
    """Want a number between two bounds, as a number or, as Meta's samples have it, as a string."""

    def check(path: str, value: Any) -> Iterator[Complaint]:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            yield Complaint(INVALID, f"Param {path} must be a number")
            return
        try:
            inside = least <= float(value) <= most
        except ValueError:
            yield Complaint(INVALID, f"Param {path} must be a number")
            return
        if not inside:
            yield Complaint(NOT_VALID, f"Param {path} must be between {least} and {most}")

    return check


def integer(least: int, most: int) -> Shape:
    """Want a whole number between two bounds."""

    def check(path: str, value: Any) -> Iterator[Complaint]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield Complaint(INVALID, f"Param {path} must be an integer")
        elif not least <= value <= most:
            yield Complaint(NOT_VALID, f"Param {path} must be between {least} and {most}")

    return check


def flag(path: str, value: Any) -> Iterator[Complaint]:
    """Want true or false."""
    if not isinstance(value, bool):
        yield Complaint(INVALID, f"Param {path} must be a boolean")


def string(path: str, value: Any) -> Iterator[Complaint]:
    """Want a string, perhaps an empty one."""
    if not isinstance(value, str):
        yield Complaint(INVALID, f"Param {path} must be a string")


def mapping(*, least: int = 0) -> Shape:
    """Want an object with any keys, at least so many."""

    def check(path: str, value: Any) -> Iterator[Complaint]:
        if not isinstance(value, dict):
            yield Complaint(INVALID, f"Param {path} must be an object")
        elif len(value) < least:
            yield Complaint(NOT_VALID, f"Param {path} must not be empty")

    return check


def each(shape: Shape, *, most: int | None = None, least: int = 1) -> Shape:
    """Want an array of such values, with so many elements."""

    def check(path: str, value: Any) -> Iterator[Complaint]:
        if not isinstance(value, list):
            yield Complaint(INVALID, f"Param {path} must be an array")
            return
        if len(value) < least:
            yield Complaint(
                NOT_VALID, f"Param {path} must have at least {least} elements, it has {len(value)}"
            )
        if most is not None and len(value) > most:
            yield Complaint(
                NOT_VALID, f"Param {path} must have at most {most} elements, it has {len(value)}"
            )
        for index, element in enumerate(value):
            yield from shape(f"{path}[{index}]", element)

    return check


def shape(fields: Mapping[str, Shape], *conditions: Shape, closed: bool = True) -> Shape:
    """Want an object with these fields, where `name?` may be absent; when closed, with no others.

    Conditions see the whole object once its fields are right.
    """
    shapes = {name.removesuffix("?"): field for name, field in fields.items()}
    required = [name for name in fields if not name.endswith("?")]

    def check(path: str, value: Any) -> Iterator[Complaint]:
        if not isinstance(value, dict):
            yield Complaint(INVALID, f"Param {path} must be an object")
            return
        unexpected = [name for name in value if closed and name not in shapes]
        yield from (
            Complaint(INVALID, f'Unexpected key "{n}" on param {path}') for n in unexpected
        )
        absent = [name for name in required if value.get(name) is None]
        yield from (
            Complaint(MISSING, f"Param {below(path, name)} is required") for name in absent
        )
        for name, field in shapes.items():
            if value.get(name) is not None:
                yield from field(below(path, name), value[name])
        for condition in conditions:
            yield from condition(path, value)

    return check


def variant(key: str, variants: Mapping[str, Shape]) -> Shape:
    """Want an object whose key says which of these shapes it has."""
    named = shape({key: one_of(*variants)}, closed=False)

    def check(path: str, value: Any) -> Iterator[Complaint]:
        yield from named(path, value)
        yield from variants[value[key]](path, value)

    return check


def exactly_one(*names: str) -> Shape:
    """Want exactly one of these fields in an object."""

    def check(path: str, value: Any) -> Iterator[Complaint]:
        given = [name for name in names if value.get(name) is not None]
        if not given:
            yield Complaint(MISSING, f"Param {path} needs one of {' or '.join(names)}")
        elif len(given) > 1:
            yield Complaint(NOT_VALID, f"Param {path} takes only one of {' or '.join(names)}")

    return check


def below(path: str, name: str) -> str:
    """Return the path of a field of the object at a path."""
    return f"{path}.{name}" if path else name
