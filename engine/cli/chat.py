"""`comanda chat`: a conversation with a tenant in the terminal, on a playground of its own."""

import asyncio
import shlex
from datetime import datetime
from pathlib import Path

import click
from pydantic import ValidationError

from engine.cli.chat_lines import HELP, NotUnderstood, step_of
from engine.cli.flow_form import fill_flow
from engine.cli.output import log_to_stderr
from engine.cli.recording import Recording
from engine.clock import ManualClock, SeededIds, SystemClock
from engine.dialogs import DialogFailed, Player, Stage, begin, play
from engine.domain.ids import TenantId
from engine.domain.tenant import Tenant
from engine.playground import playground
from engine.sandbox.choices import Choice, choices
from engine.settings import read_settings
from engine.spec.dialog import Opening, Step
from engine.spec.library import Library
from engine.transcript import flow_button
from engine.verbs import all_verbs

TIMES = ("%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S")
ABOUT = "A chat that was recorded; write here what it shows."


@click.command()
@click.argument("tenant")
@click.option("--script", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="Play a dialog file instead of asking.")  # fmt: skip
@click.option("--name", default="Ana", show_default=True, help="The customer's name.")
@click.option("--flows/--no-flows", default=True, show_default=True,
              help="Whether the tenant's Flows are deployed.")  # fmt: skip
@click.option("--at", type=click.DateTime(TIMES), metavar="TIME",
              help="When it begins, on the tenant's clock, such as 2030-06-14T19:30.")  # fmt: skip
@click.option("--record", type=click.Path(path_type=Path), metavar="FILE",
              help="Write what you do as a dialog.")  # fmt: skip
@click.option("--force", is_flag=True, help="Overwrite the file of --record.")
def chat(
    tenant: str,
    *,
    script: Path | None,
    name: str,
    flows: bool,
    at: datetime | None,
    record: Path | None,
    force: bool,
) -> None:
    """Talk to TENANT as a customer would. The clock stands still; /wait moves it.

    \b
    Example: comanda chat la-tavola
    Example: comanda chat la-tavola --script tenants/la-tavola/dialogs/demo.yaml
    Example: comanda chat la-tavola --record tenants/la-tavola/dialogs/two_pizzas.yaml
    A recorded chat is a dialog: comanda test plays it from then on.
    """
    log_to_stderr(level="error")
    if script and (record or at):
        raise click.UsageError("--script plays a dialog as it is: leave --record and --at out")
    library = Library(read_settings().content(), all_verbs())
    own = TenantId(tenant)
    library.require(own)
    if script:
        asyncio.run(_script(own, script))
        return
    opening = _opening(name, at, flows=flows)
    recording = Recording(record, root=library.root, force=force) if record else None
    asyncio.run(_Chat(own, opening, recording).run())
    if recording:
        click.echo(_told(own, recording, library.root))


def _opening(name: str, at: datetime | None, *, flows: bool) -> Opening:
    try:
        return Opening(about=ABOUT, customer=name, at=at, flows=flows)
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise click.BadParameter(said, param_hint="--at") from error


async def _script(tenant: TenantId, script: Path) -> None:
    clock = ManualClock(SystemClock().now())
    async with playground(clock=clock, ids=SeededIds(), tenants=[tenant]) as ground:
        dialog = ground.engine.library.dialog(script)
        await play(dialog, ground, tenant, name=f"{tenant}/{script.stem}", show=click.echo)


def _told(tenant: TenantId, recording: Recording, root: Path) -> str:
    file = recording.file
    if not recording.steps:
        return f"nothing was done: {file} is not written"
    own = (root / "tenants" / tenant / "dialogs").resolve()
    command = f"comanda chat {tenant} --script {shlex.quote(str(file))}"
    if file.resolve().parent == own:
        command = f"comanda test {tenant} --only={shlex.quote(file.stem)} --update"
    return f"recorded: {file}; play it: {command}"


class _Chat:
    """A conversation in the terminal.

    Args:
        opening: how it begins; without a time: now.
    """

    def __init__(
        self,
        tenant: TenantId,
        opening: Opening,
        recording: Recording | None,
    ) -> None:
        self._tenant = tenant
        self._opening = opening
        self._recording = recording

    async def run(self) -> None:
        """Talk until the customer leaves."""
        clock = ManualClock(SystemClock().now())
        # A dialog that is played later has the order numbers that were seen in the chat.
        ids = SeededIds() if self._recording else None
        name = self._recording.file.stem if self._recording else "chat"
        async with playground(clock=clock, ids=ids, tenants=[self._tenant]) as ground:
            shop = ground.bundle(self._tenant).tenant
            at = self._opening.at or _minute(shop, clock)
            opening = self._opening.model_copy(update={"at": at})
            player = await begin(
                opening, ground, self._tenant, name=f"{self._tenant}/{name}", show=click.echo
            )
            if self._recording:
                self._recording.begin(opening)
            click.echo(HELP)
            await self._talk(player)
            if self._recording:
                self._recording.end(await player.held())

    async def _talk(self, player: Player) -> None:
        stage = player.stage
        while True:
            offered, flow = _offered(stage)
            titles = [flow] if flow else [choice.title for choice in offered]
            for place, title in enumerate(titles, start=1):
                click.echo(f"  {place:2} {title}")
            line = await asyncio.to_thread(_ask)
            if line is None or line == "/quit":
                return
            try:
                step = await self._done(line, offered, player, has_flow=flow is not None)
            except (DialogFailed, NotUnderstood) as error:
                click.echo(str(error))
                continue
            if step and self._recording:
                self._recording.add(step)

    async def _done(
        self, line: str, offered: list[Choice], player: Player, *, has_flow: bool
    ) -> Step | None:
        """Do what was typed; give it as a step."""
        if not line:
            return None
        if has_flow and line == "1":
            return Step(flow=tuple(await fill_flow(player.stage, _ask)))
        step = step_of(line, offered, player.stage)
        await player.do(step)
        return step


def _minute(shop: Tenant, clock: ManualClock) -> datetime:
    return shop.local_time(clock.now()).replace(second=0, microsecond=0, tzinfo=None)


def _ask(prompt: str = "> ") -> str | None:
    try:
        line = input(prompt).strip()
    except (EOFError, KeyboardInterrupt):
        return None
    return line.encode(errors="replace").decode()  # a terminal may give half a character


def _offered(stage: Stage) -> tuple[list[Choice], str | None]:
    """Give what can be tapped in the newest message: rows and buttons, or a Flow's button."""
    if not stage.received:
        return [], None
    newest = stage.received[-1]
    return list(choices(newest)), flow_button(newest.payload)
