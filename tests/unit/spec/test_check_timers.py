"""A timer that runs out after the cart has: what it asks of the cart is told, and nothing else."""

import json

import pytest

from tests.unit.spec.content import SHOP, everything_wrong, lay

CHART = "tenants/corner/conversations/shop.yaml"
TENANT = "tenants/corner/tenant.yaml"


def told_of(tmp_path, delay, guard, hours=24):
    after = {delay: {"if": guard, "go": "menu"}}
    chart = {"extends": "shop", "states": {"product": {"after": {"30m": None, **after}}}}
    settings = (SHOP / TENANT).read_text() + f"cart_hours: {hours}\n"
    files = {CHART: json.dumps(chart), TENANT: settings}
    return [
        problem
        for problem in everything_wrong(lay(tmp_path / "content", SHOP, files=files))
        if problem.code == "never-holds"
    ]


def test_a_timer_that_asks_for_a_cart_that_is_gone_is_doubtful(tmp_path):
    (problem,) = told_of(tmp_path, "25h", "cart.count > 0")
    assert (problem.span.file, problem.severity) == (CHART, "warning")
    assert problem.sentence == "after 25h there is no cart any more: it lives 24 hours"
    assert "cart_hours" in problem.hint


@pytest.mark.parametrize(
    ("delay", "guard", "hours"),
    [
        ("23h", "cart.count > 0", 24),
        ("25h", "cart.count > 0", 48),
        ("25h", "cart.count == 0", 24),  # holds just then
        ("25h", "cart.is_expired", 24),
        ("25h", "cart.count > 0 or misses", 24),  # another thing is asked, too
        ("25h", "misses", 24),
    ],
)
def test_a_timer_that_may_well_hold_is_let_be(tmp_path, delay, guard, hours):
    assert told_of(tmp_path, delay, guard, hours) == []


def test_a_cart_that_lives_an_hour_is_told_so(tmp_path):
    (problem,) = told_of(tmp_path, "2h", "cart.lines", 1)
    assert problem.sentence == "after 2h there is no cart any more: it lives an hour"
