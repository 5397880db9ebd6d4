"""The composition root: settings -> a running engine; the only place where adapters meet ports."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache

import structlog
from starlette.applications import Starlette

from engine.clock import Clock, Ids, RandomIds, SystemClock
from engine.domain.ids import TenantId
from engine.domain.money import Currency
from engine.errors import TurnError, Unavailable
from engine.graph.client import GraphClient
from engine.ports import TenantStore
from engine.runtime.bundles import Bundles
from engine.runtime.reception import Reception
from engine.runtime.relay import Relay
from engine.runtime.turns import Turns
from engine.runtime.worker import Worker
from engine.settings import Settings
from engine.spec.bundle import Library
from engine.storage.businesses import MongoBusinesses
from engine.storage.connection import Database
from engine.storage.inbox import MongoInbox
from engine.storage.outbox import MongoOutbox
from engine.storage.repositories import MongoTenantStore
from engine.storage.secrets import Vault
from engine.verbs import all_verbs
from engine.web.routes import Doors

RETRY_SECONDS = 2.0
"""How soon a database that was away at the start is looked for again."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Parts:
    """What works once the database is there."""

    businesses: MongoBusinesses
    reception: Reception
    worker: Worker
    relay: Relay


class Engine:
    """A web and worker process: its HTTP application and what runs behind it."""

    def __init__(
        self, settings: Settings, *, clock: Clock | None = None, ids: Ids | None = None
    ) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.ids = ids or RandomIds()
        self.library = Library(settings.content(), all_verbs())
        self.bundles = Bundles(self.library)
        self.vault = Vault(settings.encryption_secret.get_secret_value())
        self.database = Database(
            settings.mongodb_uri,
            name=settings.mongodb_db_name,
            max_pool_size=settings.mongodb_max_pool_size,
            min_pool_size=settings.mongodb_min_pool_size,
        )
        self.graph = GraphClient(settings.graph_api_url, settings.whatsapp_api_version)
        self._parts: Parts | None = None
        self._looking: list[asyncio.Task[None]] = []
        doors = Doors(
            app_secret=settings.meta_app_secret.get_secret_value(),
            verify_token=settings.meta_webhook_verify_token.get_secret_value(),
            reception=lambda: self.parts.reception,
            ready=self.unready,
        )
        self.web = Starlette(routes=doors.routes(), lifespan=self._lifespan)

    @property
    def parts(self) -> Parts:
        """Give what works with the database.

        Raises:
            Unavailable: the database has not been reached yet.
        """
        if self._parts is None:
            raise Unavailable("the database has not been reached yet")
        return self._parts

    async def unready(self) -> str | None:
        """Tell what keeps the engine from doing its work, or nothing."""
        try:
            _ = self.parts
            await self.database.ping()
        except Unavailable as error:
            return str(error)
        return None if self.bundles.tenants() else "no tenant has a bundle that can be served"

    async def idle(self) -> None:
        """Wait until every message taken so far is answered and every answer sent."""
        await self.parts.worker.idle()
        await self.parts.relay.idle()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Engine"]:
        """Run what is behind the HTTP application while the block runs."""
        self.bundles.load()
        starting = asyncio.create_task(self._start())
        # A database that is away does not keep the process from starting: it answers 503.
        await asyncio.wait({starting}, timeout=RETRY_SECONDS * 2)
        if starting.done():
            starting.result()
        try:
            yield self
        finally:
            starting.cancel()
            await self._stop()

    async def _stop(self) -> None:
        if self._parts:
            await self._parts.worker.drain()
            await self._parts.relay.drain()
        await asyncio.gather(*self._looking)
        await self.graph.close()
        await self.database.close()

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        async with self.running():
            yield

    async def _start(self) -> None:
        while True:
            try:
                await self.database.open()
                break
            except Unavailable as error:
                log.warning("engine.database_away", error=str(error))
                await asyncio.sleep(RETRY_SECONDS)
        settings = self.settings
        inbox, outbox = MongoInbox(self.database), MongoOutbox(self.database)
        businesses = MongoBusinesses(
            self.database,
            vault=self.vault,
            clock=self.clock,
            ttl=settings.business_cache_ttl,
            size=settings.business_cache_size,
        )
        relay = Relay(outbox=outbox, businesses=businesses, graph=self.graph, clock=self.clock)
        turns = Turns(
            stores=lru_cache(maxsize=4096)(self.store),
            bundles=self.bundles,
            clock=self.clock,
            ids=self.ids,
        )
        worker = Worker(inbox=inbox, turns=turns, clock=self.clock, send=relay.offer)
        reception = Reception(
            inbox=inbox,
            outbox=outbox,
            businesses=businesses,
            clock=self.clock,
            offer=worker.offer,
        )
        self._parts = Parts(businesses, reception, worker, relay)
        self._looking = [asyncio.create_task(w.run()) for w in (worker, relay)]
        if settings.warmup_cache:
            await businesses.warm_up()

    def store(self, tenant: TenantId) -> TenantStore:
        """Give the database as a tenant sees it.

        Raises:
            TurnError: the tenant has no bundle that can be served.
        """
        bundle = self.bundles.get(tenant)
        if bundle is None:
            raise TurnError(f"the tenant '{tenant}' has no bundle that can be served")
        return MongoTenantStore(
            self.database, tenant=tenant, currency=Currency(bundle.tenant.currency)
        )
