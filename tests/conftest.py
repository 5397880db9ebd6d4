"""Fixtures that the whole suite shares: one database server per test process.

With MONGODB_URI set the tests run against that replica set, in a database of their own that is
dropped at the end; else an embedded server is started in a temporary folder.
"""

import asyncio
import gc
import logging
import os
import signal

import pytest
import structlog
from pymongo.errors import AutoReconnect

from engine.logs import Libraries
from engine.storage.connection import Database
from engine.storage.embedded import EmbeddedServer
from engine.storage.records import DOCUMENTS


def pytest_configure():
    """Let the processes of the tests hear Ctrl-C, also where a shell in the background started us.

    It has its children ignore it, and theirs inherit that: they would not end when they are told.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
async def mongodb_uri(tmp_path_factory):
    """The connection string of the tests' own or of a configured server."""
    configured = os.environ.get("MONGODB_URI")
    if configured:
        yield configured
        return
    folder = tmp_path_factory.mktemp("mongodb")
    async with EmbeddedServer(folder, test_commands=True) as server:
        yield server.uri


@pytest.fixture(scope="session")
async def open_database(mongodb_uri):
    """A database with its indexes, opened once: creating them takes longer than most tests."""
    name = f"comanda_tests_{os.getpid()}"
    # The loop stands still during tests that are not async; with short timeouts the driver then
    # believes that the server does.
    async with Database(mongodb_uri, name=name, away_after=900, answer_within=900) as database:
        yield database
        await database.client.drop_database(database.name)


@pytest.fixture
async def database(open_database):
    """The database, empty."""
    try:
        await emptied(open_database)
    except AutoReconnect:
        # While other tests kept the loop, the server has given up a connection.
        await emptied(open_database)
    return open_database


async def emptied(database):
    collections = [database.collection(document) for document in DOCUMENTS]
    await asyncio.gather(*(collection.delete_many({}) for collection in collections))


@pytest.fixture(autouse=True)
def loggers():
    """A command run in a test's own process says where logs go; later tests read their own."""
    yield
    structlog.reset_defaults()
    root = logging.getLogger()
    root.handlers = [kept for kept in root.handlers if not isinstance(kept, Libraries)]


@pytest.fixture
def forgotten_sockets():
    """For tests whose database goes away, together with the mark that ignores the warning.

    pymongo 4.20 forgets a socket when its client is closed while it looks for a dead server; it is
    collected here, not in a later test.
    """
    yield
    gc.collect()
