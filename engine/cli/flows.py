"""`comanda flows`: a tenant's key and WhatsApp Flows at Meta: made, shown and looked after."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from engine.app import flow_key
from engine.cli import flow_output
from engine.cli.audited import Noted, noted
from engine.cli.databases import data_option
from engine.cli.opened import Opened, opened
from engine.deployment.calls import explain
from engine.deployment.changes import Report
from engine.deployment.content import FlowContent
from engine.deployment.deployer import Deployer
from engine.deployment.doctor import FlowDoctor
from engine.deployment.listing import inspected, listing
from engine.deployment.listing import publish as publish_drafts
from engine.domain.ids import ProductId, TenantId
from engine.domain.money import Currency
from engine.errors import EngineError, GraphError
from engine.flow_ports import FlowKeys
from engine.graph.flow_ping import FlowPing
from engine.graph.flows import GraphFlows
from engine.storage.flow_keys import MongoFlowKeys
from engine.storage.repositories import MongoTenantStore
from engine.whatsapp.flow_crypto import FlowKey

format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text"
)


@click.group()
def flows() -> None:
    """Make keys for WhatsApp Flows and deploy them to Meta.

    \b
    Example: comanda flows keygen la-tavola
    Example: comanda flows deploy la-tavola --dry-run
    Example: comanda flows doctor la-tavola
    """


@flows.command()
@click.argument("tenant")
@click.option("--replace", "is_replacing", is_flag=True, help="Make a new key for the old one.")
@data_option
def keygen(tenant: str, *, is_replacing: bool, data: Path) -> None:
    """Make the key with which TENANT's Flow exchanges are decrypted.

    \b
    Example: comanda flows keygen la-tavola
    It is stored sealed; `comanda flows deploy` gives its public part to Meta.
    """

    async def work(tools: _Tools) -> bool:
        return await _keygen(tools, is_replacing=is_replacing)

    _run(tenant, data, work)


@flows.command()
@click.argument("tenant")
@click.option("--product", help="Only the Flow for products, for the one with this id alone.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Change nothing, tell what would be done.")
@format_option
@data_option
def deploy(tenant: str, *, product: str | None, is_dry: bool, form: str, data: Path) -> None:
    """Make Meta's Flows of TENANT what the files say, and publish them.

    \b
    Example: comanda flows deploy la-tavola --dry-run
    Example: comanda flows deploy la-tavola --product margherita
    What is as it should be is left alone; what was interrupted is finished.
    """
    only = ProductId(product) if product else None

    async def work(tools: _Tools) -> bool:
        report = await tools.deployer.deploy(tools.tenant, product=only, is_dry=is_dry)
        if not is_dry:
            await tools.note("flows deploy", outcome=_outcome(report))
        flow_output.show_report(report, form, "deploy")
        return not report.has_failed

    _run(tenant, data, work)


@flows.command("list")
@click.argument("tenant")
@format_option
@data_option
def list_(tenant: str, *, form: str, data: Path) -> None:
    """List TENANT's Flows, and others of the WhatsApp account.

    \b
    Example: comanda flows list la-tavola
    """

    async def work(tools: _Tools) -> bool:
        wanted = await tools.deployer.wanted(tools.tenant)
        flow_output.show_listing(await listing(tools.deployer, tools.tenant, wanted), form)
        return True

    _run(tenant, data, work)


@flows.command()
@click.argument("tenant")
@format_option
@data_option
def publish(tenant: str, *, form: str, data: Path) -> None:
    """Publish TENANT's drafts as they are at Meta.

    \b
    Example: comanda flows publish la-tavola
    `comanda flows deploy` publishes by itself; this is for a draft that Meta refused for a reason
    that is gone now.
    """

    async def work(tools: _Tools) -> bool:
        report = await publish_drafts(tools.deployer, tools.tenant)
        await tools.note("flows publish", outcome=_outcome(report))
        flow_output.show_report(report, form, "publish")
        return not report.has_failed

    _run(tenant, data, work)


@flows.command()
@click.argument("tenant")
@format_option
@data_option
def status(tenant: str, *, form: str, data: Path) -> None:
    """Tell what Meta says of TENANT's Flows.

    \b
    Example: comanda flows status la-tavola
    Exits with 1 if Meta refuses a Flow JSON.
    """

    async def work(tools: _Tools) -> bool:
        wanted = await tools.deployer.wanted(tools.tenant)
        found = await inspected(tools.deployer, tools.tenant, wanted)
        return flow_output.show_status(found, form)

    _run(tenant, data, work)


@flows.command()
@click.argument("tenant")
@format_option
@data_option
def doctor(tenant: str, *, form: str, data: Path) -> None:
    """Look at everything that TENANT's Flows need, and tell what mends it.

    \b
    Example: comanda flows doctor la-tavola
    Exits with 1 if something is wrong.
    """

    async def work(tools: _Tools) -> bool:
        examined = FlowDoctor(tools.deployer, FlowPing(tools.app_secret))
        return flow_output.show_items(await examined.examine(tools.tenant), form)

    _run(tenant, data, work)


@dataclass(frozen=True, slots=True)
class _Tools:
    """What a command works with."""

    tenant: TenantId
    keys: FlowKeys
    deployer: Deployer
    app_secret: str
    note: Noted


def _run(tenant: str, data: Path, work: Callable[[_Tools], Awaitable[bool]]) -> None:
    """Do a command's work, and exit with 1 if it tells that something is wrong."""

    async def running() -> bool:
        async with _tools(tenant, data) as tools:
            try:
                return await work(tools)
            except GraphError as error:
                raise EngineError(explain(error)) from error

    if not asyncio.run(running()):
        raise SystemExit(1)


@asynccontextmanager
async def _tools(tenant: str, data: Path) -> AsyncIterator[_Tools]:
    async with opened(tenant, data) as parts:
        yield _tools_of(parts)


def _tools_of(parts: Opened) -> _Tools:
    settings = parts.settings
    keys = MongoFlowKeys(
        parts.database, vault=parts.vault, clock=parts.clock, default=flow_key(settings)
    )

    def store(of: TenantId) -> MongoTenantStore:
        currency = Currency(parts.bundle(of).tenant.currency)
        return MongoTenantStore(parts.database, tenant=of, currency=currency)

    deployer = Deployer(
        content=FlowContent(parts.bundle),
        businesses=parts.businesses,
        keys=keys,
        stores=store,
        graph=lambda token: GraphFlows(parts.graph, token),
        clock=parts.clock,
        public_url=settings.public_url,
        is_development=not settings.is_meta(),
    )
    note = noted(parts.database, settings, parts.tenant)
    secret = settings.meta_app_secret.get_secret_value()
    return _Tools(parts.tenant, keys, deployer, secret, note)


def _outcome(report: Report) -> str:
    return "failed" if report.has_failed else "done"


async def _keygen(tools: _Tools, *, is_replacing: bool) -> bool:
    tenant = tools.tenant
    if not is_replacing:
        known = await tools.keys.get(tenant)
        if known:
            raise EngineError(
                f"'{tenant}' has a Flow key already, with the fingerprint {known.fingerprint}; "
                "--replace makes another: Flows that are open then fetch it by themselves after "
                f"`comanda flows deploy {tenant}`"
            )
    key = await asyncio.to_thread(FlowKey.generate)
    await tools.keys.save(tenant, key)
    await tools.note("flows keygen")
    click.echo(f"keygen: {tenant}: made a key with the fingerprint {key.fingerprint}")
    click.echo(key.public_pem, nl=False)
    click.echo(f"keygen: next, `comanda flows deploy {tenant}` gives this public key to Meta")
    return True
