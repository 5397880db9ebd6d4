"""The outbox on disk: messages to customers, and what became of them.

Turns put them in (`unit_of_work`); nothing is sent here.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import UpdateOne

from engine.box_ports import Backlog, OutboxEntry, Said, StatusNews
from engine.clock import Clock, SystemClock
from engine.domain.ids import CustomerKey, TenantId
from engine.slots import slot_of
from engine.storage.connection import Database, Json, reachable
from engine.storage.records import RETENTION, OutboxDocument
from engine.storage.waiting import LONGEST_ERROR, Place, WaitingRows

EARLIER: dict[str, list[str | None]] = {
    "sent": [None],
    "delivered": [None, "sent"],
    "read": [None, "sent", "delivered"],
    "failed": [None, "sent"],
}
"""The statuses that each status may follow; webhooks come in any order, and twice."""

NEVER_SENT: Json = {"error": "", "status": "", "statusAt": "", "sentAt": "", "expireAt": ""}
"""What an entry loses that is to be sent again.

What Meta called it, stays: that tells late statuses of that sending from those of the next.
"""


class MongoOutbox:
    """The messages of all tenants that wait to be sent: `engine.box_ports.Outbox`.

    Args:
        retention: how long a message is kept that does not wait any more.
    """

    def __init__(
        self, database: Database, *, retention: timedelta = RETENTION, clock: Clock | None = None
    ) -> None:
        self._retention = retention
        self._clock = clock or SystemClock()
        self._rows = database.collection(OutboxDocument)
        self._waiting = WaitingRows(self._rows, "queued", _place, ("sequence", "createdAt"))

    async def waiting(
        self, slots: Collection[int], *, now: datetime, limit: int = 100
    ) -> tuple[OutboxEntry, ...]:
        """Give the oldest entries of the slots that are due, per customer as they were written.

        An entry that was put off holds back the later ones of its customer.
        """
        found = await self._waiting.due(slots, now=now, limit=limit)
        return tuple(entry_from_disk(document) for document in found)

    async def sent(self, entry: OutboxEntry, *, wamid: str, at: datetime) -> None:
        """Note that Meta took an entry; if something else was noted meanwhile, only its wamid."""
        waits = _one(entry.id, entry.tenant, state="queued", providerId={"$ne": wamid})
        with reachable():
            done = await self._rows.update_one(waits, {"$set": self._taken(wamid, at)})
            if not done.matched_count:
                unnamed = _one(entry.id, entry.tenant, providerId=None)
                await self._rows.update_one(unnamed, {"$set": {"providerId": wamid}})

    async def postpone(
        self,
        entry: OutboxEntry,
        *,
        until: datetime,
        error: str,
        counts: bool = True,
        is_unknown: bool = False,
    ) -> None:
        """Try again later; what was unknown once stays so until a status settles it."""
        await self._waiting.postpone(
            entry.id,
            tenant=entry.tenant,
            until=until,
            error=error,
            counts=counts,
            noted={"isUnknown": True} if is_unknown else None,
        )

    async def postpone_all(self, tenant: TenantId, *, until: datetime, error: str) -> None:
        """Try everything of a tenant that waits later; what is due later still, stays so."""
        change = {"$max": {"due": until}, "$set": {"error": error[:LONGEST_ERROR]}}
        with reachable():
            await self._rows.update_many({"state": "queued", "tenant": tenant}, change)

    async def bury(self, entry: OutboxEntry, *, error: str) -> None:
        """Give an entry up; it stays for the operator to see."""
        await self._put_aside(entry, "dead", error)

    async def discard(self, entry: OutboxEntry, *, reason: str) -> None:
        """Take an entry out that is not worth another try; nobody need see to it."""
        await self._put_aside(entry, "discarded", reason)

    async def hold(self, entry: OutboxEntry, *, reason: str, waits_for: str | None = None) -> None:
        """Keep an entry back until an operator decides, or its template is approved.

        Later ones go on.
        """
        expires = self._clock.now() + self._retention
        await self._waiting.put_aside(
            entry.id,
            tenant=entry.tenant,
            state="held",
            error=reason,
            expires=expires,
            noted={"heldFor": waits_for} if waits_for else None,
        )

    async def switch(
        self, entry: OutboxEntry, *, payload: Mapping[str, Any], at: datetime
    ) -> bool:
        """Let an entry that waits or has failed go out with another body, once.

        It waits from then on, without a template and with no attempt made.

        Returns:
            False if its body was switched already, or it neither waits nor has failed.
        """
        states = {"$in": ["queued", "failed"]}
        once = _one(entry.id, entry.tenant, state=states, isSwitched={"$ne": True})
        body = {"payload": payload, "template": None, "isSwitched": True}
        with reachable():
            done = await self._rows.update_one(once, waits_again(at, body))
        return done.matched_count == 1

    async def entry(
        self, tenant: TenantId, *, wamid: str, opaque: str | None
    ) -> OutboxEntry | None:
        """Find an entry by the id it went out with, else by what Meta calls it."""
        known = {"_id": opaque} if opaque else {"providerId": wamid}
        with reachable():
            found = await self._rows.find_one({**known, "tenant": tenant})
        return None if found is None else entry_from_disk(found)

    async def note_statuses(self, tenant: TenantId, news: Sequence[StatusNews]) -> int:
        """Note what became of messages; a status never moves backwards.

        A status that is not known (`played`, `deleted`) is passed over, and so is one of an
        earlier sending of a message that is sent again.

        Returns:
            How many entries have changed.
        """
        told = [each for each in news if each.status in EARLIER]
        if not told:
            return 0
        with reachable():
            # Most statuses tell nothing new, and reading is a tenth of the work of writing.
            found = await self._read(tenant, told)
            changes = [change for each in told for change in self._changes(tenant, each, found)]
            if not changes:
                return 0
            return (await self._rows.bulk_write(changes)).matched_count

    async def _read(
        self, tenant: TenantId, news: Sequence[StatusNews]
    ) -> dict[str, tuple[str, Json]]:
        """Give the entries that are told of, by their ids and by what Meta calls them."""
        ids = sorted({each.opaque for each in news if each.opaque})
        fields = dict.fromkeys(("tenant", "state", "status", "providerId"), 1)
        rows = await self._rows.find({"_id": {"$in": ids}}, fields).to_list() if ids else []
        # One by one: with another field beside those of its partial index the embedded server
        # does not use it.
        for wamid in sorted({each.wamid for each in news if not each.opaque}):
            called = {"providerId": wamid, "tenant": tenant}
            rows += await self._rows.find(called, fields).limit(1).to_list()
        mine = [row for row in rows if row["tenant"] == tenant]
        by_name = {row["providerId"]: (row["_id"], row) for row in mine if row.get("providerId")}
        return by_name | {row["_id"]: (row["_id"], row) for row in mine}

    def _changes(
        self, tenant: TenantId, news: StatusNews, found: Mapping[str, tuple[str, Json]]
    ) -> list[UpdateOne]:
        key, row = found.get(news.opaque or news.wamid, (None, {}))
        if key is None:
            return []
        told: Json = {"status": news.status, "statusAt": news.at}
        if news.status == "failed":
            told |= {"state": "failed", "error": (news.error or "")[:LONGEST_ERROR]}
        earlier = {"$in": EARLIER[news.status]}
        known = _one(key, tenant, state="sent", providerId=news.wamid, status=earlier)
        change = UpdateOne(known, {"$set": told})
        if row["state"] == "queued":
            # In this order: it may be noted as sent between the two.
            waits = _one(key, tenant, state="queued", providerId={"$ne": news.wamid})
            return [UpdateOne(waits, {"$set": self._taken(news.wamid, news.at) | told}), change]
        if row["state"] != "sent" or row.get("status") not in EARLIER[news.status]:
            return []
        return [change]

    async def status_of(self, entry: OutboxEntry) -> str | None:
        """Give the latest status of an entry."""
        with reachable():
            found = await self._rows.find_one(_one(entry.id, entry.tenant), {"status": 1})
        return found.get("status") if found else None

    async def sent_since(
        self, tenant: TenantId, customer: CustomerKey, since: datetime
    ) -> tuple[datetime, ...]:
        """Give when messages (no receipts) went out to a customer, the oldest first."""
        lately = {"customer": customer, "sentAt": {"$gte": since}, "tenant": tenant}
        with reachable():
            found = self._rows.find(lately, {"sentAt": 1, "payload.status": 1}).sort("sentAt", 1)
            rows = await found.to_list()
        return tuple(row["sentAt"] for row in rows if not row.get("payload"))

    async def backlog(self) -> Backlog:
        """Tell how much waits, and since when."""
        return await self._waiting.backlog(now=self._clock.now())

    async def _put_aside(self, entry: OutboxEntry, state: str, error: str) -> None:
        expires = self._clock.now() + self._retention
        await self._waiting.put_aside(
            entry.id, tenant=entry.tenant, state=state, error=error, expires=expires
        )

    def _taken(self, wamid: str, at: datetime) -> Json:
        return {
            "state": "sent",
            "providerId": wamid,
            "sentAt": at,
            "expireAt": at + self._retention,
        }


def waits_again(due: datetime, noted: Json | None = None) -> Json:
    """Describe the change that lets an entry wait as if it had never been tried.

    Args:
        noted: other fields to set.
    """
    waits = {"state": "queued", "due": due, "attempts": 0, "isUnknown": False}
    return {"$set": {**(noted or {}), **waits}, "$unset": NEVER_SENT}


def entry_to_disk(entry: OutboxEntry) -> Json:
    """Write a new entry."""
    return {
        **({} if entry.trace is None else {"trace": entry.trace}),
        **({} if entry.about is None else {"about": entry.about, "handoff": entry.handoff}),
        "_id": entry.id,
        "tenant": entry.tenant,
        "customer": entry.customer,
        "slot": slot_of(entry.tenant, entry.customer),
        "phoneNumberId": entry.phone_number_id,
        "sequence": entry.sequence,
        "payload": entry.payload,
        "createdAt": entry.created_at,
        "said": None if entry.said is None else _said_to_disk(entry.said),
        "attempts": entry.attempts,
        "windowEnds": entry.window_ends,
        "template": entry.template,
        "isUnknown": entry.is_unknown,
        "reads": entry.reads,
        "state": "queued",
        "due": entry.created_at,
    }


def entry_from_disk(document: Json) -> OutboxEntry:
    """Read an entry back."""
    return OutboxEntry(
        id=document["_id"],
        tenant=TenantId(document["tenant"]),
        customer=CustomerKey(document["customer"]),
        phone_number_id=document["phoneNumberId"],
        sequence=document["sequence"],
        payload=document["payload"],
        created_at=document["createdAt"],
        said=said_from_disk(document.get("said")),
        attempts=document["attempts"],
        window_ends=document.get("windowEnds"),
        template=document.get("template"),
        is_unknown=document.get("isUnknown", False),
        reads=document.get("reads"),
        trace=document.get("trace"),
        about=document.get("about"),
        handoff=document.get("handoff"),
    )


def said_from_disk(part: Any) -> Said | None:
    """Read back which state said a message."""
    if part is None:
        return None
    return Said(
        chart=part["chart"], version=part["version"], state=part["state"], entry=part["entry"]
    )


def _said_to_disk(said: Said) -> Json:
    return {
        "chart": said.chart,
        "version": said.version,
        "state": said.state,
        "entry": said.entry,
    }


def _place(document: Json) -> Place:
    return document["sequence"], document["createdAt"], document["_id"]


def _one(key: str, tenant: TenantId, **wanted: Any) -> Json:
    # The id comes first: the embedded server takes the first field that has an index.
    return {"_id": key, **wanted, "tenant": tenant}
