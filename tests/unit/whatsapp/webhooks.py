"""Webhooks in Meta's form, made member by member, and one good message of every kind."""

from decimal import Decimal
from typing import Any

import orjson

from engine.whatsapp.content import (
    AddressReply,
    CallPermission,
    Contacts,
    Edited,
    FlowReply,
    Location,
    Media,
    NativeOrder,
    NativeOrderItem,
    Reaction,
    Revoked,
    SystemChange,
    Tap,
    Text,
    Unknown,
    Unsupported,
    Welcome,
)
from engine.whatsapp.inbound import Webhook, parse_webhook, restore_message

NUMBER = "106540352242922"

METADATA = {"display_phone_number": "15550783881", "phone_number_id": NUMBER}

CONTACT = {
    "profile": {"name": "Sheena Nelson", "username": "sheena"},
    "wa_id": "16505551234",
    "user_id": "US.13491208655302741918",
}


def message(**changes: Any) -> dict[str, Any]:
    """A message of Meta's; a change to `...` leaves a member out."""
    members = {
        "from": "16505551234",
        "from_user_id": "US.13491208655302741918",
        "id": "wamid.HBgL",
        "timestamp": "1749416383",
        "type": "text",
        **changes,
    }
    return {name: member for name, member in members.items() if member is not ...}


def typed(kind: str, body: Any, **changes: Any) -> dict[str, Any]:
    return message(type=kind, **{kind: body}, **changes)


def interactive(kind: str, answer: Any) -> dict[str, Any]:
    context = {"from": "15550783881", "id": "wamid.OURS"}
    return typed("interactive", {"type": kind, kind: answer}, context=context)


def nfm(response_json: Any, name: Any = "flow") -> dict[str, Any]:
    return interactive("nfm_reply", {"name": name, "body": "Sent", "response_json": response_json})


def order(**changes: Any) -> dict[str, Any]:
    item = {
        "product_retailer_id": "prod:margherita",
        "quantity": 2,
        "item_price": 7.99,
        "currency": "USD",
    }
    cart = {"catalog_id": "194836987003835", "text": "Hot, please", "product_items": [item]}
    return typed("order", {**cart, **changes})


def item_of(**changes: Any) -> dict[str, Any]:
    sent = order()
    sent["order"]["product_items"].append({**sent["order"]["product_items"][0], **changes})
    return sent


def value(**members: Any) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "metadata": METADATA, **members}


def envelope(*values: dict[str, Any], field: str = "messages") -> dict[str, Any]:
    changes = [{"field": field, "value": each} for each in values]
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "102290129340398", "changes": changes}],
    }


def parse(body: Any) -> Webhook:
    return parse_webhook(orjson.dumps(body))


def content_of(sent: dict[str, Any]) -> object:
    webhook = parse(envelope(value(contacts=[CONTACT], messages=[sent])))
    assert webhook.others == ()
    [received] = webhook.messages
    assert restore_message(received.raw) == received
    return received.content


def item(price: str) -> NativeOrderItem:
    return NativeOrderItem("prod:margherita", 2, Decimal(price), "USD")


PHONE_CARD = {
    "name": {"formatted_name": "Sheena"},
    "phones": [{"phone": "+1 650-555-1234", "wa_id": "16505551234"}],
}

