"""Why a made-up customer gets no further in a Flow: the place that decided it, and the way there.

What he does is not known here (`rehearsal`).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.flows.exchange import Shown
from engine.spec.chart import Branch, Call
from engine.spec.check import calls_of, templates_of
from engine.spec.flow import Flow

Step = Mapping[str, Any]


def decided(flow: Flow, shown: Shown) -> str:
    """Tell where it is written that an exchange went so: what refused, or else what was taken."""
    for step in shown.steps:
        if "refused" in step:
            return str(step["at"])
    branch = _taken(flow, shown)
    if branch and branch.go:
        return str(flow.places.value_at((*branch.path, "go")))
    if branch:
        return branch.where
    asked = next((step["guard"] for step in shown.steps if "guard" in step), None)
    if asked:
        return _unanswered(flow, asked)
    return flow.screens[shown.screen].where if shown.screen else flow.where


def _unanswered(flow: Flow, guard: str) -> str:
    """Tell where the branches of an event are of which none held."""
    branch = next(b for b in flow.chart.all_branches() if b.where == guard)
    is_listed = isinstance(branch.path[-1], int)
    return str(flow.places.at(branch.path[:-1])) if is_listed else branch.where


def _taken(flow: Flow, shown: Shown) -> Branch | None:
    """Give the branch that was taken first."""
    where = next((step["branch"] for step in shown.steps if "branch" in step), None)
    return next((b for b in flow.chart.all_branches() if b.where == where), None)


def ways_there(flow: Flow, came: Shown | None, stays: Shown) -> Iterator[tuple[str, str]]:
    """Tell which way led to where an action refuses, for it may be the way that is wrong.

    Args:
        came: the exchange that led to the screen.
        stays: the exchange that does not lead on from it.

    Yields:
        The place where the way is written, and what is to be said of it.
    """
    refusal = next((step for step in stays.steps if "refused" in step), None)
    if refusal is None:
        return
    call = next((call for call in calls_of(flow.chart) if call.where == refusal["at"]), None)
    action = refusal["action"]
    on_the_way = stays.steps[: stays.steps.index(refusal)]
    entered = next((step["state"] for step in reversed(on_the_way) if "branch" not in step
                    and "state" in step), None)  # fmt: skip
    branch = _taken(flow, stays)
    if call and branch and branch.go and branch.go == entered:
        refused = refusal["refused"]
        yield (
            branch.where,
            f"it leads to '{entered}', which is not shown: there '{action}' says {refused}",
        )
    elif call and came:
        before = _taken(flow, came)
        unset = [name for name in _remembered(flow, call) if stays.variables.get(name) is None]
        if before and unset:
            names = ", ".join(f"'{name}'" for name in unset)
            yield before.where, f"nothing on this way sets {names}, which '{action}' needs"


def _remembered(flow: Flow, call: Call) -> list[str]:
    """Name what a call reads of what the Flow's own actions note."""
    noted = {n for each in calls_of(flow.chart) if each.verb.takes_any for n in each.arguments}
    read = {n for template in templates_of(dict(call.arguments)) for n in template.names}
    return sorted(noted & read)
