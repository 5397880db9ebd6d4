"""The message that opens a Flow: its wire shape, its limits, its rules, any data."""

import dataclasses

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.whatsapp.flow import FlowMessage
from tests.unit.whatsapp.messages import (
    IMAGE,
    assert_limit,
    assert_refused,
    assert_wire,
    made,
)


def flow(**changes) -> FlowMessage:
    message = FlowMessage(
        "Choose", "987", cta="Customise", token="tok", action="navigate", screen="SIZE"
    )
    return dataclasses.replace(message, **changes)


SHAPES = [
    (
        flow(data={"price": 8.5, "sizes": [{"id": "l", "big": True}], "count": 2}, image=IMAGE),
        {
            "type": "interactive",
            "interactive": {
                "type": "flow",
                "header": {"type": "image", "image": {"link": IMAGE}},
                "body": {"text": "Choose"},
                "action": {
                    "name": "flow",
                    "parameters": {
                        "flow_message_version": "3",
                        "flow_id": "987",
                        "flow_cta": "Customise",
                        "mode": "published",
                        "flow_token": "tok",
                        "flow_action": "navigate",
                        "flow_action_payload": {
                            "screen": "SIZE",
                            "data": {
                                "price": 8.5,
                                "sizes": [{"id": "l", "big": True}],
                                "count": 2,
                            },
                        },
                    },
                },
            },
        },
    ),
    (
        flow(action="data_exchange", screen=None, mode="draft"),
        {
            "type": "interactive",
            "interactive": {
                "type": "flow",
                "body": {"text": "Choose"},
                "action": {
                    "name": "flow",
                    "parameters": {
                        "flow_message_version": "3",
                        "flow_id": "987",
                        "flow_cta": "Customise",
                        "mode": "draft",
                        "flow_token": "tok",
                        "flow_action": "data_exchange",
                    },
                },
            },
        },
    ),
]


@pytest.mark.parametrize(("message", "wire"), SHAPES)
def test_wire_shape(message, wire):
    assert_wire(message, wire)


# Each: how to make the message from a text, the field that is named, the limit.
TEXT_LIMITS = [
    (lambda text: flow(body=text), "flow.body", 1024),
    (lambda text: flow(cta=text), "flow.cta", 20),
    (lambda text: flow(header=text), "flow.header", 60),
    (lambda text: flow(footer=text), "flow.footer", 60),
]


@pytest.mark.parametrize(("make", "field", "limit"), TEXT_LIMITS, ids=[t[1] for t in TEXT_LIMITS])
def test_text_limit(make, field, limit):
    assert_limit(lambda length: make("x" * length), field, limit)


INVALID = [
    (lambda: flow(header="Hi", image=IMAGE), "flow.header"),
    (lambda: flow(flow_id=""), "flow.flow_id"),
    (lambda: flow(cta=""), "flow.cta"),
    (lambda: flow(token=""), "flow.token"),
    (lambda: flow(screen=None), "flow.screen"),
    (lambda: flow(action="data_exchange"), "flow.screen"),
    (lambda: flow(action="data_exchange", screen=None, data={"a": 1}), "flow.screen"),
    (lambda: flow(data={}), "flow.data"),
    (lambda: flow(data={"a": None}), "flow.data.a"),
    (lambda: flow(data={"a": [1, {"b": float("nan")}]}), "flow.data.a[1].b"),
    (lambda: flow(data={"a": 2**63}), "flow.data.a"),
    (lambda: flow(data={"a": object()}), "flow.data.a"),
    (lambda: flow(data={"a": "\udc00"}), "flow.data.a"),
    (lambda: flow(data={"a": {1: "x"}}), "flow.data.a"),
]


@pytest.mark.parametrize(("make", "field"), INVALID)
def test_rule(make, field):
    assert_refused(make, field)


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)

any_data = st.none() | st.dictionaries(st.text(max_size=3), any_json, max_size=3)


@settings(deadline=None)
@given(data=any_data)
def test_whatever_data_a_flow_takes_survives_the_wire(data):
    message = made(flow, {"data": data})
    if message is not None:
        wire = message.to_wire()
        assert orjson.loads(orjson.dumps(wire)) == wire
        assert not has_null(wire)


def has_null(value) -> bool:
    if isinstance(value, dict):
        return any(map(has_null, value.values()))
    if isinstance(value, list):
        return any(map(has_null, value))
    return value is None
