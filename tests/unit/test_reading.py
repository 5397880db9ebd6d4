"""What a template reads, compares and asks."""

import pytest

from tests.unit.charts.builders import LANGUAGE


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        ("plain", set()),
        ("{{ cart.count }}", {"cart.count"}),
        ("{{ terms.days[now|weekday] }}", {"terms.days", "now"}),
        ("{{ terms['days'].monday }} {{ list[0].name }}", {"terms.days.monday", "list.0.name"}),
        ("{% for m in added.modifiers if m.price %}{{ m.name }}{{ loop.index }}{{ cart.count }}"
         "{% else %}{{ none_at_all }}{% endfor %}",
         {"added.modifiers", "cart.count", "none_at_all"}),
        ("{% if lucky(number=size) %}{{ a or b }}{% endif %}", {"size", "a", "b"}),
    ],
)  # fmt: skip
def test_what_a_text_reads(source, paths):
    assert LANGUAGE.text(source, "x:1:1").reading.paths == paths


@pytest.mark.parametrize(
    ("source", "compared"),
    [
        ("state == 'menu'", [("state", "menu")]),
        ("'menu' != state", [("state", "menu")]),
        ("event.name in ['a', ('b', 'c')]", [("event.name", w) for w in "abc"]),
        ("state not in ('a',) and language == 'es'", [("state", "a"), ("language", "es")]),
        ("'menu' in state", []),
        ("a < b < c or a == b or size == 3", []),
    ],
)
def test_what_an_expression_compares(source, compared):
    reading = LANGUAGE.expression(source, "x:1:1").reading
    assert [(one.path, one.word) for one in reading.compared] == compared


def test_the_guards_it_asks_and_those_it_only_names():
    asks = LANGUAGE.expression("lucky(number=1)", "x:1:1").reading
    names = LANGUAGE.expression("not lucky", "x:1:1").reading
    assert (list(asks.asked), list(asks.paths), asks.is_constant) == (["lucky"], [], False)
    assert (list(names.asked), list(names.paths), names.is_constant) == ([], ["lucky"], False)
    assert LANGUAGE.expression("1 == 2", "x:1:1").reading.is_constant


@pytest.mark.parametrize(
    ("source", "head"),
    [("cat:pizza", "cat:pizza"), ("cat:{{ a }}", "cat:"), ("{{ a }}", ""), ("", ""),
     ("{% if a %}x{% endif %}", "")],
)  # fmt: skip
def test_the_text_before_what_is_calculated(source, head):
    assert LANGUAGE.text(source, "x:1:1").reading.head == head


def test_comparisons_know_their_line():
    reading = LANGUAGE.text("one\n{% if state == 'a' %}two{% endif %}", "x:1:1").reading
    assert [one.line for one in reading.compared] == [2]
