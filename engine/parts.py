"""What works once the database is there, put together: adapters meet ports here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from engine.box_ports import Inbox, Outbox
from engine.clock import Clock, Ids, RandomIds
from engine.deployment.content import FlowContent
from engine.deployment.deployer import Deployer
from engine.domain.ids import CustomerKey, TenantId
from engine.domain.tenant import Tenant
from engine.graph.catalogs import GraphCatalogs
from engine.graph.client import GraphClient
from engine.graph.flows import GraphFlows
from engine.graph.templates import GraphTemplates
from engine.message_templates.news import TemplateNews
from engine.message_templates.watch import TemplateWatch
from engine.ports import TenantStore
from engine.runtime.bundles import Bundles
from engine.runtime.claims import Claims
from engine.runtime.commerce import Commerce
from engine.runtime.decision import Decisions
from engine.runtime.echoes import Echoes
from engine.runtime.exchanges import Exchanges
from engine.runtime.flow_tokens import FlowTokens
from engine.runtime.message_refusals import MessageRefusals
from engine.runtime.order_moves import OrderWatch
from engine.runtime.pace import Pace
from engine.runtime.publications import Publications
from engine.runtime.reception import Reception
from engine.runtime.relay import Relay
from engine.runtime.sender import Sender
from engine.runtime.statuses import Statuses
from engine.runtime.timers import Alarm
from engine.runtime.turns import Turns
from engine.runtime.worker import Worker
from engine.settings import Settings
from engine.spec.bundle import Bundle
from engine.storage.businesses import MongoBusinesses
from engine.storage.connection import Database
from engine.storage.flow_keys import MongoFlowKeys
from engine.storage.inbox import MongoInbox
from engine.storage.message_templates import MongoMessageTemplates
from engine.storage.order_moves import MongoOrderFeed
from engine.storage.outbox import MongoOutbox
from engine.storage.secrets import Vault
from engine.storage.slots import MongoSlotTables
from engine.storage.sync import MongoSync
from engine.storage.timers import MongoTimers
from engine.storage.versions import MongoVersions
from engine.sync.assembly import Surroundings, Sync
from engine.whatsapp.flow_crypto import FlowKey

SEND_SECONDS = 5.0
"""How long a process that ends goes on sending; the others send the rest."""


@dataclass(frozen=True, slots=True)
class Means:
    """What the parts are made of.

    Args:
        bundle: gives a tenant's bundle, or raises TurnError.
        tenant: gives a tenant's settings, if it is served.
        store: gives the database as a tenant sees it.
        default_key: the Flow key of tenants that have none of their own.
    """

    settings: Settings
    clock: Clock
    ids: Ids
    database: Database
    vault: Vault
    graph: GraphClient
    bundles: Bundles
    tokens: FlowTokens
    bundle: Callable[[TenantId], Bundle]
    tenant: Callable[[TenantId], Tenant | None]
    store: Callable[[TenantId], TenantStore]
    default_key: FlowKey | None


@dataclass(frozen=True, slots=True)
class Parts:
    """What works once the database is there."""

    businesses: MongoBusinesses
    inbox: Inbox
    outbox: Outbox
    reception: Reception
    claims: Claims
    alarm: Alarm
    worker: Worker
    relay: Relay
    exchanges: Exchanges
    flow_keys: MongoFlowKeys
    deployer: Deployer
    sync: Sync
    publications: Publications
    order_watch: OrderWatch
    template_watch: TemplateWatch

    async def idle(self) -> None:
        """Wait until everything that is due is answered and sent."""
        is_busy = True
        while is_busy:
            # What Meta refuses comes back from the relay to the worker.
            for look in (self.alarm.look, self.worker.look, self.relay.look):
                await look()
            is_busy = await self.worker.idle()
            is_busy = await self.relay.idle() or is_busy

    async def end_work(self) -> None:
        """Take nothing new, finish the turns under way, send, and leave no lease behind."""
        self.alarm.stop()
        self.order_watch.stop()
        self.template_watch.stop()
        await self.claims.retire()
        await self.worker.end()
        await self.relay.end(within=SEND_SECONDS)
        await self.claims.leave()


def assemble(means: Means) -> Parts:
    """Put the parts together; nothing runs yet."""
    settings, database, clock = means.settings, means.database, means.clock
    retention = settings.retention()
    inbox = MongoInbox(database, retention=retention, clock=clock)
    outbox = MongoOutbox(database, retention=retention, clock=clock)
    businesses = MongoBusinesses(
        database,
        vault=means.vault,
        clock=clock,
        ttl=settings.business_cache_ttl,
        size=settings.business_cache_size,
    )
    stores = _stores(means)
    flow_keys = MongoFlowKeys(database, vault=means.vault, clock=clock, default=means.default_key)
    # Everybody hands work to somebody: what was put together last is named before it is there.
    refusals = MessageRefusals(
        inbox=inbox,
        businesses=businesses,
        stores=stores,
        clock=clock,
        offer=lambda row: worker.offer(row),
    )

    async def spoke_at(tenant: TenantId, customer: CustomerKey) -> datetime | None:
        held = await stores(tenant).conversations.get(customer)
        return held.spoke_at if held else None

    templates = MongoMessageTemplates(database, clock=clock)
    pace = Pace(share=lambda: claims.share)
    sender = Sender(
        outbox=outbox,
        businesses=businesses,
        graph=means.graph,
        clock=clock,
        ids=means.ids,
        pace=pace,
        spoke_at=spoke_at,
        refused=refusals.entry,
        approvals=templates,
    )
    relay = Relay(outbox=outbox, sender=sender, pace=pace, clock=clock, claims=lambda: claims)
    turns = Turns(
        stores=stores,
        bundles=means.bundles,
        decisions=Decisions(
            business=businesses.by_tenant, tokens=means.tokens, clock=clock, ids=means.ids
        ),
        ids=means.ids,
    )
    worker = Worker(inbox=inbox, turns=turns, clock=clock, claims=lambda: claims, send=relay.offer)
    alarm = Alarm(
        timers=MongoTimers(database),
        inbox=inbox,
        clock=clock,
        slots=lambda: claims.terms().keys(),
        offer=worker.offer,
    )
    claims = Claims(
        tables=MongoSlotTables(database),
        clock=clock,
        member=RandomIds().token(),
        busy=lambda: worker.busy() | relay.busy(),
        prepare=alarm.fire,
    )
    sync = Sync(
        Surroundings(
            database=MongoSync(database),
            businesses=businesses,
            settings=means.tenant,
            tenants=means.bundles.tenants,
            calls=lambda token: GraphCatalogs(means.graph, token),
            public_url=settings.public_url,
            clock=clock,
            ids=means.ids,
            owner=RandomIds().token(),
        )
    )
    reception = Reception(
        inbox=inbox,
        statuses=Statuses(outbox=outbox, refusals=refusals, clock=clock),
        businesses=businesses,
        clock=clock,
        offer=worker.offer,
        refusals=refusals,
        commerce=Commerce(
            news=sync.news,
            businesses=businesses,
            stores=stores,
            clock=clock,
            approved=TemplateNews(templates, clock).take,
        ),
        echoes=Echoes(
            inbox=inbox,
            outbox=outbox,
            businesses=businesses,
            stores=stores,
            settings=means.tenant,
            clock=clock,
            offer=worker.offer,
        ),
    )
    exchanges = Exchanges(
        stores=stores,
        bundles=means.bundles,
        turns=turns,
        tokens=means.tokens,
        clock=clock,
        ids=means.ids,
        # The turn was taken without having the slot: whoever has it finds what it says.
        send=lambda _: relay.wake(),
    )
    deployer = Deployer(
        content=FlowContent(means.bundle),
        businesses=businesses,
        keys=flow_keys,
        stores=stores,
        graph=lambda token: GraphFlows(means.graph, token),
        clock=clock,
        public_url=settings.public_url,
        is_development=not settings.is_meta(),
    )
    publications = Publications(
        bundles=means.bundles, versions=MongoVersions(database), clock=clock
    )
    order_watch = OrderWatch(
        feed=MongoOrderFeed(database),
        serves=lambda tenant: means.tenant(tenant) is not None,
        clock=clock,
        owner=RandomIds().token(),
        offer=worker.offer,
    )
    template_watch = TemplateWatch(
        known=templates,
        calls=lambda token: GraphTemplates(means.graph, token),
        business=businesses.by_tenant,
        tenants=means.bundles.tenants,
        # What is of a tenant and of no customer is done in the slot of nobody.
        is_mine=lambda tenant: claims.term(tenant, CustomerKey("")) is not None,
        clock=clock,
    )
    return Parts(
        businesses, inbox, outbox, reception, claims, alarm, worker, relay, exchanges, flow_keys,
        deployer, sync, publications, order_watch, template_watch,
    )  # fmt: skip


def _stores(means: Means) -> Callable[[TenantId], TenantStore]:
    """Give what gives the database as a tenant sees it, and makes that once."""

    @lru_cache(maxsize=4096)
    def made(tenant: TenantId, _currency: str) -> TenantStore:
        return means.store(tenant)

    # A version that is published may have another currency.
    return lambda tenant: made(tenant, means.bundle(tenant).tenant.currency)
