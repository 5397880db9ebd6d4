"""A thousand tenants that change some texts only: how long they take to load, and how much memory.

Beside it stand tenants that share nothing: each with a library of its own. Seconds are of CPU,
which a busy machine does not stretch as it does the clock's; on an idle one they are the same.
"""

import asyncio
import gc
import json
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from engine.runtime.bundles import Bundles
from engine.settings import read_settings
from engine.spec.library import Library
from engine.verbs import all_verbs
from tests.bench.journey import TENANT
from tests.bench.measure import Pair, Row, in_turn

TENANTS = 1000
ALONE = 10
"""Tenants that share nothing; a thousand of them would take minutes."""
ROUNDS = 2
LONGEST_SECONDS = 10.0
MOST_KIB = 64.0

OVERLAY = """\
messages:
  main_menu:
    text: "Welcome to shop {n}! {{% if is_new %}}Nice to meet you.{{% endif %}}"
    buttons:
      browse_catalog: Menu of shop {n}
  categories:
    text: What would you like from shop {n}?
  added:
    text: "Shop {n}: {{{{ added.quantity }}}}× {{{{ added.name }}}}, {{{{ added.total|money }}}}"
  cart_empty:
    text: Nothing in your cart at shop {n} yet.
  help:
    text: "Ask shop {n}.{{% if tenant.phone %}} Or call {{{{ tenant.phone }}}}.{{% endif %}}"
  human:
    text: Somebody of shop {n} will write to you.
"""


async def measure() -> list[Row]:
    """Measure it, each side in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="comanda-bench-") as folder:
        generate(Path(folder))
        sizes: dict[str, list[float]] = {"shared": [], "alone": []}
        pair = await in_turn(
            _loading(folder, "shared", sizes), _loading(folder, "alone", sizes), rounds=ROUNDS
        )
    memory = Pair(tuple(sizes["shared"][1:]), tuple(sizes["alone"][1:]))
    return [_time(pair), _memory(memory)]


def _time(pair: Pair) -> Row:
    ours, theirs = pair.medians
    total = ours * TENANTS
    return Row(
        f"loading {TENANTS} tenants that change 7 texts", f"{total:.1f} s of CPU",
        f"{theirs * TENANTS:.0f} s if they shared nothing", pair.less,
        f"<= {LONGEST_SECONDS:g} s", total <= LONGEST_SECONDS,
    )  # fmt: skip


def _memory(pair: Pair) -> Row:
    ours, theirs = pair.medians
    return Row(
        "their memory, each", f"{ours:.0f} KiB", f"{theirs:.0f} KiB if they shared nothing",
        pair.less, f"<= {MOST_KIB:g} KiB", ours <= MOST_KIB,
    )  # fmt: skip


def generate(folder: Path, *, count: int = TENANTS) -> None:
    """Write a content folder with the shared content and so many tenants."""
    content = read_settings().content()
    for part in ("conversations", "flows"):
        shutil.copytree(content / part, folder / part)
    settings = (content / "tenants" / TENANT / "tenant.yaml").read_text(encoding="utf-8")
    for n in range(count):
        tenant = folder / "tenants" / f"shop-{n:04}"
        (tenant / "messages").mkdir(parents=True)
        own = settings.replace("La Tavola", f"Shop {n}").replace('"10654', f'"{n:04}')
        (tenant / "tenant.yaml").write_text(own, encoding="utf-8")
        overlay = tenant / "messages" / "storefront.en.yaml"
        overlay.write_text(OVERLAY.format(n=n), encoding="utf-8")


def _loading(
    folder: str, how: str, sizes: dict[str, list[float]]
) -> Callable[[], Awaitable[float]]:
    async def seconds_each() -> float:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.bench.tenants",
            folder,
            how,
            stdout=asyncio.subprocess.PIPE,
        )
        told = json.loads((await child.communicate())[0])
        sizes[how].append(told["kib"])
        return float(told["seconds"])

    return seconds_each


def _load(folder: Path, how: str) -> dict[str, float]:
    """Load tenants in this process; give the seconds and KiB of each."""
    shared = Bundles(Library(folder, all_verbs()))
    tenants = Library(folder, all_verbs()).tenant_ids()[: TENANTS if how == "shared" else ALONE]
    gc.collect()
    before, begin = _kib(), time.process_time()
    held = [shared if how == "shared" else Bundles(Library(folder, all_verbs())) for _ in tenants]
    for bundles, tenant in zip(held, tenants, strict=True):
        if bundles.reload(tenant) is None:
            raise SystemExit(f"the bench's tenants are out of date: {bundles.broken[tenant]}")
    took = time.process_time() - begin
    gc.collect()
    return {"seconds": took / len(tenants), "kib": (_kib() - before) / len(tenants)}


def _kib() -> float:
    """Tell the memory this process holds."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize() / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # macOS: bytes, the most ever


if __name__ == "__main__":
    print(json.dumps(_load(Path(sys.argv[1]), sys.argv[2])))
