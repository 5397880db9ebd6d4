"""One scenario: everything is started, killed again and again, left to settle, and looked at."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx

from engine.settings import Settings, read_settings
from tests.torture.crowd import Crowd, patrons_of
from tests.torture.database import MortalDatabase, mortal_database
from tests.torture.facts import Facts, Stopwatch, chats_of, is_finished, rows_of
from tests.torture.ports import free_port
from tests.torture.processes import Place, Processes, nursery_process
from tests.torture.proxy import proxy_process
from tests.torture.shops import APP_SECRET, open_shops, register, stock_shops, swap_callbacks

WEB, WORKERS = 2, 3
START_SECONDS = 30.0
SWAP_SECONDS = 5.0
LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """How a scenario goes.

    Args:
        kills: of web and worker processes, one every `every` seconds.
        rounds: times that every process is restarted in order, one after another.
        has_proxy: Meta reaches the web processes through the proxy that operators are given.
        database_kills: one every `database_every` seconds.
        last_orders: the part of the kills after which nobody begins another order.
        settle: seconds without any message that are waited, once the kills and the weather are
            over, before what is not finished counts as stuck.
        pause: seconds a customer reads at most before he taps.
        trouble: what goes wrong at Meta, by route of the sandbox.
    """

    name: str
    customers: int
    seed: int
    trouble: Mapping[str, Mapping[str, Any]]
    kills: int = 0
    every: float = 1.0
    rounds: int = 0
    has_proxy: bool = False
    database_kills: int = 0
    database_every: float = 4.0
    last_orders: float = 0.75
    settle: float = 60.0
    pause: float = 2.0


async def play(plan: Plan, folder: Path) -> Facts:
    """Play a scenario and tell what is left."""
    watch = Stopwatch()
    content, logs = _made(folder / "content"), _made(folder / "logs")
    shops = open_shops(content)
    async with AsyncExitStack() as stack:
        # Meta and the nursery import much: they begin first, and are waited for last.
        url = await stack.enter_async_context(meta_process(logs / "meta.log"))
        nursery = await stack.enter_async_context(nursery_process())
        database = await stack.enter_async_context(mortal_database(folder / "data"))
        settings = _settings(database, content)
        await stock_shops(settings, shops)
        limits = httpx.Limits(max_connections=None)
        meta = await stack.enter_async_context(
            httpx.AsyncClient(base_url=await url(), timeout=60, limits=limits)
        )
        for route, trouble in plan.trouble.items():
            (await meta.post(f"/sandbox/{route}", json=dict(trouble))).raise_for_status()
        running = Processes(nursery, _environment(settings), str(meta.base_url), logs)
        stack.push_async_callback(_cancelled, asyncio.create_task(running.follow()))
        places = [Place(f"web{n + 1}", "web", free_port()) for n in range(WEB)]
        places += [Place(f"worker{n + 1}", "worker", free_port()) for n in range(WORKERS)]
        for place in places:
            running.start(place)
        doors = [f"http://127.0.0.1:{place.port}" for place in places if place.role == "web"]
        for door in doors:
            await _ready(door)
        if plan.has_proxy:
            doors = [await stack.enter_async_context(proxy_process(doors, folder))]
        for shop in shops:
            await register(meta, shop, callback=doors[0])
        numbers = [(shop.tenant, shop.number) for shop in shops]
        patrons = patrons_of(numbers, count=plan.customers, seed=plan.seed, pause=plan.pause)
        crowd = Crowd(meta, patrons)
        watch.lap("start")
        swapping = asyncio.create_task(swap_callbacks(meta, shops, doors, every=SWAP_SECONDS))
        living = asyncio.create_task(crowd.live())
        await _torture(plan, running, database, crowd)
        watch.lap("torture")
        (await meta.post("/sandbox/weather", json={})).raise_for_status()
        await _settled(plan, living, meta, settings)
        watch.lap("settle")
        await _cancelled(living, swapping)
        unwilling = await running.end()
        watch.lap("end")
        weather = (await meta.get("/sandbox/weather")).json()["counts"]
        mail = (await meta.get("/sandbox/mail")).json()["counts"]
        return Facts(
            scenario=plan.name,
            lives=list(running.lives.values()),
            fallen=running.fallen(),
            unwilling=unwilling,
            away=database.away,
            patrons=patrons,
            sends=(await meta.get("/torture/sends")).json(),
            chats=await chats_of(meta, patrons),
            rows=await rows_of(settings),
            weather=weather,
            mail=mail,
            seconds=watch.seconds,
        )


async def _torture(plan: Plan, running: Processes, database: MortalDatabase, crowd: Crowd) -> None:
    killing = [
        asyncio.create_task(_kill_processes(plan, running, crowd)),
        asyncio.create_task(_restart_processes(plan, running)),
        asyncio.create_task(_kill_database(plan, database, crowd)),
    ]
    await asyncio.gather(*killing)
    crowd.is_over = True


async def _kill_processes(plan: Plan, running: Processes, crowd: Crowd) -> None:
    chance = Random(f"{plan.seed} processes")
    for kill in range(plan.kills):
        await asyncio.sleep(plan.every)
        running.kill(chance.choice(running.places()))
        crowd.is_over |= kill >= plan.kills * plan.last_orders


async def _restart_processes(plan: Plan, running: Processes) -> None:
    """Roll out: each process ends in order, and the next one waits until its heir is ready."""
    for _ in range(plan.rounds):
        for place in running.places():
            await running.restart(place)
            await _ready(f"http://127.0.0.1:{place.port}")


async def _kill_database(plan: Plan, database: MortalDatabase, crowd: Crowd) -> None:
    chance = Random(f"{plan.seed} database")
    for kill in range(plan.database_kills):
        await asyncio.sleep(plan.database_every * chance.uniform(0.5, 1.5))
        await database.kill()
        crowd.is_over |= kill >= plan.database_kills * plan.last_orders


async def _settled(
    plan: Plan, living: asyncio.Task[None], meta: httpx.AsyncClient, settings: Settings
) -> None:
    """Wait until all is done, or nothing has happened for as long as the plan says."""
    ticks = asyncio.get_running_loop().time
    seen, since = -1, ticks()
    while ticks() - since < plan.settle:
        counts = (await meta.get("/sandbox/weather")).json()["counts"]
        if counts["sends"] != seen:
            seen, since = counts["sends"], ticks()
        if living.done() and await _is_quiet(meta, settings):
            return
        await asyncio.sleep(LOOK_SECONDS)


async def _is_quiet(meta: httpx.AsyncClient, settings: Settings) -> bool:
    mail = (await meta.get("/sandbox/mail")).json()
    return mail["counts"]["under_way"] == 0 and await is_finished(settings)


async def _cancelled(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    for done in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(done, Exception):
            raise done


@asynccontextmanager
async def meta_process(log: Path) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    """Run Meta's stand-in in a process of its own; give what gives its address when it serves."""
    with log.open("ab") as said:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.torture.meta", stdout=PIPE, stderr=said
        )

    async def address() -> str:
        assert process.stdout is not None
        url: str = json.loads(await process.stdout.readline())["url"]
        return url

    try:
        yield address
    finally:
        process.terminate()
        await process.wait()


