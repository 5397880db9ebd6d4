"""A house whose door answers, and Meta's stand-in before it."""

import pytest

from tests.unit.deployment.deploying import house


@pytest.fixture(scope="module")
async def built():
    async with house() as made:
        yield made


@pytest.fixture
async def scene(built):
    async with built.scene() as made:
        yield made
