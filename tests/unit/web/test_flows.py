"""The doors of Flows: every status, real crypto on both sides, nothing told that should not be."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from structlog.testing import capture_logs

from engine.errors import Conflict, EngineError, Malformed, TurnError, Unavailable
from engine.metrics import REGISTRY
from engine.web.flows import MAX_BODY, FlowDoors
from engine.whatsapp.flow_crypto import FlowKey
from engine.whatsapp.flow_exchange import FlowAnswer, finished, gone, next_screen
from engine.whatsapp.signature import sign
from tests.unit.whatsapp.flow_client import FlowClient
from tests.unit.whatsapp.strangers import any_json, nested

SECRET = "app secret"
OLD, NEW = FlowKey.generate(), FlowKey.generate()
FLOW, PRODUCT = "/flows/product_customization/pizza", "/flows/product/prod:margherita/pizza"
PING = {"version": "3.0", "action": "ping"}
ASKED = {
    "version": "3.0",
    "action": "data_exchange",
    "screen": "SIZE",
    "data": {"note": "Ana lives at 5 Oak Street"},
    "flow_token": "token-of-ana",
}


class Keys:
    """Keys as a process has them: read once, stored ones may be newer."""

    def __init__(self, held=OLD, stored=None):
        self.held = held
        self.stored = stored or held
        self.renewed = 0

    async def get(self, tenant):
        return self.held

    async def renew(self, tenant):
        self.renewed += 1
        self.held = self.stored
        return self.stored

    async def save(self, tenant, key):
        self.held = self.stored = key


class Exchanges:
    """Answers the next screen, or what it was told to."""

    def __init__(self, answer: FlowAnswer | Exception | None = None):
        self.answer = answer
        self.taken: list[tuple[Any, ...]] = []

    async def take(self, tenant, request, *, flow, product):
        self.taken.append((tenant, request, flow, product))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or next_screen(request, "NEXT", {"note": "Ñ 🍕"})


class House:
    """The doors of one process, and a customer's client before them."""

    def __init__(self, *, keys=None, exchanges=None, secret=SECRET, is_plain_allowed=False):
        self.keys = keys or Keys()
        self.exchanges = exchanges or Exchanges()
        doors = FlowDoors(
            app_secret=secret,
            exchanges=lambda: self.exchanges,
            keys=lambda: self.keys,
            tenants=lambda name: name in ("pizza", "tacos"),
            is_plain_allowed=is_plain_allowed,
        )
        self.app = Starlette(routes=doors.routes())
        self.phone = FlowClient(OLD.public_pem)

    async def post(self, body, path=FLOW, *, signature=..., method="POST", headers=None):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = dict(headers or {})
        if signature is not None:
            sent["X-Hub-Signature-256"] = sign(content, SECRET) if signature is ... else signature
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://engine") as http:
            return await http.request(method, path, content=content, headers=sent)

    async def ask(self, document, path=FLOW):
        return await self.post(self.phone.ask(document), path)


def counted(action, outcome):
    labels = {"action": action, "outcome": outcome}
    return REGISTRY.get_sample_value("comanda_flow_exchanges_total", labels) or 0


def times():
    return REGISTRY.get_sample_value("comanda_flow_exchange_seconds_count") or 0


async def test_a_ping_is_answered_without_anything_else():
    house = House()
    answer = await house.ask(PING)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert house.phone.read(answer.text) == {"data": {"status": "active"}}
    assert house.exchanges.taken == []
    assert house.keys.renewed == 0


