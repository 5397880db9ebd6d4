"""A Flow's screens at the terminal: each input is asked for, then the button is tapped."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import click

from engine.dialogs import DialogFailed, Stage

HELP = "Enter keeps what is there, 1,3 takes several; /back and /close do what they say."
Ask = Callable[[str], str | None]
Screens = list[dict[str, Any] | str]


async def fill_flow(stage: Stage, ask: Ask) -> Screens:
    """Open the newest Flow and lead through it until it is finished or left.

    Returns:
        What was done on every screen, as a dialog's step `flow` has it.
    """
    await stage.open_flow()
    click.echo(HELP)
    done: Screens = []
    while stage.flow and stage.flow.screen:
        await _Form(stage, ask, done).fill()
    return done


class _Form:
    """One screen.

    Args:
        done: gets what was done on it.
    """

    def __init__(self, stage: Stage, ask: Ask, done: Screens) -> None:
        self._stage = stage
        self._ask = ask
        self._done = done
        self._entered: dict[str, Any] = {}
        self._labels: dict[str, str] = {}

    async def fill(self) -> None:
        """Ask for each input and then for the button, until the screen is left."""
        asked: set[str] = set()
        while (screen := self._screen()) is not None:
            # What is entered may show further inputs.
            fresh = (p for p in screen["components"] if p.get("name", "") not in {"", *asked})
            part = next(fresh, None)
            line = await asyncio.to_thread(self._ask, _prompt(part) if part else _button(screen))
            if line is None or line in ("/close", "/back"):
                if await self._left(line or "/close"):
                    return
                continue
            if part is None:
                if await self._tapped():
                    return
                asked.clear()
            elif not line or await self._took(part, line):
                asked.add(part["name"])

    def _screen(self) -> Mapping[str, Any] | None:
        return self._stage.flow.screen if self._stage.flow else None

    async def _took(self, part: Mapping[str, Any], line: str) -> bool:
        value = _value(part, line)
        try:
            await self._stage.enter(part["name"], value)
        except DialogFailed as error:
            click.echo(str(error))
            return False
        self._entered[part["name"]] = value
        self._labels[part["name"]] = part.get("label", part["name"])
        return True

    async def _tapped(self) -> bool:
        labels = list(self._labels.values())
        values = {
            (label if labels.count(label) == 1 else name): self._entered[name]
            for name, label in self._labels.items()
        }
        try:
            await self._stage.fill(values)
        except DialogFailed as error:
            click.echo(str(error))
            return False
        self._done.append(values)
        return True

    async def _left(self, how: str) -> bool:
        leave = {"/back": self._stage.go_back, "/close": self._stage.close_flow}[how]
        try:
            await leave()
        except DialogFailed as error:
            click.echo(str(error))
            return False
        self._done.append(how.removeprefix("/"))
        return True


def _prompt(part: Mapping[str, Any]) -> str:
    options = part.get("options", ())
    offered = "  ".join(f"{n} {o['title']}" for n, o in enumerate(options, start=1))
    return f"  {part.get('label', part['name'])}{f' ({offered})' if offered else ''}: "


def _button(screen: Mapping[str, Any]) -> str:
    parts = screen["components"]
    label = next((p.get("label", "") for p in parts if p["type"] == "Footer"), "")
    return f"[{label}] "


def _value(part: Mapping[str, Any], line: str) -> Any:
    """Read what was typed: numbers of options, titles, or a text.

    Of options the titles are given, as a person reads them, unless two have the same.
    """
    options = part.get("options")
    if options is None:
        return line
    titles = [option["title"] for option in options]
    chosen = []
    for word in line.split(","):
        name = word.strip()
        is_number = name.isdecimal() and 1 <= int(name) <= len(options)
        option = options[int(name) - 1] if is_number else {"title": name, "id": name}
        chosen.append(option["id"] if titles.count(option["title"]) > 1 else option["title"])
    return chosen if isinstance(part.get("value"), list) else chosen[0]
