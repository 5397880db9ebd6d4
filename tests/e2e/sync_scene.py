"""A shop between its database and Meta's catalogues, for tests of the sync from end to end."""

import asyncio
import inspect
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from engine.clock import SystemClock
from engine.domain.ids import CategoryId, ProductId, TenantId
from engine.domain.tenant import Tenant
from engine.ports import Business
from engine.sandbox import SandboxOptions, create_sandbox, serving
from engine.settings import Settings, read_settings
from engine.spec.library import Library
from engine.spec.problems import Problems
from engine.storage.businesses import MongoBusinesses
from engine.storage.connection import Database, Json
from engine.storage.documents import (
    BusinessDocument,
    CategoryDocument,
    ModifierDocument,
    PresentationDocument,
    ProductDocument,
)
from engine.storage.embedded import EmbeddedServer
from engine.storage.products import ProductReader
from engine.storage.secrets import Vault
from engine.storage.sync_records import SyncBatchDocument, SyncMarkDocument, SyncRunDocument
from engine.storage.tenancy import TenantCollection
from engine.sync.item import Item, items_of
from engine.sync.ports import SINGLE, Sellable
from engine.sync.shop import page_links
from engine.verbs import all_verbs

PIZZERIA, TAQUERIA = TenantId("la-tavola"), TenantId("dona-lucha")
TOKEN, APP_SECRET, ENCRYPTION_SECRET = "the access token", "app secret", "encryption secret"
PUBLIC_URL = "https://shop.example"
PARTS = ("presentations", "modifiers")
IMAGE = "https://img.example/p.jpg"


async def eventually(look: Callable[[], Any], *, seconds: float = 15.0) -> Any:
    """Look again and again until there is something to see, and give it."""
    seen = None
    try:
        async with asyncio.timeout(seconds):
            while True:
                seen = look()
                if inspect.isawaitable(seen):
                    seen = await seen
                if seen:
                    return seen
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:g} seconds; last seen: {seen!r}") from None


def environment_of(settings: Settings) -> dict[str, str]:
    """Give the environment in which a process has these settings."""
    return {
        "MONGODB_URI": settings.mongodb_uri,
        "MONGODB_DB_NAME": settings.mongodb_db_name,
        "META_APP_SECRET": settings.meta_app_secret.get_secret_value(),
        "META_WEBHOOK_VERIFY_TOKEN": "verify",
        "ENCRYPTION_SECRET": settings.encryption_secret.get_secret_value(),
        "GRAPH_API_URL": settings.graph_api_url,
        "PUBLIC_URL": settings.public_url,
    }


def settings_of(tenant: TenantId) -> Tenant:
    """Give what the files of a shipped tenant say."""
    found = Library(read_settings().content(), all_verbs()).tenant(tenant, Problems())
    assert found is not None
    return found


def product_row(tenant: TenantId, rid: str, *, category: str, price: float = 12.5, **more: Any):
    """Make a product's document as the Node back end writes it."""
    return {
        "rId": rid,
        "subDomain": tenant,
        "name": rid.removeprefix("prod:").replace("-", " ").title(),
        "description": f"What is to be said of {rid}.",
        "categoryId": category,
        "category": category.removeprefix("cat:").title(),
        "basePrice": price,
        "isActive": True,
        "isAvailable": True,
        "sortOrder": 0,
        "imageUrl": IMAGE,
        "presentations": [],
        "modifiers": [],
        **more,
    }