@pytest.mark.parametrize(
    ("path", "flow", "product"),
    [(FLOW, "product_customization", None), (PRODUCT, None, "prod:margherita")],
)
async def test_an_exchange_is_handed_on_and_its_answer_sealed(path, flow, product):
    house = House()
    answer = await house.ask(ASKED, path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert house.phone.read(answer.text) == {
        "version": "3.0", "screen": "NEXT", "data": {"note": "Ñ 🍕"},
    }  # fmt: skip
    [(tenant, request, *place)] = house.exchanges.taken
    assert tenant == "pizza"
    assert (request.action, request.screen, request.token) == (
        "data_exchange", "SIZE", "token-of-ana",
    )  # fmt: skip
    assert request.data == ASKED["data"]
    assert place == [flow, product]


async def test_the_end_of_a_flow():
    house = House(exchanges=Exchanges(finished("token-of-ana", {"size": "large"})))
    answer = await house.ask(ASKED)
    params = {"flow_token": "token-of-ana", "size": "large"}
    assert house.phone.read(answer.text) == {
        "screen": "SUCCESS", "data": {"extension_message_response": {"params": params}},
    }  # fmt: skip


async def test_a_flow_that_is_over_is_427_and_sealed():
    house = House(exchanges=Exchanges(gone("This order was sent")))
    answer = await house.ask(ASKED)
    assert answer.status_code == 427
    assert house.phone.read(answer.text) == {"error_msg": "This order was sent"}


@pytest.mark.parametrize(
    "signature", [None, "", "sha256=" + "0" * 64, "sha1=abc", sign(b"another", SECRET)]
)
@pytest.mark.parametrize("is_plain_allowed", [True, False])
async def test_a_wrong_signature_is_432_before_anything_is_done(signature, is_plain_allowed):
    house = House(is_plain_allowed=is_plain_allowed)
    answer = await house.post(house.phone.ask(ASKED), signature=signature)
    assert answer.status_code == 432
    assert house.exchanges.taken == []


async def test_without_an_app_secret_nothing_verifies():
    house = House(secret="")
    body = json.dumps(house.phone.ask(ASKED)).encode()
    assert (await house.post(body, signature=sign(body, ""))).status_code == 432


@pytest.mark.parametrize(
    "path", ["/flows/product_customization/nobody", "/flows/product/p/nobody"]
)
async def test_an_unknown_tenant_is_404(path):
    house = House()
    assert (await house.ask(ASKED, path)).status_code == 404
    assert house.exchanges.taken == []


async def test_product_is_not_the_id_of_a_flow():
    house = House()
    assert (await house.ask(ASKED, "/flows/product/pizza")).status_code == 404
    assert house.exchanges.taken == []


async def test_only_posting():
    assert (await House().post(b"", method="GET")).status_code == 405


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"7", b"null", b'"x"', b'{"a": NaN}', b"\xff", b"[" * 100_000]
)
@pytest.mark.parametrize("is_plain_allowed", [True, False])
async def test_a_body_that_is_no_object_is_400(body, is_plain_allowed):
    house = House(is_plain_allowed=is_plain_allowed)
    assert (await house.post(body)).status_code == 400


async def test_an_envelope_that_is_none_is_400():
    house = House()
    envelope = house.phone.ask(ASKED) | {"initial_vector": "no base64"}
    assert (await house.post(envelope)).status_code == 400
    assert house.keys.renewed == 0


@pytest.mark.parametrize("document", [[], "text", {}, ASKED | {"action": "order"}, nested(300)])
async def test_a_request_that_is_none_of_whatsapps_is_400(document):
    house = House()
    assert (await house.ask(document)).status_code == 400
    assert house.exchanges.taken == []


async def test_a_body_up_to_the_limit_is_read():
    house = House()
    body = json.dumps(house.phone.ask(ASKED)).encode().ljust(MAX_BODY)
    assert (await house.post(body)).status_code == 200
    assert (await house.post(body + b" ")).status_code == 413


@pytest.mark.parametrize("length", [str(MAX_BODY + 1), "9" * 5000])
async def test_a_body_that_says_it_is_too_large_is_not_read(length):
    answer = await House().post(b"{}", headers={"Content-Length": length})
    assert answer.status_code == 413


