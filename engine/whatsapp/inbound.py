"""Meta's webhooks as messages and statuses; it neither checks who sent them nor what they mean.

Only the envelope can be refused. What is inside it comes from phones of any age and from a
platform that adds kinds of messages: an unknown or oddly shaped message has `Unknown` content, and
what cannot be attributed to a customer is kept in `Webhook.others`. Wire shapes: Meta's pages
webhooks/reference/messages/*, flows/reference/flowswebhooks and business-scoped-user-ids.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias, TypeVar

from engine.errors import Malformed
from engine.whatsapp.content import Content, Raised, Sender
from engine.whatsapp.json_values import (
    JsonObject,
    as_id,
    as_integer,
    as_object,
    as_objects,
    as_phone,
    as_text,
    as_timestamp,
    load,
    storable,
)
from engine.whatsapp.kinds import read_content

_WHATSAPP: Final = "whatsapp_business_account"
_MEMBERS: Final = ("messages", "statuses", "errors")


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
_T = TypeVar("_T")


def parse_webhook(body: bytes) -> Webhook:
    """Read the body of a webhook.

    Raises:
        Malformed: it is not JSON, or not Meta's envelope of entries and changes.
    """
    changes = list(_read_envelope(load(body)))
    return Webhook(
        messages=tuple(change for change in changes if isinstance(change, InboundMessage)),
        statuses=tuple(change for change in changes if isinstance(change, Status)),
        others=tuple(change for change in changes if isinstance(change, OtherChange)),
    )


def restore_message(raw: Mapping[str, Any]) -> InboundMessage:
    """Make a message again from its `raw`, or an event of ours from what `raised` made.

    Raises:
        Malformed: it is not the `raw` of a message.
    """
    if "event" in raw:
        return _restored_event(raw)
    message = _read_message(
        as_object(raw.get("message")),
        contact=as_object(raw.get("contact")),
        phone_number_id=as_id(raw.get("phone_number_id")),
    )
    if message is None:
        raise Malformed("this is not the raw form of a message")
    return message


def raised(event: Raised, *, phone_number_id: str) -> Mapping[str, Any]:
    """Make the `raw` of an event of ours, to be put in a customer's inbox."""
    return {
        "event": {"name": event.event, "data": dict(event.data)},
        "phone_number_id": phone_number_id,
    }


def _restored_event(raw: Mapping[str, Any]) -> InboundMessage:
    event = as_object(raw.get("event"))
    content = Raised(str(event.get("name", "")), as_object(event.get("data")))
    number = as_id(raw.get("phone_number_id")) or ""
    return InboundMessage("", number, Sender(None, None), 0, content, None, raw)


def _read_envelope(envelope: object) -> Iterator[_Change]:
    root = _required(envelope, dict, "the body")
    object_type = _required(root.get("object"), str, "object")
    for element in _required(root.get("entry"), list, "entry"):
        if object_type != _WHATSAPP and not _has_changes(element):
            # What we do not know may have a form of its own; it is told of, and not refused.
            yield OtherChange("", "", {}, object_type=object_type)
            continue
        entry = _required(element, dict, "entry[]")
        for change in _required(entry.get("changes"), list, "entry[].changes"):
            yield from _read_change(_required(change, dict, "change"), entry, object_type)


def _has_changes(element: object) -> bool:
    changes = element.get("changes") if isinstance(element, dict) else None
    return isinstance(changes, list) and all(
        isinstance(change, dict)
        and isinstance(change.get("field"), str)
        and isinstance(change.get("value"), dict)
        for change in changes
    )


def _required(value: object, kind: type[_T], name: str) -> _T:
    if not isinstance(value, kind):
        raise Malformed(f"{name} is missing or has the wrong type")
    return value


def _read_change(change: JsonObject, entry: JsonObject, object_type: str) -> Iterator[_Change]:
    kept = OtherChange(
        field=_required(change.get("field"), str, "field"),
        waba_id=as_id(entry.get("id")) or "",
        value=storable(_required(change.get("value"), dict, "value")),
        time=as_timestamp(entry.get("time")) or None,
        object_type=object_type,
    )
    if kept.field == "messages" and object_type == _WHATSAPP:
        yield from _read_value(kept)
    else:
        yield kept


