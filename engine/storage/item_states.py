"""What is known of a tenant's items at Meta, on disk; nothing is asked of Meta here."""

from collections.abc import Collection, Mapping, Sequence

from pymongo import DeleteMany, ReplaceOne, UpdateMany
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from engine.domain.ids import ProductId, TenantId
from engine.storage.bulk import chunks, require_only_known
from engine.storage.connection import Database, Json, reachable
from engine.storage.sync_records import SyncStateDocument
from engine.storage.tenancy import TenantCollection
from engine.storage.waiting import LONGEST_ERROR
from engine.sync.ports import CatalogKey, ItemId, ItemState, Summary

BETWEEN = "\x01"
"""Parts the fields of an id: less than any other character, so that ids sort by field."""
ESCAPES = {0: "\x02\x02", 1: "\x02\x03", 2: "\x02\x04"}
"""Keeps those characters out of the fields, and the fields in their order."""
COMMAND = 500
"""Rows replaced by one command: the embedded server takes some milliseconds for each."""
WAITS = ("sent", "removing")
FAILED = ("failed", "refused")


class MongoItemStates:
    """What is known of one tenant's items: `engine.sync.ports.ItemStates`."""

    def __init__(self, database: Database, *, tenant: TenantId) -> None:
        self._tenant = tenant
        self._rows: AsyncCollection[Json] = database.collection(SyncStateDocument)
        self._mine = TenantCollection(self._rows, "tenant", tenant)

    async def catalogs(self) -> Mapping[CatalogKey, int]:
        """Count the items by catalogue."""
        with reachable():
            counts = await self._mine.count_by("catalog", {})
        return {CatalogKey(key): count for key, count in counts.items()}

    async def page(
        self, catalog: CatalogKey, *, after: tuple[ProductId, ItemId] | None, limit: int
    ) -> tuple[ItemState, ...]:
        """Give the next items of a catalogue by product and item; empty at the end."""
        wanted: Json = {"catalog": catalog}
        if after is not None:
            wanted["_id"] = {"$gt": _state_id(self._tenant, catalog, *after)}
        return await self._read(wanted, limit=limit)

    async def of(self, products: Collection[ProductId]) -> tuple[ItemState, ...]:
        """Give the items of products, in whichever catalogue."""
        if not products:
            return ()
        return await self._read({"product": {"$in": list(products)}})

    async def put(self, states: Sequence[ItemState]) -> None:
        """Write items; there is one per catalogue, product and id."""
        rows = list({row["_id"]: row for row in map(self._to_disk, states)}.values())
        if not rows:
            return
        with reachable():
            try:
                await self._rows.insert_many(rows, ordered=False)
            except BulkWriteError as exc:
                known = require_only_known(exc)
                await self._replace([rows[place] for place in sorted(known)])

    async def drop(self, states: Sequence[ItemState]) -> None:
        """Forget items."""
        ids = [self._to_disk(state)["_id"] for state in states]
        if not ids:
            return
        deletes = [DeleteMany({"_id": {"$in": list(part)}}) for part in chunks(ids)]
        with reachable():
            await self._rows.bulk_write(deletes, ordered=False)

    async def settle(self, batch: str, *, faults: Mapping[ItemId, str]) -> int:
        """Note that a batch is through: its faulty items failed, removed ones are forgotten.

        Returns:
            How many items waited for it.
        """
        with reachable():
            failed = await self._fail(batch, faults) if faults else 0
            of = {"tenant": self._tenant, "batch": batch}
            removed = await self._rows.delete_many({**of, "status": "removing"})
            taken = {"$set": {"status": "synced", "error": None}}
            synced = await self._rows.update_many({**of, "status": "sent"}, taken)
        return failed + removed.deleted_count + synced.modified_count

    async def in_batch(self, batch: str) -> tuple[ItemState, ...]:
        """Give the items that wait for a batch."""
        # Two finds, as the embedded server plans no index for a choice before an equality.
        found = [
            state
            for status in WAITS
            for state in await self._read({"batch": batch, "status": status})
        ]
        return tuple(sorted(found, key=lambda state: (state.catalog, state.product, state.item)))

    async def summary(self) -> Summary:
        """Count the products by how their items stand."""
        stages: list[Json] = [
            {
                "$group": {
                    "_id": "$product",
                    "failed": {"$max": {"$in": ["$status", list(FAILED)]}},
                    "waits": {"$max": {"$in": ["$status", list(WAITS)]}},
                }
            },
            {"$group": {"_id": {"failed": "$failed", "waits": "$waits"}, "count": {"$sum": 1}}},
        ]
        with reachable():
            found = await self._mine.aggregate({}, stages)
        failed = sum(row["count"] for row in found if row["_id"]["failed"])
        waiting = sum(
            row["count"] for row in found if row["_id"]["waits"] and not row["_id"]["failed"]
        )
        total = sum(row["count"] for row in found)
        return Summary(synced=total - failed - waiting, failed=failed, waiting=waiting)

    async def errors(self, limit: int) -> tuple[ItemState, ...]:
        """Give items that failed or were refused, by product."""
        wanted = {"status": {"$in": list(FAILED)}}
        with reachable():
            found = self._mine.find(wanted, sort=(("product", 1), ("_id", 1)), limit=limit)
            return tuple(map(state_from_disk, await found.to_list()))

    async def _read(self, wanted: Json, *, limit: int = 0) -> tuple[ItemState, ...]:
        with reachable():
            found = await self._mine.find(wanted, sort=(("_id", 1),), limit=limit).to_list()
        return tuple(map(state_from_disk, found))

    async def _replace(self, rows: list[Json]) -> None:
        for part in chunks(rows, COMMAND):
            replaces = [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in part]
            await self._rows.bulk_write(replaces, ordered=False)

    async def _fail(self, batch: str, faults: Mapping[ItemId, str]) -> int:
        faulty: dict[str, list[str]] = {}
        for status in WAITS:
            waiting = self._mine.find(
                {"batch": batch, "status": status}, projection={"item": 1, "catalog": 1}
            )
            for row in await waiting.to_list():
                if row["item"] in faults:
                    faulty.setdefault(faults[row["item"]], []).append(row["_id"])
        updates = [
            UpdateMany(
                {"_id": {"$in": list(part)}, "batch": batch, "status": {"$in": list(WAITS)}},
                {"$set": {"status": "failed", "error": sentence[:LONGEST_ERROR]}},
            )
            for sentence, ids in faulty.items()
            for part in chunks(ids)
        ]
        if not updates:
            return 0
        return (await self._rows.bulk_write(updates, ordered=False)).modified_count

    def _to_disk(self, state: ItemState) -> Json:
        return state_to_disk(state, self._tenant)


def _state_id(tenant: str, catalog: str, product: str, item: str) -> str:
    return BETWEEN.join(part.translate(ESCAPES) for part in (tenant, catalog, product, item))


def state_to_disk(state: ItemState, tenant: TenantId) -> Json:
    """Write what is known of an item."""
    return {
        "_id": _state_id(tenant, state.catalog, state.product, state.item),
        "tenant": tenant,
        "catalog": state.catalog,
        "product": state.product,
        "item": state.item,
        "catalogId": state.catalog_id,
        "digest": state.digest,
        "status": state.status,
        "updatedAt": state.updated_at,
        "batch": state.batch,
        "error": state.error,
        "document": state.document,
    }


def state_from_disk(document: Json) -> ItemState:
    """Read it back."""
    return ItemState(
        catalog=CatalogKey(document["catalog"]),
        item=ItemId(document["item"]),
        product=ProductId(document["product"]),
        catalog_id=document["catalogId"],
        digest=document["digest"],
        status=document["status"],
        updated_at=document["updatedAt"],
        batch=document["batch"],
        error=document["error"],
        document=document["document"],
    )
