"""Meta's webhooks as typed values; it neither checks who sent them nor decides what they mean.

Only the envelope can be refused. What is inside it comes from phones of any age and from a
platform that adds kinds of messages: an unknown or oddly shaped message becomes `Unknown`, and
what cannot be attributed to a customer is kept in `Webhook.others`. Wire shapes: Meta's pages
webhooks/reference/messages/*, flows/reference/flowswebhooks and business-scoped-user-ids.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias, TypeVar, cast

import orjson

from engine.errors import Malformed

_WHATSAPP: Final = "whatsapp_business_account"
_MEMBERS: Final = ("messages", "statuses", "errors")

# Meta once allowed business-scoped user ids 256 characters; its other ids are shorter.
_LONGEST_ID: Final = 512
# MongoDB takes documents of 100 levels and integers of 64 bits (BSON); what is stored stays below.
_DEEPEST: Final = 32
_INT64: Final = range(-(2**63), 2**63)
# The last second that a datetime can hold.
_LAST_SECOND: Final = 253_402_300_799
_MOST_UNITS: Final = 1_000_000
_HIGHEST_PRICE: Final = Decimal(10**12)

_PHONE: Final = re.compile(r"\+?([0-9]{5,20})")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_DIGITS: Final = re.compile(r"[0-9]{1,12}")
_PRICE: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_ESCAPE: Final = re.compile(
    rb"\\u[dD][89aAbB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|\\.",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote a message; at least one of user id and phone is there.

    Args:
        user_id: the business-scoped user id; old payloads have none.
        phone: digits with country code, no "+"; one with a username need not share it.
        name: what the user calls himself.
        username: the adopted username.
    """

    user_id: str | None
    phone: str | None
    name: str | None = None
    username: str | None = None

    @property
    def key(self) -> str:
        """The customer key: the user id when WhatsApp gives one, else the phone number."""
        return self.user_id or self.phone or ""


@dataclass(frozen=True, slots=True)
class Text:
    """A typed text."""

    body: str


@dataclass(frozen=True, slots=True)
class Tap:
    """A choice among what we offered: a list row, a reply button or a template's quick reply."""

    id: str
    title: str
    source: Literal["list", "button", "template"]


@dataclass(frozen=True, slots=True)
class FlowReply:
    """The completion of a Flow.

    Args:
        response: its parameters; empty when they could not be read.
        token: the `flow_token` among them; iOS is known to leave it out.
    """

    response: Mapping[str, Any]
    token: str | None


@dataclass(frozen=True, slots=True)
class AddressReply:
    """The answer to an address message (India); empty when it could not be read."""

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CallPermission:
    """The answer to a call permission request: "accept" or "reject"."""

    response: str


@dataclass(frozen=True, slots=True)
class Location:
    """A place, in degrees; the user's own when it answers a location request."""

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class NativeOrderItem:
    """A line of a native cart.

    Args:
        product_id: our id of the product, Meta's `product_retailer_id`.
        quantity: units, at least 1.
        item_price: the price of one unit in major units, as Meta's catalogue had it.
        currency: ISO 4217 code.
    """

    product_id: str
    quantity: int
    item_price: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class NativeOrder:
    """A cart that the customer filled in WhatsApp's own catalogue and sent.

    Args:
        catalog_id: Meta's id of the catalogue.
        text: the note that came with it.
        items: at least one; an order with an unreadable line is `Unknown`, never a shorter one.
    """

    catalog_id: str
    text: str | None
    items: tuple[NativeOrderItem, ...]


MediaKind: TypeAlias = Literal["image", "video", "audio", "document", "sticker"]


@dataclass(frozen=True, slots=True)
class Media:
    """A file; `media_id` fetches it, `voice` marks a recorded voice message."""

    kind: MediaKind
    media_id: str
    mime_type: str | None = None
    caption: str | None = None
    voice: bool = False


