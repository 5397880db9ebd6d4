"""Messages to customers as values that keep WhatsApp's rules once they exist; none is sent here.

A message checks itself and its parts when it is made: `LimitExceeded` for what is too long or too
many, `InvalidMessage` for the rest. A required text must not be blank; a blank optional one is
left out. Wire shapes and rules: Meta's pages messages/*, catalogs/share-products,
flows/guides/sendingaflow and templates/overview.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from engine.errors import EngineError, LimitExceeded
from engine.whatsapp import limits

_TEMPLATE_NAME: Final = re.compile(r"[a-z0-9_]+")
_PHONE: Final = re.compile(r"\+?([0-9]{5,20})")
_NOT_IN_A_URL: Final = re.compile(r"[\s\x00-\x1f\x7f]")


class InvalidMessage(EngineError):
    """A message breaks a rule of WhatsApp that is not a length.

    Args:
        field: the field of the message, such as `buttons.buttons[1].id`.
        problem: what is wrong with it, to follow the field's name.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


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
        _require_text("text.body", self.body, limits.TEXT_BODY)

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        return {"type": "text", "text": {"body": self.body, "preview_url": self.preview_url}}


@dataclass(frozen=True, slots=True)
class ImageMessage:
    """A picture that Meta fetches from a link (JPEG or PNG, at most 5 MB)."""

    link: str
    caption: str | None = None

    def __post_init__(self) -> None:
        _require_url("image.link", self.link)
        _allow_text("image.caption", self.caption, limits.CAPTION)

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        return {"type": "image", "image": {"link": self.link, **_given(caption=self.caption)}}


@dataclass(frozen=True, slots=True)
class ListRow:
    """One choice of a list; checked by the list that holds it.

    Args:
        id: what comes back when the customer chooses it; unique in the list.
        title: the choice in words.
        description: a second, smaller line.
    """

    id: str
    title: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class ListSection:
    """A group of choices of a list; it needs a title when the list has more than one."""

    rows: tuple[ListRow, ...]
    title: str | None = None


@dataclass(frozen=True, slots=True)
class ListMessage:
    """A text with a button that opens a list of choices.

    Args:
        body: the text.
        button: the label of the button.
        sections: the choices in groups, at most ten choices in all.
        header: a text above the body; lists have no other header.
        footer: a small text below it.
    """

    body: str
    button: str
    sections: tuple[ListSection, ...]
    _: KW_ONLY
    header: str | None = None
    footer: str | None = None

    def __post_init__(self) -> None:
        _check_frame("list", body=self.body, header=self.header, footer=self.footer)
        _require_text("list.button", self.button, limits.LIST_BUTTON)
        _require_count("list.sections", self.sections, limits.LIST_SECTIONS)
        _check_section_titles("list", [section.title for section in self.sections])
        rows = [row for section in self.sections for row in section.rows]
        _require_count("list.rows", rows, limits.LIST_ROWS)
        for index, section in enumerate(self.sections):
            _require_count(f"list.sections[{index}].rows", section.rows, limits.LIST_ROWS)
            for position, row in enumerate(section.rows):
                _check_row(f"list.sections[{index}].rows[{position}]", row)
        _require_unique("list.rows", "id", [row.id for row in rows])

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        action = {
            "button": self.button,
            "sections": [
                {
                    **_given(title=section.title),
                    "rows": [
                        {"id": row.id, "title": row.title, **_given(description=row.description)}
                        for row in section.rows
                    ],
                }
                for section in self.sections
            ],
        }
        return _interactive(
            "list", body=self.body, action=action, header=self.header, footer=self.footer
        )


@dataclass(frozen=True, slots=True)
class ReplyButton:
    """A button that answers for the customer; checked by the message that holds it.

    Args:
        id: what comes back when the customer taps it; unique in the message.
        title: the label; unique in the message.
    """

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class ButtonsMessage:
    """A text with up to three buttons.

    Args:
        body: the text.
        buttons: one to three buttons.
        header: a text above the body; not together with an image.
        image: the link of a picture above the body.
        footer: a small text below it.
    """

    body: str
    buttons: tuple[ReplyButton, ...]
    _: KW_ONLY
    header: str | None = None
    image: str | None = None
    footer: str | None = None

    def __post_init__(self) -> None:
        _check_frame(
            "buttons", body=self.body, header=self.header, image=self.image, footer=self.footer
        )
        _require_count("buttons.buttons", self.buttons, limits.BUTTONS)
        for index, button in enumerate(self.buttons):
            _check_button(f"buttons.buttons[{index}]", button)
        _require_unique("buttons.buttons", "id", [button.id for button in self.buttons])
        _require_unique("buttons.buttons", "title", [button.title for button in self.buttons])

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        action = {
            "buttons": [
                {"type": "reply", "reply": {"id": button.id, "title": button.title}}
                for button in self.buttons
            ]
        }
        return _interactive(
            "button",
            body=self.body,
            action=action,
            header=self.header,
            image=self.image,
            footer=self.footer,
        )


