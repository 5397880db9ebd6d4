"""The scene of the sync's tests: ports in memory, the sandbox as Meta, a clock that is moved."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from engine.clock import ManualClock, SeededIds
from engine.domain.catalog import Presentation, Product
from engine.domain.ids import CategoryId, PresentationId, ProductId, TenantId
from engine.domain.tenant import CatalogMode, PaymentMethod, Pickup, Tenant
from engine.graph.catalogs import GraphCatalogs
from engine.graph.client import GraphClient
from engine.ports import Business
from engine.sandbox import PhoneNumber, SandboxOptions, create_sandbox, serving
from engine.sync.assembly import Surroundings, Sync
from engine.sync.ports import Mark
from engine.sync.report import SyncReport
from tests.memory import MemoryBusinesses
from tests.memory_sync import MemorySync

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PIZZERIA, TAQUERIA = TenantId("la-tavola"), TenantId("dona-lucha")
NUMBERS = {PIZZERIA: "106540352242922", TAQUERIA: "106540352242933"}
PIZZA, DRINKS = CategoryId("cat:pizza"), CategoryId("cat:drinks")


def product(rid, /, *sizes: str, category=PIZZA, price="12.00", **more) -> Product:
    """Make a product; sizes cost a unit more each."""
    amount = Decimal(price)
    presentations = tuple(
        Presentation(PresentationId(f"pres:{name}"), name.title(), amount + index)
        for index, name in enumerate(sizes)
    )
    given = {"name": rid.removeprefix("prod:").title(), "image_url": "https://img.example/p.jpg"}
    return Product(
        id=ProductId(rid),
        category_id=category,
        category=category.removeprefix("cat:").title(),
        base_price=amount,
        presentations=presentations,
        **{**given, **more},
    )


def settings(tenant: TenantId, *, mode="per_category") -> Tenant:
    return Tenant(
        name=tenant.replace("-", " ").title(),
        languages=("en",),
        country="US",
        currency="USD",
        time_zone="America/New_York",
        phone_number_ids=(NUMBERS[tenant],),
        pickup=Pickup(),
        payment_methods={"cash": PaymentMethod(name="Cash", kind="cash")},
        catalog=CatalogMode(mode=mode),
    )


async def until(holds: Callable[[], object], *, seconds=10.0) -> None:
    """Let others work until a condition holds."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what it waits for tells nobody
            await asyncio.sleep(0.005)


