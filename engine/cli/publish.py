"""`comanda publish`: a tenant's files, checked, become what every process serves."""

import asyncio
from pathlib import Path

import click
import orjson

from engine.authoring.publish import Proposal
from engine.cli.check_output import problem_as_json
from engine.cli.databases import data_option
from engine.cli.output import log_to_stderr
from engine.cli.published import Tools, fates_as_json, show_fates, tools
from engine.cli.texts import TEXT
from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.spec.problems import SpecError
from engine.version_ports import LONGEST_NOTE, Version

SOON = "running processes serve it within a few seconds"


def _noted(_: click.Context, __: click.Parameter, note: str | None) -> str:
    if note and len(note) > LONGEST_NOTE:
        raise click.BadParameter(f"it has {len(note)} characters, {LONGEST_NOTE} fit")
    return note or ""


@click.command()
@click.argument("tenant")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Tell what it would do, publish nothing.")
@click.option(
    "--move", "is_moving", is_flag=True,
    help="Publish although conversations lose their place, as their state is gone.",
)  # fmt: skip
@click.option("--note", type=TEXT, callback=_noted, help="What is new, for `comanda versions`.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@data_option
def publish(
    tenant: str,
    *,
    is_sure: bool,
    is_dry: bool,
    is_moving: bool,
    note: str,
    form: str,
    data: Path,
) -> None:
    """Let every process serve TENANT what its files say now.

    \b
    Example: comanda publish la-tavola --dry-run
    Example: comanda publish la-tavola --note "summer menu"
    The files are checked as `comanda check` does; then it is told what changes for customers, and
    what becomes of the conversations under way. Nothing is restarted. A state that is gone should
    have its new name in `renamed`; else whoever is in it loses his place, which needs --move.
    `comanda rollback` takes it back. Exits with 1 if nothing was published, or would be.
    """
    if form == "json" and not (is_sure or is_dry):
        raise click.UsageError("--format json asks nothing: it takes --yes or --dry-run")
    log_to_stderr(level="critical")
    own = TenantId(tenant)
    try:
        asyncio.run(
            _publish(own, is_sure=is_sure, is_dry=is_dry, is_moving=is_moving, note=note,
                     form=form, data=data)
        )  # fmt: skip
    except SpecError as error:
        if form == "json":
            _json(
                {
                    "tenant": own,
                    "published": False,
                    "problems": list(map(problem_as_json, error.problems)),
                }
            )
            raise SystemExit(1) from error
        raise EngineError(f"{error}\npublish: {own}: nothing was published") from error


async def _publish(
    tenant: TenantId,
    *,
    is_sure: bool,
    is_dry: bool,
    is_moving: bool,
    note: str,
    form: str,
    data: Path,
) -> None:
    async with tools(data) as opened:
        proposal = await opened.publishing.propose(tenant, note)
        if form == "text":
            _show(proposal)
        refusal = _refusal(proposal, is_moving=is_moving)
        may = proposal.is_new and not is_dry and not refusal
        if may and not is_sure:
            may = await asyncio.to_thread(click.confirm, f"Publish {tenant}?")
        version = await _done(opened, proposal) if may else None
        if form == "json":
            _json(_told(proposal, version, refusal))
        else:
            _end(proposal, version, refusal)
    if refusal or not (version or is_dry or not proposal.is_new):
        raise SystemExit(1)


async def _done(opened: Tools, proposal: Proposal) -> Version:
    version = await opened.publishing.publish(proposal)
    await opened.note("publish", version.tenant)
    return version


def _refusal(proposal: Proposal, *, is_moving: bool) -> str:
    if is_moving or not proposal.is_new or not proposal.is_harmful:
        return ""
    return "conversations would lose their place: give their states in `renamed`, or use --move"


def _show(proposal: Proposal) -> None:
    for problem in proposal.problems:
        click.echo(str(problem))
    if not proposal.is_new:
        return
    for path, done in proposal.files.items():
        click.echo(f"{done}: {path}")
    if proposal.changes is None:
        click.echo("changes: nothing is published that it could be compared with")
    else:
        click.echo("changes for customers:")
        for line in proposal.changes or ["none"]:
            click.echo(f"  {line}")
    click.echo("conversations under way:")
    show_fates(proposal.fates)


def _end(proposal: Proposal, version: Version | None, refusal: str) -> None:
    tenant = proposal.version.tenant
    if version:
        click.echo(f"publish: {tenant}: version {version.number} is live; {SOON}")
    elif not proposal.is_new and proposal.live:
        click.echo(
            f"publish: {tenant}: version {proposal.live.number} has these files and is live"
        )
    else:
        click.echo(f"publish: {tenant}: nothing was published{f': {refusal}' if refusal else ''}")


def _told(proposal: Proposal, version: Version | None, refusal: str) -> dict[str, object]:
    return {
        "tenant": proposal.version.tenant,
        "published": version is not None,
        "version": version.number if version else None,
        "live": proposal.live.number if proposal.live else None,
        "digest": proposal.version.digest,
        "is_new": proposal.is_new,
        "files": proposal.files,
        "changes": proposal.changes,
        "conversations": fates_as_json(proposal.fates),
        "problems": list(map(problem_as_json, proposal.problems)),
        "refusal": refusal,
    }


def _json(content: dict[str, object]) -> None:
    click.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2))
