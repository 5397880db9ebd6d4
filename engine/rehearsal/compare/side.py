"""One of two versions of a tenant that are compared: an act in, what a customer reads out.

What the other version says is not known here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from engine.charts.compiler import Structures
from engine.domain.ids import ProductId
from engine.errors import EngineError
from engine.flow_ports import FlowSession
from engine.flows.exchange import Screens
from engine.flows.rehearsal import rehearse
from engine.flows.samples import margherita
from engine.rehearsal.acts import Act
from engine.rehearsal.menu import MenuCatalog
from engine.rehearsal.moment import Moment
from engine.rehearsal.rehearsal import Rehearsal, Scene
from engine.rendering.fitting import Context
from engine.rendering.messages import render_all, render_template
from engine.rendering.views import tenant_view
from engine.spec.bundle import Bundle
from engine.spec.message import Message
from engine.transcript import Choice, choices, lines

_LOST = frozenset(("nothing_matched", "old_tap", "refused.not_found", "refused", "unsupported"))
"""Events that say that the customer was not understood, if they lead to no state."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a tenant: what is said, and what is sold."""

    bundle: Bundle
    catalog: MenuCatalog


@dataclass(frozen=True, slots=True)
class Read:
    """A message as a customer reads it.

    Args:
        message: its author's name for it; empty if it cannot be told.
        sent: the id a tap on it answers.
        state: the state that said it, as its author calls it.
        authored, context: what it was made of.
    """

    message: str
    language: str
    lines: tuple[str, ...]
    choices: tuple[Choice, ...] = ()
    sent: str = field(default="", compare=False)
    state: str = field(default="", compare=False)
    authored: Message | None = field(default=None, compare=False, repr=False)
    context: Context | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an act.

    Args:
        state: where the customer is then, as its author calls it.
        failure: why the turn failed, if it did.
        is_lost: he was told that he was not understood, or nothing.
        has_entered: he has come into a state, be it the one he was in.
    """

    said: tuple[Read, ...] = ()
    state: str | None = None
    failure: str | None = None
    is_lost: bool = False
    has_entered: bool = False


class Side:
    """Plays acts with one version and tells what is read.

    Args:
        structures: compiled charts.
        is_deployed: its Flows are deployed, and what it sells is in WhatsApp's own catalogue if
            it wants it there.
    """

    def __init__(self, version: Version, structures: Structures, *, is_deployed: bool) -> None:
        self.bundle = version.bundle
        self.catalog = version.catalog
        mode = version.bundle.tenant.catalog.mode
        self._heard: list[tuple[Message, Context]] = []
        self.rehearsal = Rehearsal(
            version.bundle,
            version.catalog,
            has_flows=is_deployed,
            has_native=is_deployed and mode == "single",
            heard=lambda message, context: self._heard.append((message, dict(context))),
            structures=structures,
        )
        self._screens = Screens()
        self._unsaid: set[str] = set()
        self._ends: dict[tuple[str, object], tuple[Mapping[str, Any], ...]] = {}

    async def play(self, moment: Moment, act: Act) -> tuple[Outcome, Moment]:
        """Play an act."""
        self._heard.clear()
        scene = await self.rehearsal.play(moment, act)
        return self._outcome(scene), scene.after

    async def wait(
        self, moment: Moment, delay: timedelta
    ) -> tuple[dict[timedelta, Outcome], Moment]:
        """Let time pass; give what was said meanwhile by how long that took."""
        begin, end = moment.now, moment.now + delay
        found: dict[timedelta, Outcome] = {}
        while (timer := moment.next_timer) and timer.due <= end and len(found) < 20:
            self._heard.clear()
            scene = await self.rehearsal.fire(moment, timer)
            moment = scene.after
            if scene.said or scene.failure:
                found[max(timer.due, begin) - begin] = self._outcome(scene)
        return found, replace(moment, now=end)

    async def ends_of(self, session: FlowSession) -> tuple[Mapping[str, Any], ...]:
        """Give what a Flow that was sent may end with."""
        opened = ProductId(str(session.input.get("product", "")))
        product = self.catalog.products.get(opened, margherita())
        flow = self.bundle.flows[session.flow]
        key = (flow.digest, product.id)
        if key not in self._ends:
            language = self.bundle.tenant.languages[0]
            walk = await rehearse(self._screens, flow, self.bundle, language, product)
            self._ends[key] = tuple(walk.ends)
        return self._ends[key]

    # What is read ----------------------------------------------------------------------------

    def _outcome(self, scene: Scene) -> Outcome:
        said = tuple(self._reads(scene))
        self._unsaid = {message.id for message, _ in self._heard} - {r.message for r in said}
        entered = any("state" in step for step in scene.record.log.steps)
        is_lost = not said or _is_lost(scene)
        return Outcome(said, scene.after.state, scene.failure, is_lost, entered)

    def _reads(self, scene: Scene) -> Iterator[Read]:
        language = scene.record.conversation.language
        authors = self._authors(scene)
        for entry, author in zip(scene.said, authors, strict=True):
            message, context = author or (None, None)
            shown = (*_seen(entry.payload), *_late(entry.template))
            yield Read(
                message.id if message else "",
                language,
                shown,
                tuple(choices(entry.payload)),
                sent=entry.id,
                state=entry.said.state if entry.said else "",
                authored=message,
                context=context,
            )

    def _authors(self, scene: Scene) -> list[tuple[Message, Context] | None]:
        """Find the authored message of every message of a scene."""
        heard = self._heard
        if len(scene.said) == len(heard) == 1:
            return [heard[0]]
        found: list[tuple[Message, Context] | None] = [None] * len(scene.said)
        place = 0
        for message, context in heard:
            # What a refused step or a quiet branch has said did not go out.
            made = [made.to_wire() for made in render_all(message, context)]
            held = [entry.payload for entry in scene.said[place : place + len(made)]]
            if len(held) == len(made) and all(map(_is_same, made, held)):
                found[place : place + len(made)] = [(message, context)] * len(made)
                place += len(made)
        return found

    def retold(self, outcome: Outcome, other: "Side", differing: frozenset[str]) -> Outcome | None:
        """Tell what would have been read of the act that the other side has just played.

        That holds only if the two differ in messages alone: these decide on nothing.

        Args:
            outcome: what the other side's customer read.
            differing: the messages that may read otherwise.

        Returns:
            None if it has to be played.
        """
        if outcome.failure or any(not read.message for read in outcome.said):
            return None
        if other._unsaid & differing:  # it may be said here
            return None
        said: list[Read] = []
        for read in outcome.said:
            if read.message in differing:
                made = self._retold(read)
                if made is None or sum(r.message == read.message for r in outcome.said) > 1:
                    return None
                said.append(made)
            else:
                said.append(read)
        return replace(outcome, said=tuple(said))

    def _retold(self, read: Read) -> Read | None:
        words = self.bundle.vocabulary(read.language)
        message = words.messages.get(read.message)
        if message is None or read.context is None:
            return None
        context = {**read.context, "terms": words.terms}
        try:
            made = render_all(message, context)
            late = render_template(message, context)
        except EngineError:
            return None
        if len(made) != 1:
            return None
        wire = made[0].to_wire()
        shown = (*_seen(wire), *_late(late.to_wire() if late else None))
        return replace(
            read, lines=shown, choices=tuple(choices(wire)), authored=message, context=context
        )

    def reads_in(self, language: str, read: Read) -> tuple[str, ...] | None:
        """Tell how a message that was heard reads in another language; None if it cannot be."""
        message = self.bundle.vocabulary(language).messages.get(read.message)
        if message is None or read.context is None:
            return None
        tenant = self.bundle.tenant
        context = {
            **read.context,
            "language": language,
            "locale": tenant.locale(language),
            "terms": self.bundle.vocabulary(language).terms,
            "tenant": tenant_view(tenant, language),
        }
        try:
            made = render_all(message, context)
        except EngineError as error:
            return (f"(it cannot be said: {error})",)
        return tuple(line for part in made for line in _seen(part.to_wire()))


def _is_lost(scene: Scene) -> bool:
    steps = scene.record.log.steps
    last = max((n for n, step in enumerate(steps) if "branch" in step), default=None)
    if last is None or steps[last]["event"] not in _LOST:
        return False
    return not any("state" in step for step in steps[last:])


def _is_same(made: Mapping[str, Any], payload: Mapping[str, Any]) -> bool:
    return all(payload.get(key) == value for key, value in made.items())


def _seen(payload: Mapping[str, Any]) -> Iterator[str]:
    """Write a message as a customer sees it, with the products that WhatsApp shows."""
    yield from lines(payload)
    action = payload.get("interactive", {}).get("action", {})
    if "product_retailer_id" in action:
        yield f"  • {action['product_retailer_id']}"
    for section in action.get("sections", ()):
        for item in section.get("product_items", ()):
            yield f"  • {item['product_retailer_id']}"


def _late(template: Mapping[str, Any] | None) -> Iterator[str]:
    """Write what is sent in a message's place after 24 hours of silence."""
    if not template:
        return
    parts = template["template"].get("components", ())
    texts = [str(p.get("text", "")) for part in parts for p in part.get("parameters", ())]
    yield f"(after 24 hours) {lines(template)[0]} {'; '.join(texts)}".rstrip()
