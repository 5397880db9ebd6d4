"""Structures: what the pinned python-statemachine makes of a chart, its traps avoided.

The traps are numbered as in its study (statecharts, 1.6): each was met, and each would be a wrong
turn of a customer's conversation.
"""

import asyncio
import gc
from importlib.metadata import requires, version

import pytest
import statemachine
from packaging.requirements import Requirement
from statemachine import StateChart, registry

from engine.charts.compiler import (
    ANYWHERE,
    LONGEST_PLAN,
    BranchKey,
    Plan,
    Structure,
    Structures,
    structure_digest,
)
from engine.errors import ChartStuck
from engine.spec.chart import Chart
from engine.spec.problems import Problems
from engine.spec.read import Reader
from engine.spec.source import Layers, parse
from tests.unit.charts.builders import LANGUAGE, bundle, verbs
from tests.unit.charts.test_reference import Scripted


def chart(states: str, anywhere: str = "", start: str = "a") -> Chart:
    text = f"chart: c\nstart: {start}\nanywhere: {{{anywhere}}}\nstates: {{{states}}}\n"
    return bundle(text).chart


def always(key: BranchKey) -> bool:
    return True


def plan(structure: Structure, event: str | None, leaf: str | None, resume: str | None = None):
    return structure.plan(always, event, leaf=leaf, resume=resume)


def test_the_library_is_the_one_that_was_studied():
    (wanted,) = [
        r for r in map(Requirement, requires("comanda") or ()) if r.name == "python-statemachine"
    ]
    assert version("python-statemachine") in wanted.specifier
    assert statemachine.__version__.startswith("3.2.")


# The dialect ------------------------------------------------------------------------------------

NESTED = Structure(
    chart(
        "a: {when: {in: checkout, deep: pay, off: {if: misses, go: a}}, back: other},"
        "other: {when: {back: a}},"
        "checkout: {start: address, finished: thanks, when: {out: a, step: pay},"
        "  states: {address: {when: {next: pay}}, pay: {when: {next: done, say: {say: hm}}},"
        "  done: {final: true}}},"
        "thanks: {},"
        "help: {aside: true, when: {go_on: resume}}",
        "home: a, help: help, anyway: pay, note: {say: hm}, away: resume",
    )
)


@pytest.mark.parametrize(
    ("event", "leaf", "effects", "after"),
    [
        (None, None, ["a"], "a"),
        ("in", "a", [("a", "in", 0), "checkout", "address"], "address"),
        ("deep", "a", [("a", "deep", 0), "checkout", "pay"], "pay"),
        ("back", "a", [("a", "back", 0), "other"], "other"),
        ("next", "address", [("address", "next", 0), "pay"], "pay"),
        # An event of an outer state leaves it and enters it again.
        ("step", "address", [("checkout", "step", 0), "checkout", "pay"], "pay"),
        ("out", "pay", [("checkout", "out", 0), "a"], "a"),
        # Without a target the customer stays and nothing is said again.
        ("say", "pay", [("pay", "say", 0)], "pay"),
        ("note", "pay", [(ANYWHERE, "note", 0)], "pay"),
        # A final state inside is the end of the outer one.
        ("next", "pay", [("pay", "next", 0), "done", "thanks"], "thanks"),
        ("anyway", "thanks", [(ANYWHERE, "anyway", 0), "checkout", "pay"], "pay"),
        ("home", "pay", [(ANYWHERE, "home", 0), "a"], "a"),
        ("home", "a", [(ANYWHERE, "home", 0), "a"], "a"),
        # Before the chart has begun, what holds anywhere holds.
        ("home", None, [(ANYWHERE, "home", 0), "a"], "a"),
        ("next", None, [], None),
        ("next", "a", [], "a"),
        ("never", "pay", [], "pay"),
    ],
)
def test_an_event_does_what_the_chart_says(event, leaf, effects, after):
    found = plan(NESTED, event, leaf)
    assert list(found.effects) == effects
    assert found.leaf == after


