"""What a check has found before, kept beside the content by a hash of all that it depends on.

Where nothing has changed, the same is told at once; where a tenant's files have, the others' are
not checked again. What is not as it was written, or cannot be
read, was never there. What is checked, and how, is not known here.
"""

import hashlib
import os
import platform
import sys
import tempfile
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
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
KEPT_OF_TENANT: Final = 2
"""The same for each tenant: before and after an edit."""
_OF_ALL: Final = ("conversations", "flows")
_TENANTS: Final = "tenants"


@dataclass(frozen=True, slots=True)
class Found:
    """What a check has found.

    Args:
        tenants: how many were checked.
        seen: of one tenant, what made-up customers came to in it, as it is written.
    """

    problems: Problems
    tenants: int
    seen: Mapping[str, Any] | None = None


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
        try:
            made = _hashed(self._common(), _files(self._root, _TENANTS))
        except (OSError, UnicodeError):
            return None
        return _hashed(made, [repr(asked)]).hexdigest()

    def keys_of(self, tenants: Iterable[str], *asked: object) -> dict[str, str | None]:
        """Name what the checks of single tenants depend on: what is not theirs is read once."""
        try:
            common = _hashed(self._common(), [repr(asked)])
        except (OSError, UnicodeError):
            return dict.fromkeys(tenants)
        return {tenant: self._key_of(tenant, common.copy()) for tenant in tenants}

    def _key_of(self, tenant: str, made: "hashlib.blake2b") -> str | None:
        try:
            files = _files(self._root, f"{_TENANTS}/{tenant}")
            return _hashed(made, ("of a tenant", tenant, *files)).hexdigest()
        except (OSError, UnicodeError):
            return None

    def _common(self) -> "hashlib.blake2b":
        made = hashlib.blake2b(digest_size=16)
        return _hashed(made, (*_machine(), *_files(self._root, *_OF_ALL)))

    def recall_all(self, keys: Mapping[str, str | None]) -> dict[str, Found]:
        """Give what was found of those tenants of which it is remembered."""
        found = ((tenant, self.recall(key, tenant)) for tenant, key in keys.items())
        return {tenant: known for tenant, known in found if known and known.seen is not None}

    def recall(self, key: str | None, tenant: str = "") -> Found | None:
        """Give what was found, if it was found with the same key.

        Args:
            tenant: of whom alone it was asked; nobody if all of a command's were.
        """
        if key is None:
            return None
        try:
            held = orjson.loads(self._path(key, tenant).read_bytes())
            if held["key"] != key or held["sum"] != _sum(held["found"]):
                return None
            told = held["found"]
            problems = {_problem(each) for each in told["problems"]}
            return Found(Problems(problems), int(told["tenants"]), told["seen"])
        except (OSError, ValueError, TypeError, LookupError):
            return None

    def keep(self, key: str | None, found: Found, tenant: str = "") -> None:
        """Keep what was found; where nothing can be written, nothing is kept."""
        if key is None:
            return
        told: dict[str, Any] = {
            "tenants": found.tenants,
            "problems": [_written(problem) for problem in found.problems.sorted()],
            "seen": found.seen,
        }
        data = orjson.dumps({"key": key, "sum": _sum(told), "found": told})
        path = self._path(key, tenant)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Another check may run at the same time: a file is there as a whole or not at all.
            descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".new")
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            Path(name).replace(path)
            _forget_oldest(path.parent, KEPT_OF_TENANT if tenant else KEPT)

    def _path(self, key: str, tenant: str) -> Path:
        return self._folder / tenant / f"{key}.json"


def _hashed(made: "hashlib.blake2b", parts: Iterable[str | bytes]) -> "hashlib.blake2b":
    for part in parts:
        text = part.encode() if isinstance(part, str) else part
        made.update(b"%d:" % len(text))
        made.update(text)
    return made


def _forget_oldest(folder: Path, kept: int) -> None:
    # What another check is writing just now has another name.
    by_age = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    for path in by_age[:-kept]:
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


def _files(root: Path, *folders: str) -> Iterator[str | bytes]:
    """Give every authored file of some folders.

    Raises:
        OSError: one cannot be read, or a folder lies elsewhere.
    """
    for name in folders:
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
