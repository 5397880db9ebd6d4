"""Documents as values: branches, calls, kinds of messages, short forms."""

import pytest

from engine.spec.problems import Problems
from engine.spec.read import digest, expand, kinds_of
from engine.spec.source import Source, parse
from engine.templating.language import Expression, Text
from tests.unit.charts.builders import bundle

CHART = """
chart: forms
version: 3
start: menu
prefixes: {prod: view}
careful: [confirm]
renamed: {old: menu}
anywhere:
  view: menu
states:
  menu:
    do: [{save: {a: 1}}, {load: {value: "{{ event.id }}"}}]
    say: [one, two]
    back: cart
    when:
      buy:
        - {if: lucky(), do: {buy: {quantity: 2}}, say: one, go: cart, quiet: true}
        - cart
      back: menu
    after:
      30m: {say: two}
  cart:
    back: menu
"""


def test_a_chart_is_read_as_it_is_written():
    chart = bundle(CHART).chart
    assert (chart.id, chart.version, chart.start) == ("forms", 3, "menu")
    assert chart.prefixes == {"prod": "view"}
    assert chart.careful == {"confirm"}
    assert chart.renamed == {"old": "menu"}
    menu = chart.states["menu"]
    assert menu.say == ("one", "two")
    assert [(call.verb.name, call.where) for call in menu.calls] == [
        ("save", "chart.yaml:12:11"),
        ("load", "chart.yaml:12:27"),
    ]
    lucky, otherwise = menu.when["buy"]
    assert (lucky.go, lucky.say, lucky.quiet, lucky.where) == (
        "cart",
        ("one",),
        True,
        "chart.yaml:17:11",
    )
    assert lucky.condition is not None
    assert [call.verb.name for call in lucky.calls] == ["buy"]
    assert (otherwise.go, otherwise.condition, otherwise.calls) == ("cart", None, ())


def test_a_chart_that_names_no_version_is_the_first():
    assert bundle("chart: c\nstart: a\nstates: {a: {}}").chart.version == 1


def test_back_is_an_event_and_an_own_branch_for_it_wins():
    chart = bundle(CHART).chart
    assert [branch.go for branch in chart.states["menu"].when["back"]] == ["menu"]
    assert [branch.go for branch in chart.states["cart"].when["back"]] == ["menu"]


def test_arguments_keep_their_type_and_only_texts_with_braces_are_templates():
    text = """
chart: arguments
start: menu
states:
  menu:
    do:
      save:
        number: 2
        flag: true
        plain: two
        value: "{{ event.id }}"
        text: "id {{ event.id }}"
        many: ["{{ event.id }}", 3, {deep: "{{ event.id }}"}]
"""
    (call,) = bundle(text).chart.states["menu"].calls
    values = call.arguments
    assert (values["number"], values["flag"], values["plain"]) == (2, True, "two")
    assert isinstance(values["value"], Expression)
    assert isinstance(values["text"], Text)
    first, second, third = values["many"]
    assert isinstance(first, Expression)
    assert second == 3
    assert isinstance(third["deep"], Expression)
    assert first.where == "chart.yaml:13:16"


def test_a_digest_depends_on_the_content_and_not_on_the_order_of_keys():
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert digest([1, 2]) != digest([2, 1])


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("Hello", "text"),
        ("{text: Hello}", "text"),
        ("{text: a, buttons: {view: A}}", "buttons"),
        ("{text: a, buttons: {}}", "text"),
        ("{text: a, buttons: {view: A}, image: 'https://a.b/c.png'}", "buttons"),
        ("{text: a, list: {button: b, rows: {view: A}}}", "list"),
        ("{text: a, link: {title: b, url: 'https://a.b'}}", "link"),
        ("{text: a, ask_location: true}", "location"),
        ("{text: a, ask_location: false}", "text"),
        ("{product: {catalog: '1', id: '2'}}", "product"),
        ("{text: a, products: {catalog: '1', each: '[]'}}", "products"),
        ("{text: a, catalog: {}}", "catalog"),
        ("{text: a, catalog: {thumbnail: '1'}}", "catalog"),
        ("{text: a, flow: {cta: b, id: '1', token: t}}", "flow"),
        ("{template: {name: hello_world}}", "template"),
        ("{text: '', template: {name: hello_world}}", "template"),
        # Beside anything else it is for when the 24-hour window is closed.
        ("{text: a, template: {name: hello_world}}", "text"),
        ("{text: a, buttons: {view: A}, template: {name: hello_world}}", "buttons"),
        ("{text: a, image: 'https://a.b/c.png', template: {name: hello_world}}", "image"),
        ("{text: a, flow: {cta: b, id: '1', token: t}, template: {name: x}}", "flow"),
        ("{text: a, image: 'https://a.b/c.png'}", "image"),
    ],
)
def test_the_kind_of_a_message_is_its_part(written, kind):
    chart = "chart: k\nstart: menu\nanywhere: {view: menu}\nstates: {menu: {say: it}}\n"
    words = f"en: {{messages: {{it: {written}}}}}\nes: {{messages: {{it: {written}}}}}\n"
    assert bundle(chart, words).vocabularies["en"].messages["it"].kind == kind


def test_an_image_and_a_template_go_with_other_parts():
    assert kinds_of({"text": "a", "image": "b"}) == []
    assert kinds_of({"template": {"name": "a"}}) == []
    assert kinds_of({"template": {"name": "a"}, "list": {"rows": {}}}) == ["list"]
    assert kinds_of({"buttons": {"a": {}}, "image": "b"}) == ["buttons"]
    assert kinds_of({"buttons": {"a": {}}, "list": {"rows": {}}}) == ["buttons", "list"]


def expanded(text: str) -> Source:
    source = parse(text, "f.yaml", Problems())
    assert source is not None
    expand(source)
    return source


def test_short_forms_are_written_out_where_they_stand():
    source = expanded(
        "messages:\n"
        "  a: Hello\n"
        "  b: {text: Hi, buttons: {x: X, y: {title: Y}}}\n"
        "  c: {list: {rows: {x: X}, sections: {s: {rows: {y: Y}}}}}\n"
        "  d: null\n"
    )
    assert source.data["messages"] == {
        "a": {"text": "Hello"},
        "b": {"text": "Hi", "buttons": {"x": {"title": "X"}, "y": {"title": "Y"}}},
        "c": {
            "list": {
                "rows": {"x": {"title": "X"}},
                "sections": {"s": {"rows": {"y": {"title": "Y"}}}},
            }
        },
        "d": None,
    }
    assert str(source.value_at(("messages", "a", "text"))) == "f.yaml:2:6"
    assert str(source.value_at(("messages", "b", "buttons", "x", "title"))) == "f.yaml:3:30"


def test_writing_out_twice_changes_nothing():
    source = expanded("messages: {a: Hello, b: {buttons: {x: X}}}\n")
    before = str(source.data)
    expand(source)
    assert str(source.data) == before
