import pytest

from engine.sandbox.flow_documents.check import is_publishable, judge
from tests.unit.sandbox.flow_parts import (
    AT,
    FLAG,
    HEADING,
    SIZES,
    C,
    assert_wrong,
    faults,
    one_screen,
)
from tests.unit.sandbox.flow_samples import (
    changed,
    product,
    survey,
    text,
    without,
    written,
)

# what is wrong, Meta's name of it, and where
WRONG = [
    ([], "INVALID_FLOW_JSON", ""),
    (without(survey, "version"), "MISSING_FLOW_JSON_VERSION", ""),
    (changed(survey, "version", "7"), "INVALID_FLOW_JSON_VERSION", "version"),
    (changed(survey, "version", 7.3), "INVALID_FLOW_JSON_VERSION", "version"),
    (changed(survey, "version", "8.0"), "UNSUPPORTED_FLOW_JSON_VERSION", "version"),
    (changed(survey, "colour", "red"), "INVALID_PROPERTY_KEY", "colour"),
    (without(survey, "screens"), "MISSING_REQUIRED_TYPE_PROPERTY", ""),
    (changed(survey, "screens", []), "MIN_ITEMS_REQUIRED", "screens"),
    (changed(survey, "screens", {}), "INVALID_PROPERTY_TYPE", "screens"),
    (changed(survey, "screens.1", "END"), "INVALID_PROPERTY_TYPE", "screens[1]"),
    (changed(product, "data_api_version", "9.0"), "NO_SUPPORTED_DATA_API_VERSION", None),
    (changed(product, "data_api_version", 4), "INVALID_PROPERTY_TYPE", "data_api_version"),
    (without(product, "routing_model"), "MISSING_REQUIRED_PROPERTY", "data_api_version"),
    (changed(product, "data_channel_uri", "https://a"), "INVALID_PROPERTY_KEY", None),
    (changed(product, "routing_model", []), "INVALID_PROPERTY_TYPE", "routing_model"),
    (changed(product, "routing_model.SIZE", "EXTRAS"), "INVALID_PROPERTY_TYPE", None),
    (changed(product, "routing_model.SIZE", [1]), "INVALID_PROPERTY_TYPE", None),
]


@pytest.mark.parametrize(("document", "error", "path"), WRONG)
def test_wrong(document, error, path):
    assert_wrong(document, error, path)


def test_lines_and_columns_are_those_of_the_text():
    document = changed(product, f"{SIZES}.label", "x" * 31)
    lines = written(document).splitlines()

    (error,) = judge(written(document)).errors

    where = {"line_start": 54, "line_end": 54, "column_start": 22, "column_end": 54}
    assert error == {
        "error": "INVALID_PROPERTY_VALUE",
        "error_type": "FLOW_JSON_ERROR",
        "message": "Property 'label' should have at most 30 characters, it has 31.",
        **where,
        "pointers": [where | {"path": f"{AT}[1].label"}],
    }
    assert lines[53][21:54] == f'"{"x" * 31}"'


def test_a_wrong_key_is_marked_and_not_its_value():
    document = changed(survey, f"{C}.0.initial-text", "x")
    (error,) = judge(written(document)).errors
    line = written(document).splitlines()[error["line_start"] - 1]

    assert line[error["column_start"] - 1 : error["column_end"]] == '"initial-text"'
    assert error["message"] == (
        "Property 'initial-text' cannot be specified at TextInput on "
        "'$root/screens/0/layout/children/0'."
    )


def test_all_faults_are_told_but_the_shape_comes_first():
    two = changed(lambda: changed(product, f"{HEADING}.text", ""), f"{SIZES}.label", 7)
    assert [error for error, _ in faults(two)] == ["PATTERN_MISMATCH", "INVALID_PROPERTY_TYPE"]

    deeper = changed(lambda: two, "routing_model", {})
    assert faults(deeper) == faults(two)


@pytest.mark.parametrize(
    ("raw", "line", "column"), [("", 1, 1), ('{"version": "7.3",,}', 1, 19), ("{\n  x}", 2, 3)]
)
def test_what_is_not_json(raw, line, column):
    verdict = judge(raw)
    (error,) = verdict.errors

    assert verdict.document is None
    assert error["error"] == "INVALID_FLOW_JSON"
    assert (error["line_start"], error["column_start"]) == (line, column)


@pytest.mark.parametrize("hostile", ["[" * 100_000, "[" * 1000 + "]" * 1000])
def test_hostile_depths(hostile):
    assert [one["error"] for one in judge(hostile).errors] == ["INVALID_FLOW_JSON"]


def test_a_component_deep_in_itself_is_refused():
    nested = text("a")
    for _ in range(40):
        nested = {"type": "If", "condition": "${data.flag}", "then": [nested]}
    assert faults(one_screen(nested, data=FLAG))[0][0] == "INVALID_PROPERTY_VALUE"
    for _ in range(20):
        nested = {"type": "If", "condition": "${data.flag}", "then": [nested]}
    assert faults(one_screen(nested, data=FLAG)) == [("INVALID_FLOW_JSON", "")]


@pytest.mark.parametrize(
    ("version", "is_right"), [("3.0", False), ("5.0", False), ("5.1", True), ("7.3", True)]
)
def test_versions_that_are_still_published(version, is_right):
    document = changed(survey, "version", version)

    assert faults(document) == []
    assert is_publishable(document) is is_right
