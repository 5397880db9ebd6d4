"""Messages that ask for a tap: a list, buttons, a link, a request; none is sent here.

Those that show products or open a Flow are elsewhere. Each checks itself and its parts when it is
made. Wire shapes and rules: Meta's pages messages/*.
"""

from dataclasses import KW_ONLY, dataclass
from typing import Any

from engine.whatsapp import limits
from engine.whatsapp.frame import check_frame, framed
from engine.whatsapp.rules import (
    InvalidMessage,
    allow_text,
    given,
    require_count,
    require_section_titles,
    require_text,
    require_unique,
    require_url,
)


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
        check_frame("list", body=self.body, header=self.header, footer=self.footer)
        require_text("list.button", self.button, limit=limits.LIST_BUTTON)
        require_count("list.sections", self.sections, limit=limits.LIST_SECTIONS)
        require_section_titles("list", [section.title for section in self.sections])
        rows = [row for section in self.sections for row in section.rows]
        require_count("list.rows", rows, limit=limits.LIST_ROWS)
        for index, section in enumerate(self.sections):
            require_count(f"list.sections[{index}].rows", section.rows, limit=limits.LIST_ROWS)
            for position, row in enumerate(section.rows):
                _check_row(f"list.sections[{index}].rows[{position}]", row)
        require_unique("list.rows", [row.id for row in rows], key="id")

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        action = {
            "button": self.button,
            "sections": [
                {
                    **given(title=section.title),
                    "rows": [
                        {"id": row.id, "title": row.title, **given(description=row.description)}
                        for row in section.rows
                    ],
                }
                for section in self.sections
            ],
        }
        return framed(
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
        check_frame(
            "buttons", body=self.body, header=self.header, image=self.image, footer=self.footer
        )
        require_count("buttons.buttons", self.buttons, limit=limits.BUTTONS)
        for index, button in enumerate(self.buttons):
            _check_button(f"buttons.buttons[{index}]", button)
        require_unique("buttons.buttons", [button.id for button in self.buttons], key="id")
        require_unique("buttons.buttons", [button.title for button in self.buttons], key="title")

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        action = {
            "buttons": [
                {"type": "reply", "reply": {"id": button.id, "title": button.title}}
                for button in self.buttons
            ]
        }
        return framed(
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
        check_frame(
            "link", body=self.body, header=self.header, image=self.image, footer=self.footer
        )
        require_text("link.text", self.text, limit=limits.CTA_DISPLAY_TEXT)
        require_url("link.url", self.url)

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        parameters = {"display_text": self.text, "url": self.url}
        return framed(
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
        check_frame("location_request", body=self.body)

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        action = {"name": "send_location"}
        return framed("location_request_message", body=self.body, action=action)


@dataclass(frozen=True, slots=True)
class ContactRequest:
    """A text with a button that shares the phone number of a customer known by user id only."""

    body: str

    def __post_init__(self) -> None:
        check_frame("contact_request", body=self.body)

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        action = {"name": "request_contact_info"}
        return framed("request_contact_info", body=self.body, action=action)


def _check_row(field: str, row: ListRow) -> None:
    require_text(f"{field}.id", row.id, limit=limits.ROW_ID)
    require_text(f"{field}.title", row.title, limit=limits.ROW_TITLE)
    allow_text(f"{field}.description", row.description, limit=limits.ROW_DESCRIPTION)


def _check_button(field: str, button: ReplyButton) -> None:
    require_text(f"{field}.id", button.id, limit=limits.BUTTON_ID)
    if button.id != button.id.strip():
        raise InvalidMessage(f"{field}.id", "must not begin or end with a space")
    require_text(f"{field}.title", button.title, limit=limits.BUTTON_TITLE)
