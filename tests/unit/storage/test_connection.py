"""The connection: what happens when the database is away, and that it comes back by itself."""

import asyncio
import os
import signal
import time
from urllib.parse import urlsplit

import pytest
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    AutoReconnect,
    ExecutionTimeout,
    InvalidOperation,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WTimeoutError,
)
from pymongo.monitoring import (
    ConnectionClosedEvent,
    ConnectionCreatedEvent,
    ConnectionPoolListener,
)

from engine.errors import EngineError, SettingsError, Unavailable
from engine.storage.connection import DURABLE, Database, reachable
from engine.storage.embedded import EmbeddedServer
from engine.storage.inbox import MongoInbox
from engine.storage.outbox import MongoOutbox
from engine.storage.records import SUPERSEDED, TurnDocument
from engine.storage.repositories import MongoTenantStore
from tests.unit.storage.builders import (
    ANA,
    COKE,
    EVERY_SLOT,
    NOW,
    PIZZERIA,
    USD,
    cart,
    conversation,
    inbox_row,
    turn,
)
from tests.unit.storage.shapes import indexes
from tests.unit.storage.test_records import OURS

pytestmark = [
    pytest.mark.usefixtures("forgotten_sockets"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

AWAY_AFTER = 0.1


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect,
        NetworkTimeout,
        NotPrimaryError,
        ServerSelectionTimeoutError,
        WaitQueueTimeoutError,
    ],
)
def test_a_database_that_does_not_answer_is_unavailable(error):
    with pytest.raises(Unavailable, match=error.__name__), reachable():
        raise error("gone")


@pytest.mark.parametrize("error", [ExecutionTimeout, WTimeoutError])
def test_one_that_takes_too_long_is_too(error):
    with pytest.raises(Unavailable), reachable():
        raise error("slow", 50)


def test_a_refusal_does_not_quote_the_data():
    details = {"codeName": "BadValue", "errmsg": "51999111222 is bad"}
    refusal = OperationFailure("51999111222 is bad", 2, details)
    with pytest.raises(EngineError, match=r"\(BadValue, 2\)") as caught, reachable():
        raise refusal
    assert "51999111222" not in str(caught.value)
    with pytest.raises(EngineError, match="InvalidOperation"), reachable():
        raise InvalidOperation("closed")


async def test_it_lives(database):
    await database.ping()
    assert database.client.write_concern == DURABLE


async def test_one_that_is_not_open_says_so(mongodb_uri):
    with pytest.raises(EngineError, match="not open"):
        await Database(mongodb_uri, name="never").ping()


@pytest.mark.parametrize(
    "uri", ["", "localhost:27017", "mongodb://anna:pa/ss@host", "mongodb://anna:p%ss@host"]
)
async def test_a_malformed_uri_is_refused_without_being_quoted(uri):
    with pytest.raises(SettingsError) as caught:
        await Database(uri, name="never").open()
    assert str(caught.value) == "MONGODB_URI is not a MongoDB connection string"


async def test_a_server_that_was_never_there_is_unavailable(unused_tcp_port):
    database = Database(
        f"mongodb://127.0.0.1:{unused_tcp_port}", name="never", away_after=AWAY_AFTER
    )
    with pytest.raises(Unavailable):
        await database.open()
    with pytest.raises(EngineError, match="not open"):
        _ = database.client


async def answering(monkeypatch, uri, answer):
    """Open a database whose server answers every command the same."""

    async def command(self, *args, **options):
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(AsyncDatabase, "command", command)
    await Database(uri, name="never").open()


async def test_a_server_without_transactions_is_refused(monkeypatch, mongodb_uri):
    with pytest.raises(SettingsError, match="a replica set is needed"):
        await answering(monkeypatch, mongodb_uri, {"ok": 1})


@pytest.mark.parametrize("code", [13, 18])
async def test_a_refused_login_is_a_matter_of_settings(monkeypatch, mongodb_uri, code):
    with pytest.raises(SettingsError, match="refuses the user or password"):
        await answering(monkeypatch, mongodb_uri, OperationFailure("no", code))


async def test_another_refusal_is_not(monkeypatch, mongodb_uri):
    with pytest.raises(EngineError, match="refused an operation") as caught:
        await answering(monkeypatch, mongodb_uri, OperationFailure("no", 2))
    assert not isinstance(caught.value, SettingsError)


@pytest.fixture
async def older(mongodb_uri, open_database):
    """A database that somebody else made."""
    name = f"{open_database.name}_older"
    yield Database(mongodb_uri, name=name), open_database.client[name]
    await open_database.client.drop_database(name)


async def test_an_index_that_contradicts_ours_is_named(older):
    database, made = older
    await made.carts.create_index([("sessionId", 1), ("subDomain", 1)])
    with pytest.raises(SettingsError, match=r"drop it: .*sessionId_1_subDomain_1"):
        await database.open()


