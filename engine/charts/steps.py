"""The steps of a turn on any chart: what a plan does, one effect after the other.

A step is all or nothing: when an action refuses, what the step decided is taken back, the customer
stays where he was, and the chart goes on with `refused.<reason>`. What is shown for a branch or a
state is not known here: `run` says messages, `engine.flows.exchange` shows screens.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog
from pydantic import ValidationError

from engine.charts.compiler import ANYWHERE, BranchKey, Structure
from engine.charts.place import Place
from engine.domain.refusals import Reason, Refusal
from engine.errors import ChartStuck, RenderFailed
from engine.logs import reason
from engine.rendering.messages import evaluate
from engine.rendering.views import cart_view, tenant_view
from engine.spec.bundle import Bundle
from engine.spec.chart import Branch, Call, Chart, State
from engine.templating.language import GUARD_TURN
from engine.turn import EVENT_KEYS, Event, Turn

MAX_STEPS = 50
"""Actions, entries and raised events of one turn."""
BLANK_EVENT: Mapping[str, Any] = dict.fromkeys(EVENT_KEYS)
"""The keys every event has; the ones an event says nothing about are None."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Before:
    """What a step changes, as it was before it."""

    language: str
    entry: int
    entries: dict[str, int]
    variables: dict[str, Any]
    cart: Any
    lengths: tuple[int, ...]
    raised: deque[Event]


