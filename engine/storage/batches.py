"""The batches of the sync on disk: what was given to Meta, and whether it is through."""

from datetime import datetime, timedelta

from engine.domain.ids import TenantId
from engine.storage.connection import Database, Json, reachable
from engine.storage.sync_records import BATCH_DAYS, SyncBatchDocument
from engine.sync.ports import Batch, CatalogKey


class MongoBatches:
    """The batches of all tenants: `engine.sync.ports.Batches`."""

    def __init__(self, database: Database) -> None:
        self._rows = database.collection(SyncBatchDocument)

    async def add(self, batch: Batch) -> None:
        """Store a batch; storing it again is safe."""
        with reachable():
            await self._rows.replace_one({"_id": batch.id}, batch_to_disk(batch), upsert=True)

    async def save(self, batch: Batch) -> None:
        """Write a batch that changed."""
        with reachable():
            await self._rows.replace_one({"_id": batch.id}, batch_to_disk(batch))

    async def open(self, tenant: TenantId) -> tuple[Batch, ...]:
        """Give a tenant's batches that are not finished, the oldest first."""
        unfinished = {"tenant": tenant, "finishedAt": None}
        with reachable():
            found = self._rows.find(unfinished).sort([("sentAt", 1), ("_id", 1)])
            return tuple(map(batch_from_disk, await found.to_list()))

    async def sent_since(self, catalog_id: str, since: datetime) -> tuple[datetime, ...]:
        """Tell when batches were sent to a catalogue, the oldest first."""
        wanted = {"catalogId": catalog_id, "sentAt": {"$gte": since}}
        with reachable():
            found = await self._rows.find(wanted, {"sentAt": 1}).sort("sentAt", 1).to_list()
        return tuple(document["sentAt"] for document in found)

    async def hurry(self, catalog_id: str, handle: str, *, at: datetime) -> TenantId | None:
        """Let a batch be asked for at a time; name its tenant, or None if it is not ours."""
        wanted = {"catalogId": catalog_id, "handles": handle}
        with reachable():
            found = await self._rows.find_one(wanted, {"tenant": 1})
            if found is None:
                return None
            unfinished = {"_id": found["_id"], "finishedAt": None}
            await self._rows.update_one(unfinished, {"$min": {"checkAt": at}})
        return TenantId(found["tenant"])


def batch_to_disk(batch: Batch) -> Json:
    """Write a batch; a finished one goes after some days."""
    finished = batch.finished_at
    expires = {} if finished is None else {"expireAt": finished + timedelta(days=BATCH_DAYS)}
    return {
        "_id": batch.id,
        "tenant": batch.tenant,
        "catalog": batch.catalog,
        "catalogId": batch.catalog_id,
        "handles": list(batch.handles),
        "items": batch.items,
        "sentAt": batch.sent_at,
        "checkAt": batch.check_at,
        "checks": batch.checks,
        "finishedAt": finished,
        **expires,
    }


def batch_from_disk(document: Json) -> Batch:
    """Read a batch back."""
    return Batch(
        id=document["_id"],
        tenant=TenantId(document["tenant"]),
        catalog=CatalogKey(document["catalog"]),
        catalog_id=document["catalogId"],
        handles=tuple(document["handles"]),
        items=document["items"],
        sent_at=document["sentAt"],
        check_at=document["checkAt"],
        checks=document["checks"],
        finished_at=document["finishedAt"],
    )
