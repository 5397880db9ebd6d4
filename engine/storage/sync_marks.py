"""The marks of the sync on disk: products that may have changed, until they are worked off."""

from collections.abc import Sequence

from pymongo import DeleteMany
from pymongo.errors import BulkWriteError

from engine.domain.ids import ProductId, TenantId
from engine.storage.bulk import chunks, require_only_known
from engine.storage.connection import Database, Json, reachable
from engine.storage.sync_records import SyncMarkDocument
from engine.sync.ports import Mark

OLDEST_FIRST = (("at", 1), ("_id", 1))


class MongoSyncMarks:
    """The products of all tenants that may have changed: `engine.sync.ports.SyncMarks`."""

    def __init__(self, database: Database) -> None:
        self._rows = database.collection(SyncMarkDocument)

    async def add(self, marks: Sequence[Mark]) -> None:
        """Store marks durably; one that is stored already is left as it is.

        Raises:
            Unavailable: not all of them are stored; adding them again is safe.
        """
        if not marks:
            return
        with reachable():
            try:
                await self._rows.insert_many([mark_to_disk(m) for m in marks], ordered=False)
            except BulkWriteError as exc:
                require_only_known(exc)

    async def waiting(self, *, limit: int) -> tuple[Mark, ...]:
        """Give the oldest marks of all tenants."""
        return await self._oldest({}, limit)

    async def of(self, tenant: TenantId, *, limit: int) -> tuple[Mark, ...]:
        """Give a tenant's oldest marks."""
        return await self._oldest({"tenant": tenant}, limit)

    async def done(self, marks: Sequence[Mark]) -> None:
        """Forget marks that were worked off."""
        if not marks:
            return
        deletes = [
            DeleteMany({"_id": {"$in": [mark.id for mark in part]}}) for part in chunks(marks)
        ]
        with reachable():
            await self._rows.bulk_write(deletes, ordered=False)

    async def _oldest(self, wanted: Json, limit: int) -> tuple[Mark, ...]:
        with reachable():
            found = self._rows.find(wanted).sort(list(OLDEST_FIRST))
            documents = await found.limit(limit).to_list()
        return tuple(
            Mark(
                id=document["_id"],
                tenant=TenantId(document["tenant"]),
                product=ProductId(document["product"]),
                at=document["at"],
                kind=document["kind"],
            )
            for document in documents
        )


def mark_to_disk(mark: Mark) -> Json:
    """Write a mark."""
    return {
        "_id": mark.id,
        "tenant": mark.tenant,
        "product": mark.product,
        "at": mark.at,
        "kind": mark.kind,
    }
