"""One turn of a chart: an event in, a position, messages and decisions out; nothing is written.

A step is all or nothing: when an action refuses, what the step decided is taken back, the customer
stays where he was, and the chart goes on with `refused.<reason>`.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from pydantic import ValidationError

from engine.charts.compiler import ANYWHERE, BranchKey, Structures
from engine.charts.inbound import NOTHING_MATCHED, Candidates
from engine.charts.place import Place, innermost, locate, renamed
from engine.domain.cart import Cart
from engine.domain.conversation import Position
from engine.domain.refusals import Reason, Refusal
from engine.errors import ChartStuck, Conflict, EngineError, RenderFailed, Unavailable
from engine.ports import Timer
from engine.rendering.messages import evaluate, render_all
from engine.rendering.views import cart_view, tenant_view
from engine.spec.bundle import Bundle
from engine.spec.check import variables_of
from engine.spec.model import Branch, Call, Chart, delay_of, timer_event
from engine.templating.language import GUARD_TURN
from engine.turn import Event, Turn
from engine.whatsapp.outbound import OutboundMessage

MAX_STEPS = 50
"""Actions, entries and raised events of one turn."""
BLANK_EVENT: Mapping[str, Any] = dict.fromkeys(
    (
        "name", "id", "title", "argument", "arguments", "text", "number", "quantity", "kind",
        "latitude", "longitude", "items", "response", "reason", "product", "product_id", "group",
        "minimum", "maximum",
    )
)  # fmt: skip
"""The keys every event has; the ones an event says nothing about are None."""

Origin = Callable[[], Awaitable[str | None]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Said:
    """A message and the state that said it."""

    message: OutboundMessage
    state: str | None


@dataclass(slots=True)
class TurnResult:
    """What a turn decided.

    Args:
        steps: what happened, in order, for the turn log.
        failure: why it could not be finished; then nothing of it may be saved.
    """

    turn: Turn
    event: str
    source: str | None
    said: list[Said] = field(default_factory=list)
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
    """Runs the turns of every tenant; it holds compiled structures and no conversation."""

    def __init__(self) -> None:
        self._structures = Structures()
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
        steps = _Steps(self, bundle, turn)
        await steps.go(candidates, origin)
        if isinstance(steps.failure, (Unavailable, Conflict)):
            raise steps.failure
        return steps.result

    def names(self, chart: Chart) -> tuple[str, ...]:
        """Give the variables a chart's texts may read, so that unset ones are None."""
        if chart.digest not in self._variables:
            self._variables[chart.digest] = tuple(variables_of(chart))
        return self._variables[chart.digest]

    @property
    def structures(self) -> Structures:
        """Give the compiled structures."""
        return self._structures


