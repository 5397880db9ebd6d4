"""Snapshots: the transcripts an author accepted, a text file for each dialog.

They lie in `tenants/<tenant>/dialogs/snapshots/`. A changed one is a changed sentence to a
customer.
"""

from pathlib import Path

from engine.domain.ids import TenantId
from engine.errors import EngineError

FOLDER = "snapshots"


class Snapshots:
    """The snapshots of one tenant.

    Args:
        root: the content folder.
    """

    def __init__(self, root: Path, tenant: TenantId) -> None:
        self._root = root
        self._folder = root / "tenants" / tenant / "dialogs" / FOLDER

    def file(self, name: str) -> str:
        """Name the file of a dialog's snapshot, as problems do."""
        return str(self._path(name).relative_to(self._root))

    def read(self, name: str) -> str | None:
        """Give the transcript of a dialog as it was accepted, if it was.

        Raises:
            EngineError: it cannot be read.
        """
        try:
            # Something that is no text differs from every transcript, and is shown as it is.
            return self._path(name).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise EngineError(f"{self.file(name)} cannot be read: {error.strerror}") from error

    def write(self, name: str, text: str) -> None:
        """Accept a transcript.

        Raises:
            EngineError: it cannot be written.
        """
        try:
            self._folder.mkdir(exist_ok=True)
            self._path(name).write_text(text, encoding="utf-8", errors="replace", newline="\n")
        except OSError as error:
            raise EngineError(f"{self.file(name)} cannot be written: {error.strerror}") from error

    def remove(self, name: str) -> None:
        """Remove a snapshot.

        Raises:
            EngineError: it cannot be removed.
        """
        try:
            self._path(name).unlink()
        except OSError as error:
            raise EngineError(f"{self.file(name)} cannot be removed: {error.strerror}") from error

    def names(self) -> list[str]:
        """Name the dialogs that there are snapshots of, in order."""
        return sorted(file.stem for file in self._folder.glob("*.txt") if file.is_file())

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.txt"
