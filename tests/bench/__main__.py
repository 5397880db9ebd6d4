"""Runs the bench: `python -m tests.bench [part ...] [--strict]`."""

import argparse
import asyncio
import sys

from tests.bench import flows, serving, sync, tenants, turns
from tests.bench.measure import table

PARTS = {
    "engine": turns.measure,
    "serving": serving.measure,
    "flows": flows.measure,
    "tenants": tenants.measure,
    "sync": sync.measure,
}


def main() -> int:
    """Measure the parts that are asked for, all by default."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--strict", action="store_true", help="end with 1 if a bar is missed")
    options = parser.parse_args()
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        parser.error(f"there is no part '{unknown[0]}'; there are {', '.join(PARTS)}")
    rows = []
    for part in options.parts or PARTS:
        print(f"bench: {part}", file=sys.stderr)
        rows += asyncio.run(PARTS[part]())
    print(table(rows))
    missed = any(row.is_met is False for row in rows)
    return 1 if missed and options.strict else 0


if __name__ == "__main__":
    sys.exit(main())
