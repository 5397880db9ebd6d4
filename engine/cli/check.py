"""`comanda check`: everything that is wrong with the tenants' files, before a customer sees it."""

from contextlib import suppress
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from engine.cli.check_memory import CheckMemory, Found
from engine.cli.check_output import FORMATS, written
from engine.cli.watching import changes
from engine.errors import EngineError
from engine.settings import read_settings
from engine.spec.problems import Problems

_CHECKS = "engine.cli.check_anew"
"""Imported when something is to be checked: it takes most of the engine."""


@click.command()
@click.argument("tenants", nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="`github` annotates a pull request, `sarif` is what code scanners write.",
)
@click.option("--verbose", "is_verbose", is_flag=True, help="Tell of overflow rules that apply.")
@click.option("--anew", "is_anew", is_flag=True, help="Check also what has not changed.")
@click.option("--watch", "is_watching", is_flag=True, help="Check again when a file is saved.")
def check(
    tenants: tuple[str, ...], *, form: str, is_verbose: bool, is_anew: bool, is_watching: bool
) -> None:
    """Tell what is wrong in the files of TENANTS, or of all of them.

    \b
    Example: comanda check la-tavola
    Made-up customers try everything, too: what fails comes with the conversation that shows it.
    Prints file:line:column: code: sentence. Exits with 1 if there is an error.
    Where nothing has changed since the last time, it tells at once what it has found then.
    """
    desk = _Desk(
        read_settings().content(), tenants, is_verbose=is_verbose, is_anew=is_anew,
        is_watching=is_watching,
    )  # fmt: skip
    saved = changes(desk.root)  # what is saved while it checks counts, too
    problems = desk.told(form)
    if not is_watching:
        raise SystemExit(1 if problems.errors else 0)
    click.echo("check: waiting for changes; Ctrl-C ends it", err=True)
    with suppress(KeyboardInterrupt):
        for _ in saved:
            click.echo()
            try:
                desk.told(form)
            except EngineError as error:  # what is missing may be saved next
                click.echo(str(error), err=True)


class _Desk:
    """Where it is looked up what was found, or found out anew, and told."""

    def __init__(
        self, root: Path, tenants: tuple[str, ...], *, is_verbose: bool, is_anew: bool,
        is_watching: bool,
    ) -> None:  # fmt: skip
        self.root = root
        self._tenants = tenants
        self._is_verbose = is_verbose
        self._is_anew = is_anew
        self._is_watching = is_watching
        self._memory = CheckMemory(root)

    def told(self, form: str) -> Problems:
        """Print what is wrong."""
        found = self._found()
        for line in written(form, found.problems, root=self.root, tenants=found.tenants):
            click.echo(line)
        return found.problems

    def _found(self) -> Found:
        key = self._memory.key(self._tenants, self._is_verbose)
        known = None if self._is_anew else self._memory.recall(key)
        if known:
            return known
        found: Found = self._checks.check(self._tenants, is_verbose=self._is_verbose)
        # What was saved meanwhile may have been read, or not.
        if self._memory.key(self._tenants, self._is_verbose) == key:
            self._memory.keep(key, found)
        return found

    @cached_property
    def _checks(self) -> Any:
        return import_module(_CHECKS).Checks(
            self.root, self._memory, is_anew=self._is_anew, is_watching=self._is_watching
        )
