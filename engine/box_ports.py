"""The inbox, the outbox, timers and slots: what waits for its time, and who may work on it.

As `engine.ports`: protocols, and the values that cross them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from engine.domain.ids import CustomerKey, TenantId
from engine.slots import SlotTable


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A message of a customer, stored before it is answered for.

    Args:
        id: `<phone_number_id>:<wamid>`; storing it twice is refused by the database.
        raw: the message as `engine.whatsapp.inbound.restore_message` reads it back.
        timestamp: Meta's, in Unix seconds.
        attempts: turns tried so far.
        trace: a W3C `traceparent`, of the request that brought it; None if nothing is traced.
    """

    id: str
    tenant: TenantId
    customer: CustomerKey
    timestamp: int
    received_at: datetime
    raw: Mapping[str, Any]
    attempts: int = 0
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """Which state of which chart said a message, to make sense of a tap on it later."""

    chart: str
    version: int
    state: str
    entry: int


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """A message to a customer, stored in the transaction that decided on it.

    Args:
        id: `<inbox id>:<n>`, so that a repeated turn cannot say it twice; it goes out as
            `biz_opaque_callback_data`, and comes back in every status.
        sequence: order of the conversation's messages.
        payload: the complete body for the Graph API.
        said: None for a read receipt that goes out alone, and for a message to the staff.
        window_ends: until when WhatsApp takes it as it is: 24 hours after the customer's last
            message (messages/send-messages); None if that does not matter.
        template: the complete body that may be sent after that; None if there is none, empty if
            the one of the entry before stands for this one, too.
        is_unknown: it was sent, and Meta did not answer; it may have taken it.
        reads: the customer's message that is shown as read just before this one is sent.
        trace: a W3C `traceparent`, of the turn that wrote it; None if nothing is traced.
        about: the customer a message to the staff is of; it goes when he is forgotten.
        handoff: id of the hand-off that such a message tells of.
    """

    id: str
    tenant: TenantId
    customer: CustomerKey
    phone_number_id: str
    sequence: int
    payload: Mapping[str, Any]
    created_at: datetime
    said: Said | None = None
    attempts: int = 0
    window_ends: datetime | None = None
    template: Mapping[str, Any] | None = None
    is_unknown: bool = False
    reads: str | None = None
    trace: str | None = None
    about: CustomerKey | None = None
    handoff: str | None = None

    @property
    def cause(self) -> str:
        """Name what it was written for: the inbox row, or the Flow that ended."""
        return self.id.rpartition(":")[0]


@dataclass(frozen=True, slots=True)
class StatusNews:
    """What Meta tells of a message of ours.

    Args:
        wamid: what Meta calls it.
        opaque: the id of its entry, which it went out with; None if Meta does not repeat it.
        status: Meta's word.
        error: why it failed.
    """

    wamid: str
    opaque: str | None
    status: str
    at: datetime
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Timer:
    """An event a conversation gets at a time, unless it has moved on.

    Args:
        id: setting one of the same id again moves it.
        entry: of the state it is of, as in `Conversation.entries`; None if it is of no state.
        phone_number_id: the business number the conversation is with.
    """

    id: str
    tenant: TenantId
    customer: CustomerKey
    event: str
    entry: int | None
    due: datetime
    phone_number_id: str = ""


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much is due and waits.

    Args:
        depth: rows; counted up to a thousand.
        since: when the longest due one became due; None if nothing is due.
    """

    depth: int = 0
    since: datetime | None = None


class Inbox(Protocol):
    """Messages of customers that wait for their turn."""

    async def accept(self, rows: Sequence[InboxRow]) -> tuple[InboxRow, ...]:
        """Store messages durably; give the ones that were not stored before."""
        ...

    async def waiting(
        self, slots: Collection[int], *, now: datetime, limit: int = 100
    ) -> tuple[InboxRow, ...]:
        """Give the oldest messages of the slots that are due, per conversation in Meta's order."""
        ...

    async def postpone(self, row: InboxRow, *, until: datetime, error: str) -> None:
        """Count a failed attempt and try again later."""
        ...

    async def bury(self, row: InboxRow, *, error: str) -> None:
        """Give a message up; it stays for the operator to see."""
        ...

    async def backlog(self) -> Backlog:
        """Tell how much waits, and since when."""
        ...


