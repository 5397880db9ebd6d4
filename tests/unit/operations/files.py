"""The files for operators, as the tests read them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
OPERATIONS = ROOT / "engine/operations"
PAGE = (OPERATIONS / "README.md").read_text()
UNITS = {path.name: path.read_text() for path in sorted((OPERATIONS / "systemd").iterdir())}


def compose() -> dict[str, Any]:
    """Read the compose file, with what `<<` merges."""
    read: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return read


def manifests() -> list[dict[str, Any]]:
    """Read everything that a cluster is given."""
    files = sorted((OPERATIONS / "kubernetes").glob("*.yaml"))
    return [each for path in files for each in yaml.safe_load_all(path.read_text())]


def manifest(kind: str, name: str) -> dict[str, Any]:
    """Give one of them."""
    (found,) = (
        each for each in manifests() if (each["kind"], each["metadata"]["name"]) == (kind, name)
    )
    return found


def names(text: str) -> list[str]:
    """Give the variables that an environment file sets."""
    return re.findall(r"^([A-Z_]+)=", text, re.MULTILINE)


def commands(text: str) -> Iterator[str]:
    """Give what stands in code on a page, a line each: blocks and inline."""
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        yield from (line.strip() for line in block.splitlines())
    plain = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    yield from re.findall(r"`([^`\n]+)`", plain)
