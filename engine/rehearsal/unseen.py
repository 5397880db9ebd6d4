"""What a whole walk never came to see: states, guards that never held, and what nobody says.

These are only hints. Shared files are not a tenant's: of them it is told only what none of their
tenants came to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.charts.inbound import FROM_STAFF
from engine.rehearsal.walk import Guard, Walk
from engine.spec.bundle import Bundle
from engine.spec.chart import Branch, State, told
from engine.spec.content import TENANTS
from engine.spec.problems import Problems, Span

ENOUGH = 5
"""A guard that was asked so often and never held is worth a hint."""


@dataclass(slots=True, repr=False)
class Seen:
    """What the walks of some tenants came to.

    Args:
        states: by place, the name of each, and whether somebody came to it.
        guards: by place of the branch.
        messages: by name, its place in the shared files, and whether anything says it.
    """

    states: dict[str, tuple[str, bool]] = field(default_factory=dict)
    guards: dict[str, Guard] = field(default_factory=dict)
    messages: dict[str, tuple[str, bool]] = field(default_factory=dict)

    def add(self, walk: Walk, like: Bundle | None = None) -> None:
        """Add a walk, unless something was left to be tried.

        Args:
            like: of the tenant that is meant, which differs from the walk's in messages alone.
        """
        if not walk.is_whole:
            return
        chart = walk.bundle.chart
        # Where only the staff comes to, no made-up customer can.
        theirs = {branch.go for branch in chart.anywhere.get(FROM_STAFF, ())}
        for state in chart.states.values():
            if state.id in theirs:
                continue
            known = self.states.get(state.where, (state.id, False))[1]
            self.states[state.where] = state.id, known or state.id in walk.states
        self._count(walk.guards)
        self._hear(like or walk.bundle)

    def written(self) -> dict[str, Any]:
        """Write it as JSON takes it."""
        return {
            "states": {where: list(held) for where, held in self.states.items()},
            "guards": {where: [held.asked, held.held] for where, held in self.guards.items()},
            "messages": {name: list(held) for name, held in self.messages.items()},
        }

    @classmethod
    def of(cls, written: Mapping[str, Any]) -> "Seen":
        """Read what was written."""
        return cls(
            {where: (name, seen) for where, (name, seen) in written.get("states", {}).items()},
            {where: Guard(*counts) for where, counts in written.get("guards", {}).items()},
            {name: (where, said) for name, (where, said) in written.get("messages", {}).items()},
        )

    def merge(self, other: "Seen") -> None:
        """Add what other walks came to."""
        for where, (name, is_seen) in other.states.items():
            self.states[where] = name, is_seen or self.states.get(where, (name, False))[1]
        self._count(other.guards)
        for name, (where, is_said) in other.messages.items():
            self._say(name, where, is_said=is_said)

    def _count(self, guards: Mapping[str, Guard]) -> None:
        for where, guard in guards.items():
            held = self.guards.setdefault(where, Guard())
            held.asked += guard.asked
            held.held += guard.held

    def _hear(self, bundle: Bundle) -> None:
        """Add the messages of a tenant."""
        chart = bundle.chart
        parts: list[State | Branch] = [*chart.states.values(), *chart.all_branches()]
        said = {name for part in parts for name in (*part.say, *told(part.calls))}
        for name, message in bundle.vocabulary(bundle.tenant.languages[0]).messages.items():
            where = message.where if _is_shared(message.where) else ""
            self._say(name, where, is_said=name in said)

    def _say(self, name: str, where: str, *, is_said: bool) -> None:
        known, was_said = self.messages.get(name, ("", False))
        self.messages[name] = known or where, was_said or is_said

    def note(self, problems: Problems, *, is_shared: bool) -> None:
        """Tell what nobody came to, in the tenants' own files or in the shared ones."""
        for where, (name, is_seen) in self.states.items():
            if not is_seen and _is_shared(where) is is_shared:
                sentence = f"no made-up customer came to '{name}'"
                problems.warn(Span.of(where), "never-seen", sentence)
        for where, guard in self.guards.items():
            if guard.asked >= ENOUGH and not guard.held and _is_shared(where) is is_shared:
                sentence = f"the guard of this branch was asked {guard.asked} times and never held"
                problems.warn(Span.of(where), "guard-never-holds", sentence)
        # Of a tenant's own messages it is told without a walk.
        for name, (where, is_said) in self.messages.items() if is_shared else ():
            if where and not is_said:
                problems.warn(
                    Span.of(where), "unused-message", f"nothing says the message '{name}'"
                )


def _is_shared(where: str) -> bool:
    return not where.startswith(f"{TENANTS}/")
