"""Orders that somebody moved become events of their customers' conversations, each once.

Who moved them does not matter: the Node back end, a command, a route or a webhook of Meta writes
`status`, and the database tells of it. What the customer hears, the chart says.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

import structlog

from engine import metrics
from engine.box_ports import InboxRow
from engine.charts.inbound import ORDER_MOVED
from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.domain.order import LEGAL_MOVES, RETURNED, OrderStatus, leads_to
from engine.errors import Conflict
from engine.runtime.following import Following
from engine.runtime.order_feed import (
    Followed,
    FollowedOrder,
    OrderFeed,
    OrderMove,
    OrderMoves,
    Place,
)
from engine.whatsapp.content import Raised
from engine.whatsapp.inbound import raised

POLL_SECONDS: Final = 60.0
"""How often it is looked for moves that the feed did not tell."""
TOLD_WITHIN: Final = timedelta(days=1)
"""Older moves are no news any more."""
LOOKED_AT: Final = timedelta(days=7)
"""Orders that were placed before are not looked for; the feed tells of them all the same."""
LONGEST_REASON: Final = 200
CONFLICTS: Final = 5
_MILLISECOND: Final = timedelta(milliseconds=1)

Outcome: TypeAlias = Literal["told", "repeated", "late", "nobody", "illegal"]

log = structlog.get_logger(__name__)


class OrderWatch:
    """Follows the orders while this process has their feed.

    Args:
        serves: tells whether a tenant is served: nobody answers for the others.
        offer: is told of the events, which are to be worked on at once.
    """

    def __init__(
        self,
        *,
        feed: OrderFeed,
        serves: Callable[[TenantId], bool],
        clock: Clock,
        owner: str,
        offer: Callable[[InboxRow], None],
    ) -> None:
        self._feed = feed
        self._serves = serves
        self._clock = clock
        self._owner = owner
        self._offer = offer
        self._following: Following[OrderMoves] = Following(
            feed,
            about="orders",
            owner=owner,
            clock=clock,
            take=self._take,
            lost=self._lost,
            quiet=self._look_now_and_then,
            # The user of the database may not be allowed to follow.
            refused=self._look_for_missed,
            elsewhere=self._forget,
        )
        self._next_look = 0.0
        self._suspects: dict[Any, FollowedOrder] = {}

    async def run(self) -> None:
        """Follow the orders until stopped."""
        await self._following.run()

    def stop(self) -> None:
        """Follow no more."""
        self._following.stop()

    async def step(self) -> bool:
        """Take the moves there are, or wait for some; False if another process has the feed.

        Raises:
            Unavailable: the database does not answer.
        """
        return await self._following.step()

    async def look(self) -> None:
        """Tell what the feed has not told yet, at once; only for when nobody else moves orders."""
        for order in await self._feed.missed(placed_since=self._clock.now() - LOOKED_AT):
            await self._follow(_found(order, order.updated_at))  # a move by itself

    async def _take(self, found: OrderMoves) -> None:
        for move in found.moves:
            await self._follow(move)

    async def _lost(self) -> None:
        self._next_look = 0.0

    async def _forget(self) -> None:
        self._suspects.clear()

    async def _look_now_and_then(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._suspects or now >= self._next_look:
            await self._look_for_missed()
            self._next_look = now + POLL_SECONDS

    async def _look_for_missed(self) -> None:
        """Look for moves that the feed did not tell.

        One that was made just now the feed may be about to tell, with what was before it: it is
        seen to only when the next look finds it the same, and the feed was silent in between.
        """
        now = self._clock.now()
        since = await self._feed.looked()
        found = await self._feed.missed(placed_since=now - LOOKED_AT)
        before, self._suspects = self._suspects, {}
        for order in found:
            known = before.get(order.id)
            if known is None or _state(known) != _state(order):
                self._suspects[order.id] = order
                continue
            # It was made after the last look, whatever the back end noted.
            at = max(order.updated_at, since) if since else order.updated_at
            await self._follow(replace(_found(order, at), skips=True))
        if not self._suspects:
            await self._feed.note_look(now, owner=self._owner)

    async def _follow(self, move: OrderMove) -> None:
        for _ in range(CONFLICTS):
            order = await self._feed.order(move.order)
            if order is None or _is_known(order, move):
                return
            outcome, followed = self._decide(order, move)
            try:
                is_new = await self._feed.keep(order, followed)
            except Conflict:
                continue  # somebody else saw it, or moved it on
            self._tell(order, move, outcome)
            if followed.row and is_new:
                self._offer(followed.row)
            return
        raise Conflict("an order changes faster than it can be followed")

    def _decide(self, order: FollowedOrder, move: OrderMove) -> tuple[Outcome, Followed]:
        status = OrderStatus(move.status)
        outcome = self._outcome(order, move, status)
        is_legal = outcome != "illegal"
        followed = Followed(
            status=status,
            place=move.place or order.place,
            told=is_legal,
            is_open=bool(LEGAL_MOVES[order.type][status]),
            gives_back=is_legal and status in RETURNED,
            at=self._clock.now(),
        )
        if outcome == "told":
            followed = replace(followed, row=self._row(order, move))
        return outcome, followed

    def _outcome(self, order: FollowedOrder, move: OrderMove, status: OrderStatus) -> Outcome:
        if not _is_legal(order, status, skips=move.skips):
            return "illegal"
        if status in order.told:
            return "repeated"
        if order.customer is None or not self._serves(order.tenant):
            return "nobody"
        return "told" if self._clock.now() - move.at <= TOLD_WITHIN else "late"

    def _row(self, order: FollowedOrder, move: OrderMove) -> InboxRow:
        assert order.customer is not None
        now = self._clock.now()
        # After the move before it, whatever the clock of the process that told that one.
        at = max(now, order.told_at + _MILLISECOND) if order.told_at else now
        reason = move.reason if move.reason is not None else order.reason
        data = {
            "order": order.number,
            "status": move.status,
            "reason": _line(reason),
            "type": order.type.value,
        }
        return InboxRow(
            id=f"order:{order.number}:{move.status}",
            tenant=order.tenant,
            customer=order.customer,
            timestamp=int(at.timestamp()),
            received_at=at,
            raw=raised(Raised(ORDER_MOVED, data), phone_number_id=order.phone_number_id),
        )

    def _tell(self, order: FollowedOrder, move: OrderMove, outcome: Outcome) -> None:
        metrics.order_moves.labels(status=move.status, outcome=outcome).inc()
        say = log.warning if outcome == "illegal" else log.info
        say(
            "orders.moved",
            tenant=order.tenant, before=order.seen, status=move.status, outcome=outcome,
        )  # fmt: skip


def _found(order: FollowedOrder, at: datetime) -> OrderMove:
    return OrderMove(order.id, order.status, None, at, None)


def _state(order: FollowedOrder) -> tuple[str, str, Place | None]:
    return order.status, order.seen, order.place


def _is_known(order: FollowedOrder, move: OrderMove) -> bool:
    """Tell whether a move is none: seen already, the same again, or a word of the back end's."""
    if move.place and order.place and move.place < order.place:
        return True
    return move.status == order.seen or move.status not in set(OrderStatus)


def _is_legal(order: FollowedOrder, status: OrderStatus, *, skips: bool) -> bool:
    """Tell whether a move is legal; of one that `skips` what was in between is not known."""
    try:
        before = OrderStatus(order.seen)
    except ValueError:
        return False
    if skips:
        return leads_to(order.type, before, status)
    return status in LEGAL_MOVES[order.type][before]


def _line(text: str) -> str:
    return " ".join(text.split())[:LONGEST_REASON]