@dataclass
class Scene:
    """A sync before an empty Meta; `process()` gives another process of it."""

    meta: httpx.AsyncClient
    graph: GraphClient
    clock: ManualClock
    database: MemorySync
    businesses: MemoryBusinesses
    tenants: dict[TenantId, Tenant]
    ids: SeededIds = field(default_factory=SeededIds)
    sync: Sync = field(init=False)

    def __post_init__(self) -> None:
        self.sync = self.process()

    def process(self, owner="this process") -> Sync:
        return Sync(
            Surroundings(
                database=self.database,
                businesses=self.businesses,
                settings=self.tenants.get,
                tenants=lambda: tuple(self.tenants),
                calls=lambda token: GraphCatalogs(self.graph, token),
                public_url="https://shop.example",
                clock=self.clock,
                ids=self.ids,
                owner=owner,
            )
        )

    def sell(self, *products: Product, tenant=PIZZERIA) -> None:
        """Put products in the database, without telling anybody."""
        held = self.database.sellables(tenant, self.tenants[tenant].money)
        for each in products:
            held.put(each)

    def stop_selling(self, product: Product, tenant=PIZZERIA) -> None:
        self.database.sellables(tenant, self.tenants[tenant].money).remove(product.id)

    def states(self, tenant=PIZZERIA):
        """Give how the items stand, by id."""
        return {state.item: state for state in self.database.states(tenant).held.values()}

    async def round(self, tenant=PIZZERIA, *, sync: Sync | None = None) -> datetime | None:
        outlook = await (sync or self.sync).rounds.take(tenant, owner="this process")
        return outlook.due if outlook else None

    async def through(self, tenant=PIZZERIA, *, limit=200) -> SyncReport:
        """Take rounds, moving the clock to when each is due, until the walk under way is over."""
        for _ in range(limit):
            due = await self.round(tenant)
            report = await self.sync.reports.report(tenant)
            if report and report.status != "running":
                return report
            await self.settled()
            if due and due > self.clock.now():
                self.clock.set(due)
            else:
                self.clock.move(timedelta(seconds=1))
        raise AssertionError(f"it is not over after {limit} rounds: {report}")

    async def walk(self, tenant=PIZZERIA, *, is_full=False) -> SyncReport:
        """Ask for a walk and take it to its end."""
        await self.sync.reports.start(tenant, is_full=is_full)
        return await self.through(tenant)

    async def settled(self) -> None:
        """Let Meta work off what it holds."""
        for catalog in await self.catalogs():
            answer = await self.meta.post(f"/sandbox/catalogs/{catalog['id']}/release")
            answer.raise_for_status()

    async def catalogs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.meta.get("/sandbox/catalogs")).json()
        return found

    async def items(self) -> dict[str, dict[str, Any]]:
        """Give what Meta has in all catalogues, by retailer id."""
        return {
            item: fields
            for catalog in await self.catalogs()
            for item, fields in catalog["items"].items()
        }

    async def calls(self, route: str | None = None) -> int:
        """Count the calls for catalogues that reached Meta, or those of one route."""
        said = (await self.meta.get("/sandbox/catalog_calls")).json()
        return sum(said["count"].values()) if route is None else said["count"].get(route, 0)

    async def edit(self, item: str, **fields) -> None:
        """Change an item at Meta by hand; without fields it is deleted."""
        for catalog in await self.catalogs():
            if item in catalog["items"]:
                path = f"/sandbox/catalogs/{catalog['id']}/items/{item}"
                body = {"fields": fields} if fields else {"delete": True}
                (await self.meta.post(path, json=body)).raise_for_status()

    async def mark(self, *products: str, tenant=PIZZERIA, kind="changed") -> None:
        now = self.clock.now()
        await self.database.marks.add(
            [Mark(self.ids.token(), tenant, ProductId(p), now, kind) for p in products]
        )

    async def fault(self, **wanted) -> None:
        (await self.meta.post("/sandbox/catalog_faults", json=wanted)).raise_for_status()

    async def change_business(self, tenant=PIZZERIA, **changes) -> None:
        self.businesses.change(tenant, **changes)


@asynccontextmanager
async def scene(*, mode="per_category", **options) -> AsyncIterator[Scene]:
    clock = ManualClock(NOON)
    phones = tuple(
        PhoneNumber(
            phone_number_id=NUMBERS[tenant],
            display_phone_number="+1 555 078-3881",
            token=f"token of {tenant}",
            callback_url="http://127.0.0.1:1/whatsapp_response",
            app_secret="s3cret",
            waba_id=f"10{NUMBERS[tenant]}",
            business_id=f"38{NUMBERS[tenant]}",
        )
        for tenant in NUMBERS
    )
    sandbox = create_sandbox(
        SandboxOptions(phones=phones, hold_batches=True, clock=clock.now, **options)
    )
    businesses = MemoryBusinesses(
        *(
            Business(
                tenant=tenant,
                name=tenant,
                phone_number_ids=(number,),
                access_token=f"token of {tenant}",
                waba_id=f"10{number}",
                fb_business_id=f"38{number}",
            )
            for tenant, number in NUMBERS.items()
        )
    )
    async with serving(sandbox) as url, httpx.AsyncClient(base_url=url) as meta:
        graph = GraphClient(url, "v26.0")
        try:
            made = Scene(
                meta=meta,
                graph=graph,
                clock=clock,
                database=MemorySync(),
                businesses=businesses,
                tenants={tenant: settings(tenant, mode=mode) for tenant in NUMBERS},
            )
            yield made
        finally:
            await graph.close()
