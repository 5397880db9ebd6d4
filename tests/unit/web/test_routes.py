"""The doors of webhooks: there are two, and what comes to either is handed on whole."""

import httpx
import orjson
import pytest
from starlette.applications import Starlette

from engine.errors import EngineError, Unavailable
from engine.web.routes import MAX_BODY, Doors
from engine.whatsapp.signature import sign
from tests.unit.whatsapp.webhooks import envelope, typed, value

SECRET, TOKEN = "app secret", "verify me ñ"
PATHS = ("/whatsapp_response", "/meta/webhook")
STATUS = {"id": "wamid.1", "status": "delivered", "timestamp": "1749416383"}
EVERYTHING = {
    "object": "whatsapp_business_account",
    "entry": [
        *envelope(value(messages=[typed("text", {"body": "Hola"})], statuses=[STATUS]))["entry"],
        *envelope({"event": "FLOW_STATUS_CHANGE"}, field="flows")["entry"],
        *envelope({"event": "APPROVED"}, field="message_template_status_update")["entry"],
    ],
}
FINISHED = {
    "object": "catalog",
    "entry": [{"id": "7", "time": 1, "changes": [
        {"field": "items_batch", "value": {"catalog_id": "7", "handle": "h", "status": "Finished"}}
    ]}],
}  # fmt: skip

pytestmark = pytest.mark.parametrize("path", PATHS)


class Reception:
    """Keeps what it gets, or fails."""

    def __init__(self, error=None):
        self.error = error
        self.got = []

    async def receive(self, webhook):
        if self.error:
            raise self.error
        self.got.append(webhook)


async def nothing():
    return None


async def send(path, method="POST", *, reception=None, body=b"", signed=None, **query):
    doors = Doors(
        app_secret=SECRET,
        verify_token=TOKEN,
        reception=lambda: reception,
        ready=nothing,
    )
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    headers = {"X-Hub-Signature-256": sign(content, SECRET) if signed is None else signed}
    transport = httpx.ASGITransport(Starlette(routes=doors.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
        named = {f"hub.{name}": each for name, each in query.items()}
        return await http.request(method, path, params=named, content=content, headers=headers)


async def test_verification_answers_with_the_bare_challenge(path):
    query = {"mode": "subscribe", "challenge": "1158201444"}
    answer = await send(path, "GET", verify_token=TOKEN, **query)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"].startswith("text/plain")
    for wrong in ("", "verify me", TOKEN + "x"):
        answer = await send(path, "GET", verify_token=wrong, **query)
        assert answer.status_code == 403
        assert "1158201444" not in answer.text


async def test_everything_is_handed_on(path):
    reception = Reception()
    for body in (EVERYTHING, FINISHED):
        answer = await send(path, reception=reception, body=body)
        assert (answer.status_code, answer.text) == (200, "OK")
    first, second = reception.got
    assert [len(first.messages), len(first.statuses)] == [1, 1]
    assert [o.field for o in first.others] == ["flows", "message_template_status_update"]
    (batch,) = second.others
    assert (batch.object_type, batch.field, batch.waba_id) == ("catalog", "items_batch", "7")


@pytest.mark.parametrize("signed", ["", "sha256=" + "0" * 64, sign(b"another", SECRET)])
async def test_a_wrong_signature_is_401(path, signed):
    reception = Reception()
    answer = await send(path, reception=reception, body=FINISHED, signed=signed)
    assert answer.status_code == 401
    assert reception.got == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"[]", 400), ({"object": "catalog"}, 400),
        ({"object": "test", "entry": []}, 200), (b" " * (MAX_BODY + 1), 413),
    ],
)  # fmt: skip
async def test_what_is_no_webhook_is_refused(path, body, status):
    assert (await send(path, reception=Reception(), body=body)).status_code == status


async def test_a_database_that_is_away_makes_meta_deliver_again(path):
    away = Reception(Unavailable("the database does not answer"))
    assert (await send(path, reception=away, body=FINISHED)).status_code == 503


async def test_a_mistake_of_ours_is_not_told_as_metas(path):
    with pytest.raises(EngineError, match="odd"):
        await send(path, reception=Reception(EngineError("odd")), body=FINISHED)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_only_asking_and_posting(path, method):
    assert (await send(path, method)).status_code == 405
