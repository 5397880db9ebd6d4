"""What every interactive message has around its action: header, body, footer; no kind is known.

Wire shapes and rules: Meta's pages messages/interactive-*.
"""

from collections.abc import Mapping
from typing import Any

from engine.whatsapp import limits
from engine.whatsapp.rules import InvalidMessage, allow_text, is_given, require_text, require_url


def check_frame(
    kind: str,
    *,
    body: str,
    header: str | None = None,
    image: str | None = None,
    footer: str | None = None,
) -> None:
    """Check header, body and footer; the header is a text or a picture, if there is one."""
    if is_given(header) and is_given(image):
        raise InvalidMessage(f"{kind}.header", "a message has a text or an image on top, not both")
    allow_text(f"{kind}.header", header, limit=limits.HEADER_TEXT)
    if image is not None and is_given(image):
        require_url(f"{kind}.image", image)
    require_text(f"{kind}.body", body, limit=limits.INTERACTIVE_BODY)
    allow_text(f"{kind}.footer", footer, limit=limits.FOOTER)


def framed(
    kind: str,
    *,
    body: str | None,
    action: Mapping[str, Any],
    header: str | None = None,
    image: str | None = None,
    footer: str | None = None,
) -> dict[str, Any]:
    """Give the message's part of a request body; blank texts are left out."""
    content: dict[str, Any] = {"type": kind}
    if is_given(header):
        content["header"] = {"type": "text", "text": header}
    elif is_given(image):
        content["header"] = {"type": "image", "image": {"link": image}}
    if is_given(body):
        content["body"] = {"text": body}
    if is_given(footer):
        content["footer"] = {"text": footer}
    content["action"] = action
    return {"type": "interactive", "interactive": content}
