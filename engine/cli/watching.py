"""Waits until a file of the content folder is saved, by looking at it now and then."""

import time
from collections.abc import Iterator
from pathlib import Path

EVERY = 0.3
"""Seconds between two looks."""
_NAMED = "*.yaml"


def changes(root: Path, *, every: float = EVERY) -> Iterator[frozenset[Path]]:
    """Give the files that have changed since the call, each time some have, without an end."""
    return _changes(root, _stamps(root), every)


def _changes(
    root: Path, before: dict[Path, tuple[int, int]], every: float
) -> Iterator[frozenset[Path]]:
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
