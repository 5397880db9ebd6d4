"""The sync's ports without a database; tests/unit/storage holds them to what MongoDB does.

Nothing here calls Meta, and no time passes: a test moves it.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from engine.domain.catalog import Product
from engine.domain.ids import CategoryId, ProductId, TenantId
from engine.domain.money import Currency
from engine.errors import Conflict, FeedLost
from engine.sync.feed import Changes
from engine.sync.ports import (
    Batch,
    CatalogKey,
    ItemId,
    ItemState,
    Mark,
    Sellable,
    Summary,
    TenantCatalog,
)
from engine.sync.runs import Job, SyncRun

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
WAITS = ("sent", "removing")
FAILED = ("failed", "refused")


class MemorySellables:
    """What one tenant sells; a test changes `held` and `shelves` as it likes.

    Args:
        held: the active products by id.
        shelves: the names of the active categories.
    """

    def __init__(
        self, *products: Product, shelves: Mapping[CategoryId, str] | None = None
    ) -> None:
        self.held: dict[ProductId, Sellable] = {}
        self.shelves: dict[CategoryId, str] = dict(shelves or {})
        for product in products:
            self.put(product)

    def put(self, product: Product) -> None:
        """Add or change an active product."""
        self.held[product.id] = Sellable(
            id=product.id,
            product=product,
            category_id=product.category_id,
            document=f"doc:{product.id}",
        )
        if product.category_id:
            self.shelves.setdefault(product.category_id, product.category or product.category_id)

    def remove(self, product: ProductId) -> None:
        """Delete a product, or make it inactive."""
        del self.held[product]

    async def categories(self) -> Mapping[CategoryId, int]:
        return dict(Counter(sellable.category_id for sellable in self.held.values()))

    async def names(self) -> Mapping[CategoryId, str]:
        return dict(self.shelves)

    async def page(
        self, category: CategoryId | None, *, after: ProductId | None, limit: int
    ) -> tuple[Sellable, ...]:
        ids = sorted(
            key
            for key, sellable in self.held.items()
            if category in (None, sellable.category_id) and (after is None or key > after)
        )
        return tuple(self.held[key] for key in ids[:limit])

    async def some(self, products: Collection[ProductId]) -> tuple[Sellable, ...]:
        return tuple(self.held[key] for key in sorted(set(products)) if key in self.held)


class MemoryItemStates:
    """What is known of one tenant's items."""

    def __init__(self) -> None:
        self.held: dict[tuple[CatalogKey, ProductId, ItemId], ItemState] = {}

    async def catalogs(self) -> Mapping[CatalogKey, int]:
        return dict(Counter(state.catalog for state in self.held.values()))

    async def page(
        self, catalog: CatalogKey, *, after: tuple[ProductId, ItemId] | None, limit: int
    ) -> tuple[ItemState, ...]:
        keys = sorted(
            key for key in self.held if key[0] == catalog and (after is None or key[1:] > after)
        )
        return tuple(self.held[key] for key in keys[:limit])

    async def of(self, products: Collection[ProductId]) -> tuple[ItemState, ...]:
        wanted = set(products)
        return tuple(self.held[key] for key in sorted(self.held) if key[1] in wanted)

    async def put(self, states: Sequence[ItemState]) -> None:
        self.held.update((_state_key(state), state) for state in states)

    async def drop(self, states: Sequence[ItemState]) -> None:
        for state in states:
            self.held.pop(_state_key(state), None)

    async def settle(self, batch: str, *, faults: Mapping[ItemId, str]) -> int:
        waiting = await self.in_batch(batch)
        for state in waiting:
            key = _state_key(state)
            if state.item in faults:
                self.held[key] = replace(state, status="failed", error=faults[state.item])
            elif state.status == "removing":
                del self.held[key]
            else:
                self.held[key] = replace(state, status="synced", error=None)
        return len(waiting)

    async def in_batch(self, batch: str) -> tuple[ItemState, ...]:
        return tuple(
            self.held[key]
            for key in sorted(self.held)
            if self.held[key].batch == batch and self.held[key].status in WAITS
        )

    async def summary(self) -> Summary:
        statuses: dict[ProductId, set[str]] = {}
        for state in self.held.values():
            statuses.setdefault(state.product, set()).add(state.status)
        failed = sum(not known.isdisjoint(FAILED) for known in statuses.values())
        synced = sum(known == {"synced"} for known in statuses.values())
        return Summary(synced=synced, failed=failed, waiting=len(statuses) - synced - failed)

    async def errors(self, limit: int) -> tuple[ItemState, ...]:
        failed = (state for state in self.held.values() if state.status in FAILED)
        in_order = sorted(failed, key=lambda state: (state.product, state.catalog, state.item))
        return tuple(in_order[:limit])


