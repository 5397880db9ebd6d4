"""Messages to customers as values that keep WhatsApp's rules once they exist; none is sent here.

A message checks itself and its parts when it is made: `LimitExceeded` for what is too long or too
many, `InvalidMessage` for the rest. The interactive ones have modules of their own. Wire shapes
and rules: Meta's pages messages/* and templates/overview.
"""

import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, Final, TypeAlias

from engine.whatsapp import limits
from engine.whatsapp.flow import FlowMessage
from engine.whatsapp.interactive import (
    ButtonsMessage,
    ContactRequest,
    LinkMessage,
    ListMessage,
    LocationRequest,
)
from engine.whatsapp.products import CatalogMessage, ProductListMessage, ProductMessage
from engine.whatsapp.rules import (
    InvalidMessage,
    allow_text,
    given,
    require_json,
    require_text,
    require_url,
)

_TEMPLATE_NAME: Final = re.compile(r"[a-z0-9_]+")
_PHONE: Final = re.compile(r"\+?([0-9]{5,20})")


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A plain text.

    Args:
        body: the text, with WhatsApp's own formatting.
        preview_url: show a preview of the first link in it.
    """

    body: str
    _: KW_ONLY
    preview_url: bool = False

    def __post_init__(self) -> None:
        require_text("text.body", self.body, limit=limits.TEXT_BODY)

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        return {"type": "text", "text": {"body": self.body, "preview_url": self.preview_url}}


@dataclass(frozen=True, slots=True)
class ImageMessage:
    """A picture that Meta fetches from a link (JPEG or PNG, at most 5 MB)."""

    link: str
    caption: str | None = None

    def __post_init__(self) -> None:
        require_url("image.link", self.link)
        allow_text("image.caption", self.caption, limit=limits.CAPTION)

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        return {"type": "image", "image": {"link": self.link, **given(caption=self.caption)}}


@dataclass(frozen=True, slots=True)
class TemplateMessage:
    """A message that Meta has approved before; the only kind outside the 24-hour window.

    Args:
        name: the template's name, of small letters, digits and underscores.
        language: its language code, such as "en_US".
        components: the parameters of its parts, in Meta's own form.
    """

    name: str
    language: str
    components: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        require_text("template.name", self.name, limit=limits.TEMPLATE_NAME)
        if not _TEMPLATE_NAME.fullmatch(self.name):
            raise InvalidMessage("template.name", "only a-z, 0-9 and _ are allowed")
        require_text("template.language", self.language)
        require_json("template.components", [dict(component) for component in self.components])

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        components = [dict(component) for component in self.components]
        template = {
            "name": self.name,
            "language": {"code": self.language},
            **({"components": components} if components else {}),
        }
        return {"type": "template", "template": template}


@dataclass(frozen=True, slots=True)
class ReadReceipt:
    """The sign that a message was read, not a message itself.

    Args:
        message_id: the customer's message; earlier ones count as read too.
        typing: also show that an answer is being typed, until it comes or for 25 seconds.
    """

    message_id: str
    _: KW_ONLY
    typing: bool = True

    def __post_init__(self) -> None:
        require_text("read.message_id", self.message_id)

    def to_wire(self) -> dict[str, Any]:
        """Give the whole request body: a receipt has no recipient."""
        body: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": self.message_id,
        }
        return {**body, "typing_indicator": {"type": "text"}} if self.typing else body


OutboundMessage: TypeAlias = (
    TextMessage
    | ImageMessage
    | ListMessage
    | ButtonsMessage
    | LinkMessage
    | LocationRequest
    | ContactRequest
    | ProductMessage
    | ProductListMessage
    | CatalogMessage
    | FlowMessage
    | TemplateMessage
    | ReadReceipt
)


def to_payload(
    message: OutboundMessage,
    *,
    to: str | None,
    recipient: str | None = None,
    opaque: str | None = None,
) -> dict[str, Any]:
    """Give the complete body of `POST /{phone number id}/messages`.

    Args:
        message: what to send; a `ReadReceipt` is complete by itself and ignores the rest.
        to: the customer's phone number with country code; a missing "+" is added.
        recipient: the customer's business-scoped user id, when his phone number is not known.
        opaque: a text of ours that comes back in the statuses of this message.

    Raises:
        InvalidMessage: not exactly one of `to` and `recipient`, or `to` is no phone number.
        LimitExceeded: `opaque` is too long.
    """
    if isinstance(message, ReadReceipt):
        return message.to_wire()
    allow_text("biz_opaque_callback_data", opaque, limit=limits.OPAQUE)
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **_address(to, recipient),
        **message.to_wire(),
        **given(biz_opaque_callback_data=opaque),
    }


def _address(to: str | None, recipient: str | None) -> dict[str, str]:
    if to and recipient:
        raise InvalidMessage("to", "give a phone number or a user id, not both")
    if to:
        phone = _PHONE.fullmatch(to)
        if phone is None:
            raise InvalidMessage("to", "not a phone number with country code")
        return {"to": f"+{phone[1]}"}
    if recipient:
        require_text("recipient", recipient)
        return {"recipient": recipient}
    raise InvalidMessage("to", "give a phone number or a user id")
