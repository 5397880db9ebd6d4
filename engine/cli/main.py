"""The command's root: finds the commands, turns errors into a sentence and an exit code."""

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from engine.cli.garbage import never_collected, not_collected_at_exit
from engine.errors import EngineError

# ruff: noqa: ARG002 - click hands over a context that these methods do not need

# A command's module is imported when it is called: `comanda check` needs no database driver.
COMMANDS: Mapping[str, str] = {
    "chat": "Talk to a tenant as a customer would.",
    "check": "Tell what is wrong in the tenants' files.",
    "demo": "Watch a customer order, against the sandbox.",
    "diff": "Tell what an edit changes for customers.",
    "doctor": "Tell what keeps a tenant from selling, and what mends it.",
    "flows": "Make keys for WhatsApp Flows and deploy them to Meta.",
    "forget": "Erase what is stored of a customer.",
    "graph": "Draw a tenant's conversation or one of its Flows.",
    "handoff": "See whom a person answers, and give him back to the bot.",
    "inbox": "See messages of customers that wait or failed, and settle them.",
    "new": "Make the folder of a new tenant.",
    "order": "See orders and move them, so that their customers are told.",
    "outbox": "See messages to customers that wait or failed, and settle them.",
    "publish": "Let every process serve a tenant what its files say now.",
    "reference": "Write the reference of all that the YAML may say.",
    "replay": "Tell why it said that, and what edited files would have said.",
    "rollback": "Let every process serve an earlier version of a tenant.",
    "schema": "Write the schemas with which an editor completes and checks the YAML.",
    "secrets": "Replace the secret under which tokens and keys are stored.",
    "seed": "Make a tenant's business and catalog in the database what its files say.",
    "serve": "Take webhooks and answer customers.",
    "sync": "Make Meta's catalogues of a tenant what it sells.",
    "templates": "Make message templates at Meta and follow their approval.",
    "test": "Play the dialogs of the tenants and compare what customers see.",
    "versions": "List what was published of a tenant.",
}


class _Commands(click.Group):
    """Exits with 1 and a sentence where the engine says no; never with a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        with never_collected():
            module = import_module(f"engine.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EngineError as error:
            click.echo(str(error), err=True)
            sys.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="comanda")
def main() -> None:
    """Sell over WhatsApp: dialogs, menus and screens are YAML.

    \b
    Example: comanda demo
    Every command exits with 0 if all is well, 1 if something is wrong, 2 if it was called wrongly.
    """
    not_collected_at_exit()
