"""The outbox on disk: messages to customers, and what became of them.

Turns put them in (`unit_of_work`); nothing is sent here.
"""

from datetime import datetime, timedelta
from typing import Any

from engine.domain.ids import CustomerKey, TenantId
from engine.ports import OutboxEntry, Said
from engine.storage.connection import Database, Json, reachable
from engine.storage.records import SENT_DAYS, OutboxDocument
from engine.storage.waiting import LONGEST_ERROR, Place, WaitingRows

EARLIER: dict[str, list[str | None]] = {
    "sent": [None],
    "delivered": [None, "sent"],
    "read": [None, "sent", "delivered"],
    "failed": [None, "sent"],
}
"""The statuses that each status may follow; webhooks come in any order, and twice."""


class MongoOutbox:
    """The messages of all tenants that wait to be sent: `engine.ports.Outbox`."""

    def __init__(self, database: Database) -> None:
        self._rows = database.collection(OutboxDocument)
        self._waiting = WaitingRows(self._rows, "queued", _place, ("sequence", "createdAt"))

    async def waiting(self, *, now: datetime, limit: int = 100) -> tuple[OutboxEntry, ...]:
        """Give the oldest entries that are due, per customer in the order they were written.

        An entry that was put off holds back the later ones of its customer.
        """
        found = await self._waiting.due(now=now, limit=limit)
        return tuple(entry_from_disk(document) for document in found)

    async def sent(self, entry: OutboxEntry, *, wamid: str, at: datetime) -> None:
        """Note that Meta took an entry."""
        taken = {
            "state": "sent",
            "providerId": wamid,
            "sentAt": at,
            "expireAt": at + timedelta(days=SENT_DAYS),
        }
        queued = {"_id": entry.id, "state": "queued", "tenant": entry.tenant}
        with reachable():
            await self._rows.update_one(queued, {"$set": taken})

    async def postpone(self, entry: OutboxEntry, *, until: datetime, error: str) -> None:
        """Count a failed attempt and try again later."""
        await self._waiting.postpone(entry.id, tenant=entry.tenant, until=until, error=error)

    async def bury(self, entry: OutboxEntry, *, error: str) -> None:
        """Give an entry up; it stays for the operator to see."""
        await self._waiting.bury(entry.id, tenant=entry.tenant, error=error)

    async def entry(
        self, tenant: TenantId, *, wamid: str, opaque: str | None
    ) -> OutboxEntry | None:
        """Find an entry by the id it went out with, else by what Meta calls it."""
        known = {"_id": opaque} if opaque else {"providerId": wamid}
        with reachable():
            found = await self._rows.find_one({"tenant": tenant, **known})
        return None if found is None else entry_from_disk(found)

    async def note_status(
        self, tenant: TenantId, *, wamid: str, status: str, at: datetime, error: str | None
    ) -> None:
        """Note what became of a sent message; a status never moves backwards.

        A status that is not known (`played`, `deleted`), or of a message not ours, is passed over.
        """
        if status not in EARLIER:
            return
        news: Json = {"status": status, "statusAt": at}
        if status == "failed":
            news |= {"state": "failed", "error": (error or "")[:LONGEST_ERROR]}
        with reachable():
            # Two steps: with a third field beside those of its partial index the embedded server
            # finds nothing.
            found = await self._rows.find_one({"tenant": tenant, "providerId": wamid}, {"_id": 1})
            if found is not None:
                earlier = {"_id": found["_id"], "status": {"$in": EARLIER[status]}}
                await self._rows.update_one(earlier, {"$set": news})


def entry_to_disk(entry: OutboxEntry) -> Json:
    """Write a new entry."""
    return {
        "_id": entry.id,
        "tenant": entry.tenant,
        "customer": entry.customer,
        "phoneNumberId": entry.phone_number_id,
        "sequence": entry.sequence,
        "payload": entry.payload,
        "createdAt": entry.created_at,
        "said": None if entry.said is None else _said_to_disk(entry.said),
        "attempts": entry.attempts,
        "state": "queued",
        "due": entry.created_at,
    }


def entry_from_disk(document: Json) -> OutboxEntry:
    """Read an entry back."""
    return OutboxEntry(
        id=document["_id"],
        tenant=TenantId(document["tenant"]),
        customer=CustomerKey(document["customer"]),
        phone_number_id=document["phoneNumberId"],
        sequence=document["sequence"],
        payload=document["payload"],
        created_at=document["createdAt"],
        said=said_from_disk(document.get("said")),
        attempts=document["attempts"],
    )


def said_from_disk(part: Any) -> Said | None:
    """Read back which state said a message."""
    if part is None:
        return None
    return Said(
        chart=part["chart"], version=part["version"], state=part["state"], entry=part["entry"]
    )


def _said_to_disk(said: Said) -> Json:
    return {
        "chart": said.chart,
        "version": said.version,
        "state": said.state,
        "entry": said.entry,
    }


def _place(document: Json) -> Place:
    return document["sequence"], document["createdAt"], document["_id"]
