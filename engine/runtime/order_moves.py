"""Orders that somebody moved become events of their customers' conversations, each once.

Who moved them does not matter: the Node back end, a command, a route or a webhook of Meta writes
`status`, and the database tells of it. What the customer hears, the chart says.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Protocol, TypeAlias

import structlog

from engine import metrics
from engine.box_ports import InboxRow
from engine.charts.inbound import ORDER_MOVED
from engine.clock import Clock
from engine.domain.ids import CustomerKey, OrderNumber, TenantId
from engine.domain.order import LEGAL_MOVES, RETURNED, OrderStatus, OrderType, leads_to
from engine.errors import Conflict, EngineError, FeedLost, Unavailable
from engine.logs import reason
from engine.whatsapp.content import Raised
from engine.whatsapp.inbound import raised

LEASE: Final = timedelta(seconds=20)
"""How long a process that died keeps the feed."""
STEP_SECONDS: Final = 2.0
"""How long moves are waited for before the feed is claimed again."""
REST_SECONDS: Final = 5.0
"""How soon a process that has not the feed asks for it again."""
POLL_SECONDS: Final = 60.0
"""How often it is looked for moves that the feed did not tell."""
TOLD_WITHIN: Final = timedelta(days=1)
"""Older moves are no news any more."""
LOOKED_AT: Final = timedelta(days=7)
"""Orders that were placed before are not looked for; the feed tells of them all the same."""
LONGEST_REASON: Final = 200
CONFLICTS: Final = 5
_MILLISECOND: Final = timedelta(milliseconds=1)

Place: TypeAlias = tuple[int, int]
"""Where a change stands among all changes of the database."""
Outcome: TypeAlias = Literal["told", "repeated", "late", "nobody", "illegal"]

log = structlog.get_logger(__name__)


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


class OrderFeed(Protocol):
    """How the orders of all tenants are moved; one process at a time reads it."""

    async def claim(self, *, owner: str, now: datetime, until: datetime) -> bool:
        """Take the feed, or keep it; False while another process has it."""
        ...

    async def next(self, *, seconds: float) -> OrderMoves | None:
        """Wait for moves; None if there were none in the time.

        Raises:
            FeedLost: what was stored is too old to go on from.
        """
        ...

    async def noted(self, moves: OrderMoves, *, owner: str) -> None:
        """Go on after these moves from now on, also after a restart.

        Raises:
            Conflict: another process has taken the feed over.
        """
        ...

    async def restart(self, *, owner: str) -> None:
        """Forget where the feed was, and go on with what is moved from now on.

        Raises:
            Conflict: another process has taken the feed over.
        """
        ...

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

    async def close(self) -> None:
        """Stop reading; the stored place stays."""
        ...


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
        self._stopped = asyncio.Event()
        self._next_look = 0.0
        self._suspects: dict[Any, FollowedOrder] = {}

    async def run(self) -> None:
        """Follow the orders until stopped."""
        while not self._stopped.is_set():
            step = asyncio.create_task(self._guarded())
            ended = asyncio.create_task(self._stopped.wait())
            try:
                await asyncio.wait({step, ended}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                # What it had not noted yet is found again by whoever follows the feed next.
                step.cancel()
                ended.cancel()
                results = await asyncio.gather(step, ended, return_exceptions=True)
            if isinstance(results[0], float) and results[0]:
                await self._rest(results[0])
        await self._feed.close()

    def stop(self) -> None:
        """Follow no more."""
        self._stopped.set()

    async def step(self) -> bool:
        """Take the moves there are, or wait for some; False if another process has the feed.

        Raises:
            Unavailable: the database does not answer.
        """
        now = self._clock.now()
        if not await self._feed.claim(owner=self._owner, now=now, until=now + LEASE):
            await self._feed.close()
            self._suspects.clear()
            return False
        try:
            found = await self._feed.next(seconds=STEP_SECONDS)
            if found is None:
                await self._look_now_and_then()
                return True
            for move in found.moves:
                await self._follow(move)
            await self._feed.noted(found, owner=self._owner)
        except FeedLost as error:
            log.warning("orders.feed_lost", reason=reason(error))
            await self._feed.restart(owner=self._owner)
            self._next_look = 0.0
        except Conflict:
            await self._feed.close()
        return True

    async def look(self) -> None:
        """Tell what the feed has not told yet, at once; only for when nobody else moves orders."""
        for order in await self._feed.missed(placed_since=self._clock.now() - LOOKED_AT):
            await self._follow(_found(order, order.updated_at))  # a move by itself

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

    async def _guarded(self) -> float:
        try:
            return 0.0 if await self.step() else REST_SECONDS
        except Unavailable as error:
            log.warning("orders.database_away", error=reason(error))
        except EngineError as error:
            log.error("orders.feed_failed", error=reason(error))
            await self._without_feed()
        except Exception:
            log.exception("orders.feed_broke")
        await self._feed.close()
        return REST_SECONDS

    async def _without_feed(self) -> None:
        """Look for moves all the same: the user of the database may not be allowed to follow."""
        try:
            await self._look_for_missed()
        except EngineError as error:
            log.error("orders.look_failed", error=reason(error))

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

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopped.wait(), seconds)
        except TimeoutError:
            return


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
