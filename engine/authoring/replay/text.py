"""Why did it say that: a logged turn as lines for a person, and as JSON for a program.

What is shown is what was logged; only the places of states are looked up in the bundle.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any, Final

from engine.authoring.replay.turns import NO_MESSAGE, NO_RECORDING, Replayed, message_of, said_in
from engine.charts.timers import ENTRY
from engine.errors import EngineError
from engine.ports import LoggedTurn
from engine.spec.bundle import Bundle
from engine.transcript import lines
from engine.whatsapp import content as wire

DIGITS: Final = 12
"""Digits of a bundle's digest that are shown."""
Json = dict[str, Any]


def explained(turn: LoggedTurn, bundle: Bundle | None, zone: tzinfo) -> Iterator[str]:
    """Tell what a turn did and why.

    Args:
        bundle: what is served now; None if it cannot be.
        zone: the tenant's.
    """
    log = turn.log
    moved = f"{log.source or 'nowhere'} -> {log.target or 'nowhere'}"
    yield f"{when(turn.at, zone)}  turn {turn.version}  {moved}  ({log.outcome})"
    yield f"  {heard(turn)}"
    if log.event:
        yield f"  event   {log.event}"
    for step in log.steps:
        yield f"  {_step(step, bundle)}"
    if log.error:
        yield f"  failed  {log.error}"
    for message in said_in(turn):
        first, *rest = lines(message.entry.payload)
        yield f"  bot: {first}"
        yield from (f"       {line}" for line in rest)
    if not said_in(turn):
        yield "  (no answer)"
    yield f"  version {_version(turn, bundle)}"
    if log.recording is None:
        yield "  (what it was decided from was not recorded: an earlier version took it)"


def when(at: datetime, zone: tzinfo) -> str:
    """Write a time as the tenant's clocks had it."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _version(turn: LoggedTurn, bundle: Bundle | None) -> str:
    is_served = bundle is not None and bundle.digest == turn.log.bundle
    return turn.log.bundle[:DIGITS] + ("" if is_served else ", not the one that is here now")


def _step(step: Mapping[str, Any], bundle: Bundle | None) -> str:
    if "guard" in step:
        held = "holds" if step.get("holds") else "does not hold"
        failed = f": it fails: {step['failed']}" if "failed" in step else ""
        return f"guard   {step['guard']}  {held}{failed}"
    if "branch" in step:
        return f"branch  {step['branch']}  on {step.get('event')}"
    if "state" in step:
        state = bundle.chart.states.get(step["state"]) if bundle else None
        return f"state   {step['state']}" + (f"  {state.where}" if state else "")
    if "action" in step:
        came = (f"{key} {step[key]}" for key in ("refused", "raised") if key in step)
        return "  ".join(("action ", f"{step.get('at', '')}", step["action"], *came))
    if "say" in step:
        return f"say     {step.get('at', '')}  {step['say']}"
    return "  ".join(f"{key} {value}" for key, value in step.items())


# What came ---------------------------------------------------------------------------------------


def heard(turn: LoggedTurn) -> str:
    """Write what a turn answered, as a transcript does."""
    try:
        message = message_of(turn)
    except EngineError as error:
        return f"(what came cannot be read: {error})"
    if message:
        return said_by(message.content)
    session = turn.log.recording.session if turn.log.recording else None
    if session:
        return f"customer finishes the Flow {session.flow}"
    return f"({NO_MESSAGE})"


def said_by(content: wire.Content) -> str:
    """Write what a customer sent."""
    writer = _WRITERS.get(type(content))
    return writer(content) if writer else f"customer sends: {type(content).__name__.lower()}"


def _raised(event: wire.Raised) -> str:
    return f"(the timer {event.event} ran out)" if ENTRY in event.data else f"({event.event})"


def _place(place: wire.Location) -> str:
    named = ", ".join(part for part in (place.name, place.address) if part)
    return f"customer shares a place: {named or f'{place.latitude}, {place.longitude}'}"


def _media(media: wire.Media) -> str:
    caption = f": {media.caption}" if media.caption else ""
    return f"customer sends: {'voice' if media.voice else media.kind}{caption}"


def _cart(order: wire.NativeOrder) -> str:
    shown = "; ".join(f"{item.quantity}× {item.product_id}" for item in order.items)
    return f"customer sends: a cart: {shown}"


_WRITERS: Final[Mapping[type, Callable[[Any], str]]] = {
    wire.Text: lambda text: f"customer: {text.body}",
    wire.Tap: lambda tap: f"customer taps: {tap.title or tap.id} ({tap.id})",
    wire.Raised: _raised,
    wire.Location: _place,
    wire.Media: _media,
    wire.NativeOrder: _cart,
    wire.FlowReply: lambda _: "customer finishes a Flow",
}


# Beside another content --------------------------------------------------------------------------


def parted(played: Replayed, zone: tzinfo) -> Iterator[str]:
    """Tell where the messages of a turn part from what they were."""
    turn = played.turn
    yield f"{when(turn.at, zone)}  turn {turn.version}  {heard(turn)}"
    if played.record is None:
        yield f"  ? {played.reason or NO_RECORDING}"
        return
    yield from _marked("-", (message.entry.payload for message in said_in(turn)))
    yield from _marked("+", (entry.payload for entry in played.said))
    before, after = turn.log.target, played.record.log.target
    if before != after:
        yield f"  he stands in {after} now, he stood in {before}"
    if played.record.log.error and played.record.log.error != turn.log.error:
        yield f"  the turn fails: {played.record.log.error}"


def _marked(mark: str, payloads: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    is_empty = True
    for payload in payloads:
        is_empty = False
        first, *rest = lines(payload)
        yield f"  {mark} {first}"
        yield from (f"  {mark}   {line}" for line in rest)
    if is_empty:
        yield f"  {mark} (no answer)"


# JSON --------------------------------------------------------------------------------------------


def as_json(turn: LoggedTurn) -> Json:
    """Give a turn in plain JSON values."""
    log = turn.log
    recording = log.recording
    return {
        "id": turn.id,
        "version": turn.version,
        "at": turn.at.isoformat(),
        "heard": heard(turn),
        "event": log.event,
        "source": log.source,
        "target": log.target,
        "outcome": log.outcome,
        "error": log.error,
        "bundle": log.bundle,
        "steps": [dict(step) for step in log.steps],
        "said": [dict(message.entry.payload) for message in said_in(turn)],
        "is_recorded": recording is not None,
        "reads": [
            {"call": reading.call, "arguments": list(reading.arguments)}
            for reading in (recording.readings if recording else ())
        ],
    }


def parted_json(played: Replayed) -> Json:
    """Give a replayed turn in plain JSON values."""
    turn, record = played.turn, played.record
    return {
        "id": turn.id,
        "version": turn.version,
        "at": turn.at.isoformat(),
        "heard": heard(turn),
        "parts": played.parts,
        "reason": played.reason,
        "before": [dict(message.entry.payload) for message in said_in(turn)],
        "after": [dict(entry.payload) for entry in played.said] if record else None,
        "target": {"before": turn.log.target, "after": record.log.target if record else None},
    }
