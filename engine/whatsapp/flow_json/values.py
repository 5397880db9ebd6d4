"""Whether a value can be sent to WhatsApp at all: as JSON, without null, not too large."""

import math
from collections.abc import Iterator, Mapping
from typing import Final

import orjson

from engine.whatsapp.flow_json.faults import Faults, FlowFault, Pointer

_DEEPEST: Final = 64  # a document that makes sense has less than half of this
_INT64: Final = range(-(2**63), 2**63)


def check_sendable(value: object) -> Faults:
    """Find what cannot be written as JSON; where there is something, look at nothing else."""
    for pointer, inner in _parts(value):
        reason = _why_not(inner)
        if reason:
            yield FlowFault(pointer, "wrong-type", reason)
        elif len(pointer) > _DEEPEST:
            yield FlowFault(pointer, "over-limit", "this is nested too deep")


def check_nulls(value: object) -> Faults:
    """Find null, which Flows do not know."""
    for pointer, inner in _parts(value):
        if inner is None:
            hint = "leave it out, or send an empty value"
            yield FlowFault(pointer, "wrong-type", "null is not allowed in a Flow", hint)


def check_size(value: object, *, most: int, what: str) -> Faults:
    """Measure a value that can be sent; `most` is in bytes."""
    size = len(orjson.dumps(value))
    if size > most:
        sentence = f"{what} has {size / 1e6:.1f} MB, {most / 1e6:.1f} MB fit"
        yield FlowFault((), "over-limit", sentence)


def _parts(value: object) -> Iterator[tuple[Pointer, object]]:
    """Give a value and everything in it, without descending too deep."""
    waiting: list[tuple[Pointer, object]] = [((), value)]
    while waiting:
        pointer, inner = waiting.pop()
        yield pointer, inner
        if len(pointer) > _DEEPEST:
            continue
        if isinstance(inner, dict):
            waiting.extend(((*pointer, key), inner[key]) for key in reversed(inner))
        elif isinstance(inner, list | tuple):
            last = len(inner) - 1
            waiting.extend(
                ((*pointer, last - index), part) for index, part in enumerate(reversed(inner))
            )


def _why_not(value: object) -> str:
    match value:
        case str():
            return "" if _is_whole(value) else "this text has half a character"
        case int() if value not in _INT64:
            return "this number is too large"
        case float() if not math.isfinite(value):
            return "this is no number that can be sent"
        case dict():
            wrong = [key for key in value if not isinstance(key, str) or not _is_whole(key)]
            return f"{wrong[0]!r:.60} is no key" if wrong else ""
        case None | bool() | int() | float() | list() | tuple():
            return ""
    return f"{type(value).__name__} cannot be sent"


def _is_whole(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def plain(value: object) -> object:
    """Take any mapping at the top as what it holds."""
    return dict(value) if isinstance(value, Mapping) else value
