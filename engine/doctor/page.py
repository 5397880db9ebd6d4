"""The list of the checks as Markdown, made from the registry; `comanda reference` writes it."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from engine.doctor.registry import Check

PATH: Final = Path(__file__).parents[1] / "operations" / "DOCTOR.md"
_HEAD: Final = """\
# What the doctor asks

`comanda doctor` asks this of an installation and of each of its tenants, `comanda doctor TENANT`
of the installation and of one. It changes nothing; with `--fix` it mends what is marked so, and
tells what it did. It ends with 1 if a check failed. This page is made by `comanda reference`.

A check that cannot be asked because another one failed is `skipped`, and says which.
"""


def page(checks: Iterable[Check]) -> str:
    """Write the list."""
    return "\n".join(_lines(checks)) + "\n"


def _lines(checks: Iterable[Check]) -> Iterator[str]:
    yield _HEAD.rstrip()
    group = ""
    for check in checks:
        if check.code.partition(".")[0] != group:
            group = check.code.partition(".")[0]
            yield from ("", f"## {group.capitalize()}", "")
            yield from ("| check | asked of | what it asks | what mends it |", "|---|---|---|---|")
        whose = "each tenant" if check.is_of_tenant else "all"
        remedy = check.remedy.replace("{tenant}", "TENANT").replace("|", "\\|")
        mends = " (`--fix` does it)" if check.mend else ""
        yield f"| `{check.code}` | {whose} | {check.question} | {remedy}{mends} |"
