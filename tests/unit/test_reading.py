"""What a template reads, compares and asks."""

import pytest

from engine.templating.language import Expression, Language, TemplateProblem, Text
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


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        ("{% for line in cart.lines %}{{ line.name }}{{ loop.first }}{% endfor %}",
         ["cart.lines", "cart.lines.[].name"]),
        ("{% for line in cart.lines|selectattr('total')|reverse %}"
         "{% for m in line.modifiers %}{{ m.price }}{% endfor %}{% endfor %}",
         ["cart.lines.[].total", "cart.lines", "cart.lines.[].modifiers",
          "cart.lines.[].modifiers.[].price"]),
        # What nobody can tell is left out.
        ("{% for id in cart.lines|map(attribute='id') %}{{ id.x }}{% endfor %}", ["cart.lines"]),
        ("{% for a, b in pairs %}{{ a.x }}{% endfor %}", ["pairs"]),
        ("{% for c in f(g) or h %}{{ c.y }}{% endfor %}", ["g", "h"]),
        ("{% for a in cart.lines|rejectattr(cart.key) %}{% endfor %}",
         ["cart.lines", "cart.key"]),
    ],
)  # fmt: skip
def test_what_a_loop_names_is_an_element_of_what_it_goes_through(source, paths):
    language = Language({"f": bool})
    source = source.replace("f(g)", "f(x=g)")
    assert [one.path for one in language.text(source, "x:1:1").reading.reads] == paths


def test_what_is_read_knows_its_line_and_whether_the_text_can_do_without_it():
    source = "{{ a.b|default(c) }}\n{% if d is defined and e is none %}\n{{ f }}{% endif %}"
    reads = LANGUAGE.text(source, "x:1:1").reading.reads
    told = {one.path: (one.line, one.is_optional) for one in reads}
    assert told == {
        "a.b": (1, True), "c": (1, False), "d": (2, True), "e": (2, False), "f": (3, False),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "compared"),
    [
        ("{% for d in x.all %}{% if d.kind == 'a' %}{% endif %}{% endfor %}",
         [("x.all.[].kind", "a")]),
        ("{{ x.all|selectattr('kind', 'eq', 'a')|list }}", [("x.all.[].kind", "a")]),
        ("{{ x.all|rejectattr('kind', 'in', 'a')|list }}", []),
    ],
)  # fmt: skip
def test_what_is_compared_of_each_element(source, compared):
    found = LANGUAGE.text(source, "x:1:1").reading.compared
    assert [(one.path, one.word) for one in found] == compared


def test_what_is_looked_up_under_a_name_that_is_calculated():
    source = "a\n{{ terms.status[order.status] }}{{ terms.days[now|weekday] }}{{ terms['x'] }}"
    picked = LANGUAGE.text(source, "x:1:1").reading.picked
    assert [(one.path, one.key, one.line) for one in picked] == [
        ("terms.status", "order.status", 2)
    ]


@pytest.mark.parametrize(
    ("source", "value"),
    [("cart.lines", "cart.lines"), ("cart.lines|selectattr('x')|list", "cart.lines"),
     ("a or b", None), ("[1, 2]", None), ("a|first", None)],
)  # fmt: skip
def test_the_value_that_an_expression_gives(source, value):
    assert LANGUAGE.expression(source, "x:1:1").reading.value == value


def test_conditions_that_contradict_themselves_know_their_line():
    source = "{% if a %}\n{% elif a and not a %}x{% endif %}\n{{ 1 if b != b and not b else 2 }}"
    text = LANGUAGE.text(source, "x:1:1").reading
    assert (text.never, text.can_hold) == ((2,), True)
    guard = LANGUAGE.expression("a and not a", "x:1:1").reading
    assert (guard.never, guard.can_hold) == ((), False)


@pytest.mark.parametrize(
    ("source", "stray"),
    [
        ("plain } {", []),
        ("Hi { name }}\n and\n %}", [("}}", 1), ("%}", 3)]),
        ("Hi\n{{ name }} { name }}", [("}}", 2)]),
        ("name }}", [("}}", 1)]),
        ("{{ '}}' }}{{ '{%' }}", []),
        ("{% if a %}x\n}}{% endif %}", [("}}", 2)]),
    ],
)
def test_marks_that_are_left_in_a_text(source, stray):
    found = LANGUAGE.text(source, "x:1:1").reading.stray
    assert [(one.mark, one.line) for one in found] == stray


def test_a_folded_text_is_told_of_by_its_lines_in_the_file():
    lines = "  cat:\n  {{ a.b }}\n  {% if state == 'x' %}\n  {{ c }}{% endif %}"
    folded = "cat: {{ a.b }} {% if state == 'x' %} {{ c }}{% endif %}"
    text = LANGUAGE.text(folded, "x:2:1", lines)
    assert text.names == {"a": 2, "state": 3, "c": 4}
    assert [one.line for one in text.reading.compared] == [3]
    assert text.reading.head == "cat: "
    assert text.render({"a": {"b": 1}, "state": "y"}) == "cat: 1 "
    with pytest.raises(TemplateProblem) as wrong:
        LANGUAGE.text("{{ a }} {{ b|nope }}", "x:2:1", "{{ a }}\n{{ b|nope }}")
    assert wrong.value.line == 2


def test_a_folded_argument_is_told_of_by_its_lines_in_the_file():
    argument = LANGUAGE.argument("{{ a or b }}", "x:2:1", "  {{ a or\n  b }}")
    assert isinstance(argument, Expression)
    assert argument.names == {"a": 1, "b": 2}
    assert argument.evaluate({"a": 0, "b": 3}) == 3
    guard = LANGUAGE.expression("a and b", "x:2:1", "  a and\n  b\n")
    assert [one.line for one in guard.reading.reads] == [1, 2]
    both = LANGUAGE.argument("{{ a }} {{ b }}", "x:2:1", "{{ a }}\n{{ b }}")
    assert (type(both), both.names) == (Text, {"a": 1, "b": 2})
