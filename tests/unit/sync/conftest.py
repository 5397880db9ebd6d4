"""A sync before Meta's stand-in."""

import pytest

from tests.unit.sync.scene import scene as made


@pytest.fixture
async def scene():
    async with made() as one:
        yield one


@pytest.fixture
async def single():
    """A tenant with one catalogue for everything."""
    async with made(mode="single") as one:
        yield one
