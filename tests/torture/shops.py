"""What the customers buy from: the shipped tenants, always open, with plenty of everything."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from engine.cli.seed import seed_tenant
from engine.domain.ids import TenantId
from engine.settings import Settings, read_settings
from engine.storage.connection import Database
from engine.storage.documents import ProductDocument

TENANTS = ("la-tavola", "dona-lucha")
PLENTY = 1_000_000
"""Of every product; it is counted, so that every unit that moves is seen."""
TOKEN = "the token of the torture"
APP_SECRET = "the app secret of the torture"


@dataclass(frozen=True, slots=True)
class Shop:
    """A tenant with one number."""

    tenant: str
    settings: dict[str, Any]

    @property
    def number(self) -> str:
        """Give the id of its phone number."""
        return str(self.settings["phone_number_ids"][0])


def open_shops(folder: Path) -> list[Shop]:
    """Write the content into a folder: what is shipped, without opening hours."""
    shipped, shops = read_settings().content(), []
    for name in ("conversations", "flows"):
        (folder / name).symlink_to(shipped / name)
    for tenant in TENANTS:
        own = folder / "tenants" / tenant
        own.mkdir(parents=True)
        for path in (shipped / "tenants" / tenant).iterdir():
            if path.name != "tenant.yaml":
                (own / path.name).symlink_to(path)
        settings = yaml.safe_load((shipped / "tenants" / tenant / "tenant.yaml").read_text())
        settings.pop("hours", None)
        (own / "tenant.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True))
        shops.append(Shop(tenant, settings))
    return shops


async def stock_shops(settings: Settings, shops: Sequence[Shop]) -> None:
    """Load what they sell into the database."""
    for shop in shops:
        await seed_tenant(settings, TenantId(shop.tenant), token=TOKEN)
    async with Database(settings.mongodb_uri, name=settings.mongodb_db_name) as database:
        products = database.collection(ProductDocument)
        await products.update_many({}, {"$set": {"stock": PLENTY}})


async def register(meta: httpx.AsyncClient, shop: Shop, *, callback: str) -> None:
    """Tell Meta where a shop's webhooks go from now on."""
    phone = {
        "phone_number_id": shop.number,
        "display_phone_number": shop.settings["phone"],
        "token": TOKEN,
        "callback_url": f"{callback}/whatsapp_response",
        "app_secret": APP_SECRET,
        "waba_id": shop.settings["waba_id"],
    }
    (await meta.post("/sandbox/phones", json=phone)).raise_for_status()


async def swap_callbacks(
    meta: httpx.AsyncClient, shops: Sequence[Shop], doors: Sequence[str], *, every: float
) -> None:
    """Let every shop's webhooks go to another door again and again."""
    turn = 0
    while True:
        for place, shop in enumerate(shops):
            await register(meta, shop, callback=doors[(place + turn) % len(doors)])
        turn += 1
        await asyncio.sleep(every)
