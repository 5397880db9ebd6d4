"""One turn of a conversation: an event in, a position, messages and decisions out.

Nothing is written here. What a step may do and take back is in `steps`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from engine.box_ports import Timer
from engine.charts.compiler import BranchKey, Structures
from engine.charts.inbound import (
    NOTHING_MATCHED,
    RAISED,
    TYPED,
    UNASKED,
    Candidates,
    typed,
)
from engine.charts.place import Place, innermost, locate, renamed
from engine.charts.steps import Steps
from engine.charts.timers import ENTRY, entries_now, timers_of
from engine.domain.cart import Cart
from engine.domain.conversation import Position
from engine.errors import Conflict, EngineError, RenderFailed, TurnError, Unavailable
from engine.logs import reason
from engine.rendering.fitting import Context
from engine.rendering.messages import render, render_all, render_template
from engine.rendering.views import tenant_view
from engine.spec.bundle import Bundle
from engine.spec.chart import Branch, Chart, State
from engine.spec.check import variables_of
from engine.spec.message import Message
from engine.staff_ports import Notice
from engine.turn import Event, Turn
from engine.whatsapp.outbound import OutboundMessage

ANSWERS = frozenset({"text", "location"})
"""Events that may be the answer to a question of a state that is gone; others mean what they say
wherever the customer stands."""
Origin = Callable[[], Awaitable[str | None]]
Heard = Callable[[Message, Context], None]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Said:
    """A message and the state that said it.

    Args:
        template: what is sent instead when the 24-hour window is closed, if there is such a thing.
        part: place among the messages that one authored message became. Only the first has its
            template, which stands for all of them.
    """

    message: OutboundMessage
    state: str | None
    template: OutboundMessage | None = None
    part: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """A message to the staff, and what it is of.

    Args:
        message: None if its own condition does not hold.
        template: what is sent instead when their 24-hour window is closed.
    """

    notice: Notice
    message: OutboundMessage | None
    template: OutboundMessage | None


@dataclass(slots=True)
class TurnResult:
    """What a turn decided.

    Args:
        steps: what happened, in order, for the turn log.
        told: what the staff is told.
        failure: why it could not be finished; then nothing of it may be saved.
    """

    turn: Turn
    event: str
    source: str | None
    said: list[Said] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    cart: Cart | None = None
    failure: str | None = None

    @property
    def target(self) -> str | None:
        """Name the state the conversation is in now."""
        position = self.turn.conversation.position
        return position.leaf if position else None


class Runner:
    """Runs the turns of every tenant; it holds compiled structures and no conversation.

    Args:
        heard: is told of every message that is said, with what its texts read.
        structures: compiled structures that others use too; its own by default.
    """

    def __init__(self, heard: Heard | None = None, structures: Structures | None = None) -> None:
        self.heard = heard
        self._structures = structures or Structures()
        self._variables: dict[str, tuple[str, ...]] = {}

    async def run(
        self, bundle: Bundle, turn: Turn, candidates: Candidates, *, origin: Origin | None = None
    ) -> TurnResult:
        """Take one message's turn.

        Args:
            turn: its conversation and cart are changed by it.
            candidates: what the message may mean.
            origin: finds the state that said the message a tap answers; asked only for a tap that
                means nothing where the customer stands.

        Returns:
            The decisions. A failed action or template is a `failure` in it, not an exception;
            errors of the database pass.
        """
        talk = _Talk(self, bundle, turn)
        await talk.go(candidates, origin)
        if isinstance(talk.failure, (Unavailable, Conflict)):
            raise talk.failure
        return talk.result

    def problem(self, bundle: Bundle, turn: Turn, failure: str) -> TurnResult:
        """Give what a turn decides that cannot be taken: only what the chart says of a problem."""
        talk = _Talk(self, bundle, turn)
        talk.fail(failure)
        return talk.result

    def names(self, chart: Chart) -> tuple[str, ...]:
        """Give the variables a chart's texts may read, so that unset ones are None."""
        if chart.digest not in self._variables:
            self._variables[chart.digest] = tuple(variables_of(chart))
        return self._variables[chart.digest]

    @property
    def structures(self) -> Structures:
        """Give the compiled structures."""
        return self._structures


