"""A customer who gets no further in a Flow: what decided it is told, and the way there."""

import pytest

from engine.flows.rehearsal import compile_flows
from engine.spec.problems import Problems, SpecError
from tests.unit.actions.shop import wait
from tests.unit.flows.screens import END, FILE, GO, flow, shop

NEVER = "flow-fails: with 'Margherita Pizza' the Flow never ends"
PRICE = "{product: '{{ input.product }}', presentation: '{{ size }}', quantity: 1}"


def told_of(text: str) -> list[str]:
    """Walk through a Flow and give what is told of it."""
    problems = Problems()
    start = "flow: small\nstart: A\ninput: {product: required}\nstates:\n"
    wait(compile_flows(shop(flow(f"{start}{text}{END}")), problems))
    return [str(problem) for problem in problems.sorted()]


def test_a_way_on_which_nothing_sets_what_an_action_needs_is_told():
    told = told_of(
        f"  A: {{title: A, layout: {{{GO}}}, when: {{submit: {{go: B}}}}}}\n"
        f"  B:\n    title: B\n    layout: {{{GO}}}\n    when:\n      submit:\n"
        f"        do: {{cart.price: {PRICE}}}\n        go: END\n"
        "      other: {do: {save: {size: L}}}\n"
    )
    assert f"{FILE}:11:14: {NEVER}: it stays on 'B'" in told
    assert (
        f"{FILE}:5:80: warning: flow-fails: nothing on this way sets 'size', which 'cart.price' "
        "needs"
    ) in told


def test_a_way_to_a_screen_that_cannot_be_shown_is_told():
    told = told_of(
        f"  A: {{title: A, layout: {{{GO}}}, when: {{submit: {{go: B}},"
        " other: {do: {save: {size: L}}}}}\n"
        f"  B:\n    title: B\n    do: {{cart.price: {PRICE}}}\n"
        f"    layout: {{{GO}}}\n    when: {{submit: END}}\n"
    )
    assert f"{FILE}:8:10: {NEVER}: it stays on 'A'" in told
    (way,) = (line for line in told if "warning: flow-fails" in line)
    assert way.startswith(f"{FILE}:5:80: ")
    assert "it leads to 'B', which is not shown: there 'cart.price' says " in way


@pytest.mark.parametrize(
    ("when", "place"),
    [
        ("{submit: [{if: misses, go: END}, {go: A}]}", "5:117"),
        ("{submit: {if: misses, go: END}}", "5:80"),
        ("{submit: [{if: misses, go: END}, {error: No}]}", "5:112"),
    ],
)
def test_what_was_taken_or_asked_last_is_told(when, place):
    told = told_of(f"  A: {{title: A, layout: {{{GO}}}, when: {when}}}\n")
    assert told == [f"{FILE}:{place}: {NEVER}: it stays on 'A'"]


def test_groups_to_choose_from_that_are_not_in_the_data_are_told():
    problems = Problems()
    of = flow(
        "flow: small\nstart: A\ninput: {product: required}\n"
        "takes: {presentations: 1, groups: 1, options: 2}\nstates:\n  A:\n    title: A\n"
        "    do: {catalog.product: {product: '{{ input.product }}'}}\n"
        "    data: {groups: {each: product.groups, item: {id: '{{ item.id }}'}}}\n    layout:\n"
        "      extras: {type: ChoiceGroups, source: '${data.gruops}', groups: 1}\n"
        f"      {GO}\n    when: {{submit: END}}\n{END}"
    )
    wait(compile_flows(shop(of), problems))
    assert [str(p) for p in problems.sorted() if "groups" in p.hint or "gruops" in p.hint] == [
        f"{FILE}:9:12: warning: unread-name: nothing on the screen 'A' shows the data 'groups'; "
        "did you mean 'gruops'?",
        f"{FILE}:11:44: unknown-data: 'gruops' is not in the data of the screen; did you mean "
        "'groups'?",
    ]


def test_a_screen_that_the_way_to_the_end_breaks_off_at_is_told():
    with pytest.raises(SpecError) as told:
        flow(
            f"flow: small\nstart: A\nstates:\n  A: {{title: A, layout: {{{GO}}},"
            " when: {submit: [{if: misses, go: I}, {go: B}]}}\n"
            f"  B: {{title: B, layout: {{{GO}}}, when: {{submit: {{error: No}}}}}}\n"
            f"  I: {{title: I, layout: {{{GO}}}, when: {{submit: B}}}}\n{END}"
        )
    assert [str(problem) for problem in told.value.problems] == [
        f"{FILE}:5:3: dead-end: nothing leads on from the screen 'B', so the Flow never ends",
        f"{FILE}:7:3: unreachable-state: nothing leads to the state 'END'",
    ]


def test_a_screen_that_only_tells_something_is_left_with_the_arrow():
    of = flow(
        f"flow: small\nstart: A\nstates:\n  A: {{title: A, layout: {{{GO}}},"
        " when: {submit: [{if: misses, go: I}, {go: END}]}}\n"
        f"  I: {{title: I, layout: {{{GO}}}, when: {{submit: {{error: No}}}}}}\n{END}"
    )
    assert set(of.screens) == {"A", "I", "END"}


def test_a_screen_that_does_not_load_what_another_does_is_told():
    """What the screen before has loaded is gone when the customer has filled in this one."""
    told = told_of(
        f"  A: {{title: A, layout: {{{GO}}}, when: {{submit: B}},\n"
        "      do: {catalog.product: {product: '{{ input.product }}'}}}\n"
        "  B:\n    data: {x: 'A {{ product.name }}'}\n    title: B\n"
        f"    layout: {{body: {{type: TextBody, text: '${{data.x}}'}}, {GO}}}\n"
        "    when: {submit: END}\n"
    )
    sentence = "nothing on 'B' loads 'product', as 'catalog.product' does"
    assert told[0] == f"{FILE}:7:3: warning: unknown-variable: {sentence}"
    assert told[1].startswith(f"{FILE}:8:15: flow-fails: ")
