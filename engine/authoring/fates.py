"""What becomes of the conversations that are under way when a tenant's chart changes.

`charts.place.locate` decides it when each goes on; here it is only told beforehand.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from engine.charts.place import locate
from engine.domain.conversation import Position
from engine.spec.chart import Chart
from engine.version_ports import Standing

Outcome = Literal["stays", "renamed", "moved", "loses_return"]
"""`stays` in its state; goes to what the state is `renamed`; is `moved` as the state is gone; or
stays, while the state that `resume` led back to is gone."""

TOLD = {
    "stays": "stays there",
    "renamed": "goes on in '{to}': the state was renamed",
    "moved": "is moved to '{to}': the state is gone",
    "loses_return": "stays there, and goes back to the start from it: '{lost}' is gone",
}


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of the conversations in one state.

    Args:
        to: the state they will be in.
        lost: the state they could have come back to.
    """

    state: str
    count: int
    outcome: Outcome
    to: str
    lost: str = ""

    @property
    def is_harmed(self) -> bool:
        """Tell whether customers lose their place."""
        return self.outcome in ("moved", "loses_return")

    def __str__(self) -> str:
        told = TOLD[self.outcome].format(to=self.to, lost=self.lost)
        conversations = "1 conversation" if self.count == 1 else f"{self.count} conversations"
        return f"{self.state}: {conversations}: each {told}"


def fates(chart: Chart, standing: Iterable[Standing]) -> tuple[Fate, ...]:
    """Tell what becomes of conversations, those that are harmed first, the many before the few."""
    counts: Counter[Fate] = Counter()
    for each in standing:
        counts[_fate(chart, each.position)] += each.count
    found = (Fate(f.state, n, f.outcome, f.to, f.lost) for f, n in counts.items())
    return tuple(sorted(found, key=lambda f: (not f.is_harmed, -f.count, f.state, f.lost)))


def _fate(chart: Chart, position: Position) -> Fate:
    place, state = locate(chart, position), position.leaf
    to = place.leaf or chart.start
    if place.moved:
        return Fate(state, 0, "moved", to)
    if position.resume and place.resume is None:
        return Fate(state, 0, "loses_return", to, position.resume)
    return Fate(state, 0, "stays" if state in chart.states else "renamed", to)
