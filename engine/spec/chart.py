"""A checked chart as a value: states, branches and the actions they do, with templates compiled.

Nothing here knows YAML, python-statemachine or a database.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from engine.registry import Verb
from engine.templating.language import Expression, Text

Value = Any
"""An argument: a Text, an Expression, a literal, or a mapping or list of such."""


@dataclass(frozen=True, slots=True)
class Call:
    """An action to take, with its arguments; `where` is its place in the YAML."""

    verb: Verb
    arguments: Mapping[str, Value]
    where: str

    def raises(self) -> frozenset[str]:
        """Give the events it may answer with: of those an argument chooses between, the chosen."""
        events = self.verb.raises
        for name, options in self.verb.choices.items():
            given = self.arguments.get(name, self.verb.arguments.model_fields[name].default)
            chosen = given.literal if isinstance(given, Text) else given
            if options <= events and chosen in options:
                events = events - options | {chosen}
        return events


@dataclass(frozen=True, slots=True)
class Branch:
    """What an event does: if `condition` holds, take `calls`, say `say`, go to `go`.

    Args:
        path: its place in the merged document.
        go: id of a state, `resume`, or None to stay.
        error: in a Flow: stay on the screen and show this below it.
        quiet: the messages of this branch are not sent (nobody is there to read them).
    """

    where: str
    path: tuple[str | int, ...] = ()
    condition: Expression | None = None
    calls: tuple[Call, ...] = ()
    say: tuple[str, ...] = ()
    go: str | None = None
    error: Text | None = None
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """A state: on entry it takes `calls` and says `say`; then it waits for an event.

    Args:
        path: its place in the merged document.
        when: branches by event, in the author's order.
        after: branches by delay, as written (`30m`). The time runs from the entry until the
            state is left: who comes back, also by `resume`, is given all of it again.
        start: the state inside it that is entered first; None for one without states inside.
        finished: where to go when a final state inside it is reached.
        aside: it remembers where the customer was, for `resume`.
    """

    id: str
    where: str
    path: tuple[str | int, ...] = ()
    parent: str | None = None
    calls: tuple[Call, ...] = ()
    say: tuple[str, ...] = ()
    when: Mapping[str, tuple[Branch, ...]] = field(default_factory=dict)
    after: Mapping[str, tuple[Branch, ...]] = field(default_factory=dict)
    start: str | None = None
    finished: str | None = None
    final: bool = False
    aside: bool = False

    def branches(self) -> Iterator[tuple[str, tuple[Branch, ...]]]:
        """Give every event it reacts to with its branches, timers as `after.<state>.<delay>`."""
        yield from self.when.items()
        for delay, branches in self.after.items():
            yield timer_event(self.id, delay), branches


@dataclass(frozen=True, slots=True)
class Chart:
    """A state chart: what a conversation can be in, and what happens in it.

    Args:
        states: all states by id, the outer ones before the ones inside them.
        anywhere: branches that hold in every state.
        prefixes: events by the first word of a wire id: `cat` -> `view_category`.
        renamed: new id by old id, for conversations that are half way.
        careful: events that a text means only when it is the very phrase.
        digest: hash of the merged document.
        has_timers: one of its states has, or its actions set one.
    """

    id: str
    version: int
    start: str
    states: Mapping[str, State]
    anywhere: Mapping[str, tuple[Branch, ...]]
    prefixes: Mapping[str, str]
    renamed: Mapping[str, str]
    careful: frozenset[str]
    digest: str
    has_timers: bool = field(init=False, repr=False, compare=False)
    _events: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        states = self.states.values()
        own = {event for state in states for event, _ in state.branches()}
        # Every turn asks.
        object.__setattr__(self, "_events", frozenset(own | self.anywhere.keys()))
        has_timers = any(state.after or _sets_timer(state.calls) for state in states)
        object.__setattr__(self, "has_timers", has_timers)

    def path(self, leaf: str) -> tuple[str, ...]:
        """Give the ids from the outermost state to a state."""
        path = [leaf]
        while parent := self.states[path[0]].parent:
            path.insert(0, parent)
        return tuple(path)

    def events(self) -> frozenset[str]:
        """Give every event some state or `anywhere` reacts to."""
        return self._events

    def all_branches(self) -> Iterator[Branch]:
        """Give every branch of the chart."""
        for branches in self.anywhere.values():
            yield from branches
        for state in self.states.values():
            for _, branches in state.branches():
                yield from branches


SETS_TIMER = "staff.wait"
"""The action that sets a timer of the state it is of."""


TELLS_STAFF = "staff.notify"
"""The action that says a message to the staff."""


def told(calls: tuple[Call, ...]) -> Iterator[str]:
    """Give the messages that actions say to the staff, as far as they are written."""
    for call in calls:
        message = call.arguments.get("message") if call.verb.name == TELLS_STAFF else None
        name = message.literal if isinstance(message, Text) else message
        if isinstance(name, str):
            yield name


def _sets_timer(calls: tuple[Call, ...]) -> bool:
    return any(call.verb.name == SETS_TIMER for call in calls)


def timer_event(state: str, delay: str) -> str:
    """Name the event of a timer."""
    return f"after.{state}.{delay}"


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def delay_of(text: str) -> timedelta:
    """Read a delay such as `30m`, `24h` or `2d`."""
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
