"""`comanda templates`: the message templates a tenant declares, made at Meta and followed."""

import asyncio
from pathlib import Path

import click
import orjson

from engine.cli.audited import note
from engine.cli.databases import data_option
from engine.cli.opened import Opened, opened
from engine.cli.texts import printable
from engine.errors import EngineError, GraphError
from engine.graph.templates import GraphTemplates
from engine.message_templates.declared import declared
from engine.message_templates.ports import APPROVED, KnownTemplate
from engine.message_templates.synced import Step, TemplateSync
from engine.storage.message_templates import MongoMessageTemplates

format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text"
)


@click.group()
def templates() -> None:
    """Make the message templates that messages declare at Meta, and follow their approval.

    \b
    Example: comanda templates sync la-tavola
    Example: comanda templates list la-tavola
    """


@templates.command("sync")
@click.argument("tenant")
@click.option(
    "--check", "is_checking", is_flag=True, help="Make and edit nothing, tell what would be."
)
@format_option
@data_option
def sync(tenant: str, *, is_checking: bool, form: str, data: Path) -> None:
    """Make the templates that TENANT's messages declare, in each of its languages.

    \b
    Example: comanda templates sync la-tavola --check
    Example: comanda templates sync la-tavola

    What Meta has is not made again; one of another text is edited, as far as Meta lets it be (an
    approved one once in 24 hours and 10 times in 30 days), and waits for approval once more. Exits
    with 1 if one was refused, rejected, is different or missing, and with --check also if one is
    not approved yet.
    """

    async def work() -> tuple[Step, ...]:
        async with opened(tenant, data) as parts:
            return await _sync(parts, is_checking=is_checking)

    steps = asyncio.run(work())
    if form == "json":
        fields = ("name", "language", "verb", "status", "reason")
        _json([{name: getattr(step, name) for name in fields} for step in steps])
    else:
        for step in steps:
            status = f" ({step.status.lower()})" if step.status else ""
            reason = f": {printable(step.reason)}" if step.reason else ""
            click.echo(f"{step.name} {step.language}: {step.verb}{status}{reason}")
        approved = sum(step.verb == "known" and step.status == APPROVED for step in steps)
        click.echo(f"templates: {tenant}: {len(steps)} declared, {approved} approved")
    is_well = all(step.is_well for step in steps)
    if is_checking:
        is_well = all(step.verb == "known" and step.status == APPROVED for step in steps)
    if not is_well:
        raise SystemExit(1)


@templates.command("list")
@click.argument("tenant")
@format_option
@data_option
def list_(tenant: str, *, form: str, data: Path) -> None:
    """List what Meta has told of the templates of TENANT.

    \b
    Example: comanda templates list la-tavola
    """

    async def work() -> tuple[KnownTemplate, ...]:
        async with opened(tenant, data) as parts:
            return await MongoMessageTemplates(parts.database, clock=parts.clock).all(parts.tenant)

    found = asyncio.run(work())
    if form == "json":
        fields = ("name", "language", "status", "category", "reason")
        _json(
            [
                {name: getattr(each, name) for name in fields}
                | {"updated_at": each.updated_at.isoformat()}
                for each in found
            ]
        )
        return
    for each in found:
        reason = f": {printable(each.reason)}" if each.reason else ""
        click.echo(f"{printable(each.name)} {printable(each.language)}: {each.status}{reason}")
    click.echo(f"templates: {tenant}: {len(found)} known")


async def _sync(parts: Opened, *, is_checking: bool) -> tuple[Step, ...]:
    definitions = declared(parts.bundle(parts.tenant))
    business = await parts.businesses.by_tenant(parts.tenant)
    if business is None or not business.waba_id:
        raise EngineError(
            f"'{parts.tenant}' has no WhatsApp account: set 'waba_id' in its tenant.yaml and run "
            f"`comanda seed {parts.tenant}`"
        )
    if not business.access_token:
        raise EngineError(f"'{parts.tenant}' has no access token")
    made = TemplateSync(
        calls=GraphTemplates(parts.graph, business.access_token),
        known=MongoMessageTemplates(parts.database, clock=parts.clock),
        clock=parts.clock,
    )
    if not is_checking:
        await note(parts.database, parts.settings, "templates sync", tenant=parts.tenant)
    try:
        return await made.sync(
            parts.tenant, business.waba_id, definitions, is_checking=is_checking
        )
    except GraphError as error:
        raise EngineError(f"Meta does not tell its templates: {error} {error.details}") from error


def _json(content: object) -> None:
    click.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2))
