"""Logged turns decided again: as they were, or with other content; nothing is read or written.

What a turn cannot have again is said, never guessed: a turn that an earlier version took has no
recording, a message may not be kept any more, and an edited chart may ask what nobody had asked.
The screens of a Flow are another door: its end in the chat is replayed, what was shown in it is
not. A timer that only the other content sets does not fire.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from engine.authoring.replay.store import (
    NotRecorded,
    Past,
    PastIds,
    PastStore,
    PastTokens,
    answers_of,
    products_of,
)
from engine.box_ports import OutboxEntry, Said
from engine.charts.run import Runner
from engine.clock import ManualClock
from engine.domain.cart import Cart
from engine.domain.order import Order
from engine.errors import EngineError
from engine.ports import LoggedMessage, LoggedTurn, Reading, TurnRecord
from engine.runtime.decision import Decisions
from engine.runtime.turn_record import Cause
from engine.spec.bundle import Bundle
from engine.whatsapp.inbound import InboundMessage, restore_message

OPAQUE: Final = "biz_opaque_callback_data"
"""What names a message to Meta; the customer does not see it."""
NO_RECORDING: Final = "it was not recorded: an earlier version of the engine took it"
NO_MESSAGE: Final = "what came is not kept any more"


@dataclass(frozen=True, slots=True)
class Replayed:
    """A logged turn and what it decides now.

    Args:
        record: None if it could not be replayed.
        reason: why it could not, or why it is in doubt.
    """

    turn: LoggedTurn
    record: TurnRecord | None
    reason: str | None = None

    @property
    def said(self) -> tuple[OutboxEntry, ...]:
        """Give the messages it decides on now, without read receipts."""
        outbox = self.record.outbox if self.record else ()
        return tuple(entry for entry in outbox if entry.said is not None)

    @property
    def differences(self) -> tuple[str, ...]:
        """Tell what is not as it was, to the last byte of what went out."""
        return tuple(_differences(self.turn, self.record)) if self.record else ()

    @property
    def parts(self) -> bool:
        """Tell whether the customer sees another answer."""
        if self.record is None:
            return False
        was, now = said_in(self.turn), self.said
        if len(was) != len(now):
            return True
        return any(
            seen(message.entry.payload) != seen(_as_sent(message, entry))
            for message, entry in zip(was, now, strict=True)
        )


def message_of(turn: LoggedTurn) -> InboundMessage | None:
    """Give the message a turn answered, if there was one and it is kept."""
    return restore_message(turn.row.raw) if turn.row else None


def said_in(turn: LoggedTurn) -> tuple[LoggedMessage, ...]:
    """Give the messages that a turn said, without read receipts."""
    return tuple(message for message in turn.messages if message.entry.said is not None)


def seen(payload: Mapping[str, Any] | None) -> bytes:
    """Give a message without what nobody sees of it."""
    shown = {key: value for key, value in (payload or {}).items() if key != OPAQUE}
    return orjson.dumps(shown)


def _as_sent(message: LoggedMessage, entry: OutboxEntry) -> Mapping[str, Any] | None:
    """Give what a message goes out with: one that was switched, with its template as its body."""
    return entry.template if message.is_switched else entry.payload


class Replay:
    """Replays the turns of a tenant with one bundle."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._runner = Runner()

    async def as_it_was(self, turn: LoggedTurn) -> Replayed:
        """Decide a turn again, from what it was decided from."""
        recording = turn.log.recording
        if recording is None:
            return Replayed(turn, None, NO_RECORDING)
        answers = answers_of(recording.readings)
        past = Past(recording.conversation, recording.cart, answers)
        return await self._take(turn, past)

    async def through(self, turns: Sequence[LoggedTurn]) -> tuple[Replayed, ...]:
        """Decide turns one after the other, each from where the one before it has led.

        Args:
            turns: of one customer, the oldest first. The first starts where it was; so does one
                before which turns are missing.
        """
        done: list[Replayed] = []
        orders: list[Order] = []
        said: dict[str, Said] = {}
        cart: Cart | None = None
        for turn in turns:
            past = self._past(turn, turns, done[-1] if done else None, cart)
            if past is None:
                done.append(Replayed(turn, None, NO_RECORDING))
                continue
            played = await self._take(turn, replace(past, orders=tuple(orders), said=said))
            done.append(played)
            cart = _cart_after(past.cart, played.record)
            if played.record:
                orders += played.record.orders
            said |= _names(turn, played)
        return tuple(done)

    def _past(
        self,
        turn: LoggedTurn,
        turns: Sequence[LoggedTurn],
        before: Replayed | None,
        cart: Cart | None,
    ) -> Past | None:
        recording = turn.log.recording
        if recording is None:
            return None
        readings = [recording.readings, *_nearest(turn, turns)]
        answers = answers_of(*readings)
        past = Past(recording.conversation, recording.cart, answers, products_of(answers))
        last = before.record if before else None
        if last is None or last.conversation.version != turn.version - 1:
            return past
        return replace(past, conversation=last.conversation, cart=cart)

    async def _take(self, turn: LoggedTurn, past: Past) -> Replayed:
        recording = turn.log.recording
        assert recording is not None
        store = PastStore(past)
        decisions = Decisions(
            business=store.business,
            tokens=PastTokens(past),
            clock=ManualClock(turn.at),
            ids=PastIds(recording.drawn),
            runner=self._runner,
        )
        try:
            cause = _cause(turn)
            if cause is None:
                return Replayed(turn, None, NO_MESSAGE)
            if turn.given_up is not None:
                error = turn.log.error or turn.given_up
                record = await decisions.problem(cause, self._bundle, store, error=error)
            else:
                record = await decisions.of(cause, self._bundle, store)
        except NotRecorded as error:
            return Replayed(turn, None, str(error))
        except EngineError as error:
            return Replayed(turn, None, f"it fails: {error}")
        if past.missing:
            unknown = ", ".join(dict.fromkeys(past.missing))
            return Replayed(turn, None, f"it asks what nobody had asked: {unknown}")
        return Replayed(turn, record)


