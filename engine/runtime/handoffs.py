"""Hand-offs: which conversations a person answers, and who gave them to him or back."""

from typing import Final

from engine import metrics
from engine.charts.inbound import STAFF_WROTE
from engine.charts.timers import ENTRY, HANDED_BACK
from engine.ports import TurnRecord
from engine.spec.model import Chart
from engine.whatsapp.content import Raised
from engine.whatsapp.inbound import InboundMessage, raised

BY: Final = "by"
"""Key in the data of `handed_back`: `staff` or `operator`; a timer has none."""


def handed_back(by: str, *, phone_number_id: str) -> dict[str, object]:
    """Make the `raw` of the event that gives a conversation back to the bot."""
    return dict(raised(Raised(HANDED_BACK, {BY: by}), phone_number_id=phone_number_id))


def count(chart: Chart, record: TurnRecord, message: InboundMessage | None) -> None:
    """Count a conversation that was given to a person, or back, by a committed turn."""
    before, after = (is_mute(chart, s) for s in (record.log.source, record.log.target))
    if before == after or record.log.outcome != "done":
        return
    content = message.content if message else None
    event = content if isinstance(content, Raised) else None
    by = _began(event) if after else f"given_back_by_{_ended(event)}"
    metrics.handoffs.labels(by=by).inc()


def is_mute(chart: Chart, state: str | None) -> bool:
    """Tell whether a person answers in a state: the bot can be given it back there."""
    return state is not None and state in mute_states(chart)


def mute_states(chart: Chart) -> frozenset[str]:
    """Name the states in which a person answers."""
    return frozenset(
        name
        for name in chart.states
        if any(HANDED_BACK in chart.states[each].when for each in chart.path(name))
    )


def _began(event: Raised | None) -> str:
    if event is None:
        return "customer"
    return "staff" if event.event == STAFF_WROTE else "chart"


def _ended(event: Raised | None) -> str:
    if event is None:
        return "customer"
    return "timer" if ENTRY in event.data else str(event.data.get(BY))