class Steps:
    """The steps of one turn; the program that a structure asks.

    Args:
        chart: the conversation's chart, or a Flow's.
        names: variables its texts may read, so that unset ones are None.
        place: where it stands.
        lists: what the turn decides; what a refused step added to them is taken away again.
    """

    def __init__(
        self,
        chart: Chart,
        structure: Structure,
        *,
        bundle: Bundle,
        turn: Turn,
        names: Iterable[str],
        place: Place,
        lists: tuple[list[Any], ...] = (),
    ) -> None:
        self.chart = chart
        self.structure = structure
        self.bundle = bundle
        self.turn = turn
        self.words = bundle.vocabulary(turn.conversation.language)
        self.place = self.home = place
        self.log: list[dict[str, Any]] = []
        self.raised: deque[Event] = deque()
        self.refusal: Refusal | None = None
        self.failure: BaseException | None = None
        self.fired = False
        self.entered: str | None = None
        self.left = MAX_STEPS
        self.names = tuple(names)
        self._shown = turn.cart
        self._lists: tuple[list[Any], ...] = (
            turn.orders_placed,
            turn.stock_taken,
            turn.flow_sessions,
            turn.sync_products,
            turn.notices,
            turn.given_back,
            turn.timers,
            *lists,
        )
        self.context = self._context()

    def _context(self) -> dict[str, Any]:
        turn, conversation = self.turn, self.turn.conversation
        context: dict[str, Any] = dict.fromkeys(self.names)
        context |= {
            "event": dict(BLANK_EVENT),
            "cart": cart_view(turn.cart),
            "customer": {
                "name": conversation.name,
                "phone": conversation.phone,
                "has_written": conversation.spoke_at is not None,
            },
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

    # What a chart shows ----------------------------------------------------------------------

    def show_branch(self, branch: Branch) -> None:
        """Show what a branch wants, once its actions are done."""

    def show_state(self, state: State) -> None:
        """Show what a state wants on entry, once its actions are done."""

    def missed(self, event: Event) -> None:
        """Note that an action refused what the customer wanted."""

    # Steps -----------------------------------------------------------------------------------

    def scope(self, event: str) -> str | None:
        """Tell who reacts to an event here: the "state", "anywhere", or nobody."""
        if self.place.leaf and self.structure.reacts(self.place.leaf, event):
            return "state"
        return "anywhere" if event in self.chart.anywhere else None

    async def step(self, event: Event | None) -> bool:
        """Take an event and the ones it raises; tell whether anything reacted to the first."""
        fired = await self._one(event)
        await self.drain(event)
        return fired

    async def drain(self, event: Event | None) -> None:
        """Take the events that were raised."""
        while self.raised and self.failure is None:
            following = self.raised.popleft()
            if event is not None:
                following = replace(following, data={**event.data, **following.data})
            if self.scope(following.name) is None and following.name.startswith("refused."):
                following = replace(following, name="refused")
            if self.scope(following.name) is None:
                log.warning("turn.event_unhandled", raised=following.name)
                self.log.append({"unhandled": following.name})
                continue
            await self._one(following)

    async def _one(self, event: Event | None) -> bool:
        if event is not None and self.scope(event.name) is None:
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
            self._refused(event, before)
        elif not self.fired:  # nobody wanted it, also not where an old message was said
            self.place = self.home
        elif self.failure is None:
            self.place = self.home = Place(*after)
        return self.fired

    def _refused(self, event: Event | None, before: _Before) -> None:
        """Take back what a step did, and go on with what its action said."""
        assert self.refusal is not None
        self._restore(before)
        self.place = self.home
        if event is not None:
            self.missed(event)
        details = {"reason": self.refusal.reason.value, **self.refusal.details}
        self.raised.appendleft(Event(f"refused.{self.refusal.reason.value}", details))

    def _remember(self) -> _Before:
        conversation = self.turn.conversation
        return _Before(
            conversation.language,
            conversation.entry,
            conversation.entries,
            dict(conversation.variables),
            self.turn.cart,
            tuple(len(decided) for decided in self._lists),
            deque(self.raised),
        )

    def _restore(self, before: _Before) -> None:
        turn, conversation = self.turn, self.turn.conversation
        conversation.language = before.language
        conversation.entry, conversation.entries = before.entry, before.entries
        conversation.variables, turn.cart, self.raised = (
            before.variables,
            before.cart,
            before.raised,
        )
        for decided, length in zip(self._lists, before.lengths, strict=True):
            del decided[length:]
        self.context |= dict.fromkeys(self.names)
        self._refresh()

    def _spend(self) -> bool:
        self.left -= 1
        if self.left < 0 and self.failure is None:
            self.failure = ChartStuck(f"more than {MAX_STEPS} steps")
        return self.failure is None

    # What a structure asks -------------------------------------------------------------------

    def branch(self, key: BranchKey) -> Branch:
        """Find a branch."""
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
        branch = self.branch(key)
        if self.failure is not None or self.refusal is not None or branch.condition is None:
            return False
        step: dict[str, Any] = {"guard": branch.where, "holds": False}
        try:
            step["holds"] = branch.condition.holds(self.context)
        except RenderFailed as error:
            log.warning("turn.guard_failed", at=branch.where, error=reason(error))
            step["failed"] = str(error)
        self.log.append(step)
        return bool(step["holds"])

    async def take(self, key: BranchKey) -> None:
        """Do and show what a branch wants."""
        self.fired = True
        branch = self.branch(key)
        self.log.append({"branch": branch.where, "event": key[1]})
        await self._do(branch)

    async def enter(self, state: str) -> None:
        """Do and show what a state wants on entry."""
        if self.refusal or self.failure is not None:
            return
        spec = self.chart.states[state]
        self.entered = state
        conversation = self.turn.conversation
        conversation.entry += 1
        conversation.entries = {**conversation.entries, state: conversation.entry}
        self.context["state"] = state
        self.log.append({"state": state})
        await self._do(spec)

    async def _do(self, part: Branch | State) -> None:
        try:
            for call in part.calls:
                if not self._spend() or not await self._call(call):
                    return
            if isinstance(part, State):
                self.show_state(part)
            else:
                self.show_branch(part)
        except Exception as error:  # noqa: BLE001 - the turn boundary: python-statemachine would go on
            self.failure = error

    async def _call(self, call: Call) -> bool:
        values = {name: evaluate(v, self.context) for name, v in call.arguments.items()}
        try:
            arguments = call.verb.bind(values)
        except ValidationError as error:
            # Literals were checked when the chart was loaded: the customer's own words do not fit.
            place = ".".join(str(p) for p in error.errors()[0]["loc"])
            log.warning("turn.argument_refused", at=call.where, action=call.verb.name)
            refused = {"refused": Reason.INVALID.value, "argument": place}
            self.log.append({"action": call.verb.name, "at": call.where} | refused)
            self.refusal = Refusal(Reason.INVALID)
            return False
        outcome = await call.verb.function(self.turn, **arguments)
        step: dict[str, Any] = {"action": call.verb.name, "at": call.where}
        self.log.append(step)
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
