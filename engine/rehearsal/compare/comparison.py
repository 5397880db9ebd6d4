"""Two versions of a tenant rehearsed side by side: one made-up customer does the same with both.

Names of states and events are never compared, only what is read and what can be tapped. How a
difference is noted is in `notes`, how it is told is not known here.
"""

from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from engine.charts.compiler import Structures
from engine.domain.conversation import Conversation
from engine.domain.ids import CustomerKey
from engine.rehearsal.acts import ends_flow, says
from engine.rehearsal.compare.acts import (
    NONSENSE,
    Match,
    Move,
    Words,
    both,
    matched,
    offers_of,
    tapping,
    times_of,
)
from engine.rehearsal.compare.notes import Comparison, Notes, Parted, ReadPair, differ_in_messages
from engine.rehearsal.compare.pair import Pair, Situations
from engine.rehearsal.compare.side import Outcome, Side, Version
from engine.rehearsal.moment import Moment
from engine.rehearsal.rehearsal import CUSTOMER, span

BUDGET: Final = 2000
"""Acts that are tried of one tenant, with each of the two versions."""
_AT_OTHER_TIMES: Final = 400
"""Acts that are tried when the tenant is closed."""
_PLACES: Final = 4
"""States in which everything is written then."""
_SILENCE: Final = Outcome(is_lost=True)
BEGINNING: Final = "the first message"
"""Where a customer is who has not written yet."""
_DEPTH: Final = 4
"""How far what only one version has is followed."""


