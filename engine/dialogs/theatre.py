"""A theatre: dialogs are played one after the other on one playground, each from the same start.

Its transcripts are the same from run to run: the clock, the ids and the products are set.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.clock import ManualClock, SeededIds
from engine.dialogs.player import Player, begin
from engine.dialogs.scripts import Script
from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.playground import Playground, playground
from engine.spec.dialog import EVENING
from engine.storage.connection import Json
from engine.storage.documents import ProductDocument
from engine.storage.erasure import MongoErasure
from engine.storage.records import OutboxDocument, TurnDocument

BEGINS = datetime(2030, 6, 14, tzinfo=UTC)
Products = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a transcript, and the step (from 1) in which it came; 0 is before all steps."""

    step: int
    text: str


@dataclass(frozen=True, slots=True)
class Played:
    """A dialog that was played.

    Args:
        failure: why it ended, if it did not come to its end; `step` is where.
        troubles: what went wrong without the customer's being told why: turns that failed,
            messages that WhatsApp refused.
        turns: what every turn did, as the turn log tells it.
    """

    script: Script
    lines: tuple[Line, ...]
    step: int
    failure: str | None = None
    troubles: tuple[str, ...] = ()
    turns: tuple[tuple[Mapping[str, Any], ...], ...] = ()

    @property
    def text(self) -> str:
        """Give the transcript as it is kept."""
        return "".join(f"{line.text}\n" for line in self.lines)


@dataclass(slots=True)
class Theatre:
    """A playground whose products are as they were seeded whenever a dialog begins.

    Args:
        seeded: the products of each tenant by their id, before the first dialog.
    """

    playground: Playground
    seeded: dict[TenantId, Products] = field(default_factory=dict)

    async def play(self, script: Script) -> Played:
        """Play a dialog to its end, or to the step that fails."""
        tenant = script.tenant
        found = await self._products(tenant)
        if self.seeded.setdefault(tenant, found) != found:
            await self.playground.seed(tenant)
        # One without a time of its own begins at the same time, whatever was played before it.
        opening = script.dialog.model_copy(update={"at": script.dialog.at or EVENING})
        transcript = _Transcript(script.dialog.about)
        player = await begin(
            opening, self.playground, tenant, name=f"{tenant}/{script.name}", show=transcript.show
        )
        failure = None
        for transcript.step, step in enumerate(script.dialog.steps, start=1):
            try:
                await player.do(step)
            except EngineError as error:
                failure = str(error)
                break
        lines, last = tuple(transcript.lines), transcript.step
        turns, troubles = await self._what_happened(player, tenant)
        return Played(script, lines, last, failure, troubles, turns)

    async def _what_happened(
        self, player: Player, tenant: TenantId
    ) -> tuple[tuple[tuple[Mapping[str, Any], ...], ...], tuple[str, ...]]:
        database = self.playground.engine.database
        number = self.playground.bundle(tenant).tenant.staff.digits
        # Their chat began anew with the dialog, as his did.
        staff = await MongoErasure(database, tenant).find(number) if number else ()
        own = {"tenant": tenant, "customer": {"$in": [player.customer, *staff]}}
        logs = await database.collection(TurnDocument).find(own).sort("version", 1).to_list()
        refused = {**own, "state": {"$in": ["failed", "dead"]}}
        rows = await database.collection(OutboxDocument).find(refused).to_list()
        troubles = [f"a turn failed: {log['error']}" for log in logs if log["outcome"] == "failed"]
        troubles += [f"WhatsApp refused a message: {row.get('error')}" for row in rows]
        return tuple(tuple(log["steps"]) for log in logs), tuple(troubles)

    async def _products(self, tenant: TenantId) -> Products:
        rows = self.playground.engine.database.collection(ProductDocument)
        return {row["rId"]: row async for row in rows.find({"subDomain": tenant})}


class _Transcript:
    """Takes the lines of a transcript as they come."""

    def __init__(self, about: str) -> None:
        self.step = 0
        self.lines: list[Line] = []
        self._add(about)

    def show(self, line: str) -> None:
        # An empty line before whatever happens next, as between paragraphs.
        if line.startswith(("customer", "staff", "(")) and line != "(no answer)":
            self._add("")
        self._add(line)

    def _add(self, text: str) -> None:
        plain = text.replace("\r\n", "\n").replace("\r", "\n")
        self.lines += [Line(self.step, line) for line in plain.split("\n")]


@asynccontextmanager
async def theatre(
    tenants: Collection[TenantId] | None = None,
    *,
    content: Path | None = None,
    mongodb_uri: str = "",
    database_name: str = "dialogs",
) -> AsyncIterator[Theatre]:
    """Open a theatre while the block runs.

    Args:
        tenants: whose dialogs are played; None: all there are.
        mongodb_uri: empty starts an embedded server.

    Raises:
        EngineError: the content is wrong, or the database does not start.
    """
    async with playground(
        content=content,
        mongodb_uri=mongodb_uri,
        database_name=database_name,
        clock=ManualClock(BEGINS),
        ids=SeededIds(),
        tenants=tenants,
    ) as running:
        yield Theatre(running)