@dataclass(frozen=True, slots=True)
class LinkMessage:
    """A text with one button that opens a web page (`cta_url`).

    Args:
        body: the text.
        text: the label of the button.
        url: the page, http or https.
        header: a text above the body; not together with an image.
        image: the link of a picture above the body.
        footer: a small text below it.
    """

    body: str
    text: str
    _: KW_ONLY
    url: str
    header: str | None = None
    image: str | None = None
    footer: str | None = None

    def __post_init__(self) -> None:
        _check_frame(
            "link", body=self.body, header=self.header, image=self.image, footer=self.footer
        )
        _require_text("link.text", self.text, limits.CTA_DISPLAY_TEXT)
        _require_url("link.url", self.url)

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        parameters = {"display_text": self.text, "url": self.url}
        return _interactive(
            "cta_url",
            body=self.body,
            action={"name": "cta_url", "parameters": parameters},
            header=self.header,
            image=self.image,
            footer=self.footer,
        )


@dataclass(frozen=True, slots=True)
class LocationRequest:
    """A text with a button that sends the customer's location."""

    body: str

    def __post_init__(self) -> None:
        _check_frame("location_request", body=self.body)

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        action = {"name": "send_location"}
        return _interactive("location_request_message", body=self.body, action=action)


@dataclass(frozen=True, slots=True)
class ContactRequest:
    """A text with a button that shares the phone number of a customer known by user id only."""

    body: str

    def __post_init__(self) -> None:
        _check_frame("contact_request", body=self.body)

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        action = {"name": "request_contact_info"}
        return _interactive("request_contact_info", body=self.body, action=action)


@dataclass(frozen=True, slots=True)
class ProductMessage:
    """One product of the catalogue linked to the WhatsApp account; such a message has no header.

    Args:
        catalog_id: Meta's id of the catalogue.
        product_id: our id of the product, Meta's `product_retailer_id`.
        body: a text below the product.
        footer: a small text below that.
    """

    catalog_id: str
    product_id: str
    _: KW_ONLY
    body: str | None = None
    footer: str | None = None

    def __post_init__(self) -> None:
        _require_text("product.catalog_id", self.catalog_id)
        _require_text("product.product_id", self.product_id)
        _allow_text("product.body", self.body, limits.INTERACTIVE_BODY)
        _allow_text("product.footer", self.footer, limits.FOOTER)

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        action = {"catalog_id": self.catalog_id, "product_retailer_id": self.product_id}
        return _interactive("product", body=self.body, action=action, footer=self.footer)


@dataclass(frozen=True, slots=True)
class ProductSection:
    """A group of products of a product list; it needs a title when the list has more than one."""

    title: str | None
    product_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProductListMessage:
    """A list of products of the catalogue linked to the WhatsApp account.

    Args:
        catalog_id: Meta's id of the catalogue.
        header: a text above the body; this kind of message must have one.
        body: the text.
        sections: the products in groups, by our ids, at most thirty in all.
        footer: a small text below the body.
    """

    catalog_id: str
    header: str
    _: KW_ONLY
    body: str
    sections: tuple[ProductSection, ...]
    footer: str | None = None

    def __post_init__(self) -> None:
        _require_text("product_list.catalog_id", self.catalog_id)
        _require_text("product_list.header", self.header, limits.HEADER_TEXT)
        _check_frame("product_list", body=self.body, footer=self.footer)
        _require_count("product_list.sections", self.sections, limits.PRODUCT_LIST_SECTIONS)
        _check_section_titles("product_list", [section.title for section in self.sections])
        products = [product for section in self.sections for product in section.product_ids]
        _require_count("product_list.products", products, limits.PRODUCT_LIST_ITEMS)
        for index, section in enumerate(self.sections):
            field = f"product_list.sections[{index}].product_ids"
            _require_count(field, section.product_ids, limits.PRODUCT_LIST_ITEMS)
            for position, product in enumerate(section.product_ids):
                _require_text(f"{field}[{position}]", product)

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        action = {
            "catalog_id": self.catalog_id,
            "sections": [
                {
                    **_given(title=section.title),
                    "product_items": [{"product_retailer_id": id_} for id_ in section.product_ids],
                }
                for section in self.sections
            ],
        }
        return _interactive(
            "product_list", body=self.body, action=action, header=self.header, footer=self.footer
        )


