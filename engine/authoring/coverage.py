"""Coverage: which states, branches and messages of a tenant's chart no dialog has reached.

It reads the steps that a turn log tells; how the turns came about is not known here. Screens of
Flows are not counted: `comanda check` walks through every Flow.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from engine.spec.bundle import Bundle
from engine.spec.chart import Branch, Chart
from engine.spec.problems import Span

Kind = Literal["state", "branch", "message"]
KINDS: Final[tuple[Kind, ...]] = ("state", "branch", "message")
BEYOND_DIALOGS: Final = frozenset({"problem", "moved"})
"""Events that no dialog can bring about: a turn fails, or the chart changes under a customer."""
LONGEST_GUARD = 60


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """A part of what is authored that a dialog can reach.

    Args:
        where: its place; a message that is written once for several languages is one part.
        name: the state's or message's id, or what the branch is on and where.
        languages: of a message: those in which it is said with the words at this place.
    """

    where: Span
    kind: Kind
    name: str
    languages: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Write it for a person."""
        spoken = f" ({', '.join(self.languages)})" if self.languages else ""
        return f"{self.where}: {self.kind} {self.name}{spoken}"


@dataclass(frozen=True, slots=True)
class Share:
    """How much of something was reached."""

    reached: int
    all: int

    @property
    def percent(self) -> int:
        """Give it in per cent, 100 only if nothing is missing."""
        return self.reached * 100 // self.all if self.all else 100


class Coverage:
    """What was reached of a tenant's chart, turn by turn.

    Args:
        bundle: the one the turns were run with.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._chart = bundle.chart
        self.languages: tuple[str, ...] = tuple(bundle.tenant.languages)
        self.parts: tuple[Part, ...] = tuple(sorted({*_chart_parts(bundle), *_messages(bundle)}))
        self._reached: set[tuple[Kind, str]] = set()

    def note(self, steps: Iterable[Mapping[str, Any]]) -> None:
        """Note what a turn did, as the turn log tells it."""
        for step in steps:
            if "state" in step and step["state"] in self._chart.states:
                for state in self._chart.path(step["state"]):
                    self._reached.add(("state", self._chart.states[state].where))
            elif "branch" in step:
                self._reached.add(("branch", step["branch"]))
            elif "say" in step and not step.get("empty"):
                self._reached.add(("message", step["at"]))

    def missing(self) -> tuple[Part, ...]:
        """Give what was not reached, by place."""
        return tuple(part for part in self.parts if not self._has(part))

    def share(self, kind: Kind, language: str | None = None) -> Share:
        """Tell how much of a kind was reached, of messages also in one language."""
        wanted = [
            part
            for part in self.parts
            if part.kind == kind and (language is None or language in part.languages)
        ]
        return Share(sum(map(self._has, wanted)), len(wanted))

    def _has(self, part: Part) -> bool:
        return (part.kind, str(part.where)) in self._reached


def _chart_parts(bundle: Bundle) -> Iterator[Part]:
    chart = bundle.chart
    for state in chart.states.values():
        yield Part(Span.of(state.where), "state", f"'{state.id}'")
    for scope, event, branches in _reactions(chart):
        for branch in branches:
            yield Part(Span.of(branch.where), "branch", _called(scope, event, branch))


def _reactions(chart: Chart) -> Iterator[tuple[str, str, tuple[Branch, ...]]]:
    for event, branches in chart.anywhere.items():
        if event not in BEYOND_DIALOGS:
            yield "anywhere", event, branches
    for state in chart.states.values():
        for event, branches in state.when.items():
            if event not in BEYOND_DIALOGS:
                yield f"in '{state.id}'", event, branches
        for delay, branches in state.after.items():
            yield f"in '{state.id}'", f"after {delay}", branches


def _called(scope: str, event: str, branch: Branch) -> str:
    """Name a branch: `'checkout' anywhere, if cart.count == 0`."""
    guard = " ".join(branch.condition.source.split()) if branch.condition else ""
    shown = guard if len(guard) <= LONGEST_GUARD else f"{guard[: LONGEST_GUARD - 1]}…"
    return f"'{event}' {scope}" + (f", if {shown}" if shown else "")


def _messages(bundle: Bundle) -> Iterator[Part]:
    """Give the messages that the chart says, by the place of their words."""
    spoken: dict[tuple[str, str], list[str]] = {}
    said = _said(bundle.chart)
    for language in bundle.tenant.languages:
        messages = bundle.vocabularies[language].messages
        for name in said & messages.keys():
            spoken.setdefault((name, messages[name].where), []).append(language)
    for (name, where), languages in spoken.items():
        yield Part(Span.of(where), "message", f"'{name}'", tuple(languages))


def _said(chart: Chart) -> set[str]:
    said = {name for state in chart.states.values() for name in state.say}
    for _, _, branches in _reactions(chart):
        said.update(name for branch in branches for name in branch.say)
    return said
