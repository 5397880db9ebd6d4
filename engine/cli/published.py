"""What the commands about published versions work with."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from engine.authoring.check import check_tenant
from engine.authoring.diff.contents import diff
from engine.authoring.diff.text import summary, text_diff
from engine.authoring.fates import Fate
from engine.authoring.publish import Publishing
from engine.cli.audited import note
from engine.cli.databases import database
from engine.clock import SystemClock
from engine.domain.ids import TenantId
from engine.settings import read_settings
from engine.spec.bundle import Bundle
from engine.spec.library import Library
from engine.spec.problems import Problems
from engine.storage.connection import Database
from engine.storage.versions import MongoVersions
from engine.verbs import all_verbs


@dataclass(frozen=True, slots=True)
class Tools:
    """What a command works with."""

    versions: MongoVersions
    publishing: Publishing
    note: Callable[[str, TenantId], Awaitable[None]]


@asynccontextmanager
async def tools(data: Path) -> AsyncIterator[Tools]:
    """Open what a command about versions works with, while the block runs.

    Raises:
        SettingsError: the environment is wrong.
        Unavailable: the database does not answer.
    """
    settings = read_settings()
    library = Library(settings.content(), all_verbs())
    async with (
        database(settings, data) as ready,
        Database(ready.mongodb_uri, name=ready.mongodb_db_name) as connected,
    ):
        versions = MongoVersions(connected)
        publishing = Publishing(
            library=library,
            versions=versions,
            clock=SystemClock(),
            check=_check,
            compare=_compare,
        )

        async def noted(action: str, tenant: TenantId) -> None:
            await note(connected, settings, action, tenant=tenant)

        yield Tools(versions, publishing, noted)


async def _check(library: Library, tenant: TenantId, problems: Problems) -> Bundle | None:
    checked = await check_tenant(library, tenant)
    problems.found |= checked.problems.found
    return checked.bundle


async def _compare(before: Library, after: Library, tenant: TenantId) -> Sequence[str]:
    found, problems = await diff(before, after, [tenant])
    wrong = [str(problem) for side in problems.values() for problem in side]
    return (*wrong, *text_diff(found), summary(found))


def fates_as_json(found: Sequence[Fate]) -> list[dict[str, object]]:
    """Write what becomes of conversations for a program."""
    return [
        {
            "state": fate.state,
            "conversations": fate.count,
            "outcome": fate.outcome,
            "to": fate.to,
            "lost": fate.lost,
        }
        for fate in found
    ]


def show_fates(found: Sequence[Fate]) -> None:
    """Print what becomes of conversations."""
    for fate in found:
        click.echo(f"  {fate}")
    if not found:
        click.echo("  none has begun")