class _Steps:
    """The steps of one turn; the program that a machine asks."""

    def __init__(self, runner: Runner, bundle: Bundle, turn: Turn) -> None:
        self.chart = bundle.chart
        self.bundle = bundle
        self.turn = turn
        self.words = bundle.vocabulary(turn.conversation.language)
        self.structure = runner.structures.of(bundle.chart)
        self.place = self.home = locate(bundle.chart, turn.conversation.position)
        self.result = TurnResult(turn, "", self.place.leaf)
        self.raised: deque[Event] = deque()
        self.refusal: Refusal | None = None
        self.failure: BaseException | None = None
        self.fired = False
        self.entered: str | None = None
        self.quiet = False
        self.refused_text = False
        self.left = MAX_STEPS
        self.cart_before = self._shown = turn.cart
        self.names = runner.names(bundle.chart)
        self.context = self._context(self.names)

    def _context(self, names: Iterable[str]) -> dict[str, Any]:
        turn, conversation = self.turn, self.turn.conversation
        context: dict[str, Any] = dict.fromkeys(names)
        context |= {
            "event": dict(BLANK_EVENT),
            "cart": cart_view(turn.cart),
            "customer": {"name": conversation.name, "phone": conversation.phone},
            "tenant": tenant_view(turn.tenant, conversation.language),
            "now": turn.now,
            "is_new": conversation.position is None,
            "misses": conversation.misses,
            GUARD_TURN: turn,
        }
        context |= conversation.variables
        self._speak(context)
        return context

    def _speak(self, context: dict[str, Any]) -> None:
        language = self.turn.conversation.language
        self.words = self.bundle.vocabulary(language)
        self.turn.terms = self.words.terms
        context["language"] = language
        context["locale"] = self.turn.tenant.locale(language)
        context["terms"] = self.words.terms

    # The turn --------------------------------------------------------------------------------

    async def go(self, candidates: Candidates, origin: Origin | None) -> None:
        """Take the message's event and everything the chart raises after it."""
        conversation = self.turn.conversation
        if candidates.language in self.turn.tenant.languages:
            conversation.language = candidates.language or conversation.language
            self._speak(self.context)
        event = self._choose(candidates)
        if event is None and candidates.general == "tap" and origin:
            event = self._from_old_message(candidates.sure[0], await origin())
        self.result.event = event.name if event else NOTHING_MATCHED
        if self.place.moved and not (event and event.name in self.chart.anywhere):
            # The state he was in is gone: tell him, and do not misread what he answered to it.
            event = Event("moved", candidates.data)
        taken = event is not None and await self._step(event)
        if not taken and self.failure is None:
            await self._unmatched(candidates)
        elif not self.refused_text:
            self.turn.conversation.misses = 0
        self._finish()

    async def _unmatched(self, candidates: Candidates) -> None:
        conversation = self.turn.conversation
        if self.place.leaf is None:
            await self._step(None)
            return
        conversation.misses += 1
        self.context["misses"] = conversation.misses
        fallback = "old_tap" if candidates.general == "tap" else NOTHING_MATCHED
        data = {**candidates.data, "kind": candidates.general}
        if not await self._step(Event(fallback, data)) and fallback != NOTHING_MATCHED:
            await self._step(Event(NOTHING_MATCHED, data))

    def _choose(self, candidates: Candidates) -> Event | None:
        """Choose the first event somebody here reacts to."""
        general = Event(candidates.general, candidates.data)
        for event in candidates.sure:
            if self._scope(event.name):
                return event
        if self._scope(general.name) == "state":
            return general
        for event in candidates.vague:
            if self._scope(event.name):
                return event
        return general if self._scope(general.name) else None

    def _from_old_message(self, event: Event, said_by: str | None) -> Event | None:
        """Go back to the state that offered what the customer tapped, if it still reacts to it."""
        leaf = renamed(self.chart, said_by) if said_by else None
        if leaf is None:
            return None
        self.place = Place(innermost(self.chart, leaf), None)
        if self._scope(event.name) is None:
            self.place = self.home
            return None
        return event

    def _scope(self, event: str) -> str | None:
        if self.place.leaf and self.structure.reacts(self.place.leaf, event):
            return "state"
        return "anywhere" if event in self.chart.anywhere else None

    async def _step(self, event: Event | None) -> bool:
        """Take an event and the ones it raises; tell whether anything reacted to the first."""
        self.quiet = False
        fired = await self._one(event)
        while self.raised and self.failure is None:
            following = self.raised.popleft()
            if event is not None:
                following = replace(following, data={**event.data, **following.data})
            if self._scope(following.name) is None and following.name.startswith("refused."):
                following = replace(following, name="refused")
            if self._scope(following.name) is None:
                log.warning("turn.event_unhandled", raised=following.name)
                continue
            await self._one(following)
        return fired

    async def _one(self, event: Event | None) -> bool:
        if event is not None and self._scope(event.name) is None:
            return False
        if not self._spend():
            return False
        before = self._remember()
        self.fired, self.refusal, self.entered = event is None, None, None
        if event is not None:
            self.context["event"] = {**BLANK_EVENT, **event.data, "name": event.name}
        self.context["state"] = self.place.leaf
        name, place = event.name if event else None, self.place
        try:
            after = await self.structure.step(self, name, leaf=place.leaf, resume=place.resume)
        except ChartStuck as error:
            self.failure = error
            return False
        if self.refusal:
            self._restore(before)
            self.place = self.home
            if event is not None and event.name == "text":
                self.refused_text = True
                self.turn.conversation.misses += 1
                self.context["misses"] = self.turn.conversation.misses
            details = {"reason": self.refusal.reason.value, **self.refusal.details}
            self.raised.appendleft(Event(f"refused.{self.refusal.reason.value}", details))
        elif not self.fired:  # nobody wanted it, also not where an old message was said
            self.place = self.home
        elif self.failure is None:
            self.place = self.home = Place(*after)
        return self.fired

    def _remember(self) -> tuple[Any, ...]:
        turn, conversation = self.turn, self.turn.conversation
        return (
            conversation.language, conversation.entry, dict(conversation.variables), turn.cart,
            len(turn.orders_placed), len(turn.stock_taken), len(self.result.said),
            len(self.result.timers), deque(self.raised),
        )  # fmt: skip

    def _restore(self, before: tuple[Any, ...]) -> None:
        turn, conversation = self.turn, self.turn.conversation
        conversation.language, conversation.entry, conversation.variables, turn.cart = before[:4]
        orders, stock, said, timers, self.raised = before[4:]
        del turn.orders_placed[orders:], turn.stock_taken[stock:]
        del self.result.said[said:], self.result.timers[timers:]
        self.context |= dict.fromkeys(self.names)
        self._refresh()

    def _finish(self) -> None:
        if self.failure is not None:
            self.result.failure = str(self.failure) or type(self.failure).__name__
            self.result.said.clear()
            self._say_problem()
            return
        turn, leaf = self.turn, self.place.leaf
        turn.conversation.position = self._position(leaf) if leaf else None
        self.result.cart = turn.cart if turn.cart is not self.cart_before else None

    def _position(self, leaf: str) -> Position:
        return Position(
            chart=self.chart.id,
            version=self.chart.version,
            structure=self.structure.digest,
            leaf=leaf,
            path=self.chart.path(leaf),
            resume=self.place.resume,
        )

    def _say_problem(self) -> None:
        for branch in self.chart.anywhere.get("problem", ()):
            try:
                self._say(branch.say)
            except EngineError as error:
                log.error("turn.problem_unsayable", error=str(error))
            return

    def _spend(self) -> bool:
        self.left -= 1
        if self.left < 0 and self.failure is None:
            self.failure = ChartStuck(f"more than {MAX_STEPS} steps")
        return self.failure is None

    # What a machine asks ---------------------------------------------------------------------

    def _branch(self, key: BranchKey) -> Branch:
        scope, event, place = key
        if scope == ANYWHERE:
            return self.chart.anywhere[event][place]
        state = self.chart.states[scope]
        branches = state.when.get(event)
        if branches is None:
            branches = dict(state.branches())[event]
        return branches[place]

    def allows(self, key: BranchKey) -> bool:
        """Tell whether a branch's guard holds; one that cannot be calculated does not."""
        branch = self._branch(key)
        if self.failure is not None or self.refusal is not None or branch.condition is None:
            return False
        try:
            holds = branch.condition.holds(self.context)
        except RenderFailed as error:
            log.warning("turn.guard_failed", error=str(error))
            holds = False
        self.result.steps.append({"guard": branch.where, "holds": holds})
        return holds

    async def take(self, key: BranchKey) -> None:
        """Do and say what a branch wants."""
        self.fired = True
        branch = self._branch(key)
        self.quiet = self.quiet or branch.quiet
        self.result.steps.append({"branch": branch.where, "event": key[1]})
        await self._do(branch.calls, branch.say)

    async def enter(self, state: str) -> None:
        """Do and say what a state wants on entry, and start its timers."""
        if self.refusal or self.failure is not None:
            return
        spec = self.chart.states[state]
        self.entered = state
        self.turn.conversation.entry += 1
        self.context["state"] = state
        self.result.steps.append({"state": state})
        await self._do(spec.calls, spec.say)
        if self.refusal or self.failure is not None:
            return
        conversation = self.turn.conversation
        for delay in spec.after:
            name = timer_event(state, delay)
            timer_id = f"{conversation.tenant}:{conversation.customer}:{conversation.entry}:{name}"
            due = self.turn.now + delay_of(delay)
            self.result.timers.append(
                Timer(
                    timer_id, conversation.tenant, conversation.customer, name,
                    conversation.entry, due,
                )
            )  # fmt: skip

    async def _do(self, calls: tuple[Call, ...], say: tuple[str, ...]) -> None:
        try:
            for call in calls:
                if not self._spend() or not await self._call(call):
                    return
            self._say(say)
        except Exception as error:  # noqa: BLE001 - the turn boundary: python-statemachine would go on
            self.failure = error

    async def _call(self, call: Call) -> bool:
        values = {name: evaluate(v, self.context) for name, v in call.arguments.items()}
        try:
            arguments = call.verb.bind(values)
        except ValidationError as error:
            # Literals were checked when the chart was loaded: the customer's own words do not fit.
            place = ".".join(str(p) for p in error.errors()[0]["loc"])
            log.warning("turn.argument_refused", at=call.where, action=call.verb.name, field=place)
            self.refusal = Refusal(Reason.INVALID)
            return False
        outcome = await call.verb.function(self.turn, **arguments)
        step: dict[str, Any] = {"action": call.verb.name, "at": call.where}
        self.result.steps.append(step)
        if isinstance(outcome, Refusal):
            step["refused"] = outcome.reason.value
            self.refusal = outcome
            return False
        if isinstance(outcome, Event):
            step["raised"] = outcome.name
            self.raised.append(outcome)
        self._refresh()
        return True

    def _refresh(self) -> None:
        turn = self.turn
        if turn.cart is not self._shown:
            self._shown = turn.cart
            self.context["cart"] = cart_view(turn.cart)
        if turn.conversation.language != self.context["language"]:
            self._speak(self.context)
            self.context["tenant"] = tenant_view(turn.tenant, turn.conversation.language)
        self.context |= turn.variables
        self.context |= turn.memory

    def _say(self, messages: tuple[str, ...]) -> None:
        for name in messages:
            message = self.words.messages.get(name)
            if message is None:
                raise RenderFailed(f"there is no message '{name}' in {self.words.language}")
            rendered = render_all(message, self.context)
            if not self.quiet:
                state = self.entered or self.place.leaf
                self.result.said += [Said(part, state) for part in rendered]
