"""Asks whether what requirements.lock pins has known vulnerabilities: `make audit`.

`python -m tests.audit --if-reachable` is in `make check`: without an answer it is skipped.
Options after `--` are pip-audit's own, such as `-s osv --osv-url http://advisories.internal/query`.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
LOCKS: Final = ("requirements.lock",)
SECONDS: Final = 180
"""How long the advisories are waited for."""
SKIPPED: Final = "audit: skipped: no advisories reachable"


def ask(program: Sequence[str], options: Sequence[str]) -> list[Any] | None:
    """Give what pip-audit tells of each package; None if it had nobody to ask."""
    files = [word for lock in LOCKS for word in ("-r", str(ROOT / lock))]
    # With hashes and nothing resolved: exactly what is installed is asked for.
    how = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "-f", "json"]
    try:
        done = subprocess.run(
            [*program, *files, *how, "--timeout", "5", *options],
            capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        told = json.loads(done.stdout)["dependencies"]
    except (OSError, subprocess.TimeoutExpired, json.JSONDecodeError, KeyError):
        return None
    return told if isinstance(told, list) else None


def sentences(told: Sequence[Any]) -> list[str]:
    """Give a line for each vulnerability that is known."""
    return [
        f"audit: {each['name']} {each['version']}: {found['id']}: "
        + (f"mended in {', '.join(found['fix_versions'])}" if found.get("fix_versions") else
           "not mended yet")
        for each in told
        for found in each.get("vulns", ())
    ]  # fmt: skip


def main(arguments: Sequence[str], program: Sequence[str] | None = None) -> int:
    """Print what is known; 1 if something is, or if nobody could be asked and that matters."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--if-reachable", action="store_true")
    parser.add_argument("options", nargs="*")
    given = parser.parse_args(arguments)
    beside = Path(sys.executable).with_name("pip-audit")
    told = ask(program or [str(beside)], given.options)
    if told is None:
        print(SKIPPED)
        return 0 if given.if_reachable else 1
    found = sentences(told)
    print("\n".join(found) or f"audit: {len(told)} packages, no known vulnerabilities")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
