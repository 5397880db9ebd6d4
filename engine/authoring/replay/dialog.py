"""Logged turns -> a dialog that plays them again, with what is personal masked.

It is played with the tenant's own catalog, not with the one of that day. What cannot be a step of
a dialog is left out, and named.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from engine.authoring.replay.masks import ADDRESS, NAME, Masks, masks_of, personal_in
from engine.authoring.replay.text import when
from engine.authoring.replay.turns import message_of, said_in
from engine.charts.timers import ENTRY
from engine.errors import EngineError
from engine.ports import LoggedTurn, TurnRecord
from engine.spec.dialog import Dialog, Step
from engine.spec.dialog_text import dialog_text
from engine.transcript import choices, flow_button
from engine.whatsapp import content as wire
from engine.whatsapp.inbound import InboundMessage

SCHEMA: Final = "../../../schemas/dialog.schema.json"
LONG: Final = timedelta(minutes=1)
"""A shorter wait between two messages is not written."""
MOST: Final = 9999
"""The largest number a wait is written with."""
_UNITS: Final = (("s", 1), ("m", 60), ("h", 3600), ("d", 86400))
_SENT: Final[Mapping[type, str]] = {
    wire.Contacts: "contacts",
    wire.Reaction: "reaction",
    wire.Unknown: "unknown",
    wire.Unsupported: "unknown",
}
_MEDIA: Final = {"audio": "voice", "image": "image", "sticker": "sticker"}


class NothingToSave(EngineError):
    """There is no turn that could be a step."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A dialog made of turns.

    Args:
        left_out: a sentence for each thing that is not in it.
    """

    dialog: Dialog
    left_out: tuple[str, ...]

    def text(self) -> str:
        """Write it as YAML."""
        first, *rest = dialog_text(self.dialog, schema=SCHEMA).split("\n")
        notes = [f"# Left out: {sentence}" for sentence in self.left_out]
        return "\n".join([first, *notes, *rest])


def dialog_of(turns: Sequence[LoggedTurn], records: Sequence[TurnRecord], zone: tzinfo) -> Saved:
    """Make a dialog of a customer's turns.

    Args:
        turns: the oldest first.
        records: what they decide when they are replayed, as far as they can be.
        zone: the tenant's.

    Raises:
        NothingToSave: no message of them is kept.
    """
    script = _Script(masks_of(turns, records), _Personal.of(turns).masks)
    for turn in turns:
        script.add(turn)
    if script.begins is None or not script.steps:
        raise NothingToSave("no message of this customer is kept that could be a step of a dialog")
    script.settle()
    target = turns[-1].log.target
    if target and not script.left_out:
        script.steps.append(Step.model_validate({"expect": {"state": target}}))
    begins = script.begins.astimezone(zone)
    if turns[0].version > 1:
        script.left_out.insert(0, "what was said before: a dialog begins with a new customer")
    dialog = Dialog(
        about=f"Saved from a conversation of {when(begins, zone)[:10]}.",
        customer=NAME,
        at=begins.replace(tzinfo=None),
        flows=script.has_flows,
        steps=tuple(script.steps),
    )
    return Saved(dialog, tuple(script.left_out))


@dataclass(frozen=True, slots=True)
class _Personal:
    """What the messages themselves tell of who wrote them."""

    masks: Masks

    @classmethod
    def of(cls, turns: Sequence[LoggedTurn]) -> "_Personal":
        messages = [message for message in map(message_of, turns) if message]
        return cls(Masks(pair for message in messages for pair in personal_in(message)))


@dataclass(slots=True)
class _Script:
    """The steps as they are written.

    Args:
        masks, own: mask what is personal.
        begins: when the first message came; the time of the dialog.
        now: where the dialog's clock stands.
        timers: when the last timer since the customer's last message ran out.
    """

    masks: Masks
    own: Masks
    begins: datetime | None = None
    now: datetime | None = None
    timers: datetime | None = None
    steps: list[Step] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    has_flows: bool = False
    _offered: list[tuple[str | None, list[Any]]] = field(default_factory=list)

    def add(self, turn: LoggedTurn) -> None:
        """Add what came in a turn, and note what it offered."""
        message = message_of(turn)
        if message and isinstance(message.content, wire.Raised):
            self._ours(turn, message.content)
        elif message:
            self._wait(turn.at)
            self._step(turn, message)
        else:
            session = turn.log.recording.session if turn.log.recording else None
            self._miss(turn, f"what he entered in the Flow {session.flow}" if session else "it")
        for each in said_in(turn):
            self.has_flows = self.has_flows or flow_button(each.entry.payload) is not None
            self._offered.append((each.wamid, choices(each.entry.payload)))

    def settle(self) -> None:
        """Wait for the timers that ran out after the last message."""
        if self.timers:
            self._wait(self.timers)

    def masked(self, text: str) -> str:
        """Write a text without what is personal in it."""
        return self.own(self.masks(text))

    def _ours(self, turn: LoggedTurn, event: wire.Raised) -> None:
        if ENTRY in event.data:
            self.timers = turn.at
        else:
            self._miss(turn, f"that '{event.event}' became of a message")

    def _wait(self, until: datetime) -> None:
        until = until.replace(microsecond=0)
        if self.now is None:
            self.begins = self.now = until
        gap = until - self.now
        if self.timers or gap >= LONG:
            count, unit = _span(gap, is_up=self.timers is not None)
            if count:
                self.steps.append(Step(wait=f"{count}{unit}"))
                self.now += timedelta(seconds=count * dict(_UNITS)[unit])
        self.timers = None

    def _step(self, turn: LoggedTurn, message: InboundMessage) -> None:
        content = message.content
        if isinstance(content, wire.Tap):
            self.steps.append(self._tap(content, message.context_id))
            return
        writer = _WRITERS.get(type(content))
        made = writer(content, self.masked) if writer else None
        sent = _SENT.get(type(content))
        if made is not None:
            self.steps.append(Step.model_validate(made))
        elif sent:
            self.steps.append(Step.model_validate({"send": sent}))
        else:
            kind = type(content).__name__.lower()
            self._miss(turn, f"what he sent, which no step can be: {kind}")

    def _tap(self, tap: wire.Tap, answered: str | None) -> Step:
        """Name what he tapped as a dialog finds it: by its title if that is found first."""
        wanted = (answered, tap.id)
        titles = (tap.title,) if tap.title and self.masked(tap.title) == tap.title else ()
        for named in (*titles, tap.id):
            if self._first(named, reversed(self._offered)) == wanted:
                return Step(tap=named)
            if self._first(named, iter(self._offered)) == wanted:
                return Step(tap_old=named)
        return Step(tap=tap.id)

    def _first(
        self, named: str, offered: Iterator[tuple[str | None, list[Any]]]
    ) -> tuple[str | None, str] | None:
        """Give the first thing of a name that was offered: in which message, and its wire id."""
        for wamid, entries in offered:
            for entry in entries:
                if named in (entry.title, entry.id):
                    return wamid, entry.id
        return None

    def _miss(self, turn: LoggedTurn, what: str) -> None:
        self.left_out.append(f"{what} (turn {turn.version})")


def _span(gap: timedelta, *, is_up: bool) -> tuple[int, str]:
    """Write a time in the largest unit that is exact, rounded up if something has to be over."""
    seconds = max(gap.total_seconds(), 0.0)
    for _, size in _UNITS:
        count = math.ceil(seconds / size) if is_up else int(seconds // size)
        if count <= MOST:
            whole = count * size
            exact = (pair for pair in reversed(_UNITS) if whole % pair[1] == 0)
            unit, large = next(exact) if whole else _UNITS[0]
            return whole // large, unit
    return MOST, "d"


Mask = Callable[[str], str]


def _say(text: wire.Text, masked: Mask) -> Mapping[str, Any]:
    return {"say": masked(text.body)} if text.body.strip() else {"send": "empty"}


def _location(place: wire.Location, masked: Mask) -> Mapping[str, Any]:  # noqa: ARG001
    # A tenth of a degree: the town, not the house.
    about = {"latitude": round(place.latitude, 1), "longitude": round(place.longitude, 1)}
    return {"location": {**about, **({"address": ADDRESS} if place.address else {})}}


def _media(media: wire.Media, masked: Mask) -> Mapping[str, Any] | None:  # noqa: ARG001
    return {"send": _MEDIA[media.kind]} if media.kind in _MEDIA else None


def _order(order: wire.NativeOrder, masked: Mask) -> Mapping[str, Any]:
    items = [
        {
            "item": i.product_id,
            "quantity": i.quantity,
            "price": i.item_price,
            "currency": i.currency,
        }
        for i in order.items
    ]
    return {"order": {"items": items, **({"note": masked(order.text)} if order.text else {})}}


_WRITERS: Final[Mapping[type, Callable[[Any, Mask], Mapping[str, Any] | None]]] = {
    wire.Text: _say,
    wire.Location: _location,
    wire.Media: _media,
    wire.NativeOrder: _order,
}
