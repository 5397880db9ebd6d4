"""Timers on disk; turns set them (`unit_of_work`)."""

from collections.abc import Collection, Sequence
from datetime import datetime

from pymongo import DeleteOne

from engine.box_ports import Timer
from engine.domain.ids import CustomerKey, TenantId
from engine.slots import slot_of
from engine.storage.connection import Database, Json, reachable
from engine.storage.records import TimerDocument


class MongoTimers:
    """The timers of all tenants: `engine.box_ports.Timers`."""

    def __init__(self, database: Database) -> None:
        self._rows = database.collection(TimerDocument)

    async def due(
        self, slots: Collection[int], *, now: datetime, limit: int = 100
    ) -> tuple[Timer, ...]:
        """Give the longest due timers of the slots."""
        if not slots:
            return ()
        # The time comes first: the embedded server takes the first field that has an index.
        wanted = {"due": {"$lte": now}, "slot": {"$in": sorted(slots)}}
        with reachable():
            found = await self._rows.find(wanted).sort("due", 1).limit(limit).to_list()
        return tuple(timer_from_disk(document) for document in found)

    async def drop(self, timers: Sequence[Timer]) -> None:
        """Remove timers that have fired, unless one was set again to another time meanwhile."""
        if not timers:
            return
        fired = [
            DeleteOne({"_id": timer.id, "due": timer.due, "tenant": timer.tenant})
            for timer in timers
        ]
        with reachable():
            await self._rows.bulk_write(fired, ordered=False)


def timer_to_disk(timer: Timer) -> Json:
    """Write a timer."""
    return {
        "_id": timer.id,
        "tenant": timer.tenant,
        "customer": timer.customer,
        "slot": slot_of(timer.tenant, timer.customer),
        "event": timer.event,
        "entry": timer.entry,
        "due": timer.due,
        "phoneNumberId": timer.phone_number_id,
    }


def timer_from_disk(document: Json) -> Timer:
    """Read a timer back."""
    return Timer(
        id=document["_id"],
        tenant=TenantId(document["tenant"]),
        customer=CustomerKey(document["customer"]),
        event=document["event"],
        entry=document["entry"],
        due=document["due"],
        phone_number_id=document.get("phoneNumberId") or "",
    )
