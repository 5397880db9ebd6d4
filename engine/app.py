"""The composition root: settings -> a running engine; the only place where adapters meet ports."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache

import structlog
from starlette.applications import Starlette

from engine.clock import Clock, Ids, RandomIds, SystemClock
from engine.deployment.content import FlowContent
from engine.deployment.deployer import Deployer
from engine.domain.ids import TenantId
from engine.domain.money import Currency
from engine.domain.tenant import Tenant
from engine.errors import MalformedKey, SettingsError, TurnError, Unavailable
from engine.graph.catalogs import GraphCatalogs
from engine.graph.client import GraphClient
from engine.graph.flows import GraphFlows
from engine.ports import CatalogRepository, TenantStore
from engine.runtime.bundles import Bundles
from engine.runtime.commerce import Commerce
from engine.runtime.exchanges import Exchanges
from engine.runtime.flow_tokens import FlowTokens
from engine.runtime.message_refusals import MessageRefusals
from engine.runtime.reception import Reception
from engine.runtime.relay import Relay
from engine.runtime.turns import Turns
from engine.runtime.worker import Worker
from engine.settings import Settings
from engine.spec.bundle import Bundle, Library
from engine.storage.businesses import MongoBusinesses
from engine.storage.connection import Database
from engine.storage.flow_keys import MongoFlowKeys
from engine.storage.inbox import MongoInbox
from engine.storage.outbox import MongoOutbox
from engine.storage.repositories import MongoTenantStore
from engine.storage.secrets import Vault
from engine.storage.sync import MongoSync
from engine.sync.assembly import Surroundings, Sync
from engine.verbs import all_verbs
from engine.web.flows import FlowDoors
from engine.web.operators import OperatorDoors
from engine.web.product_page import ProductPages
from engine.web.routes import Doors
from engine.web.sync import SyncDoors
from engine.whatsapp.flow_crypto import FlowKey

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
    exchanges: Exchanges
    flow_keys: MongoFlowKeys
    deployer: Deployer
    sync: Sync


class Engine:
    """A web and worker process: its HTTP application and what runs behind it.

    Args:
        is_development: it runs on a developer's machine: Flow exchanges may come in clear.

    Raises:
        SettingsError: FLOW_PRIVATE_KEY or ENCRYPTION_SECRET cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        ids: Ids | None = None,
        is_development: bool = False,
    ) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.ids = ids or RandomIds()
        self.library = Library(settings.content(), all_verbs())
        self.bundles = Bundles(self.library)
        self.vault = Vault(*settings.encryption_secrets())
        self.database = Database(
            settings.mongodb_uri,
            name=settings.mongodb_db_name,
            max_pool_size=settings.mongodb_max_pool_size,
            min_pool_size=settings.mongodb_min_pool_size,
        )
        self.graph = GraphClient(settings.graph_api_url, settings.whatsapp_api_version)
        self.flow_tokens = FlowTokens(*settings.encryption_secrets())
        self._default_key = flow_key(settings)
        self._parts: Parts | None = None
        self._looking: list[asyncio.Task[None]] = []
        doors = Doors(
            app_secret=settings.meta_app_secret.get_secret_value(),
            verify_token=settings.meta_webhook_verify_token.get_secret_value(),
            reception=lambda: self.parts.reception,
            ready=self.unready,
        )
        flow_doors = FlowDoors(
            app_secret=settings.meta_app_secret.get_secret_value(),
            exchanges=lambda: self.parts.exchanges,
            keys=lambda: self.parts.flow_keys,
            tenants=self._serves,
            is_plain_allowed=is_development,
        )
        operator_doors = OperatorDoors(
            admin_token=settings.admin_token.get_secret_value(),
            deployer=lambda: self.parts.deployer,
            tenants=self._serves,
        )
        sync_doors = SyncDoors(
            admin_token=settings.admin_token.get_secret_value(),
            syncs=lambda: self.parts.sync.reports,
            tenants=self._serves,
        )
        pages = ProductPages(
            tenants=lambda name: self._settings(TenantId(name)),
            catalogs=self._catalog,
            public_url=settings.public_url,
        )
        all_doors = (doors, flow_doors, operator_doors, sync_doors, pages)
        routes = [route for each in all_doors for route in each.routes()]
        self.web = Starlette(routes=routes, lifespan=self._lifespan)

    @property
    def parts(self) -> Parts:
        """Give what works with the database.

        Raises:
            Unavailable: the database has not been reached yet.
        """
        if self._parts is None:
            raise Unavailable("the database has not been reached yet")
        return self._parts

    def _bundle(self, tenant: TenantId) -> Bundle:
        bundle = self.bundles.get(tenant)
        if bundle is None:
            raise TurnError(f"the tenant '{tenant}' has no bundle that can be served")
        return bundle

    def _settings(self, tenant: TenantId) -> Tenant | None:
        bundle = self.bundles.get(tenant)
        return bundle.tenant if bundle else None

    def _catalog(self, tenant: TenantId) -> CatalogRepository:
        _ = self.parts
        return self.store(tenant).catalog

    def _serves(self, tenant: str) -> bool:
        return self.bundles.get(TenantId(tenant)) is not None

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
        # What Meta refuses comes back from the relay to the worker.
        while await self.parts.worker.idle() or await self.parts.relay.idle():
            pass

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
            await self._parts.sync.watcher.drain()
            await self._parts.sync.worker.drain()
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
        stores = lru_cache(maxsize=4096)(self.store)
        flow_keys = MongoFlowKeys(
            self.database, vault=self.vault, clock=self.clock, default=self._default_key
        )
        # The relay hands what Meta refuses of a Flow to the worker, the worker its answers to it.
        refusals = MessageRefusals(
            inbox=inbox,
            outbox=outbox,
            businesses=businesses,
            stores=stores,
            clock=self.clock,
            offer=lambda row, message: worker.offer(row, message),
        )
        relay = Relay(
            outbox=outbox,
            businesses=businesses,
            graph=self.graph,
            clock=self.clock,
            refused=refusals.entry,
        )
        turns = Turns(
            stores=stores,
            bundles=self.bundles,
            businesses=businesses,
            tokens=self.flow_tokens,
            clock=self.clock,
            ids=self.ids,
        )
        worker = Worker(inbox=inbox, turns=turns, clock=self.clock, send=relay.offer)
        sync = Sync(
            Surroundings(
                database=MongoSync(self.database),
                businesses=businesses,
                settings=self._settings,
                tenants=self.bundles.tenants,
                calls=lambda token: GraphCatalogs(self.graph, token),
                public_url=settings.public_url,
                clock=self.clock,
                ids=self.ids,
                owner=RandomIds().token(),
            )
        )
        commerce = Commerce(news=sync.news, businesses=businesses, stores=stores, clock=self.clock)
        reception = Reception(
            inbox=inbox,
            outbox=outbox,
            businesses=businesses,
            clock=self.clock,
            offer=worker.offer,
            refusals=refusals,
            commerce=commerce,
        )
        exchanges = Exchanges(
            stores=stores,
            bundles=self.bundles,
            turns=turns,
            tokens=self.flow_tokens,
            clock=self.clock,
            ids=self.ids,
            send=relay.offer,
        )
        deployer = Deployer(
            content=FlowContent(self._bundle),
            businesses=businesses,
            keys=flow_keys,
            stores=stores,
            graph=lambda token: GraphFlows(self.graph, token),
            clock=self.clock,
            public_url=settings.public_url,
            is_development=not settings.is_meta(),
        )
        self._parts = Parts(
            businesses, reception, worker, relay, exchanges, flow_keys, deployer, sync
        )
        self._looking = [asyncio.create_task(w.run()) for w in (worker, relay)]
        if settings.catalog_sync:
            self._looking += [asyncio.create_task(w.run()) for w in (sync.worker, sync.watcher)]
        if settings.warmup_cache:
            await businesses.warm_up()

    def store(self, tenant: TenantId) -> TenantStore:
        """Give the database as a tenant sees it.

        Raises:
            TurnError: the tenant has no bundle that can be served.
        """
        currency = Currency(self._bundle(tenant).tenant.currency)
        return MongoTenantStore(self.database, tenant=tenant, currency=currency)


def flow_key(settings: Settings) -> FlowKey | None:
    """Give the Flow key of tenants that have none of their own, if there is one.

    Raises:
        SettingsError: FLOW_PRIVATE_KEY is no key that can be used.
    """
    pem = settings.flow_private_key.get_secret_value()
    try:
        return FlowKey.parse(pem) if pem else None
    except MalformedKey as error:
        raise SettingsError(f"FLOW_PRIVATE_KEY: {error}") from error
