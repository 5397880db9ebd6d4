"""Turns per second through HTTP and MongoDB, beside the smallest hand-written handler.

Both are served by uvicorn in a process of their own, over one database server with the same
settings, and send to one stand-in for Meta; the same customers play the journey on both.
"""

import asyncio
import json
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from engine.serving import listen
from engine.storage.connection import Database
from engine.storage.embedded import EmbeddedServer
from engine.storage.secrets import Vault
from engine.storage.seeding import seed
from engine.whatsapp.signature import sign
from tests.bench.journey import TENANT, Caller, Shop, Step
from tests.bench.measure import Pair, Row, in_turn
from tests.bench.served import SECRET

CUSTOMERS = 8
"""Who play at the same time."""
ROUNDS = 5
PATIENCE = 20.0
"""Seconds an answer may take; then the bench is broken."""
LEAST_RATIO = 0.7


async def measure() -> list[Row]:
    """Measure it."""
    shop = Shop.open()
    steps = await shop.play()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="comanda-bench-"))
        uri = await stack.enter_async_context(bench_database(Path(folder)))
        phones = Phones()
        graph = await stack.enter_async_context(standing_in(phones.web))
        sides = []
        for name in ("engine", "handwritten"):
            await seed_shop(uri, name, shop)
            side = await stack.enter_async_context(served_side(name, uri, graph))
            sides.append(Side(side, phones, shop, steps))
        ours, theirs = sides
        pair = await in_turn(ours.play, theirs.play, rounds=ROUNDS)
    return [_throughput(pair), _cpu(ours, theirs), _commands(ours, theirs)]


def _throughput(pair: Pair) -> Row:
    ours, theirs = pair.medians
    return Row(
        f"turns a second, HTTP and database, {CUSTOMERS} customers", f"{ours:.0f}/s",
        f"{theirs:.0f}/s hand-written", pair.more, f">= {LEAST_RATIO:g} x",
        pair.more >= LEAST_RATIO,
    )  # fmt: skip


def _cpu(ours: "Side", theirs: "Side") -> Row:
    mine, other = (1000 * side.cpu / side.turns for side in (ours, theirs))
    return Row(
        "the server's own CPU time per turn", f"{mine:.2f} ms", f"{other:.2f} ms hand-written",
        other / mine,
    )  # fmt: skip


def _commands(ours: "Side", theirs: "Side") -> Row:
    mine, other = (side.commands.total() / side.turns for side in (ours, theirs))
    differences = [
        f"{name} {(ours.commands[name] - theirs.commands[name]) / ours.turns:+.2f}"
        for name in sorted(ours.commands | theirs.commands)
        if abs(ours.commands[name] - theirs.commands[name]) / ours.turns >= 0.005
    ]
    said = f" ({', '.join(differences)})" if differences else ""
    return Row("database commands per turn", f"{mine:.2f}{said}", f"{other:.2f} hand-written")


class Phones:
    """Meta's side: it takes every message, and tells the customer it is for.

    Attributes:
        wamids: what messages were called, by what they call themselves.
    """

    def __init__(self) -> None:
        self.wamids: dict[str, str] = {}
        self._received: dict[str, asyncio.Semaphore] = {}
        self._count = 0
        self.web = Starlette(
            routes=[Route("/{version}/{number}/messages", self._take, methods=["POST"])]
        )

    async def _take(self, request: Request) -> JSONResponse:
        payload = await request.json()
        if "to" not in payload:
            return JSONResponse({"success": True})
        self._count += 1
        wamid = f"wamid.{self._count:032}"
        self.wamids[payload.get("biz_opaque_callback_data", "")] = wamid
        self._of(payload["to"].removeprefix("+")).release()
        return JSONResponse({"messaging_product": "whatsapp", "messages": [{"id": wamid}]})

    def _of(self, phone: str) -> asyncio.Semaphore:
        return self._received.setdefault(phone, asyncio.Semaphore(0))

    async def receives(self, phone: str, count: int) -> None:
        """Wait until a customer has got so many more messages."""
        for _ in range(count):
            await asyncio.wait_for(self._of(phone).acquire(), PATIENCE)


@dataclass(frozen=True, slots=True)
class Server:
    """A server to measure, in its process."""

    process: Process
    url: str

    async def figures(self) -> dict[str, Any]:
        """Wait until it is idle; give its figures since the last time."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        return await next_line(self.process)


@dataclass(slots=True)
class Side:
    """One of the two that are held against each other, and what it has used."""

    server: Server
    phones: Phones
    shop: Shop
    steps: tuple[Step, ...]
    played: int = 0
    turns: int = 0
    cpu: float = 0.0
    commands: Counter[str] = field(default_factory=Counter)

    async def play(self) -> float:
        """Let customers play the journey at the same time; give the turns per second."""
        first, self.played = self.played, self.played + CUSTOMERS
        await self.server.figures()
        async with httpx.AsyncClient(base_url=self.server.url, timeout=PATIENCE) as http:
            begin = time.perf_counter()
            customers = (f"1555{first + n:07}" for n in range(CUSTOMERS))
            await asyncio.gather(*(self._customer(http, phone) for phone in customers))
            took = time.perf_counter() - begin
        figures = await self.server.figures()
        turns = CUSTOMERS * len(self.steps)
        self.turns += turns
        self.cpu += figures["cpu"]
        self.commands.update(figures["commands"])
        return turns / took

    async def _customer(self, http: httpx.AsyncClient, phone: str) -> None:
        caller = Caller(self.shop.number(), phone)
        for place, step in enumerate(self.steps):
            wamid = f"wamid.{phone}.{place:04}"
            body = caller.webhook(step.wire, wamid=wamid, at=self.shop.clock.now())
            headers = {"X-Hub-Signature-256": sign(body, SECRET)}
            answer = await http.post("/whatsapp_response", content=body, headers=headers)
            answer.raise_for_status()
            said = sum(1 for entry in step.record.outbox if entry.said)
            await self.phones.receives(phone, said)


@asynccontextmanager
async def standing_in(web: Starlette) -> AsyncIterator[str]:
    """Serve the stand-in for Meta; it keeps connections through the other side's round."""
    listener, url = listen()
    config = uvicorn.Config(web, log_config=None, access_log=False, timeout_keep_alive=600)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield url
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def bench_database(folder: Path) -> AsyncIterator[str]:
    async with EmbeddedServer(folder) as server:
        yield server.uri


async def seed_shop(uri: str, name: str, shop: Shop) -> None:
    async with Database(uri, name=name) as database:
        tenant, vault = shop.bundle.tenant, Vault(SECRET)
        await seed(database, TENANT, tenant, shop.menu, access_token="token", vault=vault)


@asynccontextmanager
async def served_side(
    name: str, uri: str, graph: str, *, program: str = "served"
) -> AsyncIterator[Server]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"tests.bench.{program}", name, uri, graph, stdin=PIPE, stdout=PIPE
    )
    try:
        yield Server(process, (await next_line(process))["url"])
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def next_line(process: Process) -> dict[str, Any]:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise SystemExit("a server of the bench ended; what it said is above")
    told: dict[str, Any] = json.loads(line)
    return told