def _cause(turn: LoggedTurn) -> Cause | None:
    message = message_of(turn)
    if message:
        number = message.phone_number_id
        return Cause(turn.id, turn.tenant, turn.customer, number, message)
    session = turn.log.recording.session if turn.log.recording else None
    if session is None:
        return None
    number = session.phone_number_id
    return Cause(turn.id, turn.tenant, turn.customer, number, session=session)


def _nearest(turn: LoggedTurn, turns: Sequence[LoggedTurn]) -> Iterator[tuple[Reading, ...]]:
    """Give what other turns have read, the latest before this one first."""
    earlier = [other for other in turns if other.version < turn.version]
    later = [other for other in turns if other.version > turn.version]
    for other in (*reversed(earlier), *later):
        recording = other.log.recording
        if recording:
            yield tuple(each for each in recording.readings if _is_lasting(each))


def _is_lasting(reading: Reading) -> bool:
    """Tell whether what a turn read says something of other turns: an order moves on."""
    return reading.call.startswith(("catalog.", "native.", "flows.mapping", "flows.deployments"))


def _cart_after(cart: Cart | None, record: TurnRecord | None) -> Cart | None:
    if record is None or record.cart is None:
        return cart
    return record.cart if record.cart.lines else None


def _names(turn: LoggedTurn, played: Replayed) -> dict[str, Said]:
    """Tell which state says a message now, by what Meta called it then."""
    now = {entry.id: entry.said for entry in played.said}
    found = ((m.wamid, now.get(m.entry.id) or m.entry.said) for m in turn.messages)
    return {wamid: said for wamid, said in found if wamid and said}


def _differences(turn: LoggedTurn, record: TurnRecord) -> Iterator[str]:
    log, now = turn.log, record.log
    for name in ("event", "source", "target", "outcome", "error", "steps"):
        before, after = getattr(log, name), getattr(now, name)
        if before != after:
            yield f"{name}: {before} -> {after}"
    # What the staff was told is in their conversation.
    decided = [entry for entry in record.outbox if entry.about is None]
    if len(turn.messages) != len(decided):
        yield f"messages: {len(turn.messages)} -> {len(decided)}"
    for message, entry in zip(turn.messages, decided, strict=False):
        yield from _changed(message, entry)


def _changed(message: LoggedMessage, entry: OutboxEntry) -> Iterator[str]:
    was, payload = message.entry, _as_sent(message, entry)
    pairs: list[tuple[str, object, object]] = [
        ("payload", was.payload, payload),
        ("id", was.id, entry.id),
        ("sequence", was.sequence, entry.sequence),
        ("reads", was.reads, entry.reads),
    ]
    if not message.is_switched:
        pairs.append(("template", was.template, entry.template))
    for name, before, after in pairs:
        left, right = orjson.dumps(before), orjson.dumps(after)
        if left != right:
            yield f"{was.id}: {name}: {left.decode()} -> {right.decode()}"
