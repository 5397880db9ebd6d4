"""Registries: a verb is its function's signature, checked at its registration and at each call."""

from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from engine.domain.refusals import Refusal
from engine.registry import Registry
from engine.turn import Turn
from engine.verbs import all_verbs
from tests.unit.charts.builders import bundle, turn

TURN = turn(bundle("chart: c\nstart: a\nstates: {a: {}}"))


def make() -> Registry:
    registry = Registry()

    @registry.action("bread.bake", gives=("bread",), raises=("burnt",))
    async def bake(
        turn: Turn,
        *,
        kind: Literal["roll", "loaf"],
        minutes: Annotated[int, Field(ge=1, le=90)] = 30,
        toppings: tuple[str, ...] = (),
    ) -> Refusal | None:
        """Bake bread,
        all of one kind.

        Not too long.
        """
        turn.memory["bread"] = (kind, minutes, toppings)
        return None

    @registry.guard("is_hot")
    def is_hot(turn: Turn, *, degrees: int = 200) -> bool:
        """Tell whether the oven is hot."""
        return degrees >= 200

    @registry.action("note")
    async def note(turn: Turn, **values: str) -> None:
        """Note whatever there is."""
        turn.memory.update(values)

    return registry


def test_a_verb_is_known_by_its_name_and_says_what_it_does():
    verb = make().actions["bread.bake"]
    assert verb.summary == "Bake bread, all of one kind."
    assert verb.gives == {"bread"}
    assert verb.raises == {"burnt"}
    assert not verb.takes_any
    assert make().actions["note"].takes_any


def test_arguments_come_in_the_types_the_function_wants():
    verb = make().actions["bread.bake"]
    assert verb.bind({"kind": "roll", "minutes": "20", "toppings": ["seeds"]}) == {
        "kind": "roll",
        "minutes": 20,
        "toppings": ("seeds",),
    }
    assert verb.bind({"kind": "loaf"}) == {"kind": "loaf", "minutes": 30, "toppings": ()}
    assert make().actions["note"].bind({"a": 1, "b": [2]}) == {"a": 1, "b": [2]}


@pytest.mark.parametrize(
    "values",
    [{}, {"kind": "cake"}, {"kind": "roll", "minutes": 0}, {"kind": "roll", "minutes": None},
     {"kind": "roll", "size": 3}, {"kind": "roll", "toppings": "seeds"}],
)  # fmt: skip
def test_wrong_arguments_are_refused(values):
    with pytest.raises(ValidationError):
        make().actions["bread.bake"].bind(values)


async def test_a_function_stays_what_it_was():
    registry = Registry()

    async def greet(turn: Turn, *, name: str) -> None:
        """Greet."""
        turn.memory["greeted"] = name

    assert registry.action("greet")(greet) is greet
    await registry.actions["greet"].function(TURN, name="Ana")
    assert TURN.memory["greeted"] == "Ana"


def test_a_guard_is_called_with_checked_arguments():
    guards = make().guard_functions()
    assert guards["is_hot"](TURN) is True
    assert guards["is_hot"](TURN, degrees="150") is False
    with pytest.raises(ValueError, match="is_hot: "):
        guards["is_hot"](TURN, degrees="warm")
    with pytest.raises(ValueError, match="is_hot: "):
        guards["is_hot"](TURN, colour="red")


def test_a_name_is_registered_once():
    registry = make()
    with pytest.raises(ValueError, match=r"'bread\.bake' is registered twice"):
        registry.merge(iter([make()]))
    with pytest.raises(ValueError, match="'is_hot' is registered twice"):

        @registry.guard("is_hot")
        def again(turn: Turn) -> bool:
            """Tell it again."""
            return True


def test_an_action_and_a_guard_may_share_a_name():
    registry = Registry()

    @registry.action("same")
    async def act(turn: Turn) -> None:
        """Act."""

    @registry.guard("same")
    def ask(turn: Turn) -> bool:
        """Ask."""
        return True

    assert set(registry.actions) == set(registry.guards) == {"same"}


def test_registries_are_merged():
    merged = Registry().merge(iter([make(), Registry()]))
    assert set(merged.actions) == {"bread.bake", "note"}
    assert set(merged.guards) == {"is_hot"}


def test_a_function_of_another_shape_is_no_verb():
    registry = Registry()

    async def positional(turn: Turn, name: str) -> None:
        """Take a positional argument."""

    async def silent(turn: Turn) -> None:
        pass

    async def turnless(*, name: str) -> None:
        """Take no turn."""

    with pytest.raises(TypeError, match="'name' must be keyword-only"):
        registry.action("a")(positional)
    for function in (silent, turnless):
        with pytest.raises(TypeError, match="takes 'turn' first and needs a docstring"):
            registry.action("a")(function)
    assert registry.actions == {}


def test_all_that_the_shipped_actions_give_and_raise_is_a_name():
    for verb in all_verbs().actions.values():
        assert all(name.isidentifier() for name in verb.gives | verb.raises)
