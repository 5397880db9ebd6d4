"""A mutant: a file of the content with one mistake in it, whose place is known."""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import Literal

from tests.content.mutants.page import Path

Nature = Literal["wrong", "slip", "choice"]
"""`wrong`: whatever comes of it, it is a mistake, for the file cannot mean what it says; `slip`: a
word that nobody means to write (a misspelling), a mistake as soon as a customer sees anything of
it; `choice`: an author may want just this, so only a failure shows that it is a mistake."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake.

    Args:
        line: of the mistake.
        text: of the whole file with it.
        note: what was done.
        names: words whose mentions anywhere are as right a place: what was deleted or renamed.
        also: other lines of the file that are as right.
        path: of what was deleted: where another layer or language has it is as right.
    """

    operator: str
    file: str
    line: int
    text: str
    note: str
    nature: Nature
    names: tuple[str, ...] = ()
    also: tuple[int, ...] = ()
    path: Path = ()
    id: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", f"{self.operator} {self.file}:{self.line} {self.note}")


Made = Iterator[Mutant]


def misspelt(word: str, known: Container[str] = ()) -> str:
    """Swap two letters inside a word, or drop or double one, so that it is none of those known."""
    for place in (len(word) // 2 - 1, *range(1, len(word) - 1), 0):
        swapped = word[:place] + word[place + 1 : place + 2] + word[place : place + 1]
        made = swapped + word[place + 2 :]
        if place >= 0 and made != word and made not in known and made[0].isalpha():
            return made
    return word + word[-1]


_NAME = re.compile(r"(?<![\w.'\"])([a-z][a-z_]*)(?![\w(=])")
_ATTRIBUTE = re.compile(r"(?<=[\w\])]\.)([a-z][a-z_]*)\b")
_FILTER = re.compile(r"(?<=\|)([a-z][a-z_]*)\b")
_GUARD = re.compile(r"(?<![\w.|])([a-z][a-z_]*)(?=\()")
_LITERAL = re.compile(r"(?:[=!]=|\bin) '([a-z_]{3,})'")
_WORDS = frozenset(
    [
        "and",
        "or",
        "not",
        "in",
        "is",
        "if",
        "else",
        "elif",
        "endif",
        "for",
        "endfor",
        "none",
        "true",
        "false",
        "defined",
        "loop",
        "recursive",
    ]
)
_BRACES = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)

PATTERNS = {
    "variable": _NAME,
    "attribute": _ATTRIBUTE,
    "filter": _FILTER,
    "guard": _GUARD,
    "literal": _LITERAL,
}


def words_of(source: str, kind: str, *, is_guard: bool) -> Iterator[tuple[int, str]]:
    """Find the variables, attributes, filters, guards or literals of a text or a guard.

    Yields:
        Where each begins, and the word; only the first of the same.
    """
    spans = [(0, source)] if is_guard else [(m.start(), m[0]) for m in _BRACES.finditer(source)]
    seen: set[str] = set()
    bound = set(re.findall(r"\bfor (\w+) in", source))
    for begins, code in spans:
        for found in PATTERNS[kind].finditer(code):
            word = found[1]
            inside = kind in ("variable", "attribute", "filter") and _quoted(code, found.start())
            if word in _WORDS or word in seen or inside or (kind == "variable" and word in bound):
                continue
            seen.add(word)
            yield begins + found.start(1), word


def _quoted(code: str, place: int) -> bool:
    return code[:place].count("'") % 2 == 1
