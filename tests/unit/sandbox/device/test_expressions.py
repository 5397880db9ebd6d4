import pytest

from engine.sandbox.device.expressions import (
    ExpressionFault,
    evaluate,
    look_up,
    resolve,
    value_of,
    written,
)

SCOPE = {
    "data": {
        "name": "Ana",
        "total": 12,
        "guests": 5,
        "price": 2.5,
        "vip": True,
        "shop": {"city": "X"},
    },
    "form": {"age": "18", "extras": ["cheese"], "none": [], "accept": False, "note": ""},
    "screen": {"SIZE": {"data": {"name": "Margherita"}, "form": {"size": "large"}}},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data.name", "Ana"),
        ("data.shop.city", "X"),
        ("data.shop.street", None),
        ("data.nothing", None),
        ("form.extras", ["cheese"]),
        ("form.nothing", ""),
        ("data.form", None),
        ("screen.form.data.name", None),
        ("screen.form", None),
        ("screen.SIZE.form.size", "large"),
        ("screen.SIZE.data.name", "Margherita"),
        ("screen.LATER.form.size", ""),
        ("screen.LATER.data.name", None),
    ],
)
def test_look_up(path, value):
    assert look_up(path, SCOPE) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${data.name}", "Ana"),
        ("${ data.name }", "Ana"),
        ("${data.total}", 12),
        ("${form.extras}", ["cheese"]),
        ("Hello ${data.name}", "Hello ${data.name}"),
        ("${other.name}", "${other.name}"),
        ("plain", "plain"),
        ("`'Hello ' ${data.name}`", "Hello Ana"),
        ("`${data.name} ' is ' ${form.age} ' years old.'`", "Ana is 18 years old."),
        ("`'Each: ' ${data.total} / ${data.guests}`", "Each: 2.4"),
        ("`'Born ' (2024 - ${form.age}) ' or ' (2023 - ${form.age})`", "Born 2006 or 2005"),
        (r"`'Ana\`s \'house\''`", "Ana`s 'house'"),
        ("`${data.vip} ' ' ${form.accept}`", "true false"),
        ("`'Hi' ${data.nothing} '!'`", "Hi!"),
        ("`", "`"),
    ],
)
def test_what_a_property_says(text, value):
    assert value_of(text, SCOPE) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("${data.name} == 'Ana'", True),
        ("${data.name} != 'Ana'", False),
        ("${form.age} == 18", True),
        ("18 == ${form.age}", True),
        ("${form.note} == ''", True),
        ("${data.nothing} == ''", True),
        ("${form.accept} == false", True),
        ("${form.accept} != true", True),
        ("${data.vip} == 'true'", False),
        ("${form.age} > 17", True),
        ("${form.age} > 18", False),
        ("${form.age} >= 18", True),
        ("${form.age} < 18", False),
        ("${form.age} <= 18", True),
        ("${data.total} + 1 - 2", 11),
        ("10 - 4 - 3", 3),
        ("${data.total} / 8 + 1", 2.5),
        ("${data.total} % ${data.guests}", 2),
        ("${data.total} / 0", 0),
        ("${data.total} % ${data.nothing}", 0),
        ("-${data.total} + 20", 8),
        ("!${form.accept}", True),
        ("!(${form.age} > 17)", False),
        ("${data.vip} && ${form.accept}", False),
        ("${data.vip} || ${form.accept}", True),
        ("${data.vip} || ${data.vip} && ${form.accept}", True),
        ("(${data.vip} || ${data.vip}) && ${form.accept}", False),
        ("(${form.note} != '') || (${data.name} != '')", True),
        ("${form.age} > 10 && ${form.age} < 20", True),
        ("`${form.age} > 10`", True),
        ("  ${data.name}  ", "Ana"),
        ("1.5 + ${data.price}", 4),
    ],
)
def test_evaluate(expression, value):
    result = evaluate(expression, SCOPE)

    assert result == value
    assert type(result) is type(value) or not isinstance(value, bool)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "${data.total} * 2",
        "${data.total} +",
        "(${data.total}",
        "${data.total})",
        "== 3",
        "yes",
        "${total}",
        "${data.name} + 1",
        "${form.extras} 'x'",
        "'open",
    ],
)
def test_faults(expression):
    with pytest.raises(ExpressionFault):
        evaluate(expression, SCOPE)


def test_resolve_all_of_a_payload():
    payload = {
        "size": "${screen.SIZE.form.size}",
        "list": ["${data.name}", {"extras": "${form.extras}"}],
        "gone": "${data.nothing}",
        "fixed": 3,
        "on-select-action": {"payload": {"x": "${data.name}"}},
    }

    resolved = resolve(payload, SCOPE)

    assert resolved == {
        "size": "large",
        "list": ["Ana", {"extras": ["cheese"]}],
        "fixed": 3,
        "on-select-action": {"payload": {"x": "Ana"}},
    }


def test_what_an_action_sends_is_resolved_when_it_is_done():
    component = {"text": "${data.name}", "on-click-action": {"payload": {"x": "${data.name}"}}}

    resolved = resolve(component, SCOPE, actions=False)

    assert resolved == {"text": "Ana", "on-click-action": {"payload": {"x": "${data.name}"}}}


def test_data_is_not_read_as_an_expression():
    scope = {"data": {"name": "${data.secret}", "secret": "x", "tick": "`1 + 1`"}}

    assert value_of("${data.name}", scope) == "${data.secret}"
    assert value_of("`'Hi ' ${data.name}`", scope) == "Hi ${data.secret}"
    assert value_of("${data.tick}", scope) == "`1 + 1`"


@pytest.mark.parametrize(
    ("value", "text"),
    [(12, "12"), (12.0, "12"), (2.4, "2.4"), (0.1 + 0.2, "0.3"), (10**12, "1000000000000")],
)
def test_written(value, text):
    assert written(value) == text