@pytest.mark.parametrize("leaf", ["a", "other", "address", "pay", "thanks"])
def test_aside_remembers_where_the_customer_was(leaf):
    away = plan(NESTED, "help", leaf)
    assert (away.leaf, away.resume) == ("help", leaf)
    again = plan(NESTED, "help", "help", leaf)
    assert (again.leaf, again.resume) == ("help", leaf)
    path = {"address": ["checkout"], "pay": ["checkout"]}.get(leaf, [])
    back = plan(NESTED, "go_on", "help", leaf)
    assert (back.effects, back.leaf) == ((("help", "go_on", 0), *path, leaf), leaf)


def test_nothing_to_resume_leads_to_the_start():
    """1.4: a history with neither a record nor a default leaves the library nowhere."""
    assert plan(NESTED, "go_on", "help").effects == (("help", "go_on", 0), "a")


def test_a_branch_that_leads_back_is_taken_once():
    """The library runs the action of a transition to a history twice."""
    for resume in (None, "pay"):
        found = plan(NESTED, "away", "other", resume)
        assert found.effects.count((ANYWHERE, "away", 0)) == 1
        assert found.leaf == "other"


def test_a_structure_tells_what_a_state_reacts_to():
    assert NESTED.reacts("pay", "next")
    assert NESTED.reacts("pay", "out")
    assert not NESTED.reacts("a", "out")
    assert not NESTED.reacts("pay", "home")  # that is the chart's, not the state's


def test_a_timer_is_an_event_of_its_state():
    timed = Structure(chart("a: {after: {30m: b, 2h: {say: hm}}}, b: {}"))
    assert timed.reacts("a", "after.a.30m")
    assert plan(timed, "after.a.30m", "a").effects == (("a", "after.a.30m", 0), "b")
    assert plan(timed, "after.a.2h", "a").effects == (("a", "after.a.2h", 0),)
    assert plan(timed, "after.a.30m", "b").effects == ()


# Guards -----------------------------------------------------------------------------------------

GUARDED = Structure(
    chart(
        "a: {when: {x: [{if: misses, go: b}, {if: is_new, say: hm}, {go: c}],"
        "  y: {if: misses, go: b}, z: {if: misses, go: resume}}},"
        "b: {}, c: {}",
        "y: c",
    )
)


@pytest.mark.parametrize(
    ("holding", "asked", "effects"),
    [
        ({0}, [0], [("a", "x", 0), "b"]),
        ({1}, [0, 1], [("a", "x", 1)]),
        (set(), [0, 1], [("a", "x", 2), "c"]),
    ],
)
def test_the_first_branch_that_holds_wins_and_no_later_guard_is_asked(holding, asked, effects):
    heard: list[BranchKey] = []

    def allows(key: BranchKey) -> bool:
        heard.append(key)
        return key[2] in holding

    for _ in range(2):  # the second time from memory
        heard.clear()
        found = GUARDED.plan(allows, "x", leaf="a", resume=None)
        assert list(found.effects) == effects
        assert heard == [("a", "x", place) for place in asked]


def test_a_guard_that_does_not_hold_leaves_the_event_to_the_outer_parts():
    never = GUARDED.plan(lambda key: False, "y", leaf="a", resume=None)
    assert never.effects == ((ANYWHERE, "y", 0), "c")


def test_a_guard_before_a_way_back_is_asked_once():
    heard: list[BranchKey] = []

    def allows(key: BranchKey) -> bool:
        heard.append(key)
        return True

    GUARDED.plan(allows, "z", leaf="a", resume="b")
    assert heard == [("a", "z", 0)]


def test_a_guard_that_fails_spoils_nothing():
    def broken(key: BranchKey) -> bool:
        raise KeyError("misses")

    with pytest.raises(KeyError):
        GUARDED.plan(broken, "x", leaf="a", resume=None)
    assert plan(GUARDED, "x", "a").leaf == "b"


# The library's traps ----------------------------------------------------------------------------

ODD_STATES = ["model", "states", "send", "configuration", "history_values", "s_a", "idle_x",
              "root", "name", "current_state", "states_map", "None", "A", "X"]  # fmt: skip
ODD_EVENTS = ["model", "states", "events", "configuration", "send", "name", "a", "e_x", "error",
              "error.execution", "done.state.a", "begin", "x.y.z"]  # fmt: skip


