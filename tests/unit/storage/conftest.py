"""Fixtures of the storage tests."""

import pytest

from engine.clock import ManualClock
from engine.storage.inbox import MongoInbox
from engine.storage.outbox import MongoOutbox
from engine.storage.repositories import MongoTenantStore
from engine.storage.secrets import Vault
from engine.storage.slots import MongoSlotTables
from engine.storage.sync import MongoSync
from engine.storage.timers import MongoTimers
from tests.memory import MemoryCatalog, MemoryStore
from tests.memory_sync import MemorySync
from tests.unit.storage.builders import BAKERY, NOW, PIZZERIA, USD, menu


@pytest.fixture
def store(database):
    """The database as the pizzeria sees it."""
    return MongoTenantStore(database, tenant=PIZZERIA, currency=USD, local_id="local-7")


@pytest.fixture
def bakery(database):
    """The database as another tenant sees it."""
    return MongoTenantStore(database, tenant=BAKERY, currency=USD)


@pytest.fixture
def memory():
    """What other tests take for a store."""
    return MemoryStore(MemoryCatalog(menu()))


@pytest.fixture(params=["store", "memory"])
def either(request):
    """The store or the one in memory: both keep what the ports promise."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def clock():
    return ManualClock(NOW)


@pytest.fixture
def inbox(database, clock):
    return MongoInbox(database, clock=clock)


@pytest.fixture
def outbox(database, clock):
    return MongoOutbox(database, clock=clock)


@pytest.fixture
def timers(database):
    return MongoTimers(database)


@pytest.fixture
def tables(database):
    return MongoSlotTables(database)


@pytest.fixture
def vault():
    return Vault("a secret of the tests")


@pytest.fixture
async def mongo_sync(database):
    """What the sync keeps in the database."""
    held = MongoSync(database)
    yield held
    await held.feed.close()


@pytest.fixture(params=["mongo_sync", "memory_sync"])
def sync(request):
    """What the sync keeps, in the database or in memory: both keep what the ports promise."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def memory_sync():
    return MemorySync()
