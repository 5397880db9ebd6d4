"""The shop whose sync is measured: ports that hold next to nothing, and a Meta that agrees.

What the ports do would be the database's work: they time themselves, and it is not counted.
"""

import gc
import sqlite3
import time
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, cast

import orjson

from engine.clock import ManualClock, SeededIds
from engine.domain.catalog import Presentation, Product
from engine.domain.ids import CategoryId, PresentationId, ProductId, TenantId
from engine.domain.money import Currency
from engine.domain.tenant import PaymentMethod, Pickup, Tenant
from engine.ports import Business
from engine.sync.assembly import Surroundings, Sync
from engine.sync.calls import BatchStatus, CatalogCalls, Taken
from engine.sync.ports import (
    CatalogKey,
    ItemId,
    ItemState,
    ItemStates,
    Mark,
    Sellable,
    TenantCatalog,
)
from engine.sync.runs import SyncRun
from tests.memory import MemoryBusinesses
from tests.memory_sync import (
    FeedLog,
    MemoryBatches,
    MemoryFeed,
    MemoryMarks,
    MemoryRuns,
    MemorySync,
    MemoryTenantCatalogs,
)

TENANT: Final = TenantId("la-tavola")
NAME: Final = "La Tavola"
PUBLIC_URL: Final = "https://shop.example"
CATEGORIES: Final = 5
SIZES: Final = ("Small", "Medium", "Large")
DESCRIPTION: Final = (
    "San Marzano tomatoes, fior di latte, prosciutto cotto, mushrooms, artichokes and olives. "
    "Baked à la minute in the wood oven; è buonissima. Contains gluten and milk."
)
OWNER: Final = "the bench"
BEGIN: Final = datetime(2030, 6, 14, 22, 0, tzinfo=UTC)


class Aside:
    """A stopwatch for what is not the sync's own work."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count what is done meanwhile."""
        begin = time.process_time()
        try:
            yield
        finally:
            self.seconds += time.process_time() - begin

    def rest(self) -> float:
        """Give the seconds of CPU that this process has used for everything else."""
        return time.process_time() - self.seconds


class Menu:
    """Products that are made when they are asked for: `engine.sync.ports.Sellables`.

    Args:
        count: how many; a quarter has no sizes, the others have one, two or three.
    """

    def __init__(self, count: int, aside: Aside) -> None:
        self.count = count
        self.price = Decimal("12.00")
        self._aside = aside

    async def categories(self) -> Mapping[CategoryId, int]:
        """Count the products by category."""
        return {_category(n): len(self._numbers(_category(n))) for n in range(CATEGORIES)}

    async def names(self) -> Mapping[CategoryId, str]:
        """Name the categories."""
        return {_category(n): f"Pizza {n}" for n in range(CATEGORIES)}

    async def page(
        self, category: CategoryId | None, *, after: ProductId | None, limit: int
    ) -> tuple[Sellable, ...]:
        """Give the next products."""
        with self._aside.running():
            numbers = self._numbers(category)
            begin = 0 if after is None else bisect_right(numbers, after, key=_product_id)
            return tuple(map(self._sellable, numbers[begin : begin + limit]))

    async def some(self, products: Collection[ProductId]) -> tuple[Sellable, ...]:
        """Give the ones that are asked for."""
        with self._aside.running():
            return tuple(self._sellable(_number(product)) for product in sorted(products))

    def _numbers(self, category: CategoryId | None) -> range:
        if category is None:
            return range(self.count)
        return range(_number(category), self.count, CATEGORIES)

    def _sellable(self, n: int) -> Sellable:
        category = n % CATEGORIES
        product = Product(
            id=_product_id(n),
            name=f"Pizza Quattro Stagioni {n}",
            category_id=_category(category),
            category=f"Pizza {category}",
            base_price=self.price,
            description=f"{DESCRIPTION} Number {n}.",
            image_url=f"https://img.example/products/{n}.jpg",
            presentations=tuple(
                Presentation(PresentationId(f"pres:{size}"), size, self.price + more)
                for more, size in enumerate(SIZES[: n % 4])
            ),
        )
        return Sellable(product.id, product, product.category_id, f"{n:024x}")


