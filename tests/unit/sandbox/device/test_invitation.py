import base64
import json

import pytest

from engine.sandbox.device.invitation import flow_reply, token_signature
from tests.unit.sandbox.device.samples import PIZZA, SIZE_DATA, lonely
from tests.unit.sandbox.device.scene import TOKEN, shows
from tests.unit.sandbox.scene import SHOP, hmac_sha256


def test_token_signature():
    header, payload, seal = token_signature("s3cret-ñ", TOKEN).split(".")

    def read(part):
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

    assert json.loads(read(header)) == {"alg": "HS256", "typ": "JWT"}
    assert json.loads(read(payload)) == {"flow_token": TOKEN}
    expected = hmac_sha256("s3cret-ñ".encode(), f"{header}.{payload}".encode())
    assert read(seal).hex() == expected


def test_flow_reply():
    message = flow_reply({"note": "sin ají"}, "wamid.1")

    assert message["context"] == {"id": "wamid.1"}
    assert message["interactive"]["nfm_reply"]["response_json"] == '{"note":"sin ají"}'


async def test_a_request(phone):
    flow = await phone.opened()

    (request,) = phone.endpoint.requests
    assert flow.state == "open"
    assert request == {
        "version": "4.0",
        "action": "INIT",
        "screen": "",
        "data": {},
        "flow_token": TOKEN,
        "flow_token_signature": token_signature(SHOP.app_secret, TOKEN),
    }


@pytest.mark.parametrize(("version", "data_api"), [("7.2", "4.0"), ("7.3", "3.0")])
async def test_older_versions_do_not_sign_the_token(phone, version, data_api):
    await phone.opened(document=PIZZA | {"version": version, "data_api_version": data_api})

    (request,) = phone.endpoint.requests
    assert request["version"] == data_api
    assert "flow_token_signature" not in request


async def test_a_message_without_a_token(phone):
    phone.publish(PIZZA)
    await phone.offer(flow_token=None)
    phone.endpoint.answers = [shows("SIZE", **SIZE_DATA)]

    await phone.customer().open_flow()

    assert phone.endpoint.requests[0]["flow_token"] == "unused"


async def test_a_flow_by_its_name(phone):
    phone.publish(PIZZA)
    phone.endpoint.answers = [shows("SIZE", **SIZE_DATA)]
    await phone.offer(flow_id=None, flow_name="pizza_en")

    assert (await phone.customer().open_flow()).state == "open"


async def test_a_draft(phone):
    phone.flow.status, phone.flow.document = "DRAFT", lonely()
    await phone.offer(flow_action="navigate", mode="draft")
    assert (await phone.customer().open_flow()).screen["id"] == "ONLY"

    phone.flow.validation_errors = [{"error": "INVALID_PROPERTY_KEY"}]
    assert "validation errors" in (await phone.customer().open_flow()).error["message"]


async def test_a_new_draft_leaves_what_is_published(phone):
    phone.publish(lonely())
    await phone.offer(flow_action="navigate")
    phone.flow.status = "DRAFT"

    assert (await phone.customer().open_flow()).state == "open"


def gone(phone):
    del phone.world.flows["F1"]


def of_another_account(phone):
    phone.flow.waba_id = "1"


def without_number(phone):
    del phone.world.phones[phone.number.phone_number_id]


def never_published(phone):
    phone.flow.published = None


def status(name):
    def change(phone):
        phone.flow.status = name

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (gone, "no such Flow"),
        (of_another_account, "no such Flow"),
        (without_number, "is gone"),
        (never_published, "the Flow pizza_en is PUBLISHED"),
        (status("BLOCKED"), "the Flow pizza_en is BLOCKED"),
        (status("DEPRECATED"), "the Flow pizza_en is DEPRECATED"),
    ],
)
async def test_what_cannot_be_served(phone, change, says):
    phone.publish(lonely())
    await phone.offer(flow_action="navigate")
    change(phone)

    flow = await phone.customer().open_flow()

    assert (flow.state, flow.screen, flow.error["key"]) == ("failed", None, "cannot_be_served")
    assert says in flow.error["message"]
    assert [one["key"] for one in await phone.errors()] == ["cannot_be_served"]
    assert phone.endpoint.raws == []


async def test_a_throttled_flow_opens(phone):
    phone.publish(lonely())
    phone.flow.status = "THROTTLED"
    await phone.offer(flow_action="navigate")

    assert (await phone.customer().open_flow()).state == "open"
