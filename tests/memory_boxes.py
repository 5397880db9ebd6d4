"""Inbox, outbox, timers and slots without a database, with a place to break every call.

They do what `engine.storage` does, in a form simple enough to be seen to be right.
"""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from engine.box_ports import Backlog, InboxRow, OutboxEntry, StatusNews, Timer
from engine.charts.timers import HANDED_BACK
from engine.domain.ids import CustomerKey, TenantId
from engine.errors import Answered, Conflict
from engine.ports import TurnRecord
from engine.runtime.handoffs import handed_back
from engine.slots import SlotTable, slot_of

EARLIER: Mapping[str, tuple[str | None, ...]] = {
    "sent": (None,),
    "delivered": (None, "sent"),
    "read": (None, "sent", "delivered"),
    "failed": (None, "sent"),
}
"""The statuses that each status may follow."""

Strike = Callable[[str], Awaitable[None]]


async def no_strike(where: str) -> None:
    """Break nothing."""


@dataclass
class Held:
    """A row and what became of it."""

    row: Any
    state: str
    due: datetime
    error: str | None = None
    wamid: str | None = None
    sent_at: datetime | None = None
    status: str | None = None
    is_switched: bool = False


@dataclass
class Boxes:
    """What all processes share.

    Args:
        strike: is called before and after every call, with its name; what it raises is what the
            caller gets, before the call has done anything or after it has done all.
    """

    inbox_rows: dict[str, Held] = field(default_factory=dict)
    outbox_rows: dict[str, Held] = field(default_factory=dict)
    timer_rows: dict[str, Timer] = field(default_factory=dict)
    table: SlotTable = field(default_factory=SlotTable)
    strike: Strike = no_strike

    def __post_init__(self) -> None:
        self.inbox = MemoryInbox(self)
        self.outbox = MemoryOutbox(self)
        self.timers = MemoryTimers(self)
        self.slots = MemorySlots(self)

    def put_out(self, entry: OutboxEntry) -> None:
        """Store an entry, as a turn does."""
        self.outbox_rows[entry.id] = Held(entry, "queued", entry.created_at)

    def require_new(self, record: TurnRecord) -> None:
        """Make sure that a turn may be written.

        Raises:
            Answered: the message is not new any more.
            Conflict: a message of its was written already.
        """
        if record.has_inbox_row and self.inbox_rows[record.inbox_id].state != "new":
            raise Answered("the message was answered already")
        if any(entry.id in self.outbox_rows for entry in record.outbox):
            raise Conflict("another turn changed the same records")

    def put_turn(self, record: TurnRecord) -> None:
        """Write of a turn what is not its tenant's alone."""
        if record.has_inbox_row:
            held = self.inbox_rows[record.inbox_id]
            held.state = "done" if record.given_up is None else "dead"
            held.error = record.given_up or held.error
        for entry in record.outbox:
            self.put_out(entry)
        talk = record.conversation
        for row in (*record.passed_on, *self._given_back(record)):
            self.inbox_rows.setdefault(row.id, Held(row, "new", row.received_at))
        if record.succeeds is not None:
            for name, timer in self.timer_rows.items():
                if timer.customer == record.succeeds.customer:
                    self.timer_rows[name] = replace(timer, customer=talk.customer)
        for timer in list(self.timer_rows.values()):
            mine = (timer.tenant, timer.customer) == (talk.tenant, talk.customer)
            current = timer.entry is None or timer.entry in talk.entries.values()
            is_stale = record.has_timers and mine and not current
            if is_stale or timer.id in record.timers_dropped:
                del self.timer_rows[timer.id]
        self.timer_rows.update((timer.id, timer) for timer in record.timers)

    def _given_back(self, record: TurnRecord) -> Iterator[InboxRow]:
        """Make the events of hand-offs that end."""
        for handoff in record.given_back:
            entry = next(h.row for h in self.outbox_rows.values() if h.row.handoff == handoff)
            yield InboxRow(
                f"{HANDED_BACK}:{entry.tenant}:{handoff}", entry.tenant, entry.about,
                int(record.at.timestamp()), record.at,
                handed_back("staff", phone_number_id=entry.phone_number_id),
            )  # fmt: skip


def _due(
    rows: Mapping[str, Held],
    state: str,
    slots: Collection[int],
    now: datetime,
    limit: int,
    place: Callable[[Any], Any],
) -> list[Any]:
    waiting = [held for held in rows.values() if held.state == state]
    waiting.sort(key=lambda held: place(held.row))
    shut: set[tuple[str, str]] = set()
    found = []
    for held in waiting:
        lane = held.row.tenant, held.row.customer
        if slot_of(*lane) not in slots:
            continue
        if held.due > now:
            shut.add(lane)
        elif lane not in shut:
            found.append(held.row)
    return found[:limit]


