"""Whether a condition can hold at all."""

import pytest

from tests.unit.charts.builders import LANGUAGE


def can_hold(source):
    return LANGUAGE.expression(source, "x:1:1").reading.can_hold


@pytest.mark.parametrize(
    "source",
    [
        "a and not a",
        "(a.b == 'c') and not (a.b == 'c')",
        "a == 'b' and a != 'b'",
        "a == 'b' and a == 'c'",
        "a > 3 and a < 2",
        "a >= 3 and not a > 2",
        "a == 0 and a",
        "lucky(number=1) and not lucky(number=1)",
        "a|length > 2 and a|length == 1",
        "not (a or not a)",
        "false and a",
        "(a or b) and not a and not b",
        "a is defined and not a is defined",
    ],
)
def test_what_contradicts_itself_cannot_hold(source):
    assert not can_hold(source)


@pytest.mark.parametrize(
    "source",
    [
        "a",
        "not a",
        "a or not a",
        "a == b and not c",
        "a > 0",
        "a > 0 and a < 1",
        "a > 1 and a < 1.2",
        "a > -1 and not a",
        "a != none and a|int < 1",
        "a == '' or a",
        "a == 'b' and not b",
        "lucky(number=1) and not lucky(number=2)",
        "a in ['b'] and a == 'c'",  # more than is looked at
        "1 < a < 2 and a > 5",
        "a < 'b' and a > 'c'",
        # Of too many values nothing is told.
        " and ".join(f"(v{n} or v{n} == 'x')" for n in range(20)) + " and v1 and not v1",
    ],
)
def test_what_may_hold_is_let_be(source):
    assert can_hold(source)
