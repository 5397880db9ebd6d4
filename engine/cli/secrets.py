"""`comanda secrets`: what is stored under ENCRYPTION_SECRET is sealed again under a new one."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
import orjson

from engine.cli.audited import note
from engine.cli.databases import data_option, database
from engine.cli.development import with_secrets
from engine.settings import read_settings
from engine.storage.connection import Database
from engine.storage.rotation import Rotated, Rotation
from engine.storage.secrets import Vault


@click.group()
def secrets() -> None:
    """Replace ENCRYPTION_SECRET, under which tokens and keys are stored.

    \b
    Example: comanda secrets rotate --dry-run
    Example: comanda secrets rotate
    `comanda secrets rotate --help` tells the order of the steps.
    """


@secrets.command()
@click.option("--dry-run", "is_dry", is_flag=True, help="Change nothing, tell what would be done.")
@click.option(
    "--seal-plain", "is_sealing_plain", is_flag=True,
    help="Seal access tokens that another program stored as plain text, too.",
)  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@data_option
def rotate(*, is_dry: bool, is_sealing_plain: bool, form: str, data: Path) -> None:
    """Seal every stored access token and Flow key with ENCRYPTION_SECRET.

    \b
    Example: comanda secrets rotate --dry-run
    Example: comanda secrets rotate

    To replace the secret while any number of processes runs, none of which may meet what it cannot
    open:

    \b
    1. Restart every process with
         ENCRYPTION_SECRET=<old>  ENCRYPTION_SECRET_PREVIOUS=<new>
       They seal with the old secret and can open what the new one seals.
    2. When all run so, restart every process with
         ENCRYPTION_SECRET=<new>  ENCRYPTION_SECRET_PREVIOUS=<old>
    3. When all run so, run this command with the same two, until it says that everything is
       sealed with ENCRYPTION_SECRET. It may be stopped and run again at any time.
    4. A day after step 2, restart every process without ENCRYPTION_SECRET_PREVIOUS. Flows that
       were sent before step 2 are signed with the old secret and open for 24 hours.

    If the old secret leaked, do not wait that day: who has a Flow open then has to start it again.
    ENCRYPTION_SECRET_PREVIOUS takes several secrets, with commas or spaces between them.

    Exits with 1 if something cannot be opened.
    """
    rotated = asyncio.run(_rotate(data, is_dry=is_dry, is_sealing_plain=is_sealing_plain))
    has_failed = any(each.unopened for each in rotated)
    if form == "json":
        told = {
            "dry_run": is_dry,
            "failed": has_failed,
            "collections": [asdict(each) for each in rotated],
        }
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    else:
        _show(rotated, is_dry=is_dry)
    if has_failed:
        raise SystemExit(1)


async def _rotate(data: Path, *, is_dry: bool, is_sealing_plain: bool) -> Sequence[Rotated]:
    settings = with_secrets(read_settings(), data)
    vault = Vault(*settings.encryption_secrets())
    async with (
        database(settings, data) as ready,
        Database(ready.mongodb_uri, name=ready.mongodb_db_name) as opened,
    ):
        rotation = Rotation(opened, vault, is_sealing_plain=is_sealing_plain, is_dry=is_dry)
        rotated = await rotation.run()
        if not is_dry:
            outcome = "failed" if any(each.unopened for each in rotated) else "done"
            await note(opened, settings, "secrets rotate", tenant=None, outcome=outcome)
        return rotated


def _show(rotated: Sequence[Rotated], *, is_dry: bool) -> None:
    for each in rotated:
        click.echo(
            f"{each.collection}: {each.resealed} re-sealed, {each.current} current, "
            f"{len(each.sealed)} sealed that were plain, {len(each.plain)} plain, "
            f"{len(each.unopened)} that cannot be opened"
        )
        for tenant in each.sealed:
            click.echo(f"  {tenant}: it was not sealed, and is now")
        for tenant in each.plain:
            click.echo(f"  {tenant}: it is not sealed; --seal-plain seals it")
        for tenant, reason in each.unopened.items():
            click.echo(f"  {tenant}: {reason}")
    click.echo(f"rotate: {_outcome(rotated, is_dry=is_dry)}")


def _outcome(rotated: Sequence[Rotated], *, is_dry: bool) -> str:
    if is_dry:
        return "this is what would be done; nothing was changed"
    if any(each.unopened for each in rotated):
        return (
            "not everything could be opened: name the missing secret in "
            "ENCRYPTION_SECRET_PREVIOUS, or store the tokens and keys again"
        )
    if any(each.plain for each in rotated):
        return "everything that was sealed is sealed with ENCRYPTION_SECRET"
    return "everything is sealed with ENCRYPTION_SECRET"
