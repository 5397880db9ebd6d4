"""What changes in the products of all tenants, followed through one change stream.

It tells which products; what became of them is read when they are compared.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from engine.domain.ids import ProductId, TenantId
from engine.storage.change_stream import StoredStream
from engine.storage.connection import Database, Json, reachable
from engine.storage.documents import PresentationDocument, ProductDocument
from engine.storage.sync_records import SyncFeedDocument, SyncStateDocument
from engine.sync.feed import Changes

ROW: Final = "catalog"
"""Id of the one row that tells where the feed is."""
GATHER = 1.0
"""Seconds in which further changes are gathered once there is one: writes come in bursts."""
PRODUCTS: Final = ProductDocument.Settings.name
PRESENTATIONS: Final = PresentationDocument.Settings.name
PIPELINE: Final[list[Json]] = [
    {"$match": {"ns.coll": {"$in": [PRODUCTS, PRESENTATIONS]}}},
    {
        "$project": {
            "operationType": 1,
            "ns": 1,
            "documentKey": 1,
            "fullDocument.rId": 1,
            "fullDocument.subDomain": 1,
            "fullDocument.productId": 1,
        }
    },
]


class MongoFeed:
    """What changes in the products of all tenants: `engine.sync.feed.ChangeFeed`.

    Changes that were told and could not be noted are told again after `close`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stream = StoredStream(
            database,
            database.collection(SyncFeedDocument),
            ROW,
            pipeline=PIPELINE,
            lookup=True,
            gather=GATHER,
            about="products",
        )

    async def claim(self, *, owner: str, now: datetime, until: datetime) -> bool:
        """Take the feed, or keep it; False while another process has it."""
        return await self._stream.claim(owner=owner, now=now, until=until)

    async def next(self, *, seconds: float) -> Changes | None:
        """Wait for changes; None if there were none in the time.

        Raises:
            FeedLost: what was stored is too old to go on from: everything must be compared.
        """
        batch = await self._stream.next(seconds=seconds)
        return None if batch is None else _told(batch.changes, batch.token)

    async def noted(self, changes: Changes, *, owner: str) -> None:
        """Go on after these changes from now on, also after a restart.

        Raises:
            Conflict: another process has taken the feed over.
        """
        await self._stream.noted(changes.token, owner=owner)

    async def products_of(self, changes: Changes) -> tuple[tuple[TenantId, ProductId], ...]:
        """Name every product that changes concern: of sizes all that have them, once each."""
        found = [*changes.products]
        shared = set()
        for tenant, presentation, product in changes.presentations:
            if product is None:
                shared.add((tenant, presentation))
            else:
                found.append((tenant, product))
        with reachable():
            found += await self._of_documents(changes.documents)
            found += await self._with_sizes(shared)
        return tuple(dict.fromkeys(found))

    async def restart(self, *, owner: str) -> None:
        """Forget where the feed was, and go on with what changes from now on.

        Raises:
            Conflict: another process has taken the feed over.
        """
        await self._stream.restart(owner=owner)

    async def close(self) -> None:
        """Stop reading; the stored place stays."""
        await self._stream.close()

    async def _of_documents(self, documents: tuple[str, ...]) -> list[tuple[TenantId, ProductId]]:
        if not documents:
            return []
        rows = self._database.collection(SyncStateDocument)
        wanted = {"document": {"$in": list(documents)}}
        found = await rows.find(wanted, {"tenant": 1, "product": 1}).to_list()
        return [(TenantId(row["tenant"]), ProductId(row["product"])) for row in found]

    async def _with_sizes(
        self, sizes: set[tuple[TenantId, str]]
    ) -> list[tuple[TenantId, ProductId]]:
        if not sizes:
            return []
        rows = self._database.collection(ProductDocument)
        wanted = {
            "presentations": {"$in": sorted({size for _, size in sizes})},
            "subDomain": {"$in": sorted({tenant for tenant, _ in sizes})},
        }
        found = rows.find(wanted, {"_id": 0, "subDomain": 1, "rId": 1, "presentations": 1})
        return [
            (TenantId(row["subDomain"]), ProductId(row["rId"]))
            for row in await found.to_list()
            if _text(row.get("rId"))
            and any((row["subDomain"], size) in sizes for size in row["presentations"])
        ]


def _told(found: Iterable[Json], token: Mapping[str, object] | None) -> Changes:
    products: list[tuple[TenantId, ProductId]] = []
    documents: list[str] = []
    presentations: list[tuple[TenantId, str, ProductId | None]] = []
    for change in found:
        whole = change.get("fullDocument") or {}
        tenant, rid = _text(whole.get("subDomain")), _text(whole.get("rId"))
        if change["ns"]["coll"] == PRODUCTS:
            if tenant and rid:
                products.append((TenantId(tenant), ProductId(rid)))
            if change["operationType"] != "insert":
                # Also of an update: it may have been another product, or another tenant's.
                documents.append(str(change["documentKey"]["_id"]))
        elif tenant and rid:
            product = _text(whole.get("productId"))
            presentations.append((TenantId(tenant), rid, ProductId(product) if product else None))
    return Changes(
        products=tuple(dict.fromkeys(products)),
        documents=tuple(dict.fromkeys(documents)),
        presentations=tuple(dict.fromkeys(presentations)),
        token=token,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