def _category(n: int) -> CategoryId:
    return CategoryId(f"cat:{n}")


def _product_id(n: int) -> ProductId:
    return ProductId(f"prod:{n:06}")


def _number(identifier: str) -> int:
    return int(identifier.partition(":")[2])


class Rows:
    """What is known of the items, in SQLite: what a walk calls of `engine.sync.ports.ItemStates`.

    Args:
        path: of a file, if they are not to count as this process's memory.
    """

    def __init__(self, path: str, aside: Aside) -> None:
        self._aside = aside
        self._rows = sqlite3.connect(path, isolation_level=None)
        self._rows.executescript(
            """
            pragma journal_mode = off;
            pragma synchronous = off;
            create table if not exists items (
                catalog, item, product, catalog_id, digest, status, updated_at, batch, error,
                document, primary key (catalog, product, item)
            ) without rowid;
            create index if not exists products on items (product);
            create index if not exists batches on items (batch);
            """
        )

    def close(self) -> None:
        """Close the database."""
        self._rows.close()

    async def catalogs(self) -> Mapping[CatalogKey, int]:
        """Count the items by catalogue."""
        with self._aside.running():
            return dict(self._rows.execute("select catalog, count(*) from items group by catalog"))

    async def page(
        self, catalog: CatalogKey, *, after: tuple[ProductId, ItemId] | None, limit: int
    ) -> tuple[ItemState, ...]:
        """Give the next items of a catalogue."""
        wanted = "catalog = ? and (product, item) > (?, ?) order by product, item limit ?"
        return self._read(wanted, catalog, *(after or ("", "")), limit)

    async def of(self, products: Collection[ProductId]) -> tuple[ItemState, ...]:
        """Give the items of products."""
        wanted = "product in (select value from json_each(?)) order by catalog, product, item"
        return self._read(wanted, orjson.dumps(list(products)))

    async def put(self, states: Sequence[ItemState]) -> None:
        """Write items."""
        with self._aside.running():
            self._rows.execute("begin")
            self._rows.executemany(
                "insert or replace into items values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        s.catalog, s.item, s.product, s.catalog_id, s.digest, s.status,
                        s.updated_at.timestamp(), s.batch, s.error, s.document,
                    )
                    for s in states
                ),
            )  # fmt: skip
            self._rows.execute("commit")

    async def settle(self, batch: str, *, faults: Mapping[ItemId, str]) -> int:
        """Note that Meta has taken a batch."""
        with self._aside.running():
            synced = "update items set status = 'synced' where batch = ? and status = 'sent'"
            return self._rows.execute(synced, (batch,)).rowcount

    def _read(self, wanted: str, *values: object) -> tuple[ItemState, ...]:
        with self._aside.running():
            found = self._rows.execute(f"select * from items where {wanted}", values)
            return tuple(map(_state, found))


def _state(row: tuple[Any, ...]) -> ItemState:
    catalog, item, product, catalog_id, digest, status, updated_at, *rest = row
    at = datetime.fromtimestamp(updated_at, UTC)
    return ItemState(catalog, item, product, catalog_id, digest, status, at, *rest)


class Meta:
    """Takes every batch and has worked it off at once: what a walk calls of `CatalogCalls`."""

    def __init__(self) -> None:
        self.batches = 0
        self.items = 0

    async def send(self, catalog_id: str, requests: Sequence[dict[str, Any]]) -> Taken:
        """Take a batch, as the text it would have been sent as."""
        orjson.dumps({"allow_upsert": True, "requests": list(requests)})
        self.batches += 1
        self.items += len(requests)
        return Taken((f"handle {self.batches}",))

    async def status(self, catalog_id: str, handle: str) -> BatchStatus:
        """Tell that it is through."""
        return BatchStatus(is_finished=True)


