"""Meta's checks before a Flow is published; what a right Flow JSON is, `flow_documents` knows."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from engine.sandbox.device.crypto import Unreadable, seal_request
from engine.sandbox.envelope import Complaint, JsonObject
from engine.sandbox.flow_documents.check import is_publishable
from engine.sandbox.flow_documents.screens import has_endpoint
from engine.sandbox.flow_state import Flow
from engine.sandbox.options import SandboxOptions
from engine.sandbox.state import PhoneNumber, World
from engine.sandbox.webhooks import SIGNATURE_HEADER, signature


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a Flow cannot be published: in short, and what to do about it."""

    title: str
    message: str

    def complaint(self) -> Complaint:
        """Return what Meta says against publishing."""
        return Complaint(139002, user_title=self.title, user_message=self.message)


def obstacles(flow: Flow, world: World) -> Iterator[Obstacle]:
    """Give what can be seen without a request to the endpoint."""
    if flow.status != "DRAFT":
        yield Obstacle(
            "Publishing Flow in invalid state", f"The Flow is {flow.status}, not DRAFT."
        )
    if not flow.text:
        yield Obstacle("Publishing Flow with validation errors", "The Flow has no Flow JSON.")
    elif flow.document is None or flow.validation_errors:
        message = "You need to fix the validation errors before you can publish the Flow."
        yield Obstacle("Publishing Flow with validation errors", message)
    else:
        yield from _version_obstacles(flow.document)
        if has_endpoint(flow.document):
            yield from _endpoint_obstacles(flow, world)


async def ping(flow: Flow, world: World, options: SandboxOptions) -> Obstacle | None:
    """Ask the endpoint of a Flow without other obstacles whether it is there."""
    found = _key(flow, world)
    if flow.document is None or not has_endpoint(flow.document) or found is None:
        return None
    problem = await _pinged(flow, flow.document, *found, seconds=options.callback_timeout)
    return Obstacle("Endpoint Not Available", problem) if problem else None


def _version_obstacles(document: JsonObject) -> Iterator[Obstacle]:
    if not is_publishable(document):
        title = "Versions in Flow JSON file are not available for publishing"
        message = f"Flow JSON version {document['version']} is frozen."
        yield Obstacle(title, message)


def _endpoint_obstacles(flow: Flow, world: World) -> Iterator[Obstacle]:
    if flow.endpoint_uri is None:
        title = "Publishing without specifying endpoint_uri is forbidden"
        yield Obstacle(title, "Please set endpoint_uri for the Flow before publishing.")
    if _key(flow, world) is None:
        message = "You need to upload and sign a public key to a phone number of the account."
        yield Obstacle("Missing Flows Signed Public Key", message)


def _key(flow: Flow, world: World) -> tuple[PhoneNumber, str] | None:
    """Return the first number of the account that has a public key, and that key."""
    for number in world.numbers_of(flow.waba_id):
        if number.phone_number_id in world.public_keys:
            return number, world.public_keys[number.phone_number_id]
    return None


async def _pinged(
    flow: Flow, document: JsonObject, number: PhoneNumber, key: str, *, seconds: float
) -> str:
    """Ping an endpoint as a phone does; return what is wrong with the answer, if anything is."""
    raw, secret = seal_request(key, {"version": document["data_api_version"], "action": "ping"})
    headers = {
        "Content-Type": "application/json",
        SIGNATURE_HEADER: signature(number.app_secret, raw),
    }
    try:
        async with httpx.AsyncClient(timeout=seconds, trust_env=False) as http:
            answer = await http.post(flow.endpoint_uri or "", content=raw, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        return f"The endpoint does not answer: {type(problem).__name__}."
    if answer.status_code != 200:
        return f"The endpoint answered the health check with HTTP {answer.status_code}."
    try:
        said = secret.open_answer(answer.text)
    except Unreadable as problem:
        return f"The answer to the health check cannot be read: {problem}."
    data = said.get("data") if isinstance(said, dict) else None
    if not isinstance(data, dict) or data.get("status") != "active":
        return 'The answer to the health check is not {"data": {"status": "active"}}.'
    return ""
