"""Timers of states: which there are when a customer stands somewhere, and which have run out.

A timer that fires is an event of ours like any other; what is stale is told before its turn.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from engine.box_ports import Timer
from engine.charts.place import renamed
from engine.domain.conversation import Conversation
from engine.spec.chart import Chart, delay_of, timer_event

ENTRY = "entry"
"""Key in the data of a timer that fired: the entry into its state, None for one of no state."""
HANDED_BACK = "handed_back"
"""The event of a conversation that comes back to the bot: by staff, an operator, or time."""
_FIRST = "after"
"""The first word of a timer's event; see `timer_event`."""


def timers_of(
    chart: Chart, conversation: Conversation, *, since: int, now: datetime
) -> list[Timer]:
    """Make the timers of the states that were entered after an entry, the outermost first."""
    made: list[Timer] = []
    for state, entry in conversation.entries.items():
        for delay in chart.states[state].after if entry > since else ():
            event = timer_event(state, delay)
            made.append(
                Timer(
                    id=f"{conversation.tenant}:{conversation.customer}:{entry}:{event}",
                    tenant=conversation.tenant,
                    customer=conversation.customer,
                    event=event,
                    entry=entry,
                    due=now + delay_of(delay),
                    phone_number_id=conversation.phone_number_id,
                )
            )
    return made


def entries_now(chart: Chart, entries: Mapping[str, int]) -> dict[str, int]:
    """Give the entries into states under the names that these have now."""
    return dict(_renamed(chart, entries))


def _renamed(chart: Chart, entries: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    for state, entry in entries.items():
        name = renamed(chart, state)
        if name is not None:
            yield name, entry


def event_now(chart: Chart, event: str) -> str:
    """Give the name that a timer's event has in the chart as it is now; others keep theirs."""
    word, *rest = event.split(".")
    if word != _FIRST or len(rest) != 2:
        return event
    state, delay = rest
    return timer_event(renamed(chart, state) or state, delay)


def is_stale(chart: Chart, event: str, entry: int | None, conversation: Conversation) -> bool:
    """Tell whether a timer that fired is nothing to the conversation any more.

    It is when the customer has left the state it is of, or when the chart has it no more. One of
    no state (`entry` is None) never is.
    """
    if entry is None:
        return False
    name = event_now(chart, event)
    held = entries_now(chart, conversation.entries)
    if name == HANDED_BACK:  # an action has set it, for as long as he is there
        return entry not in held.values()
    return not any(
        entry == count and timer_event(state, delay) == name
        for state, count in held.items()
        for delay in chart.states[state].after
    )
