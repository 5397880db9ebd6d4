"""The headers in which Meta tells how much of a rate limit is used up."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.graph.usage import Usage, usage_of

APP = "x-app-usage"
BUSINESS = "x-business-use-case-usage"


def limit(**more):
    counts = {"type": "catalog", "call_count": 0, "total_cputime": 0, "total_time": 0}
    return counts | {"estimated_time_to_regain_access": 0} | more


@pytest.mark.parametrize(
    ("headers", "usage"),
    [
        ({}, Usage()),
        ({APP: {"call_count": 28, "total_time": 25, "total_cputime": 30}}, Usage(30)),
        ({BUSINESS: {"1": [limit(call_count=40)]}}, Usage(40)),
        ({BUSINESS: {"1": [limit(total_time=99.2)]}}, Usage(100)),
        ({BUSINESS: {"1": [limit(total_cputime=7)]}, APP: {"call_count": 5}}, Usage(7)),
        (
            {
                BUSINESS: {
                    "1": [limit(call_count=10), limit(estimated_time_to_regain_access=3)],
                    "2": [limit(call_count=100, estimated_time_to_regain_access=0.5)],
                }
            },
            Usage(100, 180.0),
        ),
        ({BUSINESS: {"1": [{"estimated_time_to_regain_access": 10**9}]}}, Usage(0, 86_400.0)),
        ({BUSINESS: {"1": [limit(call_count=10**12)]}}, Usage(1000)),
    ],
)
def test_the_limit_nearest_to_its_end_counts(headers, usage):
    assert usage_of({name: json.dumps(value) for name, value in headers.items()}) == usage


@pytest.mark.parametrize(
    "written",
    [
        "",
        "no JSON",
        "[]",
        "null",
        "7",
        '{"1": 7}',
        '{"1": {"call_count": 9}}',
        '{"1": [7, null, "x"]}',
        '{"1": [{"call_count": "9", "total_time": null, "total_cputime": true}]}',
        '{"1": [{"call_count": -9, "estimated_time_to_regain_access": -1}]}',
        '{"1": [{"call_count": NaN}]}',
        '{"1": [{"call_count": 1e999}]}',
        '{"call_count": [1]}',
    ],
)
def test_what_cannot_be_read_is_left_out(written):
    good = json.dumps({"call_count": 3})
    assert usage_of({BUSINESS: written, APP: written}) == Usage()
    assert usage_of({BUSINESS: written, APP: good}) == Usage(3)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["1", "call_count", "estimated_time_to_regain_access"]), inner
    ),
)  # fmt: skip


@given(app=values, business=values)
def test_no_header_is_too_strange(app, business):
    usage = usage_of({APP: json.dumps(app), BUSINESS: json.dumps(business)})
    assert 0 <= usage.percent <= 1000
    assert 0 <= usage.wait <= 86_400
