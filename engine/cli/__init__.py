"""The command `comanda`: one module per command, nothing but arguments and printing in it."""

from engine.cli.main import main

__all__ = ["main"]
