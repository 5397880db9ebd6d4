"""The calls that manage Flows, as they go over the wire and as Meta's answers are read."""

import email
import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from engine.deployment.calls import Complaint, MetaFlow, RegisteredKey
from engine.errors import GraphRetryable, GraphTerminal
from engine.graph.flows import GraphFlows


@pytest.fixture
def flows(client):
    return GraphFlows(client, "secret")


def parts_of(asked):
    """Read a multipart body: name -> (file name, content)."""
    head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
    found = email.message_from_bytes(head + asked.body)
    parts = {}
    for part in found.walk():
        name = part.get_param("name", header="content-disposition")
        if name:
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            parts[name] = (part.get_filename(), content.decode())
    return parts


async def test_a_flow_is_made_with_its_address(flows, scripted):
    scripted.say({"id": "77", "success": True})
    made = await flows.create("waba", "size_en", ("OTHER",), "https://x.example/flows/size/shop")
    assert made == "77"
    asked = scripted.last
    assert (asked.method, asked.path) == ("POST", "/v26.0/waba/flows")
    assert asked.headers["authorization"] == "Bearer secret"
    assert json.loads(asked.body) == {
        "name": "size_en",
        "categories": ["OTHER"],
        "endpoint_uri": "https://x.example/flows/size/shop",
    }


async def test_a_clone_names_what_it_is_cloned_from(flows, scripted):
    scripted.say({"id": "78"})
    await flows.create("waba", "size_en_abc", ("OTHER", "SURVEY"), "https://x.example", "77")
    body = json.loads(scripted.last.body)
    assert (body["clone_flow_id"], body["categories"]) == ("77", ["OTHER", "SURVEY"])


async def test_a_flow_that_meta_does_not_name_may_be_there(flows, scripted):
    scripted.say({"success": True})
    with pytest.raises(GraphRetryable):
        await flows.create("waba", "size_en", ("OTHER",), "https://x.example")


async def test_the_address_and_name_of_a_flow_are_changed(flows, scripted):
    await flows.metadata("77", endpoint_uri="https://y.example", name="size_en_abc")
    assert (scripted.last.method, scripted.last.path) == ("POST", "/v26.0/77")
    assert json.loads(scripted.last.body) == {
        "endpoint_uri": "https://y.example",
        "name": "size_en_abc",
    }


async def test_a_flow_json_is_uploaded_as_a_file(flows, scripted):
    scripted.say({"success": True, "validation_errors": []})
    assert await flows.upload("77", '{\n  "text": "¿Qué?"\n}\n') == ()
    assert scripted.last.path == "/v26.0/77/assets"
    assert parts_of(scripted.last) == {
        "name": (None, "flow.json"),
        "asset_type": (None, "FLOW_JSON"),
        "file": ("flow.json", '{\n  "text": "¿Qué?"\n}\n'),
    }


@pytest.mark.parametrize(
    ("pointers", "pointer"),
    [
        (None, ()),
        ([], ()),
        ("screens[0]", ()),
        ([{"line_start": 3}], ()),
        (["$root/screens/0/layout/children/12"], ("screens", 0, "layout", "children", 12)),
        (["/screens/0/id"], ("screens", 0, "id")),
        (["#/screens/0/id"], ("screens", 0, "id")),
        (["screens[1].layout.children[0]['on-click-action']"],
         ("screens", 1, "layout", "children", 0, "on-click-action")),
        ([{"path": "$.screens[0].data"}, {"path": "version"}], ("screens", 0, "data")),
    ],
)  # fmt: skip
async def test_complaints_name_their_place_in_any_way_meta_has(flows, scripted, pointers, pointer):
    error = {
        "error": "INVALID_PROPERTY_VALUE",
        "error_type": "FLOW_JSON_ERROR",
        "message": "Invalid value.",
        "line_start": 10,
        "line_end": 12,
        "column_start": 1,
        "column_end": 9,
    }
    if pointers is not None:
        error["pointers"] = pointers
    scripted.say({"success": False, "validation_errors": [error]})
    (complaint,) = await flows.upload("77", "{}")
    assert complaint == Complaint("Invalid value.", "INVALID_PROPERTY_VALUE", 10, pointer)


async def test_a_complaint_without_words_is_its_code(flows, scripted):
    scripted.say({"success": True, "validation_errors": [{"error": "MISSING", "line_start": "x"}]})
    assert await flows.upload("77", "{}") == (Complaint("MISSING", "MISSING"),)


@pytest.mark.parametrize("verb", ["publish", "deprecate"])
async def test_a_flow_is_published_and_deprecated(flows, scripted, verb):
    scripted.say({"success": True})
    await getattr(flows, verb)("77")
    assert (scripted.last.method, scripted.last.path) == ("POST", f"/v26.0/77/{verb}")


async def test_no_success_is_a_refusal(flows, scripted):
    scripted.say({"success": False})
    with pytest.raises(GraphTerminal):
        await flows.publish("77")


