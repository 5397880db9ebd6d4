"""Transactions that are written as a whole or not at all, and what may overtake them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from engine.errors import Conflict, Unavailable
from engine.storage.connection import TAKEN, Database, reachable

COMMIT_ATTEMPTS = 3
"""How often a commit is sent whose outcome is unknown; MongoDB commits it once."""
# 112 write conflict, 251 no such transaction: it was aborted.
OVERTAKEN: Final = frozenset({112, 251, TAKEN})


@asynccontextmanager
async def transaction(database: Database) -> AsyncIterator[AsyncClientSession]:
    """Open a transaction; whoever opens it commits it, else it is aborted.

    Raises:
        Conflict: something it builds on is no longer so; nothing is written.
        Unavailable: the database does not answer; it may be written.
    """
    with reachable(), _conflicts():
        async with database.transaction() as session:
            yield session


async def commit(session: AsyncClientSession) -> None:
    """Commit a transaction; nothing is retried but a commit whose outcome is unknown."""
    for left in reversed(range(COMMIT_ATTEMPTS)):
        try:
            await session.commit_transaction()
        except PyMongoError as exc:
            if not exc.has_error_label("UnknownTransactionCommitResult"):
                raise
            if left == 0 or isinstance(exc, ServerSelectionTimeoutError):
                raise Unavailable("the database did not say whether it is written") from exc
        else:
            return


@contextmanager
def _conflicts() -> Iterator[None]:
    """Turn what MongoDB says of an overtaken transaction into `Conflict`."""
    try:
        yield
    except ConnectionFailure:
        raise
    except OperationFailure as exc:
        codes = {exc.code}
        if isinstance(exc, BulkWriteError):
            codes = {error["code"] for error in (exc.details or {}).get("writeErrors", ())}
        if codes & OVERTAKEN or exc.has_error_label("TransientTransactionError"):
            raise Conflict("another turn changed the same records") from exc
        raise
