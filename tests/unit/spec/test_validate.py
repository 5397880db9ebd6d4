"""Deviations from a schema as problems: the parts that broken/ does not show."""

import pytest

from engine.spec.problems import Problems, did_you_mean
from engine.spec.source import parse
from engine.spec.validate import Validator, validate

SCHEMA = {
    "type": "object",
    "properties": {
        "size": {"type": "integer", "minimum": 1},
        "name": {"type": "string", "minLength": 1, "maxLength": 3},
        "kind": {"enum": ["small", "large"]},
        "either": {"type": ["string", "null"]},
        "const": {"const": "x" * 200},
        "even": {"multipleOf": 2},
        "list": {"type": "array", "minItems": 2, "maxItems": 3},
        "any": {"additionalProperties": {"$ref": "#/$defs/any"}},
    },
    "additionalProperties": False,
    "$defs": {
        "any": {"type": ["object", "integer"], "additionalProperties": {"$ref": "#/$defs/any"}}
    },
}


def told(text: str) -> list[str]:
    problems = Problems()
    source = parse(text, "f", problems)
    assert source is not None
    fine = validate(source, Validator(SCHEMA), problems)
    assert fine is not bool(problems.found)
    return [str(p) for p in problems.sorted()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("size: 2\nname: abc\nkind: small\neither: ~\nlist: [1, 2]", []),
        ("size: 0", ["f:1:7: wrong-value: 0 is less than the minimum of 1"]),
        ("size: true", [
            "f:1:7: wrong-type: 'size' must be a whole number, this is true or false"]),
        ("size: 1.5", ["f:1:7: wrong-type: 'size' must be a whole number, this is a number"]),
        ("name: abcd", ["f:1:7: wrong-value: 'name' has 4 characters, 3 fit"]),
        ("name: ''", ["f:1:7: wrong-value: 'name' is empty"]),
        ("list: [1]", ["f:1:7: wrong-value: 'list' has 1 elements, 2 fit at least"]),
        ("list: [1, 2, 3, 4]", ["f:1:7: wrong-value: 'list' has 4 elements, 3 fit"]),
        ("kind: smal", [
            "f:1:7: unknown-value: 'smal' is not known here; did you mean 'small'?"]),
        ("kind: 3", ["f:1:7: unknown-value: '3' is not known here; known: small, large"]),
        ("either: 3", [
            "f:1:9: wrong-type: 'either' must be a text or nothing, this is a whole number"]),
        ("even: 3", ["f:1:7: wrong-value: 3 is not a multiple of 2"]),
        ("any: {0: {'': {'a/b': {'': x}}}}", [
            "f:1:28: wrong-type: '' must be a mapping or a whole number, this is a text"]),
        ("any: {'': x}", [
            "f:1:11: wrong-type: '' must be a mapping or a whole number, this is a text"]),
        ("[1]", ["f:1:1: wrong-type: the document must be a mapping, this is a list"]),
        ("1", ["f:1:1: wrong-type: the document must be a mapping, this is a whole number"]),
        ("", ["f:1:1: wrong-type: the document must be a mapping, this is nothing"]),
        ("sice: 2\nnam: a", [
            "f:1:1: unknown-key: 'sice' is not known here; did you mean 'size'?",
            "f:2:1: unknown-key: 'nam' is not known here; did you mean 'name'?"]),
    ],
)  # fmt: skip
def test_a_deviation_is_told_in_words(text, expected):
    assert told(text) == expected


def test_a_long_value_is_not_repeated():
    (problem,) = told("const: y")
    assert problem == "f:1:8: wrong-value: 'const' breaks 'const'"


def test_the_most_alike_word_is_suggested_and_no_other():
    assert did_you_mean("chekout", ["checkout", "check", "cart"]) == "did you mean 'checkout'?"
    assert did_you_mean("zebra", ["checkout", "cart"]) == ""
    assert did_you_mean("a", []) == ""
