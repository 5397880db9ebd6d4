"""Terms that a text reads and its language does not have.

What is missing in one language only is told where it belongs: at the term that looks most like it
and that nothing reads, or where its neighbours are.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from engine.spec.problems import Span, did_you_mean
from engine.spec.shapes import Words, shape_at
from engine.spec.sights import Sight, chart_sights, chat_shapes, flow_sights, message_sights
from engine.spec.whole import Whole

TERMS = "terms"
_OURS = (("choose",), ("flow", "expired"))
"""Terms that the engine itself reads, and can do without."""


@dataclass(frozen=True, slots=True)
class _Need:
    """A term that is read; `path` leads to it, without `terms`.

    Args:
        span: of the text that reads it; None if it is the engine.
    """

    path: tuple[str, ...]
    span: Span | None


def check_terms(whole: Whole) -> None:
    """Note the terms that are read and missing."""
    everywhere = [
        need
        for sights in (
            chart_sights(whole.chart, whole.flows),
            *map(flow_sights, whole.flows.values()),
        )
        for sight in sights
        for need in _needs(sight)
    ]
    shapes = chat_shapes(whole.chart, whole.flows)
    needs: dict[str, list[_Need]] = {}
    for language, words in whole.words.items():
        said = (
            need
            for message in words.messages.values()
            for sight in message_sights(message, shapes)
            for need in _needs(sight)
        )
        needs[language] = [*everywhere, *said, *(_Need(path, None) for path in _OURS)]
    for language, wanted in needs.items():
        terms = whole.words[language].terms
        missing = {_missing(need.path, terms): need for need in reversed(wanted)}
        missing.pop((), None)
        read = {need.path for need in wanted}
        for path, need in missing.items():
            others = [name for *outer, name in missing if outer == list(path[:-1])]
            _tell(whole, language, path, need, _unread(path, terms, read, others))


def _needs(sight: Sight) -> Iterator[_Need]:
    """Give the terms that a text cannot do without."""
    reading = sight.template.reading
    terms = [read for read in reading.reads if read.path.startswith(f"{TERMS}.")]
    if not terms:
        return
    where = Span.of(sight.template.where)
    listed: set[str] = set()
    for one in reading.picked:
        shape = shape_at(one.key, sight.shapes)
        if one.path.startswith(f"{TERMS}.") and isinstance(shape, Words):
            listed.add(one.path)
            for word in sorted(shape.words):
                yield _Need((*_steps(one.path), word), where.below(one.line))
    for read in terms:
        if read.path not in listed and not read.is_optional:
            yield _Need(_steps(read.path), where.below(read.line))


def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split(".")[1:])


def _missing(path: tuple[str, ...], terms: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the first part of a path that there is not; nothing if all of it is there."""
    held: Any = terms
    for place, step in enumerate(path):
        if not isinstance(held, Mapping) or step not in held:
            return path[: place + 1]
        held = held[step]
    return ()


def _tell(
    whole: Whole, language: str, path: tuple[str, ...], need: _Need, close: Sequence[str]
) -> None:
    """Note a missing term.

    Args:
        close: the term that is meant to be it, if there is one.
    """
    *outer, name = path
    is_elsewhere = any(not _missing(path, words.terms) for words in whole.words.values())
    sentence = f"there is no term '{'.'.join(path)}' in '{language}'"
    if close or (is_elsewhere and need.span):
        hint = f"nothing reads '{close[0]}', did you mean '{name}'?" if close else ""
        told = f"{sentence}, which {need.span or 'the engine'} reads"
        places = whole.texts[language]
        whole.problems.warn(places.at((TERMS, *outer, *close)), "unknown-term", told, hint)
    if not is_elsewhere and need.span:
        known = _beside(path, whole.words[language].terms)
        whole.problems.warn(need.span, "unknown-term", sentence, did_you_mean(name, known))


def _unread(
    path: tuple[str, ...],
    terms: Mapping[str, Any],
    read: Collection[tuple[str, ...]],
    missing: Collection[str],
) -> list[str]:
    """Find the term that nothing reads and that looks like a missing one more than like others."""
    *outer, name = path
    found = [
        key
        for key in _beside(path, terms)
        if not any(_touches(one, (*outer, key)) for one in read)
        and get_close_matches(key, missing, n=1) == [name]
    ]
    return get_close_matches(name, found, n=1)


def _beside(path: tuple[str, ...], terms: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the terms beside one."""
    held: Any = terms
    for step in path[:-1]:
        held = held[step]
    return held if isinstance(held, Mapping) else {}


def _touches(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Tell whether one path leads to another, or through it."""
    size = min(len(one), len(other))
    return one[:size] == other[:size]
