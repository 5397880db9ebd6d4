"""A theatre in which every scripted conversation of the tenants is played, one after the other."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.dialogs.theatre import Theatre
from engine.dialogs.theatre import theatre as opened

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="package")
async def theatre(mongodb_uri: str) -> AsyncIterator[Theatre]:
    name = f"comanda_dialogs_{os.getpid()}"
    async with opened(content=ROOT, mongodb_uri=mongodb_uri, database_name=name) as running:
        yield running
        if os.environ.get("MONGODB_URI"):  # the embedded server goes with its folder
            await running.playground.engine.database.client.drop_database(name)
