"""How long `comanda check` takes: the shipped tenants, and a thousand projected from some dozens.

Each check is a process of its own, as it is for an author. Where the bar is of a thousand tenants,
seconds are of CPU, divided by the processors that share them: another program's are not counted.
"""

import asyncio
import json
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from engine.settings import read_settings
from tests.bench.journey import TENANT
from tests.bench.measure import Pair, Row, in_turn
from tests.bench.tenants import OVERLAY

MANY = 1000
FEW, TEXTS, MENUS = 4, 64, 16
"""Tenants checked: how much more the larger number takes tells what one tenant takes."""
ROUNDS = 3
LONGEST_SECONDS = 1.0
LONGEST_OF_MANY = 60.0
_ENDS = ("", " of the house", " deluxe", " No. 7")


async def measure() -> list[Row]:
    """Measure it."""
    with tempfile.TemporaryDirectory(prefix="comanda-bench-") as place:
        shipped = Path(place) / "shipped"
        _copy(shipped, "conversations", "flows", "tenants")
        pair = await in_turn(_clock(shipped), _clock(shipped, is_anew=True), rounds=ROUNDS)
        texts = await _of_many(Path(place) / "texts", write_texts, TEXTS)
        menus = await _of_many(Path(place) / "menus", write_menu, MENUS)
    return [
        *_shipped(pair),
        _many(f"checking {MANY} tenants with texts of their own", texts.anew),
        _many(f"checking {MANY} tenants with menus of their own", menus.anew),
        _many("checking them again, where one has edited its menu", menus.again),
    ]


def _shipped(pair: Pair) -> list[Row]:
    again, anew = pair.medians
    bar = f"<= {LONGEST_SECONDS:g} s"
    met = again <= LONGEST_SECONDS
    return [
        Row(
            "checking the shipped tenants", f"{anew:.2f} s", "", None,
            bar, anew <= LONGEST_SECONDS,
        ),
        Row("checking them again, unchanged", f"{again:.2f} s", f"{anew:.2f} s anew", pair.less,
            bar, met),
    ]  # fmt: skip


def _many(what: str, seconds: float) -> Row:
    bar = f"<= {LONGEST_OF_MANY:g} s"
    return Row(what, f"{seconds:.1f} s, projected", "", None, bar, seconds <= LONGEST_OF_MANY)


@dataclass(frozen=True, slots=True)
class OfMany:
    """Seconds that checking many tenants takes.

    Args:
        again: once all but one are known; one process does that.
    """

    anew: float
    again: float


async def _of_many(folder: Path, write: Callable[[Path, int], None], count: int) -> OfMany:
    generate(folder / "few", FEW, write)
    generate(folder / "more", count, write)

    async def projected(measured: Callable[[Path], Awaitable[float]]) -> float:
        few = min([await measured(folder / "few") for _ in range(ROUNDS)])
        more = min([await measured(folder / "more") for _ in range(ROUNDS)])
        return few + (more - few) / (count - FEW) * (MANY - FEW)

    anew = await projected(_processor)  # what it finds is kept
    return OfMany(anew / (os.cpu_count() or 1), await projected(_edited))


async def _edited(content: Path) -> float:
    """Measure a check after an edit of one tenant."""
    with next((content / "tenants").glob("*/catalog.yaml")).open("a", encoding="utf-8") as menu:
        menu.write("# another edit\n")
    return await _processor(content, is_anew=False)


def generate(folder: Path, count: int, write: Callable[[Path, int], None]) -> None:
    """Write a content folder with tenants that are each different."""
    _copy(folder, "conversations", "flows")
    settings = (_shop() / "tenant.yaml").read_text(encoding="utf-8")
    for number in range(count):
        tenant = folder / "tenants" / f"shop-{number:04}"
        tenant.mkdir(parents=True)
        own = settings.replace("La Tavola", f"Shop {number}").replace('"10654', f'"{number:04}')
        (tenant / "tenant.yaml").write_text(own, encoding="utf-8")
        shutil.copy(_shop() / "catalog.yaml", tenant)
        write(tenant, number)


def write_texts(tenant: Path, number: int) -> None:
    """Give a tenant texts of its own."""
    (tenant / "messages").mkdir()
    overlay = tenant / "messages" / "storefront.en.yaml"
    overlay.write_text(OVERLAY.format(n=number), encoding="utf-8")


def write_menu(tenant: Path, number: int) -> None:
    """Give a tenant a menu of its own: other products, names and prices."""
    chance = random.Random(number)
    menu = yaml.safe_load((tenant / "catalog.yaml").read_text(encoding="utf-8"))
    sold = menu["products"]
    for name in chance.sample(sorted(sold), k=chance.randrange(len(sold) // 2)):
        del sold[name]
    for product in sold.values():
        if len(product["name"]) < 40:
            product["name"] += chance.choice(_ENDS)
        _reprice(product, chance.choice((0.5, 1, 1.5, 2)))
    text = yaml.safe_dump(menu, sort_keys=False, allow_unicode=True)
    (tenant / "catalog.yaml").write_text(text, encoding="utf-8")


def _reprice(part: Any, factor: float) -> None:
    if isinstance(part, dict):
        if "price" in part:
            part["price"] = round(float(part["price"]) * factor, 2)
        for inner in part.values():
            _reprice(inner, factor)
    elif isinstance(part, list):
        for inner in part:
            _reprice(inner, factor)


def _copy(folder: Path, *names: str) -> None:
    for name in names:
        shutil.copytree(read_settings().content() / name, folder / name)


def _shop() -> Path:
    return read_settings().content() / "tenants" / TENANT


def _clock(content: Path, *, is_anew: bool = False) -> Callable[[], Awaitable[float]]:
    async def seconds() -> float:
        begin = time.perf_counter()
        await _check(content, *(["--anew"] if is_anew else []))
        return time.perf_counter() - begin

    return seconds


async def _processor(content: Path, *, is_anew: bool = True) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    await _check(content, *(["--anew"] if is_anew else []))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


async def _check(content: Path, *options: str) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "engine", "check", "--format", "json", *options,
        stdout=asyncio.subprocess.PIPE, env=os.environ | {"COMANDA_CONTENT": str(content)},
    )  # fmt: skip
    told = json.loads((await child.communicate())[0])
    # Nobody walks through the dialogs of a tenant whose own files are wrong.
    if any(each["severity"] == "error" and each["file"].startswith("tenants/") for each in told):
        raise SystemExit(f"the bench's tenants are out of date: {told[0]}")
