"""`comanda chat`: a conversation with a tenant in the terminal, on a playground of its own."""

import asyncio
from pathlib import Path

import click

from engine.cli.flow_form import fill_flow
from engine.cli.output import log_to_stderr
from engine.clock import ManualClock, SeededIds, SystemClock
from engine.dialogs import Stage, play
from engine.domain.ids import TenantId
from engine.playground import playground
from engine.settings import read_settings
from engine.spec.bundle import Library
from engine.transcript import Choice, choices, flow_button
from engine.verbs import all_verbs

FLOW = "flow"
"""The choice that opens a Flow."""
HELP = (
    "A number taps, anything else is typed; =2 types a 2; /place 40.7 -74.0 shares a place; /quit."
)


@click.command()
@click.argument("tenant")
@click.option("--script", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="Play a dialog file instead of asking.")  # fmt: skip
@click.option("--name", default="Ana", show_default=True, help="The customer's name.")
@click.option("--flows/--no-flows", default=True, show_default=True,
              help="Whether the tenant's Flows are deployed.")  # fmt: skip
def chat(tenant: str, *, script: Path | None, name: str, flows: bool) -> None:
    """Talk to TENANT as a customer would.

    \b
    Example: comanda chat la-tavola
    Example: comanda chat la-tavola --script tenants/la-tavola/dialogs/demo.yaml
    """
    log_to_stderr(level="error")
    Library(read_settings().content(), all_verbs()).require(TenantId(tenant))
    own = TenantId(tenant)
    asyncio.run(_script(own, script) if script else _chat(own, name, flows=flows))


async def _script(tenant: TenantId, script: Path) -> None:
    clock = ManualClock(SystemClock().now())
    async with playground(clock=clock, ids=SeededIds()) as ground:
        dialog = ground.engine.library.dialog(script)
        await play(dialog, ground, tenant, name=script.stem, show=click.echo)


async def _chat(tenant: TenantId, name: str, *, flows: bool) -> None:
    async with playground() as ground:
        await ground.offer_flows(tenant, offered=flows)
        customer = ground.customer(tenant, "15550001234", name)
        stage = Stage(ground, tenant, customer, show=click.echo)
        click.echo(HELP)
        while True:
            offered = _offered(stage)
            for place, choice in enumerate(offered, start=1):
                click.echo(f"  {place:2} {choice.title}")
            line = await asyncio.to_thread(_ask)
            if line is None or line == "/quit":
                return
            await _act(stage, line, offered)


def _ask(prompt: str = "> ") -> str | None:
    try:
        return input(prompt).strip()
    except (EOFError, KeyboardInterrupt):
        return None


def _offered(stage: Stage) -> list[Choice]:
    if not stage.received:
        return []
    payload = stage.received[-1].payload
    button = flow_button(payload)
    return [Choice(FLOW, button)] if button else choices(payload)


async def _act(stage: Stage, line: str, offered: list[Choice]) -> None:
    if line.isdecimal() and 1 <= int(line) <= len(offered):
        chosen = offered[int(line) - 1].id
        await (fill_flow(stage, _ask) if chosen == FLOW else stage.tap(chosen))
        return
    if line.startswith("/place "):
        words = line.split()[1:]
        try:
            latitude, longitude = (float(word) for word in words[:2])
        except ValueError:
            click.echo("/place takes a latitude and a longitude, such as /place 40.72 -73.99")
            return
        await stage.share(latitude, longitude, " ".join(words[2:]), "")
        return
    if line:
        await stage.say(line.removeprefix("="))