def _state_key(state: ItemState) -> tuple[CatalogKey, ProductId, ItemId]:
    return state.catalog, state.product, state.item


class MemoryMarks:
    """The marks of all tenants."""

    def __init__(self) -> None:
        self.held: dict[str, Mark] = {}

    async def add(self, marks: Sequence[Mark]) -> None:
        for mark in marks:
            self.held.setdefault(mark.id, mark)

    async def waiting(self, *, limit: int) -> tuple[Mark, ...]:
        return self._oldest(self.held.values(), limit)

    async def of(self, tenant: TenantId, *, limit: int) -> tuple[Mark, ...]:
        return self._oldest((m for m in self.held.values() if m.tenant == tenant), limit)

    async def done(self, marks: Sequence[Mark]) -> None:
        for mark in marks:
            self.held.pop(mark.id, None)

    def _oldest(self, marks: Iterable[Mark], limit: int) -> tuple[Mark, ...]:
        return tuple(sorted(marks, key=lambda mark: (mark.at, mark.id))[:limit])


@dataclass(slots=True)
class _Held:
    """A run, who works on it until when, and when it was woken since it was claimed."""

    run: SyncRun
    owner: str | None = None
    until: datetime = LONG_AGO
    woken: datetime | None = None

    def wake(self, at: datetime) -> None:
        self.run = replace(self.run, due=min(self.run.due, at))
        self.woken = at if self.woken is None else min(self.woken, at)

    def awake(self, due: datetime) -> datetime:
        return due if self.woken is None else min(due, self.woken)


class MemoryRuns:
    """The runs of all tenants."""

    def __init__(self) -> None:
        self.held: dict[TenantId, _Held] = {}

    async def get(self, tenant: TenantId) -> SyncRun | None:
        return self.held[tenant].run if tenant in self.held else None

    async def due(self, *, now: datetime, limit: int) -> tuple[TenantId, ...]:
        free = [h.run for h in self.held.values() if h.run.due <= now and h.until <= now]
        return tuple(r.tenant for r in sorted(free, key=lambda r: (r.due, r.tenant))[:limit])

    async def claim(
        self, tenant: TenantId, *, owner: str, now: datetime, until: datetime
    ) -> SyncRun | None:
        held = self.held.setdefault(tenant, _Held(SyncRun(tenant, due=now)))
        if held.owner != owner and held.until > now:
            return None
        held.owner, held.until, held.woken = owner, until, None
        return held.run

    async def save(self, run: SyncRun, *, owner: str, until: datetime) -> None:
        held = self._of_owner(run.tenant, owner)
        held.run = replace(run, requested=held.run.requested, due=held.awake(run.due))
        held.until = until

    async def begin(self, run: SyncRun, *, owner: str) -> None:
        held = self._of_owner(run.tenant, owner)
        asked = held.run.requested
        if asked is None or run.job is None or asked.id != run.job.id:
            raise Conflict("another process began the walk that was asked for")
        held.run = replace(run, requested=None, due=held.awake(run.due))

    async def release(self, tenant: TenantId, *, owner: str) -> None:
        held = self.held.get(tenant)
        if held is not None and held.owner == owner:
            held.owner, held.until = None, LONG_AGO

    async def request(self, tenant: TenantId, job: Job) -> Job:
        held = self.held.setdefault(tenant, _Held(SyncRun(tenant, due=job.requested_at)))
        joined = held.run.joined(job)
        if joined is not None:
            return joined
        held.run = replace(held.run, requested=job)
        held.wake(job.requested_at)
        return job

    async def wake(self, tenant: TenantId, *, at: datetime) -> None:
        self.held.setdefault(tenant, _Held(SyncRun(tenant, due=at))).wake(at)

    def _of_owner(self, tenant: TenantId, owner: str) -> _Held:
        held = self.held.get(tenant)
        if held is None or held.owner != owner:
            raise Conflict(f"another process works on {tenant}")
        return held


