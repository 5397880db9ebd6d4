"""What a turn needs of the people of a tenant: whom to tell of a hand-off, and of what.

As `engine.ports`: protocols, and the values that cross them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from engine.domain.ids import CustomerKey


@dataclass(frozen=True, slots=True)
class StaffLine:
    """The WhatsApp number of a tenant's people.

    Args:
        customer: the key under which what they write is stored; their number if they never wrote.
        phone: in digits.
        spoke_at: when they wrote last: 24 hours from then any message may be sent to them.
    """

    customer: CustomerKey
    phone: str
    spoke_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a customer sent, for a person to read.

    Args:
        kind: `text`, `tap`, or what it is instead (`image`, `location`, ...).
        text: what it says; empty if it says nothing.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to the staff that a turn decides on.

    Args:
        message: name of the message, which is said in the tenant's first language.
        handoff: id of the hand-off, which nobody can guess.
        line: who gets it.
        data: what its texts read beside what all texts do.
    """

    message: str
    handoff: str
    line: StaffLine
    data: Mapping[str, Any]


class StaffDesk(Protocol):
    """The staff, as a customer's turn may reach them."""

    async def line(self) -> StaffLine | None:
        """Give the number to notify; None if the tenant has none."""
        ...

    async def last_words(self) -> Sequence[Spoken]:
        """Give what the customer sent last, the oldest first."""
        ...

    async def is_known(self, handoff: str) -> bool:
        """Tell whether the staff was told of a hand-off, and it is not forgotten."""
        ...


class HandOffRepository(Protocol):
    """What one tenant's hand-offs are made of."""

    async def line(self, phone: str) -> StaffLine:
        """Give the line of a phone number in digits."""
        ...

    async def last_words(self, customer: CustomerKey) -> Sequence[Spoken]:
        """Give what a customer sent last, the oldest first."""
        ...

    async def is_known(self, handoff: str) -> bool:
        """Tell whether the staff was told of a hand-off, and it is not forgotten."""
        ...

    async def key_of(self, *, phone: str) -> CustomerKey | None:
        """Give the key of the customer who has a phone number, if he ever wrote."""
        ...


@dataclass(frozen=True, slots=True)
class Muted:
    """A conversation that a person answers.

    Args:
        since: when it was given to him, or when one of the two wrote last.
        state: in which it is.
    """

    customer: CustomerKey
    phone: str | None
    name: str | None
    since: datetime | None
    state: str
    phone_number_id: str


class HandOffs(Protocol):
    """The hand-offs of one tenant, for operators."""

    async def list(self, *, limit: int = 100) -> Sequence[Muted]:
        """Give the conversations that a person answers, the longest first."""
        ...

    async def end(self, who: str, *, now: datetime) -> bool:
        """Let the bot answer a customer again.

        Args:
            who: his key or phone number.

        Returns:
            False if no person answers him.
        """
        ...
