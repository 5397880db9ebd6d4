"""One request to the Graph API, and what its failures mean."""

import asyncio
import json

import pytest
from starlette.responses import JSONResponse, PlainTextResponse

from engine.errors import GraphError, GraphNoAnswer, GraphRetryable, GraphTerminal
from engine.graph.client import Answer, GraphClient
from engine.graph.usage import Usage


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
        (refused(code=80014), GraphRetryable, 80014, ""),
        (refused(code=80009), GraphRetryable, 80009, ""),
        (refused(code=80001), GraphRetryable, 80001, ""),
        (refused(code=32), GraphRetryable, 32, ""),
        (refused(code=341), GraphRetryable, 341, ""),
        (refused(code="4"), GraphRetryable, 4, ""),
        (refused(code=999), GraphTerminal, 999, ""),
        (refused(code=999, is_transient=True), GraphRetryable, 999, ""),
        (refused(code=999, is_transient="yes"), GraphTerminal, 999, ""),
        (refused(code=190, is_transient=True), GraphTerminal, 190, ""),
        (refused(code=None), GraphTerminal, 0, ""),
        (refused(code=["1"]), GraphTerminal, 0, ""),
        (refused(code="9" * 5000), GraphTerminal, 0, ""),
        (refused(error_data={"details": None}, error_user_msg="So."), GraphTerminal, 100, "So."),
        (refused(error_data=["x"], message=None), GraphTerminal, 100, "['x']"),
        ((502, "<html>"), GraphNoAnswer, 0, ""),
        ((502, {"error": "no"}), GraphNoAnswer, 0, ""),
        ((429, {}), GraphRetryable, 0, ""),
        ((404, {}), GraphTerminal, 0, ""),
        ((401, {"error": {"code": 0}}), GraphTerminal, 190, ""),
        ((500, {"error": {"code": 999}}), GraphRetryable, 999, ""),
        ((429, {"error": {"code": 999}}), GraphRetryable, 999, ""),
        ((500, {"error": {"code": 0}}), GraphRetryable, 0, ""),
        ((500, {"error": {"code": 3}}), GraphTerminal, 3, ""),
        ((500, {"error": {"code": 10}}), GraphTerminal, 10, ""),
        ((500, {"error": {"code": 100}}), GraphTerminal, 100, ""),
        ((500, {"error": {"code": 190}}), GraphTerminal, 190, ""),
        ((503, {"error": {"code": 200}}), GraphTerminal, 200, ""),
        ((503, {"error": {"code": 299}}), GraphTerminal, 299, ""),
        ((503, {"error": {"code": 300}}), GraphRetryable, 300, ""),
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


USAGE = {
    "X-App-Usage": json.dumps({"call_count": 12}),
    "X-Business-Use-Case-Usage": json.dumps(
        {"1": [{"call_count": 100, "estimated_time_to_regain_access": 5}]}
    ),
}


async def test_an_answer_tells_what_is_used_up(client, scripted):
    scripted.say(JSONResponse({"id": "1"}, headers=USAGE), {"id": "2"})
    assert await client.exchange("GET", "/1", token="t") == Answer({"id": "1"}, Usage(100, 300.0))
    assert await client.exchange("GET", "/1", token="t") == Answer({"id": "2"}, Usage())


@pytest.mark.parametrize("body", [{"error": {"code": 80014}}, {}])
async def test_a_refusal_tells_how_long_to_wait(client, scripted, body):
    scripted.say(JSONResponse(body, 429, headers=USAGE), (429, body))
    for wait in (300.0, 0.0):
        with pytest.raises(GraphRetryable) as caught:
            await client.exchange("POST", "/1", token="t", json={})
        assert caught.value.wait == wait


async def test_what_never_went_out_may_be_tried_again():
    client = GraphClient("http://127.0.0.1:9", "v26.0")
    with pytest.raises(GraphRetryable, match="no connection: ConnectError") as caught:
        await client.request("GET", "/1", token="t")
    assert not isinstance(caught.value, GraphNoAnswer)
    await client.close()


async def test_nobody_knows_what_became_of_a_request_without_an_answer():
    async def hang_up(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = GraphClient(f"http://127.0.0.1:{port}", "v26.0")
    with pytest.raises(GraphNoAnswer, match="no answer: RemoteProtocolError"):
        await client.send("1", token="t", payload={})
    await client.close()
    server.close()
    await server.wait_closed()
