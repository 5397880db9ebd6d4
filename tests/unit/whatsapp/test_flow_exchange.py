"""Exchanges of Flows: what WhatsApp asks in each form, what it is answered, what is refused."""

import json
from types import MappingProxyType

import bson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import Malformed
from engine.whatsapp.flow_crypto import dump
from engine.whatsapp.flow_exchange import (
    FlowAnswer,
    FlowRequest,
    acknowledged,
    finished,
    gone,
    next_screen,
    parse_flow_request,
    pong,
)
from engine.whatsapp.json_values import load
from tests.unit.whatsapp.strangers import any_json, any_text, nested

ASKED = {
    "version": "3.0",
    "action": "data_exchange",
    "screen": "SIZE",
    "data": {"size": "large"},
    "flow_token": "token",
}


def asked(**changes):
    document = ASKED | changes
    return parse_flow_request({k: v for k, v in document.items() if v is not ...})


def test_a_data_exchange():
    assert asked() == FlowRequest("data_exchange", "3.0", "SIZE", {"size": "large"}, "token", None)


@pytest.mark.parametrize(
    "empty",
    [
        {"screen": ..., "data": ...},
        {"screen": "", "data": {}},
        {"screen": None, "data": None},
    ],
)
def test_an_opening_has_no_screen_and_no_data(empty):
    request = asked(action="INIT", version="4.0", **empty)
    assert request == FlowRequest("INIT", "4.0", None, {}, "token", None)


def test_a_way_back_names_the_screen_that_is_left():
    request = asked(action="BACK", data=...)
    assert request == FlowRequest("BACK", "3.0", "SIZE", {}, "token", None)


def test_a_ping_has_a_version_and_nothing_else():
    ping = FlowRequest("ping", "3.0", None, {}, None, None)
    assert parse_flow_request({"version": "3.0", "action": "ping"}) == ping
    assert asked(action="ping", screen=7, data=[], flow_token={}) == ping


@pytest.mark.parametrize("token", [..., None, ""])
def test_a_token_may_be_missing(token):
    assert asked(flow_token=token).token is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"error": "invalid-screen-transition", "error_message": "not allowed"},
         "invalid-screen-transition: not allowed"),
        ({"error_key": "data_error", "error_message": "not allowed"}, "data_error: not allowed"),
        ({"error_message": "not allowed"}, "not allowed"),
        ({"error": "timeout_error"}, "timeout_error"),
        ({"error": "x" * 300, "error_message": "y"}, "x" * 200),
        ({"error": None}, "it does not say which"),
        ({"error": {"code": 7}, "error_message": ""}, "it does not say which"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("action", ["data_exchange", "INIT"])
@pytest.mark.parametrize("screen", ["SIZE", "", ...])
def test_the_client_tells_of_an_error(action, screen, data, said):
    request = asked(action=action, data=data, screen=screen)
    assert request.action == "error"
    assert request.error == said
    assert request.screen == (screen if screen == "SIZE" else None)
    assert request.token == "token"


def test_a_way_back_is_no_error():
    assert asked(action="BACK", data={"error": "x"}).error is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        *[({"action": a}, "the action is none of") for a in
          (..., None, "", 7, "init", "error", "navigate", ["ping"], {"ping": 1}, "\ufffd")],
        *[({"version": v}, 'not a text such as "3.0"') for v in
          (..., None, "", 3, 3.0, "3", "3.0.1", "v3.0", "3.0\n", "1000.0", "٣.٠", ["3.0"])],
        *[({"screen": s}, "the screen is missing, which data_exchange needs") for s in
          (..., None, "")],
        ({"screen": "", "action": "BACK"}, "the screen is missing, which BACK needs"),
        *[({"screen": s}, "the screen is not a text") for s in (7, True, ["SIZE"], {"S": 1})],
        ({"screen": "S" * 501}, "the screen has more than 500 characters"),
        *[({"data": d}, "the data is not a JSON object") for d in ("", "text", 7, [], [["a", 1]])],
        *[({"flow_token": t}, "the flow_token is not a text") for t in (7, False, ["t"])],
        ({"flow_token": "t" * 501}, "the flow_token has more than 500 characters"),
    ],
)  # fmt: skip
def test_what_whatsapp_does_not_send_is_refused(changes, sentence):
    with pytest.raises(Malformed, match=sentence):
        asked(**changes)


@pytest.mark.parametrize("document", [None, [], "text", 7, ["action"]])
def test_what_is_no_object_is_refused(document):
    with pytest.raises(Malformed, match="not a JSON object"):
        parse_flow_request(document)


def test_texts_up_to_the_limit_and_other_versions_are_taken():
    request = asked(screen="S" * 500, flow_token="t" * 500, version="12.345")
    assert (request.screen, request.token) == ("S" * 500, "t" * 500)
    assert request.version == "12.345"


def test_data_that_cannot_be_stored_is_left_out():
    odd = {"deep": nested(200), "long": 2**64 - 1, "a\0b": 1, "kept": [1, "x", {"y": None}]}
    data = asked(data=odd).data
    assert data["kept"] == [1, "x", {"y": None}]
    assert "long" not in data
    assert "a\0b" not in data
    assert bson.encode(data)


@settings(deadline=None, max_examples=300)
@given(
    changes=st.dictionaries(st.sampled_from(sorted(ASKED)), any_json),
    more=st.dictionaries(any_text, any_json, max_size=2),
)
def test_no_request_breaks_anything_and_what_is_taken_can_be_stored_and_said(changes, more):
    try:
        document = load(json.dumps(ASKED | {"data": {"value": more}} | changes).encode())
        request = parse_flow_request(document)
    except Malformed:
        return
    answer = next_screen(request, request.screen or "FIRST", request.data)
    assert bson.encode(dict(request.data))
    assert load(dump(answer.body)) == answer.body


def test_nothing_a_customer_wrote_is_printed():
    request = asked(data={"name": "Ana"}, flow_token="secret")
    printed = repr(request) + repr(next_screen(request, "SIZE", {"name": "Ana"}))
    assert "Ana" not in printed
    assert "secret" not in printed


def test_a_next_screen_repeats_the_version():
    answer = next_screen(asked(version="4.0"), "SUMMARY", MappingProxyType({"total": 8}))
    assert answer == FlowAnswer({"version": "4.0", "screen": "SUMMARY", "data": {"total": 8}})


def test_a_problem_is_said_on_the_screen():
    data = {"total": 8}
    answer = next_screen(asked(), "SIZE", data, "Choose a size")
    assert answer.body["data"] == {"total": 8, "error_message": "Choose a size"}
    assert data == {"total": 8}
    assert answer.status == 200


def test_the_end_gives_back_the_token():
    answer = finished("token", {"size": "large", "flow_token": "another"})
    assert answer.status == 200
    assert answer.body == {
        "screen": "SUCCESS",
        "data": {
            "extension_message_response": {"params": {"flow_token": "token", "size": "large"}}
        },
    }


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (pong(), 200, {"data": {"status": "active"}}),
        (acknowledged(), 200, {"data": {"acknowledged": True}}),
        (gone("This order was sent"), 427, {"error_msg": "This order was sent"}),
    ],
)
def test_short_answers(answer, status, body):
    assert (answer.status, answer.body) == (status, body)
