"""Where a conversation stands in a chart that may have changed under it."""

from dataclasses import dataclass

from engine.domain.conversation import Position
from engine.spec.chart import Chart


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a chart.

    Args:
        leaf: the innermost state; None for a conversation that has not begun.
        resume: the leaf that `resume` leads to.
        moved: the state the customer was in is gone.
    """

    leaf: str | None
    resume: str | None
    moved: bool = False


def locate(chart: Chart, position: Position | None) -> Place:
    """Find where a conversation stands in the chart as it is now.

    A state that is gone is looked up in `renamed`, then its nearest outer state that still exists
    is taken, then the chart's start; only in the last two cases has the customer been moved.
    """
    if position is None:
        return Place(None, None)
    resume = _resumable(chart, position.resume) if position.resume else None
    leaf = renamed(chart, position.leaf)
    if leaf:
        return Place(innermost(chart, leaf), resume)
    outer = next((s for s in reversed(position.path[:-1]) if s in chart.states), chart.start)
    return Place(innermost(chart, outer), resume, moved=True)


def _resumable(chart: Chart, state: str) -> str | None:
    """Find where `resume` leads now; None if that is gone, then it leads to the chart's start."""
    found = renamed(chart, state)
    if found is None or chart.states[chart.path(found)[0]].aside:
        return None
    return innermost(chart, found)


def renamed(chart: Chart, state: str) -> str | None:
    """Give the id a state has now, or None if it is gone."""
    for _ in range(9):
        if state in chart.states:
            return state
        if state not in chart.renamed:
            return None
        state = chart.renamed[state]
    return None


def innermost(chart: Chart, state: str) -> str:
    """Go down to the state that is entered first inside a state."""
    while start := chart.states[state].start:
        state = start
    return state
