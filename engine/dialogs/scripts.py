"""The dialogs of a tenant as they lie in `dialogs/*.yaml`, each step with its place."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from engine.domain.ids import TenantId
from engine.spec.dialog import Dialog
from engine.spec.library import Library
from engine.spec.problems import Problem, Problems, Span
from engine.spec.source import Source


@dataclass(frozen=True, slots=True)
class Script:
    """A dialog that can be played.

    Args:
        name: of its file, without `.yaml`.
        file: as problems name it.
        source: the document it was read from.
    """

    tenant: TenantId
    name: str
    file: str
    dialog: Dialog
    source: Source

    def place(self, step: int) -> Span:
        """Tell where a step is written; they count from 1."""
        found = self.source.at(("steps", step - 1))
        return found or Span(self.file)

    def called(self, step: int) -> str:
        """Name a step as a report does: `step 4 (tap: Checkout)`."""
        return f"step {step} ({self.dialog.steps[step - 1]})" if step else "the beginning"


@dataclass(frozen=True, slots=True)
class Broken:
    """A dialog that cannot be played, and why."""

    tenant: TenantId
    name: str
    file: str
    problems: tuple[Problem, ...]


def files_of(root: Path, tenant: TenantId) -> dict[str, Path]:
    """Find a tenant's dialogs by name, in the order of their names; hidden files are none."""
    found = sorted((root / "tenants" / tenant / "dialogs").glob("*.yaml"))
    return {file.stem: file for file in found if not file.name.startswith(".")}


def scripts_of(
    library: Library, tenant: TenantId, *, only: frozenset[str] = frozenset()
) -> Iterator[Script | Broken]:
    """Read a tenant's dialogs.

    Args:
        only: names of the wanted ones; none means all.
    """
    for name, file in files_of(library.root, tenant).items():
        if not only or name in only:
            yield read_script(library, tenant, file)


def read_script(library: Library, tenant: TenantId, file: Path) -> Script | Broken:
    """Read a dialog."""
    inside = file.is_relative_to(library.root)
    shown = str(file.relative_to(library.root) if inside else file)
    if not file.stem.isprintable():
        plain = ascii(shown)[1:-1]
        sentence = "the file's name has a character that cannot be shown: give it another name"
        problem = Problem(Span(plain), "wrong-name", sentence)
        return Broken(tenant, ascii(file.stem)[1:-1], plain, (problem,))
    problems = Problems()
    dialog, source = library.documents.model("dialog", Dialog, PurePosixPath(shown), problems)
    if not isinstance(dialog, Dialog) or source is None:
        return Broken(tenant, file.stem, shown, tuple(problems.sorted()))
    return Script(tenant, file.stem, shown, dialog, source)
