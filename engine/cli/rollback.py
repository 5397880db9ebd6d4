"""`comanda rollback`: an earlier version of a tenant becomes what every process serves."""

import asyncio
from pathlib import Path

import click
import orjson

from engine.authoring.publish import Moved
from engine.cli.databases import data_option
from engine.cli.output import log_to_stderr
from engine.cli.published import fates_as_json, show_fates, tools
from engine.domain.ids import TenantId
from engine.version_ports import FOLDER


@click.command()
@click.argument("tenant")
@click.argument("number", type=click.IntRange(min=1, max=10**9), required=False)
@click.option(
    "--to-folder", "is_to_folder", is_flag=True,
    help="Serve what each process finds in its content folder, as if nothing was published.",
)  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@data_option
def rollback(
    tenant: str, *, number: int | None, is_to_folder: bool, form: str, data: Path
) -> None:
    """Let every process serve version NUMBER of TENANT again.

    \b
    Example: comanda rollback la-tavola
    Example: comanda rollback la-tavola 3
    Without NUMBER it is the version that the live one took the place of. It is done at once,
    whatever becomes of the conversations under way, which is told. One that this engine cannot
    serve is refused.
    """
    if is_to_folder and number is not None:
        raise click.UsageError("it is either a NUMBER or --to-folder")
    log_to_stderr(level="critical")
    moved = asyncio.run(_rollback(TenantId(tenant), FOLDER if is_to_folder else number, data))
    if form == "json":
        told = {
            "tenant": moved.tenant,
            "live": moved.number,
            "before": moved.before,
            "conversations": fates_as_json(moved.fates),
        }
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
        return
    click.echo("conversations under way:")
    show_fates(moved.fates)
    click.echo(
        f"rollback: {tenant}: {_called(moved.number)} is live instead of {_called(moved.before)}; "
        "running processes serve it within a few seconds"
    )


async def _rollback(tenant: TenantId, number: int | None, data: Path) -> Moved:
    async with tools(data) as opened:
        moved = await opened.publishing.rollback(tenant, number)
        await opened.note("rollback", tenant)
        return moved


def _called(number: int) -> str:
    return f"version {number}" if number else "the folder"
