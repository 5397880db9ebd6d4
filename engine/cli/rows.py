"""The commands that `comanda inbox` and `comanda outbox` have in common."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from engine.cli import rows_output
from engine.cli.audited import Noted, noted
from engine.cli.databases import data_option
from engine.cli.opened import Opened, opened
from engine.cli.texts import TEXT, printable
from engine.domain.ids import CustomerKey, TenantId
from engine.errors import EngineError
from engine.row_ports import OperatorRows
from engine.runtime.row_answers import (
    DONE,
    FEW_ROWS,
    MOST_ROWS,
    OPEN,
    STATES,
    Box,
    Change,
    Verb,
    change,
    unknown_state,
)
from engine.storage.operator_rows import MongoInboxRows, MongoOutboxRows

format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text"
)
customer_option = click.option("--customer", type=TEXT, help="Only those of this customer key.")

# Ids have WhatsApp's own in them, as long as they are.
AN_ID: Final = {
    "inbox": "106540352242922:wamid.HBgLMTU1NTEyMzQ1Njc=",
    "outbox": "106540352242922:wamid.HBgLMTU1NTEyMzQ1Njc=:0",
}
MEANING: Final = {
    "retry": "Let rows of TENANT be tried again, as if they were new.",
    "discard": "Take rows of TENANT out for good, before they are worked on.",
}


@dataclass(frozen=True, slots=True)
class _Tools:
    """What a command works with."""

    tenant: TenantId
    rows: OperatorRows
    now: datetime
    note: Noted


def row_commands(box: Box, meaning: str) -> click.Group:
    """Make the commands for the inbox or the outbox."""
    examples = ("list la-tavola", "retry la-tavola --all --state dead")
    group = click.Group(box, help=_help(meaning, *(f"{box} {each}" for each in examples)))
    for command in (_list(box), _show(box), _changing(box, "retry"), _changing(box, "discard")):
        group.add_command(command)
    return group


def _list(box: Box) -> click.Command:
    text = _help(
        "List rows of TENANT, the newest first, and count them by state.",
        f"{box} list la-tavola",
        f"{box} list la-tavola --state dead --limit 5",
        more=f"The states are {', '.join(STATES[box])}. Without --state it lists where a row "
        f"waits or needs somebody: {', '.join(OPEN[box])}.",
    )

    @click.command("list", help=text)
    @click.argument("tenant")
    @_state_option(box, "Only those in this state; it may be given several times.")
    @customer_option
    @click.option(
        "--limit", type=click.IntRange(1, MOST_ROWS), default=FEW_ROWS, show_default=True
    )
    @format_option
    @data_option
    def list_(
        tenant: str,
        *,
        states: Sequence[str],
        customer: str | None,
        limit: int,
        form: str,
        data: Path,
    ) -> None:
        async def work(tools: _Tools) -> bool:
            found = await tools.rows.list(
                states=states or OPEN[box], customer=_key(customer), limit=limit + 1
            )
            listed = rows_output.Listed(
                box=box,
                tenant=tools.tenant,
                rows=found[:limit],
                counts=await tools.rows.counts(),
                is_cut=len(found) > limit,
                is_chosen=bool(states or customer),
                now=tools.now,
            )
            rows_output.show_list(listed, form)
            return True

        _run(box, tenant, data, work)

    return list_


def _show(box: Box) -> click.Command:
    text = _help(
        "Show all that is stored of a row of TENANT.",
        f"{box} show la-tavola {AN_ID[box]}",
        more="What was written is in it.",
    )

    @click.command("show", help=text)
    @click.argument("tenant")
    @click.argument("row_id", metavar="ID", type=TEXT)
    @format_option
    @data_option
    def show(tenant: str, *, row_id: str, form: str, data: Path) -> None:
        async def work(tools: _Tools) -> bool:
            found = await tools.rows.show(row_id)
            if found is None:
                raise EngineError(
                    f"'{tools.tenant}' has no such row in its {box}: {printable(row_id)}"
                )
            rows_output.show_row(found, form)
            return True

        _run(box, tenant, data, work)

    return show


def _changing(box: Box, verb: Verb) -> click.Command:
    text = _help(
        MEANING[verb],
        f"{box} {verb} la-tavola {AN_ID[box]}",
        f"{box} {verb} la-tavola --all --state dead",
        more="Exits with 1 if there is no such row, or if its state does not allow it.",
    )

    @click.command(verb, help=text)
    @click.argument("tenant")
    @click.argument("ids", metavar="[ID]...", nargs=-1, type=TEXT)
    @click.option("--all", "is_all", is_flag=True, help="All that are in the states of --state.")
    @_state_option(box, "With --all; it may be given several times.")
    @customer_option
    @format_option
    @data_option
    def changing(
        tenant: str,
        *,
        ids: Sequence[str],
        is_all: bool,
        states: Sequence[str],
        customer: str | None,
        form: str,
        data: Path,
    ) -> None:
        if is_all == bool(ids):
            raise click.UsageError("name rows by their ids, or --all with --state")
        if is_all != bool(states) or (customer and not is_all):
            raise click.UsageError("--all goes with --state, --state and --customer with --all")

        async def work(tools: _Tools) -> bool:
            chosen = ids
            if is_all:
                chosen = await _all(tools.rows, states, _key(customer))
            changes: list[Change] = []
            # One after the other: nobody may take a later row of a customer before an earlier one.
            for row_id in dict.fromkeys(chosen):
                changes.append(await change(tools.rows, verb, row_id, now=tools.now))
            is_done = all(each.outcome == "done" for each in changes)
            await tools.note(f"{box} {verb}", outcome="done" if is_done else "refused in part")
            rows_output.show_changes(box, tools.tenant, DONE[verb], changes, form)
            return is_done

        _run(box, tenant, data, work)

    return changing


async def _all(
    rows: OperatorRows, states: Sequence[str], customer: CustomerKey | None
) -> list[str]:
    """Give the ids of all rows in the states, the oldest first."""
    counts = await rows.counts()
    most = sum(counts.get(state, 0) for state in set(states))
    if not most:
        return []
    found = await rows.list(states=states, customer=customer, limit=most)
    return [row.id for row in reversed(found)]


def _key(customer: str | None) -> CustomerKey | None:
    return None if customer is None else CustomerKey(customer)


def _state_option(box: Box, meaning: str) -> Callable[[Any], Any]:
    def checked(_: click.Context, __: click.Parameter, states: tuple[str, ...]) -> tuple[str, ...]:
        for state in states:
            wrong = unknown_state(box, state)
            if wrong:
                raise click.BadParameter(f"{state!r}: {wrong}")
        return states

    return click.option("--state", "states", multiple=True, callback=checked, help=meaning)


def _help(meaning: str, *examples: str, more: str = "") -> str:
    lines = "\n".join(f"Example: comanda {example}" for example in examples)
    return f"{meaning}\n\n\b\n{lines}\n\n{more}".rstrip()


def _run(box: Box, tenant: str, data: Path, work: Callable[[_Tools], Awaitable[bool]]) -> None:
    """Do a command's work, and exit with 1 if it tells that something is wrong."""

    async def running() -> bool:
        async with _tools(box, tenant, data) as tools:
            return await work(tools)

    if not asyncio.run(running()):
        raise SystemExit(1)


@asynccontextmanager
async def _tools(box: Box, tenant: str, data: Path) -> AsyncIterator[_Tools]:
    async with opened(tenant, data) as parts:
        note = noted(parts.database, parts.settings, parts.tenant)
        yield _Tools(parts.tenant, _rows(box, parts), parts.clock.now(), note)


def _rows(box: Box, parts: Opened) -> OperatorRows:
    made = MongoInboxRows if box == "inbox" else MongoOutboxRows
    return made(parts.database, parts.tenant, retention=parts.settings.retention())
