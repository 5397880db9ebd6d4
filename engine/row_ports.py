"""What operators see of the inbox and the outbox, and what a customer may ask to be forgotten.

As `engine.ports`: protocols, and the values that cross them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Protocol

from engine.domain.ids import CustomerKey, OrderNumber, TenantId
from engine.domain.order import OrderStatus

InboxState = Literal["new", "done", "dead", "discarded"]
OutboxState = Literal["queued", "unknown", "sent", "failed", "held", "dead", "discarded"]


@dataclass(frozen=True, slots=True)
class RowSummary:
    """A row of the inbox or the outbox, as it is listed: nothing a customer wrote is in it.

    Args:
        state: an `InboxState` or an `OutboxState`.
        kind: of the message, as WhatsApp calls it; of the inbox also "event" for one of our own.
        at: when it was stored.
        due: when it is tried next; None if it is not.
        status: the latest of Meta's, of the outbox.
    """

    id: str
    tenant: TenantId
    customer: CustomerKey
    state: str
    kind: str
    at: datetime
    due: datetime | None
    attempts: int
    error: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class RowDetails:
    """A row with all that is stored of it.

    Args:
        document: as on disk, in plain JSON values.
    """

    summary: RowSummary
    document: Mapping[str, Any]


class OperatorRows(Protocol):
    """The inbox or the outbox of one tenant, for operators."""

    async def list(
        self,
        *,
        states: Sequence[str] = (),
        customer: CustomerKey | None = None,
        limit: int = 50,
    ) -> tuple[RowSummary, ...]:
        """Give rows, the newest first.

        Args:
            states: only these; empty for all but the settled ones, done and sent.
        """
        ...

    async def counts(self) -> Mapping[str, int]:
        """Count the rows by state, but for the settled ones, done and sent."""
        ...

    async def show(self, row_id: str) -> RowDetails | None:
        """Give one row; None if the tenant has none of that id."""
        ...

    async def retry(self, row_id: str, *, now: datetime) -> bool | None:
        """Let a row be tried from now on, as if it never had been.

        Returns:
            False if its state does not allow it (it waits already, or is through), None if there
            is no such row.
        """
        ...

    async def discard(self, row_id: str, *, now: datetime) -> bool | None:
        """Take a row out for good, before it is worked on.

        Returns:
            As `retry`.
        """
        ...


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What an operator did, or tried to.

    Args:
        actor: `token:<digest>` of a request, `command:<name>` of a user of the machine.
        client: a digest of the address; empty for a command.
        action: a method and a route, or a command; nothing that was given to them.
        tenant: None if it was about none, or about one that there is not.
        outcome: the HTTP status, or `done`.
    """

    at: datetime
    actor: str
    client: str
    action: str
    tenant: str | None
    outcome: str
    kept_until: datetime


class Audit(Protocol):
    """Where it is noted what operators do."""

    async def note(self, entry: AuditEntry) -> None:
        """Add an entry."""
        ...


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased of a customer.

    Args:
        customers: the keys that were his.
        removed: documents removed, by collection.
        anonymised: documents that lost what is personal, by collection.
    """

    customers: tuple[CustomerKey, ...]
    removed: Mapping[str, int] = field(default_factory=dict)
    anonymised: Mapping[str, int] = field(default_factory=dict)


class Erasure(Protocol):
    """Erases one customer of one tenant."""

    async def find(self, who: str) -> tuple[CustomerKey, ...]:
        """Give the keys of the customers that a key or a phone number means."""
        ...

    async def forget(self, customer: CustomerKey, *, now: datetime) -> Forgotten:
        """Erase a customer everywhere; his orders stay without anything personal."""
        ...


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """An order as operators see it: nothing of its customer is in it.

    Args:
        status: the back end may have given it one that the engine does not know.
        reason: why it was cancelled or rejected, if somebody said.
        told: the statuses its customer was told, or that his checkout said; None for an order of
            before he was told of any.
        moves: the statuses it may take next.
    """

    number: OrderNumber
    status: str
    type: str
    total: Decimal
    at: datetime
    updated_at: datetime
    reason: str
    told: tuple[str, ...] | None
    moves: tuple[OrderStatus, ...]


@dataclass(frozen=True, slots=True)
class AskedMove:
    """An order was to take another status.

    Args:
        before: the status it had.
        moves: the ones it could take from there.
    """

    status: OrderStatus
    before: str
    moves: tuple[OrderStatus, ...]

    @property
    def is_legal(self) -> bool:
        """Tell whether it was moved."""
        return self.status in self.moves


class OperatorOrders(Protocol):
    """The orders of one tenant, for operators."""

    async def list(
        self, *, statuses: Sequence[str] = (), limit: int = 50
    ) -> tuple[OrderSummary, ...]:
        """Give orders, the newest first.

        Args:
            statuses: only these; empty for all.
        """
        ...

    async def show(self, number: OrderNumber) -> OrderSummary | None:
        """Give one order; None if the tenant has none of that number."""
        ...

    async def move(
        self, number: OrderNumber, status: OrderStatus, *, at: datetime, reason: str = ""
    ) -> AskedMove | None:
        """Give an order another status if that is legal; None if there is no such order."""
        ...