@pytest.mark.parametrize("name", ODD_STATES)
def test_a_state_may_have_any_name(name):
    """Trap 3: an id that is an attribute of the library's classes breaks the machine."""
    structure = Structure(chart(f"a: {{when: {{x: {name}}}}}, {name}: {{when: {{y: a}}}}"))
    assert plan(structure, "x", "a").leaf == name
    assert plan(structure, "y", name).leaf == "a"


@pytest.mark.parametrize("name", ODD_EVENTS)
def test_an_event_may_have_any_name(name):
    structure = Structure(chart(f"a: {{when: {{{name}: b}}}}, b: {{}}", f"{name}: a"))
    assert plan(structure, name, "a").effects == (("a", name, 0), "b")
    assert plan(structure, name, "b").effects == ((ANYWHERE, name, 0), "a")


@pytest.mark.parametrize(
    "event",
    ["a", "b", "model", "send", "s_b", "e_x", "__class__", "", "*", "X", "x.y", "done.state.s_b"],
)
def test_an_event_from_outside_that_nobody_knows_does_nothing(event):
    """Trap 4: the library looks an event's name up among its own attributes."""
    structure = Structure(chart("a: {when: {x: b}}, b: {start: c, states: {c: {}}}"))
    assert plan(structure, event, "a") == Plan((), "a", None)


def test_an_event_is_not_the_beginning_of_another():
    """1.3: `cart` would take `cart.add`, and `*` everything."""
    structure = Structure(chart("a: {when: {cart: b, cart.add: c}}, b: {}, c: {}", "cart: c"))
    assert plan(structure, "cart.add", "a").leaf == "c"
    assert plan(structure, "cart", "a").leaf == "b"
    assert plan(structure, "cart.remove", "b").effects == ()
    assert plan(structure, "cart.add", "b").effects == ()


def classes_alive():
    gc.collect()
    found = [c for c in gc.get_objects() if isinstance(c, type) and issubclass(c, StateChart)]
    return len([c for c in found if c.__name__ == "Chart"])


def test_many_structures_keep_one_class_alive():
    """Trap 7: the library keeps every class it ever made, by its name."""
    registered, alive = len(registry._REGISTRY), classes_alive()  # other tests hold some
    for number in range(20):
        Structure(chart(f"a: {{when: {{x: b{number}}}}}, b{number}: {{}}"))
    assert len(registry._REGISTRY) <= registered + 1
    assert classes_alive() <= alive + 1


def test_a_chart_never_ends():
    """Trap 8: after a top-level final state the library ignores everything."""
    structure = Structure(
        chart("a: {start: b, states: {b: {when: {x: c}}, c: {final: true}}}", "home: a")
    )
    assert plan(structure, "x", "b").leaf == "c"
    assert plan(structure, "home", "c").leaf == "b"


def test_a_chart_that_goes_in_circles_is_stopped_and_spoils_nothing():
    round_trip = (
        "a: {when: {x: {if: misses, go: a}, y: [{if: misses, go: a}, {go: b}]}},"
        "b: {start: c, finished: b, states: {c: {final: true}}}"
    )
    text = f"chart: c\nstart: a\nanywhere: {{go: b}}\nstates: {{{round_trip}}}\n"
    structure = Structure(bundle_unchecked(text))
    for _ in range(2):
        with pytest.raises(ChartStuck, match="'go' in 'a' never comes to rest"):
            plan(structure, "go", "a")
        assert plan(structure, "x", "a").leaf == "a"
        # The branch that would not end is not the one that holds.
        assert plan(structure, "y", "a").leaf == "a"
    assert LONGEST_PLAN > 50


def bundle_unchecked(text: str) -> Chart:
    problems = Problems()
    source = parse(text, "chart.yaml", problems)
    assert source is not None
    return Reader(Layers((source,)), LANGUAGE, verbs, problems).chart(source.data)


async def test_the_machine_decides_within_a_running_loop_and_awaits_nothing():
    """1.3: one async callback among its own would make the library start tasks."""
    before = asyncio.all_tasks()
    assert plan(NESTED, "in", "a").leaf == "address"
    assert asyncio.all_tasks() == before


# Sharing ----------------------------------------------------------------------------------------

BASE = (
    "a: {say: hi, do: {save: {n: 1}}, when: {x: {if: misses, say: hm, go: b}}, after: {1h: b}},"
    "b: {}"
)


