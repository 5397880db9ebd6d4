"""One request to the Graph API, and what its failures mean."""

import json

import pytest
from starlette.responses import PlainTextResponse

from engine.errors import GraphError, GraphRetryable, GraphTerminal
from engine.graph.client import GraphClient


async def test_a_message_is_sent_with_the_tenants_token(client, scripted):
    scripted.say({"messages": [{"id": "wamid.1"}]})
    wamid = await client.send("106", token="secret", payload={"to": "1555"})
    assert wamid == "wamid.1"
    asked = scripted.last
    assert (asked.method, asked.path) == ("POST", "/v26.0/106/messages")
    assert asked.headers["authorization"] == "Bearer secret"
    assert json.loads(asked.body) == {"to": "1555"}


async def test_a_read_receipt_has_no_wamid(client, scripted):
    scripted.say({"success": True})
    assert await client.send("106", token="t", payload={"status": "read"}) == ""


async def test_an_answer_that_is_no_json_object_is_nothing(client, scripted):
    scripted.say(PlainTextResponse("OK"), [1, 2])
    assert await client.request("GET", "/1", token="t") == {}
    assert await client.request("GET", "/1", token="t") == {}


def refused(**error):
    return (400, {"error": {"message": "(#100) Invalid parameter", "code": 100} | error})


@pytest.mark.parametrize(
    ("answer", "kind", "code", "details"),
    [
        (refused(error_data={"details": "no such number"}), GraphTerminal, 100, "no such number"),
        (refused(error_data="plain"), GraphTerminal, 100, "plain"),
        (refused(error_user_title="Not unique"), GraphTerminal, 100, "Not unique"),
        (
            refused(error_user_title="Not unique", error_user_msg="Choose another name."),
            GraphTerminal,
            100,
            "Choose another name.",
        ),
        (refused(code=130429), GraphRetryable, 130429, ""),
        ((502, "<html>"), GraphRetryable, 0, ""),
        ((404, {}), GraphTerminal, 0, ""),
    ],
)
async def test_a_refusal_says_whether_it_may_be_tried_again(
    client, scripted, answer, kind, code, details
):
    scripted.say(answer)
    with pytest.raises(GraphError) as caught:
        await client.request("POST", "/1", token="t", json={})
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.details) == (code, details)


async def test_no_answer_may_be_tried_again():
    client = GraphClient("http://127.0.0.1:9", "v26.0")
    with pytest.raises(GraphRetryable, match="no answer: ConnectError"):
        await client.request("GET", "/1", token="t")
    await client.close()
