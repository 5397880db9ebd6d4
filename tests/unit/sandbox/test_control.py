import asyncio
from dataclasses import asdict, replace

import pytest

from engine.sandbox.state import default_user_id
from tests.unit.sandbox.scene import ANA, SHOP, staged, text_to, well_signed

NUMBER = asdict(SHOP) | {"callback_url": "http://127.0.0.1:9/whatsapp_response"}
REQUIRED = [name for name in NUMBER if name not in ("business_id", "catalog_callback_url")]


async def speak(scene, message, phone=ANA, **more):
    body = {"phone_number_id": scene.number.phone_number_id, "message": message} | more
    return await scene.http.post(f"/sandbox/customers/{phone}/messages", json=body)


async def test_register_a_number(scene):
    second = NUMBER | {"phone_number_id": "207", "token": "token-second"}

    answer = await scene.http.post("/sandbox/phones", json=second)

    assert (answer.status_code, answer.json()) == (201, second)
    sent = await scene.send(text_to(), number_id="207", token="token-second")
    assert sent.status_code == 200


@pytest.mark.parametrize("field", REQUIRED)
async def test_a_number_needs_everything(scene, field):
    left = {name: value for name, value in NUMBER.items() if name != field}
    answer = await scene.http.post("/sandbox/phones", json=left)

    assert (answer.status_code, answer.text) == (400, f"Param {field} is required")


async def test_a_number_needs_nothing_of_catalogues(scene):
    answer = await scene.http.post(
        "/sandbox/phones", json={name: NUMBER[name] for name in REQUIRED}
    )

    assert answer.json() == NUMBER | {"business_id": "", "catalog_callback_url": ""}


async def test_a_token_expires(scene):
    path = f"/sandbox/tokens/{scene.number.phone_number_id}"
    assert (await scene.http.post(path, json={"token": "token-new"})).json() == {"success": True}

    expired = await scene.send(text_to())
    assert (expired.status_code, expired.json()["error"]["code"]) == (401, 190)
    assert (await scene.send(text_to(), token="token-new")).status_code == 200
    assert (await scene.http.post("/sandbox/tokens/9", json={"token": "x"})).status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/sandbox/phones", NUMBER | {"callback_url": "shop"}, "Param callback_url is not valid"),
        ("/sandbox/phones", [], "must be an object"),
        (
            "/sandbox/phones",
            NUMBER | {"catalog_callback_url": "shop"},
            "Param catalog_callback_url is not valid",
        ),
        ("/sandbox/faults", {"kind": "explode"}, "Param kind must be one of"),
        ("/sandbox/faults", {"kind": "drop", "times": 0}, "Param times must be between"),
        ("/sandbox/faults", {"kind": "drop", "colour": 1}, "Unexpected key"),
        (f"/sandbox/customers/{ANA}/messages", {"phone_number_id": "1"}, "message is required"),
        (
            f"/sandbox/customers/{ANA}/messages",
            {"phone_number_id": "1", "message": {}},
            "Param message.type is required",
        ),
    ],
)
async def test_wrong_bodies(scene, path, body, says):
    answer = await scene.http.post(path, json=body)

    assert answer.status_code == 400
    assert says in answer.text


async def test_a_body_that_is_not_json(scene):
    answer = await scene.http.post("/sandbox/faults", content=b"{")

    assert answer.status_code == 400
    assert answer.text.startswith("The body is not JSON")


async def test_a_customer_speaks(scene):
    answer = await speak(scene, {"type": "text", "text": {"body": "hola"}}, name="Ana")

    assert answer.json() == {"wamid": "wamid.0001", "status": 200}
    (webhook,) = scene.engine.webhooks
    assert well_signed(webhook)
    assert webhook.value["contacts"] == [
        {"profile": {"name": "Ana"}, "wa_id": ANA, "user_id": default_user_id(ANA)}
    ]
    assert webhook.message == {
        "from": ANA,
        "from_user_id": default_user_id(ANA),
        "id": "wamid.0001",
        "timestamp": "1795176000",
        "type": "text",
        "text": {"body": "hola"},
    }


MESSAGES = [
    {"type": "image", "image": {"id": "1", "mime_type": "image/jpeg", "sha256": "x"}},
    {"type": "button", "button": {"payload": "yes", "text": "Yes"}, "context": {"id": "wamid.0"}},
    {
        "type": "order",
        "order": {
            "catalog_id": "77",
            "product_items": [
                {
                    "product_retailer_id": "prod:1",
                    "quantity": 2,
                    "item_price": 7.99,
                    "currency": "USD",
                }
            ],
        },
    },
    {
        "type": "contacts",
        "contacts": [{"name": {"formatted_name": "Ana"}, "origin": "contact_request"}],
    },
    {"type": "reaction", "reaction": {"message_id": "wamid.0", "emoji": "🍕"}},
    {"type": "unsupported", "errors": [{"code": 131051, "title": "Message type unknown"}]},
    {"type": "request_welcome"},
    {"type": "tomorrow", "tomorrow": {"what": "ever"}},
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message["type"])
async def test_a_customer_sends_anything(scene, message):
    assert (await speak(scene, message)).json()["status"] == 200

    (webhook,) = scene.engine.webhooks
    sent = webhook.message
    context = {"from": "15550783881"} | sent["context"] if "context" in message else None
    assert {name: sent[name] for name in message if name != "context"} == {
        name: value for name, value in message.items() if name != "context"
    }
    assert sent.get("context") == context


