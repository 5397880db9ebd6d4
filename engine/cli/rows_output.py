"""What `comanda inbox` and `comanda outbox` print, as text or as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import click
import orjson

from engine.cli.texts import printable
from engine.row_ports import RowDetails, RowSummary
from engine.runtime.row_answers import Box, Change, answer

COLUMNS: Final = ("id", "state", "customer", "kind", "age", "attempts", "due", "error")
LONGEST_ERROR: Final = 80
"""Characters of an error in the table."""
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


@dataclass(frozen=True, slots=True)
class Listed:
    """Rows that were found.

    Args:
        is_cut: there are more.
        is_chosen: they are not what waits or needs somebody, but what was asked for.
    """

    box: Box
    tenant: str
    rows: Sequence[RowSummary]
    counts: Mapping[str, int]
    is_cut: bool
    is_chosen: bool
    now: datetime


def show_list(listed: Listed, form: str) -> None:
    """Print rows, a line each, and how many there are by state."""
    if form == "json":
        _json(
            {
                "tenant": listed.tenant,
                "counts": dict(listed.counts),
                "rows": [answer(row) for row in listed.rows],
            }
        )
        return
    if listed.rows:
        _table([COLUMNS, *(_cells(row, listed.now) for row in listed.rows)])
    none = "there are no such rows; " if listed.is_chosen else "nothing waits; "
    told = "" if listed.rows else none
    counts = ", ".join(f"{count} {state}" for state, count in listed.counts.items() if count)
    click.echo(f"{listed.box}: {listed.tenant}: {told}{counts or 'it is empty'}")
    if listed.is_cut:
        click.echo(f"{listed.box}: there are more than these {len(listed.rows)}; see --limit")


def show_row(details: RowDetails, form: str) -> None:
    """Print a row with all that is stored of it."""
    told = answer(details.summary)
    if form == "json":
        _json(told | {"document": details.document})
        return
    for name, value in told.items():
        click.echo(f"{name}: {'-' if value is None else printable(str(value))}")
    click.echo("document:")
    written = orjson.dumps(details.document, option=orjson.OPT_INDENT_2).decode()
    for line in written.splitlines():
        click.echo(f"  {printable(line)}")


def show_changes(box: Box, tenant: str, done: str, changes: Sequence[Change], form: str) -> None:
    """Print what became of rows.

    Args:
        done: what became of a row that was changed: "retried" or "discarded".
    """
    if form == "json":
        told = [asdict(each) | {"outcome": _outcome(each, done)} for each in changes]
        _json({"tenant": tenant, "rows": told})
        return
    for each in changes:
        click.echo(f"{printable(each.id)}: {_sentence(each, done)}")
    count = sum(1 for each in changes if each.outcome == "done")
    rest = f", {len(changes) - count} not" if count < len(changes) else ""
    noun = "row was" if count == 1 else "rows were"
    click.echo(f"{box}: {tenant}: {count} {noun} {done}{rest}")


def _outcome(change: Change, done: str) -> str:
    return done if change.outcome == "done" else change.outcome


def _sentence(change: Change, done: str) -> str:
    if change.outcome == "done":
        return done
    if change.outcome == "unknown":
        return "there is no such row"
    return f"it cannot be {done}: it is {change.state}"


def _table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[n]) for row in rows) for n in range(len(COLUMNS))]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


def _cells(row: RowSummary, now: datetime) -> tuple[str, ...]:
    state = f"{row.state} ({row.status})" if row.status not in (None, row.state) else row.state
    error = " ".join((row.error or "").split())
    if len(error) > LONGEST_ERROR:
        error = f"{error[: LONGEST_ERROR - 1]}…"
    due = "-"
    if row.due:
        due = "now" if row.due <= now else f"in {_span(row.due - now)}"
    cells = (
        row.id, state, row.customer, row.kind, _span(now - row.at), str(row.attempts), due, error
    )  # fmt: skip
    return tuple(map(printable, cells))


def _span(time: timedelta) -> str:
    """Write how long it is, in its largest unit."""
    seconds = max(int(time.total_seconds()), 0)
    size, unit = next((each for each in _UNITS if seconds >= each[0]), _UNITS[-1])
    return f"{seconds // size}{unit}"


def _json(content: Mapping[str, Any]) -> None:
    click.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2))