def _backlog(rows: Mapping[str, Held], state: str) -> Backlog:
    dues = [held.due for held in rows.values() if held.state == state]
    return Backlog(len(dues), min(dues, default=None))


class MemoryInbox:
    """`engine.box_ports.Inbox`."""

    def __init__(self, boxes: Boxes) -> None:
        self._boxes = boxes

    async def accept(self, rows: Sequence[InboxRow]) -> tuple[InboxRow, ...]:
        await self._boxes.strike("inbox.accept")
        held = self._boxes.inbox_rows
        fresh = []
        for row in rows:
            if row.id not in held:
                held[row.id] = Held(row, "new", row.received_at)
                fresh.append(row)
        await self._boxes.strike("inbox.accepted")
        return tuple(fresh)

    async def waiting(
        self, slots: Collection[int], *, now: datetime, limit: int = 100
    ) -> tuple[InboxRow, ...]:
        await self._boxes.strike("inbox.waiting")

        def place(row: InboxRow) -> Any:
            return row.timestamp, row.received_at, row.id

        found = _due(self._boxes.inbox_rows, "new", set(slots), now, limit, place)
        await self._boxes.strike("inbox.waited")
        return tuple(found)

    async def postpone(self, row: InboxRow, *, until: datetime, error: str) -> None:
        await self._boxes.strike("inbox.postpone")
        held = self._boxes.inbox_rows[row.id]
        if held.state == "new":
            held.due, held.error = until, error
            held.row = replace(held.row, attempts=held.row.attempts + 1)
        await self._boxes.strike("inbox.postponed")

    async def bury(self, row: InboxRow, *, error: str) -> None:
        await self._boxes.strike("inbox.bury")
        held = self._boxes.inbox_rows[row.id]
        if held.state == "new":
            held.state, held.error = "dead", error
        await self._boxes.strike("inbox.buried")

    async def backlog(self) -> Backlog:
        return _backlog(self._boxes.inbox_rows, "new")


