"""Every error code of Meta that a message can meet has one thing that is done about it."""

import pytest

from engine.errors import GraphNoAnswer, GraphRetryable, GraphTerminal
from engine.graph.client import RETRYABLE
from engine.whatsapp.send_errors import _BY_CODE, COURSES, FEW, Course, course_of, late_course

# Meta's page of error codes, as far as it is about messages.
KNOWN = {
    0, 190, 3, 10, 200, 299, 131005, 1, 2, 4, 80007, 17, 613, 33, 100, 131008, 131009, 130429,
    131056, 131048, 131064, 131047, 131026, 131049, 131050, 130403, 130472, 131000, 131016, 133004,
    131057, 131021, 131030, 131031, 368, 130497, 131042, 131044, 131037, 131045, 133010, 131051,
    131052, 131053, 131062, 131063, 132000, 132001, 132005, 132007, 132012, 132015, 132016, 132068,
    132069, 134011, 135000, 137000, 1026,
}  # fmt: skip


def test_every_known_code_is_in_the_table_once():
    assert COURSES.keys() >= KNOWN
    assert sum(map(len, _BY_CODE.values())) == len(COURSES)
    assert set(_BY_CODE) == set(Course)
    assert _BY_CODE[Course.RETRY] >= FEW


@pytest.mark.parametrize(
    ("code", "course"),
    [
        (131056, Course.WAIT_FOR_CUSTOMER),
        (130429, Course.WAIT_FOR_NUMBER),
        (80007, Course.WAIT_FOR_ACCOUNT),
        (190, Course.STOP_TENANT),
        (131031, Course.STOP_TENANT),
        (131047, Course.TEMPLATE),
        (131026, Course.GIVE_UP),
        (131000, Course.RETRY),
        (250, Course.STOP_TENANT),
    ],
)
def test_a_known_code_has_its_course_whatever_the_status(code, course):
    assert course_of(GraphTerminal("no", code=code)) is course
    assert course_of(GraphRetryable("later", code=code)) is course
    assert late_course(code) is course


def test_an_unknown_code_is_tried_again_only_if_it_may_pass():
    assert course_of(GraphRetryable("later", code=999999)) is Course.RETRY
    assert course_of(GraphTerminal("no", code=999999)) is Course.GIVE_UP
    assert late_course(999999) is Course.GIVE_UP


def test_no_answer_and_a_gateway_are_no_reason_to_stop_a_tenant():
    assert course_of(GraphNoAnswer("no answer")) is Course.RETRY
    assert course_of(GraphRetryable("HTTP 503")) is Course.RETRY
    assert course_of(GraphTerminal("HTTP 404")) is Course.GIVE_UP
    assert late_course(0) is Course.STOP_TENANT


def test_what_the_client_calls_passing_is_never_given_up():
    given_up = {code for code in RETRYABLE if COURSES.get(code) is Course.GIVE_UP}
    assert given_up == set()
