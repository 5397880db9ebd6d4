"""`comanda serve` killed again and again while it syncs: nothing is lost or made twice."""

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.sandbox import SandboxOptions
from engine.settings import Settings, read_settings
from engine.storage.leases import FREE
from engine.storage.sync_records import SyncFeedDocument, SyncStateDocument
from tests.e2e.sync_scene import (
    PIZZERIA,
    Shop,
    environment_of,
    eventually,
    opened_shop,
    own_database,
    product_row,
)

KILLS = 20
CATEGORIES = 24
PRODUCTS = 1500
OURS = ("MONGODB", "COMANDA", "META", "GRAPH", "ENCRYPTION", "PUBLIC", "CATALOG")


@dataclass
class Processes:
    """Processes that serve a shop, and what ends them."""

    shop: Shop
    settings: Settings
    folder: Path
    running: list[asyncio.subprocess.Process] = field(default_factory=list)

    async def start(self) -> None:
        """Start one more process."""
        plain = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
        environment = plain | environment_of(self.settings)
        environment["COMANDA_CONTENT"] = str(self.folder)
        command = (sys.executable, "-m", "engine", "serve", "--port", "0")
        with (self.folder / "serve.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=log)
        self.running.append(process)

    async def kill(self) -> None:
        """Kill all processes, and let time pass for what they held."""
        for process in self.running:
            assert process.returncode is None, (self.folder / "serve.log").read_text()[-2000:]
            process.kill()
        await asyncio.gather(*(process.wait() for process in self.running))
        self.running.clear()
        # A dead process keeps the tenant for a minute and the feed for 20 seconds
        # (rounds.LEASE, watcher.LEASE). Nobody waits for them here: what the clock would do is
        # done in the database, so the next process is not let in earlier than a clock would.
        feed = self.shop.database.collection(SyncFeedDocument)
        for rows in (self.shop.runs, feed):
            await rows.update_many({}, {"$set": {"until": FREE}})

    async def calls(self, *, after: int, count: int = 1) -> list[dict[str, object]]:
        """Give the Graph calls after so many others, once there are enough."""
        query: dict[str, str | int] = {"after": after, "count": count, "wait": 30}
        answer = await self.shop.meta.get("/sandbox/catalog_calls", params=query, timeout=60)
        calls: list[dict[str, object]] = answer.json()["calls"]
        assert len(calls) >= count, (self.folder / "serve.log").read_text()[-2000:]
        return calls

    async def number(self) -> int:
        """Tell how many Graph calls there were."""
        answer = await self.shop.meta.get("/sandbox/catalog_calls", timeout=60)
        return len(answer.json()["calls"])

    async def is_idle(self) -> bool:
        """Tell whether nothing is left to be done."""
        run = await self.shop.run()
        left = [
            await self.shop.marks.count_documents({}),
            await self.shop.batches.count_documents({"finishedAt": None}),
        ]
        return run.get("last") is not None and run["job"] is None and left == [0, 0]


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Processes]:
    """Give a shop that sells nothing yet, and nobody who serves it."""
    content, shipped = folder / "content", read_settings().content()
    (content / "tenants").mkdir(parents=True)
    for name in ("conversations", "flows", f"tenants/{PIZZERIA}"):
        (content / name).symlink_to(shipped / name)
    async with (
        own_database(folder) as (uri, database),
        opened_shop(uri, database, PIZZERIA, SandboxOptions()) as (shop, settings),
    ):
        processes = Processes(shop, settings, content)
        try:
            yield processes
        finally:
            if processes.running:
                await processes.kill()


async def whole(processes: Processes) -> None:
    """Check that Meta has everything once, and that nothing is left to be done."""
    shop = processes.shop
    await eventually(processes.is_idle, seconds=60)
    await shop.until_right(seconds=30)
    await eventually(processes.is_idle)
    catalogs = await shop.catalogs()
    names = [catalog["name"] for catalog in catalogs]
    assert len(set(names)) == len(names)
    assert sorted((await shop.mapping()).values()) == sorted(one["id"] for one in catalogs)
    states = shop.database.collection(SyncStateDocument)
    assert await states.distinct("status", {"tenant": PIZZERIA}) == ["synced"]
    assert await states.count_documents({}) == len(await shop.wanted())


async def change(shop: Shop, chance: random.Random, kind: int) -> None:
    """Change two products somewhere, as the Node back end does while all this happens."""
    one, other = (f"prod:{chance.randrange(PRODUCTS):04}" for _ in range(2))
    category = f"cat:{chance.randrange(CATEGORIES):02}"
    await shop.change(one, basePrice=chance.randrange(100, 900) / 10)
    if kind == 0:
        await shop.change(other, isActive=False)
    elif kind == 1:
        await shop.change(other, isAvailable=False, name=f"New {other}")
    elif kind == 2:
        # It goes from one catalogue to another.
        await shop.change(other, categoryId=category)
    elif kind == 3:
        await shop.sell(product_row(PIZZERIA, f"new:{other}", category=category))
    else:
        await shop.products.delete_one({"rId": other, "subDomain": PIZZERIA})


async def test_killed_twenty_times_during_a_bulk_sync(tmp_path):
    chance = random.Random(4)
    async with served(tmp_path) as processes:
        shop = processes.shop
        await shop.sell(*(
            product_row(PIZZERIA, f"prod:{n:04}", category=f"cat:{n % CATEGORIES:02}", price=1 + n)
            for n in range(PRODUCTS)
        ))  # fmt: skip
        places = []
        for kill in range(KILLS):
            before = await processes.number()
            await processes.start()
            if kill % 5 == 4:
                # Two at once: one of them has the tenant, the other waits for it.
                await processes.start()
            await processes.calls(after=before, count=chance.randint(1, 6))
            # At any moment, not only when Meta has just been called.
            await asyncio.sleep(chance.random() / 4)
            job = (await shop.run()).get("job")
            await processes.kill()
            places.append(-1 if job is None else job["done"])
            await change(shop, chance, kill % 5)
        # All over the walk, and most of them before its end: there was much to be lost.
        assert sum(0 <= place < PRODUCTS for place in places) > KILLS // 2
        assert len(set(places)) > 3
        await processes.start()
        await processes.start()
        await whole(processes)
        assert len(await shop.mapping()) == CATEGORIES


@pytest.mark.parametrize("route", ["owned_product_catalogs", "items_batch"])
async def test_killed_between_what_meta_did_and_our_note_of_it(tmp_path, route):
    async with served(tmp_path) as processes:
        shop = processes.shop
        await shop.sell(*(
            product_row(PIZZERIA, f"prod:{n}", category=f"cat:{n % 2}") for n in range(10)
        ))  # fmt: skip
        fault = {"kind": "drop_after", "route": route}
        await shop.meta.post("/sandbox/catalog_faults", json=fault)
        await processes.start()
        calls = await processes.calls(after=0)
        while (route, None) not in {(call["route"], call["code"]) for call in calls}:
            calls += await processes.calls(after=len(calls))
        await processes.kill()
        (catalog,) = await shop.catalogs()
        # Meta has done it, and we do not know.
        if route == "items_batch":
            (handle,) = catalog["batches"]
            assert await shop.batches.find_one({"handles": handle}) is None
        else:
            assert await shop.mapping() == {}
        await processes.start()
        await whole(processes)
        assert len(await shop.catalogs()) == 2
