"""One exchange of a Flow, decrypted: what WhatsApp asks, and every answer it understands.

Which screen comes next is not known here. Formats: flows/guides/implementingyourflowendpoint.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from engine.errors import Malformed
from engine.whatsapp.json_values import as_text, storable

Action = Literal["ping", "INIT", "data_exchange", "BACK", "error"]
"""What WhatsApp wants; "error": the client tells that it could not use our last answer."""

_ASKED: Final = ("ping", "INIT", "data_exchange", "BACK")
# Meta names one key in its table and another in its sample.
_ERROR_KEYS: Final = ("error", "error_key", "error_message")
_LONGEST_ERROR: Final = 200
# Meta publishes no lengths; ours are shorter.
_LONGEST_TEXT: Final = 500
_VERSION: Final = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class FlowRequest:
    """What WhatsApp asks of a Flow's endpoint.

    Args:
        version: of the exchange; the answer repeats it.
        screen: the one the customer is on; None when the Flow only opens.
        data: what the screen sent, of values that can be stored.
        token: the `flow_token` of the message that opened the Flow.
        error: what the client says of our last answer, when the action is "error".
    """

    action: Action
    version: str
    screen: str | None
    data: Mapping[str, Any] = field(repr=False)
    token: str | None = field(repr=False)
    error: str | None


@dataclass(frozen=True, slots=True)
class FlowAnswer:
    """What the endpoint answers, before it is encrypted."""

    body: Mapping[str, Any] = field(repr=False)
    status: int = 200


def parse_flow_request(document: object) -> FlowRequest:
    """Read a decrypted request.

    Raises:
        Malformed: it is not one of WhatsApp's.
    """
    if not isinstance(document, Mapping):
        raise Malformed("the request is not a JSON object")
    action = document.get("action")
    if action not in _ASKED:
        raise Malformed(f"the action is none of {', '.join(_ASKED)}")
    version = document.get("version")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise Malformed('the version is not a text such as "3.0"')
    if action == "ping":
        return FlowRequest("ping", version, screen=None, data={}, token=None, error=None)
    data = _data(document)
    error = _error(data) if action != "BACK" else None
    screen = _text(document, "screen")
    if screen is None and error is None and action != "INIT":
        raise Malformed(f"the screen is missing, which {action} needs")
    return FlowRequest(
        action=cast("Action", "error" if error else action),
        version=version,
        screen=screen,
        data=data,
        token=_text(document, "flow_token"),
        error=error,
    )


def pong() -> FlowAnswer:
    """Tell that the endpoint works."""
    return FlowAnswer({"data": {"status": "active"}})


def acknowledged() -> FlowAnswer:
    """Tell that the client's error was noted."""
    return FlowAnswer({"data": {"acknowledged": True}})


def next_screen(
    request: FlowRequest, screen: str, data: Mapping[str, Any], error_message: str | None = None
) -> FlowAnswer:
    """Show a screen, the same or another.

    Args:
        error_message: is shown below the screen for a moment.
    """
    shown = data if error_message is None else {**data, "error_message": error_message}
    return FlowAnswer({"version": request.version, "screen": screen, "data": shown})


def finished(token: str, params: Mapping[str, Any]) -> FlowAnswer:
    """Close the Flow; the parameters come back in the message that the customer's client sends."""
    answer = {"params": {**params, "flow_token": token}}
    return FlowAnswer({"screen": "SUCCESS", "data": {"extension_message_response": answer}})


def gone(message: str) -> FlowAnswer:
    """Tell that this Flow cannot be used any more: its button is switched off."""
    return FlowAnswer({"error_msg": message}, status=427)


def _data(document: Mapping[str, Any]) -> Mapping[str, Any]:
    data = document.get("data")
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise Malformed("the data is not a JSON object")
    return storable(data)


def _text(document: Mapping[str, Any], name: str) -> str | None:
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise Malformed(f"the {name} is not a text")
    if len(value) > _LONGEST_TEXT:
        raise Malformed(f"the {name} has more than {_LONGEST_TEXT} characters")
    return value or None


def _error(data: Mapping[str, Any]) -> str | None:
    if not any(key in data for key in _ERROR_KEYS):
        return None
    said = [text for key in _ERROR_KEYS if (text := as_text(data.get(key)))]
    return ": ".join(said)[:_LONGEST_ERROR] or "it does not say which"