async def test_everything_meta_tells_of_a_flow_is_read(flows, scripted):
    scripted.say(
        {
            "id": "77",
            "name": "size_en",
            "status": "THROTTLED",
            "endpoint_uri": "https://x.example",
            "json_version": "7.3",
            "categories": ["OTHER"],
            "health_status": {
                "can_send_message": "BLOCKED",
                "entities": [
                    {"entity_type": "FLOW", "can_send_message": "BLOCKED",
                     "errors": [{"error_code": 131000, "error_description": "Endpoint is away.",
                                 "possible_solution": "Bring it back."}]},
                    {"entity_type": "WABA", "can_send_message": "LIMITED",
                     "additional_info": ["The display name is not approved."]},
                    {"entity_type": "APP", "can_send_message": "AVAILABLE"},
                ],
            },
            "validation_errors": [{"error": "E", "message": "Bad.", "line_start": 2}],
        }
    )  # fmt: skip
    assert await flows.flow("77") == MetaFlow(
        id="77",
        name="size_en",
        status="THROTTLED",
        endpoint="https://x.example",
        json_version="7.3",
        health="BLOCKED",
        ailments=(
            "Endpoint is away. Bring it back.",
            "The display name is not approved.",
        ),
        complaints=(Complaint("Bad.", "E", 2),),
    )
    assert {"health_status", "validation_errors", "endpoint_uri", "json_version"} <= set(
        scripted.last.query["fields"].split(",")
    )


async def test_what_meta_does_not_tell_of_a_flow_is_empty(flows, scripted):
    scripted.say({"id": "77", "name": "size_en", "status": "DRAFT"})
    assert await flows.flow("77") == MetaFlow("77", "size_en", "DRAFT")


def page(*ids, after=None, has_next=True):
    paging: dict[str, Any] = {"cursors": {"before": "b", "after": after}} if after else {}
    if after and has_next:
        paging["next"] = "https://graph.facebook.com/v26.0/waba/flows?access_token=secret"
    return {"data": [{"id": i, "name": f"f{i}", "status": "DRAFT"} for i in ids], "paging": paging}


async def test_all_pages_of_the_flows_are_read(flows, scripted):
    scripted.say(
        page("1", "2", after="A"), page("3", after="B"), page("4", after="C", has_next=False)
    )
    assert [flow.id for flow in await flows.flows("waba")] == ["1", "2", "3", "4"]
    assert [asked.query.get("after") for asked in scripted.asked] == [None, "A", "B"]
    assert {asked.path for asked in scripted.asked} == {"/v26.0/waba/flows"}


async def test_an_account_without_flows_is_empty(flows, scripted):
    scripted.say({"data": []}, {})
    assert await flows.flows("waba") == ()
    assert await flows.flows("waba") == ()


KEY = {"business_public_key": "PEM", "business_public_key_signature_status": "MISMATCH"}


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        ({"data": [KEY]}, RegisteredKey("PEM", "MISMATCH")),
        (KEY, RegisteredKey("PEM", "MISMATCH")),
        ({"data": [{"business_public_key": "PEM"}]}, RegisteredKey("PEM", "")),
        ({"data": []}, None),
        ({}, None),
    ],
)
async def test_the_key_of_a_phone_number_is_read(flows, scripted, answer, known):
    scripted.say(answer)
    assert await flows.public_key("106") == known
    assert scripted.last.path == "/v26.0/106/whatsapp_business_encryption"


async def test_the_key_of_a_phone_number_is_registered(flows, scripted):
    scripted.say({"success": True})
    await flows.set_public_key("106", "-----BEGIN PUBLIC KEY-----\nAB+/=\n")
    assert scripted.last.method == "POST"
    sent = parse_qs(scripted.last.body.decode())
    assert sent == {"business_public_key": ["-----BEGIN PUBLIC KEY-----\nAB+/=\n"]}


@pytest.mark.parametrize(
    ("answer", "rights"),
    [
        ({"data": {"scopes": ["a", "b"]}}, {"a", "b"}),
        ({"data": {}}, None),
        ((400, {"error": {"code": 100, "message": "no"}}), None),
    ],
)
async def test_the_rights_of_the_token_are_told_or_not(flows, scripted, answer, rights):
    scripted.say(answer)
    assert await flows.rights() == rights
    assert scripted.last.query == {"input_token": "secret"}


def test_the_token_is_in_no_repr(flows):
    assert "secret" not in repr(flows)


@pytest.mark.parametrize(
    ("pem", "signature", "is_good"),
    [
        ("A\nB\n", "VALID", True),
        ("A\r\nB", "", True),
        ("A\nB\n", "MISMATCH", False),
        ("A\nC\n", "VALID", False),
    ],
)
def test_a_registered_key_is_good_if_it_is_ours_and_its_signature_holds(pem, signature, is_good):
    assert RegisteredKey(pem, signature).is_good("A\nB\n") is is_good
