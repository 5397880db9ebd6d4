"""Header, body and footer around an action."""

import pytest

from engine.whatsapp.frame import check_frame, framed
from tests.unit.whatsapp.messages import IMAGE, assert_refused

ACTION = {"name": "send_location"}


@pytest.mark.parametrize(
    ("members", "frame"),
    [
        ({"body": None}, {}),
        ({"body": " ", "header": "", "image": "\n", "footer": " "}, {}),
        (
            {"body": "Where?", "header": "Order 12", "footer": "Thanks"},
            {
                "header": {"type": "text", "text": "Order 12"},
                "body": {"text": "Where?"},
                "footer": {"text": "Thanks"},
            },
        ),
        (
            {"body": "Where?", "header": " ", "image": IMAGE},
            {"header": {"type": "image", "image": {"link": IMAGE}}, "body": {"text": "Where?"}},
        ),
    ],
)
def test_blank_texts_are_left_out(members, frame):
    assert framed("some", action=ACTION, **members) == {
        "type": "interactive",
        "interactive": {"type": "some", **frame, "action": ACTION},
    }


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"body": " "}, "some.body"),
        ({"body": "?", "header": "Order 12", "image": IMAGE}, "some.header"),
        ({"body": "?", "image": "pizza.jpg"}, "some.image"),
    ],
)
def test_rule(members, field):
    assert_refused(lambda: check_frame("some", **members), field)
