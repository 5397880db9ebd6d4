import json

import pytest

from engine.sandbox.flow_documents.places import Place, Places

TEXT = """{
  "a": "x",
  "list": [1, {"deep": [true, null]}, "\\"]}"],
  "empty": {}, "none": [ ],
  "text": "ñandú 🍕", "after": -1.5e3
}
"""


def marked(text: str, place: Place) -> str:
    """Cut out of a text what stands at a place."""
    lines = text.split("\n")[place.line_start - 1 : place.line_end]
    lines[-1] = lines[-1][: place.column_end]
    lines[0] = lines[0][place.column_start - 1 :]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("path", "stands"),
    [
        (("a",), '"x"'),
        (("list", 0), "1"),
        (("list", 1), '{"deep": [true, null]}'),
        (("list", 1, "deep"), "[true, null]"),
        (("list", 1, "deep", 1), "null"),
        (("list", 2), '"\\"]}"'),
        (("empty",), "{}"),
        (("none",), "[ ]"),
        (("text",), '"ñandú 🍕"'),
        (("after",), "-1.5e3"),
        ((), TEXT.strip()),
    ],
)
def test_values(path, stands):
    assert marked(TEXT, Places(TEXT).of(path)) == stands


def test_keys():
    places = Places(TEXT)

    assert marked(TEXT, places.of(("list", 1, "deep"), at_key=True)) == '"deep"'
    assert marked(TEXT, places.of(("a",), at_key=True)) == '"a"'
    assert places.of(("a",), at_key=True) == Place(2, 2, 3, 5)


def test_what_is_not_there_is_where_it_should_be():
    places = Places(TEXT)

    assert places.of(("list", 1, "absent", 3)) == places.of(("list", 1))
    assert places.of(("list", 1, "absent"), at_key=True) == places.of(("list", 1))
    assert places.of(("absent",)) == places.of(())


def test_lines_and_columns_count_from_one_and_the_last_column_belongs_to_it():
    """As in the samples of Meta's documentation, where `"initial-text"` is at 17 to 30."""
    text = '{\n                "initial-text": 1}'

    assert Places(text).of(("initial-text",), at_key=True) == Place(2, 2, 17, 30)


def test_a_value_over_several_lines():
    assert Places('{"a": [\n1,\n2]}').of(("a",)) == Place(1, 3, 7, 2)


def test_a_key_that_is_there_twice_is_the_last_one():
    text = '{"a": 1, "a": 22}'

    assert marked(text, Places(text).of(("a",))) == "22"


def test_keys_with_escapes():
    text = '{"\\u00e1\\"": [7]}'

    assert marked(text, Places(text).of(('á"', 0))) == "7"


@pytest.mark.parametrize("text", ["7", '"x"', "[]", "null"])
def test_documents_that_are_no_objects(text):
    assert marked(text, Places(text).of(())) == text


@pytest.mark.parametrize(("text", "depth"), [("7", 0), ("[]", 1), ('{"a": [[{}], 1]}', 4)])
def test_depth(text, depth):
    assert Places(text).depth == depth


@pytest.mark.parametrize("indent", [None, 1, 4])
def test_every_value_of_a_document_is_found(indent):
    document = {"a": [1, "two", {"b": {"c": [None, [], {"d": False}]}}], "e": {"f": -0.5}}
    text = json.dumps(document, indent=indent)
    places = Places(text)

    def walk(value, path):
        assert json.loads(marked(text, places.of(path))) == value
        if isinstance(value, dict):
            for name, one in value.items():
                walk(one, (*path, name))
        elif isinstance(value, list):
            for index, one in enumerate(value):
                walk(one, (*path, index))

    walk(document, ())
