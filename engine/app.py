"""The composition root: settings -> a running engine, and what is to be done while it runs."""

import asyncio
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Literal, TypeAlias

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from engine import metrics
from engine.box_ports import Backlog
from engine.clock import Clock, Ids, RandomIds, SystemClock
from engine.domain.ids import TenantId
from engine.domain.money import Currency
from engine.domain.tenant import Tenant
from engine.errors import MalformedKey, SettingsError, TurnError, Unavailable
from engine.graph.client import GraphClient
from engine.logs import reason
from engine.parts import Means, Parts, assemble
from engine.ports import CatalogRepository, TenantStore
from engine.row_ports import Audit, Erasure, OperatorOrders, OperatorRows
from engine.runtime.bundles import Bundles
from engine.runtime.flow_tokens import FlowTokens
from engine.runtime.folder_watch import FolderWatch
from engine.runtime.handoffs import mute_states
from engine.runtime.polling import Poll, end
from engine.runtime.row_answers import Box
from engine.settings import Settings
from engine.spec.bundle import Bundle
from engine.spec.library import Library
from engine.staff_ports import HandOffs
from engine.storage.audit import MongoAudit
from engine.storage.connection import Database
from engine.storage.erasure import MongoErasure
from engine.storage.handoffs import MongoMuted
from engine.storage.operator_orders import MongoOperatorOrders
from engine.storage.operator_rows import MongoInboxRows, MongoOutboxRows
from engine.storage.repositories import MongoTenantStore
from engine.storage.secrets import Vault
from engine.verbs import all_verbs
from engine.web.audit import Audited
from engine.web.clients import Clients
from engine.web.desk import Desk
from engine.web.flows import FlowDoors
from engine.web.forget import ForgetDoors
from engine.web.handoffs import HandOffDoors
from engine.web.headers import Headed, nothing
from engine.web.limits import Limited
from engine.web.operators import OperatorDoors
from engine.web.orders import OrderDoors
from engine.web.product_page import ProductPages
from engine.web.routes import Doors
from engine.web.rows import RowDoors
from engine.web.sync import SyncDoors
from engine.whatsapp.flow_crypto import FlowKey

Role: TypeAlias = Literal["web", "worker", "all"]
"""What a process does: take what comes by HTTP, take turns and send, or both."""
MEASURE_SECONDS = 5.0
"""How often it is measured what waits."""
RETRY_SECONDS = 2.0
"""How soon a database that was away at the start is looked for again."""

BOXES: Mapping[Box, type[MongoInboxRows | MongoOutboxRows]] = {
    "inbox": MongoInboxRows,
    "outbox": MongoOutboxRows,
}

log = structlog.get_logger(__name__)