async def compare(
    before: Version,
    after: Version,
    *,
    structures: Structures | None = None,
    budget: int = BUDGET,
) -> Comparison:
    """Rehearse two versions of a tenant side by side.

    Args:
        structures: compiled charts that other comparisons use too.
        budget: acts that are tried at most, without Flows; half of it with them.
    """
    notes = Notes(before, after, Comparison())
    held = structures or Structures()
    await _Walk(before, after, notes, held, is_deployed=False).run(budget)
    if any(_has_more(version) for version in (before, after)):
        await _Walk(before, after, notes, held, is_deployed=True).run(budget // 2)
    return notes.found


def _has_more(version: Version) -> bool:
    """Tell whether there are Flows, or a catalogue of WhatsApp's own, to be walked with."""
    return bool(version.bundle.flows) or version.bundle.tenant.catalog.mode == "single"


class _Walk:
    """One walk, with what is deployed or without."""

    def __init__(
        self,
        before: Version,
        after: Version,
        notes: Notes,
        structures: Structures,
        *,
        is_deployed: bool,
    ) -> None:
        self.versions = before, after
        self.sides = (
            Side(before, structures, is_deployed=is_deployed),
            Side(after, structures, is_deployed=is_deployed),
        )
        self.notes = notes
        self.is_deployed = is_deployed
        self._words = Words(before, after)
        self._language = after.bundle.tenant.languages[0]
        self._shelf: dict[Hashable, Pair] = {}
        self._done: set[Hashable] = set()
        self._queue: deque[Pair] = deque()
        self._later: deque[Pair] = deque()
        self._differ_in_messages = differ_in_messages(before, after)
        self._situations = Situations(before, after)
        self._left = 0

    async def run(self, budget: int) -> None:
        """Walk until everything was tried, or the budget is spent."""
        self._left = budget
        opened, others = times_of(*(version.bundle.tenant for version in self.versions))
        self._queue.append(self._beginning(opened))
        # Where the two have parted is looked at last: most of it is seen together before.
        while (queue := self._queue or self._later) and self._left > 0:
            await self._expand(queue.popleft())
        for time in others if not self.is_deployed else ():
            self._left = _AT_OTHER_TIMES
            await self._at(time)

    def _beginning(self, time: datetime) -> Pair:
        """Give the pair of a customer who has not written yet, in one language for both."""
        tenant = self.versions[1].bundle.tenant_id
        talk = Conversation(tenant, CustomerKey(CUSTOMER), self._language)
        moment = Moment(time, talk)
        return Pair(moment, moment)

    async def _expand(self, pair: Pair) -> None:
        """Try everything from a pair of moments."""
        for move in [*self._moves(pair), *await self._flow_ends(pair)]:
            self._push(await self._try(pair, move), pair)
        if self._is_first("insist", pair) and not self.is_deployed:
            await self._insist(pair)
        if self._is_first("silence", pair, pair.has_cart):
            self._push(await self._fall_silent(pair), pair)

    def _is_first(self, what: str, pair: Pair, *more: Hashable) -> bool:
        """Tell whether something is tried for the first time in a place, and note it."""
        key = (what, pair.place, *more)
        if pair.is_loose or key in self._done:
            return False
        self._done.add(key)
        return True

    def _push(self, pair: Pair | None, since: Pair) -> None:
        """Queue the pair that follows one, unless all that matters of it is known."""
        if pair is None or pair.language not in (None, self._language):
            return  # the other languages are read without being spoken
        key = ("loose", pair.place) if pair.is_loose else self._situations.of(pair, since)
        if key not in self._done:
            self._done.add(key)
            (self._later if since.is_loose or pair.is_loose else self._queue).append(pair)
            if pair.has_cart and not pair.is_loose:
                self._shelf.setdefault(pair.place, pair)

    # What is tried ---------------------------------------------------------------------------

    def _moves(self, pair: Pair) -> Iterator[Move]:
        if pair.is_loose:
            yield from self._words.known
            return
        yield from map(tapping, pair.offers)
        if self.is_deployed and pair.trail:
            return  # the walk without Flows has tried the rest
        if self._is_first("phrases", pair, pair.has_cart):
            yield from self._words.known
        if self._is_first("free", pair):
            yield from self._words.free
            yield from self._words.changed
            here = {self._word(match) for match in pair.offers}
            for word, match in pair.past.items():
                if word not in here:
                    yield tapping(match, is_old=True)

    def _word(self, match: Match) -> str:
        """Name the event of what is offered."""
        found = ((o, v) for o, v in zip(match, self.versions, strict=True) if o)
        return next(offer.word(version) for offer, version in found)

    async def _flow_ends(self, pair: Pair) -> list[Move]:
        """Give the ways in which Flows that were sent may end."""
        held = [
            {s.flow: s for s in moment.sessions.values() if s.state == "open"}
            for moment in (pair.before, pair.after)
        ]
        moves: list[Move] = []
        for flow in (flow for flow in held[0] if flow in held[1]):
            if not self._is_first("flow", pair, flow):
                continue
            ends = [await s.ends_of(h[flow]) for s, h in zip(self.sides, held, strict=True)]
            moves += [
                Move(
                    f"customer finishes the Flow '{flow}'",
                    ends_flow(held[0][flow].id, old),
                    ends_flow(held[1][flow].id, new),
                )
                for old, new in zip(*ends, strict=False)
            ]
        return moves

    async def _insist(self, pair: Pair) -> None:
        """Write what means nothing again and again."""
        for _ in range(3):
            following = await self._try(pair, both(says(NONSENSE)))
            if following is None or following.is_loose:
                return
            pair = following

    async def _fall_silent(self, pair: Pair) -> Pair:
        """Say nothing until the cart has expired."""
        hours = max(version.bundle.tenant.cart_hours for version in self.versions)
        delay = timedelta(hours=hours + 1)
        old, before = await self.sides[0].wait(pair.before, delay)
        new, after = await self.sides[1].wait(pair.after, delay)
        for passed in sorted({*old, *new}):
            shown = f"({span(passed)} without a word)"
            self._settle(pair, shown, old.get(passed, _SILENCE), new.get(passed, _SILENCE))
        # Ids are drawn by the number of a turn: they must not differ by a timer.
        turns = max(before.turns, after.turns)
        after = replace(after, turns=turns)
        return replace(
            pair,
            before=after if self._is_shared(pair) else replace(before, turns=turns),
            after=after,
            offers=(),
            trail=(*pair.trail, f"({span(delay)} without a word)"),
        )

    async def _at(self, time: datetime) -> None:
        """Try at another time what can be tapped and written with a full cart."""
        clock = time.astimezone(self.versions[1].bundle.tenant.zone)
        for place, pair in enumerate(list(self._shelf.values())):
            after = replace(pair.after, now=time)
            moved = replace(
                pair,
                before=after if self._is_shared(pair) else replace(pair.before, now=time),
                after=after,
                trail=(*pair.trail, f"({clock:%A, %H:%M})"),
            )
            # What is written means the same almost everywhere: a few places are enough.
            words = self._words.known if place < _PLACES else []
            for move in (*map(tapping, moved.offers), *words):
                await self._try(moved, move)

    # What came of it -------------------------------------------------------------------------

    async def _try(self, pair: Pair, move: Move) -> Pair | None:
        """Do the same with both versions; give the pair of moments after it."""
        if self._left <= 0:
            return None
        self._left -= 1
        self.notes.found.tried += 1
        new = await self.sides[1].play(pair.after, move.after) if move.after else None
        old = self._retold(pair, move, new)
        if old is None and move.before:
            old = await self.sides[0].play(pair.before, move.before)
        if old and new:
            matches = self._settle(pair, move.shown, old[0], new[0])
            has_entered = old[0].has_entered and new[0].has_entered
            following = self._following(pair, move, (old[1], new[1]), matches)
            is_loose = following.is_loose or (pair.is_loose and not has_entered)
            return replace(following, is_loose=is_loose)
        if not pair.is_loose:
            self._part(pair, move, old and old[0], new and new[0])
            for place, played in enumerate((old, new)):
                if played:
                    await self._follow_alone(place, *played)
        return None

    def _retold(
        self, pair: Pair, move: Move, new: tuple[Outcome, Moment] | None
    ) -> tuple[Outcome, Moment] | None:
        """Tell what the first version answers without playing it, where that is certain."""
        if new is None or move.before is None or not self._is_shared(pair):
            return None
        differing = self.notes.differing.get(self._language)
        if differing is None:
            return None
        outcome = self.sides[0].retold(new[0], self.sides[1], differing)
        return (outcome, new[1]) if outcome else None

    def _is_shared(self, pair: Pair) -> bool:
        """Tell whether both versions are in the same moment, and go the same ways."""
        return self._differ_in_messages and pair.before is pair.after

    def _settle(self, pair: Pair, shown: str, old: Outcome, new: Outcome) -> list[ReadPair]:
        """Note what differs in what came of an act; match the messages."""
        matches = self.notes.matches(old.said, new.said)
        self.notes.readings(matches, self.sides, is_loose=pair.is_loose)
        has_failed = (old.failure is None) != (new.failure is None)
        if not pair.is_loose and (has_failed or any(None in match for match in matches)):
            self._part(pair, Move(shown, None, None), old, new)
        return matches

    def _part(self, pair: Pair, move: Move, old: Outcome | None, new: Outcome | None) -> None:
        where = next((name for name in reversed(pair.place) if name), BEGINNING)
        offered = pair.said[-1] if move.is_offered and pair.said else ""
        parted = Parted(move.shown, where, old, new, offered, pair.trail)
        self.notes.parting(parted, self.sides)

    def _following(
        self, pair: Pair, move: Move, moments: tuple[Moment, Moment], matches: list[ReadPair]
    ) -> Pair:
        # Who was told other things at last may be somewhere else; who was told the same may not.
        has_parted = bool(matches) and None in matches[-1]
        is_met = bool(matches) and all(None not in match for match in matches)
        offers = [
            match
            for old, new in matches
            if old and new
            for match in matched(offers_of(old), offers_of(new))
        ]
        held = {self._word(match): match for match in offers if None not in match}
        return Pair(
            *moments,
            offers=tuple(offers),
            said=tuple(new.message for _, new in matches if new),
            past={**pair.past, **held},
            trail=(*pair.trail, move.shown),
            is_loose=has_parted or (pair.is_loose and not is_met),
        )

    async def _follow_alone(self, place: int, outcome: Outcome, moment: Moment) -> None:
        """Look for messages that only one version has, behind what only it offers."""
        side = self.sides[place]
        waiting = deque([(outcome, moment, _DEPTH)])
        while waiting:
            outcome, moment, depth = waiting.popleft()
            for read in outcome.said:
                is_new = self.notes.single(place, read, side)
                # The first answer was noted with its act.
                for offer in offers_of(read) if depth and (is_new or depth == _DEPTH) else ():
                    act = tapping((None, offer)).after
                    if act and self._left > 0:
                        self._left -= 1
                        waiting.append((*await side.play(moment, act), depth - 1))
