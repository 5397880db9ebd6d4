"""What messages let a customer tap, and what tapping it sends."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.sandbox.envelope import JsonObject
from engine.sandbox.state import Received


@dataclass(frozen=True, slots=True)
class Choice:
    """Something a received message lets the customer tap."""

    wamid: str
    kind: str
    id: str
    title: str
    description: str | None = None

    def reply(self) -> JsonObject:
        """Return the message that tapping it sends."""
        context = {"context": {"id": self.wamid}} if self.wamid else {}
        if self.kind == "button":
            return {
                "type": "button",
                "button": {"payload": self.id, "text": self.title},
            } | context
        described = {} if self.description is None else {"description": self.description}
        reply = {"id": self.id, "title": self.title} | described
        return {
            "type": "interactive",
            "interactive": {"type": self.kind, self.kind: reply},
        } | context


def choices(message: Received) -> Iterator[Choice]:
    """Return what a message lets the customer tap: list rows, reply buttons, quick replies."""
    payload = message.payload
    body = payload[payload["type"]]
    kind = payload["type"] if payload["type"] == "template" else body.get("type", "")
    offers = OFFERS.get(kind)
    if offers is not None:
        yield from offers(message.wamid, body)


def _rows(wamid: str, body: JsonObject) -> Iterator[Choice]:
    for section in body["action"]["sections"]:
        for row in section["rows"]:
            yield Choice(wamid, "list_reply", row["id"], row["title"], row.get("description"))


def _buttons(wamid: str, body: JsonObject) -> Iterator[Choice]:
    for button in body["action"]["buttons"]:
        reply = button["reply"]
        yield Choice(wamid, "button_reply", reply["id"], reply["title"])


def _quick_replies(wamid: str, body: JsonObject) -> Iterator[Choice]:
    for component in body.get("components", []):
        if component.get("sub_type") == "quick_reply":
            for parameter in component.get("parameters", []):
                # What the button says is in the approved template, unknown to the sandbox.
                payload = parameter["payload"]
                yield Choice(wamid, "button", payload, payload)


OFFERS: Mapping[str, Callable[[str, JsonObject], Iterator[Choice]]] = MappingProxyType(
    {"list": _rows, "button": _buttons, "template": _quick_replies}
)
