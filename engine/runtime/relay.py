"""The relay: gives stored messages to Meta, each customer's in the order they were written.

Which may go out when is decided here; how one is sent, and what is done if Meta does not take it,
in `sender`.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from engine.box_ports import Outbox, OutboxEntry
from engine.clock import Clock
from engine.errors import Unavailable
from engine.logs import about, digest, reason
from engine.runtime.claims import Claims
from engine.runtime.lanes import Lane, Lanes
from engine.runtime.pace import PAIR_BURST, PAIR_MEMORY, Pace
from engine.runtime.polling import Poll
from engine.runtime.sender import Sender, is_receipt
from engine.slots import slot_of

AT_ONCE: Final = 64
POLL_SECONDS: Final = 0.5
"""How soon an entry is found that another process has stored, or that was left behind. Most are
sent by the process that took their turn, and are never looked for."""
PAGE: Final = 100
SHORT_WAIT: Final = 2.0
"""Seconds that are waited with an entry in hand; it is put back for longer ones."""
MEDIA_WAIT: Final = 5.0
"""Seconds at most that what comes after a picture waits until that one is on its way: Meta fetches
media first, and would show the next message before it (messages/send-messages)."""
MEDIA_POLL: Final = 0.2
MEDIA: Final = frozenset({"image", "video", "audio", "document", "sticker"})
LONG_TALK: Final = 1500
"""Sequence from which a conversation may have had more messages than a burst: a hundredth is the
number of its turns, and three messages in each are many."""
MOST_KNOWN: Final = 50_000
"""Customers of whom it is known up to which turn their messages were seen."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Letter:
    """An entry to send, in the term in which it was found."""

    entry: OutboxEntry
    term: int