@pytest.mark.parametrize(
    "other",
    [
        BASE.replace("say: hi", "say: [ho, hi]"),
        BASE.replace("say: hi, ", ""),
        BASE.replace("if: misses", "if: lucky()"),
        BASE.replace("say: hm, ", ""),
        BASE.replace("n: 1", "m: 2"),
        BASE.replace("do: {save: {n: 1}}, ", ""),
        BASE.replace("go: b", "go: b, quiet: true"),
    ],
)
def test_charts_that_differ_in_texts_guards_or_arguments_share_a_structure(other):
    assert other != BASE
    structures, one, two = Structures(), chart(BASE), chart(other)
    assert one.digest != two.digest
    assert structure_digest(one) == structure_digest(two)
    assert structures.of(one) is structures.of(two)
    assert structures.of(one) is structures.of(chart(BASE))


@pytest.mark.parametrize(
    "other",
    [
        BASE.replace("if: misses, ", ""),
        BASE.replace("go: b", "go: a"),
        BASE.replace(", go: b", ""),
        BASE.replace("x: {", "y: {"),
        BASE.replace("1h: b", "2h: b"),
        BASE.replace("b: {}", "b: {}, c: {aside: true, when: {back: resume}}").replace(
            "say: hm", "say: hm"
        ),
        BASE.replace("b: {}", "b: {start: c, states: {c: {}}}"),
        BASE.replace("b: {}", "b: {when: {x: a}}"),
    ],
)
def test_charts_that_differ_in_states_or_targets_do_not(other):
    assert other != BASE
    anywhere = "help: c" if "c: {aside" in other else ""
    assert structure_digest(chart(BASE)) != structure_digest(chart(other, anywhere))


# Turns at once ----------------------------------------------------------------------------------


class Waiting(Scripted):
    """A program that waits in each of its steps until all others are there, too."""

    def __init__(self, barrier: asyncio.Barrier) -> None:
        super().__init__(always)
        self.barrier = barrier

    async def take(self, key: BranchKey) -> None:
        await super().take(key)
        await self.barrier.wait()

    async def enter(self, state: str) -> None:
        await super().enter(state)
        await self.barrier.wait()


async def test_turns_at_once_on_one_structure_do_not_mix():
    turns = [("in", "a", "checkout", "address"), ("anyway", "thanks", "checkout", "pay")] * 40
    barrier = asyncio.Barrier(len(turns))
    programs = [Waiting(barrier) for _ in turns]
    found = await asyncio.gather(
        *(
            NESTED.step(program, event, leaf=leaf, resume=None)
            for program, (event, leaf, _, _) in zip(programs, turns, strict=True)
        )
    )
    for program, (after, _), (event, leaf, outer, inner) in zip(
        programs, found, turns, strict=True
    ):
        scope = leaf if event == "in" else ANYWHERE
        assert program.done == [(scope, event, 0), outer, inner]
        assert after == inner


class Failing(Scripted):
    async def take(self, key: BranchKey) -> None:
        raise RuntimeError("the oven is on fire")


async def test_a_turn_that_fails_leaves_the_structure_as_it_was():
    program = Failing(always)
    with pytest.raises(RuntimeError):
        await NESTED.step(program, "in", leaf="a", resume=None)
    assert program.done == []
    fine = Scripted(always)
    assert await NESTED.step(fine, "in", leaf="a", resume=None) == ("address", None)
    assert fine.done == [("a", "in", 0), "checkout", "address"]


class Hanging(Scripted):
    """A program whose first step never ends."""

    def __init__(self) -> None:
        super().__init__(always)
        self.begun = asyncio.Event()

    async def take(self, key: BranchKey) -> None:
        await super().take(key)
        self.begun.set()
        await asyncio.Event().wait()


async def test_a_turn_that_is_cancelled_leaves_the_structure_as_it_was():
    """Trap 9: a machine that is cancelled within an action is nowhere."""
    program = Hanging()
    turn = asyncio.create_task(NESTED.step(program, "in", leaf="a", resume=None))
    await program.begun.wait()
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    assert program.done == [("a", "in", 0)]
    assert await NESTED.step(Scripted(always), "in", leaf="a", resume=None) == ("address", None)
