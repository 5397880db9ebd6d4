"""One exchange of a Flow: what the customer did on a screen in, the next screen with its data out.

Nothing is written here. The Flow's chart runs as a conversation's does; what a session remembers
takes the place of the conversation's variables.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from engine.charts.compiler import Structures
from engine.charts.place import Place
from engine.charts.steps import Steps
from engine.domain.refusals import Reason
from engine.errors import Conflict, RenderFailed, Unavailable
from engine.flows.form import Data, Form, NotOffered, fitted, form_of, read_form
from engine.logs import reason
from engine.rendering.messages import evaluate
from engine.rendering.views import plain
from engine.spec.bundle import Bundle
from engine.spec.chart import Branch, Value
from engine.spec.check import variables_of
from engine.spec.check_flow import EVENT
from engine.spec.flow import Flow, Repeat
from engine.spec.sights import SUBMIT
from engine.turn import Event, Turn
from engine.whatsapp.json_values import storable

FALLBACK = "😕"
"""What is shown when not even the Flow's own words for a problem can be."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks.

    Args:
        action: INIT, data_exchange or BACK.
        screen: the screen it is on.
        data: what it sent.
        input: what the Flow was opened with.
        trail: the screens seen so far.
        is_repeated: it was asked before, and he has gone on since: the answer is the same, and
            nothing of what he did since is taken back.
    """

    action: str
    screen: str | None
    data: Mapping[str, Any]
    input: Mapping[str, Any]
    trail: tuple[str, ...]
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What an exchange leads to: a screen, the end, or that the Flow cannot go on.

    Args:
        screen: None at the end, and if the Flow cannot go on.
        error: shown with the screen, or why it cannot go on.
        params: what the end gives to the chat.
        outcome: what the end would give from what is known so far.
        variables: what the session remembers now.
        failure: a mistake of ours; nothing may be saved.
        steps: what was decided on the way, as a turn log has it; with `failed`, why the customer
            was told of a problem.
    """

    screen: str | None = None
    data: Data = field(default_factory=dict)
    error: str | None = None
    params: Data | None = None
    outcome: Data = field(default_factory=dict)
    trail: tuple[str, ...] = ()
    variables: Data = field(default_factory=dict)
    failure: str | None = None
    steps: tuple[Mapping[str, Any], ...] = ()


class Screens:
    """Shows the screens of all Flows; it holds compiled structures and no session."""

    def __init__(self) -> None:
        self._structures = Structures()
        self._names: dict[str, tuple[str, ...]] = {}
        self._forms: dict[tuple[str, str], Form] = {}

    async def show(self, flow: Flow, bundle: Bundle, turn: Turn, asked: Asked) -> Shown:
        """Take one exchange.

        Args:
            turn: its conversation's variables are the session's; they are changed by it.

        Raises:
            Unavailable, Conflict: the database's errors pass.
        """
        visit = _Visit(self, flow, bundle, turn, asked)
        shown = replace(await visit.go(), steps=tuple(visit.log))
        if isinstance(visit.failure, (Unavailable, Conflict)):
            raise visit.failure
        return shown

    @property
    def structures(self) -> Structures:
        """Give the compiled structures."""
        return self._structures

    def names(self, flow: Flow) -> tuple[str, ...]:
        """Give the variables a Flow's texts may read."""
        if flow.digest not in self._names:
            self._names[flow.digest] = tuple(variables_of(flow.chart))
        return self._names[flow.digest]

    def form(self, flow: Flow, screen: str) -> Form:
        """Give the form of a screen."""
        key = (flow.digest, screen)
        if key not in self._forms:
            self._forms[key] = form_of(flow.screens[screen])
        return self._forms[key]


