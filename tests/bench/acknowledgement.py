"""How long a webhook waits for its 200: it is stored by then, and nothing else is done for it.

Webhooks come on schedule (`open_loop`) to a web process on the embedded database. A door that only
checks and reads the same webhooks gets them at the same pace at the same time.
"""

import sys
import tempfile
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import orjson

from engine.clock import SystemClock
from tests.bench.journey import Caller, Shop, Step
from tests.bench.measure import Row, Spread
from tests.bench.open_loop import beside, request
from tests.bench.processes import Running, comanda
from tests.bench.serving import Phones, bench_database, next_line, seed_shop, standing_in

PER_SECOND = 50
SECONDS = 20
WARM_UP_SECONDS = 2
"""What comes in the beginning is not counted."""
LONGEST_SECONDS = 0.1
"""The 99th percentile."""
BATCH = 1000
"""Updates in one request: the most Meta sends."""
BATCHES = 6
BATCH_EVERY_SECONDS = 2.0


async def measure() -> list[Row]:
    """Measure it."""
    shop = Shop.open()
    hello = (await shop.play())[0]
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="comanda-bench-"))
        uri = await stack.enter_async_context(bench_database(Path(folder)))
        graph = await stack.enter_async_context(standing_in(Phones().web))
        floor = await stack.enter_async_context(_floor())
        bench = Bench(shop, hello, uri, graph, floor)
        return [await bench.alone(), *await bench.with_worker(), await bench.batches()]


@asynccontextmanager
async def _floor() -> AsyncIterator[str]:
    process = await create_subprocess_exec(
        sys.executable, "-m", "tests.bench.floor", stdin=PIPE, stdout=PIPE
    )
    try:
        yield (await next_line(process))["url"]
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


@dataclass(frozen=True, slots=True)
class Bench:
    """What the lines have in common; each has a database of its own.

    Args:
        hello: what everybody writes.
        floor: URL of the door that stores nothing.
    """

    shop: Shop
    hello: Step
    uri: str
    graph: str
    floor: str

    async def alone(self) -> Row:
        """Measure a web process by itself."""
        async with self._process("web", "alone") as web:
            took = await self._singles(web)
        row = _singles_row(f"a webhook's 200 at {PER_SECOND} requests/s", *took)
        bar = f"99th < {1000 * LONGEST_SECONDS:g} ms"
        return replace(row, bar=bar, is_met=Spread.of(took[0]).high < LONGEST_SECONDS)

    async def with_worker(self) -> list[Row]:
        """Measure a web process while a worker takes the turns of what it stores.

        There is no bar for it: where more comes than the embedded database's one core can answer,
        everything waits for that core.
        """
        async with (
            self._process("web", "worked") as web,
            comanda("worker", uri=self.uri, name="worked", graph=self.graph) as worker,
        ):
            took = await self._singles(web)
            turns = await worker.metric("comanda_turns_total")
        pace = turns / (SECONDS + WARM_UP_SECONDS)
        return [
            _singles_row("  the same beside a worker", *took),
            Row("  turns the worker took meanwhile", f"{pace:.0f}/s", f"{PER_SECOND}/s came"),
        ]

    async def batches(self) -> Row:
        """Measure requests that have as many updates as Meta ever sends."""
        wires = [request(self._batch(first * BATCH)) for first in range(BATCHES + 1)]
        async with self._process("web", "batches") as web:
            took = await beside((web.url, wires), (self.floor, wires), every=BATCH_EVERY_SECONDS)
        ours, floor = (times[1:] for times in took)
        mine, other = (
            f"{1000 * median(times):.0f} / {1000 * max(times):.0f} ms" for times in (ours, floor)
        )
        return Row(
            f"{BATCH} updates in one request: median / longest", mine,
            f"{other} check and read only", median(floor) / median(ours),
        )  # fmt: skip

    @asynccontextmanager
    async def _process(self, role: str, name: str) -> AsyncIterator[Running]:
        await seed_shop(self.uri, name, self.shop)
        async with comanda(role, uri=self.uri, name=name, graph=self.graph) as running:
            yield running

    async def _singles(self, web: Running) -> tuple[Sequence[float], Sequence[float]]:
        early = WARM_UP_SECONDS * PER_SECOND
        wires = [request(self._webhook(n)) for n in range(early + SECONDS * PER_SECOND)]
        took = await beside((web.url, wires), (self.floor, wires), every=1 / PER_SECOND)
        ours, floor = (times[early:] for times in took)
        return ours, floor

    def _webhook(self, number: int) -> bytes:
        """Write the webhook of a customer nobody has heard of."""
        phone, now = f"1555{number:07}", SystemClock().now()
        caller = Caller(self.shop.number(), phone)
        return caller.webhook(self.hello.wire, wamid=f"wamid.{phone}", at=now)

    def _batch(self, first: int) -> bytes:
        webhooks = [orjson.loads(self._webhook(n)) for n in range(first, first + BATCH)]
        whole = webhooks[0]
        whole["entry"][0]["changes"] = [
            change for webhook in webhooks for change in webhook["entry"][0]["changes"]
        ]
        return orjson.dumps(whole)


def _singles_row(what: str, ours: Sequence[float], floor: Sequence[float]) -> Row:
    mine, other = Spread.of(ours), Spread.of(floor)
    return Row(
        f"{what}: median / 95th / 99th percentile", f"{mine} ms",
        f"{other} ms check and read only", other.median / mine.median,
    )  # fmt: skip
