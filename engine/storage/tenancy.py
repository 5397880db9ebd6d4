"""A collection as one tenant sees it: a filter without the tenant cannot be written here.

It knows no documents and no noun of the trade.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import DeleteMany, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.cursor import AsyncCursor

from engine.domain.ids import TenantId
from engine.storage.connection import Json


@dataclass(frozen=True, slots=True)
class TenantCollection:
    """One collection of one tenant.

    Args:
        field: that holds the tenant: `subDomain` where the Node back end reads too, else `tenant`.
    """

    _rows: AsyncCollection[Json]
    field: str
    tenant: TenantId

    def _mine(self, wanted: Mapping[str, Any]) -> Json:
        # The tenant comes last: the embedded server takes the first field that has an index.
        return {**wanted, self.field: self.tenant}

    def find(
        self,
        wanted: Mapping[str, Any],
        *,
        projection: Mapping[str, Any] | None = None,
        sort: Sequence[tuple[str, int]] = (),
        limit: int = 0,
        session: AsyncClientSession | None = None,
    ) -> AsyncCursor[Json]:
        """Find the tenant's documents that match."""
        cursor = self._rows.find(self._mine(wanted), projection, limit=limit, session=session)
        return cursor.sort(list(sort)) if sort else cursor

    async def find_one(
        self, wanted: Mapping[str, Any], *, projection: Mapping[str, Any] | None = None
    ) -> Json | None:
        """Find one of the tenant's documents."""
        return await self._rows.find_one(self._mine(wanted), projection)

    async def count_by(self, field: str, wanted: Mapping[str, Any]) -> dict[Any, int]:
        """Count the tenant's documents that match, by the value of a field that is no array."""
        found = await self.aggregate(
            wanted, [{"$group": {"_id": f"${field}", "count": {"$sum": 1}}}]
        )
        return {row["_id"]: row["count"] for row in found}

    async def aggregate(self, wanted: Mapping[str, Any], stages: Sequence[Json]) -> list[Json]:
        """Take the tenant's documents that match through stages."""
        pipeline: list[Json] = [{"$match": self._mine(wanted)}, *stages]
        return await (await self._rows.aggregate(pipeline)).to_list()

    async def insert(self, documents: Iterable[Json], *, session: AsyncClientSession) -> None:
        """Insert documents as the tenant's."""
        await self._rows.insert_many(map(self._mine, documents), session=session)

    async def replace(
        self,
        wanted: Mapping[str, Any],
        document: Json,
        *,
        session: AsyncClientSession,
        upsert: bool = False,
    ) -> bool:
        """Replace one of the tenant's documents; tell whether there was one."""
        result = await self._rows.replace_one(
            self._mine(wanted), self._mine(document), upsert=upsert, session=session
        )
        return result.matched_count == 1

    async def update(
        self,
        changes: Sequence[tuple[Mapping[str, Any], Json]],
        *,
        session: AsyncClientSession | None = None,
    ) -> bool:
        """Update one of the tenant's documents per change; tell whether all were there."""
        updates = [UpdateOne(self._mine(wanted), change) for wanted, change in changes]
        result = await self._rows.bulk_write(updates, session=session)
        return result.matched_count == len(updates)

    async def change(
        self, wanted: Mapping[str, Any], change: Json, *, session: AsyncClientSession
    ) -> int:
        """Update all of the tenant's documents that match; give their number."""
        result = await self._rows.update_many(self._mine(wanted), change, session=session)
        return result.matched_count

    async def delete(self, *wanted: Mapping[str, Any], session: AsyncClientSession) -> int:
        """Delete the tenant's documents that match any filter; give their number."""
        deletions = [DeleteMany(self._mine(each)) for each in wanted]
        return (await self._rows.bulk_write(deletions, session=session)).deleted_count