async def test_a_body_that_does_not_say_its_length_is_read_up_to_the_limit():
    sent = 0

    async def unannounced():
        nonlocal sent
        for _ in range(100):
            sent += 65_536
            yield b" " * 65_536

    transport = httpx.ASGITransport(House().app)
    async with httpx.AsyncClient(transport=transport, base_url="http://engine") as http:
        # Signed, as it seems: what nobody signed is not read at all.
        signed = {"X-Hub-Signature-256": "sha256=" + "0" * 64}
        answer = await http.post(FLOW, content=unannounced(), headers=signed)
    assert answer.status_code == 413
    assert sent <= MAX_BODY + 2 * 65_536


async def test_a_client_that_goes_away_is_no_fault():
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": FLOW, "query_string": b""}
    scope["headers"] = [(b"x-hub-signature-256", b"sha256=0")]
    before = counted("unread", "400")
    await House().app(scope, receive, send)
    assert sent[0]["status"] == 400
    assert counted("unread", "400") == before + 1


async def test_a_request_for_another_key_is_421():
    house = House()
    house.phone = FlowClient(NEW.public_pem)
    assert (await house.ask(ASKED)).status_code == 421
    assert house.keys.renewed == 1
    assert house.exchanges.taken == []


async def test_a_tenant_without_a_key_is_421():
    house = House(keys=Keys(held=None))
    assert (await house.ask(ASKED)).status_code == 421


@pytest.mark.parametrize("held", [OLD, None])
async def test_a_key_that_another_process_stored_is_read(held):
    house = House(keys=Keys(held=held, stored=NEW))
    house.phone = FlowClient(NEW.public_pem)
    assert (await house.ask(ASKED)).status_code == 200
    assert (await house.ask(ASKED)).status_code == 200
    assert house.keys.renewed == 1
    assert len(house.exchanges.taken) == 2


async def test_a_request_for_neither_key_is_421_after_one_look():
    house = House(keys=Keys(held=OLD, stored=NEW))
    house.phone = FlowClient(FlowKey.generate().public_pem)
    assert (await house.ask(ASKED)).status_code == 421
    assert house.keys.renewed == 1


async def test_a_key_that_was_taken_away_is_421():
    keys = Keys(held=OLD)
    keys.stored = None
    house = House(keys=keys)
    house.phone = FlowClient(NEW.public_pem)
    assert (await house.ask(ASKED)).status_code == 421


def plain_house(**parts):
    return House(keys=Keys(held=None), is_plain_allowed=True, **parts)


@pytest.mark.parametrize("signature", [None, ...])
async def test_plain_json_is_answered_plainly_where_it_is_allowed(signature):
    house = plain_house()
    answer = await house.post(ASKED, signature=signature)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"version": "3.0", "screen": "NEXT", "data": {"note": "Ñ 🍕"}}
    ping = await house.post(PING, signature=signature)
    assert ping.json() == {"data": {"status": "active"}}
    assert len(house.exchanges.taken) == 1


async def test_a_plain_flow_that_is_over():
    house = plain_house(exchanges=Exchanges(gone("This order was sent")))
    answer = await house.post(ASKED, signature=None)
    assert (answer.status_code, answer.json()) == (427, {"error_msg": "This order was sent"})


@pytest.mark.parametrize("signature", ["", "sha256=" + "0" * 64])
async def test_a_plain_body_may_have_no_signature_but_no_wrong_one(signature):
    house = plain_house()
    assert (await house.post(ASKED, signature=signature)).status_code == 432
    assert house.exchanges.taken == []


async def test_a_tenant_with_a_key_takes_no_plain_json():
    house = House(is_plain_allowed=True)
    assert (await house.post(ASKED)).status_code == 421
    assert (await house.post(ASKED, signature=None)).status_code == 432
    assert house.exchanges.taken == []