KINDS = [
    (typed("text", {"body": "Hola"}), Text("Hola")),
    (
        interactive("list_reply", {"id": "cat:pizza", "title": "Pizza", "description": "Hot"}),
        Tap("cat:pizza", "Pizza", "list"),
    ),
    (interactive("list_reply", {"id": "cat:pizza"}), Tap("cat:pizza", "", "list")),
    (
        interactive("button_reply", {"id": "checkout", "title": "Pay"}),
        Tap("checkout", "Pay", "button"),
    ),
    (
        nfm('{"flow_token":"tok","size":"large","extras":["olives"]}'),
        FlowReply({"flow_token": "tok", "size": "large", "extras": ["olives"]}, "tok"),
    ),
    (nfm('{"size":"large"}'), FlowReply({"size": "large"}, None)),
    (nfm('{"size":'), FlowReply({}, None)),
    (nfm("[1]"), FlowReply({}, None)),
    (nfm({"flow_token": "tok"}), FlowReply({}, None)),
    (nfm(None), FlowReply({}, None)),
    (nfm('{"flow_token":7}', name=None), FlowReply({"flow_token": 7}, None)),
    (nfm('{"name":"half \\ud83c"}'), FlowReply({"name": "half \ufffd"}, None)),
    (
        nfm('{"saved_address_id":"a1","values":{"city":"Pune"}}', name="address_message"),
        AddressReply({"city": "Pune"}),
    ),
    (nfm("not json", name="address_message"), AddressReply({})),
    (
        interactive("call_permission_reply", {"response": "accept", "is_permanent": False}),
        CallPermission("accept"),
    ),
    (typed("button", {"payload": "again", "text": "Again!"}), Tap("again", "Again!", "template")),
    (typed("button", {"text": "Again!"}), Tap("Again!", "Again!", "template")),
    (
        typed(
            "location", {"latitude": -34.6, "longitude": 58, "name": "Home", "address": "Rua 1"}
        ),
        Location(-34.6, 58.0, "Home", "Rua 1"),
    ),
    (typed("location", {"latitude": 90, "longitude": -180}), Location(90.0, -180.0)),
    (order(), NativeOrder("194836987003835", "Hot, please", (item("7.99"),))),
    (order(text=""), NativeOrder("194836987003835", None, (item("7.99"),))),
    (
        item_of(quantity="3", item_price="30", currency="EUR"),
        NativeOrder(
            "194836987003835",
            "Hot, please",
            (item("7.99"), NativeOrderItem("prod:margherita", 3, Decimal(30), "EUR")),
        ),
    ),
    (
        typed("image", {"id": "1", "mime_type": "image/jpeg", "sha256": "x", "caption": "Look"}),
        Media("image", "1", "image/jpeg", "Look"),
    ),
    (typed("video", {"id": "2", "mime_type": "video/mp4"}), Media("video", "2", "video/mp4")),
    (
        typed("audio", {"id": "3", "mime_type": "audio/ogg; codecs=opus", "voice": True}),
        Media("audio", "3", "audio/ogg; codecs=opus", voice=True),
    ),
    (
        typed("document", {"id": "4", "mime_type": "application/pdf", "filename": "a.pdf"}),
        Media("document", "4", "application/pdf"),
    ),
    (
        typed("sticker", {"id": "5", "mime_type": "image/webp", "animated": False}),
        Media("sticker", "5", "image/webp"),
    ),
    (typed("contacts", [PHONE_CARD, 5]), Contacts((PHONE_CARD,), is_contact_request=False)),
    (
        typed("contacts", [{**PHONE_CARD, "origin": "contact_request"}]),
        Contacts(({**PHONE_CARD, "origin": "contact_request"},), is_contact_request=True),
    ),
    (typed("reaction", {"message_id": "wamid.O", "emoji": "😀"}), Reaction("wamid.O", "😀")),
    (typed("reaction", {"message_id": "wamid.O", "emoji": ""}), Reaction("wamid.O", None)),
    (typed("reaction", {"message_id": "wamid.O"}), Reaction("wamid.O", None)),
    (
        typed(
            "system",
            {
                "body": "Sheena changed from 16505551234 to 16505555678",
                "type": "user_changed_number",
                "wa_id": "16505555678",
                "user_id": "US.2",
                "previous_user_id": "US.1",
            },
        ),
        SystemChange("user_changed_number", "16505555678", "US.2", "US.1"),
    ),
    (
        typed("system", {"type": "user_changed_user_id", "user_id": "US.2"}),
        SystemChange("user_changed_user_id", None, "US.2", None),
    ),
    (
        message(
            type="unsupported",
            errors=[{"code": 131051, "title": "Message type unknown"}],
            unsupported={"type": "poll"},
        ),
        Unsupported(131051),
    ),
    (message(type="unsupported"), Unsupported(None)),
    (message(type="request_welcome"), Welcome()),
    (
        typed("edit", {"original_message_id": "wamid.O", "message": {"type": "text"}}),
        Edited("wamid.O"),
    ),
    (typed("revoke", {"original_message_id": "wamid.O"}), Revoked("wamid.O")),
    (typed("poll", {"question": "?"}), Unknown("poll")),
    (interactive("product_reply", {"id": "1"}), Unknown("interactive.product_reply")),
]
