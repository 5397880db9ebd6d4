"""The inbox on disk: messages of customers, stored before they are answered for.

A turn makes a row done in its own transaction (`unit_of_work`), not here.
"""

from collections.abc import Sequence
from datetime import datetime

from pymongo.errors import BulkWriteError

from engine.domain.ids import CustomerKey, TenantId
from engine.ports import InboxRow
from engine.storage.bulk import require_only_known
from engine.storage.connection import Database, Json, reachable
from engine.storage.records import InboxDocument
from engine.storage.waiting import Place, WaitingRows


class MongoInbox:
    """The messages of all tenants that wait for their turn: `engine.ports.Inbox`."""

    def __init__(self, database: Database) -> None:
        self._rows = database.collection(InboxDocument)
        self._waiting = WaitingRows(self._rows, "new", _place, ("timestamp", "receivedAt"))

    async def accept(self, rows: Sequence[InboxRow]) -> tuple[InboxRow, ...]:
        """Store messages durably; give the ones that were not stored before.

        Raises:
            Unavailable: not all of them are stored; accepting them again is safe.
        """
        if not rows:
            return ()
        known: set[int] = set()
        with reachable():
            try:
                await self._rows.insert_many([row_to_disk(row) for row in rows], ordered=False)
            except BulkWriteError as exc:
                known = require_only_known(exc)
        return tuple(row for place, row in enumerate(rows) if place not in known)

    async def waiting(self, *, now: datetime, limit: int = 100) -> tuple[InboxRow, ...]:
        """Give the oldest messages that are due, per conversation in Meta's order.

        A message that was put off holds back the later ones of its conversation.
        """
        found = await self._waiting.due(now=now, limit=limit)
        return tuple(row_from_disk(document) for document in found)

    async def postpone(self, row: InboxRow, *, until: datetime, error: str) -> None:
        """Count a failed attempt and try again later."""
        await self._waiting.postpone(row.id, tenant=row.tenant, until=until, error=error)

    async def bury(self, row: InboxRow, *, error: str) -> None:
        """Give a message up; it stays for the operator to see."""
        await self._waiting.bury(row.id, tenant=row.tenant, error=error)


def row_to_disk(row: InboxRow) -> Json:
    """Write a new row."""
    return {
        "_id": row.id,
        "tenant": row.tenant,
        "customer": row.customer,
        "timestamp": row.timestamp,
        "receivedAt": row.received_at,
        "raw": row.raw,
        "attempts": row.attempts,
        "state": "new",
        "due": row.received_at,
    }


def row_from_disk(document: Json) -> InboxRow:
    """Read a row back."""
    return InboxRow(
        id=document["_id"],
        tenant=TenantId(document["tenant"]),
        customer=CustomerKey(document["customer"]),
        timestamp=document["timestamp"],
        received_at=document["receivedAt"],
        raw=document["raw"],
        attempts=document["attempts"],
    )


def _place(document: Json) -> Place:
    return document["timestamp"], document["receivedAt"], document["_id"]
