"""Ways: where the events of a chart lead, from every state in which a customer can stand.

Everything here errs on one side: what might lead on is taken to lead on, so that what is told to
be impossible is impossible.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from engine.errors import RenderFailed
from engine.spec.chart import Branch, Call, Chart, State, told
from engine.templating.language import Expression

NO_WAY = frozenset({"problem", "moved"})
"""Events that lead nobody anywhere while the chart is what it is."""


@dataclass(frozen=True)
class Ways:
    """Where the events of a chart lead.

    Args:
        chart: one whose states may be unknown: those lead nowhere.
    """

    chart: Chart

    @cached_property
    def inside(self) -> Mapping[str, tuple[str, ...]]:
        """Give the states inside each state."""
        found: dict[str, list[str]] = {name: [] for name in self.chart.states}
        for name, state in self.chart.states.items():
            if state.parent in found:
                found[state.parent].append(name)
        return {name: tuple(inner) for name, inner in found.items()}

    @cached_property
    def paths(self) -> Mapping[str, tuple[State, ...]]:
        """Give the states around each state and itself, the innermost first."""
        states = self.chart.states
        return {
            name: tuple(states[each] for each in reversed(self.chart.path(name)))
            for name in states
        }

    @cached_property
    def leaves(self) -> frozenset[str]:
        """Give the reachable states in which a customer can stand.

        The end of a state that goes on when it is finished is none.
        """
        return frozenset(
            name for name in self.reachable if not self.inside[name] and self.rest(name) == name
        )

    @cached_property
    def begin(self) -> str | None:
        """Give the state in which a new customer stands."""
        return self.rest(self.chart.start)

    @cached_property
    def reachable(self) -> frozenset[str]:
        """Give the states that something leads to."""
        seen: set[str] = set()
        waiting = [self.chart.start, *_targets(self.chart.anywhere.values())]
        while waiting:
            name = waiting.pop()
            state = self.chart.states.get(name)
            if state is None or name in seen:
                continue
            seen.add(name)
            # Inside a state only its start and what is led to from inside is reached.
            inside = self.inside[name]
            waiting += [state.start] if state.start in inside else inside
            waiting += [other for other in (state.finished, state.parent) if other]
            waiting += _targets(branches for _, branches in state.branches())
        return frozenset(seen)

    def leaves_in(self, state: str) -> Iterator[str]:
        """Give the states inside a state in which a customer can stand; or itself."""
        return (leaf for leaf in self.leaves if any(s.id == state for s in self.paths[leaf]))

    def rest(self, state: str) -> str | None:
        """Tell where a customer stands who is led to a state; None if nobody can say."""
        seen: set[str] = set()
        while state in self.chart.states and state not in seen:
            seen.add(state)
            spec = self.chart.states[state]
            if spec.start:
                state = spec.start
            elif spec.final and spec.parent and self.chart.states[spec.parent].finished:
                state = self.chart.states[spec.parent].finished or ""
            else:
                return state
        return None

    def entered(self, state: str, since: str) -> tuple[State, ...]:
        """Give the states that are surely entered when a branch leads to one.

        Args:
            since: a state the customer was in; what is around both is not entered.
        """
        rest = self.rest(state)
        if rest is None:
            return ()
        around = {s.id for s in self.paths[since]} - {state, rest}
        return tuple(s for s in self.paths[rest] if s.id not in around)

    @cached_property
    def sites(self) -> Mapping[str, tuple["Site", ...]]:
        """Give the places where each message is said, of those that something leads to."""
        found: dict[str, list[Site]] = {}
        for name in sorted(self.reachable):
            state = self.chart.states[name]
            for message in (*state.say, *told(state.calls)):
                found.setdefault(message, []).append(Site(name))
            for event, branches in state.branches():
                for message, branch in _said(branches):
                    found.setdefault(message, []).append(Site(name, event, branch))
        for event, branches in self.chart.anywhere.items():
            for message, branch in _said(branches):
                found.setdefault(message, []).append(Site(None, event, branch))
        return {message: tuple(sites) for message, sites in found.items()}

    def reactions(self, leaf: str, event: str) -> Iterator[tuple[Branch, ...]]:
        """Give the branches of an event where a customer stands, in the order they are asked."""
        for state in self.paths[leaf]:
            if event in state.when:
                yield state.when[event]
        if event in self.chart.anywhere:
            yield self.chart.anywhere[event]

    def reacts(self, leaf: str, event: str) -> bool:
        """Tell whether an event means anything where a customer stands."""
        return next(self.reactions(leaf, event), None) is not None

    def is_answered(self, leaf: str, event: str) -> bool:
        """Tell whether some branch of an event holds whatever there is."""
        return any(
            is_always(branch) for branches in self.reactions(leaf, event) for branch in branches
        )

    def exits(self, leaf: str) -> frozenset[str]:
        """Give the states to which anything leads from a state."""
        events = {event for state in self.paths[leaf] for event in state.when}
        events |= self.chart.anywhere.keys()
        branches = [
            branch
            for event in events - NO_WAY
            for reaction in self.reactions(leaf, event)
            for branch in reaction
        ]
        branches += [b for s in self.paths[leaf] for timer in s.after.values() for b in timer]
        found: set[str] = set()
        for branch in branches:
            if branch.go is not None:
                # Where `resume` leads, and a state that is not there, is as good as the start.
                found.add(self.rest(branch.go) or self.begin or leaf)
        return frozenset(found)

    def settled(self, leaf: str, calls: Iterable[Call]) -> frozenset[str]:
        """Give the states in which a customer may stand after actions were taken on entry."""
        raised = _raised(calls)
        key = leaf, frozenset(raised)
        if key not in self._settled:
            self._settled[key] = frozenset(self._followed(leaf, raised))
        return self._settled[key]

    @cached_property
    def _settled(self) -> dict[tuple[str, frozenset[str]], frozenset[str]]:
        return {}

    def _followed(self, leaf: str, raised: set[str]) -> set[str]:
        seen: set[str] = set()
        waiting = {leaf}
        while waiting - seen:
            for name in waiting - seen:
                seen.add(name)
                raised |= _raised(call for state in self.paths[name] for call in state.calls)
            for name in seen:
                waiting |= set(self._led_on(name, raised))
        return seen

    def _led_on(self, leaf: str, raised: set[str]) -> Iterator[str]:
        events = {event for state in self.paths[leaf] for event in state.when}
        events |= self.chart.anywhere.keys()
        for event in events & raised | _refused(events, raised):
            for branch in (b for part in self.reactions(leaf, event) for b in part):
                raised |= _raised(branch.calls)
                rest = self.rest(branch.go) if branch.go else None
                if rest:
                    yield rest


@dataclass(frozen=True, slots=True)
class Site:
    """A place where a message is said.

    Args:
        state: the state that says it, or whose branch does; None for `anywhere`.
        branch: None if the state says it on entry.
    """

    state: str | None
    event: str = ""
    branch: Branch | None = None


ANY_REFUSAL = "refused"


def _raised(calls: Iterable[Call]) -> set[str]:
    """Name what actions may raise; any may refuse."""
    found: set[str] = set()
    for call in calls:
        found |= {ANY_REFUSAL, *call.raises()}
    return found


def _refused(events: Iterable[str], raised: set[str]) -> set[str]:
    if ANY_REFUSAL not in raised:
        return set()
    return {event for event in events if event.split(".")[0] == ANY_REFUSAL}


def is_always(branch: Branch) -> bool:
    """Tell whether a branch holds whatever there is."""
    return branch.condition is None or constant(branch) is True


def constant(branch: Branch) -> bool | None:
    """Tell what a guard always says; None if that depends."""
    return value_of(branch.condition) if branch.condition else None


def value_of(guard: Expression) -> bool | None:
    """Tell what a guard always says; None if that depends."""
    if not guard.reading.is_constant:
        return None
    try:
        return guard.holds({})
    except RenderFailed:
        return False


def _said(branches: tuple[Branch, ...]) -> Iterator[tuple[str, Branch]]:
    for branch in branches:
        for message in (*branch.say, *told(branch.calls)):
            yield message, branch


def _targets(events: Iterable[tuple[Branch, ...]]) -> list[str]:
    return [b.go for branches in events for b in branches if b.go]
