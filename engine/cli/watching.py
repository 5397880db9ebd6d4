"""Waits until a file of the content folder is saved, by looking at it now and then."""

import time
from collections.abc import Iterator
from pathlib import Path

EVERY = 0.3
"""Seconds between two looks."""
_NAMED = "*.yaml"


def changes(root: Path, *, every: float = EVERY) -> Iterator[frozenset[Path]]:
    """Give the files that have changed, each time some have, without an end."""
    before = _stamps(root)
    while True:
        time.sleep(every)
        now = _stamps(root)
        changed = frozenset(file for file, _ in before.items() ^ now.items())
        before = now
        if changed:
            yield changed


def _stamps(root: Path) -> dict[Path, tuple[int, int]]:
    made: dict[Path, tuple[int, int]] = {}
    for folder in ("conversations", "flows", "tenants"):
        for file in (root / folder).rglob(_NAMED):
            try:
                found = file.stat()
            except OSError:  # it has gone in between
                continue
            made[file] = found.st_mtime_ns, found.st_size
    return made