class MemoryOutbox:
    """`engine.box_ports.Outbox`."""

    def __init__(self, boxes: Boxes) -> None:
        self._boxes = boxes

    def _waiting(self, entry: OutboxEntry) -> Held | None:
        held = self._boxes.outbox_rows[entry.id]
        return held if held.state == "queued" else None

    async def waiting(
        self, slots: Collection[int], *, now: datetime, limit: int = 100
    ) -> tuple[OutboxEntry, ...]:
        await self._boxes.strike("outbox.waiting")

        def place(entry: OutboxEntry) -> Any:
            return entry.sequence, entry.created_at, entry.id

        found = _due(self._boxes.outbox_rows, "queued", set(slots), now, limit, place)
        await self._boxes.strike("outbox.waited")
        return tuple(found)

    async def sent(self, entry: OutboxEntry, *, wamid: str, at: datetime) -> None:
        await self._boxes.strike("outbox.sent")
        held = self._boxes.outbox_rows[entry.id]
        if held.state == "queued" and held.wamid != wamid:
            held.state, held.wamid, held.sent_at = "sent", wamid, at
        else:
            held.wamid = held.wamid or wamid
        await self._boxes.strike("outbox.sent_noted")

    async def postpone(
        self,
        entry: OutboxEntry,
        *,
        until: datetime,
        error: str,
        counts: bool = True,
        is_unknown: bool = False,
    ) -> None:
        await self._boxes.strike("outbox.postpone")
        if held := self._waiting(entry):
            held.due, held.error = until, error
            held.row = replace(
                held.row, attempts=held.row.attempts + counts,
                is_unknown=held.row.is_unknown or is_unknown,
            )  # fmt: skip
        await self._boxes.strike("outbox.postponed")

    async def postpone_all(self, tenant: TenantId, *, until: datetime, error: str) -> None:
        await self._boxes.strike("outbox.postpone_all")
        for held in self._boxes.outbox_rows.values():
            if held.state == "queued" and held.row.tenant == tenant:
                held.due, held.error = max(held.due, until), error
        await self._boxes.strike("outbox.all_postponed")

    async def bury(self, entry: OutboxEntry, *, error: str) -> None:
        await self._become(entry, "dead", error)

    async def discard(self, entry: OutboxEntry, *, reason: str) -> None:
        await self._become(entry, "discarded", reason)

    async def hold(self, entry: OutboxEntry, *, reason: str, waits_for: str | None = None) -> None:
        await self._become(entry, "held", reason)

    async def _become(self, entry: OutboxEntry, state: str, error: str) -> None:
        await self._boxes.strike(f"outbox.{state}")
        if held := self._waiting(entry):
            held.state, held.error = state, error
        await self._boxes.strike(f"outbox.{state}_noted")

    async def switch(
        self, entry: OutboxEntry, *, payload: Mapping[str, Any], at: datetime
    ) -> bool:
        await self._boxes.strike("outbox.switch")
        held = self._boxes.outbox_rows[entry.id]
        if held.is_switched or held.state not in ("queued", "failed"):
            return False
        held.is_switched, held.state, held.due = True, "queued", at
        # What Meta called it, stays: so a late status of that sending is told from the next one's.
        held.status = held.sent_at = held.error = None
        held.row = replace(held.row, payload=payload, template=None, attempts=0, is_unknown=False)
        await self._boxes.strike("outbox.switched")
        return True

    def _find(self, tenant: TenantId, wamid: str, opaque: str | None) -> Held | None:
        held = self._boxes.outbox_rows.get(opaque or "")
        if held is None:
            rows = self._boxes.outbox_rows.values()
            held = next((one for one in rows if one.wamid == wamid), None)
        return held if held and held.row.tenant == tenant else None

    async def entry(
        self, tenant: TenantId, *, wamid: str, opaque: str | None
    ) -> OutboxEntry | None:
        await self._boxes.strike("outbox.entry")
        held = self._find(tenant, wamid, opaque)
        return held.row if held else None

    async def note_statuses(self, tenant: TenantId, news: Sequence[StatusNews]) -> int:
        await self._boxes.strike("outbox.note_statuses")
        changed = sum(self._note(tenant, each) for each in news)
        await self._boxes.strike("outbox.statuses_noted")
        return changed

    def _note(self, tenant: TenantId, news: StatusNews) -> bool:
        held = self._find(tenant, news.wamid, news.opaque)
        if held is None or news.status not in EARLIER:
            return False
        is_known = held.state == "sent" and held.wamid == news.wamid
        if held.state == "queued" and held.wamid != news.wamid:
            held.state, held.wamid, held.sent_at = "sent", news.wamid, news.at
        elif not is_known or held.status not in EARLIER[news.status]:
            return False
        held.status = news.status
        if news.status == "failed":
            held.state, held.error = "failed", news.error
        return True

    async def status_of(self, entry: OutboxEntry) -> str | None:
        await self._boxes.strike("outbox.status_of")
        return self._boxes.outbox_rows[entry.id].status

    async def sent_since(
        self, tenant: TenantId, customer: CustomerKey, since: datetime
    ) -> tuple[datetime, ...]:
        await self._boxes.strike("outbox.sent_since")
        times = (
            held.sent_at
            for held in self._boxes.outbox_rows.values()
            if (held.row.tenant, held.row.customer) == (tenant, customer) and held.row.said
        )
        return tuple(sorted(at for at in times if at and at >= since))

    async def backlog(self) -> Backlog:
        return _backlog(self._boxes.outbox_rows, "queued")


class MemoryTimers:
    """`engine.box_ports.Timers`."""

    def __init__(self, boxes: Boxes) -> None:
        self._boxes = boxes

    async def due(
        self, slots: Collection[int], *, now: datetime, limit: int = 100
    ) -> tuple[Timer, ...]:
        await self._boxes.strike("timers.due")
        due = [
            timer
            for timer in self._boxes.timer_rows.values()
            if timer.due <= now and slot_of(timer.tenant, timer.customer) in slots
        ]
        await self._boxes.strike("timers.found")
        return tuple(sorted(due, key=lambda timer: timer.due)[:limit])

    async def drop(self, timers: Sequence[Timer]) -> None:
        await self._boxes.strike("timers.drop")
        for timer in timers:
            held = self._boxes.timer_rows.get(timer.id)
            if held and held.due == timer.due:
                del self._boxes.timer_rows[timer.id]
        await self._boxes.strike("timers.dropped")


class MemorySlots:
    """`engine.box_ports.SlotTables`."""

    def __init__(self, boxes: Boxes) -> None:
        self._boxes = boxes

    async def read(self) -> SlotTable:
        await self._boxes.strike("slots.read")
        table = self._boxes.table
        await self._boxes.strike("slots.told")
        return table

    async def swap(self, table: SlotTable) -> bool:
        await self._boxes.strike("slots.swap")
        if table.version != self._boxes.table.version + 1:
            return False
        self._boxes.table = table
        await self._boxes.strike("slots.swapped")
        return True
