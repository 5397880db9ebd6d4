"""How orders are moved, as protocols and their values; `order_moves` follows it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from engine.box_ports import InboxRow
from engine.domain.ids import CustomerKey, OrderNumber, TenantId
from engine.domain.order import OrderStatus, OrderType
from engine.runtime.following import Feed

Place: TypeAlias = tuple[int, int]
"""Where a change stands among all changes of the database."""


@dataclass(frozen=True, slots=True)
class OrderMove:
    """An order was given a status.

    Args:
        order: what the database calls it.
        status: whatever was written.
        reason: if one was written with it.
        place: None if it was found and not told.
        skips: other moves may have been made before it that nobody knows of.
    """

    order: Any
    status: str
    reason: str | None
    at: datetime
    place: Place | None
    skips: bool = False


@dataclass(frozen=True, slots=True)
class OrderMoves:
    """What the database told of moves.

    Args:
        token: the feed goes on after it.
    """

    moves: tuple[OrderMove, ...]
    token: Any


@dataclass(frozen=True, slots=True)
class FollowedOrder:
    """An order whose customer is told of its moves.

    Args:
        id: what the database calls it.
        customer: None if nobody can be told: he was forgotten, or never wrote.
        status: the one it has now.
        seen: the one that was seen last; the next move goes from there.
        told: those he was told, or need not be told.
        place: of the move that was seen last.
        told_at: when the last one was put in his inbox.
    """

    id: Any
    tenant: TenantId
    number: OrderNumber
    type: OrderType
    status: str
    reason: str
    seen: str
    told: frozenset[str]
    updated_at: datetime
    customer: CustomerKey | None = None
    phone_number_id: str = ""
    place: Place | None = None
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Followed:
    """What becomes of an order by a move that was seen.

    Args:
        told: its customer was told, or need not be.
        is_open: it may be moved again.
        gives_back: what it took of the stock goes back, if that has not been yet.
        at: when that is.
        row: the event for his inbox.
    """

    status: OrderStatus
    place: Place | None
    told: bool
    is_open: bool
    gives_back: bool
    at: datetime
    row: InboxRow | None = None


class OrderFeed(Feed[OrderMoves], Protocol):
    """How the orders of all tenants are moved; one process at a time reads it."""

    async def order(self, order: Any) -> FollowedOrder | None:
        """Give an order as it is now; None if nobody follows it."""
        ...

    async def missed(self, *, placed_since: datetime) -> tuple[FollowedOrder, ...]:
        """Give orders that have another status than was seen last."""
        ...

    async def looked(self) -> datetime | None:
        """Tell when it was last looked for missed moves, and all were seen to."""
        ...

    async def note_look(self, at: datetime, *, owner: str) -> None:
        """Note that all moves before a time were seen to."""
        ...

    async def keep(self, order: FollowedOrder, followed: Followed) -> bool:
        """Note a move, put its event in the inbox and give back its stock, all or nothing.

        Returns:
            False if the event was in the inbox already.

        Raises:
            Conflict: the order is no longer what it was when it was read; nothing is written.
        """
        ...
