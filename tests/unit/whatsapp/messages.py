"""What is the same for every message to a customer: how it is made, refused and written."""

from typing import Any

import orjson
import pytest

from engine.errors import LimitExceeded
from engine.whatsapp.interactive import LinkMessage
from engine.whatsapp.rules import InvalidMessage

IMAGE = "https://shop.example/pizza.jpg"


def link(**changes: Any) -> LinkMessage:
    members = {"body": "Pay here", "text": "Pay", "url": "https://pay.example/1"}
    return LinkMessage(**{**members, **changes})


def made(kind, fields):
    try:
        return kind(**fields)
    except (LimitExceeded, InvalidMessage):
        return None


def assert_wire(message, wire):
    assert message.to_wire() == wire
    assert orjson.loads(orjson.dumps(message.to_wire())) == wire


def assert_limit(make, field, limit):
    make(limit)
    with pytest.raises(LimitExceeded) as caught:
        make(limit + 1)
    assert (caught.value.field, caught.value.limit, caught.value.length) == (
        field,
        limit,
        limit + 1,
    )


def assert_refused(make, field):
    with pytest.raises(InvalidMessage) as caught:
        make()
    assert caught.value.field == field
    assert str(caught.value) == f"{field}: {caught.value.problem}"
