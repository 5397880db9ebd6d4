"""Expressions of a Flow JSON: what can be read, of what type it is, what it comes to."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.whatsapp.flow_json.expressions import (
    BadExpression,
    Reference,
    Undecided,
    is_dynamic,
    is_whole,
    read_condition,
    read_value,
    references,
    type_of,
    work_out,
)

VALUES: dict[str, Any] = {
    "name": "Ann",
    "count": 3,
    "half": 0.5,
    "on": True,
    "off": False,
    "list": ["a"],
    "zero": 0,
}
TYPES = {str: "string", int: "number", float: "number", bool: "boolean", list: "array"}


def value_of(reference: Reference) -> Any:
    if reference.store != "data" or reference.path[0] not in VALUES:
        raise Undecided("not known")
    return VALUES[reference.path[0]]


def type_named(reference: Reference) -> str | None:
    return TYPES.get(type(VALUES.get(reference.path[0])))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello", False),
        ("", False),
        ("`", False),
        ("``", True),
        ("`x`", True),
        ("${data.x}", True),
        ("Hello ${data.x}", True),
        ("$ {data.x}", False),
    ],
)
def test_which_texts_are_dynamic(text, expected):
    assert is_dynamic(text) is expected


def test_which_texts_are_one_name():
    assert is_whole("${data.x}")
    assert not is_whole("${data.x} ${data.y}")
    assert not is_whole("x ${data.y}")


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("${data.x}", Reference("data", ("x",))),
        ("${form.x_1}", Reference("form", ("x_1",))),
        ("${data.a.b.c}", Reference("data", ("a", "b", "c"))),
        ("${screen.SIZE.form.x}", Reference("form", ("x",), "SIZE")),
    ],
)
def test_a_name(text, reference):
    assert read_value(text) == reference
    assert str(reference) == text


def test_what_an_expression_names():
    node = read_value("`(${data.a} == ${form.b}) && !${screen.S.data.c} || false`")
    assert [str(named) for named in references(node)] == [
        "${data.a}", "${form.b}", "${screen.S.data.c}",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "type_", "value"),
    [
        ("${data.name}", "string", "Ann"),
        ("${data.list}", "array", ["a"]),
        ("'a'", "string", "a"),
        (r"'it\'s \\ \`'", "string", r"it's \ `"),
        ("12", "number", 12.0),
        ("1.5", "number", 1.5),
        ("true", "boolean", True),
        ("'Hi ' ${data.name} '!'", "string", "Hi Ann!"),
        ("${data.count} ' pieces'", "string", "3 pieces"),
        ("${data.half} ${data.on} ${data.off}", "string", "0.5truefalse"),
        ("${data.name} == 'Ann'", "boolean", True),
        ("${data.name} != 'Ann'", "boolean", False),
        ("${data.count} == 3", "boolean", True),
        ("${data.count} > 3", "boolean", False),
        ("${data.count} >= 3", "boolean", True),
        ("${data.count} < 3", "boolean", False),
        ("${data.count} <= 3", "boolean", True),
        ("${data.count} + 1", "number", 4.0),
        ("${data.count} - 5", "number", -2.0),
        ("${data.count} / 2", "number", 1.5),
        ("${data.count} / ${data.zero}", "number", 0.0),
        ("${data.count} % 2", "number", 1.0),
        ("${data.count} % 0", "number", 0.0),
        ("10 / 3", "number", 3.33),
        ("-${data.count}", "number", -3),
        ("1 - 2 - 3", "number", -4.0),
        ("8 / 2 / 2", "number", 2.0),
        ("(1 - (2 - 3)) ''", "string", "2"),
        ("1 + 4 / 2 == 3", "boolean", True),
        ("!${data.on}", "boolean", False),
        ("${data.on} && ${data.off}", "boolean", False),
        ("${data.on} || ${data.off} && ${data.off}", "boolean", True),
        ("(${data.on} || ${data.off}) && ${data.off}", "boolean", False),
        ("${data.count} > 1 && ${data.name} == 'Ann'", "boolean", True),
        ("!(${data.count} > 1)", "boolean", False),
        ("  ${data.on}  ", "boolean", True),
    ],
)
def test_types_and_values(expression, type_, value):
    node = read_value(f"`{expression}`")
    assert type_of(node, type_named) == type_
    assert work_out(node, value_of) == value


@pytest.mark.parametrize(
    "expression",
    [
        "${data.name} > 1",
        "${data.name} + 'x'",
        "${data.on} && ${data.name}",
        "!${data.count}",
        "-${data.name}",
        "${data.name} == 3",
        "${data.on} != 'true'",
        "${data.list} == 'a'",
    ],
)
def test_what_does_not_go_together(expression):
    with pytest.raises(BadExpression):
        type_of(read_value(f"`{expression}`"), type_named)


def test_what_is_unknown_has_any_type():
    assert type_of(read_value("${data.who}"), type_named) is None
    assert type_of(read_value("`${data.who} == 3`"), type_named) == "boolean"
    assert type_of(read_value("`!${data.who}`"), type_named) == "boolean"


@pytest.mark.parametrize(
    "expression",
    [
        "${form.x}",
        "${screen.S.form.x} == 'a'",
        "${data.who} 'x'",
        "${data.list} 'x'",
        "!${data.name}",
        "${data.name} + 1",
        "${data.on} + 1",
    ],
)
def test_what_cannot_be_worked_out(expression):
    with pytest.raises(Undecided):
        work_out(read_value(f"`{expression}`"), value_of)


@pytest.mark.parametrize(
    "text",
    [
        "Hello",
        "Hello ${data.x}",
        "${data}",
        "${data.}",
        "${datum.x}",
        "${data.my-key}",
        "${data.x y}",
        "${screen.S.x}",
        "${screen.S1.data.x}",
        "``",
        "` `",
        "`'open`",
        "`'end' ",
        " 'end'`",
        "`(1`",
        "`1)`",
        "`1 +`",
        "`== 1`",
        "`1 * 2`",
        "`()`",
        "`null`",
        "`data.x`",
        '`"double"`',
        "`1 ? 2 : 3`",
        "`${data.x}[0]`",
        "`é`",
    ],
)
def test_what_cannot_be_read(text):
    with pytest.raises(BadExpression):
        read_value(text)


@pytest.mark.parametrize("text", ["", "true", "'a' == 'a'", "`${data.on}`", "a", "(${data.on}"])
def test_what_is_no_condition(text):
    with pytest.raises(BadExpression):
        read_condition(text)


@pytest.mark.parametrize("text", ["${data.on}", "!${data.on}", "${form.x} == 'a' || true"])
def test_what_is_a_condition(text):
    assert list(references(read_condition(text)))


@pytest.mark.parametrize(
    "text",
    [
        "`" + "(" * 5000 + "1" + ")" * 5000 + "`",
        "`" + "(" * 60 + "1" + ")" * 60 + "`",
        "`" + "!" * 100 + "${data.on}`",
        "`" + " + ".join(["1"] * 5000) + "`",
        "`" + "1 " * 5000 + "`",
    ],
)
def test_what_is_too_long_is_refused(text):
    with pytest.raises(BadExpression):
        read_value(text)


def test_what_is_long_is_read():
    node = read_value("`" + " + ".join(["1"] * 100) + "`")
    assert work_out(node, value_of) == 100.0
    node = read_value("`" + "(" * 40 + "1" + ")" * 40 + "`")
    assert work_out(node, value_of) == 1.0


def test_numbers_too_large_are_not_worked_out():
    with pytest.raises(Undecided):
        work_out(read_value("`" + "9" * 400 + " + 1`"), value_of)


PIECES = "${data.count} ${data.on} ${form.x} 'a' 1 2.5 true null ${ } ' \\ ` é"
OPERATORS = "+ - / % == != < >= && || ! ( )"
pieces = st.sampled_from([*PIECES.split(), *OPERATORS.split(), " "])


@settings(deadline=None)
@given(st.lists(pieces, max_size=12).map("".join) | st.text(max_size=20))
def test_anything_is_read_or_refused(text):
    for read in (read_value, read_condition):
        try:
            node = read(text if read is read_condition else f"`{text}`")
            type_of(node, type_named)
            work_out(node, value_of)
        except (BadExpression, Undecided):
            pass
