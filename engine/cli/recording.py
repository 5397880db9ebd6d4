"""A chat that is recorded: what was done becomes a dialog file, step by step as it is done."""

import os
from pathlib import Path

import click

from engine.errors import EngineError
from engine.spec.dialog import Dialog, Expectation, Opening, Step
from engine.spec.dialog_text import dialog_text


class Recording:
    """A dialog file that is being written.

    Args:
        root: the content folder; a file in it names its schema.
        force: a file that is there is overwritten, once something has been done.

    Raises:
        click.UsageError: the file cannot be written, or must not be.
    """

    def __init__(self, file: Path, *, root: Path, force: bool) -> None:
        self.file = file
        self.steps: list[Step] = []
        self._opening: Opening | None = None
        self._mode = "w" if force else "x"
        self._schema = _schema_from(file, root)
        _check(file, force=force)

    def begin(self, opening: Opening) -> None:
        """Note how the chat begins."""
        self._opening = opening

    def add(self, step: Step) -> None:
        """Note a step, and write it: a chat may end at any time.

        Raises:
            EngineError: the file cannot be written.
        """
        assert self._opening is not None
        self.steps.append(step)
        dialog = Dialog(**dict(self._opening), steps=tuple(self.steps))
        text = dialog_text(dialog, schema=self._schema)
        try:
            with self.file.open(self._mode, encoding="utf-8", newline="\n") as file:
                file.write(text)
        except FileExistsError as error:
            raise EngineError(f"{self.file} is there by now; --force overwrites it") from error
        except OSError as error:
            raise EngineError(f"{self.file} cannot be written: {error.strerror}") from error
        self._mode = "w"

    def end(self, held: Expectation) -> None:
        """Let the dialog expect that things stand as they do now."""
        if self.steps:
            # That the staff has got nothing goes without saying.
            silent = set() if held.staff else {"staff"}
            said = held.model_dump(exclude_unset=True, exclude=silent)
            self.add(Step(expect=Expectation.model_validate(said)))


def _check(file: Path, *, force: bool) -> None:
    if file.suffix != ".yaml" or not file.stem.isprintable() or file.stem.startswith("."):
        raise click.UsageError(f"{file} is no name of a dialog: it must end in .yaml")
    if file.is_dir() or not file.parent.is_dir():
        raise click.UsageError(f"{file} cannot be written: {file.parent} is no folder for it")
    if file.exists() and not force:
        raise click.UsageError(f"{file} exists already; --force overwrites it")


def _schema_from(file: Path, root: Path) -> str:
    """Tell where the schema is, seen from a file of the content."""
    folder = file.resolve().parent
    if not folder.is_relative_to(root.resolve()):
        return ""
    return Path(os.path.relpath(root.resolve() / "schemas/dialog.schema.json", folder)).as_posix()
