"""Where authored files are read from: a folder, or texts that were stored; nothing is parsed here.

A path is relative to what holds `conversations/`, `flows/` and `tenants/`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Protocol

from engine.domain.ids import TenantId
from engine.errors import EngineError

TENANTS = PurePosixPath("tenants")
SHARED = PurePosixPath("conversations")
LARGEST = 8 * 1024 * 1024
"""Bytes of a file that are read: as many characters as a document may have (source), each of four
bytes."""
FLOWS = PurePosixPath("flows")


class Content(Protocol):
    """Authored files by path."""

    def has(self, path: PurePosixPath) -> bool:
        """Tell whether there is a file."""
        ...

    def text(self, path: PurePosixPath) -> str:
        """Read a file.

        Raises:
            OSError: it cannot be read.
            UnicodeDecodeError: it is no UTF-8.
        """
        ...

    def find(self, folder: PurePosixPath, pattern: str) -> list[PurePosixPath]:
        """Name the files in a folder that match, sorted."""
        ...


class FolderContent:
    """The files of a folder, each read when it is asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def has(self, path: PurePosixPath) -> bool:
        """Tell whether there is a file."""
        return (self.root / path).is_file()

    def text(self, path: PurePosixPath) -> str:
        """Read a file; an absolute path is one outside of the folder.

        Raises:
            OSError: it cannot be read, or it is too large to be.
            UnicodeDecodeError: it is no UTF-8.
        """
        # `has` has told that it is a file: a pipe or a device would be read for ever.
        with (self.root / path).open("rb") as file:
            read = file.read(LARGEST + 1)
        if len(read) > LARGEST:
            raise OSError(f"it has more than {LARGEST} bytes")
        return read.decode().replace("\r\n", "\n").replace("\r", "\n")

    def find(self, folder: PurePosixPath, pattern: str) -> list[PurePosixPath]:
        """Name the files in a folder that match, sorted."""
        found = (self.root / folder).glob(pattern)
        return sorted(PurePosixPath(file.relative_to(self.root)) for file in found)


class StoredContent:
    """Texts by path, as they were stored; they may be put in and taken out again."""

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        self._texts: dict[PurePosixPath, str] = {}
        self._folders: dict[PurePosixPath, set[PurePosixPath]] = {}
        self.put(texts or {})

    def has(self, path: PurePosixPath) -> bool:
        """Tell whether there is a text."""
        return path in self._texts

    def text(self, path: PurePosixPath) -> str:
        """Give a text.

        Raises:
            FileNotFoundError: there is none.
        """
        if path not in self._texts:
            raise FileNotFoundError(str(path))
        return self._texts[path]

    def find(self, folder: PurePosixPath, pattern: str) -> list[PurePosixPath]:
        """Name the texts in a folder that match, sorted."""
        outer, _, name = pattern.rpartition("/")
        depth = len(folder.parts) + len(PurePosixPath(outer).parts)
        folders = [folder] if not outer else self._folders
        return sorted(
            path
            for held in folders
            if len(held.parts) == depth and held.is_relative_to(folder)
            if not outer or held.match(outer)
            for path in self._folders.get(held, ())
            if path.match(name)
        )

    def put(self, texts: Mapping[str, str]) -> None:
        """Put texts in."""
        for name, text in texts.items():
            path = PurePosixPath(name)
            self._texts[path] = text
            self._folders.setdefault(path.parent, set()).add(path)

    def drop(self, paths: Iterable[str]) -> None:
        """Take texts out."""
        for path in map(PurePosixPath, paths):
            self._texts.pop(path, None)
            self._folders.get(path.parent, set()).discard(path)


def text_hash(text: str) -> str:
    """Name a text by its content."""
    return hashlib.sha256(text.encode()).hexdigest()


def owner(path: PurePosixPath) -> TenantId | None:
    """Name the tenant in whose folder a file lies; None for a shared one."""
    inside = path.is_relative_to(TENANTS) and len(path.parts) > 2
    return TenantId(path.parts[1]) if inside else None


def is_served(path: PurePosixPath, chart: str) -> bool:
    """Tell whether a tenant that runs a chart is served from a file: no catalogs, no dialogs."""
    if owner(path):
        folder, name = path.parts[2:-1], path.name
        texts: tuple[str, ...] = ("messages",)
        if not folder:
            return name == "tenant.yaml"
    else:
        folder, name = path.parts[:-1], path.name
        texts = (SHARED.name, "messages")
    if folder == (SHARED.name,):
        return name == f"{chart}.yaml"
    if folder == texts:
        return name == f"{chart}.yaml" or name.startswith(f"{chart}.")
    return folder == (FLOWS.name,)


def verified(files: Mapping[str, str], texts: Mapping[str, str]) -> dict[str, str]:
    """Give the text of each path.

    Args:
        files: by path, the hash of the text.
        texts: by hash.

    Raises:
        EngineError: a text is missing, or is not the one that was stored.
    """
    found: dict[str, str] = {}
    for path, wanted in files.items():
        text = texts.get(wanted)
        if text is None:
            raise EngineError(f"the stored text of '{path}' is missing")
        if text_hash(text) != wanted:
            raise EngineError(f"the stored text of '{path}' is not the one that was published")
        found[path] = text
    return found
