import pytest

from engine.sandbox.shapes import (
    below,
    each,
    exactly_one,
    flag,
    integer,
    mapping,
    number,
    one_of,
    shape,
    string,
    text,
    variant,
)


def code(wanted, value) -> int | None:
    complaint = next(wanted("field", value), None)
    return None if complaint is None else complaint.code


TABLE = [
    (text(2), "ab", None),
    (text(2), "abc", 131009),
    (text(), "", 131009),
    (text(), None, 100),
    (text(like="a+"), "aaa", None),
    (text(like="a+"), "aab", 131009),
    (one_of("a", "b"), "b", None),
    (one_of("a", "b"), ["b"], 131009),
    (number(0, 1), 0.5, None),
    (number(0, 1), "0.5", None),
    (number(0, 1), "1.5", 131009),
    (number(0, 1), "nan", 131009),
    (number(0, 1), "half", 100),
    (number(0, 1), False, 100),
    (integer(0, 1), 1, None),
    (integer(0, 1), 2, 131009),
    (integer(0, 1), 1.0, 100),
    (integer(0, 1), True, 100),
    (flag, False, None),
    (flag, 0, 100),
    (string, "", None),
    (string, 0, 100),
    (mapping(), {}, None),
    (mapping(least=1), {}, 131009),
    (mapping(), [], 100),
    (each(flag), [True, False], None),
    (each(flag), [], 131009),
    (each(flag, most=1), [True, True], 131009),
    (each(flag), [True, 1], 100),
    (each(flag), {}, 100),
    (shape({"a": flag, "b?": flag}), {"a": True}, None),
    (shape({"a": flag, "b?": flag}), {"a": True, "b": None}, None),
    (shape({"a": flag, "b?": flag}), {"b": True}, 131008),
    (shape({"a": flag}), {"a": True, "c": 1}, 100),
    (shape({"a": flag}, closed=False), {"a": True, "c": 1}, None),
    (shape({}), [], 100),
    (shape({"a?": flag, "b?": flag}, exactly_one("a", "b")), {"a": True}, None),
    (shape({"a?": flag, "b?": flag}, exactly_one("a", "b")), {}, 131008),
    (shape({"a?": flag, "b?": flag}, exactly_one("a", "b")), {"a": True, "b": True}, 131009),
    (variant("t", {"x": shape({"t": text()})}), {"t": "x"}, None),
    (variant("t", {"x": shape({"t": text()})}), {"t": "y"}, 131009),
    (variant("t", {"x": shape({"t": text()})}), {}, 131008),
    (variant("t", {"x": shape({"t": text()})}), "x", 100),
]


@pytest.mark.parametrize(("wanted", "value", "found"), TABLE)
def test_shape(wanted, value, found):
    assert code(wanted, value) == found


def test_says_where():
    wanted = shape({"rows": each(shape({"id": text(1)}))})

    (complaint,) = wanted("action", {"rows": [{"id": "a"}, {"id": "bc"}]})

    assert complaint.details.startswith("Param action.rows[1].id must be at most 1 characters")


def test_complaints_go_on_when_asked_for_more():
    """What a caller does with all of them is its own affair; Meta names the first."""
    wanted = shape({"sizes": each(number(0, 1), most=1), "name": text()})

    found = [complaint.details for complaint in wanted("", {"sizes": [2, "x"]})]

    assert found == [
        "Param name is required",
        "Param sizes must have at most 1 elements, it has 2",
        "Param sizes[0] must be between 0 and 1",
        "Param sizes[1] must be a number",
    ]


def test_below_the_top_there_is_no_dot():
    assert below("", "to") == "to"
    assert below("text", "body") == "text.body"
