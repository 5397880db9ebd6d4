"""Every verb there is: documented, typed, and called by a test of its own."""

import ast
import inspect
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from engine.domain.refusals import Refusal
from engine.registry import Registry, Verb
from engine.turn import Event, Turn
from engine.verbs import all_verbs
from tests.unit.actions.shop import a_turn

HERE = Path(__file__).parent
VERBS = all_verbs()
ACTIONS, GUARDS = list(VERBS.actions.values()), list(VERBS.guards.values())
CALLS = {"act", "done", "refused", "reason", "raised", "ask"}
"""How the tests take an action or ask a guard: the turn first, then the verb's name."""


def called(folder: str) -> set[str]:
    """Collect the verbs that the tests of a folder call, by name or from a table of cases."""
    found: set[str] = set()
    for path in (HERE / folder).glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                named = node.args[1:2] if node.func.id in CALLS else []
                found |= {str(name.value) for name in named if isinstance(name, ast.Constant)}
    return found


def test_every_action_is_called_by_a_test():
    assert called("actions") >= VERBS.actions.keys()


def test_every_guard_is_asked_by_a_test():
    assert called("guards") >= VERBS.guards.keys()


def test_the_search_for_calls_finds_no_verb_that_there_is_not():
    assert called("actions") <= VERBS.actions.keys()
    assert called("guards") <= VERBS.guards.keys()


@pytest.mark.parametrize("verb", [*ACTIONS, *GUARDS], ids=lambda verb: verb.name)
def test_a_verb_says_what_it_does_in_one_sentence(verb):
    assert verb.summary
    assert verb.summary[0].isupper()
    assert verb.summary.endswith(".")
    assert len(verb.summary) <= 200


@pytest.mark.parametrize("verb", [*ACTIONS, *GUARDS], ids=lambda verb: verb.name)
def test_a_verb_takes_typed_arguments(verb):
    first, *rest = inspect.signature(verb.function).parameters.values()
    assert (first.name, first.annotation) == ("turn", Turn)
    for parameter in rest:
        assert parameter.annotation is not inspect.Parameter.empty, parameter.name
    assert issubclass(verb.arguments, BaseModel)
    assert verb.arguments.model_json_schema()["type"] == "object"


@pytest.mark.parametrize("verb", [*ACTIONS, *GUARDS], ids=lambda verb: verb.name)
def test_a_verb_refuses_arguments_it_does_not_know(verb):
    needed = {name: "x" for name, f in verb.arguments.model_fields.items() if f.is_required()}
    if verb.takes_any:
        assert verb.bind({"anything": 1}) == {"anything": 1}
        return
    with pytest.raises(ValidationError):
        verb.bind(needed | {"anything_else": 1})
    if needed:
        with pytest.raises(ValidationError):
            verb.bind({})


@pytest.mark.parametrize("verb", ACTIONS, ids=lambda verb: verb.name)
def test_an_action_can_be_awaited_and_says_what_it_answers(verb):
    assert inspect.iscoroutinefunction(verb.function)
    answers = str(inspect.signature(verb.function).return_annotation)
    assert ("Event" in answers) == bool(verb.raises)


@pytest.mark.parametrize("verb", GUARDS, ids=lambda verb: verb.name)
def test_a_guard_answers_at_once_and_yes_or_no(verb):
    assert not inspect.iscoroutinefunction(verb.function)
    assert inspect.signature(verb.function).return_annotation is bool
    assert not verb.gives
    assert not verb.raises


# The registry itself


def a_registry() -> Registry:
    registry = Registry()

    @registry.action("noun.verb", gives=("thing",), raises=("happened",))
    async def verb(turn: Turn, *, count: int, name: str = "x") -> Refusal | Event | None:
        """Do something
        in two lines.

        More of it.
        """
        return Event("happened")

    @registry.guard("asks")
    def asks(turn: Turn, *, count: int) -> int:
        """Ask."""
        return count

    return registry


def test_arguments_come_in_the_types_the_function_wants():
    verb: Verb = a_registry().actions["noun.verb"]
    assert verb.bind({"count": "3"}) == {"count": 3, "name": "x"}
    assert verb.summary == "Do something in two lines."
    assert verb.gives == frozenset({"thing"})
    assert verb.raises == frozenset({"happened"})
    assert not verb.takes_any


def test_a_guard_answers_yes_or_no_to_templates():
    ask = a_registry().guard_functions()["asks"]
    turn = a_turn()
    assert ask(turn, count=3) is True
    assert ask(turn, count=0) is False
    with pytest.raises(ValueError, match=r"^asks: "):
        ask(turn, count="many")


def test_no_two_verbs_have_one_name():
    with pytest.raises(ValueError, match=r"^'noun\.verb' is registered twice$"):
        Registry().merge(iter([a_registry(), a_registry()]))
    registry = a_registry()
    with pytest.raises(ValueError, match=r"^'asks' is registered twice$"):
        registry.guard("asks")(registry.guards["asks"].function)


def test_what_is_no_verb_is_not_registered():
    async def no_turn(*, turn_: int) -> None:
        """Do."""

    async def undocumented(turn: Turn) -> None:
        return None

    async def positional(turn: Turn, count: int) -> None:
        """Do."""

    for function, why in (
        (no_turn, "takes 'turn' first"),
        (undocumented, "needs a docstring"),
        (positional, "'count' must be keyword-only"),
    ):
        with pytest.raises(TypeError, match=why):
            Registry().action("noun.verb")(function)
