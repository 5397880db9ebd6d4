"""A flow message on a customer's phone, and what its button opens; not what then happens."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from engine.sandbox.device.checks import version_of
from engine.sandbox.device.line import NoAnswer
from engine.sandbox.envelope import JsonObject
from engine.sandbox.flow_documents.faults import Version
from engine.sandbox.flow_messages import offered_flow
from engine.sandbox.flow_state import Flow
from engine.sandbox.state import Person, PhoneNumber, Received, World

# What a token is when the business sets none.
NO_TOKEN = "unused"
FIRST_SIGNED: Version = (7, 3)
SERVED = ("DRAFT", "PUBLISHED", "THROTTLED")


@dataclass(frozen=True, slots=True)
class Invitation:
    """A flow message that a customer received, and the Flow that it opens."""

    number: PhoneNumber
    person: Person
    wamid: str
    parameters: JsonObject
    flow: Flow
    document: JsonObject

    @property
    def token(self) -> str:
        """Return the flow token."""
        return str(self.parameters.get("flow_token", NO_TOKEN))

    @property
    def endpoint(self) -> str:
        """Return where the requests of the Flow go."""
        return self.flow.endpoint_uri or ""

    def request(self, action: str, screen: str, data: JsonObject) -> JsonObject:
        """Word a request to the endpoint."""
        version = self.document.get("data_api_version", "3.0")
        request: JsonObject = {
            "version": version,
            "action": action,
            "screen": screen,
            "data": data,
            "flow_token": self.token,
        }
        if version == "4.0" and version_of(self.document) >= FIRST_SIGNED:
            request["flow_token_signature"] = token_signature(self.number.app_secret, self.token)
        return request


def flow_parameters(message: Received) -> JsonObject | None:
    """Return what a message says about the Flow that it opens, if it opens one."""
    content = message.payload.get("interactive", {})
    if content.get("type") != "flow":
        return None
    parameters: JsonObject = content["action"]["parameters"]
    return {name: value for name, value in parameters.items() if value is not None}


def invitation(world: World, person: Person, message: Received) -> Invitation:
    """Find what a flow message opens.

    Raises:
        NoAnswer: the account has no such Flow, or it may not be opened.
    """
    parameters = flow_parameters(message) or {}
    number = world.phones.get(message.phone_number_id)
    if number is None:
        raise _not_served(f"the number {message.phone_number_id} is gone")
    flow = offered_flow(world, number, message.payload)
    if flow is None:
        raise _not_served("the account has no such Flow")
    is_draft = parameters.get("mode") == "draft"
    document = flow.document if is_draft else flow.published
    if document is None or flow.status not in SERVED:
        raise _not_served(f"the Flow {flow.name} is {flow.status}")
    if is_draft and flow.validation_errors:
        raise _not_served(f"the Flow {flow.name} has validation errors")
    return Invitation(number, person, message.wamid, parameters, flow, document)


def flow_reply(response: Mapping[str, object], wamid: str) -> JsonObject:
    """Word the message that ends the Flow a message opened."""
    reply = {
        "name": "flow",
        "body": "Sent",
        "response_json": orjson.dumps(dict(response)).decode(),
    }
    return {
        "type": "interactive",
        "interactive": {"type": "nfm_reply", "nfm_reply": reply},
        "context": {"id": wamid},
    }


def token_signature(app_secret: str, token: str) -> str:
    """Return the `flow_token_signature` of a token: a JWT that holds it."""
    parts = ({"alg": "HS256", "typ": "JWT"}, {"flow_token": token})
    signed = b".".join(_url_base64(orjson.dumps(part)) for part in parts)
    seal = hmac.new(app_secret.encode(), signed, hashlib.sha256).digest()
    return b".".join((signed, _url_base64(seal))).decode()


def _not_served(reason: str) -> NoAnswer:
    return NoAnswer("cannot_be_served", f"The Flow cannot be opened: {reason}")


def _url_base64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
