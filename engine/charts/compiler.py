"""A chart's structure -> what each event does in each state; the only importer of
python-statemachine.

Classes hold structure only: which states there are and which event leads where. What a state says
and does is looked up, by key, in the program of the tenant whose turn it is, so tenants whose
charts differ in texts, guards or arguments share one class and one machine.

The machine decides and does nothing itself: for a state, an event and the guards' answers it gives
a plan, which is always the same. So it is asked once for each, and a turn carries the plan out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from statemachine import State as MachineState
from statemachine import StateChart
from statemachine.exceptions import InvalidDefinition
from statemachine.io import create_machine_class_from_definition
from statemachine.orderedset import OrderedSet

from engine.errors import ChartStuck
from engine.spec.chart import Branch, Chart, State
from engine.spec.read import digest

ANYWHERE = ""
"""The scope of branches that hold in every state."""
_BEGIN = "begin_"
_ROOT, _IDLE, _MAIN, _RESUME = "root_", "idle_", "main_", "resume_"
PLANS = 4096
"""Plans kept per structure; the storefront needs some hundreds."""
LONGEST_PLAN = 100
"""Branches and entries of one plan; a chart whose `finished` goes in circles has no end."""

BranchKey = tuple[str, str, int]
"""(state id or ANYWHERE, event, place among the event's branches)"""


class Program(Protocol):
    """What carries a plan out."""

    def allows(self, key: BranchKey) -> bool:
        """Tell whether a branch's guard holds."""
        ...

    async def take(self, key: BranchKey) -> None:
        """Do and say what a branch wants."""
        ...

    async def enter(self, state: str) -> None:
        """Do and say what a state wants on entry."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What an event does.

    Args:
        effects: branches to take (as keys) and states to enter (as ids), in order.
        leaf: the state after it; None if the chart has not begun.
        resume: where `resume` leads after it.
    """

    effects: tuple[BranchKey | str, ...]
    leaf: str | None
    resume: str | None


class _Endless(InvalidDefinition):
    """Stops the machine; after any other kind of error the library goes on."""


@dataclass(slots=True)
class _Slot:
    """The machine's model: its configuration, the guards' answers, and what it decides."""

    state: Any
    answers: tuple[bool, ...] = ()
    question: BranchKey | None = None
    asked: int = 0
    effects: list[BranchKey | str] = field(default_factory=list)

    def answer(self, key: BranchKey) -> bool:
        """Give the next guard's answer, or note that it is not known yet."""
        place, self.asked = self.asked, self.asked + 1
        if place < len(self.answers):
            return self.answers[place]
        self.question = self.question or key
        return False

    def note(self, effect: BranchKey | str) -> None:
        """Add to what the event does."""
        if len(self.effects) == LONGEST_PLAN:
            raise _Endless
        self.effects.append(effect)


class Structure:
    """A compiled structure: its machine, and the plans it has made.

    Args:
        chart: any chart that has this structure.
    """

    def __init__(self, chart: Chart) -> None:
        self.digest = structure_digest(chart)
        self._paths = {state: _configuration(chart, state) for state in chart.states}
        self._own = {state: _events(chart, state) for state in chart.states}
        self._class = _compile(chart)
        self._machine = self._build()
        self._ask = lru_cache(maxsize=PLANS)(self._decide)

    def _build(self) -> "StateChart[Any]":
        return self._class(model=_Slot(OrderedSet((_ROOT, _IDLE))))

    def reacts(self, leaf: str, event: str) -> bool:
        """Tell whether a state, or one around it, says what an event does there."""
        return event in self._own[leaf]

    async def step(
        self,
        program: Program,
        event: str | None,
        *,
        leaf: str | None,
        resume: str | None,
    ) -> tuple[str | None, str | None]:
        """Take one event to completion.

        Args:
            event: None begins the chart.
            leaf: the state to start from; None for a conversation that has not begun.
            resume: where `resume` leads.

        Returns:
            The leaf and the resume leaf after it.

        Raises:
            ChartStuck: the chart goes in circles; nothing was taken.
        """
        plan = self.plan(program.allows, event, leaf=leaf, resume=resume)
        for effect in plan.effects:
            if isinstance(effect, str):
                await program.enter(effect)
            else:
                await program.take(effect)
        return plan.leaf, plan.resume

    def plan(
        self,
        allows: Callable[[BranchKey], bool],
        event: str | None,
        *,
        leaf: str | None,
        resume: str | None,
    ) -> Plan:
        """Tell what an event does, asking for no more guards than it depends on.

        Raises:
            ChartStuck: the chart goes in circles.
        """
        answers: tuple[bool, ...] = ()
        while True:
            decided = self._ask(event, leaf, resume, answers)
            if isinstance(decided, Plan):
                return decided
            answers = (*answers, allows(decided))

    def _decide(
        self, event: str | None, leaf: str | None, resume: str | None, answers: tuple[bool, ...]
    ) -> Plan | BranchKey:
        """Make the plan of an event, or name the guard whose answer it needs next."""
        machine = self._machine
        slot: _Slot = machine.model
        slot.state = OrderedSet(self._paths[leaf] if leaf else (_ROOT, _IDLE))
        slot.answers, slot.asked, slot.question, slot.effects = answers, 0, None, []
        machine.history_values.clear()
        if resume:
            machine.history_values[_RESUME] = [machine.states_map[_state_name(resume)]]
        try:
            machine.send(_BEGIN if event is None else _event_name(event))
        except _Endless as error:
            self._machine = self._build()
            if slot.question is None:  # else it may never come to this
                raise ChartStuck(f"'{event}' in '{leaf}' never comes to rest") from error
        if slot.question:
            return slot.question
        return Plan(tuple(slot.effects), self._leaf(), self._resume())

    def _leaf(self) -> str | None:
        name = next(s.id for s in self._machine.configuration if s.is_atomic)
        return None if name == _IDLE else name.removeprefix("s_")

    def _resume(self) -> str | None:
        held: list[MachineState] = self._machine.history_values.get(_RESUME, [])
        leaf = next((s.id for s in held if s.is_atomic), None)
        return leaf.removeprefix("s_") if leaf and leaf != _IDLE else None


def structure_digest(chart: Chart) -> str:
    """Name a chart's structure: charts that differ in texts or guards only have one name."""
    return digest(
        [
            chart.start,
            {event: _outline(branches) for event, branches in chart.anywhere.items()},
            [
                [s.id, s.parent, s.start, s.finished, s.final, s.aside]
                + [[event, _outline(branches)] for event, branches in s.branches()]
                for s in chart.states.values()
            ],
        ]
    )


def _outline(branches: tuple[Branch, ...]) -> list[list[Any]]:
    return [[branch.go, branch.condition is not None] for branch in branches]


# Names are mangled so that no author's word is an attribute of the library's classes, and no event
# is a prefix of another (the library matches `cart` to `cart.add`). Events are lower case.
def _state_name(state: str) -> str:
    return f"s_{state}"


def _event_name(event: str) -> str:
    return "e_" + event.replace(".", "X")


def _configuration(chart: Chart, state: str) -> tuple[str, ...]:
    path = chart.path(state)
    outer = () if chart.states[path[0]].aside else (_MAIN,)
    return (_ROOT, *outer, *(_state_name(s) for s in path))


def _events(chart: Chart, leaf: str) -> frozenset[str]:
    path = (chart.states[state] for state in chart.path(leaf))
    return frozenset(event for state in path for event, _ in state.branches())


def _compile(chart: Chart) -> type["StateChart[Any]"]:
    tops = [s for s in chart.states.values() if s.parent is None]
    main = {_state_name(s.id): _state(chart, s) for s in tops if not s.aside}
    aside = {_state_name(s.id): _state(chart, s) for s in tops if s.aside}
    start = _state_name(chart.start)
    main[start]["initial"] = True
    root = {
        "initial": True,
        "states": {
            _IDLE: {"initial": True},
            _MAIN: {
                "states": main,
                # A history without a default would leave the configuration empty.
                "history": {_RESUME: {"type": "deep", "transitions": [{"target": start}]}},
            },
            **aside,
        },
        "on": {
            _BEGIN: [{"target": start, "internal": True}],
            **{
                _event_name(event): _transitions(ANYWHERE, event, branches)
                for event, branches in chart.anywhere.items()
            },
        },
    }
    # One name for all: the library keeps every class it ever made by its name.
    return create_machine_class_from_definition(
        "Chart",
        states={_ROOT: root},  # type: ignore[dict-item]
        validate_disconnected_states=False,
        validate_trap_states=False,
        validate_final_reachability=False,
    )


def _state(chart: Chart, state: State) -> dict[str, Any]:
    children = [s for s in chart.states.values() if s.parent == state.id]
    made: dict[str, Any] = {"enter": _entering(state.id)}
    if state.final:
        made["final"] = True
    if children:
        made["states"] = {_state_name(c.id): _state(chart, c) for c in children}
        made["states"][_state_name(state.start or children[0].id)]["initial"] = True
    events = {
        _event_name(event): _transitions(state.id, event, branches)
        for event, branches in state.branches()
    }
    if state.finished:
        events[f"done.state.{_state_name(state.id)}"] = [{"target": _state_name(state.finished)}]
    if events:
        made["on"] = events
    return made


def _transitions(scope: str, event: str, branches: tuple[Branch, ...]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for place, branch in enumerate(branches):
        key = (scope, event, place)
        target = _RESUME if branch.go == "resume" else branch.go and _state_name(branch.go)
        transition: dict[str, Any] = {"target": target, "on": _taking(key)}
        if branch.condition:
            transition["cond"] = _allowing(key)
        if scope == ANYWHERE and target:
            transition["internal"] = True
        made.append(transition)
    return made


# The library caches signatures by function name and variables: these three must differ there.
def _allowing(key: BranchKey) -> Callable[["StateChart[Any]"], bool]:
    def allowed(machine: "StateChart[Any]") -> bool:
        return bool(machine.model.answer(key))

    return allowed


def _taking(key: BranchKey) -> Callable[["StateChart[Any]"], None]:
    def take(machine: "StateChart[Any]") -> None:
        # The library asks twice when the branch leads to a history.
        if key not in machine.model.effects:
            machine.model.note(key)

    return take


def _entering(state: str) -> Callable[["StateChart[Any]"], None]:
    def enter(machine: "StateChart[Any]") -> None:
        machine.model.note(state)

    return enter


class Structures:
    """The compiled structures of all charts, one per structure."""

    def __init__(self) -> None:
        self._held: dict[str, Structure] = {}
        self._of_chart: dict[str, Structure] = {}

    def of(self, chart: Chart) -> Structure:
        """Give the compiled structure of a chart."""
        found = self._of_chart.get(chart.digest)
        if found is None:
            name = structure_digest(chart)
            found = self._held.get(name) or Structure(chart)
            self._held[name] = self._of_chart[chart.digest] = found
        return found
