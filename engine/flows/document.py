"""A Flow JSON and where each part of it was written; how it is made is not known here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2s
from typing import Any

import orjson

from engine.spec.problems import Span

Pointer = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class FlowJson:
    """A Flow in one language, as it is uploaded.

    Args:
        flow: id of the Flow.
        language: of its texts.
        document: the Flow JSON; the order of its keys is kept.
        places: where the authored part lies that a part of the document came from, by the path
            of keys and indices that leads to it.
        categories: Meta's, for the Flow that is created.
    """

    flow: str
    language: str
    document: Mapping[str, Any]
    places: Mapping[Pointer, Span]
    categories: tuple[str, ...] = ("OTHER",)

    @property
    def text(self) -> str:
        """Give it as it is uploaded; Meta counts its errors in these lines."""
        options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        return orjson.dumps(dict(self.document), option=options).decode()

    @property
    def digest(self) -> str:
        """Name its content: two of one digest are the same text."""
        return blake2s(self.text.encode()).hexdigest()

    def place_of(self, pointer: Pointer) -> Span:
        """Find where a part was written, or else the nearest part around it."""
        for length in range(len(pointer), -1, -1):
            found = self.places.get(pointer[:length])
            if found:
                return found
        return Span(f"flows/{self.flow}.yaml")

    def place_of_line(self, line: int) -> Span:
        """Find where the innermost value of a line of the text was written."""
        pointers = list(_lines(self.document, ()))
        return self.place_of(pointers[line - 1] if 1 <= line <= len(pointers) else ())


def _lines(value: Any, pointer: Pointer) -> Iterator[Pointer]:
    """Name, line by line of the indented text, the value that begins or ends there."""
    yield pointer
    if isinstance(value, Mapping):
        entries: list[tuple[str | int, Any]] = list(value.items())
    elif isinstance(value, list | tuple):
        entries = list(enumerate(value))
    else:
        return
    for key, inner in entries:
        yield from _lines(inner, (*pointer, key))
    if entries:
        yield pointer
