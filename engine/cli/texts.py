"""Texts that cross a terminal: those that are typed, and those of strangers that are printed."""

from typing import Any

import click


class _Text(click.ParamType[str]):
    """A text that is not empty and that can be stored."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        written = str(value)
        try:
            # What is typed in bytes that are no UTF-8 comes as half characters.
            written.encode()
        except UnicodeEncodeError:
            self.fail(f"{written!r} is no UTF-8", param, ctx)
        if not written:
            self.fail("it is empty", param, ctx)
        return written


TEXT = _Text()


def printable(text: str) -> str:
    """Write what would move a terminal's cursor, or worse, as it is written in Python."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
