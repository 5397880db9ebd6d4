"""What a tenant offers, as charts and texts ask for it."""

import pytest

from tests.unit.actions.shop import CLOSED, OPEN, a_turn, ask, bundle, la_tavola


@pytest.mark.parametrize(("now", "is_open"), [(OPEN, True), (CLOSED, False)])
def test_the_hours_tell_whether_orders_are_taken(now, is_open):
    assert ask(a_turn(now=now), "is_open") is is_open
    assert ask(a_turn(now=now, tenant=la_tavola(hours={})), "is_open")


@pytest.mark.parametrize("type", ["delivery", "pickup"])
def test_what_is_offered_is_what_the_tenant_wrote(type):
    assert ask(a_turn(), "offers", type=type)
    assert not ask(a_turn(tenant=la_tavola(**{type: None})), "offers", type=type)


@pytest.mark.parametrize(("language", "spoken"), [("en", True), ("es", True), ("fr", False)])
def test_languages_are_the_tenants(language, spoken):
    assert ask(a_turn(), "speaks", language=language) is spoken


@pytest.mark.parametrize(("payment", "taken"), [("cash", True), ("card", True), ("Cash", False)])
def test_ways_to_pay_are_asked_by_id(payment, taken):
    assert ask(a_turn(), "accepts", payment=payment) is taken
    assert ask(a_turn(tenant=bundle("dona-lucha").tenant), "accepts", payment="yape")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("is_open", {"at": "noon"}),
        ("offers", {}),
        ("offers", {"type": "drone"}),
        ("speaks", {"language": 5}),
        ("accepts", {}),
    ],
)
def test_a_question_that_makes_no_sense_is_an_error_and_no_answer(name, arguments):
    with pytest.raises(ValueError, match=f"^{name}: "):
        ask(a_turn(), name, **arguments)
