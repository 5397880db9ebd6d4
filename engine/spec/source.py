"""YAML text -> plain data and the place of every part of it; its meaning is not known here.

Safer than YAML: no anchors, aliases, tags or duplicate keys, no booleans but `true` and `false`,
no dates, bounded size and depth. The data is built from the parser's events, so that a hostile
document costs no more than reading it.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import yaml

from engine.spec.problems import Problems, Span

MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 24
MAX_NODES = 40_000
"""Values of one document: some 2,500 products; more would take longer than a second to read."""
MAX_PROBLEMS = 100
"""Problems of one document; more help nobody."""

Path = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\.[0-9]{1,17}")
# Not printed, or what lets a text look like another one (bidirectional controls, "Trojan Source").
_NOT_ALLOWED = re.compile(
    r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    r"|[\u202a-\u202e\u2066-\u2069]"
)
_BEGUN = (
    "while scanning a simple key", "while scanning a quoted", "while parsing a flow",
)  # fmt: skip
"""What the parser says it was doing when it did not find the end of something."""
_CONSTANTS: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(slots=True)
class Source:
    """A document as read.

    Args:
        keys: the place of each entry's key (of a list's element: the element).
        values: the place of each value; that of a block (`|`, `>`) is column 1 of its first line
            of text, where no other value begins.
        folded: the lines of each folded block (`>`) as they stand in the file.
    """

    file: str
    data: Any
    keys: dict[Path, Span] = field(default_factory=dict)
    values: dict[Path, Span] = field(default_factory=dict)
    folded: dict[Path, str] = field(default_factory=dict)

    def at(self, path: Path) -> Span | None:
        """Find the place of an entry, or None if this document does not have it."""
        return self.keys.get(path)

    def value_at(self, path: Path) -> Span | None:
        """Find the place of a value."""
        return self.values.get(path)


@dataclass(slots=True)
class Layers:
    """Documents merged into one, the strongest first, to find where a part of it came from."""

    sources: tuple[Source, ...]

    def at(self, path: Path) -> Span:
        """Find the place of an entry in the strongest document that has it, or of its parent."""
        return self._find(path, values=False)

    def value_at(self, path: Path) -> Span:
        """Find the place of a value."""
        return self._find(path, values=True)

    def value_with(self, path: Path, keys: Iterable[str]) -> Span:
        """Find the place of a mapping in the strongest document where it has one of these keys."""
        for source in self.sources:
            found = source.value_at(path)
            if found and any((*path, key) in source.keys for key in keys):
                return found
        return self.value_at(path)

    def folded_at(self, path: Path) -> str | None:
        """Give the lines of a folded block; None of any other value."""
        for source in self.sources:
            if path in source.values:
                return source.folded.get(path)
        return None

    def _find(self, path: Path, *, values: bool) -> Span:
        for length in range(len(path), 0, -1):
            for source in self.sources:
                found = source.value_at(path[:length]) if values else source.at(path[:length])
                if found:
                    return found
            values = False
        return Span(self.sources[0].file)


def parse(text: str, file: str, problems: Problems, *, is_recorded: bool = False) -> Source | None:
    """Read a YAML document.

    Args:
        text: at most 2 MiB.
        file: its name in problems.
        problems: gets what is wrong: too-large, yaml-syntax, alias, tag, duplicate-key, wrong-key,
            too-deep.
        is_recorded: it holds what customers wrote, so that any character may stand as an escape.

    Returns:
        The document; None when nothing can be said about its content.
    """
    if len(text) > MAX_BYTES:
        problems.add(
            Span(file), "too-large", f"the file has {len(text)} characters, {MAX_BYTES} fit"
        )
        return None
    odd = _NOT_ALLOWED.search(text)
    if odd:
        before = text[: odd.start()]
        column = odd.start() - before.rfind("\n")
        sentence = f"the character U+{ord(odd[0]):04X} cannot be in a file"
        problems.add(Span(file, before.count("\n") + 1, column), "yaml-syntax", sentence)
        return None
    reader = _Reader(file, problems, text.split("\n"), is_recorded=is_recorded)
    try:
        data = reader.document(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        where = _mistake(error, file, text, reader.lines)
        said = (error.problem or error.context or "cannot be read").replace("\n", " ")
        hint = error.context.replace("\n", " ") if error.context and error.problem else ""
        noticed = error.problem_mark
        if hint and noticed and noticed.line + 1 > where.line:
            hint += f", noticed at line {noticed.line + 1}"
        problems.add(where, "yaml-syntax", said, hint)
        return None
    except _Hopeless:
        return None
    reader.values.setdefault((), Span(file))
    return Source(file, data, reader.keys, reader.values, reader.folded)


def _mistake(error: yaml.MarkedYAMLError, file: str, text: str, lines: list[str]) -> Span:
    """Tell where the mistake is that the parser has noticed, perhaps far behind it."""
    noticed, begun = error.problem_mark, error.context_mark
    if begun and (error.context or "").startswith(_BEGUN):
        # What was begun has no end: it is noticed where something else begins.
        return Span(file, begun.line + 1, begun.column + 1)
    mark = noticed or begun
    if mark is None:
        return Span(file)
    if mark.line >= len(lines):  # YAML ends lines at more marks than files do
        return Span(file, mark.line + 1, mark.column + 1)
    if "mapping values" in (error.problem or "") and mark.line:
        before = lines[mark.line - 1]
        is_key = re.search(r":(\s|$)", before)
        if before.strip() and not is_key and not before.lstrip().startswith(("#", "-")):
            return Span(file, mark.line, _indentation(before) + 1)
    if noticed and (opened := _opened(text, noticed.line)):
        return Span(file, opened.line + 1, opened.column + 1)
    if begun and "a block " in (error.context or ""):
        alone = _alone(lines, begun, mark)
        if alone is not None:
            return Span(file, alone + 1, _indentation(lines[alone]) + 1)
    return Span(file, mark.line + 1, mark.column + 1)


def _alone(lines: list[str], begun: yaml.Mark, noticed: yaml.Mark) -> int | None:
    """Find the line that stands alone at its depth, where another one fits nowhere."""
    if noticed.column != _indentation(lines[noticed.line]):
        return None
    block = [place for place in range(begun.line, noticed.line) if lines[place].strip()]
    deeper = [place for place in block if _indentation(lines[place]) > noticed.column]
    if begun.column < noticed.column and deeper:
        block = [place for place in block if place >= deeper[0]]
    depth = _indentation(lines[block[0]]) if block else 0
    if begun.line in block:
        depth = begun.column
    level = [place for place in block if _indentation(lines[place]) == depth]
    return level[0] if len(level) == 1 else None


def _opened(text: str, line: int) -> yaml.Mark | None:
    """Find where quotes were opened that are closed in a line, by those of another text."""
    opened: yaml.Mark | None = None
    with suppress(yaml.YAMLError):
        for token in yaml.scan(text, Loader=yaml.CSafeLoader):
            if token.start_mark.line > line:
                break
            is_quoted = isinstance(token, yaml.ScalarToken) and token.style in ("'", '"')
            if is_quoted and token.start_mark.line < token.end_mark.line == line:
                opened = token.start_mark
    return opened


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


class _Hopeless(Exception):
    """Leaves the reader."""


class _Reader:
    """Builds data from the events of one document, without recursion over what it cannot bound."""

    def __init__(
        self, file: str, problems: Problems, lines: list[str], *, is_recorded: bool
    ) -> None:
        self.file = file
        self._is_recorded = is_recorded
        self.problems = problems
        self.keys: dict[Path, Span] = {}
        self.values: dict[Path, Span] = {}
        self.folded: dict[Path, str] = {}
        self.lines = lines
        self._nodes = 0
        self._noted = 0

    def document(self, events: Iterator[yaml.Event]) -> Any:
        data: Any = None
        seen = False
        for event in events:
            if isinstance(event, yaml.NodeEvent):
                if seen:
                    self._add(event, "yaml-syntax", "a second document begins here", "use one")
                    raise _Hopeless
                data = self._node(event, events, ())
                seen = True
        return data

    def _add(self, event: yaml.Event, code: str, sentence: str, hint: str = "") -> None:
        self.problems.add(self._span(event), code, sentence, hint)
        self._noted += 1
        if self._noted == MAX_PROBLEMS:
            raise _Hopeless

    def _span(self, event: yaml.Event) -> Span:
        mark = event.start_mark
        return Span(self.file, mark.line + 1, mark.column + 1) if mark else Span(self.file)

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], path: Path) -> Any:
        self._guard(event, path)
        self.values[path] = self._span(event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path)
        if isinstance(event, yaml.AliasEvent):
            self._add(event, "alias", f"'*{event.anchor}' is an alias", "write the value out")
            return None
        return self._scalar(event, path)

    def _guard(self, event: yaml.Event, path: Path) -> None:
        self._nodes += 1
        if len(path) > MAX_DEPTH or self._nodes > MAX_NODES:
            self._add(event, "too-deep", f"more than {MAX_DEPTH} levels or {MAX_NODES} values")
            raise _Hopeless
        anchor = getattr(event, "anchor", None)
        if anchor and not isinstance(event, yaml.AliasEvent):
            self._add(event, "alias", f"'&{anchor}' is an anchor", "leave it out")
        tag = getattr(event, "tag", None)
        if tag and tag != "!":
            self._add(event, "tag", f"'{tag}' is a tag", "leave it out")

    def _mapping(self, events: Iterator[yaml.Event], path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = event.value if isinstance(event, yaml.ScalarEvent) else None
            if key is None:
                hint = "put a text that begins with '{{' in quotes"
                self._add(event, "wrong-key", "a key must be a plain word", hint)
                raise _Hopeless
            self._plain(event)
            here = (*path, key)
            if key in data:
                first = self.keys[here]
                self._add(
                    event, "duplicate-key", f"'{key}' is here twice", f"first at line {first.line}"
                )
            else:
                self.keys[here] = self._span(event)
            data[key] = self._node(next(events), events, here)
        return data

    def _sequence(self, events: Iterator[yaml.Event], path: Path) -> list[Any]:
        data: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            here = (*path, len(data))
            self.keys[here] = self._span(event)
            data.append(self._node(event, events, here))
        return data

    def _plain(self, event: yaml.Event) -> None:
        """Note a character that was written as an escape, and could not be there itself."""
        if self._is_recorded or not isinstance(event, yaml.ScalarEvent) or event.style != '"':
            return
        odd = _NOT_ALLOWED.search(event.value)
        if odd:
            sentence = f"the character U+{ord(odd[0]):04X} cannot be in a text"
            self._add(event, "yaml-syntax", sentence, "leave it out")

    def _scalar(self, event: yaml.Event, path: Path) -> Any:
        assert isinstance(event, yaml.ScalarEvent)
        self._plain(event)
        if event.style in ("|", ">"):
            # The text begins on the line after its indicator; a template error counts from there.
            begins = self._span(event).line
            self.values[path] = Span(self.file, begins + 1, 1)
            if event.style == ">" and event.end_mark:
                self.folded[path] = "\n".join(self.lines[begins : event.end_mark.line])
        if event.style or not event.implicit[0]:
            return event.value
        text = event.value
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _NUMBER.fullmatch(text):
            return float(text)
        return text
