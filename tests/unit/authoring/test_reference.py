"""Every example of the reference does what it is an example of, and nothing is without one."""

import asyncio
from functools import cache
from textwrap import indent

import pytest

from engine.authoring.reference.page import MESSAGE_KINDS, message_stage
from engine.authoring.reference.shown import TENANT, Mistake, Shop, read_examples
from engine.authoring.reference.stage import Stage, block, event_of
from engine.domain.refusals import Reason
from engine.flows.rehearsal import compile_flows
from engine.spec.codes import CODES
from engine.spec.problems import Problems, SpecError
from engine.spec.read_flow import CHOICE_GROUPS
from engine.spec.shapes import KINDS
from engine.spec.whole import MOVED_TO, OURS
from engine.templating.environment import TESTS
from engine.templating.filters import FILTERS
from engine.verbs import all_verbs
from engine.whatsapp.flow_json.components import COMPONENTS
from tests.unit.spec.content import SHIPPED

VERBS = all_verbs()
EXAMPLES = {
    name: read_examples(name)
    for name in (
        "actions", "components", "events", "filters", "guards", "messages", "problems", "tests",
    )
}  # fmt: skip
FLOW = """\
flow: {name}
start: FIRST
{head}states:
  FIRST:
    title: An example
{screen}    layout:
{layout}    when: {{submit: LAST}}
  LAST:
    title: The last one
    layout: {{continue: {{type: Footer, label: Done, event: submit}}}}
    when: {{submit: END}}
  END: {{final: true}}
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return lambda name: Shop(tmp_path_factory.mktemp(name) / "content", SHIPPED, VERBS)


@pytest.fixture(scope="module")
def shop(folders):
    return folders("problems")


@cache
def stage_of(folders, name):
    """Lay the examples of actions and guards, of events, or of messages over the storefront."""
    shop = folders(name)
    if name == "messages":
        return asyncio.run(message_stage(shop))
    if name == "events":
        entries = [f"{event}: {data['example']}\n" for event, data in EXAMPLES[name].items()]
        return asyncio.run(Stage.of(shop, entries))
    actions = EXAMPLES["actions"].items()
    entries = [block(event_of(action), data["do"]) for action, data in actions]
    entries += [
        block(event_of(action, word="given"), data["given"])
        for action, data in actions
        if "given" in data
    ]
    entries += [block(event_of(guard), text) for guard, text in EXAMPLES["guards"].items()]
    return asyncio.run(Stage.of(shop, entries))


def play(stage, event, data=None, given=None):
    scene = asyncio.run(stage.play(event, data, given=given))
    assert scene.failure is None
    assert not [step for step in scene.record.log.steps if "failed" in step]
    return scene


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("actions", VERBS.actions),
        ("guards", VERBS.guards),
        ("filters", FILTERS),
        ("tests", TESTS),
        ("messages", MESSAGE_KINDS),
        ("components", {*COMPONENTS, CHOICE_GROUPS}),
        ("problems", CODES),
    ],
)
def test_everything_there_is_has_an_example_and_nothing_else(kind, wanted):
    assert set(EXAMPLES[kind]) == set(wanted)


def test_every_event_the_engine_raises_has_an_example_and_no_other():
    raised = {event for verb in VERBS.actions.values() for event in verb.raises}
    refused = {f"refused.{reason.value}" for reason in Reason}
    # One of those that name the status: `order_moved.preparing`.
    known = raised | refused | {*KINDS, *OURS, "flow.checkout", f"order_moved.{MOVED_TO[1]}"}
    assert set(EXAMPLES["events"]) == known


@pytest.mark.parametrize("action", sorted(VERBS.actions))
def test_the_example_of_an_action_takes_it(folders, action):
    example = EXAMPLES["actions"][action]
    given = event_of(action, word="given") if "given" in example else None
    stage = stage_of(folders, "verbs")
    scene = play(stage, event_of(action), example.get("data"), given=given)
    taken = [step for step in scene.record.log.steps if step.get("action") == action]
    assert taken, scene.record.log.steps
    # Of these the made-up customer has no right.
    assert ("refused" in taken[0]) is (action == "staff.give_back")


@pytest.mark.parametrize("guard", sorted(VERBS.guards))
def test_the_example_of_a_guard_asks_it_and_it_holds(folders, guard):
    scene = play(stage_of(folders, "verbs"), event_of(guard))
    asked = [step for step in scene.record.log.steps if "guard" in step]
    assert [step["holds"] for step in asked] == [True]


@pytest.mark.parametrize("event", sorted(EXAMPLES["events"]))
def test_the_example_of_an_event_takes_it(folders, event):
    example = EXAMPLES["events"][event]
    raised = example.get("by", event)
    scene = play(stage_of(folders, "events"), raised, example.get("data"))
    taken = [step for step in scene.record.log.steps if step.get("event") == event]
    assert taken, scene.record.log.steps
    assert not [step for step in scene.record.log.steps if step.get("refused") == "invalid"]


@pytest.mark.parametrize("name", sorted(EXAMPLES["filters"]))
def test_the_example_of_a_filter_uses_it(folders, name):
    source = EXAMPLES["filters"][name]
    assert f"|{name}" in source
    assert stage_of(folders, "messages").text(source)


@pytest.mark.parametrize("name", sorted(EXAMPLES["tests"]))
def test_the_example_of_a_test_holds(folders, name):
    source = EXAMPLES["tests"][name]
    assert f"is {name}" in source or f"'{name}'" in source
    assert stage_of(folders, "messages").holds(source)


@pytest.mark.parametrize("kind", MESSAGE_KINDS)
def test_the_example_of_a_kind_of_message_is_one_and_is_said(folders, kind):
    stage = stage_of(folders, "messages")
    scene = play(stage, event_of(kind))
    assert len(scene.said) == 1
    for words in stage.rehearsal.bundle.vocabularies.values():
        assert words.messages[event_of(kind)].kind == kind


@pytest.mark.parametrize("component", sorted(EXAMPLES["components"]))
def test_the_example_of_a_component_is_taken_by_whatsapp(folders, component):
    shop, data = component_shop(folders), EXAMPLES["components"][component]
    footer = (
        "" if "is_whole" in data else "continue: {type: Footer, label: Go on, event: submit}\n"
    )
    text = FLOW.format(
        name="example",
        head=data.get("head", ""),
        screen=indent(data.get("screen", ""), " " * 4),
        layout=indent(data["layout"] + footer, " " * 6),
    )
    shop.put({"flows/example.yaml": text})
    problems = Problems()
    bundle = shop.library.check(TENANT, problems)
    problems.raise_if_any()
    only = bundle.flows["example"]
    assert component in {c.type for c in only.screens["FIRST"].components()}
    object.__setattr__(bundle, "flows", {"example": only})
    asyncio.run(compile_flows(bundle, problems))
    assert [str(problem) for problem in problems.errors] == []


@cache
def component_shop(folders):
    return folders("components")


@pytest.mark.parametrize("code", sorted(CODES))
def test_the_example_of_a_problem_is_told_as_that(shop, code):
    mistake = Mistake.of(code, EXAMPLES["problems"][code])
    if mistake.never:
        assert not mistake.files
        assert not mistake.changed
        return
    assert list(mistake.shown())
    assert asyncio.run(shop.told(mistake)), f"nothing is told of {code}"


def test_few_problems_are_none_that_an_author_can_make():
    never = {c for c, data in EXAMPLES["problems"].items() if "never" in data}
    assert len(never) < 6, never


def test_an_example_that_is_wrong_is_told_by_its_line(folders):
    with pytest.raises(SpecError, match=r"storefront\.yaml:3:.*unknown-action.*cart\.ad"):
        asyncio.run(Stage.of(folders("wrong"), ["example: {do: cart.ad}\n"]))
