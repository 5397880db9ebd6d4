"""What operators see of the inbox and the outbox, and what a customer may ask to be forgotten.

As `engine.ports`: protocols, and the values that cross them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from engine.domain.ids import CustomerKey, TenantId

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
