"""Runs the torture: `python -m tests.torture`."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from secrets import randbelow

from tests.torture.ledger import ledger
from tests.torture.plans import database_killed, processes_killed
from tests.torture.scenario import play


def main() -> int:
    """Play the scenarios and print their ledgers."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--seed", type=int, default=randbelow(1_000_000))
    parser.add_argument("--customers", type=int, default=300)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--database-kills", type=int, default=14)
    parser.add_argument("--only", choices=["processes", "database"])
    options = parser.parse_args()
    # The second is about the database: a crowd that it works off in the time.
    few = max(options.customers // 3, 1)
    plans = {
        "processes": processes_killed(options.customers, options.kills, seed=options.seed),
        "database": database_killed(few, options.database_kills, seed=options.seed),
    }
    print(f"torture: seed {options.seed}", file=sys.stderr)
    is_clean = True
    for name, plan in plans.items():
        if options.only in (None, name):
            folder = Path(tempfile.mkdtemp(prefix="comanda-torture-"))
            print(f"torture: {plan.name}; logs in {folder / 'logs'}", file=sys.stderr)
            drawn = ledger(asyncio.run(play(plan, folder)))
            print(f"{drawn}\n", flush=True)
            is_clean = is_clean and drawn.is_clean
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
