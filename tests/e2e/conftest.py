"""A running engine with the sandbox in Meta's place, over real HTTP."""

import itertools
import os
from datetime import UTC, datetime

import pytest

from engine.clock import ManualClock, SeededIds
from engine.playground import playground
from tests.e2e.flow_scene import Door, Guest

_PHONES = itertools.count(15559990000)


@pytest.fixture(scope="package")
async def ground(mongodb_uri):
    clock = ManualClock(datetime(2030, 6, 14, 23, 30, tzinfo=UTC))
    name = f"comanda_e2e_{os.getpid()}"
    async with playground(
        mongodb_uri=mongodb_uri, database_name=name, clock=clock, ids=SeededIds()
    ) as running:
        yield running
        await running.engine.database.client.drop_database(name)


@pytest.fixture
def phone():
    """A customer nobody has met."""
    return str(next(_PHONES))


@pytest.fixture
async def customer(ground, phone):
    return ground.customer("la-tavola", phone, "Ana")


@pytest.fixture
def guest(ground):
    """A customer of the module's ground, for tests of Flows."""
    return Guest(ground)


@pytest.fixture
def door(ground):
    """The Flow door of the module's ground, for clients of our own."""
    return Door(ground)
