"""Charts as values: paths, events, delays."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.spec.chart import delay_of, timer_event
from tests.unit.charts.builders import bundle

CHART = """
chart: paths
start: menu
anywhere: {greet: menu}
states:
  menu: {when: {buy: pay}, after: {30m: {say: hurry}}}
  checkout:
    start: pay
    states:
      pay: {start: method, when: {cancel: menu}, states: {method: {back: menu}}}
"""


def test_a_path_goes_from_the_outermost_state_to_the_leaf():
    chart = bundle(CHART).chart
    assert chart.path("method") == ("checkout", "pay", "method")
    assert chart.path("menu") == ("menu",)


def test_events_are_all_that_something_reacts_to():
    chart = bundle(CHART).chart
    assert chart.events() == {"greet", "buy", "after.menu.30m", "cancel", "back"}
    assert chart.events() is chart.events()  # every turn asks


def test_a_chart_has_timers_if_one_of_its_states_has():
    chart = bundle(CHART).chart
    without = {name: replace(state, after={}) for name, state in chart.states.items()}
    assert chart.has_timers
    assert not replace(chart, states=without).has_timers


def test_every_branch_is_given_once():
    chart = bundle(CHART).chart
    assert [branch.go for branch in chart.all_branches()] == ["menu", "pay", None, "menu", "menu"]


def test_states_come_outer_ones_first():
    chart = bundle(CHART).chart
    assert list(chart.states) == ["menu", "checkout", "pay", "method"]
    assert [state.parent for state in chart.states.values()] == [None, None, "checkout", "pay"]


@pytest.mark.parametrize(
    ("written", "delay"),
    [
        ("45s", timedelta(seconds=45)),
        ("30m", timedelta(minutes=30)),
        ("24h", timedelta(hours=24)),
        ("2d", timedelta(days=2)),
    ],
)
def test_a_delay_is_read(written, delay):
    assert delay_of(written) == delay


def test_a_timer_is_named_after_its_state_and_delay():
    assert timer_event("cart", "24h") == "after.cart.24h"
