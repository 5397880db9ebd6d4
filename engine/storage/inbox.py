"""The inbox on disk: messages of customers, stored before they are answered for.

A turn makes a row done in its own transaction (`unit_of_work`), not here.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from pymongo.errors import BulkWriteError

from engine.box_ports import Backlog, InboxRow
from engine.clock import Clock, SystemClock
from engine.domain.ids import CustomerKey, TenantId
from engine.slots import slot_of
from engine.storage.bulk import require_only_known
from engine.storage.connection import Database, Json, reachable
from engine.storage.records import DONE, RETENTION, InboxDocument
from engine.storage.waiting import Place, WaitingRows


class MongoInbox:
    """The messages of all tenants that wait for their turn: `engine.box_ports.Inbox`.

    Args:
        retention: how long a message that was given up is kept.
    """

    def __init__(
        self, database: Database, *, retention: timedelta = RETENTION, clock: Clock | None = None
    ) -> None:
        self._retention = retention
        self._clock = clock or SystemClock()
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

    async def waiting(
        self, slots: Collection[int], *, now: datetime, limit: int = 100
    ) -> tuple[InboxRow, ...]:
        """Give the oldest messages of the slots that are due, per conversation in Meta's order.

        A message that was put off holds back the later ones of its conversation.
        """
        found = await self._waiting.due(slots, now=now, limit=limit)
        return tuple(row_from_disk(document) for document in found)

    async def postpone(self, row: InboxRow, *, until: datetime, error: str) -> None:
        """Count a failed attempt and try again later."""
        await self._waiting.postpone(row.id, tenant=row.tenant, until=until, error=error)

    async def bury(self, row: InboxRow, *, error: str) -> None:
        """Give a message up; it stays for the operator to see."""
        expires = kept_until(self._clock.now(), self._retention)
        await self._waiting.put_aside(
            row.id, tenant=row.tenant, state="dead", error=error, expires=expires
        )

    async def backlog(self) -> Backlog:
        """Tell how much waits, and since when."""
        return await self._waiting.backlog(now=self._clock.now())


def kept_until(at: datetime, retention: timedelta) -> datetime:
    """Tell until when a message is kept that was given up or taken out.

    As long as one that was answered, at least: it may be delivered again.
    """
    return at + max(retention, DONE)


def row_to_disk(row: InboxRow) -> Json:
    """Write a new row."""
    return {
        **({} if row.trace is None else {"trace": row.trace}),
        "_id": row.id,
        "tenant": row.tenant,
        "customer": row.customer,
        "slot": slot_of(row.tenant, row.customer),
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
        trace=document.get("trace"),
    )


def _place(document: Json) -> Place:
    return document["timestamp"], document["receivedAt"], document["_id"]