class Relay:
    """Sends entries as turns write them, and finds those that others have stored.

    Args:
        claims: whose messages it may send.
    """

    def __init__(
        self,
        *,
        outbox: Outbox,
        sender: Sender,
        pace: Pace,
        clock: Clock,
        claims: Callable[[], Claims],
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._pace = pace
        self._clock = clock
        self._claims = claims
        self._poll = Poll(self.look, every=POLL_SECONDS)
        self._looking = asyncio.Lock()
        self._lanes: Lanes[_Letter] = Lanes(self._send, at_once=AT_ONCE, ready=self._ready)
        self._is_over = False
        # What was sent last if it is a picture, and until when it is waited for.
        self._media: dict[Lane, tuple[OutboxEntry, float]] = {}
        # The term and the turn up to which nothing of a customer is on disk alone.
        self._known: dict[Lane, tuple[int, int]] = {}

    def offer(self, entries: Iterable[OutboxEntry], term: int) -> None:
        """Queue entries that were stored just now, if they are this process's to send.

        Those that may have others before them, which this process has not seen, are left to be
        found: so they do not overtake what another process had not sent. And those of a turn that
        a look has found are left to it: they were on disk before the turn was told so, and may
        have been sent since.

        Args:
            term: in which their turn was taken.
        """
        is_next: dict[tuple[Lane, int], bool] = {}
        for entry in entries:
            if self._claims().term(entry.tenant, entry.customer) != term:
                continue
            lane, turn = _lane(entry), _turn(entry)
            if (lane, turn) not in is_next:
                is_next[lane, turn] = self._known.get(lane, (term, 0)) == (term, turn - 1)
            letter = _Letter(entry, term)
            if is_next[lane, turn] and self._lanes.put(
                lane, entry.id, letter, place=_place(entry)
            ):
                self._know(entry, term)
            else:
                self.wake()

    def wake(self) -> None:
        """Look soon: entries were stored that nobody has offered."""
        self._poll.wake()

    async def run(self) -> None:
        """Look for entries until stopped."""
        await self._poll.run()

    async def look(self) -> None:
        """Queue the entries that are due in the slots this process has."""
        async with self._looking:
            try:
                await self._look()
            except Unavailable as error:
                log.warning("relay.database_away", error=reason(error))

    async def _look(self) -> None:
        claims = self._claims()
        terms = claims.terms()
        with self._lanes.looking() as found:
            now, limit = self._clock.now(), PAGE + len(self._lanes)
            for entry in await self._outbox.waiting(terms.keys(), now=now, limit=limit):
                term = claims.term(*_lane(entry))
                if term is None or term != terms[slot_of(*_lane(entry))]:
                    continue  # the slot was another's while this was read
                found(_lane(entry), entry.id, _Letter(entry, term), place=_place(entry))
                self._know(entry, term)

    def _know(self, entry: OutboxEntry, term: int) -> None:
        self._known.pop(_lane(entry), None)
        if len(self._known) >= MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[_lane(entry)] = term, _turn(entry)

    def busy(self) -> frozenset[int]:
        """Give the slots with messages under way."""
        return frozenset(slot_of(*lane) for lane in self._lanes.lanes())

    async def end(self, *, within: float) -> None:
        """Send what is queued, for so many seconds at most, and finish what is under way."""
        self._poll.stop()
        try:
            await asyncio.wait_for(asyncio.shield(self._lanes.idle()), within)
        except TimeoutError:
            log.info("relay.left_to_others")
        self._is_over = True
        await self._lanes.end()

    async def idle(self) -> bool:
        """Wait until nothing is queued; tell whether something was."""
        return await self._lanes.idle()

    # Before an entry may be sent ---------------------------------------------------------------

    async def _ready(self, letter: _Letter) -> bool:
        """Wait until an entry may go out; False puts it back."""
        entry = letter.entry
        if is_receipt(entry):
            return self._is_ours(letter)
        try:
            await self._wait_for_media(entry)
            if not await self._wait_for_customer(entry):
                return False
        except Unavailable as error:
            log.warning("relay.database_away", entry=digest(entry.id), error=reason(error))
            return False
        while wait := self._pace.for_number(entry.phone_number_id):
            # Not as long as it looks: it sends what is queued after that.
            await asyncio.sleep(min(wait, SHORT_WAIT))
            if self._is_over or not self._is_ours(letter):
                self._pace.give_back(entry.tenant, entry.customer)
                return False
        return self._is_ours(letter)

    def _is_ours(self, letter: _Letter) -> bool:
        entry = letter.entry
        return self._claims().term(entry.tenant, entry.customer) == letter.term

    async def _wait_for_media(self, entry: OutboxEntry) -> None:
        before = self._media.pop(_lane(entry), None)
        if before is None:
            return
        picture, until = before
        while _ticks() < until and not self._poll.is_stopped:
            if await self._outbox.status_of(picture) is not None:
                return
            await self._poll.pause(MEDIA_POLL)

    async def _wait_for_customer(self, entry: OutboxEntry) -> bool:
        who = entry.tenant, entry.customer
        now = self._clock.now()
        if entry.sequence >= LONG_TALK and not self._pace.knows(*who):
            since = now - timedelta(seconds=PAIR_MEMORY)
            sent = await self._outbox.sent_since(*who, since)
            self._pace.learn(*who, sent[-PAIR_BURST:], now)
        while wait := self._pace.for_customer(*who):
            if wait > SHORT_WAIT or self._poll.is_stopped:
                until = now + timedelta(seconds=wait)
                await self._outbox.postpone(
                    entry, until=until, error="too many messages to this customer", counts=False
                )
                return False
            await self._poll.pause(wait)
        return True

    async def _send(self, letter: _Letter) -> bool:
        entry = letter.entry
        if not self._is_ours(letter):
            return False
        try:
            with about(entry.cause):
                goes_on = await self._sender.send(entry)
        except Unavailable as error:
            log.warning("relay.database_away", entry=digest(entry.id), error=reason(error))
            return False
        if goes_on and _is_media(entry.payload):
            self._media[_lane(entry)] = entry, _ticks() + MEDIA_WAIT
        return goes_on


def _lane(entry: OutboxEntry) -> Lane:
    return entry.tenant, entry.customer


def _ticks() -> float:
    return asyncio.get_running_loop().time()


def _turn(entry: OutboxEntry) -> int:
    return entry.sequence // 100


def _place(entry: OutboxEntry) -> tuple[int, datetime, str]:
    return entry.sequence, entry.created_at, entry.id


def _is_media(payload: Mapping[str, Any]) -> bool:
    """Tell whether a message has a file that Meta fetches before it delivers the message."""
    if payload.get("type") in MEDIA:
        return True
    interactive = payload.get("interactive")
    header = interactive.get("header") if isinstance(interactive, Mapping) else None
    return isinstance(header, Mapping) and header.get("type") in MEDIA
