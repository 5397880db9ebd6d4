"""How soon a process of a hundred tenants is ready, and how much memory it holds while it is idle.

Beside it stands an interpreter that only imports what the engine is made of.
"""

import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

from tests.bench.measure import Row
from tests.bench.processes import comanda, memory_mib
from tests.bench.serving import Phones, bench_database, standing_in
from tests.bench.tenants import generate

TENANTS = 100
ROUNDS = 5
LONGEST_SECONDS = 3.0
MOST_MIB = 150.0
SETTLED_SECONDS = 3.0


async def measure() -> list[Row]:
    """Measure it."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="comanda-bench-")))
        content = folder / "content"
        generate(content, count=TENANTS)
        (folder / "data").mkdir()
        uri = await stack.enter_async_context(bench_database(folder / "data"))
        graph = await stack.enter_async_context(standing_in(Phones().web))
        ready, idle, imports = [], [], []
        for _ in range(ROUNDS + 1):
            begin = time.perf_counter()
            async with comanda(
                "all", uri=uri, name="starting", graph=graph, content=content
            ) as running:
                ready.append(time.perf_counter() - begin)
                await asyncio.sleep(SETTLED_SECONDS)
                idle.append(memory_mib(running.process.pid))
            imports.append(await _imports())
    # The first one made the database's indexes and Python's compiled files.
    took, held, bare = median(ready[1:]), max(idle), median(imports[1:])
    return [
        Row(
            f"start to ready with {TENANTS} tenants", f"{took:.2f} s",
            f"{bare:.2f} s imports only", bare / took,
            f"< {LONGEST_SECONDS:g} s", took < LONGEST_SECONDS,
        ),
        Row("  the first one, on an empty database", f"{ready[0]:.2f} s"),
        Row(
            "memory of an idle process", f"{held:.0f} MiB", bar=f"< {MOST_MIB:g} MiB",
            is_met=held < MOST_MIB if held else None,
        ),
    ]  # fmt: skip


async def _imports() -> float:
    begin = time.perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "import engine.app")
    if await process.wait():
        raise SystemExit("the bench cannot import the engine")
    return time.perf_counter() - begin
