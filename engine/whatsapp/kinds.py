"""Every kind of message that customers send, and how its content is read; none is refused.

A kind that is not listed here, or a message that is not shaped as its kind should be, becomes
`Unknown`. Who wrote it is not read here. Wire shapes: Meta's pages webhooks/reference/messages/*.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, Literal, TypeAlias, cast

from engine.errors import Malformed
from engine.whatsapp.content import (
    AddressReply,
    CallPermission,
    Contacts,
    Content,
    Edited,
    FlowReply,
    Location,
    Media,
    MediaKind,
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
from engine.whatsapp.json_values import (
    JsonObject,
    as_elements,
    as_id,
    as_integer,
    as_object,
    as_objects,
    as_phone,
    as_text,
    load,
    storable,
)

_MOST_UNITS: Final = 1_000_000
_HIGHEST_PRICE: Final = Decimal(10**12)

_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_PRICE: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")


def read_content(kind: str, message: JsonObject) -> Content:
    """Read what a message of a kind says."""
    read = _CONTENT.get(kind)
    return (read(message) if read else None) or Unknown(kind)


def _read_text(message: JsonObject) -> Content | None:
    body = as_text(as_object(message.get("text")).get("body"))
    return Text(body) if body else None


def _read_interactive(message: JsonObject) -> Content | None:
    interactive = as_object(message.get("interactive"))
    kind = as_id(interactive.get("type"))
    if kind is None:
        return None
    read = _INTERACTIVE.get(kind)
    answer = as_object(interactive.get(kind))
    return (read(answer) if read else None) or Unknown(f"interactive.{kind}")


def _read_list_reply(answer: JsonObject) -> Content | None:
    return _read_tap(answer, "list")


def _read_button_reply(answer: JsonObject) -> Content | None:
    return _read_tap(answer, "button")


def _read_tap(answer: JsonObject, source: Literal["list", "button"]) -> Content | None:
    id_ = as_id(answer.get("id"))
    return Tap(id_, as_text(answer.get("title")) or "", source) if id_ else None


def _read_nfm_reply(answer: JsonObject) -> Content | None:
    response = _read_response(as_text(answer.get("response_json")) or "")
    if answer.get("name") == "address_message":
        return AddressReply(as_object(response.get("values")))
    return FlowReply(response, as_text(response.get("flow_token")))


def _read_response(text: str) -> JsonObject:
    try:
        return storable(as_object(load(text.encode())))
    except Malformed:
        return {}


def _read_call_permission(answer: JsonObject) -> Content | None:
    response = as_id(answer.get("response"))
    return CallPermission(response) if response else None


def _read_button(message: JsonObject) -> Content | None:
    button = as_object(message.get("button"))
    title = as_text(button.get("text")) or ""
    id_ = as_id(button.get("payload")) or as_id(title)
    return Tap(id_, title, "template") if id_ else None


def _read_location(message: JsonObject) -> Content | None:
    location = as_object(message.get("location"))
    latitude = _degrees(location.get("latitude"), most=90)
    longitude = _degrees(location.get("longitude"), most=180)
    if latitude is None or longitude is None:
        return None
    return Location(
        latitude, longitude, as_text(location.get("name")), as_text(location.get("address"))
    )


def _degrees(value: object, *, most: int) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= most else None


def _read_order(message: JsonObject) -> Content | None:
    order = as_object(message.get("order"))
    catalog_id = as_id(order.get("catalog_id"))
    lines = [_read_item(as_object(line)) for line in as_elements(order.get("product_items"))]
    items = tuple(item for item in lines if item is not None)
    if catalog_id is None or not items or len(items) < len(lines):
        return None
    return NativeOrder(catalog_id, as_text(order.get("text")), items)


def _read_item(line: JsonObject) -> NativeOrderItem | None:
    product_id = as_id(line.get("product_retailer_id"))
    quantity = _quantity(line.get("quantity"))
    price = _price(line.get("item_price"))
    currency = as_id(line.get("currency")) or ""
    if product_id is None or quantity is None or price is None:
        return None
    if not _CURRENCY.fullmatch(currency):
        return None
    return NativeOrderItem(product_id, quantity, price, currency)


def _quantity(value: object) -> int | None:
    quantity = as_integer(value) or 0
    return quantity if 1 <= quantity <= _MOST_UNITS else None


def _price(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value)
    if isinstance(value, str) and not _PRICE.fullmatch(value):
        return None
    price = Decimal(text)
    return price if 0 <= price < _HIGHEST_PRICE else None


def _read_media(message: JsonObject) -> Content | None:
    kind = cast("MediaKind", message["type"])
    media = as_object(message.get(kind))
    media_id = as_id(media.get("id"))
    if media_id is None:
        return None
    return Media(
        kind,
        media_id,
        mime_type=as_id(media.get("mime_type")),
        caption=as_text(media.get("caption")),
        voice=media.get("voice") is True,
    )


def _read_contacts(message: JsonObject) -> Content | None:
    contacts = as_objects(message.get("contacts"))
    if not contacts:
        return None
    origins = [contact.get("origin") for contact in contacts]
    return Contacts(contacts, is_contact_request="contact_request" in origins)


def _read_reaction(message: JsonObject) -> Content | None:
    reaction = as_object(message.get("reaction"))
    message_id = as_id(reaction.get("message_id"))
    return Reaction(message_id, as_text(reaction.get("emoji"))) if message_id else None


def _read_system(message: JsonObject) -> Content | None:
    system = as_object(message.get("system"))
    kind = as_id(system.get("type"))
    if kind is None:
        return None
    return SystemChange(
        kind,
        wa_id=as_phone(system.get("wa_id")),
        user_id=as_id(system.get("user_id")),
        previous_user_id=as_id(system.get("previous_user_id")),
    )


def _read_welcome(_message: JsonObject) -> Content | None:
    return Welcome()


def _read_edit(message: JsonObject) -> Content | None:
    original_id = as_id(as_object(message.get("edit")).get("original_message_id"))
    return Edited(original_id) if original_id else None


def _read_revoke(message: JsonObject) -> Content | None:
    original_id = as_id(as_object(message.get("revoke")).get("original_message_id"))
    return Revoked(original_id) if original_id else None


def _read_unsupported(message: JsonObject) -> Content | None:
    codes = [as_integer(error.get("code")) for error in as_objects(message.get("errors"))]
    return Unsupported(codes[0] if codes else None)


_Reader: TypeAlias = Callable[[JsonObject], Content | None]

_CONTENT: Final[Mapping[str, _Reader]] = {
    "text": _read_text,
    "interactive": _read_interactive,
    "button": _read_button,
    "location": _read_location,
    "order": _read_order,
    "image": _read_media,
    "video": _read_media,
    "audio": _read_media,
    "document": _read_media,
    "sticker": _read_media,
    "contacts": _read_contacts,
    "reaction": _read_reaction,
    "system": _read_system,
    "request_welcome": _read_welcome,
    "edit": _read_edit,
    "revoke": _read_revoke,
    "unsupported": _read_unsupported,
}

_INTERACTIVE: Final[Mapping[str, _Reader]] = {
    "list_reply": _read_list_reply,
    "button_reply": _read_button_reply,
    "nfm_reply": _read_nfm_reply,
    "call_permission_reply": _read_call_permission,
}
