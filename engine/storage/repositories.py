"""The database as one tenant sees it: the repositories of `engine.ports`, bound to the tenant.

Each noun has a module of its own; this one only puts them together.
"""

from datetime import datetime, timedelta

from beanie import Document

from engine.box_ports import Said
from engine.domain.ids import OrderNumber, TenantId
from engine.domain.money import Currency
from engine.domain.order import OrderStatus
from engine.flow_ports import DeploymentRepository, FlowSessionRepository
from engine.ports import (
    CartRepository,
    CatalogRepository,
    ConversationRepository,
    NativeCatalog,
    OrderRepository,
    TurnRecord,
)
from engine.staff_ports import HandOffRepository
from engine.storage.carts import MongoCarts
from engine.storage.catalog import MongoCatalog
from engine.storage.connection import Database, reachable
from engine.storage.conversations import MongoConversations
from engine.storage.deployments import MongoDeployments
from engine.storage.documents import (
    CartDocument,
    CategoryDocument,
    ModifierDocument,
    OrderDocument,
    PresentationDocument,
    ProductDocument,
)
from engine.storage.flow_sessions import MongoFlowSessions
from engine.storage.handoffs import MongoHandOffs
from engine.storage.meta_records import DeploymentDocument
from engine.storage.native import MongoNative
from engine.storage.orders import MongoOrders
from engine.storage.outbox import said_from_disk
from engine.storage.records import (
    RETENTION,
    ConversationDocument,
    FlowSessionDocument,
    InboxDocument,
    OutboxDocument,
    TimerDocument,
    TurnDocument,
)
from engine.storage.sync_records import (
    SyncCatalogDocument,
    SyncMarkDocument,
    SyncStateDocument,
)
from engine.storage.tenancy import TenantCollection
from engine.storage.unit_of_work import Tables, UnitOfWork


class MongoTenantStore:
    """One tenant's part of the database: `engine.ports.TenantStore`.

    Args:
        currency: of all the tenant's amounts.
        local_id: the Node back end's id of the shop, noted in orders.
        retention: how long the log of a turn is kept, and the message it is of.

    Raises:
        ValueError: the tenant's name has a colon, which parts it from the customer's key.
    """

    def __init__(
        self,
        database: Database,
        *,
        tenant: TenantId,
        currency: Currency,
        local_id: str | None = None,
        retention: timedelta = RETENTION,
    ) -> None:
        if not tenant or ":" in tenant:
            raise ValueError(f"{tenant!r} cannot name a tenant")

        def shared(document: type[Document]) -> TenantCollection:
            return TenantCollection(database.collection(document), "subDomain", tenant)

        def own(document: type[Document]) -> TenantCollection:
            return TenantCollection(database.collection(document), "tenant", tenant)

        tables = Tables(
            inbox=own(InboxDocument),
            conversations=own(ConversationDocument),
            carts=shared(CartDocument),
            orders=shared(OrderDocument),
            products=shared(ProductDocument),
            outbox=own(OutboxDocument),
            timers=own(TimerDocument),
            turns=own(TurnDocument),
            flow_sessions=own(FlowSessionDocument),
            sync_marks=own(SyncMarkDocument),
        )
        self.catalog: CatalogRepository = MongoCatalog(
            categories=shared(CategoryDocument),
            products=tables.products,
            presentations=shared(PresentationDocument),
            modifiers=shared(ModifierDocument),
            currency=currency,
        )
        self.carts: CartRepository = MongoCarts(tables.carts, currency=currency)
        self._orders = MongoOrders(tables.orders, currency=currency)
        self.orders: OrderRepository = self._orders
        self.conversations: ConversationRepository = MongoConversations(tables.conversations)
        self.flow_sessions: FlowSessionRepository = MongoFlowSessions(
            tables.flow_sessions, tables.outbox
        )
        self.deployments: DeploymentRepository = MongoDeployments(
            database.collection(DeploymentDocument), tenant=tenant
        )
        self.native: NativeCatalog = MongoNative(
            states=own(SyncStateDocument), catalogs=own(SyncCatalogDocument)
        )
        self.handoffs: HandOffRepository = MongoHandOffs(
            conversations=tables.conversations, inbox=tables.inbox, outbox=tables.outbox
        )
        self._outbox = tables.outbox
        self._work = UnitOfWork(
            database, tables, currency=currency, local_id=local_id, retention=retention
        )

    async def commit(self, record: TurnRecord) -> None:
        """Write a turn in one transaction.

        Raises:
            Answered: the row is not new any more; nothing is written.
            Conflict: another turn of the conversation was faster, the Flow session is done
                already, an order number is taken, or a product has not the units; nothing is
                written.
            Unavailable: the database does not answer; the turn may be written or not.
        """
        await self._work.commit(record)

    async def said(self, wamid: str) -> Said | None:
        """Tell which state said the message that Meta calls so."""
        with reachable():
            found = await self._outbox.find_one({"providerId": wamid}, projection={"said": 1})
        return None if found is None else said_from_disk(found.get("said"))

    async def move_order(
        self, number: OrderNumber, status: OrderStatus, *, at: datetime
    ) -> bool | None:
        """Give one of the tenant's orders another status.

        Returns:
            False if the move is not legal, None if there is no such order.
        """
        return await self._orders.move(number, status, at=at)