class _Talk(Steps):
    """The steps of a turn whose chart says messages."""

    def __init__(self, runner: Runner, bundle: Bundle, turn: Turn) -> None:
        chart = bundle.chart
        place = locate(chart, turn.conversation.position)
        self.result = TurnResult(turn, "", place.leaf)
        self.heard = runner.heard
        self.quiet = False
        self.refused_text = False
        self.cart_before = turn.cart
        super().__init__(
            chart,
            runner.structures.of(chart),
            bundle=bundle,
            turn=turn,
            names=runner.names(chart),
            place=place,
            lists=(self.result.said, self.result.told),
        )
        self.result.steps = self.log
        self.is_moved = place.moved
        self.is_ours = self.is_unasked = False
        conversation = turn.conversation
        conversation.entries = entries_now(chart, conversation.entries)
        self.entry_before = conversation.entry

    async def go(self, candidates: Candidates, origin: Origin | None) -> None:
        """Take the message's event and everything the chart raises after it."""
        conversation = self.turn.conversation
        self.is_ours = candidates.general == RAISED
        self.is_unasked = self.is_ours and (
            ENTRY in candidates.data or candidates.sure[-1].name in UNASKED
        )
        if candidates.language in self.turn.tenant.languages:
            conversation.language = candidates.language or conversation.language
            self._speak(self.context)
        event = self._choose(candidates)
        if event is None and candidates.general == "tap" and origin:
            event = self._from_old_message(candidates.sure[0], await origin())
        self.result.event = event.name if event else NOTHING_MATCHED
        known = (
            event is not None and event.name in self.chart.anywhere and event.name not in ANSWERS
        )
        if self.is_moved and not known and not self.is_ours:
            # The state he was in is gone: tell him, and do not misread what he answered to it.
            event = Event("moved", candidates.data)
        taken = event is not None and await self.step(event)
        if not taken and self.failure is None:
            await self._unmatched(candidates)
        elif not self.refused_text and not self.is_ours:
            self.turn.conversation.misses = 0
        self._finish()

    def fail(self, reason: str) -> None:
        """Take nothing, and say that something went wrong."""
        self.failure = TurnError(reason)
        self._finish()

    async def step(self, event: Event | None) -> bool:
        """Take an event and the ones it raises; `quiet` holds until they are done."""
        self.quiet = False
        return await super().step(event)

    async def _unmatched(self, candidates: Candidates) -> None:
        if self.is_ours:
            return
        conversation = self.turn.conversation
        if self.place.leaf is None:
            await self.step(None)
            return
        conversation.misses += 1
        self.context["misses"] = conversation.misses
        fallback = "old_tap" if candidates.general == "tap" else NOTHING_MATCHED
        data = {**candidates.data, "kind": candidates.general}
        if not await self.step(Event(fallback, data)) and fallback != NOTHING_MATCHED:
            await self.step(Event(NOTHING_MATCHED, data))

    def _choose(self, candidates: Candidates) -> Event | None:
        """Choose the first event somebody here reacts to."""
        general = Event(candidates.general, candidates.data)
        if general.name == "text" and self.scope(TYPED):
            return typed(candidates)
        for event in candidates.sure:
            if self.scope(event.name):
                return event
        if self.scope(general.name) == "state":
            return general
        for event in candidates.vague:
            if self.scope(event.name):
                return event
        return general if self.scope(general.name) else None

    def _from_old_message(self, event: Event, said_by: str | None) -> Event | None:
        """Go back to the state that offered what the customer tapped, if it still reacts to it."""
        leaf = renamed(self.chart, said_by) if said_by else None
        if leaf is None:
            return None
        self.place = Place(innermost(self.chart, leaf), None)
        if self.scope(event.name) is None:
            self.place = self.home
            return None
        return event

    def missed(self, event: Event) -> None:
        """Count a text that an action refused: it was not understood."""
        if event.name == "text":
            self.refused_text = True
            self.turn.conversation.misses += 1
            self.context["misses"] = self.turn.conversation.misses

    def _finish(self) -> None:
        if self.failure is not None:
            self.result.failure = str(self.failure) or type(self.failure).__name__
            self.result.said.clear()
            self.result.told.clear()
            if not self.is_unasked:  # nobody waits for an answer
                self._say_problem()
            return
        turn = self.turn
        self.result.cart = turn.cart if turn.cart is not self.cart_before else None
        if self.is_moved and self.is_ours and turn.conversation.entry == self.entry_before:
            return  # that the state he was in is gone, he is told when he answers
        self._stand(self.place.leaf)

    def _stand(self, leaf: str | None) -> None:
        """Note where the customer stands now, and start the timers of what he has entered.

        Some states he comes into without their being entered: by a tap on an old message, or
        because the chart has changed around him.
        """
        conversation = self.turn.conversation
        conversation.position = self._position(leaf) if leaf else None
        entries: dict[str, int] = {}
        for state in self.chart.path(leaf) if leaf else ():
            if state not in conversation.entries:
                conversation.entry += 1
            entries[state] = conversation.entries.get(state, conversation.entry)
        conversation.entries = entries
        of_states = timers_of(self.chart, conversation, since=self.entry_before, now=self.turn.now)
        held = entries.values()
        self.result.timers = of_states + [t for t in self.turn.timers if t.entry in held]

    def _position(self, leaf: str) -> Position:
        return Position(
            chart=self.chart.id,
            version=self.chart.version,
            structure=self.structure.digest,
            leaf=leaf,
            path=self.chart.path(leaf),
            resume=self.place.resume,
        )

    # What the chart says ---------------------------------------------------------------------

    def _say_problem(self) -> None:
        for branch in self.chart.anywhere.get("problem", ()):
            try:
                self._say(branch.say)
            except EngineError as error:
                log.error("turn.problem_unsayable", error=reason(error))
            return

    async def take(self, key: BranchKey) -> None:
        """Do and say what a branch wants."""
        self.quiet = self.quiet or self.branch(key).quiet
        await super().take(key)

    def show_branch(self, branch: Branch) -> None:
        """Say what a branch says."""
        self._tell_staff()
        self._say(branch.say)

    def show_state(self, state: State) -> None:
        """Say what a state says."""
        self._tell_staff()
        self._say(state.say)

    def _tell_staff(self) -> None:
        """Make the messages that actions want the staff to get, in the tenant's first language."""
        told = self.result.told
        for notice in self.turn.notices[len(told) :]:
            tenant = self.turn.tenant
            language = tenant.languages[0]
            words = self.bundle.vocabulary(language)
            message = words.messages.get(notice.message)
            if message is None:
                raise RenderFailed(f"there is no message '{notice.message}' in {language}")
            context = self.context | {
                "language": language,
                "locale": tenant.locale(language),
                "terms": words.terms,
                "tenant": tenant_view(tenant, language),
                **notice.data,
            }
            self.log.append({"tell": notice.message, "at": message.where})
            made = render(message, context)
            template = render_template(message, context) if made else None
            told.append(Told(notice, made, template))

    def _say(self, messages: tuple[str, ...]) -> None:
        for name in messages:
            message = self.words.messages.get(name)
            if message is None:
                raise RenderFailed(f"there is no message '{name}' in {self.words.language}")
            rendered = render_all(message, self.context)
            unseen = {} if rendered else {"empty": True}
            self.log.append({"say": name, "at": message.where, **unseen})
            if self.heard:
                self.heard(message, self.context)
            template = render_template(message, self.context) if rendered else None
            if not self.quiet:
                state = self.entered or self.place.leaf
                self.result.said += [
                    Said(made, state, None if part else template, part)
                    for part, made in enumerate(rendered)
                ]
