"""The doctor before an installation that lacks nothing, until a test breaks something of it."""

import httpx
import pytest

from tests.unit.doctor.scene import Scene, whole


@pytest.fixture(scope="package")
async def ground(mongodb_uri):
    async with whole(mongodb_uri) as running:
        yield running


@pytest.fixture
async def scene(ground):
    async with httpx.AsyncClient(timeout=10) as http:
        made = Scene(ground, http, ground.engine.settings)
        yield made
        for undo in reversed(made.undo):
            await undo()
