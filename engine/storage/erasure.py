"""Forgetting one customer: what is his goes, and what others need of it stays without him."""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from beanie import Document
from pymongo.asynchronous.client_session import AsyncClientSession

from engine.domain.ids import CustomerKey, TenantId
from engine.errors import Conflict
from engine.row_ports import Forgotten
from engine.storage.connection import Database, Json, reachable
from engine.storage.conversations import conversation_id
from engine.storage.documents import CartDocument, OrderDocument
from engine.storage.records import (
    DONE,
    ConversationDocument,
    FlowSessionDocument,
    InboxDocument,
    OutboxDocument,
    TimerDocument,
    TurnDocument,
)
from engine.storage.tenancy import TenantCollection
from engine.storage.transactions import commit, transaction

PASSES: Final = 20
"""Times it is looked whether a turn that ran meanwhile has left something."""
NOBODY: Final[Json] = {
    "conversationId": "",
    "customer": {"name": None, "phone": None, "userId": None},
    "deliveryAddress": None,
    "notes": "",
}
"""What an order has of a customer who is forgotten."""
EMPTY: Final[Json] = {"customer": "", "raw": {}}
"""What a row of the inbox has of him."""
PHONE: Final = re.compile(r"\+?[\d .()/-]+")


class MongoErasure:
    """Erases customers of one tenant: `engine.row_ports.Erasure`."""

    def __init__(self, database: Database, tenant: TenantId) -> None:
        def own(document: type[Document]) -> TenantCollection:
            return TenantCollection(database.collection(document), "tenant", tenant)

        self._database = database
        self._tenant = tenant
        self._inbox = own(InboxDocument)
        self._conversations = own(ConversationDocument)
        self._orders = TenantCollection(database.collection(OrderDocument), "subDomain", tenant)
        self._carts = TenantCollection(database.collection(CartDocument), "subDomain", tenant)
        self._others = {
            "outbox": own(OutboxDocument),
            "timers": own(TimerDocument),
            "flowSessions": own(FlowSessionDocument),
            "turns": own(TurnDocument),
        }

    async def find(self, who: str) -> tuple[CustomerKey, ...]:
        """Give the keys of the customers that a key or a phone number means."""
        phones = _phones(who)
        keys = [CustomerKey(name) for name in dict.fromkeys((who, *phones)) if name]
        ids = [conversation_id(self._tenant, key) for key in keys]
        with reachable():
            found = await self._talks({"_id": {"$in": ids}})
            found += await self._ordered({"conversationId": {"$in": ids}})
            if phones:
                found += await self._talks({"phone": {"$in": phones}})
                found += await self._ordered({"customer.phone": {"$in": phones}})
            for key in keys:
                if await self._inbox.find_one({"customer": key}, projection={"_id": 1}):
                    found.append(key)
        return tuple(dict.fromkeys(found))

    async def forget(self, customer: CustomerKey, *, now: datetime) -> Forgotten:
        """Erase a customer everywhere; his orders stay without anything personal.

        Rows of the inbox stay without him for as long as his messages may be delivered again.

        Raises:
            Conflict: he writes faster than he can be forgotten; it can be repeated.
            Unavailable: the database does not answer; it can be repeated.
        """
        removed: Counter[str] = Counter()
        anonymised: Counter[str] = Counter()
        for _ in range(PASSES):
            try:
                gone, kept = await self._pass(customer, now)
            except Conflict:
                continue
            if not sum(gone.values()) + sum(kept.values()):
                return Forgotten((customer,), dict(+removed), dict(+anonymised))
            removed.update(gone)
            anonymised.update(kept)
        raise Conflict("the customer could not be forgotten: something is written all the time")

    async def _pass(
        self, customer: CustomerKey, now: datetime
    ) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """Erase what there is; give what was removed and what was anonymised, by collection.

        A turn that runs meanwhile either fails, as its row and its conversation are others now, or
        it is written first and this fails; what it does not see of him, the next one sees.
        """
        mine = {"customer": customer}
        talk = conversation_id(self._tenant, customer)
        async with transaction(self._database) as session:
            gone = {
                "conversations": await self._conversations.delete({"_id": talk}, session=session),
                "carts": await self._carts.delete({"sessionId": customer}, session=session),
            }
            for name, rows in self._others.items():
                gone[name] = await rows.delete(mine, session=session)
            # What the staff was told of him.
            told = {"about": customer}
            gone["outbox"] += await self._others["outbox"].delete(told, session=session)
            gone["inbox"], emptied = await self._empty_inbox(customer, now, session)
            ordered = await self._orders.change(
                {"conversationId": talk}, {"$set": NOBODY}, session=session
            )
            await commit(session)
        return gone, {"inbox": emptied, "orders": ordered}

    async def _empty_inbox(
        self, customer: CustomerKey, now: datetime, session: AsyncClientSession
    ) -> tuple[int, int]:
        """Remove the rows that have him in their id, and empty the others."""
        rows = self._inbox
        found = rows.find({"customer": customer}, projection={"state": 1}, session=session)
        states = {row["_id"]: row["state"] async for row in found}
        # Events of ours, which nobody delivers again.
        named = [key for key in states if customer in key.split(":")]
        others = states.keys() - set(named)
        settled = [key for key in others if states[key] in ("done", "discarded")]
        # One without what he wrote cannot be answered, nor tried again.
        stopped = [key for key in others if states[key] in ("new", "dead")]
        removed = await rows.delete({"_id": {"$in": named}}, session=session) if named else 0
        emptied = 0
        for keys, noted in (
            (settled, {}),
            (stopped, {"state": "discarded", "expireAt": now + DONE}),
        ):
            if keys:
                change = {"$set": {**EMPTY, **noted}, "$unset": {"error": ""}}
                emptied += await rows.change({"_id": {"$in": keys}}, change, session=session)
        return removed, emptied

    async def _talks(self, wanted: Json) -> list[CustomerKey]:
        found = self._conversations.find(wanted, projection={"customer": 1})
        return [CustomerKey(row["customer"]) async for row in found]

    async def _ordered(self, wanted: Json) -> list[CustomerKey]:
        found = self._orders.find(wanted, projection={"conversationId": 1})
        prefix = conversation_id(self._tenant, CustomerKey(""))
        names = [row["conversationId"] async for row in found]
        return [
            CustomerKey(name.removeprefix(prefix)) for name in names if name.startswith(prefix)
        ]


def _phones(who: str) -> list[str]:
    """Give the forms in which a phone number is stored; none if it is not one."""
    if not PHONE.fullmatch(who):
        return []
    digits = re.sub(r"\D", "", who)
    return [digits, f"+{digits}"] if digits else []