@dataclass(frozen=True, slots=True)
class Contacts:
    """Address book entries, in Meta's own form.

    Args:
        contacts: at least one entry.
        is_contact_request: they answer our request for the customer's phone number.
    """

    contacts: tuple[Mapping[str, Any], ...]
    is_contact_request: bool


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji put on a message, or taken away when there is none."""

    message_id: str
    emoji: str | None


@dataclass(frozen=True, slots=True)
class SystemChange:
    """A change of the customer's identity, told by WhatsApp.

    Args:
        kind: `user_changed_number`, `user_changed_user_id` or `customer_identity_changed`.
        wa_id: the new phone number.
        user_id: the new user id.
        previous_user_id: the one he had.
    """

    kind: str
    wa_id: str | None
    user_id: str | None
    previous_user_id: str | None


@dataclass(frozen=True, slots=True)
class Welcome:
    """The customer opened the chat for the first time; Meta does not always send it."""


@dataclass(frozen=True, slots=True)
class Edited:
    """The customer changed a message he had sent."""

    original_id: str


@dataclass(frozen=True, slots=True)
class Revoked:
    """The customer deleted a message he had sent."""

    original_id: str


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A message that WhatsApp does not hand to businesses; the code says why (such as 131051)."""

    code: int | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a kind or shape not known here, such as "poll" or "interactive.poll"."""

    type: str


Content: TypeAlias = (
    Text
    | Tap
    | FlowReply
    | AddressReply
    | CallPermission
    | Location
    | NativeOrder
    | Media
    | Contacts
    | Reaction
    | SystemChange
    | Welcome
    | Edited
    | Revoked
    | Unsupported
    | Unknown
)


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A message from a customer.

    Args:
        wamid: WhatsApp's id of the message; the same one may arrive more than once.
        phone_number_id: Meta's id of the business number it was sent to.
        sender: who wrote it.
        timestamp: unix seconds; 0 when WhatsApp gave none that can be read.
        content: what it says.
        context_id: the wamid of the message it answers.
        raw: what `restore_message` needs to make it again; fit for a MongoDB document.
    """

    wamid: str
    phone_number_id: str
    sender: Sender
    timestamp: int
    content: Content
    context_id: str | None
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StatusError:
    """Why a message of ours failed; build on `code` and `details`, Meta drops the titles."""

    code: int
    title: str
    details: str


@dataclass(frozen=True, slots=True)
class Status:
    """What became of a message of ours; they arrive in any order, and `delivered` may be skipped.

    Args:
        wamid: WhatsApp's id of the message.
        status: `sent`, `delivered`, `read`, `played` or `failed`; later platforms may add some.
        timestamp: unix seconds; 0 when WhatsApp gave none that can be read.
        phone_number_id: Meta's id of the business number that sent it.
        recipient_id: the phone number it went to; none when it went to a user id.
        recipient_user_id: the user id of the recipient.
        opaque: the `biz_opaque_callback_data` we gave it.
        errors: why it failed.
        pricing: what it costs, in Meta's own form.
    """

    wamid: str
    status: str
    timestamp: int
    phone_number_id: str
    recipient_id: str | None = None
    recipient_user_id: str | None = None
    opaque: str | None = None
    errors: tuple[StatusError, ...] = ()
    pricing: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class OtherChange:
    """A change that is neither a message nor a status, kept in Meta's own form.

    That is every other field (`flows`, `smb_message_echoes`), every other object (`catalog`),
    errors of the account, and messages and statuses that lack what would attribute them.

    Args:
        field: the field that changed.
        waba_id: the id of the entry, that is of the WhatsApp account; "" when there was none.
        value: the change, fit for a MongoDB document; of field `messages` one member at a time.
        time: unix seconds of the entry; only some fields have it.
        object_type: the kind of object the entry is about.
    """

    field: str
    waba_id: str
    value: Mapping[str, Any]
    time: int | None = None
    object_type: str = _WHATSAPP


@dataclass(frozen=True, slots=True)
class Webhook:
    """One request of Meta: up to a thousand changes, each kind in the order they came."""

    messages: tuple[InboundMessage, ...]
    statuses: tuple[Status, ...]
    others: tuple[OtherChange, ...]


_Change: TypeAlias = InboundMessage | Status | OtherChange
_Object: TypeAlias = Mapping[str, Any]
_T = TypeVar("_T")


def parse_webhook(body: bytes) -> Webhook:
    """Read the body of a webhook.

    Raises:
        Malformed: it is not JSON, or not Meta's envelope of entries and changes.
    """
    changes = list(_read_envelope(_load(body)))
    return Webhook(
        messages=tuple(change for change in changes if isinstance(change, InboundMessage)),
        statuses=tuple(change for change in changes if isinstance(change, Status)),
        others=tuple(change for change in changes if isinstance(change, OtherChange)),
    )


