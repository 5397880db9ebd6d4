"""Finds where a property stands in the text of a JSON document; it does not judge the document.

Lines and columns count from 1 and in characters; the last column is part of the property. The
samples in Meta's documentation say so: `"initial-text"` with its quotes is at columns 17 to 30.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field

import orjson

from engine.sandbox.flow_documents.faults import Path

TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+')

Extent = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Place:
    """From where to where something stands in a text."""

    line_start: int
    line_end: int
    column_start: int
    column_end: int


@dataclass(slots=True)
class _Container:
    """An object or an array whose end is not read yet."""

    path: Path
    start: int
    child: str | int | None


@dataclass(slots=True)
class _Reader:
    """Goes through the tokens of a JSON text and notes the extents of keys and values."""

    keys: dict[Path, Extent] = field(default_factory=dict)
    values: dict[Path, Extent] = field(default_factory=dict)
    open: list[_Container] = field(default_factory=list)
    depth: int = 0

    def read(self, text: str) -> None:
        for found in TOKEN.finditer(text):
            self._take(found[0], found.span())

    def _take(self, token: str, extent: Extent) -> None:
        if token in "{[":
            first = 0 if token == "[" else None
            self.open.append(_Container(self._here(), extent[0], first))
            self.depth = max(self.depth, len(self.open))
        elif token in "}]":
            closed = self.open.pop()
            self.values[closed.path] = (closed.start, extent[1])
        elif token == ",":
            self._next()
        elif token != ":":
            self._scalar(token, extent)

    def _here(self) -> Path:
        if not self.open:
            return ()
        container = self.open[-1]
        assert container.child is not None
        return (*container.path, container.child)

    def _next(self) -> None:
        container = self.open[-1]
        container.child = container.child + 1 if isinstance(container.child, int) else None

    def _scalar(self, token: str, extent: Extent) -> None:
        if self.open and self.open[-1].child is None:
            self.open[-1].child = orjson.loads(token)
            self.keys[self._here()] = extent
        else:
            self.values[self._here()] = extent


class Places:
    """The places of a JSON text's properties.

    Args:
        text: a right JSON text; of a key that is there twice the last one counts.
    """

    def __init__(self, text: str) -> None:
        reader = _Reader()
        reader.read(text)
        # How many objects and arrays are within each other.
        self.depth = reader.depth
        self._keys, self._values = reader.keys, reader.values
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]

    def of(self, path: Path, *, at_key: bool = False) -> Place:
        """Return the place of a property's value or name, or of what is nearest around it."""
        if at_key and path in self._keys:
            return self._place(self._keys[path])
        while path and path not in self._values:
            path = path[:-1]
        return self._place(self._values[path])

    def _place(self, extent: Extent) -> Place:
        (first, start), (last, end) = map(self._position, (extent[0], extent[1] - 1))
        return Place(first, last, start, end)

    def _position(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1
