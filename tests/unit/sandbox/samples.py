"""One right message of every kind, and how to change a copy of it."""

from copy import deepcopy
from typing import Any

BODY = {"text": "What would you like?"}
FOOTER = {"text": "Open until 23:00"}
LINK = "https://example.com/pizza.jpg"
# The first Flow a sandbox creates; `Scene.flow` does.
FIRST_FLOW = "1000000000000001"
# The first catalogue it creates; `shop` in `catalog_scene` does, with such items.
FIRST_CATALOG = "2000000000000001"
ITEMS = tuple(f"prod:{number}" for number in range(31))


def row(number: int) -> dict[str, Any]:
    return {"id": f"row:{number}", "title": f"Row {number}", "description": "Large"}


def button(number: int) -> dict[str, Any]:
    return {"type": "reply", "reply": {"id": f"button:{number}", "title": f"Button {number}"}}


def card(number: int) -> dict[str, Any]:
    action = {"product_retailer_id": f"prod:{number}", "catalog_id": FIRST_CATALOG}
    return {"card_index": number, "type": "product", "action": action}


def product(number: int) -> dict[str, Any]:
    return {"product_retailer_id": f"prod:{number}"}


def interactive(kind: str, action: dict[str, Any], **more: Any) -> dict[str, Any]:
    content = {"type": kind, "body": BODY, "action": action} | more
    return {"type": "interactive", "interactive": content}


FLOW = {
    "flow_message_version": "3",
    "flow_id": FIRST_FLOW,
    "flow_cta": "Customise",
    "mode": "draft",
    "flow_token": "token",
    "flow_action": "navigate",
    "flow_action_payload": {"screen": "SIZE", "data": {"name": "Margherita"}},
}
TEXT_HEADER = {"type": "text", "text": "Menu"}

MESSAGES: dict[str, dict[str, Any]] = {
    "text": {"type": "text", "text": {"body": "hola", "preview_url": False}},
    "image": {"type": "image", "image": {"link": LINK, "caption": "Margherita"}},
    "video": {"type": "video", "video": {"id": "1", "caption": "Oven"}},
    "audio": {"type": "audio", "audio": {"id": "1", "voice": True}},
    "document": {
        "type": "document",
        "document": {"id": "1", "filename": "menu.pdf", "caption": "Menu"},
    },
    "sticker": {"type": "sticker", "sticker": {"id": "1"}},
    "location": {
        "type": "location",
        "location": {
            "latitude": -34.6,
            "longitude": "-58.38",
            "name": "Shop",
            "address": "Main 1",
        },
    },
    "reaction": {"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": ""}},
    "template": {
        "type": "template",
        "template": {
            "name": "order_ready_2",
            "language": {"code": "es_AR"},
            "components": [
                {"type": "header", "parameters": [{"type": "image", "image": {"link": LINK}}]},
                {"type": "body", "parameters": [{"type": "text", "text": "Ana"}]},
                {
                    "type": "button",
                    "sub_type": "quick_reply",
                    "index": "0",
                    "parameters": [{"type": "payload", "payload": "order_status"}],
                },
            ],
        },
    },
    "list": interactive(
        "list",
        {"button": "Choose", "sections": [{"title": "Pizza", "rows": [row(1), row(2)]}]},
        header=TEXT_HEADER,
        footer=FOOTER,
    ),
    "button": interactive(
        "button",
        {"buttons": [button(1), button(2), button(3)]},
        header={"type": "image", "image": {"link": LINK}},
        footer=FOOTER,
    ),
    "cta_url": interactive(
        "cta_url",
        {
            "name": "cta_url",
            "parameters": {"display_text": "Pay", "url": "https://example.com/pay"},
        },
        header={"type": "document", "document": {"id": "1", "filename": "bill.pdf"}},
        footer=FOOTER,
    ),
    "flow": interactive(
        "flow",
        {"name": "flow", "parameters": FLOW},
        header={"type": "video", "video": {"id": "1"}},
        footer=FOOTER,
    ),
    "product": interactive(
        "product", {"catalog_id": FIRST_CATALOG, "product_retailer_id": "prod:1"}, footer=FOOTER
    ),
    "product_list": interactive(
        "product_list",
        {
            "catalog_id": FIRST_CATALOG,
            "sections": [{"title": "Pizza", "product_items": [product(1), product(2)]}],
        },
        header=TEXT_HEADER,
        footer=FOOTER,
    ),
    "catalog_message": interactive(
        "catalog_message",
        {
            "name": "catalog_message",
            "parameters": {"thumbnail_product_retailer_id": "prod:1"},
        },
        footer=FOOTER,
    ),
    "carousel": interactive("carousel", {"cards": [card(0), card(1)]}),
    "location_request_message": interactive("location_request_message", {"name": "send_location"}),
    "request_contact_info": interactive("request_contact_info", {"name": "request_contact_info"}),
    "address_message": interactive(
        "address_message",
        {
            "name": "address_message",
            "parameters": {
                "country": "IN",
                "values": {"name": "Ana"},
                "saved_addresses": [{"id": "1", "value": {"city": "Pune"}}],
            },
        },
    ),
}


class _Gone:
    pass


GONE = _Gone()


def changed(name: str, path: str, value: object) -> dict[str, Any]:
    """Copy a message and set one field, or delete it with GONE; numbers in a path are indexes."""
    message = deepcopy(MESSAGES[name])
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    target: Any = message
    for part in way:
        target = target[part]
    if value is GONE:
        del target[last]
    else:
        target[last] = value
    return message
