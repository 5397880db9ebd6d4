"""Turns per second of 1, 2 and 4 worker processes on one embedded database.

Messages that are stored already are worked off. The embedded server is Python and never computes
on more than one core; how much of it each number of workers uses is told beside the figures. Once
it is all used, more workers do not make more turns: that takes a MongoDB of its own.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median

from engine.box_ports import InboxRow
from engine.clock import SystemClock
from engine.slots import SLOTS
from engine.storage.connection import Database
from engine.storage.embedded import EmbeddedServer
from engine.storage.inbox import MongoInbox
from engine.storage.records import InboxDocument
from engine.whatsapp.inbound import parse_webhook
from tests.bench.journey import Caller, Shop, Step, inbox_row
from tests.bench.measure import Row
from tests.bench.processes import Running, comanda, cpu_seconds
from tests.bench.serving import Phones, seed_shop, standing_in

WORKERS = (1, 2, 4)
ROUNDS = 3
"""Times each number of workers is measured, in turn, in the other order every other time."""
CUSTOMERS = 80
STEPS = 8
"""Messages of each; what he writes so far does not depend on the time of day."""
PATIENCE = 120.0
"""Seconds something may take; then the bench is broken."""
LOOK_SECONDS = 0.2

NAME = "workers"


@dataclass(frozen=True, slots=True)
class Pace:
    """How a backlog was worked off.

    Args:
        turns: per second.
        cores: how many the database server used.
    """

    turns: float
    cores: float


async def measure() -> list[Row]:
    """Measure it."""
    shop = Shop.open()
    steps = (await shop.play())[:STEPS]
    print("bench: workers: the embedded database never uses more than one core", file=sys.stderr)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="comanda-bench-"))
        server = await stack.enter_async_context(EmbeddedServer(Path(folder)))
        graph = await stack.enter_async_context(standing_in(Phones().web))
        await seed_shop(server.uri, NAME, shop)
        database = await stack.enter_async_context(Database(server.uri, name=NAME))
        bench = Bench(shop, steps, server, graph, database)
        paces: dict[int, list[Pace]] = {count: [] for count in WORKERS}
        for number in range(ROUNDS):
            for count in WORKERS if number % 2 else reversed(WORKERS):
                paces[count].append(await bench.work_off(count))
    return [*(_turns(paces, count) for count in WORKERS), _cores(paces)]


def _turns(paces: dict[int, list[Pace]], count: int) -> Row:
    ours, alone = ([pace.turns for pace in paces[each]] for each in (count, WORKERS[0]))
    what = f"turns a second, {_workers(count)}, one embedded database"
    if count == WORKERS[0]:
        return Row(what, f"{median(ours):.0f}/s")
    return Row(
        what, f"{median(ours):.0f}/s", f"{median(alone):.0f}/s with {_workers(WORKERS[0])}",
        median(mine / other for mine, other in zip(ours, alone, strict=True)),
    )  # fmt: skip


def _cores(paces: dict[int, list[Pace]]) -> Row:
    used = [median(pace.cores for pace in paces[count]) for count in WORKERS]
    return Row(
        f"  cores the database used, {' / '.join(map(str, WORKERS))} workers",
        " / ".join(f"{cores:.2f}" for cores in used), "1 is all the embedded one can use",
    )  # fmt: skip


def _workers(count: int) -> str:
    return f"{count} worker{'s' if count > 1 else ''}"


@dataclass(slots=True)
class Bench:
    """What every round has in common."""

    shop: Shop
    steps: Sequence[Step]
    server: EmbeddedServer
    graph: str
    database: Database
    customers: int = field(default=0, init=False)

    async def work_off(self, count: int) -> Pace:
        """Start workers, store messages and wait until all have had their turn."""
        async with AsyncExitStack() as stack:
            workers = [
                await stack.enter_async_context(
                    comanda("worker", uri=self.server.uri, name=NAME, graph=self.graph)
                )
                for _ in range(count)
            ]
            await self._shared_out(workers)
            rows = list(self._rows())
            cpu = cpu_seconds(self.server.pid or 0)
            # In one command: the first worker that looks finds all that it will have to do.
            await MongoInbox(self.database).accept(rows)
            begin = time.perf_counter()
            await self._reached(workers, "comanda_turns_total", len(rows))
            await self._worked_off()
            took = time.perf_counter() - begin
            cores = (cpu_seconds(self.server.pid or 0) - cpu) / took
        await self._check()
        return Pace(len(rows) / took, cores)

    async def _shared_out(self, workers: Sequence[Running]) -> None:
        """Wait until every worker has its share of the slots."""
        await self._reached(workers, "comanda_slots", SLOTS, least=SLOTS // len(workers))

    async def _reached(
        self, workers: Sequence[Running], metric: str, total: int, *, least: int = 0
    ) -> None:
        """Wait until a metric of all workers has come to a total, and each one's to its least."""
        async with asyncio.timeout(PATIENCE):
            while True:
                each = await asyncio.gather(*(worker.metric(metric) for worker in workers))
                if sum(each) >= total and min(each) >= least:
                    return
                await asyncio.sleep(LOOK_SECONDS)

    async def _worked_off(self) -> None:
        # A turn that failed is counted, too, and taken again.
        inbox = self.database.collection(InboxDocument)
        async with asyncio.timeout(PATIENCE):
            while True:
                if await inbox.count_documents({"state": "new"}) == 0:
                    return
                await asyncio.sleep(LOOK_SECONDS)

    async def _check(self) -> None:
        stored = self.customers * len(self.steps)
        inbox = self.database.collection(InboxDocument)
        done = await inbox.count_documents({"state": "done"})
        if done != stored:
            raise SystemExit(f"the workers of the bench finished {done} of {stored} messages")

    def _rows(self) -> Iterator[InboxRow]:
        """Give the messages of customers nobody has heard of, each customer's in order."""
        first, self.customers = self.customers, self.customers + CUSTOMERS
        now = SystemClock().now()
        for place, step in enumerate(self.steps):
            at = now - timedelta(seconds=len(self.steps) - place)
            for number in range(first, first + CUSTOMERS):
                caller = Caller(self.shop.number(), f"1555{number:07}")
                wamid = f"wamid.{caller.phone}.{place:04}"
                body = caller.webhook(step.wire, wamid=wamid, at=at)
                yield inbox_row(parse_webhook(body).messages[0], now)
