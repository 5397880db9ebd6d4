"""A chart or Flow as a picture's content: boxes and arrows, and whose they are; nothing is drawn.

An arrow stands for everything that leads from a state to another one: its own branches, and the
buttons it shows whose event works anywhere. What stays in a state is no arrow.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from engine.charts.inbound import tap_event
from engine.spec.chart import Branch, Chart, State
from engine.spec.check import RESUME
from engine.spec.message import Entry, Message
from engine.spec.problems import Problem
from engine.spec.source import Source

Origin: TypeAlias = Literal["shared", "changed", "own", "removed"]
Shape: TypeAlias = Literal["state", "outer", "final", "resume"]
FINISHED = "finished"
"""What leads out of a state whose inner states have come to their end."""
_TENANTS = "tenants/"


@dataclass(frozen=True, slots=True)
class Node:
    """A state.

    Args:
        origin: who wrote it: shared as it is, shared and changed by the tenant, the tenant's own,
            or shared and deleted by the tenant.
        says: its messages.
        own_texts: those of them in which the tenant has changed something.
        anywhere: the events that lead here from every state.
        within: the events that lead here from everywhere in the state around it.
        marks: codes of problems at its place.
    """

    id: str
    origin: Origin
    shape: Shape = "state"
    parent: str | None = None
    is_first: bool = False
    is_aside: bool = False
    says: tuple[str, ...] = ()
    own_texts: frozenset[str] = frozenset()
    anywhere: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrow:
    """What leads from a state to another.

    Args:
        events: in the author's order; one that a guard may hinder ends with `?`.
        is_own: the tenant wrote or changed some of it.
        is_tap: all of it are buttons of the state whose event works anywhere.
    """

    source: str
    target: str
    events: tuple[str, ...]
    is_own: bool = False
    is_tap: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """A chart as boxes and arrows.

    Args:
        nodes: the outer ones before the ones inside them.
    """

    title: str
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """The documents a chart was merged from, to tell whose its parts are.

    Args:
        base: the shared one; None for a chart of the tenant's own.
        overlay: the tenant's; None if it changes nothing.
    """

    base: Source | None = None
    overlay: Source | None = None

    def origin(self, state: State) -> Origin:
        """Tell who wrote a state."""
        if self.base is None or self.base.at(state.path) is None:
            return "own"
        changed = _part(self.overlay.data if self.overlay else None, state.path)
        touched = isinstance(changed, dict) and bool(changed.keys() - {"states"})
        return "changed" if touched else "shared"


def _part(data: Any, path: Iterable[str | int]) -> Any:
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data


@dataclass(slots=True)
class _Drawing:
    """Collects the arrows of a chart."""

    chart: Chart
    sources: Sources
    messages: Mapping[str, Message]
    arrows: dict[tuple[str, str], Arrow] = field(default_factory=dict)
    anywhere: dict[str, list[str]] = field(default_factory=dict)
    within: dict[str, list[str]] = field(default_factory=dict)

    def draw(self) -> None:
        for event, branches in self.chart.anywhere.items():
            for branch in branches:
                if branch.go:
                    _once(self.anywhere.setdefault(branch.go, []), _named(event, branch))
        for state in self.chart.states.values():
            self._own(state)
        for state in self.chart.states.values():
            self._taps(state)

    def _own(self, state: State) -> None:
        for event, branches in state.branches():
            word = f"after {event.rsplit('.', 1)[-1]}" if event.startswith("after.") else event
            for branch in branches:
                if branch.go:
                    is_own = _is_own(branch.where)
                    self._add(state.id, branch.go, _named(word, branch), is_own=is_own)
        if state.finished:
            self._add(state.id, state.finished, FINISHED, is_own=False)

    def _taps(self, state: State) -> None:
        """Add the buttons of what a state says, as far as `anywhere` takes them."""
        reacting = [self.chart.states[name] for name in self.chart.path(state.id)]
        for entry in self._entries(state):
            event = self._event(entry)
            if any(event in scope.when for scope in reacting):
                continue
            for branch in self.chart.anywhere.get(event, ()):
                if branch.go:
                    places = (branch.where, entry.where)
                    is_own = any(_is_own(where) for where in places)
                    name = _named(event, branch)
                    self._add(state.id, branch.go, name, is_own=is_own, is_tap=True)

    def _entries(self, state: State) -> Iterator[Entry]:
        said = dict.fromkeys(state.say)
        for _, branches in state.branches():
            said |= dict.fromkeys(name for branch in branches for name in branch.say)
        for name in said:
            message = self.messages.get(name)
            if message:
                yield from message.entries()

    def _event(self, entry: Entry) -> str:
        literal = entry.id.literal if entry.id else None
        return tap_event(literal, self.chart.prefixes).name if literal else entry.event

    def _add(
        self, source: str, target: str, event: str, *, is_own: bool, is_tap: bool = False
    ) -> None:
        if target == source:
            return
        if target in self.chart.states and source in self.chart.path(target):
            _once(self.within.setdefault(target, []), event)
            return
        held = self.arrows.get((source, target))
        events = list(held.events) if held else []
        _once(events, event)
        self.arrows[source, target] = Arrow(
            source,
            target,
            tuple(events),
            is_own=is_own or bool(held and held.is_own),
            is_tap=is_tap and (held is None or held.is_tap),
        )


def _is_own(where: str) -> bool:
    """Tell whether a place is in a tenant's files."""
    return where.startswith(_TENANTS)