async def test_what_a_customer_told_is_remembered(scene):
    hello = {"type": "text", "text": {"body": "hola"}}
    await speak(scene, hello, name="Ana", user_id="US.5", username="ana", hide_phone=True)
    await speak(scene, hello)
    await speak(scene, hello, hide_phone=False)

    hidden, again, shown = (webhook.value["contacts"][0] for webhook in scene.engine.webhooks)
    assert hidden == {"profile": {"name": "Ana", "username": "ana"}, "user_id": "US.5"}
    assert again == hidden
    assert shown == hidden | {"wa_id": ANA}
    assert "from" not in scene.engine.webhooks[0].message


async def test_redelivery(scene):
    hello = {"type": "text", "text": {"body": "hola"}, "id": "wamid.same"}

    answers = [(await speak(scene, hello)).json() for _ in range(2)]

    assert answers == [{"wamid": "wamid.same", "status": 200}] * 2
    first, second = scene.engine.webhooks
    assert first.raw == second.raw


async def test_unknown_number(scene):
    answer = await speak(scene, {"type": "text"}, phone_number_id="999")

    assert (answer.status_code, answer.text) == (404, "No phone number 999 is registered")


async def test_a_customer_has_a_phone_number(scene):
    assert (await speak(scene, {"type": "text"}, phone="ana")).status_code == 400


async def test_messages_of_a_customer(scene):
    for body in ("one", "two"):
        await scene.send(text_to(body=body))

    path = f"/sandbox/customers/+{ANA}/messages"
    received = (await scene.http.get(path)).json()
    assert [(one["n"], one["wamid"]) for one in received] == [(1, "wamid.0001"), (2, "wamid.0002")]
    assert received[0]["payload"] == text_to(body="one")
    assert received[0]["phone_number_id"] == scene.number.phone_number_id
    assert (await scene.http.get(path, params={"after": 1})).json() == received[1:]
    assert (await scene.http.get(path, params={"phone_number_id": "999"})).json() == []
    assert (await scene.http.get("/sandbox/customers/1/messages")).json() == []


async def test_long_poll_returns_as_soon_as_there_is_something(scene):
    path = f"/sandbox/customers/{ANA}/messages"
    waiting = asyncio.create_task(scene.http.get(path, params={"wait": 20, "count": 2}))
    await scene.send(text_to(body="one"))
    await scene.send(text_to(body="two"))

    async with asyncio.timeout(10):
        received = (await waiting).json()

    assert [one["payload"]["text"]["body"] for one in received] == ["one", "two"]


async def test_long_poll_returns_what_there_is_when_the_time_is_over(scene):
    await scene.send(text_to())
    path = f"/sandbox/customers/{ANA}/messages"

    received = (await scene.http.get(path, params={"wait": 0.05, "count": 2})).json()

    assert len(received) == 1


@pytest.mark.parametrize("query", [{"after": "x"}, {"wait": "-1"}, {"count": "many"}])
async def test_wrong_queries(scene, query):
    assert (await scene.http.get("/sandbox/refusals", params=query)).status_code == 400


async def test_nobody_has_receipts(scene):
    assert (await scene.http.get("/sandbox/customers/1/receipts")).json() == []


async def test_reset(scene):
    await scene.fault(kind="refuse", code=131056)
    await scene.send(text_to(body=""))
    await scene.customer(user_id="US.5").say("hola")

    assert (await scene.http.post("/sandbox/reset")).json() == {"success": True}

    assert await scene.refusals() == []
    assert (await scene.http.get("/sandbox/deliveries")).json() == []
    assert (await scene.send(text_to())).status_code == 401
    await scene.register()
    answer = await scene.send(text_to())
    assert answer.status_code == 200
    assert answer.json()["contacts"][0]["user_id"] == default_user_id(ANA)


async def test_reset_keeps_what_the_sandbox_was_started_with():
    first = replace(SHOP, phone_number_id="208", callback_url=NUMBER["callback_url"])
    async with staged(phones=(first,)) as scene:
        await scene.http.post("/sandbox/reset")

        assert (await scene.send(text_to(), number_id="208")).status_code == 200
        assert (await scene.send(text_to())).json()["error"]["error_subcode"] == 33
