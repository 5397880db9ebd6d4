"""Orders as operators see them: listed, shown, and moved where that is legal."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from engine.domain.ids import OrderNumber, TenantId
from engine.domain.money import Currency
from engine.domain.order import OrderStatus
from engine.row_ports import AskedMove, OrderSummary
from engine.storage.amounts import from_disk
from engine.storage.connection import Database, Json, reachable
from engine.storage.documents import OrderDocument
from engine.storage.orders import MongoOrders, moves_of
from engine.storage.tenancy import TenantCollection

READ: Final = dict.fromkeys(
    (
        "orderNumber", "status", "type", "total", "createdAt", "updatedAt", "statusReason",
        "followed.told",
    ),
    1,
)  # fmt: skip


class MongoOperatorOrders:
    """The orders of one tenant: `engine.row_ports.OperatorOrders`."""

    def __init__(self, database: Database, tenant: TenantId, *, currency: Currency) -> None:
        rows = database.collection(OrderDocument)
        self._orders = TenantCollection(rows, "subDomain", tenant)
        self._repository = MongoOrders(self._orders, currency=currency)
        self._currency = currency

    async def list(
        self, *, statuses: Sequence[str] = (), limit: int = 50
    ) -> tuple[OrderSummary, ...]:
        """Give orders, the newest first."""
        wanted: Json = {"status": {"$in": sorted(statuses)}} if statuses else {}
        newest = [("createdAt", -1)]
        with reachable():
            found = self._orders.find(wanted, projection=READ, sort=newest, limit=limit)
            return tuple(self._summary(document) for document in await found.to_list())

    async def show(self, number: OrderNumber) -> OrderSummary | None:
        """Give one order; None if the tenant has none of that number."""
        with reachable():
            found = await self._orders.find_one({"orderNumber": number}, projection=READ)
        return None if found is None else self._summary(found)

    async def move(
        self, number: OrderNumber, status: OrderStatus, *, at: datetime, reason: str = ""
    ) -> AskedMove | None:
        """Give an order another status if that is legal; None if there is no such order."""
        return await self._repository.ask(number, status, at=at, reason=reason)

    def _summary(self, document: Json) -> OrderSummary:
        followed = document.get("followed")
        return OrderSummary(
            number=OrderNumber(document["orderNumber"]),
            status=str(document.get("status")),
            type=str(document.get("type")),
            total=from_disk(document["total"], self._currency),
            at=document["createdAt"],
            updated_at=document.get("updatedAt") or document["createdAt"],
            reason=str(document.get("statusReason") or ""),
            told=tuple(followed.get("told") or ()) if followed else None,
            moves=moves_of(document),
        )