@dataclass(frozen=True, slots=True)
class CatalogMessage:
    """A text with a button that opens the whole catalogue.

    Args:
        body: the text.
        thumbnail_product_id: our id of the product whose picture is shown instead of the first.
        footer: a small text below the body.
    """

    body: str
    _: KW_ONLY
    thumbnail_product_id: str | None = None
    footer: str | None = None

    def __post_init__(self) -> None:
        _check_frame("catalog", body=self.body, footer=self.footer)
        _allow_text("catalog.thumbnail_product_id", self.thumbnail_product_id)

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        parameters = _given(thumbnail_product_retailer_id=self.thumbnail_product_id)
        action = {
            "name": "catalog_message",
            **({"parameters": parameters} if parameters else {}),
        }
        return _interactive("catalog_message", body=self.body, action=action, footer=self.footer)


@dataclass(frozen=True, slots=True)
class FlowMessage:
    """A text with a button that opens a Flow.

    Args:
        body: the text.
        flow_id: Meta's id of the Flow.
        cta: the label of the button.
        token: comes back with every exchange and with the completion.
        action: open a screen at once, or ask our endpoint for the first one.
        screen: the entry screen to open; with "navigate", and only then.
        data: the data of that screen, not empty, without nulls.
        mode: "draft" opens a Flow that is not published.
        header: a text above the body; not together with an image.
        image: the link of a picture above the body.
        footer: a small text below it.
    """

    body: str
    flow_id: str
    _: KW_ONLY
    cta: str
    token: str
    action: Literal["navigate", "data_exchange"]
    screen: str | None = None
    data: Mapping[str, Any] | None = None
    mode: Literal["published", "draft"] = "published"
    header: str | None = None
    image: str | None = None
    footer: str | None = None

    def __post_init__(self) -> None:
        _check_frame(
            "flow", body=self.body, header=self.header, image=self.image, footer=self.footer
        )
        _require_text("flow.flow_id", self.flow_id)
        _require_text("flow.cta", self.cta, limits.FLOW_CTA)
        _require_text("flow.token", self.token)
        if self.action == "navigate":
            _require_text("flow.screen", self.screen or "")
        elif self.screen is not None or self.data is not None:
            raise InvalidMessage("flow.screen", 'a screen and its data go with "navigate" only')
        if self.data is not None:
            _require_some("flow.data", self.data)
            _require_json("flow.data", dict(self.data))

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        parameters: dict[str, Any] = {
            "flow_message_version": "3",
            "flow_id": self.flow_id,
            "flow_cta": self.cta,
            "mode": self.mode,
            "flow_token": self.token,
            "flow_action": self.action,
        }
        if self.action == "navigate":
            payload = {"screen": self.screen}
            parameters["flow_action_payload"] = (
                payload if self.data is None else {**payload, "data": dict(self.data)}
            )
        return _interactive(
            "flow",
            body=self.body,
            action={"name": "flow", "parameters": parameters},
            header=self.header,
            image=self.image,
            footer=self.footer,
        )


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
        _require_text("template.name", self.name, limits.TEMPLATE_NAME)
        if not _TEMPLATE_NAME.fullmatch(self.name):
            raise InvalidMessage("template.name", "only a-z, 0-9 and _ are allowed")
        _require_text("template.language", self.language)
        _require_json("template.components", [dict(component) for component in self.components])

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
        _require_text("read.message_id", self.message_id)

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
    _allow_text("biz_opaque_callback_data", opaque, limits.OPAQUE)
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **_address(to, recipient),
        **message.to_wire(),
        **_given(biz_opaque_callback_data=opaque),
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
        _require_text("recipient", recipient)
        return {"recipient": recipient}
    raise InvalidMessage("to", "give a phone number or a user id")


