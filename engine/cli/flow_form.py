"""A Flow's screens at the terminal: each input is asked for, then the button is tapped."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import click

from engine.dialogs import DialogFailed, Stage

HELP = "Enter keeps what is there, 1,3 takes several; /back and /close do what they say."
Ask = Callable[[str], str | None]


async def fill_flow(stage: Stage, ask: Ask) -> None:
    """Open the newest Flow and lead through it until it is finished or left."""
    await stage.open_flow()
    click.echo(HELP)
    while stage.flow and stage.flow.screen:
        try:
            await _screen(stage, stage.flow.screen, ask)
        except DialogFailed as error:
            click.echo(str(error))


async def _screen(stage: Stage, screen: Mapping[str, Any], ask: Ask) -> None:
    values: dict[str, Any] = {}
    for part in screen["components"]:
        if "name" not in part:
            continue
        line = await asyncio.to_thread(ask, _prompt(part))
        if line is None or line == "/close":
            await stage.close_flow()
            return
        if line == "/back":
            await stage.go_back()
            return
        if line:
            values[part["name"]] = _value(part, line)
    button = next((p.get("label", "") for p in screen["components"] if p["type"] == "Footer"), "")
    if await asyncio.to_thread(ask, f"[{button}] ") is None:
        await stage.close_flow()
        return
    await stage.fill(values)


def _prompt(part: Mapping[str, Any]) -> str:
    options = part.get("options", ())
    offered = "  ".join(f"{n} {o['title']}" for n, o in enumerate(options, start=1))
    return f"  {part.get('label', part['name'])}{f' ({offered})' if offered else ''}: "


def _value(part: Mapping[str, Any], line: str) -> Any:
    """Read what was typed: numbers of options, titles, or a text."""
    options = part.get("options")
    if options is None:
        return line
    chosen = []
    for word in line.split(","):
        name = word.strip()
        is_number = name.isdecimal() and 1 <= int(name) <= len(options)
        chosen.append(options[int(name) - 1]["id"] if is_number else name)
    return chosen if isinstance(part.get("value"), list) else chosen[0]
