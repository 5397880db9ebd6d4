"""What operators may ask of the inbox and the outbox, and what they are told, at every door."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias, get_args

from engine.row_ports import InboxState, OperatorRows, OutboxState, RowSummary
from engine.spec.problems import did_you_mean

Box: TypeAlias = Literal["inbox", "outbox"]
Verb: TypeAlias = Literal["retry", "discard"]

STATES: Final[Mapping[Box, tuple[str, ...]]] = {
    "inbox": get_args(InboxState),
    "outbox": get_args(OutboxState),
}
OPEN: Final[Mapping[Box, tuple[str, ...]]] = {
    "inbox": ("new", "dead"),
    "outbox": ("queued", "unknown", "failed", "held", "dead"),
}
"""The states in which a row waits or needs somebody: what is listed if nobody says which."""
DONE: Final[Mapping[Verb, str]] = {"retry": "retried", "discard": "discarded"}
"""What a row was, once it was done."""
MOST_ROWS: Final = 1000
"""Rows that are listed at once."""
FEW_ROWS: Final = 50
"""Rows that are listed if nobody says how many."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a row that was to be retried or discarded.

    Args:
        state: the one that did not allow it; None if it was done, or there is no such row.
    """

    id: str
    outcome: Literal["done", "refused", "unknown"]
    state: str | None = None


async def change(rows: OperatorRows, verb: Verb, row_id: str, *, now: datetime) -> Change:
    """Retry or discard a row."""
    act = rows.retry if verb == "retry" else rows.discard
    is_done = await act(row_id, now=now)
    if is_done:
        return Change(row_id, "done")
    found = None if is_done is None else await rows.show(row_id)
    if found is None:
        return Change(row_id, "unknown")
    return Change(row_id, "refused", found.summary.state)


def unknown_state(box: Box, word: str) -> str | None:
    """Tell that there is no such state; None if there is."""
    if word in STATES[box]:
        return None
    hint = did_you_mean(word, STATES[box])
    known = f"there is no such state; there are {', '.join(STATES[box])}"
    return f"{known}; {hint}" if hint else known


def answer(summary: RowSummary) -> dict[str, Any]:
    """Give a row as it is written in JSON."""
    return {
        "id": summary.id,
        "state": summary.state,
        "status": summary.status,
        "customer": summary.customer,
        "kind": summary.kind,
        "at": summary.at.isoformat(),
        "due": summary.due.isoformat() if summary.due else None,
        "attempts": summary.attempts,
        "error": summary.error,
    }
