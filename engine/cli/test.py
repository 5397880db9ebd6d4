"""`comanda test`: plays the tenants' dialogs and holds each against its snapshot."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

import click

from engine.authoring.coverage import Coverage
from engine.cli.dialog_output import as_json, coverage_lines
from engine.cli.output import log_to_stderr
from engine.dialogs.scripts import Broken, Script, files_of, scripts_of
from engine.dialogs.snapshots import Snapshots
from engine.dialogs.theatre import Theatre, theatre
from engine.dialogs.verdict import Verdict, broken, judge, stale
from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.settings import read_settings
from engine.spec.library import Library
from engine.spec.problems import did_you_mean
from engine.verbs import all_verbs

__test__ = False  # pytest: this is a command


@click.command()
@click.argument("tenants", nargs=-1)
@click.option("--update", is_flag=True,
              help="Make what is played the snapshots; remove the stale ones.")  # fmt: skip
@click.option("--coverage", is_flag=True,
              help="Tell which states, branches and messages no dialog reaches.")  # fmt: skip
@click.option("--only", multiple=True, metavar="NAME", help="Play this dialog; may be repeated.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def test(
    tenants: tuple[str, ...], *, update: bool, coverage: bool, only: tuple[str, ...], form: str
) -> None:
    """Play the dialogs of TENANTS, or of all of them, and compare what the customer sees.

    \b
    Example: comanda test la-tavola
    Example: comanda test la-tavola --only address --update
    Example: comanda test la-tavola --coverage
    A dialog is tenants/TENANT/dialogs/NAME.yaml, what its customer sees is in snapshots/NAME.txt
    beside it. Exits with 1 if something differs, fails or has no snapshot.
    """
    log_to_stderr(level="critical")
    library = Library(read_settings().content(), all_verbs())
    chosen = [TenantId(name) for name in dict.fromkeys(tenants)] or library.tenant_ids()
    for tenant in chosen:
        library.require(tenant)
    run = _Run(
        library, chosen, _names(library, chosen, only), update=update, is_text=form == "text"
    )
    asyncio.run(run.play(with_coverage=coverage))
    if form == "json":
        click.echo(as_json(run.verdicts, run.coverage))
    else:
        for tenant, reached in run.coverage.items():
            click.echo("\n".join(coverage_lines(tenant, reached)))
        click.echo(_sum(run.verdicts))
    if not all(verdict.is_fine for verdict in run.verdicts):
        raise SystemExit(1)


def _names(library: Library, tenants: Iterable[TenantId], only: Iterable[str]) -> frozenset[str]:
    """Give the names of the wanted dialogs; a file's name will do, too."""
    known = {name for tenant in tenants for name in files_of(library.root, tenant)}
    wanted = set()
    for name in only:
        short = name.rsplit("/", 1)[-1].removesuffix(".yaml")
        if name not in known and short not in known:
            hint = did_you_mean(short, known)
            raise click.BadParameter(
                f"there is no dialog '{name}'" + (f"; {hint}" if hint else ""), param_hint="--only"
            )
        wanted.add(name if name in known else short)
    return frozenset(wanted)


@dataclass(slots=True)
class _Run:
    """One call of the command.

    Args:
        only: names of the wanted dialogs; none means all.
        is_text: verdicts are printed as they come.
    """

    library: Library
    tenants: list[TenantId]
    only: frozenset[str]
    update: bool
    is_text: bool
    verdicts: list[Verdict] = field(default_factory=list)
    coverage: dict[TenantId, Coverage] = field(default_factory=dict)

    async def play(self, *, with_coverage: bool) -> None:
        """Play what is wanted.

        Raises:
            EngineError: a tenant's files are wrong, or a snapshot cannot be read or written.
        """
        found = [
            script
            for tenant in self.tenants
            for script in scripts_of(self.library, tenant, only=self.only)
        ]
        for script in found:
            if isinstance(script, Broken):
                self._tell(broken(script))
        scripts = [script for script in found if isinstance(script, Script)]
        if scripts:
            await self._play(scripts, with_coverage=with_coverage)
        for tenant in self.tenants if with_coverage else ():
            if tenant not in self.coverage:  # it has no dialogs
                self.coverage[tenant] = Coverage(self.library.load(tenant))
        if not self.only:  # else nobody asked about the others
            self._look_for_stale()

    async def _play(self, scripts: list[Script], *, with_coverage: bool) -> None:
        playing = list(dict.fromkeys(script.tenant for script in scripts))
        try:
            async with theatre(playing, content=self.library.root) as stage:
                for tenant in playing:
                    bundle = stage.playground.bundle(tenant)
                    if with_coverage:
                        self.coverage[tenant] = Coverage(bundle)
                for script in scripts:
                    await self._one(script, stage)
        except EngineError:
            # Files that are wrong keep a playground from opening: then they are told.
            for tenant in playing:
                self.library.load(tenant)
            raise

    async def _one(self, script: Script, stage: Theatre) -> None:
        played = await stage.play(script)
        if script.tenant in self.coverage:
            for steps in played.turns:
                self.coverage[script.tenant].note(steps)
        snapshots = Snapshots(self.library.root, script.tenant)
        self._tell(judge(played, snapshots, update=self.update))

    def _look_for_stale(self) -> None:
        for tenant in self.tenants:
            snapshots = Snapshots(self.library.root, tenant)
            known = files_of(self.library.root, tenant)
            for name in snapshots.names():
                if name not in known:
                    self._tell(stale(tenant, snapshots, name, update=self.update))

    def _tell(self, verdict: Verdict) -> None:
        self.verdicts.append(verdict)
        if self.is_text and verdict.outcome != "passed":
            for line in verdict.lines():
                click.echo(_coloured(line))


def _coloured(line: str) -> str:
    """Colour what was added and removed; click leaves it out where there is no terminal."""
    colours = {"+": "green", "-": "red", "@": "cyan"}
    return click.style(line, fg=colours.get(line[4:5])) if line.startswith("    ") else line


def _sum(verdicts: list[Verdict]) -> str:
    counts: dict[str, int] = {}
    for verdict in verdicts:
        counts[verdict.outcome] = counts.get(verdict.outcome, 0) + 1
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    played = len(verdicts) - counts.get("stale", 0) - counts.get("removed", 0)
    return f"test: {played} dialogs" + (f": {told}" if told else "")