def _interactive(
    kind: str,
    *,
    body: str | None,
    action: Mapping[str, Any],
    header: str | None = None,
    image: str | None = None,
    footer: str | None = None,
) -> dict[str, Any]:
    content: dict[str, Any] = {"type": kind}
    if _is_given(header):
        content["header"] = {"type": "text", "text": header}
    elif _is_given(image):
        content["header"] = {"type": "image", "image": {"link": image}}
    if _is_given(body):
        content["body"] = {"text": body}
    if _is_given(footer):
        content["footer"] = {"text": footer}
    content["action"] = action
    return {"type": "interactive", "interactive": content}


def _is_given(text: str | None) -> bool:
    return text is not None and text.strip() != ""


def _given(**texts: str | None) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text is not None and _is_given(text)}


def _check_frame(
    kind: str,
    *,
    body: str,
    header: str | None = None,
    image: str | None = None,
    footer: str | None = None,
) -> None:
    if _is_given(header) and _is_given(image):
        raise InvalidMessage(f"{kind}.header", "a message has a text or an image on top, not both")
    _allow_text(f"{kind}.header", header, limits.HEADER_TEXT)
    if image is not None and _is_given(image):
        _require_url(f"{kind}.image", image)
    _require_text(f"{kind}.body", body, limits.INTERACTIVE_BODY)
    _allow_text(f"{kind}.footer", footer, limits.FOOTER)


def _check_section_titles(kind: str, titles: Sequence[str | None]) -> None:
    for index, title in enumerate(titles):
        field = f"{kind}.sections[{index}].title"
        if len(titles) > 1:
            _require_text(field, title or "", limits.SECTION_TITLE)
        else:
            _allow_text(field, title, limits.SECTION_TITLE)


def _check_row(field: str, row: ListRow) -> None:
    _require_text(f"{field}.id", row.id, limits.ROW_ID)
    _require_text(f"{field}.title", row.title, limits.ROW_TITLE)
    _allow_text(f"{field}.description", row.description, limits.ROW_DESCRIPTION)


def _check_button(field: str, button: ReplyButton) -> None:
    _require_text(f"{field}.id", button.id, limits.BUTTON_ID)
    if button.id != button.id.strip():
        raise InvalidMessage(f"{field}.id", "must not begin or end with a space")
    _require_text(f"{field}.title", button.title, limits.BUTTON_TITLE)


def _require_text(field: str, text: str, limit: int | None = None) -> None:
    if not _is_given(text):
        raise InvalidMessage(field, "must not be blank")
    _allow_text(field, text, limit)


def _allow_text(field: str, text: str | None, limit: int | None = None) -> None:
    if text is None:
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidMessage(field, "has half a character (a lone surrogate)") from None
    if limit is not None and limits.length(text) > limit:
        raise LimitExceeded(field, limit=limit, length=limits.length(text))


def _require_url(field: str, url: str) -> None:
    _require_text(field, url)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or _NOT_IN_A_URL.search(url):
        raise InvalidMessage(field, "not a web address (http or https)")


def _require_some(field: str, elements: Sequence[object] | Mapping[str, object]) -> None:
    if not elements:
        raise InvalidMessage(field, "must not be empty")


def _require_count(field: str, elements: Sequence[object], limit: int) -> None:
    _require_some(field, elements)
    if len(elements) > limit:
        raise LimitExceeded(field, limit=limit, length=len(elements))


def _require_unique(field: str, key: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value in seen:
            raise InvalidMessage(f"{field}[{index}].{key}", f"{value!r} is there twice")
        seen.add(value)


def _require_json(field: str, value: object) -> None:
    """Check that a value survives the way through the outbox to the wire; Flows know no null."""
    match value:
        case str():
            _allow_text(field, value)
        case bool():
            pass
        case int() if -(2**63) <= value < 2**63:
            pass
        case float() if math.isfinite(value):
            pass
        case dict():
            for key, member in value.items():
                if not isinstance(key, str):
                    raise InvalidMessage(field, f"the key {key!r} is not a text")
                _require_json(f"{field}.{key}", member)
        case list() | tuple():
            for index, member in enumerate(value):
                _require_json(f"{field}[{index}]", member)
        case _:
            raise InvalidMessage(field, f"{type(value).__name__} is not allowed here")
