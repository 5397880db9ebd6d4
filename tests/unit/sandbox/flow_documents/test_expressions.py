import pytest

from engine.sandbox.flow_documents.expressions import (
    BadExpression,
    Reference,
    condition_type,
    reference,
    type_of,
)

TYPES = {"s": "string", "n": "number", "b": "boolean", "a": "array", "o": "object", "u": None}


def resolve(wanted: Reference) -> str | None:
    return TYPES[wanted.names[0]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("${data.x}", Reference("${data.x}", "data", ("x",))),
        ("${form.a_b-c}", Reference("${form.a_b-c}", "form", ("a_b-c",))),
        ("${data.x.y}", Reference("${data.x.y}", "data", ("x", "y"))),
        ("${screen.A.form.x}", Reference("${screen.A.form.x}", "form", ("x",), "A")),
    ],
)
def test_reference(text, found):
    assert reference(text) == found


@pytest.mark.parametrize(
    "text", ["${}", "${x}", "${data}", "${data.}", "${date.x}", "${screen.A.x}", "${ data.x }"]
)
def test_references_to_nothing_there_can_be(text):
    with pytest.raises(BadExpression, match="Invalid operand format"):
        reference(text)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("${data.s}", "string"),
        ("${data.u}", None),
        ("`${data.n}`", "number"),
        ("`'Total: ' ${data.n}`", "string"),
        ("`${form.s} ' is ' ${form.n} ' years old.'`", "string"),
        ("`${form.n} + 1`", "number"),
        ("`${form.n} - -1`", "number"),
        ("`${form.n} % 2 - ${data.n}`", "number"),
        ("`'a ' ${data.n} / ${data.n}`", "string"),
        ("`(2024 - ${form.n})`", "number"),
        ("`${form.n} >= 18`", "boolean"),
        ("`${form.s} == ${data.s}`", "boolean"),
        ("`${data.b} && !(${data.n} > 5)`", "boolean"),
        ("`${form.s} == 'x' && ${form.b} || false`", "boolean"),
        ("`${form.b} != true`", "boolean"),
        ("`${data.u} == 1 && ${data.u}`", "boolean"),
        ("`'O\\'Neill \\` ' ${data.s}`", "string"),
        ("`'lit' 'eral'`", "string"),
        ("`-${data.n}`", "number"),
        (f"`{'(' * 30}${{data.b}}{')' * 30}`", "boolean"),
    ],
)
def test_types(value, found):
    assert type_of(value, resolve) == found


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", "at least one operand"),
        ("( )", "empty parentheses at column 1"),
        ("(${data.b}", "Missing closing parenthesis"),
        ("${data.b})", "Missing opening parenthesis for the closing parenthesis at column 10"),
        ("${data.s} == 'x", "Missing closing quote"),
        ("573 == 376", "literals on both sides"),
        ("${data.n} ==", "Missing operand after last operator '=='"),
        ("== ${data.n}", "Wrong positioning of operator '=='"),
        ("${data.n} * 2", "Unexpected character '*' found at column 11"),
        ("${data.b} & ${data.b}", "Unexpected character '&'"),
        ("yes", "Invalid literal 'yes'"),
        ("${data.n} == 'x'", "Type mismatch in an equality operation at column 11"),
        ("${data.a} == ${data.a}", "Type mismatch"),
        ("${data.s} > 1", "Operator '>' at column 11 expects number operands"),
        ("${data.s} + 1", "expects number operands"),
        ("${data.s} && ${data.b}", "expects boolean operands"),
        ("!${data.n}", "expects boolean operands"),
        ("-'x' ${data.s}", "numerical value is expected"),
        ("${nix.x}", "Invalid operand format"),
        ("(" * 31 + "${data.b}" + ")" * 31, "nested more than 30 times"),
        ("!" * 5000 + "${data.b}", "nested more than 30 times"),
    ],
)
def test_wrong_expressions(expression, says):
    with pytest.raises(BadExpression) as caught:
        type_of(f"`{expression}`", resolve)
    assert says in str(caught.value)


def test_conditions_have_no_backticks_and_depend_on_something():
    assert condition_type("!(${data.s} == 'x')", resolve) == "boolean"
    assert condition_type("${data.s}", resolve) == "string"
    for literal in ("true", "'x'", "!false", "(7)"):
        with pytest.raises(BadExpression, match="literal value"):
            condition_type(literal, resolve)
    with pytest.raises(BadExpression, match="Unexpected character"):
        condition_type("`${data.b}`", resolve)