class MemoryBatches:
    """The batches of all tenants."""

    def __init__(self) -> None:
        self.held: dict[str, Batch] = {}

    async def add(self, batch: Batch) -> None:
        self.held[batch.id] = batch

    async def save(self, batch: Batch) -> None:
        if batch.id in self.held:
            self.held[batch.id] = batch

    async def open(self, tenant: TenantId) -> tuple[Batch, ...]:
        unfinished = (
            b for b in self.held.values() if b.tenant == tenant and b.finished_at is None
        )
        return tuple(sorted(unfinished, key=lambda batch: (batch.sent_at, batch.id)))

    async def sent_since(self, catalog_id: str, since: datetime) -> tuple[datetime, ...]:
        sent = (b.sent_at for b in self.held.values() if b.catalog_id == catalog_id)
        return tuple(sorted(at for at in sent if at >= since))

    async def hurry(self, catalog_id: str, handle: str, *, at: datetime) -> TenantId | None:
        for batch in self.held.values():
            if batch.catalog_id == catalog_id and handle in batch.handles:
                if batch.finished_at is None:
                    sooner = min(batch.check_at, at)
                    self.held[batch.id] = replace(batch, check_at=sooner)
                return batch.tenant
        return None


class MemoryTenantCatalogs:
    """The catalogues of all tenants."""

    def __init__(self) -> None:
        self.held: dict[tuple[TenantId, CatalogKey], TenantCatalog] = {}

    async def get(self, tenant: TenantId, key: CatalogKey) -> TenantCatalog | None:
        return self.held.get((tenant, key))

    async def all(self, tenant: TenantId) -> tuple[TenantCatalog, ...]:
        return tuple(self.held[key] for key in sorted(self.held) if key[0] == tenant)

    async def save(self, catalog: TenantCatalog) -> None:
        mine = (catalog.tenant, catalog.key)
        others = (held for key, held in self.held.items() if key != mine)
        if catalog.catalog_id and any(o.catalog_id == catalog.catalog_id for o in others):
            raise Conflict(f"Meta's catalogue {catalog.catalog_id} is in use already")
        self.held[mine] = catalog

    async def tenant_of(self, catalog_id: str) -> TenantId | None:
        found = (c.tenant for c in self.held.values() if catalog_id and c.catalog_id == catalog_id)
        return next(found, None)


@dataclass(slots=True)
class FeedLog:
    """What all processes that follow the changes share.

    Args:
        told: every change there was.
        place: how many of them are noted; None before the feed was ever read.
        is_lost: the place cannot be gone on from, until a restart.
    """

    told: list[Changes] = field(default_factory=list)
    place: int | None = None
    is_lost: bool = False
    owner: str | None = None
    until: datetime = LONG_AGO
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(
        self,
        *,
        products: Iterable[tuple[TenantId, ProductId]] = (),
        documents: Iterable[str] = (),
        presentations: Iterable[tuple[TenantId, str, ProductId | None]] = (),
    ) -> None:
        """Let something change."""
        self.told.append(Changes(tuple(products), tuple(documents), tuple(presentations), None))
        self.news.set()


