"""`comanda replay`: why it said that, and what other content would have said."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click
import orjson

from engine.authoring.replay.dialog import dialog_of
from engine.authoring.replay.text import as_json, explained, parted, parted_json
from engine.authoring.replay.turns import Replay, Replayed
from engine.cli.databases import data_option
from engine.cli.opened import Opened, opened
from engine.cli.texts import TEXT, printable
from engine.clock import ORDER_ALPHABET, ORDER_LENGTH
from engine.domain.ids import CustomerKey, OrderNumber
from engine.errors import EngineError
from engine.ports import LoggedTurn
from engine.runtime.forgetting import NobodyKnown
from engine.spec.bundle import Bundle
from engine.spec.library import Library
from engine.spec.problems import SpecError
from engine.storage.erasure import MongoErasure
from engine.storage.turn_logs import MongoTurnLogs
from engine.verbs import all_verbs

FEW: Final = 20
"""Turns that are shown if nothing else is said."""
MANY_PARTED: Final = 10
"""Turns whose messages part that are shown in full."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of a customer's turns."""

    who: str
    at: str | None
    last: int
    folder: Path | None
    file: Path | None
    form: str


@click.command()
@click.argument("tenant")
@click.argument("who", metavar="CUSTOMER|ORDER", type=TEXT)
@click.option("--at", type=TEXT, help="Only the turn that was the latest at this time.")
@click.option(
    "--last",
    type=click.IntRange(1, 10_000),
    default=FEW,
    show_default=True,
    help="How many turns are shown.",
)
@click.option(
    "--with",
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Take all that is recorded again with the content of this folder.",
)
@click.option(
    "--save",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what is recorded as a dialog, with names, phones and addresses masked.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@data_option
def replay(
    tenant: str,
    *,
    who: str,
    at: str | None,
    last: int,
    folder: Path | None,
    file: Path | None,
    form: str,
    data: Path,
) -> None:
    """Tell why TENANT's bot said what it said to a customer, who is named by his key, his phone
    number or one of his orders.

    \b
    Example: comanda replay la-tavola 15551234567
    Example: comanda replay la-tavola K7M2QX --at 2030-06-14T19:30
    Example: comanda replay la-tavola 15551234567 --with ../edited
    Example: comanda replay la-tavola 15551234567 --save tenants/la-tavola/dialogs/lost.yaml

    Each step is shown with file and line, the way it was when the turn was taken. With --with it
    exits with 1 if the messages part anywhere. A time without an offset is in the tenant's time
    zone. What a customer did inside a Flow is not recorded, only how it ended.
    """
    if folder and file:
        raise click.UsageError("--with and --save do not go together")
    if folder and not (folder / "conversations").is_dir():
        raise click.BadParameter(
            f"'{folder}' holds no folder 'conversations'", param_hint="--with"
        )
    if file and file.exists():
        raise click.BadParameter(f"'{file}' exists already", param_hint="--save")
    asked = _Asked(who, at, last, folder, file, form)
    if asyncio.run(_replay(tenant, asked, data)):
        raise SystemExit(1)


async def _replay(tenant: str, asked: _Asked, data: Path) -> bool:
    """Do it; tell whether messages part."""
    async with opened(tenant, data) as parts:
        bundle = _served(parts)
        zone = _zone(bundle)
        until = _time(asked.at, zone) if asked.at else None
        logs = MongoTurnLogs(parts.database, parts.tenant)
        customers = await _customers(parts, logs, asked.who)
        # A customer may have been known by two keys: each is a conversation of its own.
        whole = asked.folder is not None or asked.file is not None
        limit = 0 if whole else 1 if until else asked.last
        turns = [await logs.of(each, until=until, limit=limit) for each in customers]
    kept = [each for each in turns if each]
    if not kept:
        raise EngineError("no turn of this customer is kept" + (" from then" if until else ""))
    if asked.folder:
        return await _beside(parts, kept, asked, zone)
    if asked.file:
        await _save(bundle, kept, asked.file, zone)
    else:
        _show([turn for each in kept for turn in each], bundle, asked.form, zone)
    return False


def _served(parts: Opened) -> Bundle | None:
    """Give the bundle that is here; what is logged can be shown without it."""
    try:
        return parts.bundle(parts.tenant)
    except SpecError:
        return None


def _zone(bundle: Bundle | None) -> ZoneInfo:
    return bundle.tenant.zone if bundle else ZoneInfo("UTC")


def _time(written: str, zone: ZoneInfo) -> datetime:
    try:
        at = datetime.fromisoformat(written)
    except ValueError as error:
        raise click.BadParameter(
            f"{written!r} is no time such as 2030-06-14T19:30", param_hint="--at"
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=zone)


async def _customers(parts: Opened, logs: MongoTurnLogs, who: str) -> Sequence[CustomerKey]:
    found = await MongoErasure(parts.database, parts.tenant).find(who)
    if found:
        return found
    number = who.removeprefix("#").upper()
    if len(number) == ORDER_LENGTH and set(number) <= set(ORDER_ALPHABET):
        customer = await logs.customer_of(OrderNumber(number))
        if customer is not None:
            return (customer,)
    raise NobodyKnown("there is nobody known by that key, phone number or order")


def _show(turns: Sequence[LoggedTurn], bundle: Bundle | None, form: str, zone: ZoneInfo) -> None:
    if form == "json":
        _json({"turns": [as_json(turn) for turn in turns]})
        return
    for place, turn in enumerate(turns):
        if place:
            click.echo()
        _echo(explained(turn, bundle, zone))


async def _beside(
    parts: Opened, kept: Sequence[Sequence[LoggedTurn]], asked: _Asked, zone: ZoneInfo
) -> bool:
    assert asked.folder is not None
    library = Library(asked.folder, all_verbs())
    library.require(parts.tenant)
    replays = Replay(library.load(parts.tenant))
    played = [each for turns in kept for each in await replays.through(turns)]
    differing = [each for each in played if each.parts]
    unsure = [each for each in played if each.record is None]
    if asked.form == "json":
        _json({"turns": [parted_json(each) for each in played]})
    else:
        _show_parted(played, differing, unsure, zone)
    return bool(differing)


def _show_parted(
    played: Sequence[Replayed],
    differing: Sequence[Replayed],
    unsure: Sequence[Replayed],
    zone: ZoneInfo,
) -> None:
    for each in (each for each in played if each in differing[:MANY_PARTED] or each in unsure):
        _echo(parted(each, zone))
        click.echo()
    more = len(differing) - MANY_PARTED
    if more > 0:
        click.echo(f"and {more} more turns whose messages part")
    doubt = f", {len(unsure)} cannot be told" if unsure else ""
    click.echo(f"replay: {len(played)} turns, the messages of {len(differing)} part{doubt}")


async def _save(
    bundle: Bundle | None, kept: Sequence[Sequence[LoggedTurn]], file: Path, zone: ZoneInfo
) -> None:
    turns = kept[-1]
    played = await Replay(bundle).through(turns) if bundle else ()
    saved = dialog_of(turns, [each.record for each in played if each.record], zone)
    try:
        await asyncio.to_thread(file.write_text, saved.text(), encoding="utf-8")
    except OSError as error:
        raise EngineError(f"'{file}' cannot be written: {error.strerror}") from error
    for sentence in saved.left_out:
        click.echo(f"left out: {printable(sentence)}")
    steps = len(saved.dialog.steps)
    click.echo(f"replay: {steps} steps written to {file}; read them before you share them")


def _echo(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(printable(line))


def _json(content: dict[str, Any]) -> None:
    click.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2, default=str))
