"""`comanda handoff`: who is answered by a person, and giving him back to the bot."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click
import orjson

from engine.cli.audited import note
from engine.cli.databases import data_option
from engine.cli.opened import Opened, opened
from engine.cli.texts import TEXT, printable
from engine.errors import EngineError
from engine.runtime.handoff_answers import answer
from engine.runtime.handoffs import mute_states
from engine.staff_ports import Muted
from engine.storage.handoffs import MongoMuted

format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text"
)


@click.group()
def handoff() -> None:
    """See which customers a person answers, and let the bot answer them again.

    \b
    Example: comanda handoff list la-tavola
    Example: comanda handoff end la-tavola +12125550199
    """


@handoff.command("list")
@click.argument("tenant")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@format_option
@data_option
def list_(tenant: str, *, limit: int, form: str, data: Path) -> None:
    """List the customers of TENANT whom a person answers, the longest silent first.

    \b
    Example: comanda handoff list la-tavola
    The time is of the last message that either of the two wrote.
    """

    async def work() -> Sequence[Muted]:
        async with opened(tenant, data) as parts:
            return await _muted(parts).list(limit=limit)

    found = asyncio.run(work())
    if form == "json":
        click.echo(orjson.dumps([answer(each) for each in found], option=orjson.OPT_INDENT_2))
        return
    for each in found:
        click.echo(_line(each))
    click.echo(f"handoff: {tenant}: {len(found)} customers are answered by a person")


@handoff.command("end")
@click.argument("tenant")
@click.argument("customer", type=TEXT)
@data_option
def end(tenant: str, *, customer: str, data: Path) -> None:
    """Let the bot of TENANT answer CUSTOMER again: his key, or his phone number.

    \b
    Example: comanda handoff end la-tavola +12125550199
    The processes that serve the tenant tell him, at once or at their next start. Exits with 1 if
    no person answers him.
    """

    async def work() -> bool:
        async with opened(tenant, data) as parts:
            is_muted = await _muted(parts).end(customer, now=parts.clock.now())
            if is_muted:
                await note(parts.database, parts.settings, "handoff end", tenant=parts.tenant)
            return is_muted

    if not asyncio.run(work()):
        raise EngineError(f"'{tenant}': no person answers this customer")
    click.echo(f"handoff: {tenant}: the bot answers this customer again")


def _muted(parts: Opened) -> MongoMuted:
    states = mute_states(parts.bundle(parts.tenant).chart)
    return MongoMuted(parts.database, parts.tenant, states=states)


def _line(muted: Muted) -> str:
    since = f"{muted.since:%Y-%m-%d %H:%M} UTC" if muted.since else "?"
    phone = f"+{muted.phone}" if muted.phone else "-"
    return (
        f"{since}  {phone:<16} {printable(muted.customer)}  {printable(muted.name or '')}".rstrip()
    )
