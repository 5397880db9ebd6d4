"""The words in which the shape of a Flow JSON is written: what a property may be.

Not `shapes`: that speaks Graph's codes, this Meta's names for faults in a Flow JSON. What a bound
value (`${data.x}`) refers to is judged in `flow_document_bindings`.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from engine.sandbox.flow_documents.faults import (
    Fault,
    Path,
    Version,
    listed,
    rooted,
    type_name,
    wrong_type,
    wrong_value,
)

Check = Callable[[Version, Path, Any], Iterator[Fault]]

OLDEST: Version = (2, 1)
NESTED_EXPRESSIONS: Version = (6, 0)
NO_BLANKS: Version = (6, 0)
BINDING = re.compile(r"\$\{[^{}]*\}")
DAY = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
# The first bytes of JPEG, PNG and, where lists show images, WEBP.
PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
LIST_PICTURES = (*PICTURES, b"RIFF")


@dataclass(frozen=True, slots=True)
class Property:
    """What a property may be.

    Args:
        check: says what is wrong with a value that is written out.
        takes: JSON types of what it may be bound to; none if it cannot be bound.
        since: the first version that has it.
    """

    check: Check
    takes: tuple[str, ...] = ()
    since: Version = OLDEST

    def judge(self, version: Version, path: Path, value: Any) -> Iterator[Fault]:
        """Say what is wrong with a value; of a bound one only whether it may be bound."""
        if self.takes and is_bound(value):
            if value.startswith("`") and version < NESTED_EXPRESSIONS:
                yield wrong_value(path)
        elif self.takes and isinstance(value, str) and BINDING.search(value):
            message = (
                f"Property '{path[-1]}' at '{rooted(path)}' mixes static and dynamic text. "
                "Write it as an expression in backticks."
            )
            yield wrong_value(path, message)
        else:
            yield from self.check(version, path, value)


def is_bound(value: object) -> TypeGuard[str]:
    """Tell whether a value is one binding, or an expression in backticks."""
    if not isinstance(value, str):
        return False
    quoted = len(value) > 1 and value.startswith("`") and value.endswith("`")
    return quoted or BINDING.fullmatch(value) is not None


def since(version: Version, property_: Property) -> Property:
    """Return a property that older versions do not have."""
    return replace(property_, since=version)


def text(most: int | None = None, *, bound: bool = True, like: str | None = None) -> Property:
    """Want a string of at most so many characters, like a pattern; blank ones only before 6.0."""

    def check(version: Version, path: Path, value: Any) -> Iterator[Fault]:
        if not isinstance(value, str):
            yield wrong_type(path, "string", value)
        elif not value.strip() and version >= NO_BLANKS:
            message = f"Property '{path[-1]}' should not be blank or empty string."
            yield Fault("PATTERN_MISMATCH", message, path)
        elif most is not None and len(value) > most:
            message = (
                f"Property '{path[-1]}' should have at most {most} characters, "
                f"it has {len(value)}."
            )
            yield wrong_value(path, message)
        elif like is not None and re.fullmatch(like, value) is None:
            message = f"Property '{path[-1]}' should match the pattern '{like}'."
            yield Fault("PATTERN_MISMATCH", message, path)

    return Property(check, ("string",) if bound else ())


def lines(most: int | None = None) -> Property:
    """Want a string, or its paragraphs as an array."""
    one = text(most)

    def check(version: Version, path: Path, value: Any) -> Iterator[Fault]:
        if not isinstance(value, list):
            yield from one.check(version, path, value)
            return
        for index, line in enumerate(value):
            if not isinstance(line, str):
                yield wrong_type((*path, index), "string", line)
        whole = "\n".join(line for line in value if isinstance(line, str))
        yield from one.check(version, path, whole)

    return Property(check, ("string", "array"))


def flag(*, bound: bool = True) -> Property:
    """Want true or false."""

    def check(_: Version, path: Path, value: Any) -> Iterator[Fault]:
        if not isinstance(value, bool):
            yield wrong_type(path, "boolean", value)

    return Property(check, ("boolean",) if bound else ())


def number(least: float = 0, most: float | None = None) -> Property:
    """Want a number between two bounds."""

    def check(_: Version, path: Path, value: Any) -> Iterator[Fault]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield wrong_type(path, "number", value)
        elif value < least:
            message = f"The minimum value allowed for property '{path[-1]}' is {least:g}."
            yield Fault("MINIMUM_VALUE_REQUIRED", message, path)
        elif most is not None and value > most:
            message = f"The maximum value allowed for property '{path[-1]}' is {most:g}."
            yield Fault("MAXIMUM_VALUE_REQUIRED", message, path)

    return Property(check, ("number",))


def length() -> Property:
    """Want a number of characters, which older documents write as a string."""
    plain = number()

    def check(version: Version, path: Path, value: Any) -> Iterator[Fault]:
        if not isinstance(value, str):
            yield from plain.check(version, path, value)
        elif not value.isdecimal():
            message = (
                f"Property '{path[-1]}' should be of type 'number' or have dynamic data format "
                "of the form ${screen.data.your_value} or ${data.your_value}."
            )
            yield Fault("PATTERN_MISMATCH", message, path)

    return Property(check, ("number", "string"))


def choice(*values: str, bound: bool = True) -> Property:
    """Want one of these strings."""

    def check(_: Version, path: Path, value: Any) -> Iterator[Fault]:
        if value not in values:
            message = f"Value should be one of: {listed(list(values))}."
            yield Fault("INVALID_ENUM_VALUE", message, path)

    return Property(check, ("string",) if bound else ())


def choices(*values: str) -> Property:
    """Want an array of some of these strings."""
    return replace(array(choice(*values, bound=False)), takes=("array",))


def day() -> Property:
    """Want a day as `YYYY-MM-DD`."""

    def check(_: Version, path: Path, value: Any) -> Iterator[Fault]:
        if not isinstance(value, str):
            yield wrong_type(path, "string", value)
        elif DAY.fullmatch(value) is None:
            message = f"Property '{path[-1]}' should be in 'YYYY-MM-DD' format."
            yield Fault("INVALID_PROPERTY_VALUE_FORMAT", message, path)

    return Property(check, ("string",))


def web_address() -> Property:
    """Want a URL of the web."""

    def check(_: Version, path: Path, value: Any) -> Iterator[Fault]:
        if not isinstance(value, str) or re.fullmatch(r"https?://\S+", value) is None:
            message = f"Property '{path[-1]}' should be in 'uri' format."
            yield Fault("INVALID_PROPERTY_VALUE_FORMAT", message, path)

    return Property(check, ("string",))


def picture(most: int | None = None, *, formats: tuple[bytes, ...] = PICTURES) -> Property:
    """Want an image in base64, not an address, of at most so many bytes."""

    def check(_: Version, path: Path, value: Any) -> Iterator[Fault]:
        if not isinstance(value, str):
            yield wrong_type(path, "string", value)
            return
        try:
            raw = base64.b64decode(value, validate=True)
        except binascii.Error:
            raw = b""
        if not raw.startswith(formats):
            message = f"Property '{path[-1]}' should be an image in 'base64' format."
            yield Fault("INVALID_PROPERTY_VALUE_FORMAT", message, path)
        elif most is not None and len(raw) > most:
            yield wrong_value(path, f"The image has {len(raw)} bytes, more than {most}.")

    return Property(check, ("string",))


def mapping(takes: tuple[str, ...] = ("object",)) -> Property:
    """Want an object with any keys."""

    def check(_: Version, path: Path, value: Any) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield wrong_type(path, "object", value)

    return Property(check, takes)


def array(
    element: Property, *, least: int = 0, most: int | None = None, bound: bool = True
) -> Property:
    """Want an array of such values, with so many of them."""

    def check(version: Version, path: Path, value: Any) -> Iterator[Fault]:
        if not isinstance(value, list):
            yield wrong_type(path, "array", value)
            return
        if len(value) < least:
            message = f"Property '{path[-1]}' should have at least '{least}' items."
            yield Fault("MIN_ITEMS_REQUIRED", message, path)
        if most is not None and len(value) > most:
            message = (
                f"Property '{path[-1]}' should have at most {most} items, it has {len(value)}."
            )
            yield wrong_value(path, message)
        for index, one in enumerate(value):
            yield from element.judge(version, (*path, index), one)

    return Property(check, ("array",) if bound else ())


def either(*properties: Property) -> Property:
    """Want what one of these wants; the one of the value's type says what is wrong."""

    def check(version: Version, path: Path, value: Any) -> Iterator[Fault]:
        kind = type_name(value)
        right = next((one for one in properties if kind in one.takes), properties[0])
        yield from right.check(version, path, value)

    takes = {kind: None for one in properties for kind in one.takes}
    return Property(check, tuple(takes))


def record(fields: Mapping[str, Property], *, owner: str = "") -> Property:
    """Want an object with these properties, where `name?` may be absent, and with no others."""
    known = {name.removesuffix("?"): property_ for name, property_ in fields.items()}
    required = [name for name in fields if not name.endswith("?")]
    where = f"{owner} on " if owner else ""

    def check(version: Version, path: Path, value: Any) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield wrong_type(path, "object", value)
            return
        for name in required:
            if name not in value:
                message = f"Required property '{name}' is missing."
                yield Fault("MISSING_REQUIRED_TYPE_PROPERTY", message, path)
        for name, one in value.items():
            inner = (*path, name)
            if name in known and version >= known[name].since:
                yield from known[name].judge(version, inner, one)
            else:
                message = f"Property '{name}' cannot be specified at {where}'{rooted(path)}'."
                yield Fault("INVALID_PROPERTY_KEY", message, inner, at_key=True)

    return Property(check)
