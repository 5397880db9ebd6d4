"""The command's root: collects the commands, turns errors into a sentence and an exit code."""

import sys
from collections.abc import Callable
from typing import Any

import click

from engine.cli.chat import chat
from engine.cli.check import check
from engine.cli.demo import demo
from engine.cli.schema import schema
from engine.cli.seed import seed
from engine.cli.serve import serve
from engine.errors import EngineError


class _Command(click.Group):
    """Exits with 1 and a sentence where the engine says no; never with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EngineError as error:
            click.echo(str(error), err=True)
            sys.exit(1)


@click.group(cls=_Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="comanda")
def main() -> None:
    """Sell over WhatsApp: dialogs, menus and screens are YAML.

    \b
    Example: comanda demo
    Every command exits with 0 if all is well, 1 if something is wrong, 2 if it was called wrongly.
    """


_COMMANDS: tuple[click.Command, ...] = (chat, check, demo, schema, seed, serve)
_add: Callable[[click.Command], None] = main.add_command
for _command in _COMMANDS:
    _add(_command)