class Engine:
    """A process: its HTTP application and what runs behind it.

    Args:
        role: a worker has no doors but those that tell how it is.
        tenants: who is served; None: all that have a folder.
        is_development: it runs on a developer's machine: Flow exchanges may come in clear.
        is_reloading: the content folder is served as it is at any time, whatever is published.

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
        is_reloading: bool = False,
        role: Role = "all",
        tenants: Collection[TenantId] | None = None,
    ) -> None:
        self.role = role
        self.settings = settings
        self.clock = clock or SystemClock()
        self.ids = ids or RandomIds()
        self.bundles = Bundles(Library(settings.content(), all_verbs()))
        self._watch = FolderWatch(self.bundles) if is_reloading else None
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
        self._is_development = is_development
        self._tenants = tenants
        self._parts: Parts | None = None
        self._looking: list[asyncio.Task[None]] = []
        self._measuring = Poll(self._measure, every=MEASURE_SECONDS)
        doors = Doors(
            app_secret=settings.meta_app_secret.get_secret_value(),
            verify_token=settings.meta_webhook_verify_token.get_secret_value(),
            reception=lambda: self.parts.reception,
            ready=self.unready,
            metrics_token=settings.metrics_token.get_secret_value(),
        )
        own = doors.health() if role == "worker" else [*doors.routes(), *self._doors()]
        self.web = Starlette(
            routes=own,
            lifespan=self._lifespan,
            middleware=self._watched(),
            # Paths and methods that are none are told apart by nobody.
            exception_handlers={404: nothing, 405: nothing},
        )
        # The address it would send a client to has the host that the client named.
        self.web.router.redirect_slashes = False

    def _watched(self) -> list[Middleware]:
        """Give what every request passes on its way to a door, the outermost first."""
        settings, clients = self.settings, Clients(self.settings.proxies())
        return [
            Middleware(Headed, is_https=settings.is_https()),
            Middleware(Limited, clients=clients, factor=settings.rate_limit_factor),
            Middleware(
                Audited,
                audit=self._audit,
                routes=lambda: self.web.routes,
                clients=clients,
                tenants=self._serves,
                clock=self.clock,
                secret=settings.encryption_secrets()[0],
                retention=settings.audited_for(),
            ),
        ]

    def _doors(self) -> list[Route]:
        """Give the routes of a process that takes what comes by HTTP."""
        admin_token = self.settings.admin_token.get_secret_value()
        desk = Desk(admin_token=admin_token, tenants=self._serves)
        flow_doors = FlowDoors(
            app_secret=self.settings.meta_app_secret.get_secret_value(),
            exchanges=lambda: self.parts.exchanges,
            keys=lambda: self.parts.flow_keys,
            tenants=self._serves,
            is_plain_allowed=self._is_development,
        )
        operator_doors = OperatorDoors(
            admin_token=admin_token,
            deployer=lambda: self.parts.deployer,
            tenants=self._serves,
        )
        sync_doors = SyncDoors(
            admin_token=admin_token,
            syncs=lambda: self.parts.sync.reports,
            tenants=self._serves,
        )
        pages = ProductPages(
            tenants=lambda name: self._settings(TenantId(name)),
            catalogs=self._catalog,
            public_url=self.settings.public_url,
        )
        row_doors = [
            RowDoors(box, desk, rows=partial(self._rows, kind), clock=self.clock)
            for box, kind in BOXES.items()
        ]
        forget_doors = ForgetDoors(desk, erasure=self._erasure, clock=self.clock)
        order_doors = OrderDoors(desk, orders=self._operator_orders, clock=self.clock)
        handoff_doors = HandOffDoors(desk, handoffs=self._handoffs, clock=self.clock)
        routes = (
            flow_doors.routes(),
            operator_doors.routes(),
            sync_doors.routes(),
            pages.routes(),
            *(doors.routes() for doors in row_doors),
            forget_doors.routes(),
            order_doors.routes(),
            handoff_doors.routes(),
        )
        return [route for each in routes for route in each]

    @property
    def parts(self) -> Parts:
        """Give what works with the database.

        Raises:
            Unavailable: the database has not been reached yet.
        """
        if self._parts is None:
            raise Unavailable("the database has not been reached yet")
        return self._parts

    @property
    def library(self) -> Library:
        """Give the content folder as it was read last."""
        return self.bundles.library

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

    def _rows(
        self, kind: type[MongoInboxRows | MongoOutboxRows], tenant: TenantId
    ) -> OperatorRows:
        _ = self.parts
        return kind(self.database, tenant, retention=self.settings.retention())

    def _erasure(self, tenant: TenantId) -> Erasure:
        _ = self.parts
        return MongoErasure(self.database, tenant)

    def _operator_orders(self, tenant: TenantId) -> OperatorOrders:
        _ = self.parts
        currency = Currency(self._bundle(tenant).tenant.currency)
        return MongoOperatorOrders(self.database, tenant, currency=currency)

    def _handoffs(self, tenant: TenantId) -> HandOffs:
        _ = self.parts
        states = mute_states(self._bundle(tenant).chart)
        return MongoMuted(self.database, tenant, states=states)

    def _audit(self) -> Audit:
        _ = self.parts
        return MongoAudit(self.database)

    def _serves(self, tenant: str) -> bool:
        return self.bundles.get(TenantId(tenant)) is not None

    async def unready(self) -> str | None:
        """Tell what keeps the engine from doing its work, or nothing."""
        try:
            inbox = self.parts.inbox  # first: it tells whether the database is open
            await self.database.ping()
            backlog = await inbox.backlog()
        except Unavailable as error:
            return str(error)
        age = _age(backlog, self.clock.now())
        if age > self.settings.inbox_max_age:
            return f"the inbox is {age:.0f} s behind: {backlog.depth} messages wait for their turn"
        return None if self.bundles.tenants() else "no tenant has a bundle that can be served"

    async def _measure(self) -> None:
        try:
            for name, box in (("inbox", self.parts.inbox), ("outbox", self.parts.outbox)):
                backlog = await box.backlog()
                metrics.waiting.labels(box=name).set(backlog.depth)
                age = _age(backlog, self.clock.now())
                metrics.waiting_seconds.labels(box=name).set(age)
        except Unavailable as error:
            log.warning("engine.database_away", error=reason(error))

    async def idle(self) -> None:
        """Wait until everything that is due is answered and sent."""
        await self.parts.idle()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Engine"]:
        """Run what is behind the HTTP application while the block runs."""
        self.bundles.load(self._tenants)
        starting = asyncio.create_task(self._start())
        # A database that is away does not keep the process from starting: it answers 503.
        await asyncio.wait({starting}, timeout=RETRY_SECONDS * 2)
        if starting.done():
            starting.result()
        starting.add_done_callback(_tell_failure)
        try:
            yield self
        finally:
            await end(starting)
            await self._stop()

    async def _stop(self) -> None:
        self._measuring.stop()
        if self._watch:
            self._watch.stop()
        if self._parts:
            self._parts.publications.stop()
        if self._parts and self.role != "web":
            sync = self._parts.sync
            await asyncio.gather(self._parts.end_work(), sync.watcher.drain(), sync.worker.drain())
        await asyncio.gather(*self._looking)
        await self.graph.close()
        await self.database.close()

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        async with self.running():
            yield

    async def _start(self) -> None:
        await _when_reached(self.database.open)
        parts = assemble(
            Means(
                settings=self.settings,
                clock=self.clock,
                ids=self.ids,
                database=self.database,
                vault=self.vault,
                graph=self.graph,
                bundles=self.bundles,
                tokens=self.flow_tokens,
                bundle=self._bundle,
                tenant=self._settings,
                store=self.store,
                default_key=self._default_key,
            )
        )
        if not self._watch:
            # Before the first turn: nobody is answered from a folder that is no longer served.
            await _when_reached(parts.publications.look)
        # First: whoever is stopped from now on, leaves what he has.
        self._parts = parts
        if self.role != "web":
            await parts.claims.renew()
        self._looking = [asyncio.create_task(run()) for run in self._runs(parts)]
        if self.settings.warmup_cache:
            await parts.businesses.warm_up()

    def _runs(self, parts: Parts) -> Sequence[Callable[[], Coroutine[None, None, None]]]:
        runs = [self._measuring.run]
        runs.append(self._watch.run if self._watch else parts.publications.run)
        if self.role != "web":
            runs += [parts.claims.run, parts.alarm.run, parts.worker.run, parts.relay.run]
            runs += [parts.order_watch.run, parts.template_watch.run]
            if self.settings.catalog_sync:
                runs += [parts.sync.worker.run, parts.sync.watcher.run]
        return runs

    def store(self, tenant: TenantId) -> TenantStore:
        """Give the database as a tenant sees it.

        Raises:
            TurnError: the tenant has no bundle that can be served.
        """
        currency = Currency(self._bundle(tenant).tenant.currency)
        return MongoTenantStore(
            self.database,
            tenant=tenant,
            currency=currency,
            retention=self.settings.retention(),
        )


async def _when_reached(action: Callable[[], Awaitable[object]]) -> None:
    """Do something with the database, again and again while it is away."""
    while True:
        try:
            await action()
        except Unavailable as error:
            log.warning("engine.database_away", error=reason(error))
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return


def _age(backlog: Backlog, now: datetime) -> float:
    return max((now - backlog.since).total_seconds(), 0.0) if backlog.since else 0.0


def _tell_failure(starting: asyncio.Task[None]) -> None:
    """Tell why a process will never be ready; nobody waits for its start any more."""
    if not starting.cancelled() and (error := starting.exception()):
        log.error("engine.not_started", error=reason(error))


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