class MemoryFeed:
    """The changes as one process follows them; make another one of the same log for another."""

    def __init__(self, sync: "MemorySync", log: FeedLog) -> None:
        self.log = log
        self._sync = sync
        self._at: int | None = None

    async def claim(self, *, owner: str, now: datetime, until: datetime) -> bool:
        if self.log.owner != owner:
            if self.log.until > now:
                return False
            self._at = None
        self.log.owner, self.log.until = owner, until
        return True

    async def next(self, *, seconds: float) -> Changes | None:
        if self.log.is_lost:
            raise FeedLost("the place was lost")
        if self._at is None:
            if self.log.place is None:
                self.log.place = len(self.log.told)
            self._at = self.log.place
        if self._at == len(self.log.told):
            self.log.news.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self.log.news.wait()
            except TimeoutError:
                return None
        fresh = self.log.told[self._at :]
        self._at = len(self.log.told)
        return Changes(
            products=tuple(dict.fromkeys(each for told in fresh for each in told.products)),
            documents=tuple(dict.fromkeys(each for told in fresh for each in told.documents)),
            presentations=tuple(
                dict.fromkeys(each for told in fresh for each in told.presentations)
            ),
            token={"place": self._at},
        )

    async def noted(self, changes: Changes, *, owner: str) -> None:
        self._require(owner)
        place = (changes.token or {}).get("place")
        if isinstance(place, int):
            self.log.place = place

    async def products_of(self, changes: Changes) -> tuple[tuple[TenantId, ProductId], ...]:
        found = list(changes.products)
        found += self._sync.products_of_documents(changes.documents)
        for tenant, presentation, product in changes.presentations:
            if product is not None:
                found.append((tenant, product))
            else:
                found += self._sync.products_with(tenant, presentation)
        return tuple(dict.fromkeys(found))

    async def restart(self, *, owner: str) -> None:
        self._require(owner)
        self.log.is_lost = False
        self.log.place = self._at = len(self.log.told)

    async def close(self) -> None:
        self._at = None

    def _require(self, owner: str) -> None:
        if self.log.owner != owner:
            raise Conflict("another process follows the changes")


class MemorySync:
    """Everything the sync keeps, of all tenants, as `engine.storage.sync.MongoSync` hands it out.

    Args:
        log: tell it what changes.
    """

    def __init__(self) -> None:
        self.marks = MemoryMarks()
        self.runs = MemoryRuns()
        self.batches = MemoryBatches()
        self.catalogs = MemoryTenantCatalogs()
        self.log = FeedLog()
        self.feed = MemoryFeed(self, self.log)
        self._sellables: dict[TenantId, MemorySellables] = {}
        self._states: dict[TenantId, MemoryItemStates] = {}

    def sellables(self, tenant: TenantId, currency: Currency | None = None) -> MemorySellables:
        """Give what a tenant sells."""
        return self._sellables.setdefault(tenant, MemorySellables())

    def states(self, tenant: TenantId) -> MemoryItemStates:
        """Give what is known of a tenant's items."""
        return self._states.setdefault(tenant, MemoryItemStates())

    def another_feed(self) -> MemoryFeed:
        """Follow the same changes as another process."""
        return MemoryFeed(self, self.log)

    def products_of_documents(
        self, documents: Collection[str]
    ) -> list[tuple[TenantId, ProductId]]:
        """Name the products whose items came from documents."""
        return [
            (tenant, state.product)
            for tenant, states in self._states.items()
            for state in states.held.values()
            if state.document in documents
        ]

    def products_with(
        self, tenant: TenantId, presentation: str
    ) -> list[tuple[TenantId, ProductId]]:
        """Name the tenant's products that have a size."""
        return [
            (tenant, sellable.id)
            for sellable in self.sellables(tenant).held.values()
            if sellable.product is not None
            and any(part.id == presentation for part in sellable.product.presentations)
        ]
