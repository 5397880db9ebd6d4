"""Hand-offs on disk: they are conversations, and messages to the staff that tell of them."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Final

from engine.box_ports import InboxRow
from engine.domain.ids import CustomerKey, TenantId
from engine.runtime.handoffs import handed_back
from engine.runtime.staff import LOOKED_AT, words_of
from engine.staff_ports import Muted, Spoken, StaffLine
from engine.storage.connection import Database, Json, reachable
from engine.storage.inbox import MongoInbox
from engine.storage.records import ConversationDocument
from engine.storage.tenancy import TenantCollection

READ: Final = dict.fromkeys(
    ("customer", "phone", "name", "position.leaf", "updatedAt", "phoneNumberId", "version"), 1
)
SPOKE_LAST: Final = [("spokeAt", -1), ("updatedAt", -1)]
OLDEST: Final = [("updatedAt", 1)]


class MongoHandOffs:
    """What one tenant's hand-offs are made of: `engine.staff_ports.HandOffRepository`."""

    def __init__(
        self,
        *,
        conversations: TenantCollection,
        inbox: TenantCollection,
        outbox: TenantCollection,
    ) -> None:
        self._conversations = conversations
        self._inbox = inbox
        self._outbox = outbox

    async def line(self, phone: str) -> StaffLine:
        """Give the line of a phone number in digits."""
        found = await self._by_phone(phone)
        if found is None:
            return StaffLine(CustomerKey(phone), phone)
        return StaffLine(CustomerKey(found["customer"]), phone, found.get("spokeAt"))

    async def last_words(self, customer: CustomerKey) -> Sequence[Spoken]:
        """Give what a customer sent last, the oldest first."""
        newest = [("receivedAt", -1)]
        with reachable():
            fields = {"raw": 1, "receivedAt": 1}
            found = self._inbox.find(
                {"customer": customer}, projection=fields, sort=newest, limit=LOOKED_AT
            )
            rows = await found.to_list()
        # What came in the same moment keeps the order it has.
        return words_of(row["raw"] for row in sorted(rows, key=itemgetter("receivedAt")))

    async def is_known(self, handoff: str) -> bool:
        """Tell whether the staff was told of a hand-off, and it is not forgotten."""
        with reachable():
            found = await self._outbox.find_one({"handoff": handoff}, projection={"_id": 1})
        return found is not None

    async def key_of(self, *, phone: str) -> CustomerKey | None:
        """Give the key of the customer who has a phone number, if he ever wrote."""
        found = await self._by_phone(phone)
        return CustomerKey(found["customer"]) if found else None

    async def _by_phone(self, phone: str) -> Json | None:
        fields = {"customer": 1, "spokeAt": 1}
        with reachable():
            # Who has a number now is who wrote from it last.
            found = self._conversations.find(
                {"phone": phone}, projection=fields, sort=SPOKE_LAST, limit=1
            )
            rows = await found.to_list()
        return rows[0] if rows else None


class MongoMuted:
    """The hand-offs of one tenant, for operators: `engine.staff_ports.HandOffs`.

    Args:
        states: those in which a person answers.
    """

    def __init__(self, database: Database, tenant: TenantId, *, states: Collection[str]) -> None:
        rows = database.collection(ConversationDocument)
        self._conversations = TenantCollection(rows, "tenant", tenant)
        self._inbox = MongoInbox(database)
        self._tenant = tenant
        self._states = sorted(states)

    async def list(self, *, limit: int = 100) -> Sequence[Muted]:
        """Give the conversations that a person answers, the longest first."""
        with reachable():
            found = self._conversations.find(
                {"position.leaf": {"$in": self._states}},
                projection=READ, sort=OLDEST, limit=limit,
            )  # fmt: skip
            return [_muted(row) async for row in found]

    async def end(self, who: str, *, now: datetime) -> bool:
        """Let the bot answer a customer again; False if no person answers him."""
        names = [{"customer": who}, {"phone": re.sub(r"\D", "", who) or who}]
        wanted = {"$or": names, "position.leaf": {"$in": self._states}}
        with reachable():
            found = await self._conversations.find_one(wanted, projection=READ)
        if found is None:
            return False
        number = found.get("phoneNumberId") or ""
        row = InboxRow(
            # Of one turn of the conversation there is one, however often it is asked for.
            id=f"handed_back:{self._tenant}:{found['customer']}:{found['version']}",
            tenant=self._tenant,
            customer=CustomerKey(found["customer"]),
            timestamp=int(now.timestamp()),
            received_at=now,
            raw=handed_back("operator", phone_number_id=number),
        )
        await self._inbox.accept([row])
        return True


def _muted(row: Json) -> Muted:
    return Muted(
        customer=CustomerKey(row["customer"]),
        phone=row.get("phone"),
        name=row.get("name"),
        since=row.get("updatedAt"),
        state=row["position"]["leaf"],
        phone_number_id=row.get("phoneNumberId") or "",
    )
