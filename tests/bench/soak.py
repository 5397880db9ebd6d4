"""Ten minutes at half of what the database can take: nothing may grow.

A web and a worker process get the conversations of customers nobody has heard of, on schedule
(`open_loop`), at half the pace at which one worker works off a backlog in the same run.
"""

import asyncio
import sys
import tempfile
from collections.abc import Sequence
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
REST_SECONDS = 50.0
"""After which no connection is open that only a busy moment needed (`Database.idle_after`)."""
MOST_GROWTH = 0.05
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
        warm = round(WARM * len(wires))
        await _send(wires[:warm], pace, processes)
        before = await _at_rest(processes)
        looking = asyncio.create_task(_look(processes, looks))
        await _send(wires[warm:], pace, processes)
        await asyncio.sleep(2 * PAUSE)
        looking.cancel()
        left = await database.collection(InboxDocument).count_documents({"state": {"$ne": "done"}})
        after = await _at_rest(processes)
    rows = [Row(f"soak: messages in {minutes:g} minutes", f"{len(wires)}", f"{pace:.1f}/s")]
    for role, seen in looks.items():
        rows += _rows(role, seen)
        rows.append(_files(role, seen, before[role], after[role]))
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


async def _send(wires: list[bytes], pace: float, processes: dict[str, Running]) -> None:
    begin = asyncio.get_running_loop().time()
    await Sender(processes["web"].url, wires, every=1 / pace).send(begin)


async def _at_rest(processes: dict[str, Running]) -> dict[str, int]:
    """Wait until nothing is done any more; count the descriptors of each process then."""
    await asyncio.sleep(REST_SECONDS)
    return {role: open_files(running.process.pid) for role, running in processes.items()}


async def _look(processes: dict[str, Running], looks: dict[str, list[Look]]) -> None:
    while True:
        for role, running in processes.items():
            pid = running.process.pid
            wait = await running.metric("comanda_waiting_seconds")
            looks[role].append(Look(memory_mib(pid), open_files(pid), wait))
        await asyncio.sleep(LOOK_SECONDS)


def _rows(role: str, looks: Sequence[Look]) -> list[Row]:
    third = max(len(looks) // 3, 1)
    memory, memory_end = (median(x.memory for x in p) for p in (looks[:third], looks[-third:]))
    wait = max(look.wait for look in looks)
    growth = memory_end / memory - 1 if memory else 0.0
    rows = [
        Row(
            f"  memory of the {role}", f"{memory_end:.0f} MiB", f"{memory:.0f} MiB when warm",
            bar=f"grows <= {MOST_GROWTH:.0%}", is_met=growth <= MOST_GROWTH,
        )
    ]  # fmt: skip
    if role == "worker":
        bar = f"< {LONGEST_WAIT:g} s"
        rows.append(Row("  longest wait of a message", f"{wait:.1f} s", bar=bar,
                        is_met=wait < LONGEST_WAIT))  # fmt: skip
    return rows


def _files(role: str, looks: Sequence[Look], before: int, after: int) -> Row:
    """Tell of descriptors: under load connections come and go, a leak is what stays at rest."""
    most = max(look.files for look in looks)
    return Row(
        f"  descriptors of the {role} at rest, {most} at most", f"{after}", f"{before} when warm",
        bar="no more", is_met=after <= before,
    )  # fmt: skip
