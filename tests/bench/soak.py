"""Ten minutes at half of what the database can take: nothing may grow.

A web and a worker process get the conversations of customers nobody has heard of, on schedule
(`open_loop`), at half the pace at which one worker works off a backlog in the same run.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median

from engine.clock import SystemClock
from engine.storage.connection import Database
from engine.storage.embedded import EmbeddedServer
from engine.storage.records import InboxDocument
from tests.bench.journey import Caller, Shop, Step
from tests.bench.measure import Row
from tests.bench.open_loop import Sender, request
from tests.bench.processes import Running, comanda, memory_mib, open_files
from tests.bench.serving import Phones, seed_shop, standing_in
from tests.bench.workers import STEPS
from tests.bench.workers import Bench as Backlog

MINUTES = 10.0
LOAD = 0.5
"""Part of the measured capacity."""
PAUSE = 5
"""Seconds between two messages of one customer."""
LOOK_SECONDS = 2.0
WARM = 0.2
"""Part of the time after which nothing may grow any more: pools and caches are full by then."""
MOST_GROWTH = 0.05
MORE_FILES = 0.1
LONGEST_WAIT = 5.0
"""Seconds a message may wait for its turn, at most."""
NAME = "soak"


@dataclass(frozen=True, slots=True)
class Look:
    """What a process held at one time.

    Args:
        files: open descriptors.
        wait: seconds the longest due message of the inbox waits.
    """

    memory: float
    files: int
    wait: float


async def measure(minutes: float = MINUTES) -> list[Row]:
    """Measure it."""
    shop = Shop.open()
    steps = (await shop.play())[:STEPS]
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="comanda-bench-"))
        server = await stack.enter_async_context(EmbeddedServer(Path(folder)))
        graph = await stack.enter_async_context(standing_in(Phones().web))
        capacity = await _capacity(shop, steps, server, graph)
        print(f"bench: soak: {minutes:g} minutes at {LOAD * capacity:.0f}/s", file=sys.stderr)
        await seed_shop(server.uri, NAME, shop)
        database = await stack.enter_async_context(Database(server.uri, name=NAME))
        processes = {
            role: await stack.enter_async_context(
                comanda(role, uri=server.uri, name=NAME, graph=graph)
            )
            for role in ("web", "worker")
        }
        pace = LOAD * capacity
        wires = _wires(shop, steps, pace, round(60 * minutes * pace))
        looks: dict[str, list[Look]] = {role: [] for role in processes}
        looking = asyncio.create_task(_look(processes, looks))
        begin = asyncio.get_running_loop().time()
        await Sender(processes["web"].url, wires, every=1 / pace).send(begin)
        await asyncio.sleep(2 * PAUSE)
        looking.cancel()
        left = await database.collection(InboxDocument).count_documents({"state": {"$ne": "done"}})
    rows = [Row(f"soak: messages in {minutes:g} minutes", f"{len(wires)}", f"{pace:.1f}/s")]
    for role, seen in looks.items():
        rows += _rows(role, seen)
    rows.append(
        Row("  messages without an answer at the end", str(left), bar="0", is_met=not left)
    )
    return rows


async def _capacity(
    shop: Shop, steps: Sequence[Step], server: EmbeddedServer, graph: str
) -> float:
    await seed_shop(server.uri, "workers", shop)
    async with Database(server.uri, name="workers") as database:
        pace = await Backlog(shop, steps, server, graph, database).work_off(1)
    return pace.turns


def _wires(shop: Shop, steps: Sequence[Step], pace: float, count: int) -> list[bytes]:
    """Write so many webhooks: groups of customers who each write every few seconds."""
    group, now = max(round(pace * PAUSE), 1), SystemClock().now()
    wires = []
    for place in range(count):
        round_number, within = divmod(place, group * len(steps))
        step, member = divmod(within, group)
        phone = f"1555{round_number * group + member:07}"
        at = now + timedelta(seconds=place / pace)
        caller = Caller(shop.number(), phone)
        wires.append(
            request(caller.webhook(steps[step].wire, wamid=f"wamid.{phone}.{step:04}", at=at))
        )
    return wires


async def _look(processes: dict[str, Running], looks: dict[str, list[Look]]) -> None:
    while True:
        for role, running in processes.items():
            pid = running.process.pid
            wait = await running.metric("comanda_waiting_seconds")
            looks[role].append(Look(memory_mib(pid), open_files(pid), wait))
        await asyncio.sleep(LOOK_SECONDS)


def _rows(role: str, looks: Sequence[Look]) -> list[Row]:
    warm = looks[int(WARM * len(looks)) :]
    third = max(len(warm) // 3, 1)

    def ends(of: Callable[[Look], float]) -> tuple[float, float]:
        return median(map(of, warm[:third])), median(map(of, warm[-third:]))

    memory, memory_end = ends(lambda x: x.memory)
    # Connections come and go with each burst: a leak raises what is usual.
    files, files_end = ends(lambda x: x.files)
    wait = max(look.wait for look in warm)
    growth = memory_end / memory - 1 if memory else 0.0
    rows = [
        Row(
            f"  memory of the {role}", f"{memory_end:.0f} MiB", f"{memory:.0f} MiB when warm",
            bar=f"grows <= {MOST_GROWTH:.0%}", is_met=growth <= MOST_GROWTH,
        ),
        Row(
            f"  descriptors of the {role}", f"{files_end:.0f}", f"{files:.0f} when warm",
            bar=f"grows <= {MORE_FILES:.0%}", is_met=files_end <= (1 + MORE_FILES) * files,
        ),
    ]  # fmt: skip
    if role == "worker":
        bar = f"< {LONGEST_WAIT:g} s"
        rows.append(Row("  longest wait of a message", f"{wait:.1f} s", bar=bar,
                        is_met=wait < LONGEST_WAIT))  # fmt: skip
    return rows
