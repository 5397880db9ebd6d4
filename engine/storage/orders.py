"""Orders on disk, as the Node back end reads them and moves their status."""

from collections.abc import Iterable
from datetime import datetime

from engine.domain.ids import CustomerKey, OrderNumber, ProductId
from engine.domain.money import Currency
from engine.domain.order import LEGAL_MOVES, Address, Order, OrderStatus, OrderType, in_order
from engine.domain.pricing import Quote
from engine.errors import EngineError
from engine.row_ports import AskedMove
from engine.storage.amounts import from_disk, to_disk
from engine.storage.connection import Json, reachable
from engine.storage.conversations import conversation_id
from engine.storage.lines import line_from_disk, line_to_disk
from engine.storage.tenancy import TenantCollection


class MongoOrders:
    """The orders of one tenant: `engine.ports.OrderRepository`."""

    def __init__(self, orders: TenantCollection, *, currency: Currency) -> None:
        self._orders = orders
        self._currency = currency

    async def get_latest(self, customer: CustomerKey) -> Order | None:
        """Give a customer's newest order."""
        mine = {"conversationId": conversation_id(self._orders.tenant, customer)}
        with reachable():
            found = await self._orders.find(mine, sort=[("createdAt", -1)], limit=1).to_list()
        return order_from_disk(found[0], customer, self._currency) if found else None

    async def get_by_number(self, number: OrderNumber, customer: CustomerKey) -> Order | None:
        """Give one of a customer's own orders."""
        key = conversation_id(self._orders.tenant, customer)
        with reachable():
            found = await self._orders.find_one({"orderNumber": number, "conversationId": key})
        return None if found is None else order_from_disk(found, customer, self._currency)

    async def move(self, number: OrderNumber, status: OrderStatus, *, at: datetime) -> bool | None:
        """Give an order another status; its customer is told of it as of anybody's move.

        Returns:
            False if the move is not legal, None if there is no such order.
        """
        asked = await self.ask(number, status, at=at)
        return None if asked is None else asked.is_legal

    async def ask(
        self, number: OrderNumber, status: OrderStatus, *, at: datetime, reason: str = ""
    ) -> AskedMove | None:
        """Give an order another status if that is legal, and tell what else would be.

        Returns:
            None if there is no such order.
        """
        fields = {"status": 1, "type": 1}
        change = {"$set": {"status": status.value, "statusReason": reason, "updatedAt": at}}
        with reachable():
            while True:
                found = await self._orders.find_one({"orderNumber": number}, projection=fields)
                if found is None:
                    return None
                asked = AskedMove(status, str(found.get("status")), moves_of(found))
                if not asked.is_legal:
                    return asked
                before = {"orderNumber": number, "status": found["status"]}
                # Else the back end or another process moved it meanwhile.
                if await self._orders.update([(before, change)]):
                    return asked


def moves_of(document: Json) -> tuple[OrderStatus, ...]:
    """Give the statuses an order may take next; none if the back end gave it one of its own."""
    try:
        before, kind = OrderStatus(document["status"]), OrderType(document["type"])
    except (KeyError, ValueError):
        return ()
    return in_order(LEGAL_MOVES[kind][before])


def order_to_disk(
    order: Order,
    *,
    conversation: str,
    local_id: str | None,
    currency: Currency,
    stock: Iterable[tuple[ProductId, int]] = (),
) -> Json:
    """Write a new order.

    Args:
        conversation: id of the conversation that placed it.
        local_id: the Node back end's id of the shop.
        stock: units it takes, by product.
    """
    quote = order.quote
    return {
        "orderNumber": order.number,
        "localId": local_id,
        "conversationId": conversation,
        "customer": {
            "name": order.customer_name,
            "phone": order.customer_phone,
            "userId": order.customer_user_id,
        },
        "items": [line_to_disk(line, currency) for line in quote.lines],
        "subtotal": to_disk(quote.subtotal, currency),
        "tax": to_disk(quote.tax, currency),
        "deliveryFee": to_disk(quote.delivery_fee, currency),
        "total": to_disk(quote.total, currency),
        "status": order.status.value,
        "type": order.type.value,
        "paymentMethod": order.payment_kind,
        "paymentMethodId": order.payment_method,
        "source": "whatsapp",
        "deliveryAddress": None if order.address is None else _address_to_disk(order.address),
        "notes": order.notes,
        "createdAt": order.created_at,
        "updatedAt": order.created_at,
        "statusReason": "",
        # Checkout has said that it is placed.
        "followed": {
            "status": order.status.value,
            "told": [order.status.value],
            "place": None,
            "at": None,
            "isOpen": True,
        },
        "takenStock": [{"product": product, "units": units} for product, units in stock],
    }


def order_from_disk(document: Json, customer: CustomerKey, currency: Currency) -> Order:
    """Read a customer's order back.

    Raises:
        EngineError: the back end gave it a status that the engine does not know.
    """
    number = OrderNumber(document["orderNumber"])
    try:
        status = OrderStatus(document["status"])
    except ValueError as exc:
        raise EngineError(f"order {number} has an unknown status: {document['status']!r}") from exc
    who = document.get("customer") or {}
    address = document.get("deliveryAddress")
    return Order(
        number=number,
        customer=customer,
        quote=Quote(
            lines=tuple(line_from_disk(item, currency) for item in document["items"]),
            subtotal=from_disk(document["subtotal"], currency),
            delivery_fee=from_disk(document["deliveryFee"], currency),
            tax=from_disk(document["tax"], currency),
            total=from_disk(document["total"], currency),
        ),
        type=OrderType(document["type"]),
        payment_method=document["paymentMethodId"],
        payment_kind=document["paymentMethod"],
        created_at=document["createdAt"],
        customer_name=who.get("name"),
        customer_phone=who.get("phone"),
        customer_user_id=who.get("userId"),
        address=None if address is None else _address_from_disk(address),
        notes=document.get("notes") or "",
        status=status,
    )


def _address_to_disk(address: Address) -> Json:
    return {
        "text": address.text,
        "latitude": address.latitude,
        "longitude": address.longitude,
    }


def _address_from_disk(part: Json) -> Address:
    return Address(
        text=part.get("text") or "",
        latitude=part.get("latitude"),
        longitude=part.get("longitude"),
    )
