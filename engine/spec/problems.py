"""Problems: what is wrong with authored documents, and where; collected, never raised singly."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

from engine.errors import EngineError
from engine.spec.codes import CODES


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a file; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def below(self, line: int) -> "Span":
        """Give the place of a line of a text that begins here.

        A value in column 1 is a literal block: its lines are the file's. Of any other text the
        file's lines cannot be told.
        """
        return Span(self.file, self.line + line - 1) if self.column == 1 else self

    @classmethod
    def of(cls, written: str) -> "Span":
        """Read a place as `str` writes it."""
        file, line, column = written.rsplit(":", 2)
        return cls(file, int(line), int(column))


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding.

    Args:
        code: short name of the kind of problem, such as `unknown-state`; one of `codes.CODES`.
        sentence: what is wrong, in one sentence.
        hint: what to do, or nothing.
        severity: an error refuses the bundle, a warning does not.
        transcript: a conversation in which it fails, line by line.
    """

    span: Span
    code: str
    sentence: str
    hint: str = ""
    severity: Literal["error", "warning"] = "error"
    transcript: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"'{self.code}' is no code of a problem")

    def __str__(self) -> str:
        hint = f"; {self.hint}" if self.hint else ""
        mark = "warning: " if self.severity == "warning" else ""
        return f"{self.span}: {mark}{self.code}: {self.sentence}{hint}"


@dataclass(slots=True)
class Problems:
    """The findings of one load."""

    found: set[Problem] = field(default_factory=set)

    def add(
        self,
        span: Span,
        code: str,
        sentence: str,
        hint: str = "",
        transcript: tuple[str, ...] = (),
    ) -> None:
        """Note an error."""
        self.found.add(Problem(span, code, sentence, hint, "error", transcript))

    def warn(
        self,
        span: Span,
        code: str,
        sentence: str,
        hint: str = "",
        transcript: tuple[str, ...] = (),
    ) -> None:
        """Note a warning."""
        self.found.add(Problem(span, code, sentence, hint, "warning", transcript))

    def sorted(self) -> list[Problem]:
        """Give them by file, line and column."""
        return sorted(self.found)

    @property
    def errors(self) -> list[Problem]:
        """Give the errors by place."""
        return [p for p in self.sorted() if p.severity == "error"]

    def raise_if_any(self) -> None:
        """Raise SpecError if there is an error."""
        if self.errors:
            raise SpecError(self.sorted())


class SpecError(EngineError):
    """An authored document is wrong; it holds every problem found."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = problems


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Suggest the known word that looks most like a wrong one."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else ""
