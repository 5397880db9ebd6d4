"""`comanda sync`: a tenant's catalogues at Meta made what it sells, or compared with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import click

from engine.cli import sync_output
from engine.cli.audited import noted
from engine.cli.databases import data_option
from engine.cli.opened import Opened, opened
from engine.cli.output import log_to_stderr
from engine.clock import RandomIds
from engine.domain.ids import TenantId
from engine.errors import Conflict, EngineError, GraphError
from engine.graph.catalogs import GraphCatalogs
from engine.runtime.polling import end
from engine.storage.sync import MongoSync
from engine.sync.alerts import alert_of
from engine.sync.assembly import Surroundings, Sync
from engine.sync.drift import Drifted
from engine.sync.plan import plan
from engine.sync.report import SyncReport
from engine.sync.shop import Shop

SHOWN_EVERY = 0.2
"""Seconds between two looks at how far it is."""


@click.command()
@click.argument("tenant")
@click.option("--full", "is_full", is_flag=True, help="Send everything, changed or not.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Send nothing, tell what would be sent.")
@click.option("--drift", "is_drift", is_flag=True, help="Compare with what Meta has, by item.")
@click.option("--repair", "is_repair", is_flag=True, help="With --drift: mend what differs.")
@click.option(
    "--keep-extra", "is_keeping", is_flag=True, help="With --repair: delete nothing at Meta."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@data_option
def sync(
    tenant: str,
    *,
    is_full: bool,
    is_dry: bool,
    is_drift: bool,
    is_repair: bool,
    is_keeping: bool,
    form: str,
    data: Path,
) -> None:
    """Make Meta's catalogues of TENANT what it sells.

    \b
    Example: comanda sync la-tavola --dry-run
    Example: comanda sync la-tavola
    Example: comanda sync la-tavola --drift --repair
    What Meta has already is not sent again. Exits with 1 if a product could not be synced, or if
    --drift found something that it did not mend.
    """
    if (is_repair and not is_drift) or (is_keeping and not is_repair):
        raise click.UsageError("--repair goes with --drift, and --keep-extra with --repair")
    if is_drift and (is_full or is_dry):
        raise click.UsageError("--drift goes with neither --full nor --dry-run")
    # Standard output is for what was asked for; what goes well shows in the bar.
    log_to_stderr(level="warning")

    async def running() -> bool:
        async with _tools(tenant, data) as tools:
            if is_drift:
                return await _drift(tools, form, is_repairing=is_repair, is_keeping=is_keeping)
            if is_dry:
                return await _plan(tools, form, is_full=is_full)
            return await _run(tools, form, is_full=is_full)

    if not asyncio.run(running()):
        raise SystemExit(1)


class _Tools:
    """What the command works with."""

    def __init__(self, parts: Opened) -> None:
        self.tenant = parts.tenant
        self.clock = parts.clock
        self.note = noted(parts.database, parts.settings, parts.tenant)
        self.owner = f"sync-{RandomIds().token()}"
        self.sync = Sync(
            Surroundings(
                database=MongoSync(parts.database),
                businesses=parts.businesses,
                settings=lambda tenant: parts.bundle(tenant).tenant,
                tenants=lambda: (parts.tenant,),
                calls=lambda token: GraphCatalogs(parts.graph, token),
                public_url=parts.settings.public_url,
                clock=parts.clock,
                ids=RandomIds(),
                owner=self.owner,
            )
        )

    async def shop(self) -> Shop:
        """Open the tenant without taking it: nothing is written but what mends drift.

        Raises:
            EngineError: it cannot be synced.
        """

        async def ours() -> None:
            return None

        shop = await self.sync.shops.open(self.tenant, still_ours=ours)
        if isinstance(shop, str):
            raise EngineError(f"'{self.tenant}' cannot be synced: {shop}")
        return shop


@asynccontextmanager
async def _tools(tenant: str, data: Path) -> AsyncIterator[_Tools]:
    async with opened(tenant, data) as parts:
        # So that a mistake in the files is told as such, and not as a reason to wait.
        parts.bundle(TenantId(tenant))
        tools = _Tools(parts)
        try:
            yield tools
        except GraphError as error:
            alert = alert_of(error, now=tools.clock.now(), token="")
            raise EngineError(alert.sentence) from error


async def _plan(tools: _Tools, form: str, *, is_full: bool) -> bool:
    shop = await tools.shop()
    made = await plan(shop, now=tools.clock.now(), is_full=is_full)
    sync_output.show_plan(made, tools.tenant, form)
    return True


async def _run(tools: _Tools, form: str, *, is_full: bool) -> bool:
    is_new = await tools.sync.reports.start(tools.tenant, is_full=is_full)
    if not is_new:
        click.echo(f"sync: {tools.tenant}: joins the sync that is under way", err=True)
    report = await _followed(tools)
    await tools.note("sync", outcome=report.status)
    sync_output.show_report(report, tools.tenant, form)
    return report.status == "completed" and not report.failed and not report.reason


async def _drift(tools: _Tools, form: str, *, is_repairing: bool, is_keeping: bool) -> bool:
    shop = await tools.shop()
    found = [drifted async for drifted in tools.sync.drift.look(shop)]
    mended: list[Drifted] = []
    if is_repairing:
        mended = [each for each in found if each.kind != "extra" or not is_keeping]
        await tools.sync.drift.mend(shop, mended)
        await tools.sync.reports.start(tools.tenant, is_full=False)
        report = await _followed(tools)
        await tools.note("sync repair", outcome=report.status)
        if report.status == "blocked":
            raise EngineError(f"'{tools.tenant}' cannot be synced: {report.reason}")
    sync_output.show_drift(found, mended, tools.tenant, form)
    return len(found) == len(mended)


async def _followed(tools: _Tools) -> SyncReport:
    """Take rounds until the walk is over, and show how far it is."""
    with sync_output.progress(tools.tenant) as bar:
        rounds = asyncio.create_task(_rounds(tools))
        try:
            while True:
                done, _ = await asyncio.wait({rounds}, timeout=SHOWN_EVERY)
                report = await tools.sync.reports.report(tools.tenant)
                if report:
                    bar.show(report)
                if done:
                    rounds.result()
                if report and report.status != "running":
                    return report
        finally:
            await end(rounds)


async def _rounds(tools: _Tools) -> None:
    """Take rounds for the tenant, or leave them to the process that has it."""
    while True:
        try:
            outlook = await tools.sync.rounds.take(tools.tenant, owner=tools.owner)
        except Conflict:
            outlook = None
        now = tools.clock.now()
        soonest, latest = now + timedelta(seconds=SHOWN_EVERY), now + timedelta(minutes=1)
        until = min(max(outlook.due, soonest), latest) if outlook else soonest
        await asyncio.sleep((until - now).total_seconds())
