"""Tries the mutants: `python -m tests.content.mutants [--sample N] [--operator NAME] ...`."""

import argparse
import asyncio
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.cli.output import log_to_stderr
from engine.spec.problems import did_you_mean
from engine.verbs import all_verbs
from tests.content.mutants.catalogs import faults_of, random_menu
from tests.content.mutants.checker import Checker
from tests.content.mutants.judge import Judge
from tests.content.mutants.mutant import Mutant
from tests.content.mutants.rehearsed import differing
from tests.content.mutants.shop import Workshop, read_texts
from tests.content.mutants.trial import (
    TENANTS,
    Result,
    Table,
    Trial,
    all_mutants,
    sampled,
    share,
)

ROOT = Path(__file__).parents[3]
BAR_REPORTED, BAR_PLACED = 0.98, 0.95


def main(arguments: Sequence[str] | None = None) -> int:
    """Try mutants and print the figures; 1 if a bar is missed, 2 if there is nothing to try."""
    parser = argparse.ArgumentParser(prog="python -m tests.content.mutants", description=__doc__)
    parser.add_argument("--sample", type=int, help="so many, spread evenly over the operators")
    parser.add_argument("--turn", type=int, default=0, help="another number samples others")
    parser.add_argument("--operator", action="append", help="only these")
    parser.add_argument("--file", help="only files whose name contains this")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--alarms", action="store_true", help="check harmless ones, too")
    parser.add_argument("--missed", type=int, default=200, help="missed ones shown")
    parser.add_argument("--list", action="store_true", help="only count what would be tried")
    parser.add_argument("--read-only", action="store_true", help="walk through no dialogs")
    parser.add_argument("--log", type=Path, help="a file to which each result is added")
    parser.add_argument("--catalogs", type=int, help="try so many random catalogs instead")
    options = parser.parse_args(arguments)
    if options.catalogs:
        return asyncio.run(_catalogs(options.catalogs))
    try:
        mutants = _chosen(options)
    except ValueError as error:
        parser.error(str(error))
    if options.list:
        _list(mutants)
        return 0
    began = time.monotonic()
    table = Table()
    for result in _tried(mutants, options.processes, options):
        table.add(result)
        if options.log:
            with options.log.open("a") as file:
                file.write(result.line + "\n")
        if len(table.results) % 50 == 0:
            print(f"{len(table.results)}/{len(mutants)}", file=sys.stderr, flush=True)
    print("\n".join(table.lines()))
    for title, found in (
        ("MISSED", table.missed),
        ("MISPLACED", table.misplaced),
        ("UNTRUE", table.untrue),
        ("FALSE ALARMS", table.alarms),
    ):
        print(f"\n{title}: {len(found)}")
        for result in found[: options.missed]:
            print(f"- {result.mutant.id}\n    {result.harm}")
            print("".join(f"    told: {line}\n" for line in result.told), end="")
    total = table.total
    played = {result.mutant.id: differing(ROOT, result.mutant) for result in table.missed}
    caught = sum(bool(dialogs) for dialogs in played.values())
    print(f"\nMISSED, AND SEEN BY A DIALOG OF THE TENANTS: {caught}")
    for name, dialogs in played.items():
        print(f"- {name}\n    {', '.join(dialogs[:3]) or 'no dialog differs'}")
    told = share(total.reported + caught, total.harmful)
    print(f"told by the check or seen by a dialog: {told} of the harmful")
    print(f"\n{time.monotonic() - began:.0f} s")
    is_good = total.reported >= BAR_REPORTED * total.harmful
    return 0 if is_good and total.at_place >= BAR_PLACED * total.reported else 1


def _chosen(options: argparse.Namespace) -> list[Mutant]:
    """Choose the mutants to try.

    Raises:
        ValueError: there are none, with what to do.
    """
    planted = list(all_mutants(ROOT))
    operators = sorted({mutant.operator for mutant in planted})
    wanted = options.operator or operators
    for name in wanted:
        if name not in operators:
            hint = did_you_mean(name, operators) or f"there are {', '.join(operators)}"
            raise ValueError(f"there is no operator '{name}'; {hint}")
    mutants = [m for m in planted if m.operator in wanted and (options.file or "") in m.file]
    if not mutants:
        raise ValueError("nothing to try: these operators find no place in these files")
    return sampled(mutants, options.sample, turn=options.turn) if options.sample else mutants


async def _catalogs(runs: int) -> int:
    """Be a customer of shops that sell anything."""
    workshop, texts = Workshop(all_verbs()), read_texts(ROOT)
    shops = [workshop.shop(texts, tenant) for tenant in TENANTS]
    products, faults = 0, 0
    for seed in range(runs):
        menu = random_menu(seed)
        products += len(menu.products)
        for fault in await faults_of(shops[seed % len(shops)], menu, seed=seed, turns=80):
            faults += 1
            print(f"seed {seed}: {fault}")
    print(f"{products} products in {runs} catalogs: {faults} faults")
    return 1 if faults else 0


def _list(mutants: list[Mutant]) -> None:
    counts: dict[str, int] = {}
    for mutant in mutants:
        counts[mutant.operator] = counts.get(mutant.operator, 0) + 1
    for name, count in sorted(counts.items()):
        print(f"{name:24}{count:>8}")
    print(f"{'all':24}{len(mutants):>8}")


def _tried(mutants: list[Mutant], processes: int, options: argparse.Namespace) -> Iterator[Result]:
    if processes == 1:
        yield from _batch(mutants, options)
        return
    shares = [(mutants[place :: processes * 8], options) for place in range(processes * 8)]
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        for results in pool.imap_unordered(_share, shares):
            yield from results


def _share(work: tuple[list[Mutant], argparse.Namespace]) -> list[Result]:
    return list(_batch(*work))


_HELD: dict[str, Trial] = {}


def _batch(mutants: list[Mutant], options: argparse.Namespace) -> Iterator[Result]:
    log_to_stderr(level="critical")
    with asyncio.Runner() as runner:
        if "trial" not in _HELD:
            folder = Path(tempfile.mkdtemp(prefix="comanda-mutants-"))
            checker = Checker(ROOT, folder, walks=not options.read_only)
            _HELD["trial"] = Trial(Judge(ROOT), checker, asks_always=options.alarms)
        for mutant in mutants:
            yield runner.run(_HELD["trial"].of(mutant))


if __name__ == "__main__":
    sys.exit(main())
