"""Writing many rows in few commands, and what may go wrong with some of them."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from pymongo.errors import BulkWriteError

from engine.errors import EngineError, Unavailable
from engine.storage.connection import TAKEN

CHUNK = 50
"""Ids in one filter: the embedded server compares every one with every row it reads."""

T = TypeVar("T")


def chunks(values: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """Cut values into pieces, in order."""
    return (values[start : start + size] for start in range(0, len(values), size))


def require_only_known(exc: BulkWriteError) -> set[int]:
    """Tell which rows of an insert were stored before, if that is all that went wrong.

    Raises:
        Unavailable: the rows may not be safe.
        EngineError: one was refused for another reason.
    """
    details = exc.details or {}
    errors = details.get("writeErrors", [])
    if details.get("writeConcernErrors"):
        raise Unavailable("the database did not confirm that the rows are safe") from exc
    if any(error["code"] != TAKEN for error in errors):
        raise EngineError("the database did not take all rows") from exc
    return {error["index"] for error in errors}