@dataclass
class Shop:
    """A tenant as the Node back end and Meta see it."""

    tenant: TenantId
    settings: Tenant
    database: Database
    meta: httpx.AsyncClient
    public_url: str = PUBLIC_URL

    def __post_init__(self) -> None:
        collection = self.database.collection
        self.products = collection(ProductDocument)
        self.presentations = collection(PresentationDocument)
        self.categories = collection(CategoryDocument)
        self.businesses = collection(BusinessDocument)
        self.marks = collection(SyncMarkDocument)
        self.runs = collection(SyncRunDocument)
        self.batches = collection(SyncBatchDocument)

    async def sell(self, *rows: Json) -> None:
        """Write products, and the categories they are in."""
        categories = {row["categoryId"]: row["category"] for row in rows}
        for rid, name in categories.items():
            known = {"rId": rid, "subDomain": self.tenant}
            change = {"$set": {"name": name, "isActive": True, "sortOrder": 90}}
            await self.categories.update_one(known, change, upsert=True)
        await self.products.insert_many([dict(row) for row in rows], ordered=False)

    async def size(self, rid: str, product: str, price: float, **more: Any) -> None:
        """Write a presentation of a product."""
        name = rid.removeprefix("pres:").title()
        row = {"rId": rid, "subDomain": self.tenant, "productId": product, "name": name}
        await self.presentations.insert_one({**row, "price": price, "isAvailable": True, **more})

    async def change(self, rid: str, **fields: Any) -> None:
        """Change a product, as the Node back end does."""
        one = {"rId": rid, "subDomain": self.tenant}
        assert (await self.products.update_one(one, {"$set": fields})).matched_count == 1

    async def mapping(self) -> dict[str, str]:
        """Give Meta's ids of the catalogues, by key."""
        found = await self.businesses.find_one({"subDomain": self.tenant})
        return dict((found or {}).get("fbCatalogMapping") or {})

    async def catalogs(self) -> list[dict[str, Any]]:
        """Give the catalogues that Meta has of this shop's business."""
        answer = (await self.meta.get("/sandbox/catalogs", timeout=60)).json()
        return [one for one in answer if one["business_id"] == self.settings.business_id]

    async def wanted(self) -> dict[str, Json]:
        """Give the items that Meta should have, by `<catalogue's key> <item>`."""
        rows = await self.products.find({"subDomain": self.tenant, "isActive": True}).to_list()
        parts = (
            TenantCollection(self.database.collection(document), "subDomain", self.tenant)
            for document in (PresentationDocument, ModifierDocument)
        )
        money, links = self.settings.money, page_links(self.public_url, self.tenant)
        reader = ProductReader(**dict(zip(PARTS, parts, strict=True)), currency=money)
        is_single = self.settings.catalog.mode == "single"
        wanted: dict[str, Json] = {}
        for row, reading in zip(rows, await reader.read(rows), strict=True):
            rid, category = ProductId(row["rId"]), CategoryId(row["categoryId"])
            sellable = Sellable(rid, reading.product, category, str(row["_id"]), reading.reason)
            key = SINGLE if is_single else category
            for item in items_of(sellable, tenant=self.settings, links=links):
                if isinstance(item, Item):
                    wanted[f"{key} {item.item}"] = dict(item.fields)
        return wanted

    async def items(self) -> dict[str, Json]:
        """Give the items that Meta has, by `<catalogue's key> <item>`."""
        keys = {catalog_id: key for key, catalog_id in (await self.mapping()).items()}
        return {
            f"{keys.get(catalog['id'], catalog['name'])} {item}": fields
            for catalog in await self.catalogs()
            for item, fields in catalog["items"].items()
        }

    async def wrong(self) -> dict[str, tuple[Json | None, Json | None]]:
        """Give what is not at Meta as it should be: what it should be, and what it is."""
        wanted, found = await self.wanted(), await self.items()
        return {
            key: (wanted.get(key), found.get(key))
            for key in sorted(wanted.keys() | found.keys())
            if wanted.get(key) != found.get(key)
        }

    async def until_right(self, *, seconds: float = 15.0) -> None:
        """Wait until Meta has everything as it should be, and nothing else."""
        wrong: dict[str, Any] = {}

        async def is_right() -> bool:
            found = await self.wrong()
            wrong.clear()
            wrong.update(found)
            return not wrong

        try:
            await eventually(is_right, seconds=seconds)
        except AssertionError:
            some = list(wrong.items())[:3]
            raise AssertionError(f"{len(wrong)} items are wrong at Meta, such as {some}") from None

    async def calls(self, route: str) -> int:
        """Count the calls of a kind that reached Meta, of all shops."""
        counted = (await self.meta.get("/sandbox/catalog_calls", timeout=60)).json()["count"]
        return int(counted.get(route, 0))

    async def batch_sizes(self) -> list[int]:
        """Tell how many items each batch had that Meta took, of all shops."""
        query = {"route": "items_batch"}
        calls = (await self.meta.get("/sandbox/catalog_calls", params=query)).json()["calls"]
        return [call["requests"] for call in calls if call["code"] == 0]

    async def edit(self, key: str, item: str, **fields: Any) -> None:
        """Change an item at Meta by hand; without fields it is deleted."""
        path = f"/sandbox/catalogs/{(await self.mapping())[key]}/items/{item}"
        body = {"fields": fields} if fields else {"delete": True}
        (await self.meta.post(path, json=body)).raise_for_status()

    async def run(self) -> Json:
        """Give how far its sync is."""
        return await self.runs.find_one({"_id": self.tenant}) or {}


@asynccontextmanager
async def own_database(folder: Path) -> AsyncIterator[tuple[str, Database]]:
    """Give an empty database for many products, and its server's connection string.

    An embedded server takes ten seconds to drop 5,000 products, so they get one of their own, that
    is thrown away as a whole.
    """
    configured = os.environ.get("MONGODB_URI", "")
    async with AsyncExitStack() as stack:
        uri = configured or await stack.enter_async_context(_served(folder / "mongodb"))
        opened = Database(uri, name=f"comanda_many_{os.getpid()}", answer_within=60)
        database = await stack.enter_async_context(opened)
        yield uri, database
        if configured:
            await database.client.drop_database(database.name)


@asynccontextmanager
async def _served(folder: Path) -> AsyncIterator[str]:
    async with EmbeddedServer(folder) as server:
        yield server.uri


@asynccontextmanager
async def opened_shop(
    uri: str, database: Database, tenant: TenantId, options: SandboxOptions, **business: Any
) -> AsyncIterator[tuple[Shop, Settings]]:
    """Give a shop that sells nothing before an empty Meta, and the settings that serve it."""
    settings, vault = settings_of(tenant), Vault(ENCRYPTION_SECRET)
    known: dict[str, Any] = {
        "access_token": TOKEN,
        "waba_id": settings.waba_id,
        "fb_business_id": settings.business_id,
    }
    businesses = MongoBusinesses(database, vault=vault, clock=SystemClock())
    account = Business(tenant, settings.name, settings.phone_number_ids, **(known | business))
    await businesses.save(account)
    async with (
        serving(create_sandbox(options)) as url,
        httpx.AsyncClient(base_url=url) as meta,
    ):
        phone = {
            "phone_number_id": settings.phone_number_ids[0],
            "display_phone_number": settings.phone,
            "token": TOKEN,
            "callback_url": "http://127.0.0.1:1/whatsapp_response",
            "app_secret": APP_SECRET,
            "waba_id": settings.waba_id,
            "business_id": settings.business_id,
        }
        (await meta.post("/sandbox/phones", json=phone)).raise_for_status()
        environment = read_settings(
            mongodb_uri=uri,
            mongodb_db_name=database.name,
            graph_api_url=url,
            meta_app_secret=APP_SECRET,
            meta_webhook_verify_token="verify",
            encryption_secret=ENCRYPTION_SECRET,
            public_url=PUBLIC_URL,
        )
        yield Shop(tenant, settings, database, meta), environment
