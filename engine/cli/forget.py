"""`comanda forget`: what is stored of one customer is removed, or loses what is personal."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click
import orjson

from engine.cli.audited import note
from engine.cli.databases import data_option
from engine.cli.opened import opened
from engine.cli.texts import TEXT, printable
from engine.domain.ids import CustomerKey, TenantId
from engine.row_ports import Forgotten
from engine.runtime.forgetting import answer, known
from engine.runtime.forgetting import forget as erase
from engine.storage.erasure import MongoErasure


@click.command()
@click.argument("tenant")
@click.argument("customer", type=TEXT)
@click.option("--dry-run", "is_dry", is_flag=True, help="Erase nothing, tell who would be meant.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@data_option
def forget(tenant: str, *, customer: str, is_dry: bool, form: str, data: Path) -> None:
    """Erase a CUSTOMER of TENANT, named by his key or his phone number, everywhere.

    \b
    Example: comanda forget la-tavola 15551234567 --dry-run
    Example: comanda forget la-tavola 15551234567
    His orders stay, without anything personal. Exits with 1 if nobody is known by that.
    """
    asyncio.run(_forget(tenant, customer, is_dry=is_dry, form=form, data=data))


async def _forget(tenant: str, customer: str, *, is_dry: bool, form: str, data: Path) -> None:
    async with opened(tenant, data) as parts:
        erasure = MongoErasure(parts.database, parts.tenant)
        if is_dry:
            _show_found(parts.tenant, await known(erasure, customer), form)
            return
        gone = await erase(erasure, customer, now=parts.clock.now())
        await note(parts.database, parts.settings, "forget", tenant=parts.tenant)
        _show(parts.tenant, gone, form)


def _show_found(tenant: TenantId, customers: Sequence[CustomerKey], form: str) -> None:
    if form == "json":
        _json(answer(tenant, Forgotten(tuple(customers))) | {"dry_run": True})
        return
    for each in customers:
        click.echo(f"{printable(each)}: would be forgotten")
    click.echo(f"forget: {tenant}: nothing was changed")


def _show(tenant: TenantId, gone: Forgotten, form: str) -> None:
    if form == "json":
        _json(answer(tenant, gone) | {"dry_run": False})
        return
    for name in sorted(gone.removed.keys() | gone.anonymised.keys()):
        removed, kept = gone.removed.get(name, 0), gone.anonymised.get(name, 0)
        told = (f"{removed} removed" if removed else "", f"{kept} anonymised" if kept else "")
        click.echo(f"{name}: {', '.join(filter(None, told)) or 'nothing'}")
    click.echo(f"forget: {tenant}: the customer was forgotten")


def _json(content: dict[str, object]) -> None:
    click.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2))