async def test_doubles_where_there_must_be_none_are_named(older):
    database, made = older
    await made.businesses.insert_many([{"subDomain": "a"}, {"subDomain": "a"}])
    with pytest.raises(SettingsError, match=r"unique index of \(subDomain\)"):
        await database.open()


async def test_indexes_of_an_earlier_version_are_dropped(older):
    database, made = older
    await made.turns.create_index([("at", 1)], expireAfterSeconds=60)
    for name, state in (("inbox", "new"), ("outbox", "queued")):
        await made[name].create_index(
            [("state", 1), ("due", 1)], partialFilterExpression={"state": state}
        )
    await made.timers.create_index([("due", 1)])
    await made.timers.create_index([("tenant", 1), ("customer", 1), ("entry", 1)])
    await made.turns.create_index([("somebody", 1)])
    async with database:
        for document in SUPERSEDED:
            found = await indexes(database, document)
            assert found.pop("somebody", None) == ({} if document is TurnDocument else None)
            assert found == OURS[document]


async def test_opening_twice_keeps_what_is_there(mongodb_uri, database):
    again = Database(mongodb_uri, name=database.name)
    await MongoInbox(database).accept([inbox_row()])
    async with again:
        assert await MongoInbox(again).accept([inbox_row()]) == ()


async def test_a_transaction_that_nobody_commits_is_aborted(database):
    rows = database.client[database.name]["carts"]
    async with database.transaction() as session:
        await rows.insert_one({"_id": 1}, session=session)
    assert await rows.count_documents({}) == 0


def signalled(server, number):
    """Send a signal to a server's process."""
    os.kill(server.pid, number)


async def forever(operation):
    """Repeat until it fails."""
    while True:
        await operation()


async def eventually(operation, within=5.0):
    """Try until the driver has looked for the server again, which it does twice a second."""
    deadline = time.monotonic() + within
    while True:
        try:
            return await operation()
        except Unavailable:
            if time.monotonic() > deadline:
                raise


async def test_a_database_that_goes_away_is_noticed_fast_and_found_again(tmp_path):
    server = EmbeddedServer(tmp_path)
    port = urlsplit(await server.start()).port or 0
    async with Database(server.uri, name="shop", away_after=AWAY_AFTER) as database:
        inbox, outbox = MongoInbox(database), MongoOutbox(database)
        store = MongoTenantStore(database, tenant=PIZZERIA, currency=USD)
        await inbox.accept([inbox_row()])
        signalled(server, signal.SIGKILL)
        await server.stop()
        for operation in (
            database.ping,
            lambda: inbox.accept([inbox_row("w2")]),
            lambda: outbox.waiting(EVERY_SLOT, now=NOW),
            lambda: store.commit(turn(cart=cart(COKE))),
            lambda: store.conversations.get(ANA),
            lambda: store.catalog.get_categories(),
        ):
            started = time.monotonic()
            with pytest.raises(Unavailable):
                await operation()
            assert time.monotonic() - started < 3
        await server.start(port=port)
        await eventually(database.ping)
        await store.commit(turn(cart=cart(COKE)))
        assert await store.conversations.get(ANA) == conversation()
        assert await inbox.accept([inbox_row("w1"), inbox_row("w2")]) == (inbox_row("w2"),)
    await server.stop()


class Pool(ConnectionPoolListener):
    """Counts the connections of a pool."""

    def __init__(self) -> None:
        self.open = self.most = 0

    def connection_created(self, event: ConnectionCreatedEvent) -> None:
        self.open += 1
        self.most = max(self.most, self.open)

    def connection_closed(self, event: ConnectionClosedEvent) -> None:
        self.open -= 1

    def pool_created(self, event): ...
    def pool_ready(self, event): ...
    def pool_cleared(self, event): ...
    def pool_closed(self, event): ...
    def connection_ready(self, event): ...
    def connection_check_out_started(self, event): ...
    def connection_check_out_failed(self, event): ...
    def connection_checked_out(self, event): ...
    def connection_checked_in(self, event): ...


async def test_what_a_busy_moment_needed_is_closed_again(mongodb_uri):
    pool = Pool()
    database = Database(mongodb_uri, name="shop", idle_after=0.2, listeners=[pool])
    await database.connect()
    async with asyncio.timeout(30):
        while pool.most < 5:  # how many a burst opens depends on how fast the first ones answer
            await asyncio.gather(*(database.ping() for _ in range(20)))
    async with asyncio.timeout(10):
        while pool.open > 1:  # noqa: ASYNC110 - the driver tells it by a call
            await asyncio.sleep(0.1)
    await database.ping()
    await database.close()


async def test_a_server_that_hangs_is_unavailable(tmp_path):
    async with EmbeddedServer(tmp_path) as server:
        database = Database(server.uri, name="shop", answer_within=1.5)
        async with database:
            signalled(server, signal.SIGSTOP)
            try:
                with pytest.raises(Unavailable):
                    # A signal takes its time on a busy machine.
                    await asyncio.wait_for(forever(database.ping), 30)
            finally:
                signalled(server, signal.SIGCONT)
            await eventually(database.ping)
