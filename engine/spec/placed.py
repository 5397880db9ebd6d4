"""Where a failure comes from: the place it names, and the line of a text it speaks of."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass

from engine.spec.problems import Span
from engine.templating.language import Expression, Text

_PLACED = re.compile(r"^(?P<where>[^\s:]+:\d+:\d+): (?P<said>.*)$", re.DOTALL)
_QUOTED = re.compile(r"'([^']+)'")


def placed(text: str, otherwise: str, parts: Iterable[object]) -> tuple[str, str]:
    """Part a failure from the place it names; give another place if it names none.

    Args:
        parts: what holds the text that failed, as messages or screens do.
    """
    found = _PLACED.match(text)
    if found is None:
        return otherwise, text
    where, said = found["where"], found["said"]
    return str(Span.of(where).below(_line(where, said, parts))), said


def _line(where: str, said: str, parts: Iterable[object]) -> int:
    """Tell in which line of a text the word is of which a failure speaks."""
    texts = (sources(part) for part in parts)
    source = next((held[where] for held in texts if where in held), "")
    words = [re.compile(rf"\b{re.escape(word)}\b") for word in _QUOTED.findall(said)[::-1]]
    lines = list(enumerate(source.split("\n"), start=1))
    for word in words:
        for number, line in lines:
            if word.search(line):
                return number
    return 1


def sources(part: object) -> dict[str, str]:
    """Give, by place, what an author wrote in the texts of something or of its parts."""
    if isinstance(part, (Text, Expression)):
        return {part.where: part.source}
    inside: Iterable[object] = ()
    if isinstance(part, Mapping):
        inside = part.values()
    elif isinstance(part, (tuple, list)):
        inside = part
    elif is_dataclass(part):
        inside = (getattr(part, each.name) for each in fields(part))
    made: dict[str, str] = {}
    for one in inside:
        made |= sources(one)
    return made