def _read_value(change: OtherChange) -> Iterator[_Change]:
    value = change.value
    number = as_id(as_object(value.get("metadata")).get("phone_number_id"))
    contacts = as_objects(value.get("contacts"))
    senders = _by_sender(contacts)
    messages, statuses, errors = (_members(value, name) for name in _MEMBERS)
    frame = {name: member for name, member in value.items() if name not in _MEMBERS}
    for element in messages:
        message = as_object(element)
        contact = _contact_of(message, contacts, senders)
        yield _read_message(message, contact=contact, phone_number_id=number) or replace(
            change, value={**frame, "messages": [element]}
        )
    for element in statuses:
        yield _read_status(as_object(element), phone_number_id=number) or replace(
            change, value={**frame, "statuses": [element]}
        )
    for element in errors:
        yield replace(change, value={**frame, "errors": [element]})
    if not (messages or statuses or errors):
        yield change


def _members(value: JsonObject, name: str) -> list[object]:
    members = value.get(name)
    return [] if members is None else _required(members, list, name)


def _by_sender(contacts: Sequence[JsonObject]) -> dict[str | None, JsonObject]:
    index: dict[str | None, JsonObject] = {}
    for contact in contacts:
        for key in (as_id(contact.get("user_id")), as_phone(contact.get("wa_id"))):
            if key:
                index.setdefault(key, contact)
    return index


def _contact_of(
    message: JsonObject, contacts: Sequence[JsonObject], index: Mapping[str | None, JsonObject]
) -> JsonObject:
    """Find the writer of a message; `wa_id` may differ from `from`, a user id may not."""
    user_id = as_id(message.get("from_user_id"))
    named = index.get(user_id) or index.get(as_phone(message.get("from")))
    if named is not None:
        return named
    if len(contacts) == 1 and not (user_id and as_id(contacts[0].get("user_id"))):
        return contacts[0]
    return {}


def _read_message(
    message: JsonObject, *, contact: JsonObject, phone_number_id: str | None
) -> InboundMessage | None:
    wamid = as_id(message.get("id"))
    kind = as_id(message.get("type"))
    sender = _read_sender(message, contact)
    if not (wamid and kind and phone_number_id and sender.key):
        return None
    return InboundMessage(
        wamid=wamid,
        phone_number_id=phone_number_id,
        sender=sender,
        timestamp=as_timestamp(message.get("timestamp")),
        content=read_content(kind, message),
        context_id=as_id(as_object(message.get("context")).get("id")),
        raw={"phone_number_id": phone_number_id, "contact": contact, "message": message},
    )


def _read_sender(message: JsonObject, contact: JsonObject) -> Sender:
    profile = as_object(contact.get("profile"))
    return Sender(
        user_id=as_id(message.get("from_user_id")) or as_id(contact.get("user_id")),
        phone=as_phone(message.get("from")) or as_phone(contact.get("wa_id")),
        name=as_text(profile.get("name")),
        username=as_text(profile.get("username")),
    )


def _read_status(status: JsonObject, *, phone_number_id: str | None) -> Status | None:
    wamid = as_id(status.get("id"))
    kind = as_id(status.get("status"))
    if not (wamid and kind and phone_number_id):
        return None
    return Status(
        wamid=wamid,
        status=kind,
        timestamp=as_timestamp(status.get("timestamp")),
        phone_number_id=phone_number_id,
        recipient_id=as_id(status.get("recipient_id")),
        recipient_user_id=as_id(status.get("recipient_user_id")),
        opaque=as_text(status.get("biz_opaque_callback_data")),
        errors=tuple(_read_error(error) for error in as_objects(status.get("errors"))),
        pricing=as_object(status.get("pricing")) or None,
    )


def _read_error(error: JsonObject) -> StatusError:
    reason = error.get("error_data")
    return StatusError(
        code=as_integer(error.get("code")) or 0,
        title=as_text(error.get("title")) or as_text(error.get("message")) or "",
        details=as_text(reason) or as_text(as_object(reason).get("details")) or "",
    )
