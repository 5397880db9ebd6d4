"""Random charts: the compiled machine and a small interpreter of the rules agree on every step.

The interpreter below is the meaning of our dialect in sixty lines, written from the rules of
statecharts and not from the library: what it does not say, the engine must not do.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from engine.charts.compiler import ANYWHERE, BranchKey, Structure
from engine.errors import ChartStuck
from engine.spec.chart import Branch, Chart, State
from engine.spec.check import ChartCheck
from engine.spec.problems import Problems
from engine.spec.source import Layers, Source
from tests.unit.charts.builders import LANGUAGE

Effect = BranchKey | str
EVENTS = ("one", "two", "one.more", "back")
GUARD = LANGUAGE.expression("maybe", "chart.yaml:1:1")


@dataclass
class Interpreter:
    """What an event does: the first branch that holds, from the innermost state outwards."""

    chart: Chart
    leaf: str | None
    resume: str | None

    def path(self, state: str) -> list[str]:
        ids = self.chart.path(state)
        return ["(all)", *([] if self.chart.states[ids[0]].aside else ["(main)"]), *ids]

    def take(self, event: str | None, holds: Callable[[BranchKey], bool]) -> list[Effect]:
        if event is None:
            return list(self.go("(all)", self.chart.start))
        for key, branch in self.branches(event):
            if branch.condition is None or holds(key):
                scope = key[0] or "(all)"
                return [key, *(self.go(scope, branch.go) if branch.go else ())]
        return []

    def branches(self, event: str) -> Iterator[tuple[BranchKey, Branch]]:
        for scope in reversed(self.chart.path(self.leaf) if self.leaf else ()):
            for place, branch in enumerate(
                dict(self.chart.states[scope].branches()).get(event, ())
            ):
                yield (scope, event, place), branch
        for place, branch in enumerate(self.chart.anywhere.get(event, ())):
            yield (ANYWHERE, event, place), branch

    def go(self, source: str, target: str, turns: int = 0) -> Iterator[str]:
        """Leave what is not around both source and target, then enter from there to the target."""
        if turns > 50:
            raise ChartStuck
        before = self.path(self.leaf) if self.leaf else ["(all)"]
        around = self.around(source, target)
        left = before[len(around) :]
        if "(main)" in left:
            self.resume = self.leaf  # leaving the main part remembers where the customer was
        end = self.path(self.remembered() if target == "resume" else target)
        while start := self.chart.states[end[-1]].start:
            end.append(start)
        yield from (state for state in end[len(around) :] if state != "(main)")
        self.leaf = end[-1]
        parent = self.chart.states[self.leaf].parent
        if self.chart.states[self.leaf].final and parent:
            after = self.chart.states[parent].finished
            if after:
                yield from self.go(parent, after, turns + 1)

    def remembered(self) -> str:
        return self.resume or self.chart.start

    def around(self, source: str, target: str) -> list[str]:
        if source == "(all)":
            return ["(all)"]
        one = self.path(source)[:-1]
        # What is remembered is remembered of the whole main part.
        two = ["(all)", "(main)"] if target == "resume" else self.path(target)[:-1]
        return [a for a, b in zip(one, two, strict=False) if a == b]


# Random charts of the dialect -------------------------------------------------------------------


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    names = [f"s{n}" for n in range(draw(st.integers(2, 8)))]
    parents: dict[str, str | None] = {names[0]: None}
    for place, name in enumerate(names[1:], start=1):
        parents[name] = draw(st.sampled_from([None, *names[:place]]))
    inside = {name: [n for n in names if parents[n] == name] for name in names}
    targets = st.sampled_from([None, "resume", *names])
    branch = st.builds(
        lambda go, guarded: Branch("chart.yaml:1:1", condition=GUARD if guarded else None, go=go),
        targets,
        st.booleans(),
    )
    branches = st.lists(branch, min_size=1, max_size=3).map(tuple)
    events = st.dictionaries(st.sampled_from(EVENTS), branches, max_size=2)
    states = {
        name: State(
            id=name,
            where="chart.yaml:1:1",
            parent=parents[name],
            start=draw(st.sampled_from(inside[name])) if inside[name] else None,
            finished=draw(st.sampled_from([None, *names])) if inside[name] else None,
            aside=name != names[0] and parents[name] is None and draw(st.booleans()),
            final=(
                final := not inside[name] and parents[name] is not None and draw(st.booleans())
            ),
            when={} if final else draw(events),
            after={} if final else draw(st.dictionaries(st.just("30m"), branches, max_size=1)),
        )
        for name in names
    }
    return Chart(
        id="random",
        version=1,
        start=names[0],
        states=dict(ordered(states)),
        anywhere=draw(events),
        prefixes={},
        renamed={},
        careful=frozenset(),
        digest="",
    )


def ordered(states: dict[str, State], parent: str | None = None) -> Iterator[tuple[str, State]]:
    for name, state in states.items():
        if state.parent == parent:
            yield name, state
            yield from ordered(states, name)


class Scripted:
    """A program whose guards hold or not as the test wants, and that writes down what is done."""

    def __init__(self, holds: Callable[[BranchKey], bool]) -> None:
        self.holds = holds
        self.asked: list[BranchKey] = []
        self.done: list[Effect] = []

    def allows(self, key: BranchKey) -> bool:
        self.asked.append(key)
        return self.holds(key)

    async def take(self, key: BranchKey) -> None:
        self.done.append(key)

    async def enter(self, state: str) -> None:
        self.done.append(state)


Step = tuple[str, frozenset[tuple[str, int]]]
steps = st.lists(
    st.tuples(
        st.sampled_from([*EVENTS, *(f"after.s{n}.30m" for n in range(3)), "never"]),
        st.frozensets(st.tuples(st.sampled_from(EVENTS), st.integers(0, 2)), max_size=6),
    ),
    min_size=1,
    max_size=10,
)


@settings(max_examples=120, deadline=None)
@given(chart=charts(), script=steps)
async def test_the_machine_and_the_rules_agree(chart, script):
    structure, meaning = Structure(chart), Interpreter(chart, None, None)
    leaf, resume = None, None
    for event, held in [(None, frozenset()), *script]:

        def holds(key: BranchKey, held: frozenset[tuple[str, int]] = held) -> bool:
            return key[1:] in held

        program = Scripted(holds)
        note(f"{leaf} {resume} <- {event} {sorted(held)}")
        try:
            expected = meaning.take(event, holds)
        except ChartStuck:
            with pytest.raises(ChartStuck):
                await structure.step(program, event, leaf=leaf, resume=resume)
            assert program.done == []
            return
        leaf, resume = await structure.step(program, event, leaf=leaf, resume=resume)
        note(f"{program.done} -> {leaf} {resume}")
        assert leaf == meaning.leaf
        assert program.done == expected
        assert resume == meaning.resume
        assert len(program.asked) == len(set(program.asked))


@settings(max_examples=60, deadline=None)
@given(chart=charts())
def test_the_check_refuses_the_charts_that_go_in_circles_and_only_those(chart):
    problems = Problems()
    ChartCheck(chart, Layers((Source("chart.yaml", {}),)), problems).run()
    refused = "never-rests" in {problem.code for problem in problems.found}
    stuck = False
    for state in chart.states:
        try:
            list(Interpreter(chart, chart.start, None).go("(all)", state))
        except ChartStuck:
            stuck = True
    assert refused == stuck
