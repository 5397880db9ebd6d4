"""Guards that can never hold, and comparisons with what there is not."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from engine.spec.chart import Chart
from engine.spec.message import Message
from engine.spec.problems import Problems, Span, did_you_mean
from engine.spec.ways import value_of
from engine.templating.language import Expression, Text
from engine.templating.reading import Compared

NEVER = "never-holds"
UNREADABLE = "none"
"""What is taken for a guard that cannot be read, which has been told."""


@dataclass(frozen=True, slots=True)
class GuardCheck:
    """Checks guards of a chart, and of what is said in it.

    Args:
        deleted: names that are gone on purpose: a shared guard may still ask for them.
    """

    chart: Chart
    problems: Problems
    deleted: frozenset[str] = frozenset()

    def branches(self) -> None:
        """Note what is wrong with the guards of the chart's branches."""
        for branch in self.chart.all_branches():
            if branch.condition:
                self.guard(branch.condition)
                self._compares(branch.condition, is_branch=True)

    def message(self, message: Message, templates: Iterable[Text | Expression]) -> None:
        """Note what is wrong with the guards and texts of a message."""
        guards = [message.condition, *(entry.condition for entry in message.entries())]
        for guard in guards:
            if guard:
                self.guard(guard)
        for template in templates:
            self._compares(template, is_branch=False)

    def guard(self, guard: Expression) -> None:
        """Note a guard that never holds."""
        roots = {path.partition(".")[0] for path in guard.reading.paths}
        for name in sorted(roots - guard.names.keys()):
            sentence = f"'{name}' is a guard, and this does not ask it"
            self.problems.add(Span.of(guard.where), NEVER, sentence, f"write {name}()")
        never = value_of(guard) is False or not guard.reading.can_hold
        if never and guard.source != UNREADABLE:
            shown = guard.source.replace("\n", " ")
            self.problems.add(Span.of(guard.where), NEVER, f"'{shown}' never holds")

    def _compares(self, template: Text | Expression, *, is_branch: bool) -> None:
        for one in template.reading.compared:
            if one.word in self.deleted:
                continue
            span = Span.of(template.where).below(one.line)
            if one.path == "state":
                self._state(one, span, is_branch=is_branch)
            elif one.path == "event.name" and one.word not in self.chart.events():
                hint = did_you_mean(one.word, self.chart.events())
                _never(one, span, hint, self.problems)

    def _state(self, one: Compared, span: Span, *, is_branch: bool) -> None:
        states = self.chart.states.values()
        inside = [s.id for s in states if s.parent == one.word and not s.final]
        if one.word not in self.chart.states:
            _never(one, span, did_you_mean(one.word, self.chart.states), self.problems)
        elif inside and is_branch:
            hint = f"customers are in {' or '.join(inside)}"
            _never(one, span, hint, self.problems)


def check_conditions(template: Text | Expression, problems: Problems) -> None:
    """Note conditions inside a text or guard that contradict themselves."""
    for line in template.reading.never:
        span = Span.of(template.where).below(line)
        problems.add(span, NEVER, "the condition in it contradicts itself: it never holds")


def check_languages_named(
    templates: Iterable[Text | Expression], languages: Collection[str], problems: Problems
) -> None:
    """Note comparisons with a language that neither the tenant nor the shared texts have."""
    for template in templates:
        for one in template.reading.compared:
            if one.path == "language" and one.word not in languages:
                span = Span.of(template.where).below(one.line)
                _never(one, span, f"there are {', '.join(sorted(languages))}", problems)


def _never(one: Compared, span: Span, hint: str, problems: Problems) -> None:
    problems.add(span, NEVER, f"'{one.path}' is never '{one.word}'", hint)
