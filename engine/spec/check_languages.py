"""What differs between the languages of one message, and should not."""

from dataclasses import dataclass

from engine.spec.check import templates_in
from engine.spec.message import Message
from engine.spec.problems import Problems, Span
from engine.spec.whole import Whole

_OF_THE_LANGUAGE = frozenset({"terms", "language", "locale", "item"})
"""What may well be read in one language only."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A message in one language: what its texts read, and which events it offers."""

    language: str
    message: Message
    reads: frozenset[str]
    offers: tuple[str, ...]


def check_languages(whole: Whole) -> None:
    """Note messages that tell or offer less in one language than in another."""
    for name in whole.ways.sites:
        said = [
            _said(language, words.messages[name], whole)
            for language, words in whole.words.items()
            if name in words.messages
        ]
        for mine in said:
            for theirs in said:
                if mine is not theirs:
                    _compare(mine, theirs, whole.problems)


def _said(language: str, message: Message, whole: Whole) -> _Said:
    """Sum a message up, without what there is not: that is told by itself."""
    known = whole.known - _OF_THE_LANGUAGE
    paths = {path for part in templates_in(message) for path in part.reading.paths}
    reads = {path for path in paths if path.partition(".")[0] in known}
    events = whole.chart.events()
    offers = tuple(entry.event for entry in message.entries() if entry.event in events)
    return _Said(language, message, frozenset(reads), offers)


def _compare(mine: _Said, theirs: _Said, problems: Problems) -> None:
    """Note what is read or offered in their language and not in mine."""
    span, name = Span.of(mine.message.where), mine.message.id
    where = f"in '{theirs.language}', and not in '{mine.language}'"
    paths = [path for path in sorted(theirs.reads - mine.reads) if not _covers(mine.reads, path)]
    if paths:
        sentence = f"'{name}' reads {_quoted(paths)} {where}"
        problems.warn(span, "different-variables", sentence)
    events = [event for event in theirs.offers if event not in mine.offers]
    if events:
        sentence = f"'{name}' offers {_quoted(events)} {where}"
        problems.warn(span, "different-buttons", sentence)


def _covers(reads: frozenset[str], path: str) -> bool:
    """Tell whether more of a value is read, or a part of it."""
    return any(_is_part(path, of=one) or _is_part(one, of=path) for one in reads)


def _is_part(path: str, *, of: str) -> bool:
    return path.startswith(f"{of}.")


def _quoted(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
