"""What Meta's error codes mean for a message that was to be sent: one table.

Codes and meanings: Meta's page support/error-codes and about-the-platform (pair limit); what to do
about them is ours where Meta says nothing. Build on codes: Meta drops the titles.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from engine.errors import GraphError, GraphRetryable


class Course(Enum):
    """What is done about a message that Meta did not take."""

    RETRY = "try it again soon, then less and less often"
    WAIT_FOR_CUSTOMER = "write to this customer later; others are not concerned"
    WAIT_FOR_NUMBER = "send less from this number for a while"
    WAIT_FOR_ACCOUNT = "send nothing of this tenant for a while"
    STOP_TENANT = "send nothing of this tenant until somebody mends its account"
    TEMPLATE = "send the declared template instead, or hold the message back"
    GIVE_UP = "it never will be taken"


_BY_CODE: Final[Mapping[Course, frozenset[int]]] = {
    # 1 and 2: unknown or temporary; 131000, 131016: something went wrong, service unavailable;
    # 131057, 133004: the account or the server is in maintenance.
    Course.RETRY: frozenset({1, 2, 131000, 131016, 131057, 133004}),
    # 131056: too many messages to the same customer.
    Course.WAIT_FOR_CUSTOMER: frozenset({131056}),
    # 130429: the number's throughput is reached.
    Course.WAIT_FOR_NUMBER: frozenset({130429}),
    # Calls of the app, the user, the page, the account; business use cases.
    Course.WAIT_FOR_ACCOUNT: frozenset({4, 17, 32, 341, 613, *range(80001, 80015)}),
    # 0, 190: the token; 3, 10, 200 to 299, 131005: a permission; 131031, 368, 130497: locked or
    # restricted; 131042, 131044: payment; 131037, 131045, 133010: name, certificate, registration;
    # 131048: too many customers reported spam, hammering makes it worse.
    Course.STOP_TENANT: frozenset(
        {0, 190, 3, 10, *range(200, 300), 131005, 131031, 368, 130497, 131042, 131044}
        | {131037, 131045, 133010, 131048}
    ),
    # 131047: more than 24 hours since the customer wrote.
    Course.TEMPLATE: frozenset({131047}),
    # 33, 100, 131008, 131009: a parameter is missing or wrong; 131021: sent to oneself; 131026:
    # undeliverable; 131030: not on a test number's list; 131049, 131050, 131063, 131064: marketing
    # and templates that Meta does not deliver; 130403: blocked by us; 130472: an experiment;
    # 131051 to 131053: type and media; 131062: not to a user id, and the phone number would have
    # been taken if it was known; 132000 to 132016: templates; 132068, 132069: the Flow is blocked
    # or throttled, 1026: an old app; the chat takes over, where it can; 134011: payment terms;
    # 135000: an error of the request; 137000: the customer's identity has changed.
    Course.GIVE_UP: frozenset(
        {33, 100, 131008, 131009, 131021, 131026, 131030, 131049, 131050, 131063, 131064}
        | {130403, 130472, 131051, 131052, 131053, 131062, 132000, 132001, 132005, 132007, 132012}
        | {132015, 132016, 132068, 132069, 1026, 134011, 135000, 137000}
    ),
}
COURSES: Final[Mapping[int, Course]] = {
    code: course for course, codes in _BY_CODE.items() for code in codes
}
FEW: Final = frozenset({1})
"""Codes worth few tries only: an unknown error of Meta is seldom another one the next time."""


def course_of(error: GraphError) -> Course:
    """Tell what to do about a message that Meta did not take.

    Of a code that is not in the table, the Graph client knows whether it may pass.
    """
    if isinstance(error, GraphRetryable):
        # Without a code of Meta's a gateway has answered, or nobody.
        return COURSES.get(error.code, Course.RETRY) if error.code else Course.RETRY
    return COURSES.get(error.code, Course.GIVE_UP) if error.code else Course.GIVE_UP


_TO_HIM: Final = frozenset({131026, 131049, 130403})
"""Codes of what will never be taken that are about the customer, not about the message."""


def is_of_the_chat(code: int) -> bool:
    """Tell whether any other message to the customer would meet the same error.

    Args:
        code: 0 if Meta gave none.
    """
    course = COURSES.get(code) if code else None
    return code in _TO_HIM or course in (Course.STOP_TENANT, Course.TEMPLATE)


def late_course(code: int) -> Course:
    """Tell what to do about a message that Meta had taken, and that failed after all."""
    return COURSES.get(code, Course.GIVE_UP)
