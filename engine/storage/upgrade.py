"""What an earlier version has left on disk gets what this one asks for, when the database opens.

It may be done twice, and by several processes at once.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeAlias

from beanie import Document
from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from engine.clock import SystemClock
from engine.domain.ids import CustomerKey, TenantId
from engine.slots import slot_of
from engine.storage.records import (
    RETENTION,
    InboxDocument,
    OutboxDocument,
    TimerDocument,
    TurnDocument,
)

PAGE: Final = 1000

Json: TypeAlias = dict[str, Any]
Collections: TypeAlias = Callable[[type[Document]], AsyncCollection[Json]]

WAITING: Final[tuple[tuple[type[Document], Json], ...]] = (
    (InboxDocument, {"state": "new"}),
    (OutboxDocument, {"state": "queued"}),
    (TimerDocument, {}),
)
"""What waits: without a slot nobody would ever find it."""
KEPT: Final[tuple[tuple[type[Document], Json], ...]] = (
    (InboxDocument, {"state": "dead"}),
    (OutboxDocument, {"state": {"$in": ["failed", "dead"]}}),
    (TurnDocument, {}),
)
"""What is kept for a while only: without an end it would be kept for ever."""


async def upgrade(collections: Collections) -> None:
    """Give the rows of an earlier version what they lack.

    Args:
        collections: gives the collection of a kind of document.
    """
    for document, wanted in WAITING:
        await _give_slots(collections(document), {**wanted, "slot": None})
    expires = SystemClock().now() + RETENTION
    for document, wanted in KEPT:
        # The end comes first: the embedded server takes the first field that has an index.
        await _give_end(collections(document), {"expireAt": None, **wanted}, expires)


async def _give_slots(rows: AsyncCollection[Json], wanted: Json) -> None:
    fields = {"tenant": 1, "customer": 1}
    while found := await rows.find(wanted, fields).limit(PAGE).to_list():
        changes = [
            UpdateOne(
                {"_id": row["_id"], "slot": None},
                {"$set": {"slot": slot_of(TenantId(row["tenant"]), CustomerKey(row["customer"]))}},
            )
            for row in found
        ]
        await rows.bulk_write(changes, ordered=False)


async def _give_end(rows: AsyncCollection[Json], wanted: Json, expires: datetime) -> None:
    # A page at a time: there may be a million, and a server has so many seconds for a command.
    while found := await rows.find(wanted, {"_id": 1}).limit(PAGE).to_list():
        keys = {"_id": {"$in": [row["_id"] for row in found]}, "expireAt": None}
        await rows.update_many(keys, {"$set": {"expireAt": expires}})
