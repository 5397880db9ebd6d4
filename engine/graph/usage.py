"""How much of Meta's rate limits is used up, as the headers of its answers say."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from engine.errors import Malformed
from engine.whatsapp.json_values import as_object, as_objects, load

# platform-facts 6: percent used, throttled at 100; there is no Retry-After header.
_APP: Final = "x-app-usage"
_BUSINESS: Final = "x-business-use-case-usage"
_COUNTS: Final = ("call_count", "total_cputime", "total_time")
_WAIT: Final = "estimated_time_to_regain_access"
"""In minutes."""
_MOST_PERCENT: Final = 1_000
_LONGEST_WAIT: Final = 24 * 60
"""Minutes; what asks for more is a mistake, and limits are counted over a day at most."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What is used up of the limit that is nearest to its end.

    Args:
        percent: 0 when Meta does not say.
        wait: seconds until calls are taken again; 0 when Meta does not say.
    """

    percent: int = 0
    wait: float = 0.0


def usage_of(headers: Mapping[str, str]) -> Usage:
    """Read the headers of an answer; what cannot be read of them is left out.

    Args:
        headers: by name in small letters, or without regard to it.
    """
    percent = wait = 0.0
    for limit in _limits(headers):
        percent = max(percent, *(_number(limit.get(name)) for name in _COUNTS))
        wait = max(wait, _number(limit.get(_WAIT)))
    return Usage(math.ceil(min(percent, _MOST_PERCENT)), min(wait, _LONGEST_WAIT) * 60)


def _limits(headers: Mapping[str, str]) -> Iterator[Mapping[str, object]]:
    yield as_object(_read(headers.get(_APP)))
    for limits in as_object(_read(headers.get(_BUSINESS))).values():
        yield from as_objects(limits)


def _read(header: str | None) -> object:
    try:
        return load((header or "null").encode())
    except Malformed:
        return None


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return max(0.0, float(value))
