"""The inbox and the outbox of one tenant as operators see them, and what they may change in them.

Whoever works on a row asks for its state when he changes it: nobody has to be stopped for this.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from beanie import Document

from engine.domain.ids import CustomerKey, TenantId
from engine.row_ports import RowDetails, RowSummary
from engine.storage.connection import Database, Json, reachable
from engine.storage.outbox import waits_again
from engine.storage.records import DONE, RETENTION, InboxDocument, OutboxDocument
from engine.storage.tenancy import TenantCollection
from engine.storage.transactions import commit, transaction

AGAIN: Final = ":again"
"""What the id of a message gets that is tried again after a turn had put it aside."""
UNKNOWN: Final = {"state": "queued", "isUnknown": True}

Found: TypeAlias = list[Json]


def _kind_of_message(row: Json) -> str:
    raw = row.get("raw") or {}
    return "event" if "event" in raw else (raw.get("message") or {}).get("type", "")


def _kind_of_entry(row: Json) -> str:
    payload = row.get("payload") or {}
    return str(payload.get("type") or payload.get("status") or "")


@dataclass(frozen=True, slots=True)
class _Shelf:
    """How the rows of a collection are read.

    Args:
        states: on disk, by what operators call them.
        settled: those that need nobody and do not wait.
        waiting: the one on disk that a row waits in.
        discardable: those on disk that a row may be taken out of.
        at: the field of the time at which a row was stored.
        order: the fields of its place among rows of the same time.
        fields: what else is read for a summary.
        kind: reads what kind of message a row has.
        least: how long a row is kept at least.
    """

    document: type[Document]
    states: Mapping[str, Json]
    settled: str
    waiting: str
    discardable: tuple[str, ...]
    at: str
    order: tuple[str, ...]
    fields: tuple[str, ...]
    kind: Callable[[Json], str]
    least: timedelta = timedelta()


INBOX: Final = _Shelf(
    document=InboxDocument,
    states={state: {"state": state} for state in ("new", "done", "dead", "discarded")},
    settled="done",
    waiting="new",
    discardable=("new", "dead"),
    at="receivedAt",
    order=("timestamp", "_id"),
    fields=("raw.event.name", "raw.message.type"),
    kind=_kind_of_message,
    least=DONE,
)
OUTBOX: Final = _Shelf(
    document=OutboxDocument,
    states={
        "queued": {"state": "queued", "isUnknown": {"$ne": True}},
        "unknown": UNKNOWN,
        **{state: {"state": state} for state in ("sent", "failed", "held", "dead", "discarded")},
    },
    settled="sent",
    waiting="queued",
    discardable=("queued", "failed", "held", "dead"),
    at="createdAt",
    order=("sequence", "_id"),
    fields=("isUnknown", "status", "payload.type", "payload.status"),
    kind=_kind_of_entry,
)


class _Rows:
    """What inbox and outbox have in common.

    Args:
        retention: how long a row is kept that was taken out.
    """

    _shelf: _Shelf

    def __init__(
        self, database: Database, tenant: TenantId, *, retention: timedelta = RETENTION
    ) -> None:
        self._database = database
        self._tenant = tenant
        self._retention = retention
        rows = database.collection(self._shelf.document)
        self._rows = TenantCollection(rows, "tenant", tenant)

    async def list(
        self,
        *,
        states: Sequence[str] = (),
        customer: CustomerKey | None = None,
        limit: int = 50,
    ) -> tuple[RowSummary, ...]:
        """Give rows, the newest first.

        Args:
            states: only these; empty for those that need somebody or wait.
        """
        shelf = self._shelf
        wanted = set(states) or set(shelf.states) - {shelf.settled}
        with reachable():
            if customer is None:
                found = [row for state in sorted(wanted) for row in await self._of(state, limit)]
            else:
                found = await self._find({"customer": customer})
        newest = sorted(found, key=self._place, reverse=True)
        summaries = (self._summary(row) for row in newest)
        return tuple(row for row in summaries if row.state in wanted)[:limit]

    async def counts(self) -> Mapping[str, int]:
        """Count the rows by state; not the settled ones, of which there may be millions."""
        open_states = {k: v for k, v in self._shelf.states.items() if k != self._shelf.settled}
        with reachable():
            # One state at a time: each has an index.
            return {
                state: sum((await self._rows.count_by("state", wanted)).values())
                for state, wanted in open_states.items()
            }

    async def show(self, row_id: str) -> RowDetails | None:
        """Give one row; None if the tenant has none of that id."""
        found = await self._get(row_id)
        return None if found is None else RowDetails(self._summary(found), _plain(found))

    async def discard(self, row_id: str, *, now: datetime) -> bool | None:
        """Take a row out for good, before it is worked on.

        Returns:
            False if it is through, None if there is no such row.
        """
        kept = max(self._retention, self._shelf.least)
        out = {"state": "discarded", "expireAt": now + kept}
        return await self._change(row_id, self._shelf.discardable, {"$set": out})

    def _place(self, row: Json) -> tuple[Any, ...]:
        return tuple(row[field] for field in (self._shelf.at, *self._shelf.order))

    async def _get(self, row_id: str) -> Json | None:
        with reachable():
            return await self._rows.find_one({"_id": row_id})

    async def _change(self, row_id: str, states: tuple[str, ...], change: Json) -> bool | None:
        allowed = {"_id": row_id, "state": {"$in": list(states)}}
        with reachable():
            if await self._rows.update([(allowed, change)]):
                return True
            return None if await self._rows.find_one({"_id": row_id}) is None else False

    async def _of(self, state: str, limit: int) -> Found:
        # One state at a time, so that the index gives the newest of each.
        return await self._find(self._shelf.states.get(state, {"state": state}), limit)

    async def _find(self, wanted: Json, limit: int = 0) -> Found:
        shelf = self._shelf
        fields = ("customer", "state", "due", "attempts", "error")
        projection = dict.fromkeys((*fields, shelf.at, *shelf.order, *shelf.fields), 1)
        rows = self._rows.find(wanted, projection=projection, sort=[(shelf.at, -1)], limit=limit)
        return await rows.to_list()

    def _summary(self, row: Json) -> RowSummary:
        is_waiting = row["state"] == self._shelf.waiting
        return RowSummary(
            id=row["_id"],
            tenant=self._tenant,
            customer=CustomerKey(row["customer"]),
            state="unknown" if is_waiting and row.get("isUnknown") else row["state"],
            kind=self._shelf.kind(row),
            at=row[self._shelf.at],
            due=row["due"] if is_waiting else None,
            attempts=row["attempts"],
            error=row.get("error"),
            status=row.get("status"),
        )


class MongoInboxRows(_Rows):
    """The inbox of one tenant: `engine.row_ports.OperatorRows`."""

    _shelf = INBOX

    async def retry(self, row_id: str, *, now: datetime) -> bool | None:
        """Let a row be tried from now on, as if it never had been.

        If a turn put it aside, it comes back under another id: the log of that turn and what it
        said to the customer have this one.

        Returns:
            False if it waits, is through or was taken out; None if there is no such row.
        """
        found = await self._get(row_id)
        if found is None:
            return None
        if found["state"] != "dead":
            return False
        fresh = {"state": "new", "due": now, "attempts": 0}
        if found.get("doneAt") is None:
            change = {"$set": fresh, "$unset": {"error": "", "expireAt": ""}}
            return await self._change(row_id, ("dead",), change)
        gone = ("error", "doneAt", "expireAt")
        kept = {field: value for field, value in found.items() if field not in gone}
        return await self._replace(row_id, {**kept, **fresh, "_id": row_id + AGAIN})

    async def _replace(self, row_id: str, document: Json) -> bool:
        dead = {"_id": row_id, "state": "dead"}
        out = {"state": "discarded", "error": f"it is tried again as {document['_id']}"}
        async with transaction(self._database) as session:
            if not await self._rows.update([(dead, {"$set": out})], session=session):
                return False
            await self._rows.insert([document], session=session)
            await commit(session)
        return True


class MongoOutboxRows(_Rows):
    """The outbox of one tenant: `engine.row_ports.OperatorRows`."""

    _shelf = OUTBOX

    async def retry(self, row_id: str, *, now: datetime) -> bool | None:
        """Let a row be tried from now on, as if it never had been.

        Returns:
            False if it waits, was sent or was taken out; None if there is no such row.
        """
        return await self._change(row_id, ("failed", "held", "dead"), waits_again(now))


def _plain(value: Any) -> Any:
    """Give a document in plain JSON values."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value
