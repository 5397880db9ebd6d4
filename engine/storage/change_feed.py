"""What changes in the products of all tenants, followed through one change stream.

It tells which products; what became of them is read when they are compared.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Final

from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.errors import OperationFailure, PyMongoError

from engine.domain.ids import ProductId, TenantId
from engine.errors import Conflict, FeedLost
from engine.storage.connection import Database, Json, reachable
from engine.storage.documents import PresentationDocument, ProductDocument
from engine.storage.leases import take
from engine.storage.sync_records import SyncFeedDocument, SyncStateDocument
from engine.sync.feed import Changes

ROW: Final = "catalog"
"""Id of the one row that tells where the feed is."""
AWAIT_MS = 500
"""How long the server waits for a change before it answers that there is none."""
GATHER = 1.0
"""Seconds in which further changes are gathered once there is one: writes come in bursts."""
MOST = 1000
"""Most changes told at once."""
# FailedToParse, CappedPositionLost, InvalidResumeToken, ChangeStreamFatalError,
# ChangeStreamHistoryLost, and of tokens that are none: 40647, 40649, 50811.
LOST: Final = frozenset({9, 136, 260, 280, 286, 40647, 40649, 50811})
GONE: Final = frozenset({"drop", "rename", "dropDatabase", "invalidate"})
"""What happens to a collection as a whole: which products are gone is not told."""
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
        self._rows = database.collection(SyncFeedDocument)
        self._stream: AsyncChangeStream[Json] | None = None
        self._owner: str | None = None
        self._idle: Mapping[str, Any] | None = None
        self._has_unnoted = False

    async def claim(self, *, owner: str, now: datetime, until: datetime) -> bool:
        """Take the feed, or keep it; False while another process has it."""
        with reachable():
            held = await take(
                (self._rows, ROW), owner=owner, now=now, until=until, blank={"token": None}
            )
            self._owner = owner if held else None
            if held != "kept":
                # Another process may go on, or have gone on, from where this one stands.
                await self.close()
            elif self._idle is not None:
                # Nothing of ours changed, but much else may have: a place that is never moved
                # falls out of what the database remembers.
                await self._store(self._idle, owner)
                self._idle = None
        return held is not None

    async def next(self, *, seconds: float) -> Changes | None:
        """Wait for changes; None if there were none in the time.

        Raises:
            FeedLost: what was stored is too old to go on from: everything must be compared.
        """
        try:
            with reachable(), _lost():
                stream = await self._open()
                found = await _gather(stream, seconds)
        except BaseException:
            await self.close()
            raise
        token = stream.resume_token
        if not found:
            self._idle = None if self._has_unnoted else token
            return None
        self._idle, self._has_unnoted = None, True
        return _told(found, None if token is None else dict(token))

    async def noted(self, changes: Changes, *, owner: str) -> None:
        """Go on after these changes from now on, also after a restart.

        Raises:
            Conflict: another process has taken the feed over.
        """
        with reachable():
            await self._store(changes.token, owner)
        self._has_unnoted = False

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
        await self.close()
        with reachable():
            await self._store(None, owner)
            self._owner = owner
            await self._open()

    async def close(self) -> None:
        """Stop reading; the stored place stays."""
        stream, self._stream = self._stream, None
        self._idle, self._has_unnoted = None, False
        if stream is not None:
            with suppress(PyMongoError):
                await stream.close()

    async def _open(self) -> AsyncChangeStream[Json]:
        if self._stream is not None:
            return self._stream
        row = await self._rows.find_one({"_id": ROW})
        token = None if row is None else row["token"]
        stream = await self._database.client[self._database.name].watch(
            PIPELINE,
            full_document="updateLookup",
            resume_after=token,
            max_await_time_ms=AWAIT_MS,
        )
        self._stream = stream
        if token is None and self._owner is not None and stream.resume_token is not None:
            # At once: what changes until the first change is noted must not be missed by the
            # next process. If this one has it no more, the next claim tells.
            with suppress(Conflict):
                await self._store(stream.resume_token, self._owner)
        return stream

    async def _store(self, token: Mapping[str, object] | None, owner: str) -> None:
        change = {"$set": {"token": None if token is None else dict(token)}}
        mine = {"_id": ROW, "owner": owner}
        if not (await self._rows.update_one(mine, change)).matched_count:
            raise Conflict("another process follows the changes")

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


@contextmanager
def _lost() -> Iterator[None]:
    try:
        yield
    except OperationFailure as exc:
        if exc.code in LOST:
            raise FeedLost("the database no longer knows the place in its changes") from exc
        raise


async def _gather(stream: AsyncChangeStream[Json], seconds: float) -> list[Json]:
    """Wait for a change and take what comes soon after it.

    Raises:
        FeedLost: a whole collection is gone.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    found: list[Json] = []
    while len(found) < MOST:
        change = await stream.try_next()
        if change is not None:
            if change["operationType"] in GONE:
                raise FeedLost("a collection of products was dropped or renamed")
            if not found:
                end = loop.time() + GATHER
            found.append(change)
        elif found or not stream.alive:
            break
        if loop.time() >= end:
            break
    if not found and not stream.alive:
        raise FeedLost("the database ended its changes")
    return found


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