class Outbox(Protocol):
    """Messages to customers that wait to be sent.

    What is changed here is changed only while an entry waits: one that a status has settled, or an
    operator has taken out, stays as it is.
    """

    async def waiting(
        self, slots: Collection[int], *, now: datetime, limit: int = 100
    ) -> tuple[OutboxEntry, ...]:
        """Give the oldest entries of the slots that are due, per customer as they were written."""
        ...

    async def sent(self, entry: OutboxEntry, *, wamid: str, at: datetime) -> None:
        """Note that Meta took an entry."""
        ...

    async def postpone(
        self,
        entry: OutboxEntry,
        *,
        until: datetime,
        error: str,
        counts: bool = True,
        is_unknown: bool = False,
    ) -> None:
        """Try again later.

        Args:
            counts: it was an attempt.
            is_unknown: Meta may have taken the entry: a status may settle it meanwhile.
        """
        ...

    async def postpone_all(self, tenant: TenantId, *, until: datetime, error: str) -> None:
        """Try everything of a tenant that waits later."""
        ...

    async def bury(self, entry: OutboxEntry, *, error: str) -> None:
        """Give an entry up; it stays for the operator to see."""
        ...

    async def discard(self, entry: OutboxEntry, *, reason: str) -> None:
        """Take an entry out that is not worth another try; nobody need see to it."""
        ...

    async def hold(self, entry: OutboxEntry, *, reason: str, waits_for: str | None = None) -> None:
        """Keep an entry back until an operator decides; later ones go on.

        Args:
            waits_for: the template, `<name>:<language>`, whose approval lets it go by itself.
        """
        ...

    async def switch(
        self, entry: OutboxEntry, *, payload: Mapping[str, Any], at: datetime
    ) -> bool:
        """Let an entry that waits or has failed go out with another body, once.

        It waits from then on, without a template and with no attempt made.

        Returns:
            False if its body was switched already.
        """
        ...

    async def entry(
        self, tenant: TenantId, *, wamid: str, opaque: str | None
    ) -> OutboxEntry | None:
        """Find an entry by the id it went out with, else by what Meta calls it.

        A status may come before we have noted what Meta calls the message.
        """
        ...

    async def note_statuses(self, tenant: TenantId, news: Sequence[StatusNews]) -> int:
        """Note what became of messages; a status never moves backwards.

        One that still waits was taken: it is sent from then on, whatever we know of its sending.
        Old statuses, and those of messages that are not ours, change nothing.

        Returns:
            How many entries have changed.
        """
        ...

    async def status_of(self, entry: OutboxEntry) -> str | None:
        """Give the latest status of an entry."""
        ...

    async def sent_since(
        self, tenant: TenantId, customer: CustomerKey, since: datetime
    ) -> tuple[datetime, ...]:
        """Give when messages (no receipts) went out to a customer, the oldest first."""
        ...

    async def backlog(self) -> Backlog:
        """Tell how much waits, and since when."""
        ...


class Timers(Protocol):
    """Events that wait for their time; turns set them."""

    async def due(
        self, slots: Collection[int], *, now: datetime, limit: int = 100
    ) -> tuple[Timer, ...]:
        """Give the longest due timers of the slots."""
        ...

    async def drop(self, timers: Sequence[Timer]) -> None:
        """Remove timers that have fired, unless one was set again to another time meanwhile."""
        ...


class SlotTables(Protocol):
    """The table of slots, which all processes share."""

    async def read(self) -> SlotTable:
        """Give the table; an empty one if there is none."""
        ...

    async def swap(self, table: SlotTable) -> bool:
        """Store a table whose version was raised by one; False if another process was faster."""
        ...
