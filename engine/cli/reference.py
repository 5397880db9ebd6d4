"""`comanda reference`: writes REFERENCE.md and DOCTOR.md, or tells that one is old."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from engine.authoring.reference.page import reference as written
from engine.authoring.reference.settings import page_of, with_settings
from engine.authoring.reference.shown import Shop
from engine.cli.output import log_to_stderr
from engine.doctor.checks import ALL
from engine.doctor.page import PATH as DOCTOR
from engine.doctor.page import page as doctor_page
from engine.errors import EngineError
from engine.settings import read_settings
from engine.verbs import all_verbs


@click.command()
@click.option("--check", "is_check", is_flag=True, help="Write nothing; exit 1 if it is old.")
@click.option("--file", type=click.Path(path_type=Path, dir_okay=False),
              help="Default: conversations/REFERENCE.md of the content.")  # fmt: skip
def reference(*, is_check: bool, file: Path | None) -> None:
    """Write the reference of all that may be written in the YAML.

    \b
    Example: comanda reference
    Every action, guard, event, filter, message, component and problem is in it, with an example.
    What `comanda doctor` asks is written, too, into engine/operations/DOCTOR.md, and the table
    of settings into README.md.
    """
    log_to_stderr(level="critical")
    content = read_settings().content()
    path = file or content / "conversations" / "REFERENCE.md"
    with TemporaryDirectory() as folder:
        verbs = all_verbs()
        made = asyncio.run(written(Shop(Path(folder), content, verbs), verbs))
    _write(path, made, is_check=is_check)
    if file is None:
        _write(DOCTOR, doctor_page(ALL), is_check=is_check)
        if readme := page_of(content):
            page = readme.read_text(encoding="utf-8")
            _write(readme, with_settings(page, named=readme.name), is_check=is_check)


def _write(path: Path, made: str, *, is_check: bool) -> None:
    """Write a page unless it is current, or tell that it is old.

    Raises:
        EngineError: it is not current, or cannot be written.
    """
    held = path.read_text(encoding="utf-8") if path.is_file() else None
    if held == made:
        click.echo(f"reference: {path.name} is current")
        return
    if is_check:
        raise EngineError(f"{path} is not current: run 'comanda reference'")
    try:
        path.write_text(made, encoding="utf-8")
    except OSError as error:
        raise EngineError(f"'{path}' cannot be written: {error.strerror}") from error
    click.echo(f"reference: {path.name} has {made.count(chr(10))} lines")