class _Visit(Steps):
    """The steps of one exchange."""

    def __init__(
        self, screens: Screens, flow: Flow, bundle: Bundle, turn: Turn, asked: Asked
    ) -> None:
        super().__init__(
            flow.chart,
            screens.structures.of(flow.chart),
            bundle=bundle,
            turn=turn,
            names=screens.names(flow),
            place=Place(None, None),
        )
        self.screens = screens
        self.flow = flow
        self.asked = asked
        self.error: str | None = None
        self.trail = asked.trail
        self.before = dict(turn.conversation.variables)
        self.context["input"] = dict.fromkeys(flow.input) | dict(asked.input)

    async def go(self) -> Shown:
        """Take the exchange."""
        if self.asked.action == "INIT":
            # Opened again, he finds what he had chosen.
            await self.step(None)
        elif self.asked.screen not in self.trail or self.asked.screen not in self.flow.screens:
            await self.step(Event("moved"))
            return self._gone()
        else:
            # He may have gone back by himself, without our being asked.
            self.trail = self.trail[: self.trail.index(self.asked.screen) + 1]
            if self.asked.action == "BACK":
                await self._back()
            else:
                await self._exchange(self.asked.screen)
        if self.failure is None and self.place.leaf:
            return self._outcome(self.place.leaf)
        return self._gone()

    async def _back(self) -> None:
        """Show the screen before anew."""
        if not await self._load(self.trail[-2:][0]):
            self.place = Place(None, None)

    async def _exchange(self, screen: str) -> None:
        if not await self._load(screen):
            # Without what the screen needs there is nothing to show.
            self.place = Place(None, None)
            return
        before = self._remember()
        try:
            shown = self._data(screen)
            values = read_form(self.screens.form(self.flow, screen), shown, self.asked.data)
        except NotOffered as told:
            log.info("flow.not_offered", flow=self.flow.id, screen=screen)
            await self._not_offered(told.name)
        except RenderFailed as error:
            self.failure = error
            return
        else:
            name = self.asked.data.get(EVENT, SUBMIT)
            event = Event(name if isinstance(name, str) and self.scope(name) else SUBMIT, values)
            if not await self.step(event) and self.failure is None:
                log.info("flow.event_unhandled", flow=self.flow.id, screen=screen)
        if self.failure is not None and not isinstance(self.failure, (Unavailable, Conflict)):
            # The customer stays where he was, and may try again.
            log.error("flow.failed", flow=self.flow.id, screen=screen, error=reason(self.failure))
            self.log.append({"failed": str(self.failure)})
            self.failure = None
            self._restore(before)
            self.place = self.home = Place(screen, None)
            self.error = self._words_for("problem") or FALLBACK

    async def _not_offered(self, name: str) -> None:
        data = {"reason": Reason.INVALID.value, "group": name}
        await self.step(Event(f"refused.{Reason.INVALID.value}", data))
        if self.error is None:
            await self.step(Event("refused", data))

    async def _load(self, screen: str) -> bool:
        """Take a screen's own actions, which load what it shows."""
        self.place = self.home = Place(screen, None)
        before = self._remember()
        await self.enter(screen)
        if self.refusal:
            self._refused(None, before)
            await self.drain(None)
            return False
        return self.failure is None

    def show_branch(self, branch: Branch) -> None:
        """Note what a branch shows below the screen."""
        if branch.error:
            self.error = branch.error.render(self.context).strip() or None

    def _data(self, screen: str) -> Data:
        form = self.screens.form(self.flow, screen)
        values = self.flow.screens[screen].data
        return fitted(form, {k: data_value(v, self.context) for k, v in values.items()})

    def _outcome(self, leaf: str) -> Shown:
        variables = storable(plain(dict(self.turn.conversation.variables)))
        shown = Shown(trail=self.trail, variables=variables)
        try:
            params = self.flow.screens[leaf].params
            if params is not None:
                made = {k: plain(data_value(v, self.context)) for k, v in params.items()}
                return replace(shown, params=made, outcome=made)
            data = self._data(leaf)
        except RenderFailed as error:
            self.failure = error
            return self._gone()
        shown = replace(shown, screen=leaf, data=data, error=self.error, outcome=self._so_far())
        if self.asked.is_repeated:
            return replace(shown, trail=self.asked.trail, variables=self.before)
        seen = self.trail
        is_known = leaf in seen
        return replace(shown, trail=seen[: seen.index(leaf) + 1] if is_known else (*seen, leaf))

    def _so_far(self) -> Data:
        end = next((s for s in self.flow.screens.values() if s.params is not None), None)
        made: Data = {}
        for name, value in (end.params if end and end.params else {}).items():
            try:
                made[name] = plain(data_value(value, self.context))
            except RenderFailed:  # he has not come so far
                made[name] = None
        return made

    def _gone(self) -> Shown:
        failure = None
        if self.failure is not None:
            failure = str(self.failure) or type(self.failure).__name__
            self.error = self._words_for("problem")
        error = self.error or self._words_for("problem") or FALLBACK
        return Shown(error=error, trail=self.asked.trail, failure=failure)

    def _words_for(self, event: str) -> str | None:
        for branch in self.chart.anywhere.get(event, ()):
            if branch.error:
                try:
                    return branch.error.render(self.context).strip() or None
                except RenderFailed as error:
                    log.error("flow.problem_unsayable", error=reason(error))
        return None


def data_value(value: Value, context: dict[str, Any]) -> Any:
    """Calculate a part of a screen's data."""
    if isinstance(value, Repeat):
        elements = value.each.evaluate(context) or ()
        return [data_value(value.item, {**context, "item": element}) for element in elements]
    if isinstance(value, dict):
        return {key: data_value(part, context) for key, part in value.items()}
    if isinstance(value, list):
        return [data_value(part, context) for part in value]
    return evaluate(value, context)