def _settings(database: MortalDatabase, content: Path) -> Settings:
    return read_settings(
        mongodb_uri=database.server.uri,
        mongodb_db_name="torture",
        meta_app_secret=APP_SECRET,
        meta_webhook_verify_token="verify",
        encryption_secret="the encryption secret of the torture",
        comanda_content=content,
        # Nothing of it is tortured here: tests/e2e/test_sync_killed.py does that.
        catalog_sync=False,
    )


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "MONGODB_URI": settings.mongodb_uri,
        "MONGODB_DB_NAME": settings.mongodb_db_name,
        "META_APP_SECRET": settings.meta_app_secret.get_secret_value(),
        "META_WEBHOOK_VERIFY_TOKEN": settings.meta_webhook_verify_token.get_secret_value(),
        "ENCRYPTION_SECRET": settings.encryption_secret.get_secret_value(),
        "COMANDA_CONTENT": str(settings.comanda_content),
        "CATALOG_SYNC": "false",
    }


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


async def _ready(door: str) -> None:
    async with httpx.AsyncClient() as http, asyncio.timeout(START_SECONDS):
        while True:
            with suppress(httpx.HTTPError):
                if (await http.get(f"{door}/health/ready")).status_code == httpx.codes.OK:
                    return
            await asyncio.sleep(0.1)
