"""`comanda seed`: a tenant's `tenant.yaml` and `catalog.yaml` into the database."""

import asyncio
from pathlib import Path

import click

from engine.cli.audited import note
from engine.cli.databases import data_option, database
from engine.cli.development import with_secrets
from engine.domain.ids import TenantId
from engine.domain.tenant import Tenant
from engine.errors import EngineError
from engine.settings import Settings, read_settings
from engine.spec.library import Library
from engine.spec.problems import Problems
from engine.storage.connection import Database
from engine.storage.secrets import Vault
from engine.storage.seeding import Seeded
from engine.storage.seeding import seed as load
from engine.verbs import all_verbs


@click.command()
@click.argument("tenant")
@click.option("--token", default="", help="Access token of the tenant's WhatsApp account.")
@data_option
def seed(tenant: str, *, token: str, data: Path) -> None:
    """Make the database's business and catalog of TENANT what its files say.

    \b
    Example: comanda seed la-tavola
    """
    asyncio.run(_seed(TenantId(tenant), token, data))


async def _seed(tenant: TenantId, token: str, data: Path) -> None:
    settings = with_secrets(read_settings(), data)
    Library(settings.content(), all_verbs()).require(tenant)
    async with database(settings, data) as ready:
        done = await seed_tenant(ready, tenant, token=token)
    click.echo(
        f"seed: {tenant}: {done.categories} categories, {done.products} products, "
        f"{done.presentations} presentations, {done.modifiers} modifiers; {done.removed} removed"
    )


async def seed_tenant(settings: Settings, tenant: TenantId, *, token: str = "") -> Seeded:
    """Load a tenant's files into the database that the settings name.

    Raises:
        SpecError: the files are wrong.
        UnknownTenant: there is no such tenant.
    """
    library = Library(settings.content(), all_verbs())
    library.require(tenant)
    problems = Problems()
    own: Tenant | None = library.tenant(tenant, problems)
    menu = library.menu(tenant, problems)
    problems.raise_if_any()
    if own is None or menu is None:
        raise EngineError(f"the files of '{tenant}' cannot be used")
    vault = Vault(*settings.encryption_secrets())
    async with Database(settings.mongodb_uri, name=settings.mongodb_db_name) as opened:
        seeded = await load(opened, tenant, own, menu, access_token=token, vault=vault)
        await note(opened, settings, "seed", tenant=tenant)
        return seeded
