"""Values in JSON that strangers sent, each taken in the form expected or not at all.

What a value means is not known here. Only text that is no JSON is refused: half a character is
repaired, and what MongoDB would not store is left out.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

import orjson

from engine.errors import Malformed

JsonObject: TypeAlias = Mapping[str, Any]

# Meta once allowed business-scoped user ids 256 characters; its other ids are shorter.
_LONGEST_ID: Final = 512
# MongoDB takes documents of 100 levels and integers of 64 bits (BSON); what is stored stays below.
_DEEPEST: Final = 32
_INT64: Final = range(-(2**63), 2**63)
# The last second that a datetime can hold.
_LAST_SECOND: Final = 253_402_300_799

_PHONE: Final = re.compile(r"\+?([0-9]{5,20})")
_DIGITS: Final = re.compile(r"[0-9]{1,12}")
_ESCAPE: Final = re.compile(
    rb"\\u[dD][89aAbB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    # Other escapes, as many at once as there are: a body may have a million of them,
    # and a repetition that may be taken back remembers each.
    rb"|(?:\\[^u])++|\\u",
    re.DOTALL,
)


def load(text: bytes) -> object:
    """Read JSON; half a surrogate pair, which some phone may send, becomes U+FFFD.

    Raises:
        Malformed: it is not JSON.
    """
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = _load_repaired(text)
    return value


def _load_repaired(text: bytes) -> object:
    try:
        value: object = orjson.loads(_ESCAPE.sub(_whole_escape, text))
    except orjson.JSONDecodeError as error:
        raise Malformed(f"this is not JSON: {error}") from None
    return value


def _whole_escape(match: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if match["half"] else match[0]


def as_object(value: object) -> JsonObject:
    """Take an object; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def as_elements(value: object) -> Sequence[object]:
    """Take the elements of an array; anything else has none."""
    return value if isinstance(value, list) else ()


def as_objects(value: object) -> tuple[JsonObject, ...]:
    """Take the objects among the elements of an array."""
    return tuple(element for element in as_elements(value) if isinstance(element, dict))


def as_text(value: object) -> str | None:
    """Take a text that is not empty."""
    return value if isinstance(value, str) and value else None


def as_id(value: object) -> str | None:
    """Take a text that is not longer than an identifier can be."""
    text = as_text(value)
    return text if text and len(text) <= _LONGEST_ID else None


def as_phone(value: object) -> str | None:
    """Take the digits of a phone number with country code; a "+" is left out."""
    match = _PHONE.fullmatch(as_text(value) or "")
    return match[1] if match else None


def as_integer(value: object) -> int | None:
    """Take a JSON integer, or one that Meta wrote as a string."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = as_text(value) or ""
    return int(text) if _DIGITS.fullmatch(text) else None


def as_timestamp(value: object) -> int:
    """Take unix seconds; 0 when there are none that a datetime can hold."""
    seconds = as_integer(value) or 0
    return seconds if 0 <= seconds <= _LAST_SECOND else 0


def storable(value: JsonObject) -> dict[str, Any]:
    """Copy an object without what MongoDB refuses."""
    return cast("dict[str, Any]", _copied(value, _DEEPEST))


def _copied(value: object, levels: int) -> object:
    """Copy a JSON value without what MongoDB refuses: deep nesting, long integers, NUL in names.

    A list keeps its length, so that an order never gets shorter on the way.
    """
    if isinstance(value, dict):
        return {
            name: _copied(member, levels - 1)
            for name, member in value.items()
            if "\0" not in name and _is_storable(member, levels)
        }
    if isinstance(value, list):
        return [
            _copied(member, levels - 1) if _is_storable(member, levels) else None
            for member in value
        ]
    return value


def _is_storable(value: object, levels: int) -> bool:
    if isinstance(value, dict | list):
        return levels > 1
    return not isinstance(value, int) or value in _INT64
