"""What a command about one tenant works with: its files, the database and the Graph API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.cli.databases import database
from engine.cli.development import with_secrets
from engine.clock import SystemClock
from engine.domain.ids import TenantId
from engine.graph.client import GraphClient
from engine.settings import Settings, read_settings
from engine.spec.bundle import Bundle
from engine.spec.library import Library
from engine.storage.businesses import MongoBusinesses
from engine.storage.connection import Database
from engine.storage.secrets import Vault
from engine.verbs import all_verbs


@dataclass(frozen=True, slots=True)
class Opened:
    """What was opened for a command."""

    tenant: TenantId
    settings: Settings
    library: Library
    database: Database
    vault: Vault
    businesses: MongoBusinesses
    graph: GraphClient
    clock: SystemClock

    def bundle(self, tenant: TenantId) -> Bundle:
        """Give a tenant's bundle, read once.

        Raises:
            SpecError: its files are wrong.
        """
        return _loaded(self.library, tenant)


_loaded = cache(Library.load)


@asynccontextmanager
async def opened(tenant: str, data: Path) -> AsyncIterator[Opened]:
    """Open what a command about a tenant works with, while the block runs.

    Raises:
        SettingsError: the environment is wrong.
        UnknownTenant: there is no such tenant.
        Unavailable: the database does not answer.
    """
    settings = with_secrets(read_settings(), data)
    library = Library(settings.content(), all_verbs())
    library.require(TenantId(tenant))
    vault, clock = Vault(*settings.encryption_secrets()), SystemClock()
    async with (
        database(settings, data) as ready,
        Database(ready.mongodb_uri, name=ready.mongodb_db_name) as connected,
    ):
        graph = GraphClient(settings.graph_api_url, settings.whatsapp_api_version)
        try:
            yield Opened(
                tenant=TenantId(tenant),
                settings=settings,
                library=library,
                database=connected,
                vault=vault,
                businesses=MongoBusinesses(connected, vault=vault, clock=clock),
                graph=graph,
                clock=clock,
            )
        finally:
            await graph.close()
