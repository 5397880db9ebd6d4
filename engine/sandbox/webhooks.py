"""The bodies of Meta's webhooks and their signature, as values; `courier` posts them."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime

from engine.sandbox.envelope import Complaint, JsonObject, status_error
from engine.sandbox.flow_state import Flow
from engine.sandbox.phones import digits
from engine.sandbox.state import Person, PhoneNumber

SIGNATURE_HEADER = "X-Hub-Signature-256"


@dataclass(frozen=True, slots=True)
class Sent:
    """A message the business sent and Meta accepted."""

    wamid: str
    number: PhoneNumber
    person: Person
    payload: JsonObject

    @property
    def by_user_id(self) -> bool:
        """Tell whether it was addressed to the user id; if both are given, `to` wins."""
        return not self.payload.get("to")


def customer_webhook(
    number: PhoneNumber, person: Person, message: JsonObject, *, wamid: str, at: datetime
) -> JsonObject:
    """Build the webhook of something a customer sends."""
    sender = {} if person.hides_phone else {"from": person.phone}
    common = {"from_user_id": person.user_id, "id": wamid, "timestamp": timestamp(at)}
    value: JsonObject = {"contacts": [_contact(person, shows_phone=not person.hides_phone)]}
    if message["type"] == "system":
        value.clear()
    value["messages"] = [sender | common | _with_business_in_context(number, message)]
    return _webhook(number, value)


def status_webhook(
    sent: Sent, status: str, *, at: datetime, complaint: Complaint | None = None
) -> JsonObject:
    """Build the webhook that tells what became of a message; with a complaint when it failed."""
    entry: JsonObject = {"id": sent.wamid, "status": status, "timestamp": timestamp(at)}
    if not sent.by_user_id:
        entry["recipient_id"] = sent.person.phone
    if sent.by_user_id or complaint is None:
        entry["recipient_user_id"] = sent.person.user_id
    if sent.payload.get("biz_opaque_callback_data") is not None:
        entry["biz_opaque_callback_data"] = sent.payload["biz_opaque_callback_data"]
    if status in ("sent", "delivered"):
        entry["pricing"] = _pricing(sent.payload)
    if complaint is not None:
        entry["errors"] = [status_error(complaint)]
    contact = _contact(sent.person, shows_phone=not sent.by_user_id)
    return _webhook(sent.number, {"contacts": [contact], "statuses": [entry]})


def flow_webhook(flow: Flow, old_status: str | None, *, at: datetime) -> JsonObject:
    """Build the webhook that tells a Flow's new status, to its account and not to a number."""
    value: JsonObject = {
        "event": "FLOW_STATUS_CHANGE",
        "message": f"Flow {flow.name} has been created with {flow.status} status",
        "flow_id": flow.id,
    }
    if old_status is not None:
        value["message"] = f"Flow {flow.name} changed status from {old_status} to {flow.status}"
        value["old_status"] = old_status
    change = {"field": "flows", "value": value | {"new_status": flow.status}}
    entry = {"id": flow.waba_id, "time": int(at.timestamp()), "changes": [change]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def batch_webhook(catalog_id: str, handle: str, *, at: datetime) -> JsonObject:
    """Build the webhook that tells that a batch of items is worked off."""
    value = {"catalog_id": catalog_id, "handle": handle, "status": "Finished"}
    change = {"field": "items_batch", "value": value}
    entry = {"id": catalog_id, "time": int(at.timestamp()), "changes": [change]}
    return {"object": "catalog", "entry": [entry]}


def encode(webhook: JsonObject) -> bytes:
    r"""Write a webhook as Meta does: compact, with everything beyond ASCII as \u escapes."""
    return json.dumps(webhook, ensure_ascii=True, separators=(",", ":")).encode()


def signature(app_secret: str, raw: bytes) -> str:
    """Return the value of the signature header for the bytes of a body."""
    return f"sha256={hmac.new(app_secret.encode(), raw, hashlib.sha256).hexdigest()}"


def timestamp(at: datetime) -> str:
    """Write a time as webhooks do: seconds since 1970, as a string."""
    return str(int(at.timestamp()))


def _webhook(number: PhoneNumber, value: JsonObject) -> JsonObject:
    metadata = {
        "display_phone_number": digits(number.display_phone_number),
        "phone_number_id": number.phone_number_id,
    }
    common = {"messaging_product": "whatsapp", "metadata": metadata}
    change = {"field": "messages", "value": common | value}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": number.waba_id, "changes": [change]}],
    }


def _contact(person: Person, *, shows_phone: bool) -> JsonObject:
    profile = {"name": person.name}
    if person.username is not None:
        profile["username"] = person.username
    phone = {"wa_id": person.phone} if shows_phone else {}
    return {"profile": profile} | phone | {"user_id": person.user_id}


def _with_business_in_context(number: PhoneNumber, message: JsonObject) -> JsonObject:
    context = message.get("context")
    if not isinstance(context, dict) or "id" not in context:
        return message
    business = {"from": digits(number.display_phone_number)}
    return message | {"context": business | context}


def _pricing(payload: JsonObject) -> JsonObject:
    if payload["type"] == "template":
        return {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "utility"}
    return {
        "billable": False,
        "pricing_model": "PMP",
        "type": "free_customer_service",
        "category": "service",
    }
