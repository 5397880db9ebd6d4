"""The shape of the engine's own rows on disk: conversations, messages, timers, slots, Flows, ...

Nobody else reads them. What the trade shares with the Node back end is in `documents`, what the
sync keeps in `sync_records`, what there is at Meta in `meta_records`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from beanie import Document, PydanticObjectId
from pydantic import Field

from engine.storage.documents import (
    BusinessDocument,
    CartDocument,
    CategoryDocument,
    ModifierDocument,
    OrderDocument,
    Part,
    PresentationDocument,
    ProductDocument,
    Row,
    index,
)
from engine.storage.meta_records import META_DOCUMENTS
from engine.storage.sync_records import SYNC_DOCUMENTS
from engine.storage.version_records import VERSION_DOCUMENTS

RETENTION: Final = timedelta(days=30)
"""How long messages are kept after they were answered, sent or given up, so that a tap on one can
be understood and its turn replayed, and the logs of turns, if nothing else is set."""
DONE: Final = timedelta(days=8)
"""How long a finished inbox row is kept at least: WhatsApp repeats a webhook for seven days."""
FLOW_DAYS = 8
"""Days a Flow session outlives its expiry: the webhook with its outcome is repeated for seven."""


class StoredPosition(Part):
    """Where a conversation stands."""

    chart: str
    version: int
    structure: str
    leaf: str
    path: list[str]
    resume: str | None = None


class ConversationDocument(Row):
    """A customer's conversation; its id is `<tenant>:<customer>`, so its place is its identity."""

    id: str
    tenant: str
    customer: str
    language: str
    version: int
    phone: str | None = None
    user_id: str | None = None
    name: str | None = None
    position: StoredPosition | None = None
    entry: int = 0
    entries: dict[str, int] = Field(default_factory=dict)
    misses: int = 0
    variables: dict[str, Any] = Field(default_factory=dict)
    cart_expires_at: datetime | None = None
    updated_at: datetime | None = None
    spoke_at: datetime | None = None
    phone_number_id: str = ""
    bundle: str = ""

    class Settings:
        """Its collection."""

        name = "conversations"
        # For a customer who wants to be forgotten; nothing that a turn changes is in it.
        indexes = (index("tenant", "phone"),)


class InboxDocument(Row):
    """A message of a customer; `due` counts while it is new, `expire_at` comes when it is not.

    `done_at` is when a turn answered it, or put it aside. `slot` is `engine.slots.slot_of`, as in
    every row that waits.
    """

    id: str
    tenant: str
    customer: str
    slot: int
    timestamp: int
    received_at: datetime
    raw: dict[str, Any]
    attempts: int = 0
    state: Literal["new", "done", "dead", "discarded"]
    due: datetime
    error: str | None = None
    done_at: datetime | None = None
    trace: str | None = None
    expire_at: datetime | None = None

    class Settings:
        """Its collection."""

        name = "inbox"
        indexes = (
            # Only what waits is in it: done rows outnumber new ones a million to one.
            index("state", "slot", "due", partialFilterExpression={"state": "new"}),
            # For operators, what was put aside; what is well is never in it.
            index(
                "tenant", "state", "receivedAt", partialFilterExpression={"state": {"$lt": "done"}}
            ),
            # For a customer who wants to be forgotten.
            index("tenant", "customer", "receivedAt"),
            index("expireAt", expireAfterSeconds=0),
        )


class StoredSaid(Part):
    """Which state said a message."""

    chart: str
    version: int
    state: str
    entry: int


class OutboxDocument(Row):
    """A message to a customer; `provider_id` is Meta's wamid and is missing until it is sent.

    One that waits and has it was sent before: what Meta still tells of that sending is old.
    `held_for` names the template, `<name>:<language>`, whose approval one that is held waits for.
    """

    id: str
    tenant: str
    customer: str
    slot: int
    phone_number_id: str
    sequence: int
    payload: dict[str, Any]
    created_at: datetime
    said: StoredSaid | None = None
    attempts: int = 0
    window_ends: datetime | None = None
    template: dict[str, Any] | None = None
    is_unknown: bool = False
    reads: str | None = None
    is_switched: bool = False
    held_for: str | None = None
    state: Literal["queued", "sent", "failed", "held", "dead", "discarded"]
    due: datetime
    error: str | None = None
    provider_id: str | None = None
    sent_at: datetime | None = None
    status: Literal["sent", "delivered", "read", "failed"] | None = None
    status_at: datetime | None = None
    trace: str | None = None
    about: str | None = None
    handoff: str | None = None
    expire_at: datetime | None = None

    class Settings:
        """Its collection."""

        name = "outbox"
        indexes = (
            index("state", "slot", "due", partialFilterExpression={"state": "queued"}),
            # Not {$type: "string"}: MongoDB uses a partial index only if the query implies its
            # filter, and an equality does not imply a $type (expression_algo.cpp), but a $gt.
            index("tenant", "providerId", partialFilterExpression={"providerId": {"$gt": ""}}),
            # For operators, what was put aside; what is well is never in it.
            index(
                "tenant",
                "state",
                "createdAt",
                partialFilterExpression={"state": {"$lt": "queued"}},
            ),
            # What a customer was sent lately, and wants forgotten; its fields never change.
            index("tenant", "customer", "sequence"),
            # Messages to the staff, which are few: of whom they are, and what a tap on one means.
            index("tenant", "about", partialFilterExpression={"about": {"$gt": ""}}),
            index("tenant", "handoff", partialFilterExpression={"handoff": {"$gt": ""}}),
            index("expireAt", expireAfterSeconds=0),
        )