@dataclass(slots=True)
class Held:
    """The sync's database: `engine.sync.assembly.SyncDatabase`."""

    menu: Menu
    rows: Rows
    marks: MemoryMarks = field(default_factory=MemoryMarks)
    runs: MemoryRuns = field(default_factory=MemoryRuns)
    batches: MemoryBatches = field(default_factory=MemoryBatches)
    catalogs: MemoryTenantCatalogs = field(default_factory=MemoryTenantCatalogs)
    feed: MemoryFeed = field(default_factory=lambda: MemoryFeed(MemorySync(), FeedLog()))

    def sellables(self, tenant: TenantId, currency: Currency) -> Menu:
        """Give the products."""
        return self.menu

    def states(self, tenant: TenantId) -> ItemStates:
        """Give what is known of the items."""
        return cast(ItemStates, self.rows)


class SyncedShop:
    """A shop and its sync; its catalogues are made already.

    Args:
        products: how many it sells.
        path: where `Rows` are kept.
    """

    def __init__(self, products: int, *, path: str = ":memory:") -> None:
        self.aside = Aside()
        self.menu = Menu(products, self.aside)
        self.rows = Rows(path, self.aside)
        self.meta = Meta()
        self._clock = ManualClock(BEGIN)
        self._held = Held(self.menu, self.rows)
        for category in map(_category, range(CATEGORIES)):
            key = CatalogKey(category)
            made = TenantCatalog(TENANT, key, f"meta's {category}", category)
            self._held.catalogs.held[TENANT, key] = made
        business = Business(TENANT, NAME, ("1",), access_token="t", fb_business_id="b")
        self._sync = Sync(
            Surroundings(
                database=self._held,
                businesses=MemoryBusinesses(business),
                settings={TENANT: settings()}.get,
                tenants=lambda: (TENANT,),
                calls=lambda _: cast(CatalogCalls, self.meta),
                public_url=PUBLIC_URL,
                clock=self._clock,
                ids=SeededIds(),
                owner=OWNER,
            )
        )

    async def walk(self) -> float:
        """Let everything be compared, and sent if it differs; give the seconds of CPU it takes."""
        gc.collect()
        begin = self.aside.rest()
        await self._sync.reports.start(TENANT, is_full=False)
        await self._rounds(self._has_job)
        return self.aside.rest() - begin

    async def work_off(self, *numbers: int) -> float:
        """Let products be looked at that are marked; give the seconds of CPU it takes."""
        now = self._clock.now()
        gc.collect()
        begin = self.aside.rest()
        await self._held.marks.add([Mark(str(n), TENANT, _product_id(n), now) for n in numbers])
        await self._rounds(self._has_marks)
        return self.aside.rest() - begin

    def close(self) -> None:
        """Forget what is known of the items."""
        self.rows.close()

    def later(self, seconds: float) -> None:
        """Let time pass, so that Meta takes batches again."""
        self._clock.move(timedelta(seconds=seconds))

    async def _rounds(self, is_due: Callable[[SyncRun], Awaitable[bool]]) -> None:
        while True:
            outlook = await self._sync.rounds.take(TENANT, owner=OWNER)
            run = await self._held.runs.get(TENANT)
            if outlook is None or run is None or run.alert or run.failures:
                raise SystemExit(f"the bench's shop cannot be synced: {run}")
            if not await is_due(run):
                return
            checks = [batch.check_at for batch in await self._held.batches.open(TENANT)]
            self._clock.set(max(self._clock.now(), min([outlook.due, *checks])))

    async def _has_job(self, run: SyncRun) -> bool:
        return run.job is not None or run.requested is not None

    async def _has_marks(self, run: SyncRun) -> bool:
        return bool(self._held.marks.held or await self._held.batches.open(TENANT))


def settings() -> Tenant:
    """Give the tenant's settings."""
    return Tenant(
        name=NAME,
        languages=("en",),
        country="US",
        currency="USD",
        time_zone="America/New_York",
        phone_number_ids=("1",),
        pickup=Pickup(),
        payment_methods={"cash": PaymentMethod(name="Cash", kind="cash")},
    )
