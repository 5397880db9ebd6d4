"""How orders are moved, as the database tells: by its change stream, and by looking.

Which moves are legal, and what is told of them, is not known here.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from bson import Timestamp
from pymongo.asynchronous.client_session import AsyncClientSession

from engine.domain.ids import CustomerKey, OrderNumber, TenantId
from engine.domain.order import OrderStatus, OrderType
from engine.errors import Conflict
from engine.runtime.order_feed import Followed, FollowedOrder, OrderMove, OrderMoves, Place
from engine.storage.change_stream import StoredStream
from engine.storage.connection import Database, Json, reachable
from engine.storage.documents import OrderDocument, ProductDocument
from engine.storage.inbox import row_to_disk
from engine.storage.records import ConversationDocument, InboxDocument, OrderFeedDocument
from engine.storage.transactions import commit, transaction

ROW: Final = "orders"
"""Id of the one row that tells where the feed is."""
GATHER: Final = 0.1
"""Seconds in which further moves are gathered once there is one: somebody waits for the news."""
MOST_MISSED: Final = 1000
ORDERS: Final = OrderDocument.Settings.name
PIPELINE: Final[list[Json]] = [
    {
        "$match": {
            "ns.coll": ORDERS,
            "$or": [
                {"operationType": {"$in": ["replace", "drop", "rename"]}},
                {"updateDescription.updatedFields.status": {"$exists": True}},
            ],
        }
    },
    {
        "$project": {
            "operationType": 1,
            "clusterTime": 1,
            "wallTime": 1,
            "documentKey": 1,
            "updateDescription.updatedFields.status": 1,
            "updateDescription.updatedFields.statusReason": 1,
            "updateDescription.updatedFields.updatedAt": 1,
            "fullDocument.status": 1,
            "fullDocument.statusReason": 1,
            "fullDocument.updatedAt": 1,
        }
    },
]
READ: Final = {
    "subDomain": 1,
    "orderNumber": 1,
    "conversationId": 1,
    "type": 1,
    "status": 1,
    "statusReason": 1,
    "updatedAt": 1,
    "createdAt": 1,
    "followed": 1,
}


class MongoOrderFeed:
    """How the orders of all tenants are moved: `engine.runtime.order_feed.OrderFeed`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = database.collection(OrderFeedDocument)
        self._orders = database.collection(OrderDocument)
        self._stream = StoredStream(
            database,
            self._rows,
            ROW,
            pipeline=PIPELINE,
            lookup=False,
            gather=GATHER,
            about="orders",
        )

    async def claim(self, *, owner: str, now: datetime, until: datetime) -> bool:
        """Take the feed, or keep it; False while another process has it."""
        return await self._stream.claim(owner=owner, now=now, until=until)

    async def next(self, *, seconds: float) -> OrderMoves | None:
        """Wait for moves; None if there were none in the time.

        Raises:
            FeedLost: what was stored is too old to go on from.
        """
        batch = await self._stream.next(seconds=seconds)
        if batch is None:
            return None
        moves = (_move(change) for change in batch.changes)
        return OrderMoves(tuple(move for move in moves if move), batch.token)

    async def noted(self, moves: OrderMoves, *, owner: str) -> None:
        """Go on after these moves from now on, also after a restart.

        Raises:
            Conflict: another process has taken the feed over.
        """
        await self._stream.noted(moves.token, owner=owner)

    async def restart(self, *, owner: str) -> None:
        """Forget where the feed was, and go on with what is moved from now on.

        Raises:
            Conflict: another process has taken the feed over.
        """
        await self._stream.restart(owner=owner)

    async def close(self) -> None:
        """Stop reading; the stored place stays."""
        await self._stream.close()

    async def order(self, order: Any) -> FollowedOrder | None:
        """Give an order as it is now; None if nobody follows it."""
        with reachable():
            found = await self._orders.find_one({"_id": order}, READ)
            return None if found is None else await self._read(found)

    async def missed(self, *, placed_since: datetime) -> tuple[FollowedOrder, ...]:
        """Give orders that have another status than was seen last."""
        wanted = {
            "followed.isOpen": True,
            "createdAt": {"$gte": placed_since},
            "status": {"$in": [status.value for status in OrderStatus]},
            "$expr": {"$ne": ["$status", "$followed.status"]},
        }
        with reachable():
            found = await self._orders.find(wanted, READ).limit(MOST_MISSED).to_list()
            read = [await self._read(document) for document in found]
        return tuple(order for order in read if order)

    async def looked(self) -> datetime | None:
        """Tell when it was last looked for missed moves, and all were seen to."""
        with reachable():
            row = await self._rows.find_one({"_id": ROW}, {"lookedAt": 1})
        return row.get("lookedAt") if row else None

    async def note_look(self, at: datetime, *, owner: str) -> None:
        """Note that all moves before a time were seen to."""
        with reachable():
            await self._rows.update_one({"_id": ROW, "owner": owner}, {"$set": {"lookedAt": at}})

    async def keep(self, order: FollowedOrder, followed: Followed) -> bool:
        """Note a move, put its event in the inbox and give back its stock, all or nothing.

        Returns:
            False if the event was in the inbox already.

        Raises:
            Conflict: the order is no longer what it was when it was read; nothing is written.
        """
        async with transaction(self._database) as session:
            await self._note(order, followed, session)
            if followed.gives_back:
                await self._give_back(order, session)
            is_new = await self._put(followed, session)
            await commit(session)
        return is_new

    async def _note(
        self, order: FollowedOrder, followed: Followed, session: AsyncClientSession
    ) -> None:
        known = {
            "_id": order.id,
            "followed.status": order.seen,
            "followed.place": _timestamp(order.place),
        }
        noted: Json = {
            "followed.status": followed.status.value,
            "followed.place": _timestamp(followed.place),
            "followed.isOpen": followed.is_open,
        }
        if followed.row:
            noted["followed.at"] = followed.row.received_at
        change: Json = {"$set": noted}
        if followed.told:
            change["$addToSet"] = {"followed.told": followed.status.value}
        result = await self._orders.update_one(known, change, session=session)
        if not result.matched_count:
            raise Conflict("the order was seen to meanwhile")

    async def _give_back(self, order: FollowedOrder, session: AsyncClientSession) -> None:
        """Give back what an order took of the stock; of what is not counted any more, nothing."""
        found = await self._orders.find_one({"_id": order.id}, {"takenStock": 1}, session=session)
        taken = (found or {}).get("takenStock") or []
        if not taken:
            return
        change: Json = {"$set": {"takenStock": []}}
        await self._orders.update_one({"_id": order.id}, change, session=session)
        products = self._database.collection(ProductDocument)
        for part in taken:
            counted = {
                "rId": part["product"],
                "stock": {"$type": "number"},
                "subDomain": order.tenant,
            }
            await products.update_one(counted, {"$inc": {"stock": part["units"]}}, session=session)

    async def _put(self, followed: Followed, session: AsyncClientSession) -> bool:
        if followed.row is None:
            return False
        inbox = self._database.collection(InboxDocument)
        if await inbox.find_one({"_id": followed.row.id}, {"_id": 1}, session=session):
            # An order that the back end wrote anew, without what was noted in it.
            return False
        # Due at once, though its place is after the move before it.
        document = {**row_to_disk(followed.row), "due": followed.at}
        await inbox.insert_one(document, session=session)
        return True

    async def _read(self, document: Json) -> FollowedOrder | None:
        followed = document.get("followed")
        if not isinstance(followed, dict) or "status" not in followed:
            return None
        try:
            kind = OrderType(document["type"])
        except (KeyError, ValueError):
            return None
        tenant = TenantId(document["subDomain"])
        customer, number = await self._customer(document)
        place = followed.get("place")
        return FollowedOrder(
            id=document["_id"],
            tenant=tenant,
            number=OrderNumber(document["orderNumber"]),
            type=kind,
            status=_text(document.get("status")),
            reason=_text(document.get("statusReason")),
            seen=followed["status"],
            told=frozenset(followed.get("told") or ()),
            updated_at=document.get("updatedAt") or document["createdAt"],
            customer=customer,
            phone_number_id=number,
            place=(place.time, place.inc) if isinstance(place, Timestamp) else None,
            told_at=followed.get("at"),
        )

    async def _customer(self, document: Json) -> tuple[CustomerKey | None, str]:
        """Give who placed an order, if he may be told of it, and the number he wrote to."""
        talks = self._database.collection(ConversationDocument)
        fields = {"customer": 1, "phoneNumberId": 1}
        mine = {"_id": document.get("conversationId"), "tenant": document["subDomain"]}
        found = await talks.find_one(mine, fields)
        if found is None:
            return None, ""
        return CustomerKey(found["customer"]), found.get("phoneNumberId") or ""


def _move(change: Json) -> OrderMove | None:
    written = change.get("fullDocument") or {}
    if change["operationType"] == "update":
        written = (change.get("updateDescription") or {}).get("updatedFields") or {}
    if not isinstance(written.get("status"), str):
        return None
    place: Timestamp = change["clusterTime"]
    reason, noted = written.get("statusReason"), written.get("updatedAt")
    at = change.get("wallTime") or place.as_datetime()
    return OrderMove(
        order=change["documentKey"]["_id"],
        status=written["status"],
        reason=reason if isinstance(reason, str) else None,
        at=max(_times(at, noted)),
        place=(place.time, place.inc),
    )


def _times(*values: object) -> Iterator[datetime]:
    for value in values:
        if isinstance(value, datetime):
            yield value if value.tzinfo else value.replace(tzinfo=UTC)


def _timestamp(place: Place | None) -> Timestamp | None:
    return Timestamp(*place) if place else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