def restore_message(raw: Mapping[str, Any]) -> InboundMessage:
    """Make a message again from its `raw`.

    Raises:
        Malformed: it is not the `raw` of a message.
    """
    message = _read_message(
        _object(raw.get("message")),
        contact=_object(raw.get("contact")),
        phone_number_id=_id(raw.get("phone_number_id")),
    )
    if message is None:
        raise Malformed("this is not the raw form of a message")
    return message


def _load(text: bytes) -> object:
    """Read JSON; half a surrogate pair, which some phone may send, becomes U+FFFD."""
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = _load_repaired(text)
    return value


def _load_repaired(text: bytes) -> object:
    try:
        value: object = orjson.loads(_ESCAPE.sub(_whole_escape, text))
    except orjson.JSONDecodeError as error:
        raise Malformed(f"this is not JSON: {error}") from None
    return value


def _whole_escape(match: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if match["half"] else match[0]


def _read_envelope(envelope: object) -> Iterator[_Change]:
    root = _required(envelope, dict, "the body")
    object_type = _required(root.get("object"), str, "object")
    for element in _required(root.get("entry"), list, "entry"):
        entry = _required(element, dict, "entry[]")
        for change in _required(entry.get("changes"), list, "entry[].changes"):
            yield from _read_change(_required(change, dict, "change"), entry, object_type)


def _required(value: object, kind: type[_T], name: str) -> _T:
    if not isinstance(value, kind):
        raise Malformed(f"{name} is missing or has the wrong type")
    return value


def _read_change(change: _Object, entry: _Object, object_type: str) -> Iterator[_Change]:
    kept = OtherChange(
        field=_required(change.get("field"), str, "field"),
        waba_id=_id(entry.get("id")) or "",
        value=_storable_object(_required(change.get("value"), dict, "value")),
        time=_timestamp(entry.get("time")) or None,
        object_type=object_type,
    )
    if kept.field == "messages" and object_type == _WHATSAPP:
        yield from _read_value(kept)
    else:
        yield kept


def _read_value(change: OtherChange) -> Iterator[_Change]:
    value = change.value
    number = _id(_object(value.get("metadata")).get("phone_number_id"))
    contacts = _objects(value.get("contacts"))
    senders = _by_sender(contacts)
    messages, statuses, errors = (_members(value, name) for name in _MEMBERS)
    frame = {name: member for name, member in value.items() if name not in _MEMBERS}
    for element in messages:
        message = _object(element)
        contact = _contact_of(message, contacts, senders)
        yield _read_message(message, contact=contact, phone_number_id=number) or replace(
            change, value={**frame, "messages": [element]}
        )
    for element in statuses:
        yield _read_status(_object(element), phone_number_id=number) or replace(
            change, value={**frame, "statuses": [element]}
        )
    for element in errors:
        yield replace(change, value={**frame, "errors": [element]})
    if not (messages or statuses or errors):
        yield change


def _members(value: _Object, name: str) -> list[object]:
    members = value.get(name)
    return [] if members is None else _required(members, list, name)


def _by_sender(contacts: Sequence[_Object]) -> dict[str | None, _Object]:
    index: dict[str | None, _Object] = {}
    for contact in contacts:
        for key in (_id(contact.get("user_id")), _phone(contact.get("wa_id"))):
            if key:
                index.setdefault(key, contact)
    return index


def _contact_of(
    message: _Object, contacts: Sequence[_Object], index: Mapping[str | None, _Object]
) -> _Object:
    """Find the writer of a message; `wa_id` may differ from `from`, a user id may not."""
    user_id = _id(message.get("from_user_id"))
    named = index.get(user_id) or index.get(_phone(message.get("from")))
    if named is not None:
        return named
    if len(contacts) == 1 and not (user_id and _id(contacts[0].get("user_id"))):
        return contacts[0]
    return {}


def _read_message(
    message: _Object, *, contact: _Object, phone_number_id: str | None
) -> InboundMessage | None:
    wamid = _id(message.get("id"))
    kind = _id(message.get("type"))
    sender = _read_sender(message, contact)
    if not (wamid and kind and phone_number_id and sender.key):
        return None
    return InboundMessage(
        wamid=wamid,
        phone_number_id=phone_number_id,
        sender=sender,
        timestamp=_timestamp(message.get("timestamp")),
        content=_read_content(kind, message),
        context_id=_id(_object(message.get("context")).get("id")),
        raw={"phone_number_id": phone_number_id, "contact": contact, "message": message},
    )


def _read_sender(message: _Object, contact: _Object) -> Sender:
    profile = _object(contact.get("profile"))
    return Sender(
        user_id=_id(message.get("from_user_id")) or _id(contact.get("user_id")),
        phone=_phone(message.get("from")) or _phone(contact.get("wa_id")),
        name=_text(profile.get("name")),
        username=_text(profile.get("username")),
    )


def _read_status(status: _Object, *, phone_number_id: str | None) -> Status | None:
    wamid = _id(status.get("id"))
    kind = _id(status.get("status"))
    if not (wamid and kind and phone_number_id):
        return None
    return Status(
        wamid=wamid,
        status=kind,
        timestamp=_timestamp(status.get("timestamp")),
        phone_number_id=phone_number_id,
        recipient_id=_id(status.get("recipient_id")),
        recipient_user_id=_id(status.get("recipient_user_id")),
        opaque=_text(status.get("biz_opaque_callback_data")),
        errors=tuple(_read_error(error) for error in _objects(status.get("errors"))),
        pricing=_object(status.get("pricing")) or None,
    )


def _read_error(error: _Object) -> StatusError:
    reason = error.get("error_data")
    return StatusError(
        code=_integer(error.get("code")) or 0,
        title=_text(error.get("title")) or _text(error.get("message")) or "",
        details=_text(reason) or _text(_object(reason).get("details")) or "",
    )


def _read_content(kind: str, message: _Object) -> Content:
    read = _CONTENT.get(kind)
    return (read(message) if read else None) or Unknown(kind)


def _read_text(message: _Object) -> Content | None:
    body = _text(_object(message.get("text")).get("body"))
    return Text(body) if body else None


def _read_interactive(message: _Object) -> Content | None:
    interactive = _object(message.get("interactive"))
    kind = _id(interactive.get("type"))
    if kind is None:
        return None
    read = _INTERACTIVE.get(kind)
    answer = _object(interactive.get(kind))
    return (read(answer) if read else None) or Unknown(f"interactive.{kind}")


def _read_list_reply(answer: _Object) -> Content | None:
    return _read_tap(answer, "list")


def _read_button_reply(answer: _Object) -> Content | None:
    return _read_tap(answer, "button")


def _read_tap(answer: _Object, source: Literal["list", "button"]) -> Content | None:
    id_ = _id(answer.get("id"))
    return Tap(id_, _text(answer.get("title")) or "", source) if id_ else None


def _read_nfm_reply(answer: _Object) -> Content | None:
    response = _read_response(_text(answer.get("response_json")) or "")
    if answer.get("name") == "address_message":
        return AddressReply(_object(response.get("values")))
    return FlowReply(response, _text(response.get("flow_token")))


def _read_response(text: str) -> _Object:
    try:
        return _storable_object(_object(_load(text.encode())))
    except Malformed:
        return {}


def _read_call_permission(answer: _Object) -> Content | None:
    response = _id(answer.get("response"))
    return CallPermission(response) if response else None


def _read_button(message: _Object) -> Content | None:
    button = _object(message.get("button"))
    title = _text(button.get("text")) or ""
    id_ = _id(button.get("payload")) or _id(title)
    return Tap(id_, title, "template") if id_ else None


def _read_location(message: _Object) -> Content | None:
    location = _object(message.get("location"))
    latitude = _degrees(location.get("latitude"), most=90)
    longitude = _degrees(location.get("longitude"), most=180)
    if latitude is None or longitude is None:
        return None
    return Location(
        latitude, longitude, _text(location.get("name")), _text(location.get("address"))
    )


def _read_order(message: _Object) -> Content | None:
    order = _object(message.get("order"))
    catalog_id = _id(order.get("catalog_id"))
    lines = [_read_item(_object(line)) for line in _elements(order.get("product_items"))]
    items = tuple(item for item in lines if item is not None)
    if catalog_id is None or not items or len(items) < len(lines):
        return None
    return NativeOrder(catalog_id, _text(order.get("text")), items)


def _read_item(line: _Object) -> NativeOrderItem | None:
    product_id = _id(line.get("product_retailer_id"))
    quantity = _quantity(line.get("quantity"))
    price = _price(line.get("item_price"))
    currency = _id(line.get("currency")) or ""
    if product_id is None or quantity is None or price is None:
        return None
    if not _CURRENCY.fullmatch(currency):
        return None
    return NativeOrderItem(product_id, quantity, price, currency)


def _read_media(message: _Object) -> Content | None:
    kind = cast("MediaKind", message["type"])
    media = _object(message.get(kind))
    media_id = _id(media.get("id"))
    if media_id is None:
        return None
    return Media(
        kind,
        media_id,
        mime_type=_id(media.get("mime_type")),
        caption=_text(media.get("caption")),
        voice=media.get("voice") is True,
    )


def _read_contacts(message: _Object) -> Content | None:
    contacts = _objects(message.get("contacts"))
    if not contacts:
        return None
    origins = [contact.get("origin") for contact in contacts]
    return Contacts(contacts, is_contact_request="contact_request" in origins)


def _read_reaction(message: _Object) -> Content | None:
    reaction = _object(message.get("reaction"))
    message_id = _id(reaction.get("message_id"))
    return Reaction(message_id, _text(reaction.get("emoji"))) if message_id else None


def _read_system(message: _Object) -> Content | None:
    system = _object(message.get("system"))
    kind = _id(system.get("type"))
    if kind is None:
        return None
    return SystemChange(
        kind,
        wa_id=_phone(system.get("wa_id")),
        user_id=_id(system.get("user_id")),
        previous_user_id=_id(system.get("previous_user_id")),
    )


def _read_welcome(_message: _Object) -> Content | None:
    return Welcome()


def _read_edit(message: _Object) -> Content | None:
    original_id = _id(_object(message.get("edit")).get("original_message_id"))
    return Edited(original_id) if original_id else None


def _read_revoke(message: _Object) -> Content | None:
    original_id = _id(_object(message.get("revoke")).get("original_message_id"))
    return Revoked(original_id) if original_id else None


def _read_unsupported(message: _Object) -> Content | None:
    codes = [_integer(error.get("code")) for error in _objects(message.get("errors"))]
    return Unsupported(codes[0] if codes else None)


_Reader: TypeAlias = Callable[[_Object], Content | None]

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


def _object(value: object) -> _Object:
    return value if isinstance(value, dict) else {}


def _elements(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _objects(value: object) -> tuple[_Object, ...]:
    return tuple(element for element in _elements(value) if isinstance(element, dict))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _id(value: object) -> str | None:
    text = _text(value)
    return text if text and len(text) <= _LONGEST_ID else None


def _phone(value: object) -> str | None:
    match = _PHONE.fullmatch(_text(value) or "")
    return match[1] if match else None


def _integer(value: object) -> int | None:
    """Take a JSON integer, or one that Meta wrote as a string."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = _text(value) or ""
    return int(text) if _DIGITS.fullmatch(text) else None


def _timestamp(value: object) -> int:
    seconds = _integer(value) or 0
    return seconds if 0 <= seconds <= _LAST_SECOND else 0


def _quantity(value: object) -> int | None:
    quantity = _integer(value) or 0
    return quantity if 1 <= quantity <= _MOST_UNITS else None


def _price(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value)
    if isinstance(value, str) and not _PRICE.fullmatch(value):
        return None
    price = Decimal(text)
    return price if 0 <= price < _HIGHEST_PRICE else None


def _degrees(value: object, *, most: int) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= most else None


def _storable_object(value: _Object) -> dict[str, Any]:
    return cast("dict[str, Any]", _storable(value, _DEEPEST))


def _storable(value: object, levels: int) -> object:
    """Copy a JSON value without what MongoDB refuses: deep nesting, long integers, NUL in names.

    A list keeps its length, so that an order never gets shorter on the way.
    """
    if isinstance(value, dict):
        return {
            name: _storable(member, levels - 1)
            for name, member in value.items()
            if "\0" not in name and _is_storable(member, levels)
        }
    if isinstance(value, list):
        return [
            _storable(member, levels - 1) if _is_storable(member, levels) else None
            for member in value
        ]
    return value


def _is_storable(value: object, levels: int) -> bool:
    if isinstance(value, dict | list):
        return levels > 1
    return not isinstance(value, int) or value in _INT64
