"""The schemas: valid themselves, complete, and every pattern has words for an author."""

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from engine.spec.schema import KINDS, document_schema
from engine.spec.validate import shape
from engine.verbs import all_verbs
from tests.unit.charts.builders import verbs

SCHEMAS = {kind: document_schema(kind, all_verbs()) for kind in KINDS}


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for part in schema.values():
            yield from parts(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from parts(part)


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_one(kind):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_a_mistake_is_named_and_not_none_of_these(kind):
    for part in parts(SCHEMAS[kind]):
        assert not {"anyOf", "oneOf", "patternProperties"} & part.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_every_mapping_refuses_unknown_keys(kind):
    for part in parts(SCHEMAS[kind]):
        if part.get("type") == "object" and isinstance(part.get("properties"), dict):
            assert "additionalProperties" in part or "required" in part, part


@pytest.mark.parametrize("kind", KINDS)
def test_every_pattern_an_author_can_break_has_words(kind):
    templates = {r"\{\{", r"\$\{|\{\{|^`"}  # asked for, never told
    for part in parts(SCHEMAS[kind]):
        pattern = part.get("pattern")
        if isinstance(pattern, str) and pattern not in templates:
            assert shape(pattern) != f"it must look like {pattern}"


def test_every_action_is_in_the_schema_with_its_arguments():
    schema = SCHEMAS["chart"]["$defs"]["do"]["else"]
    actions = all_verbs().actions
    assert set(schema["else"]["properties"]) == set(actions)
    for name, verb in actions.items():
        described = schema["else"]["properties"][name]
        assert described["description"] == verb.summary
        assert set(described["properties"]) == set(verb.arguments.model_fields)
    bare = [n for n, v in actions.items()
            if not any(f.is_required() for f in v.arguments.model_fields.values())]  # fmt: skip
    assert sorted(bare) == schema["then"]["enum"]


def test_an_argument_of_a_type_of_its_own_is_checked_where_it_stands():
    schema = document_schema("chart", verbs)
    for reason, told in (("closed", []), ("shut", ["enum"]), ("{{ event.text }}", [])):
        chart = {"states": {"menu": {"do": {"refuse": {"reason": reason}}}}}
        errors = jsonschema.Draft202012Validator(schema).iter_errors(chart)
        assert [str(error.validator) for error in errors] == told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"product": "p"}, []),
        ({"product": "p", "quantity": 2}, []),
        ({"product": "p", "quantity": "{{ event.quantity }}"}, []),
        ({"product": "{{ event.argument }}", "quantity": 0}, ["minimum"]),
        ({"product": 1}, ["type"]),
        ({"product": "p", "quantity": "two"}, ["type"]),
        ({"quantity": 2}, ["required"]),
        ({"product": "p", "size": "large"}, ["additionalProperties"]),
    ],
)
def test_a_literal_argument_is_checked_and_a_template_is_not(arguments, told):
    chart = {"states": {"menu": {"do": {"cart.add": arguments}}}}
    errors = jsonschema.Draft202012Validator(SCHEMAS["chart"]).iter_errors(chart)
    assert [str(error.validator) for error in errors] == told


@pytest.mark.parametrize(
    ("amount", "told"), [(1.5, []), (2, []), ("cheap", ["type"]), (-1, ["minimum"])]
)
def test_an_amount_is_a_number(amount, told):
    menu = {
        "categories": {"cat:a": {"name": "A"}},
        "products": {"prod:a": {"name": "A", "category": "cat:a", "price": amount}},
    }
    errors = jsonschema.Draft202012Validator(SCHEMAS["catalog"]).iter_errors(menu)
    assert [str(error.validator) for error in errors] == told
