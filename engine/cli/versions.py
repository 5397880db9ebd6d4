"""`comanda versions`: what was published of a tenant, and what is live."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click
import orjson

from engine.cli.databases import data_option
from engine.cli.output import log_to_stderr
from engine.cli.published import tools
from engine.cli.texts import printable
from engine.domain.ids import TenantId
from engine.version_ports import FOLDER, Live, Version

FEW, MOST = 20, 1000


@click.command()
@click.argument("tenant")
@click.option("--limit", type=click.IntRange(1, MOST), default=FEW, show_default=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@data_option
def versions(tenant: str, *, limit: int, form: str, data: Path) -> None:
    """List what was published of TENANT, the newest first.

    \b
    Example: comanda versions la-tavola
    The digest is the one that turns and conversations name.
    """
    log_to_stderr(level="critical")
    found, live = asyncio.run(_found(TenantId(tenant), limit, data))
    number = live.number if live else FOLDER
    if form == "json":
        told = {"tenant": tenant, "live": number or None, "versions": list(map(_as_json, found))}
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
        return
    for version in found:
        click.echo(_line(version, is_live=version.number == number))
    what = f"version {number} is live" if number else "its folder is served"
    click.echo(f"versions: {tenant}: {what}" + ("" if found else "; nothing was published yet"))


async def _found(
    tenant: TenantId, limit: int, data: Path
) -> tuple[Sequence[Version], Live | None]:
    async with tools(data) as opened:
        found = await opened.versions.list(tenant, limit=limit)
        if not found:
            opened.publishing.require(tenant)
        return found, await opened.versions.live_of(tenant)


def _line(version: Version, *, is_live: bool) -> str:
    at = version.at.strftime("%Y-%m-%d %H:%M")
    mark = "live" if is_live else "    "
    return (
        f"{version.number:4}  {at}  {version.digest}  {mark}  {printable(version.note)}".rstrip()
    )


def _as_json(version: Version) -> dict[str, object]:
    return {
        "number": version.number,
        "at": version.at,
        "digest": version.digest,
        "note": version.note,
        "replaces": version.replaces or None,
    }
