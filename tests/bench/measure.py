"""How two things are measured side by side, and how a result is shown."""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Args:
        ours: the engine's figure.
        beside: the figure of what it is held against, and what that is.
        ratio: how many times better the engine's is; None where there is nothing beside it.
        bar: what is wanted.
        is_met: None where nothing is wanted, or nothing could be measured.
    """

    what: str
    ours: str
    beside: str = ""
    ratio: float | None = None
    bar: str = ""
    is_met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """Give its cells."""
        verdict = {True: "pass", False: "MISS", None: ""}[self.is_met]
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return self.what, self.ours, self.beside, ratio, self.bar, verdict


HEAD = ("measured", "comanda", "beside it", "better", "bar", "")


def table(rows: Sequence[Row]) -> str:
    """Write rows as an aligned table."""
    cells = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
             for line in cells]  # fmt: skip
    return "\n".join(line.rstrip() for line in lines)


@dataclass(frozen=True, slots=True)
class Pair:
    """The figures of two things measured in turn, round by round."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def medians(self) -> tuple[float, float]:
        """Give the median of each."""
        return median(self.ours), median(self.theirs)

    @property
    def more(self) -> float:
        """Give the median, over the rounds, of ours by theirs."""
        return median(a / b for a, b in zip(self.ours, self.theirs, strict=True))

    @property
    def less(self) -> float:
        """Give the median, over the rounds, of theirs by ours."""
        return median(b / a for a, b in zip(self.ours, self.theirs, strict=True))


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles of answer times, in seconds."""

    median: float
    late: float
    high: float

    @classmethod
    def of(cls, times: Sequence[float]) -> "Spread":
        """Calculate them: each is a time that was measured."""
        ordered = sorted(times)
        return cls(*(ordered[math.ceil(part * len(ordered)) - 1] for part in (0.5, 0.95, 0.99)))

    def __str__(self) -> str:
        return " / ".join(f"{1000 * time:.1f}" for time in (self.median, self.late, self.high))


Measure = Callable[[], Awaitable[float]]


async def in_turn(ours: Measure, theirs: Measure, *, rounds: int) -> Pair:
    """Measure two things in turn, each first in every other round; the first round is not kept."""
    figures: list[tuple[float, float]] = []
    for number in range(rounds + 1):
        if number % 2:
            second = await theirs()
            figures.append((await ours(), second))
        else:
            first = await ours()
            figures.append((first, await theirs()))
    kept = figures[1:]
    return Pair(tuple(a for a, _ in kept), tuple(b for _, b in kept))
