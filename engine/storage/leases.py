"""A lease on a row: one process at a time has it, until a time; what the row means is its own."""

from datetime import UTC, datetime
from typing import Final, Literal

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from engine.storage.connection import Json

FREE: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Until when nobody has a row: a time and not null, so that one comparison finds it."""


async def take(
    row: tuple[AsyncCollection[Json], str],
    *,
    owner: str,
    now: datetime,
    until: datetime,
    blank: Json,
    change: Json | None = None,
) -> Literal["kept", "taken"] | None:
    """Keep or take the lease on a row, or make the row; None while another process has it.

    Args:
        row: the collection, and the row's id.
        blank: the other fields of a new row.
        change: what else to do with one that is there, as operators other than `$set`.
    """
    rows, key = row
    lease = {"owner": owner, "until": until}
    taking = {**(change or {}), "$set": lease}
    if (await rows.update_one({"_id": key, "owner": owner}, taking)).matched_count:
        return "kept"
    if (await rows.update_one({"_id": key, "until": {"$lte": now}}, taking)).matched_count:
        return "taken"
    try:
        await rows.insert_one({**blank, "_id": key, **lease})
    except DuplicateKeyError:
        return None
    return "taken"