@pytest.mark.parametrize("keys", [Keys(), Keys(held=None)])
async def test_plain_json_is_421_where_it_is_not_allowed(keys):
    house = House(keys=keys)
    assert (await house.post(ASKED)).status_code == 421
    assert (await house.post(ASKED, signature=None)).status_code == 432
    assert house.exchanges.taken == []


async def test_half_an_envelope_is_not_plain_json():
    house = plain_house()
    body = PING | {"encrypted_flow_data": "QQ=="}
    assert (await house.post(body)).status_code == 421
    assert (await house.post(body, signature=None)).status_code == 432


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unavailable("the database does not answer"), 503),
        (Malformed("the screen is unknown"), 400),
        (TurnError("the chart is stuck"), 500),
        (Conflict("another exchange was faster"), 500),
        (EngineError("the key cannot be opened"), 500),
        (ValueError("Ana lives at 5 Oak Street, token-of-ana"), 500),
    ],
)
async def test_errors_become_statuses_and_nothing_of_them_gets_out(error, status):
    house = House(exchanges=Exchanges(error))
    with capture_logs() as logs:
        answer = await house.ask(ASKED)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == (str(error) if status != 500 else "the exchange failed")
    assert [line["event"] for line in logs] == ["flow.failed" if status == 500 else "flow.refused"]
    assert "Oak Street" not in str(logs)
    assert "token-of-ana" not in str(logs)


async def test_a_fault_is_logged_with_its_place():
    house = House(exchanges=Exchanges(FlowAnswer({"data": object()})))
    with capture_logs() as logs:
        answer = await house.ask(ASKED)
    assert (answer.status_code, answer.text) == (500, "the exchange failed")
    assert logs[0]["error"].startswith("TypeError at ")
    assert any("flow_crypto.py" in frame for frame in logs[0]["place"])


async def test_a_process_without_its_database_is_503():
    class Away(Keys):
        async def get(self, tenant):
            raise Unavailable("the database has not been reached yet")

    assert (await House(keys=Away()).ask(PING)).status_code == 503


async def test_what_is_refused_is_told_without_what_was_sent():
    house = House()
    with capture_logs() as logs:
        await house.ask(ASKED | {"version": "Ana lives at 5 Oak Street"})
        await house.post(b'{"note": "Ana lives at 5 Oak Street", "flow_token": "token-of-ana"')
    assert [line["status"] for line in logs] == [400, 400]
    assert "Oak Street" not in str(logs)
    assert "token-of-ana" not in str(logs)


async def test_exchanges_are_counted_with_labels_of_a_known_number():
    seen = ("ping", "200"), ("data_exchange", "427"), ("unread", "432"), ("unread", "400")
    before = [counted(*labels) for labels in seen]
    house = House(exchanges=Exchanges(gone("over")))
    timed = times()
    await house.ask(PING)
    await house.ask(ASKED)
    await house.post(b"{}", signature=None)
    await house.ask(ASKED | {"action": "an action of a stranger"})
    assert [counted(*labels) for labels in seen] == [was + 1 for was in before]
    assert times() == timed + 4


bodies = st.one_of(
    st.binary(max_size=100),
    any_json.map(json.dumps).map(str.encode),
    st.dictionaries(
        st.sampled_from(["encrypted_flow_data", "encrypted_aes_key", "initial_vector"]), any_json
    ).map(lambda envelope: json.dumps(envelope).encode()),
)


@settings(deadline=None)
@given(body=bodies, is_plain_allowed=st.booleans(), held=st.sampled_from([OLD, None]))
async def test_no_body_breaks_the_door(body, is_plain_allowed, held):
    house = House(keys=Keys(held=held), is_plain_allowed=is_plain_allowed)
    answer = await house.post(body)
    assert answer.status_code in (400, 421)


@settings(deadline=None)
@given(changes=st.dictionaries(st.sampled_from([*ASKED]), any_json))
async def test_no_request_breaks_the_door(changes):
    house = House()
    answer = await house.ask(ASKED | changes)
    assert answer.status_code in (200, 400)
