"""A theatre in which every scripted conversation of the tenants is played, one after the other."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.clock import ManualClock, SeededIds
from engine.dialogs import DialogFailed, play
from engine.domain.ids import TenantId
from engine.playground import Playground, playground
from engine.spec.dialog import Dialog
from engine.storage.connection import Json
from engine.storage.documents import ProductDocument

ROOT = Path(__file__).parents[2]


Products = dict[str, Json]


@dataclass(slots=True)
class Theatre:
    """A playground whose products are as they were seeded whenever a dialog begins.

    Args:
        seeded: the products of each tenant by their id, before the first dialog.
    """

    playground: Playground
    seeded: dict[TenantId, Products] = field(default_factory=dict)

    async def play(self, tenant: TenantId, name: str, dialog: Dialog) -> str:
        """Play a dialog and give its transcript."""
        found = await self._products(tenant)
        if self.seeded.setdefault(tenant, found) != found:
            await self.playground.seed(tenant)
        transcript: list[str] = [dialog.about]

        def show(line: str) -> None:
            # An empty line before whatever happens next, as between paragraphs.
            begins = line.startswith(("customer", "(")) and line != "(no answer)"
            transcript.extend(["", line] if begins else [line])

        try:
            await play(dialog, self.playground, tenant, name=f"{tenant}/{name}", show=show)
        except DialogFailed as error:
            pytest.fail("\n".join([*transcript, "", f"FAILED: {error}"]), pytrace=False)
        return "\n".join([*transcript, ""])

    async def _products(self, tenant: TenantId) -> Products:
        rows = self.playground.engine.database.collection(ProductDocument)
        return {row["rId"]: row async for row in rows.find({"subDomain": tenant})}


@pytest.fixture(scope="package")
async def theatre(mongodb_uri: str) -> AsyncIterator[Theatre]:
    clock, name = ManualClock(datetime(2030, 6, 14, tzinfo=UTC)), f"comanda_dialogs_{os.getpid()}"
    async with playground(
        content=ROOT,
        mongodb_uri=mongodb_uri,
        database_name=name,
        clock=clock,
        ids=SeededIds(),
    ) as running:
        yield Theatre(running)
        if os.environ.get("MONGODB_URI"):  # the embedded server goes with its folder
            await running.engine.database.client.drop_database(name)
