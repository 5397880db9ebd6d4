"""What a check has found before, kept beside the content by a hash of all that it depends on.

Where nothing has changed, the same is told at once. What is not as it was written, or cannot be
read, was never there. What is checked, and how, is not known here.
"""

import hashlib
import os
import platform
import sys
import tempfile
import zoneinfo
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

import engine
from engine.spec.problems import Problem, Problems, Span

FOLDER: Final = Path(".comanda/checks")
"""In the content folder."""
KEPT: Final = 20
"""Findings that are kept, the newest ones: of several tenants, or before and after an edit."""
_CONTENT: Final = ("conversations", "flows", "tenants")


@dataclass(frozen=True, slots=True)
class Found:
    """What a check has found.

    Args:
        tenants: how many were checked.
    """

    problems: Problems
    tenants: int


class CheckMemory:
    """Remembers what checks of one content folder have found.

    Args:
        root: the content folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / FOLDER

    def key(self, *asked: object) -> str | None:
        """Name what a check depends on: the files, the engine, and what it is asked.

        Returns:
            None if that cannot be told: then nothing is remembered.
        """
        made = hashlib.blake2b(digest_size=16)
        try:
            for part in (repr(asked), *_machine(), *_files(self._root)):
                text = part.encode() if isinstance(part, str) else part
                made.update(b"%d:" % len(text))
                made.update(text)
        except (OSError, UnicodeError):
            return None
        return made.hexdigest()

    def recall(self, key: str | None) -> Found | None:
        """Give what was found, if it was found with the same key."""
        if key is None:
            return None
        try:
            held = orjson.loads(self._path(key).read_bytes())
            if held["key"] != key or held["sum"] != _sum(held["found"]):
                return None
            problems = {_problem(each) for each in held["found"]["problems"]}
            return Found(Problems(problems), int(held["found"]["tenants"]))
        except (OSError, ValueError, TypeError, LookupError):
            return None

    def keep(self, key: str | None, found: Found) -> None:
        """Keep what was found; where nothing can be written, nothing is kept."""
        if key is None:
            return
        told: dict[str, Any] = {
            "tenants": found.tenants,
            "problems": [_written(problem) for problem in found.problems.sorted()],
        }
        data = orjson.dumps({"key": key, "sum": _sum(told), "found": told})
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            # Another check may run at the same time: a file is there as a whole or not at all.
            descriptor, name = tempfile.mkstemp(dir=self._folder, suffix=".new")
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            Path(name).replace(self._path(key))
            self._forget_oldest()

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"

    def _forget_oldest(self) -> None:
        # What another check is writing just now has another name.
        by_age = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        for path in by_age[:-KEPT]:
            path.unlink(missing_ok=True)


def _machine() -> Iterator[str | bytes]:
    """Give what the engine is: its own files, and the versions of what it is built on."""
    yield sys.version
    yield platform.platform()
    yield str(os.cpu_count())
    folders = [Path(entry) for entry in sys.path if Path(entry).is_dir()]
    names = {name for entry in folders for name in os.listdir(entry)}  # noqa: PTH208 - no paths
    yield from sorted(name for name in names if name.endswith((".dist-info", ".egg-info")))
    for place in zoneinfo.TZPATH:  # opening hours are told by the system's time zones
        if Path(place).is_dir():
            yield f"{place} {Path(place).stat().st_mtime_ns}"
    package = Path(engine.__file__).parent
    yield from _texts(package, (path for path in package.rglob("*.py")))


def _files(root: Path) -> Iterator[str | bytes]:
    """Give every authored file.

    Raises:
        OSError: one cannot be read, or a folder lies elsewhere.
    """
    for name in _CONTENT:
        folder = root / name
        found = list(folder.rglob("*"))
        if any(path.is_symlink() for path in (folder, *found)):
            raise OSError("what a link leads to is not looked at")
        yield from _texts(root, (path for path in found if path.suffix == ".yaml"))


def _texts(root: Path, paths: Iterable[Path]) -> Iterator[str | bytes]:
    for path in sorted(paths):
        yield path.relative_to(root).as_posix()
        yield path.read_bytes()


def _sum(told: object) -> str:
    return hashlib.blake2b(orjson.dumps(told), digest_size=16).hexdigest()


def _written(problem: Problem) -> list[object]:
    span = problem.span
    place = [span.file, span.line, span.column]
    parts = [problem.code, problem.sentence, problem.hint, problem.severity]
    return [*place, *parts, list(problem.transcript)]


def _problem(told: list[Any]) -> Problem:
    file, line, column, code, sentence, hint, severity, transcript = told
    return Problem(Span(file, line, column), code, sentence, hint, severity, tuple(transcript))