def _once(words: list[str], word: str) -> None:
    if word not in words:
        words.append(word)


def _named(event: str, branch: Branch) -> str:
    return f"{event}?" if branch.condition else event


def graph_of(
    title: str,
    chart: Chart,
    sources: Sources,
    messages: Mapping[str, Message],
    problems: Iterable[Problem] = (),
) -> Graph:
    """Make the content of a chart's picture.

    Args:
        messages: what the chart says, by id; none for a Flow.
        problems: those of the chart; what is at a state's place marks it.
    """
    drawing = _Drawing(chart, sources, messages)
    drawing.draw()
    told: dict[str, list[str]] = {}
    for problem in problems:
        _once(told.setdefault(str(problem.span), []), problem.code)
    outer = {state.parent for state in chart.states.values()}
    nodes = [
        _node(state, chart, drawing, outer=outer, told=told.get(state.where, []))
        for state in chart.states.values()
    ]
    nodes += [_removed(*found, chart) for found in _deleted(sources, chart)]
    arrows = [a for a in drawing.arrows.values() if a.target in {*chart.states, RESUME}]
    if RESUME in drawing.anywhere or any(a.target == RESUME for a in arrows):
        events = tuple(drawing.anywhere.get(RESUME, ()))
        nodes.append(Node(RESUME, "shared", "resume", anywhere=events))
    return Graph(title, tuple(nodes), tuple(arrows))


def _node(
    state: State, chart: Chart, drawing: _Drawing, *, outer: set[str | None], told: list[str]
) -> Node:
    first = chart.states[state.parent].start if state.parent else chart.start
    shape: Shape = "outer" if state.id in outer else "final" if state.final else "state"
    messages = (drawing.messages.get(name) for name in state.say)
    own_texts = (m.id for m in messages if m and _is_own(m.where))
    return Node(
        state.id,
        drawing.sources.origin(state),
        shape,
        state.parent,
        is_first=first == state.id,
        is_aside=state.aside,
        says=state.say,
        own_texts=frozenset(own_texts),
        anywhere=tuple(drawing.anywhere.get(state.id, ())),
        within=tuple(drawing.within.get(state.id, ())),
        marks=tuple(told),
    )


def _deleted(sources: Sources, chart: Chart) -> Iterator[tuple[str, str | None]]:
    """Give the shared states that the tenant has deleted, each with the state around it."""

    def walk(states: Any, parent: str | None) -> Iterator[tuple[str, str | None]]:
        for name, body in (states or {}).items():
            if name not in chart.states:
                yield name, parent
            yield from walk((body or {}).get("states"), name)

    yield from walk(sources.base.data.get("states") if sources.base else None, None)


def _removed(name: str, parent: str | None, chart: Chart) -> Node:
    return Node(name, "removed", parent=parent if parent in chart.states else None)