class TimerDocument(Row):
    """An event that waits for its time; `entry` is null if it is of no state."""

    id: str
    tenant: str
    customer: str
    slot: int
    event: str
    entry: int | None
    due: datetime
    phone_number_id: str = ""

    class Settings:
        """Its collection."""

        name = "timers"
        indexes = (
            # The time comes first: many timers wait, few are due.
            index("due", "slot"),
            # The customer comes first: stale timers are found by `entry` with an operator that the
            # embedded server does not plan, so it takes the first field alone.
            index("customer", "tenant", "entry"),
        )


class StoredReading(Part):
    """What a turn was told: in its own row, or by the digest under which it is stored once.

    `stock` has the units of counted products, which change with every order.
    """

    call: str
    arguments: list[str | int | None] = Field(default_factory=list)
    text: str | None = None
    digest: str | None = None
    session: dict[str, Any] | None = None
    stock: list[list[str | int]] | None = None


class StoredRecording(Part):
    """What a turn was decided from: the conversation and the cart before it, ids, readings."""

    before: dict[str, Any] | None = None
    cart: str | None = None
    drawn: list[list[str]] = Field(default_factory=list)
    readings: list[StoredReading] = Field(default_factory=list)
    session: dict[str, Any] | None = None


class TurnDocument(Row):
    """The log of a turn; its id is the inbox row's, so that no message has two.

    One that an earlier version wrote has no `recording`.
    """

    id: str
    tenant: str
    customer: str
    version: int
    at: datetime
    event: str
    source: str | None = None
    target: str | None = None
    steps: list[dict[str, Any]] = Field(default_factory=list)
    bundle: str
    outcome: Literal["done", "ignored", "failed"]
    error: str | None = None
    given_up: str | None = None
    recording: StoredRecording | None = None
    expire_at: datetime

    class Settings:
        """Its collection."""

        name = "turns"
        indexes = (
            index("tenant", "customer", "version"),
            index("expireAt", expireAfterSeconds=0),
        )


class ReadingDocument(Row):
    """What turns have read of what a tenant sells, as JSON; nothing of a customer is in it.

    Its id is `<tenant>:<digest>`.
    """

    id: str
    tenant: str
    text: str
    expire_at: datetime

    class Settings:
        """Its collection."""

        name = "readings"
        indexes = (index("expireAt", expireAfterSeconds=0),)


class StoredMember(Part):
    """A process that takes turns; its name is no key, as it may have a dot."""

    name: str
    until: datetime
    is_leaving: bool = False


class SlotsDocument(Row):
    """Who has which slot: there is one document; `owners` has a member's name by slot."""

    id: Literal["slots"]
    version: int
    members: list[StoredMember] = Field(default_factory=list)
    owners: dict[str, str] = Field(default_factory=dict)

    class Settings:
        """Its collection."""

        name = "slots"
        indexes = ()


class OrderFeedDocument(Row):
    """Where the reading of the orders' moves is, and who reads; `looked_at`: till when all were
    seen to.
    """

    id: str
    owner: str | None = None
    until: datetime
    token: dict[str, Any] | None = None
    looked_at: datetime | None = None

    class Settings:
        """Its collection."""

        name = "orderFeed"
        indexes = ()


class FlowSessionDocument(Row):
    """A Flow that a customer was sent; it ends at `expires_at` and is removed at `expire_at`."""

    id: str
    tenant: str
    customer: str
    flow: str
    language: str
    input: dict[str, Any] = Field(default_factory=dict)
    phone_number_id: str
    created_at: datetime
    expires_at: datetime
    version: int = 0
    trail: list[str] = Field(default_factory=list)
    variables: dict[str, Any] = Field(default_factory=dict)
    answered: dict[str, str] = Field(default_factory=dict)
    state: Literal["open", "done"] = "open"
    params: dict[str, Any] | None = None
    expire_at: datetime

    class Settings:
        """Its collection."""

        name = "flowSessions"
        indexes = (
            # What a customer left behind, to be erased when he asks for it.
            index("tenant", "customer"),
            index("expireAt", expireAfterSeconds=0),
        )


class AuditDocument(Row):
    """What an operator did, or tried to: `engine.row_ports.AuditEntry`.

    Nothing personal is in it: `client` is a digest, and so is what is in `actor`.
    """

    id: PydanticObjectId | None = None
    at: datetime
    actor: str
    client: str
    action: str
    tenant: str | None
    outcome: str
    expire_at: datetime

    class Settings:
        """Its collection."""

        name = "audit"
        indexes = (
            # For whoever asks what was done to a tenant, and when.
            index("tenant", "at"),
            index("expireAt", expireAfterSeconds=0),
        )


DOCUMENTS: Final[tuple[type[Document], ...]] = (
    BusinessDocument,
    CategoryDocument,
    ProductDocument,
    PresentationDocument,
    ModifierDocument,
    CartDocument,
    OrderDocument,
    ConversationDocument,
    InboxDocument,
    OutboxDocument,
    TimerDocument,
    TurnDocument,
    ReadingDocument,
    SlotsDocument,
    OrderFeedDocument,
    FlowSessionDocument,
    AuditDocument,
    *META_DOCUMENTS,
    *SYNC_DOCUMENTS,
    *VERSION_DOCUMENTS,
)
"""Every collection of the engine."""

SUPERSEDED: Final[Mapping[type[Document], tuple[str, ...]]] = {
    ConversationDocument: ("tenant_1_updatedAt_-1",),
    InboxDocument: ("state_1_due_1",),
    OutboxDocument: ("state_1_due_1",),
    TimerDocument: ("due_1", "tenant_1_customer_1_entry_1"),
    TurnDocument: ("at_1",),
}
"""Indexes that an earlier version made, and that others have taken the place of."""
