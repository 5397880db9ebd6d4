"""What the catalogue sync costs: items per second, a change, the memory of 100,000 products.

Beside it stands a loop that does the least for the same items. Seconds are of CPU and without the
ports, which a database would be; nothing is sent over a network.
"""

import asyncio
import json
import logging
import resource
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from statistics import median

import structlog

from engine.sync.item import Item, items_of
from engine.sync.shop import page_links
from tests.bench.handwritten_sync import HandwrittenSync, fields_of
from tests.bench.measure import Pair, Row, in_turn
from tests.bench.sync_shop import PUBLIC_URL, TENANT, Aside, Menu, SyncedShop, settings

PRODUCTS = 20_000
MANY = 100_000
BURST = 3_000
ALONE = 20
"""Changes that are each worked off before the next one comes."""
ROUNDS = 3
LEAST_ITEMS = 5_000
LEAST_RATIO = 0.15
"""The loop keeps no state that survives it, and cleans and checks nothing."""
MOST_MIB = 300.0


async def measure() -> list[Row]:
    """Measure it; the memory in processes of their own."""
    async with _without_logs():
        await _agree()
        sides = Sides()
        first = await in_turn(sides.first, sides.first_of_theirs, rounds=ROUNDS)
        again = await in_turn(sides.again, sides.again_of_theirs, rounds=ROUNDS)
        sides.close()
        burst = await in_turn(_burst, _burst_of_theirs, rounds=ROUNDS)
        change = await _change()
    return [
        _items(f"items a second, first sync of {PRODUCTS:,} products", first),
        _items("the same, when nothing has changed", again),
        _marks(burst),
        Row(
            "one change alone, from its mark until its batch is through", f"{change:.2f} ms of CPU"
        ),
        *await _memory(),
    ]


def _items(what: str, pair: Pair) -> Row:
    ours, theirs = pair.medians
    return Row(
        what, f"{ours:,.0f}/s of CPU", f"{theirs:,.0f}/s hand-written", pair.more,
        f">= {LEAST_ITEMS:,}/s, {LEAST_RATIO:g} x",
        ours >= LEAST_ITEMS and pair.more >= LEAST_RATIO,
    )  # fmt: skip


def _marks(pair: Pair) -> Row:
    ours, theirs = (seconds * 1e6 for seconds in pair.medians)
    return Row(
        f"a burst of {BURST:,} changes, per changed product", f"{ours:.0f} µs of CPU",
        f"{theirs:.0f} µs hand-written", pair.less,
    )  # fmt: skip


async def _agree() -> None:
    """Make sure that both would send the same."""
    links, tenant = page_links(PUBLIC_URL, TENANT), settings()
    for sellable in await Menu(100, Aside()).page(None, after=None, limit=100):
        made = items_of(sellable, tenant=tenant, links=links)
        fields = [each.fields for each in made if isinstance(each, Item)]
        if fields != list(fields_of(sellable)):
            raise SystemExit(f"the hand-written sync makes other items of {sellable.id}")


class Sides:
    """Both, with what is left of their first sync for the second one; they give items a second."""

    def __init__(self) -> None:
        self._ours = SyncedShop(0)
        self._theirs = HandwrittenSync(0)

    def close(self) -> None:
        """Forget what is left."""
        self._ours.close()

    async def first(self) -> float:
        """Give the engine a shop whose items Meta has none of."""
        self.close()
        self._ours = SyncedShop(PRODUCTS)
        return 1 / await self._ours.walk() * self._ours.meta.items

    async def again(self) -> float:
        """Let the engine look at all of them again."""
        seconds, items = await self._ours.walk(), self._ours.meta.items
        if items != self._theirs.items:
            raise SystemExit(f"{items} items were sent, and {self._theirs.items} by hand")
        return items / seconds

    async def first_of_theirs(self) -> float:
        """Give the loop the same shop."""
        self._theirs = HandwrittenSync(PRODUCTS)
        return 1 / await self._theirs.walk() * self._theirs.items

    async def again_of_theirs(self) -> float:
        """Let the loop look at all of them again."""
        return self._theirs.items / await self._theirs.walk()


async def _burst() -> float:
    with closing(SyncedShop(BURST)) as shop:
        await shop.walk()
        shop.menu.price += 1
        return await shop.work_off(*range(BURST)) / BURST


async def _burst_of_theirs() -> float:
    loop = HandwrittenSync(BURST)
    await loop.walk()
    loop.menu.price += 1
    return await loop.walk() / BURST


async def _change() -> float:
    """Give the milliseconds of one change."""
    took = []
    with closing(SyncedShop(ALONE)) as shop:
        await shop.walk()
        for n in range(ALONE):
            shop.menu.price += 1
            shop.later(seconds=10)
            took.append(await shop.work_off(n))
    return median(took) * 1000


async def _memory() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="comanda-bench-") as folder:
        path = str(Path(folder) / "items.sqlite")
        return [
            await _peak(f"memory of a first sync of {MANY:,} products", path),
            await _peak("the same, when nothing has changed", path),
        ]


async def _peak(what: str, path: str) -> Row:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.sync", path, stdout=asyncio.subprocess.PIPE
    )
    told = json.loads((await child.communicate())[0])
    before, peak = told["before"] / 1024, told["peak"] / 1024
    return Row(
        what, f"{peak:.0f} MiB at most", f"{before:.0f} MiB before it", None,
        f"< {MOST_MIB:g} MiB", peak < MOST_MIB,
    )  # fmt: skip


async def _synced(path: str) -> dict[str, int]:
    """Sync a large shop in this process; give the KiB it held before, and at most."""
    async with _without_logs():
        with closing(SyncedShop(MANY, path=path)) as shop:
            before = _kib("VmRSS")
            await shop.walk()
            return {"before": before, "peak": _kib("VmHWM")}


def _kib(of: str) -> int:
    """Tell the memory of this process; a child's `ru_maxrss` would begin with its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith(of))
        return int(line.split()[1])
    return (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    )  # macOS: bytes, the most ever


@asynccontextmanager
async def _without_logs() -> AsyncIterator[None]:
    warnings = structlog.make_filtering_bound_logger(logging.WARNING)
    structlog.configure(wrapper_class=warnings)
    yield
    structlog.reset_defaults()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_synced(sys.argv[1]))))
