"""Content folders for the tests: the small shop, with files of a test laid over it."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from engine.domain.ids import TenantId
from engine.spec.library import Library
from engine.spec.problems import Problem, Problems
from engine.verbs import all_verbs

HERE = Path(__file__).parent
SHOP = HERE / "shop"
SHIPPED = HERE.parents[2]
CORNER, KIOSK = TenantId("corner"), TenantId("kiosk")


def lay(root: Path, *folders: Path, files: Mapping[str, str] | None = None) -> Path:
    """Copy folders into one, the last on top, and write files into it."""
    for folder in folders:
        shutil.copytree(folder, root, dirs_exist_ok=True)
    for name, text in (files or {}).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def library(root: Path) -> Library:
    return Library(root, all_verbs())


def everything_wrong(root: Path) -> list[Problem]:
    """Give all that `comanda check` finds in a content folder."""
    found, problems = library(root), Problems()
    for tenant in found.tenant_ids():
        found.check(tenant, problems)
        found.check_dialogs(tenant, problems)
        if (root / "tenants" / tenant / "catalog.yaml").is_file():
            found.menu(tenant, problems)
    return problems.sorted()


def shown(root: Path, problems: list[Problem]) -> str:
    """Write problems as an author sees them, each with its line and a mark at its column."""
    lines: list[str] = []
    for problem in problems:
        lines.append(str(problem))
        file = root / problem.span.file
        text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
        source = [*text.split("\n"), ""][problem.span.line - 1 :][:1]
        for line in source if len(text) < 100_000 else []:
            lines += [f"  | {line}", "  | " + " " * (problem.span.column - 1) + "^"]
    return "\n".join(lines)
