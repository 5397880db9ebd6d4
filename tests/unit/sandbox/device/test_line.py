import asyncio
import socket

import pytest

from tests.unit.sandbox.device.samples import EXTRAS_DATA, PIZZA, SIZE_DATA
from tests.unit.sandbox.device.scene import (
    OTHER_KEY,
    Plain,
    Sealed,
    device_stage,
    shows,
)
from tests.unit.sandbox.endpoint import public_pem
from tests.unit.sandbox.scene import SHOP, hmac_sha256

ORDER = {"size": "small", "quantity": "1"}
GENERIC = "Something went wrong. Please try again later."


async def test_requests_are_signed(phone):
    await phone.opened()

    ((raw, signature),) = phone.endpoint.raws
    assert signature == f"sha256={hmac_sha256(SHOP.app_secret.encode(), raw)}"
    assert b"INIT" not in raw


async def test_a_fresh_public_key_is_fetched_when_the_endpoint_cannot_decrypt(phone):
    flow = await phone.opened(shows("EXTRAS", **EXTRAS_DATA))
    phone.endpoint.key = OTHER_KEY
    phone.world.public_keys[phone.number.phone_number_id] = public_pem(OTHER_KEY)

    await flow.submit(ORDER)

    assert (flow.state, flow.status, flow.screen["id"]) == ("open", 200, "EXTRAS")
    # INIT, with the key that is not right any more, with the fresh one.
    assert len(phone.endpoint.raws) == 3


async def test_the_public_key_is_remembered(phone):
    flow = await phone.opened(shows("EXTRAS", **EXTRAS_DATA))
    phone.world.public_keys[phone.number.phone_number_id] = public_pem(OTHER_KEY)

    await flow.submit(ORDER)

    assert flow.state == "open"
    assert len(phone.endpoint.raws) == 2


async def test_an_endpoint_that_never_can_decrypt(phone):
    flow = await phone.opened()
    phone.endpoint.key = OTHER_KEY

    await flow.submit(ORDER)

    assert (flow.state, flow.status) == ("failed", 421)
    assert flow.error["key"] == "business-decryption-error"
    assert len(phone.endpoint.raws) == 3
    assert phone.endpoint.complaints == []


@pytest.mark.parametrize(
    ("answer", "key", "says"),
    [
        (Plain(432), "unexpected_http_status_code", "does not take the signature"),
        (Plain(500), "unexpected_http_status_code", "HTTP 500"),
        (Sealed(404, {}), "unexpected_http_status_code", "HTTP 404"),
        (Plain(302), "unexpected_http_status_code", "HTTP 302"),
        (Plain(200, '{"screen": "SIZE"}'), "response-decryption-error", "not base64"),
        (Plain(200, "aGVsbG8gd29ybGQh"), "response-decryption-error", "not encrypted with"),
        (
            lambda opened: Plain(200, opened.seal_bytes(b"[")),
            "response-decryption-error",
            "not JSON",
        ),
    ],
)
async def test_no_answer_to_go_on_with(phone, answer, key, says):
    flow = await phone.opened(answer)

    await flow.submit(ORDER)

    assert flow.state == "failed"
    assert flow.error["key"] == key
    assert says in flow.error["message"]
    assert flow.error["shown"] == GENERIC
    assert flow.status in (200, 302, 404, 432, 500)
    assert flow.screen["id"] == "SIZE"
    assert phone.endpoint.complaints == []
    (error,) = await phone.errors()
    assert (error["key"], error["screen"], error["status"]) == (key, "SIZE", flow.status)


async def test_another_try_after_a_failure(phone):
    flow = await phone.opened(Plain(503), shows("EXTRAS", **EXTRAS_DATA))
    await flow.submit(ORDER)
    assert flow.state == "failed"

    await flow.submit()

    assert (flow.state, flow.error, flow.screen["id"]) == ("open", None, "EXTRAS")
    assert phone.endpoint.requests[1]["data"] == phone.endpoint.requests[2]["data"]


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (Sealed(427, {"error_msg": "You ordered already"}), "You ordered already"),
        (Plain(427, '{"error_msg": "You ordered already"}'), "You ordered already"),
        (Plain(427, "gone"), GENERIC),
        (Sealed(427, {}), GENERIC),
    ],
)
async def test_a_token_that_is_over(phone, answer, shown):
    flow = await phone.opened(answer)
    await flow.submit(ORDER)
    assert (flow.state, flow.status) == ("failed", 427)
    assert (flow.error["key"], flow.error["shown"]) == ("flow-token-invalid", shown)

    again = await phone.customer().open_flow()

    assert (again.state, again.screen, again.status) == ("failed", None, None)
    assert again.error == flow.error
    assert len(phone.endpoint.requests) == 2
    # The button of another message is another one.
    phone.endpoint.answers = [shows("SIZE", **SIZE_DATA)]
    await phone.offer()
    assert (await phone.customer().open_flow()).state == "open"


async def test_an_endpoint_that_is_away(phone):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    flow = await phone.opened()
    phone.flow.endpoint_uri = f"http://127.0.0.1:{port}/flow"

    await flow.submit(ORDER)

    assert (flow.state, flow.status, flow.error["key"]) == (
        "failed",
        None,
        "no_http_response_error",
    )
    assert "ConnectError" in flow.error["message"]


@pytest.mark.parametrize("endpoint", [None, "not an address", "http://[::1"])
async def test_an_endpoint_that_cannot_be(phone, endpoint):
    flow = await phone.opened()
    phone.flow.endpoint_uri = endpoint

    await flow.submit(ORDER)

    assert flow.error["key"] == "no_http_response_error"


async def test_an_endpoint_that_is_slow():
    async with device_stage(patience=0.2) as stage:
        phone = await stage.scene()
        phone.endpoint.open.clear()

        flow = await phone.opened()

        assert (flow.state, flow.screen, flow.status) == ("failed", None, None)
        assert flow.error is not None
        assert flow.error["key"] == "timeout_error"
        assert "within 0.2 s" in flow.error["message"]


async def test_no_public_key(phone):
    del phone.world.public_keys[phone.number.phone_number_id]

    flow = await phone.opened()

    assert (flow.state, flow.error["key"]) == ("failed", "public-key-missing")
    assert phone.endpoint.raws == []


async def test_a_reset_makes_phones_forget_the_key(shared_phones):
    first = await shared_phones.scene()
    await first.opened()
    second = await shared_phones.scene()
    second.endpoint.key = OTHER_KEY
    second.world.public_keys[second.number.phone_number_id] = public_pem(OTHER_KEY)

    await second.opened()

    assert len(second.endpoint.raws) == 1


async def test_flows_of_several_customers_at_once(phone):
    phone.publish(PIZZA)
    phone.endpoint.answers = [shows("SIZE", **SIZE_DATA)] * 8
    people = [f"54911000000{n:02}" for n in range(8)]
    for person in people:
        await phone.offer(to=person)

    flows = await asyncio.gather(*(phone.customer(one).open_flow() for one in people))

    assert [flow.state for flow in flows] == ["open"] * 8
