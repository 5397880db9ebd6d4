"""Where the events of a chart lead."""

from engine.spec.ways import Ways
from tests.unit.charts.builders import bundle

TEXT = """
chart: w
start: a
anywhere: {help: h}
states:
  a: {when: {go: [{if: misses, say: hm}, {go: b}]}}
  b:
    start: c
    finished: e
    when: {out: a}
    states:
      c: {when: {go: d, out: {if: misses, go: c}}}
      d: {final: true}
  e: {do: {raise: {event: first}}, when: {first: {go: f}}}
  f: {say: hello, after: {2h: a}}
  h: {aside: true, when: {continue: resume}}
"""
CHART = bundle(TEXT).chart
WAYS = Ways(CHART)


def test_a_customer_stands_in_states_without_states_inside_and_not_at_an_end():
    assert WAYS.leaves == {"a", "c", "e", "f", "h"}
    assert WAYS.begin == "a"
    assert set(WAYS.leaves_in("b")) == {"c"}


def test_who_is_led_to_a_state_stands_inside_it_or_where_it_leads_on():
    assert [WAYS.rest(name) for name in ("a", "b", "d", "nowhere")] == ["a", "c", "e", None]


def test_the_innermost_state_is_asked_first_and_anywhere_last():
    where = [[b.where for b in part] for part in WAYS.reactions("c", "out")]
    assert where == [
        [CHART.states["c"].when["out"][0].where],
        [CHART.states["b"].when["out"][0].where],
    ]
    assert list(WAYS.reactions("c", "help")) == [CHART.anywhere["help"]]
    assert not WAYS.reacts("c", "nothing")
    assert WAYS.is_answered("c", "out")
    assert not WAYS.is_answered("c", "nothing")


def test_ways_out_are_branches_timers_and_what_is_around():
    assert WAYS.exits("a") == {"c", "h"}
    assert WAYS.exits("c") == {"e", "c", "a", "h"}
    assert WAYS.exits("f") == {"a", "h"}
    assert WAYS.exits("h") == {"a", "h"}  # `resume` may lead to the start


def test_what_actions_raise_leads_on():
    assert WAYS.settled("e", ()) == {"e", "f"}
    assert WAYS.settled("a", ()) == {"a"}


def test_a_message_is_said_where_states_and_branches_say_it():
    assert [site.state for site in WAYS.sites["hello"]] == ["f"]
    (site,) = WAYS.sites["hm"]
    assert (site.state, site.event) == ("a", "go")
