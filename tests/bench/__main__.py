"""Runs the bench: `python -m tests.bench [part ...] [--strict]`."""

import argparse
import asyncio
import signal
import sys
from functools import partial

from tests.bench import (
    acknowledgement,
    check,
    flows,
    growth,
    serving,
    soak,
    starting,
    sync,
    tenants,
    turns,
    workers,
)
from tests.bench.measure import table

PARTS = {
    "engine": turns.measure,
    "serving": serving.measure,
    "flows": flows.measure,
    "tenants": tenants.measure,
    "check": check.measure,
    "sync": sync.measure,
    "ack": acknowledgement.measure,
    "workers": workers.measure,
    "growth": growth.measure,
    "starting": starting.measure,
    "soak": soak.measure,
}


def main() -> int:
    """Measure the parts that are asked for, all by default."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--strict", action="store_true", help="end with 1 if a bar is missed")
    parser.add_argument(
        "--rows", type=int, default=growth.ROWS, help="inbox rows stored in growth (%(default)s)"
    )
    parser.add_argument(
        "--minutes", type=float, default=soak.MINUTES, help="how long the soak is (%(default)s)"
    )
    options = parser.parse_args()
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        parser.error(f"there is no part '{unknown[0]}'; there are {', '.join(PARTS)}")
    # As Ctrl-C does: the processes it has started end with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parts = PARTS | {
        "growth": partial(growth.measure, options.rows),
        "soak": partial(soak.measure, options.minutes),
    }
    rows = []
    for part in options.parts or PARTS:
        print(f"bench: {part}", file=sys.stderr)
        rows += asyncio.run(parts[part]())
    print(table(rows))
    missed = any(row.is_met is False for row in rows)
    return 1 if missed and options.strict else 0


if __name__ == "__main__":
    sys.exit(main())
