"""`comanda doctor`: is everything there that the installation and its tenants need?"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import click
import httpx

from engine.app import flow_key
from engine.cli.audited import note
from engine.cli.databases import data_option, database
from engine.cli.development import with_secrets
from engine.cli.doctor_output import show
from engine.cli.output import log_to_stderr
from engine.clock import SystemClock
from engine.doctor.checks import ALL
from engine.doctor.examination import Examination
from engine.doctor.findings import Result
from engine.doctor.patient import Installation, Means, Patient
from engine.domain.ids import TenantId
from engine.errors import SettingsError, UnknownTenant
from engine.graph.client import GraphClient
from engine.settings import Settings, read_settings
from engine.spec.bundle import Bundle
from engine.spec.library import Library
from engine.spec.problems import SpecError
from engine.storage.connection import Database
from engine.verbs import all_verbs
from engine.whatsapp.flow_crypto import FlowKey

PATIENCE = httpx.Timeout(10.0, connect=5.0)
"""Seconds for what PUBLIC_URL answers; Meta itself waits about as long."""


@click.command()
@click.argument("tenant", required=False)
@click.option("--fix", "is_fixing", is_flag=True, help="Mend what can be mended from here.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@data_option
def doctor(tenant: str | None, *, is_fixing: bool, form: str, data: Path) -> None:
    """Tell what keeps the installation or TENANT from selling, and what mends it.

    \b
    Example: comanda doctor
    Example: comanda doctor la-tavola --format json
    Example: comanda doctor la-tavola --fix
    Nothing is changed without --fix, which makes indexes, Flow keys and webhook subscriptions,
    registers public keys and shows the catalogue. Without TENANT all tenants are examined. Exits
    with 1 if a check failed. engine/operations/DOCTOR.md lists the checks.
    """
    log_to_stderr(level="critical")
    results = asyncio.run(_examined(tenant, data, is_fixing=is_fixing))
    show(results, form)
    if any(result.verdict == "failed" for result in results):
        raise SystemExit(1)


async def _examined(tenant: str | None, data: Path, *, is_fixing: bool) -> Sequence[Result]:
    # Without a database there is a development run; else every secret is asked for, not needed.
    settings = read_settings()
    settings = settings if settings.mongodb_uri else with_secrets(settings, data)
    library = Library(settings.content(), all_verbs())
    chosen = _chosen(library, tenant)
    # Before the database is connected to, which does not wait while files are read.
    bundles = {each: _loaded(library, each) for each in chosen}
    async with _means(settings, bundles, data) as means:
        installation = Installation(means)
        patients = [Patient(installation, each) for each in chosen]
        examination = Examination(ALL, installation, patients)
        if not is_fixing:
            return await examination.run()
        results = await examination.mend()
        for result in results:
            if result.mended:
                action = f"doctor --fix {result.code}"
                outcome = "done" if result.verdict == "ok" else "failed"
                await note(means.database, settings, action, tenant=result.tenant, outcome=outcome)
        return results


def _chosen(library: Library, tenant: str | None) -> Sequence[TenantId]:
    if tenant is None:
        return library.tenant_ids()
    try:
        library.require(TenantId(tenant))
    except UnknownTenant as error:
        raise click.BadParameter(str(error), param_hint="TENANT") from error
    return [TenantId(tenant)]


@asynccontextmanager
async def _means(
    settings: Settings, bundles: Mapping[TenantId, Bundle | SpecError], data: Path
) -> AsyncIterator[Means]:
    """Open what checks work with; what is not there is for them to find."""
    async with AsyncExitStack() as stack:
        ready = await stack.enter_async_context(database(settings, data))
        held = Database(ready.mongodb_uri, name=ready.mongodb_db_name)
        await held.connect()
        stack.push_async_callback(held.close)
        graph = GraphClient(ready.graph_api_url, ready.whatsapp_api_version)
        stack.push_async_callback(graph.close)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=PATIENCE))
        yield Means(
            settings=ready,
            bundles=bundles,
            database=held,
            graph=graph,
            http=http,
            clock=SystemClock(),
            default_key=_default_key(ready),
            is_embedded=not settings.mongodb_uri,
        )


def _loaded(library: Library, tenant: TenantId) -> Bundle | SpecError:
    try:
        return library.load(tenant)
    except SpecError as error:
        return error


def _default_key(settings: Settings) -> FlowKey | None:
    try:
        return flow_key(settings)
    except SettingsError:
        # A check of its own tells it, and the others that need it are skipped.
        return None
