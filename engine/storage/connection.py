"""The connection to MongoDB: one client, its timeouts and guarantees; no queries of its own."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self

from beanie import Document, init_beanie
from bson.errors import BSONError
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    ExecutionTimeout,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)
from pymongo.monitoring import CommandListener, ConnectionPoolListener
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from engine.errors import EngineError, SettingsError, Unavailable
from engine.storage.records import DOCUMENTS, SUPERSEDED
from engine.storage.upgrade import upgrade

Json = dict[str, Any]
"""A document as it lies on disk."""

# A transaction takes its concern from here, not from the operations in it; without the journal
# an acknowledged one may be lost (database.md 2.1).
DURABLE = WriteConcern("majority", j=True)
SNAPSHOT = ReadConcern("snapshot")

# MongoDB's codes, from its `error_codes.yml`.
TAKEN = 11000
NO_SUCH_INDEX = 27
OTHER_INDEX = frozenset({85, 86})
REFUSED_LOGIN = frozenset({13, 18, 8000})


@contextmanager
def reachable() -> Iterator[None]:
    """Turn the driver's errors into the engine's.

    Raises:
        Unavailable: the database does not answer; it may later.
        EngineError: it refused what it was asked, which is a mistake of ours or of its set-up.
    """
    try:
        yield
    except (ConnectionFailure, ExecutionTimeout, WTimeoutError) as exc:
        raise Unavailable(f"the database does not answer ({type(exc).__name__})") from exc
    except OperationFailure as exc:
        # Without the message: it may quote a customer's data; the cause has it.
        name = (exc.details or {}).get("codeName", type(exc).__name__)
        raise EngineError(f"the database refused an operation ({name}, {exc.code})") from exc
    except (PyMongoError, BSONError) as exc:
        raise EngineError(f"a database operation is not possible ({type(exc).__name__})") from exc


class Database:
    """One database of a MongoDB replica set.

    Args:
        uri: as MongoDB defines it; what is set below wins over the same option in it.
        name: of the database.
        max_pool_size: most connections per process.
        min_pool_size: connections kept open.
        idle_after: seconds until a connection that nobody uses is closed.
        away_after: seconds without a usable server until an operation raises `Unavailable`.
        answer_within: seconds a server may take to answer one command.
        listeners: get every command, or what happens to connections, for tests and metrics.
    """

    def __init__(
        self,
        uri: str,
        *,
        name: str,
        max_pool_size: int = 100,
        min_pool_size: int = 0,
        idle_after: float = 30.0,
        away_after: float = 2.0,
        answer_within: float = 10.0,
        listeners: Sequence[CommandListener | ConnectionPoolListener] = (),
    ) -> None:
        self.name = name
        self._uri = uri
        self._options: Json = {
            "maxPoolSize": max_pool_size,
            "minPoolSize": min_pool_size,
            # Else a process keeps for ever what its busiest second needed.
            "maxIdleTimeMS": int(idle_after * 1000),
            "serverSelectionTimeoutMS": int(away_after * 1000),
            "connectTimeoutMS": int(away_after * 1000),
            "waitQueueTimeoutMS": int(answer_within * 1000),
            "socketTimeoutMS": int(answer_within * 1000),
            "w": "majority",
            "journal": True,
            "tz_aware": True,
            "appname": "comanda",
            "event_listeners": list(listeners),
        }
        self._client: AsyncMongoClient[Json] | None = None

    @property
    def client(self) -> AsyncMongoClient[Json]:
        """Give the driver's client.

        Raises:
            EngineError: the database is not open.
        """
        if self._client is None:
            raise EngineError("the database is not open")
        return self._client

    async def open(self) -> Self:
        """Connect, and bring what lies there into the form of this version: indexes and rows.

        Raises:
            SettingsError: the URI is malformed, the login is refused, it is no replica set, or
                what lies in it contradicts an index of ours.
            Unavailable: no server answers.
        """
        await self.connect()
        try:
            await self._inspect()
            await self.prepare()
        except BaseException:
            await self.close()
            raise
        return self

    async def connect(self) -> None:
        """Connect without asking or changing anything; a server need not be there.

        Raises:
            SettingsError: the URI is malformed.
        """
        malformed = SettingsError("MONGODB_URI is not a MongoDB connection string")
        if not self._uri.startswith(("mongodb://", "mongodb+srv://")):
            raise malformed
        try:
            self._client = AsyncMongoClient(self._uri, **self._options)
        except (InvalidURI, ConfigurationError, ValueError) as exc:
            # Not its message: a malformed URI is quoted in parts, with the password among them.
            raise malformed from exc

    async def close(self) -> None:
        """Disconnect; it may be opened again."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def ping(self) -> None:
        """Ask for a sign of life.

        Raises:
            Unavailable: there is none.
        """
        with reachable():
            await self.client.admin.command("ping")

    def collection(self, document: type[Document]) -> AsyncCollection[Json]:
        """Give the collection of a kind of document, for plain dicts."""
        return self.client[self.name][collection_name(document)]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncClientSession]:
        """Open a transaction; whoever opens it commits it, else it is aborted."""
        async with (
            self.client.start_session() as session,
            await session.start_transaction(read_concern=SNAPSHOT, write_concern=DURABLE),
        ):
            try:
                yield session
            finally:
                if session.in_transaction:
                    await session.abort_transaction()

    async def _inspect(self) -> None:
        try:
            with reachable():
                hello = await self.client.admin.command("hello")
                await self.client[self.name].command("listCollections", nameOnly=True)
        except EngineError as exc:
            if getattr(exc.__cause__, "code", None) in REFUSED_LOGIN:
                raise SettingsError("MongoDB refuses the user or password of MONGODB_URI") from exc
            raise
        # A transaction needs a replica set, or a sharded cluster of them.
        if "setName" not in hello and hello.get("msg") != "isdbgrid":
            raise SettingsError("MONGODB_URI leads to a single server: a replica set is needed")

    async def prepare(self) -> None:
        """Bring what lies there into the form of this version: indexes and rows.

        Raises:
            SettingsError: what lies there contradicts an index of ours.
            Unavailable: no server answers.
        """
        try:
            with reachable():
                # Beanie's documents are bound to the database that was opened last; nothing here
                # relies on it, every query goes through `collection`.
                await init_beanie(self.client[self.name], document_models=list(DOCUMENTS))
                await self._drop_superseded()
                await upgrade(self.collection)
        except EngineError as exc:
            if isinstance(exc.__cause__, OperationFailure):
                _explain_index(exc.__cause__)
            raise

    async def _drop_superseded(self) -> None:
        for document, names in SUPERSEDED.items():
            rows = self.collection(document)
            found = await rows.index_information()
            for name in found.keys() & set(names):
                try:
                    await rows.drop_index(name)
                except OperationFailure as exc:
                    if exc.code != NO_SUCH_INDEX:  # another process was faster
                        raise


def collection_name(document: type[Document]) -> str:
    """Name the collection of a kind of document; Beanie knows it only once it is connected."""
    name: str = document.Settings.name
    return name


def _explain_index(failure: OperationFailure) -> None:
    details = failure.details or {}
    if failure.code in OTHER_INDEX:
        raise SettingsError(
            f"the database has an index that contradicts ours; drop it: {details.get('errmsg')}"
        ) from failure
    if failure.code == TAKEN:
        keys = ", ".join(details.get("keyPattern") or {})
        raise SettingsError(
            f"the database has two documents that are one by our unique index of ({keys}); "
            "remove one of them"
        ) from failure
