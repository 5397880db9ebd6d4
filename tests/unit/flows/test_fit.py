"""Which products a Flow can show."""

from dataclasses import replace

import pytest

from engine.flows.fit import misfit
from engine.spec.flow import Takes
from tests.unit.actions.shop import a_turn, product
from tests.unit.flows.screens import one_screen

PIZZA = product(a_turn(), "prod:margherita")
SIZES, GROUPS = len(PIZZA.presentations), len(PIZZA.groups)
OPTIONS = max(len(group.modifiers) for group in PIZZA.groups)
OPTIONAL = replace(PIZZA.groups[0], minimum=0, maximum=1, modifiers=PIZZA.groups[0].modifiers[:2])
BARE = replace(PIZZA, presentations=(), groups=())


@pytest.mark.parametrize(
    ("takes", "sold", "reason"),
    [
        (Takes(SIZES, GROUPS, OPTIONS), PIZZA, None),
        (Takes(SIZES - 1, GROUPS, OPTIONS), PIZZA, f"has {SIZES} presentations, {SIZES - 1} fit"),
        (Takes(SIZES, GROUPS - 1, OPTIONS), PIZZA, f"has {GROUPS} modifier groups, {GROUPS - 1}"),
        (Takes(SIZES, GROUPS, OPTIONS - 1), PIZZA, f"has {OPTIONS} add-ons in one group"),
        (Takes(0, 1, 2), replace(BARE, groups=(OPTIONAL,)), "has 3 add-ons in one group, 2"),
        (Takes(0, 1, 3), replace(BARE, groups=(OPTIONAL,)), None),
        (Takes(0, 0, 0), BARE, None),
        (None, BARE, "it shows no products"),
    ],
)
def test_a_product_that_is_larger_than_a_flow_takes_does_not_fit(takes, sold, reason):
    told = misfit(replace(one_screen("text: {type: TextBody, text: A}"), takes=takes), sold)
    assert (told is None) if reason is None else (told is not None and reason in told)
