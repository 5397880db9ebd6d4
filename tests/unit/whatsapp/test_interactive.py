"""Lists, buttons, links and requests: their wire shapes, their limits, their rules."""

import dataclasses

import pytest

from engine.errors import LimitExceeded
from engine.whatsapp.interactive import (
    ButtonsMessage,
    ContactRequest,
    ListMessage,
    ListRow,
    ListSection,
    LocationRequest,
    ReplyButton,
)
from tests.unit.whatsapp.messages import IMAGE, assert_limit, assert_refused, assert_wire, link


def rows(count: int, first: int = 0) -> tuple[ListRow, ...]:
    return tuple(ListRow(f"prod:{n}", f"Pizza {n}") for n in range(first, first + count))


def one_row(**changes) -> ListMessage:
    row = dataclasses.replace(ListRow("cat:pizza", "Pizza"), **changes)
    return ListMessage("What would you like?", "Menu", (ListSection((row,)),))


def one_button(**changes) -> ButtonsMessage:
    return ButtonsMessage(
        "Sure?", (dataclasses.replace(ReplyButton("checkout", "Pay"), **changes),)
    )


def list_message(**changes) -> ListMessage:
    return dataclasses.replace(one_row(), **changes)


def sections_of(*counts: int) -> tuple[ListSection, ...]:
    firsts = [sum(counts[:index]) for index in range(len(counts))]
    return tuple(
        ListSection(rows(count, first), f"Part {first}")
        for count, first in zip(counts, firsts, strict=True)
    )


SHAPES = [
    (
        ListMessage(
            "What would you like?",
            "Menu",
            (
                ListSection((ListRow("cat:pizza", "Pizza", "From 8 €"),), "Food"),
                ListSection((ListRow("cat:drinks", "Drinks", ""),), "Drinks"),
            ),
            header="Trattoria",
            footer="Open until 23:00",
        ),
        {
            "type": "interactive",
            "interactive": {
                "type": "list",
                "header": {"type": "text", "text": "Trattoria"},
                "body": {"text": "What would you like?"},
                "footer": {"text": "Open until 23:00"},
                "action": {
                    "button": "Menu",
                    "sections": [
                        {
                            "title": "Food",
                            "rows": [
                                {"id": "cat:pizza", "title": "Pizza", "description": "From 8 €"}
                            ],
                        },
                        {"title": "Drinks", "rows": [{"id": "cat:drinks", "title": "Drinks"}]},
                    ],
                },
            },
        },
    ),
    (
        one_row(),
        {
            "type": "interactive",
            "interactive": {
                "type": "list",
                "body": {"text": "What would you like?"},
                "action": {
                    "button": "Menu",
                    "sections": [{"rows": [{"id": "cat:pizza", "title": "Pizza"}]}],
                },
            },
        },
    ),
    (
        ButtonsMessage("Sure?", (ReplyButton("yes", "Yes"), ReplyButton("no", "No")), image=IMAGE),
        {
            "type": "interactive",
            "interactive": {
                "type": "button",
                "header": {"type": "image", "image": {"link": IMAGE}},
                "body": {"text": "Sure?"},
                "action": {
                    "buttons": [
                        {"type": "reply", "reply": {"id": "yes", "title": "Yes"}},
                        {"type": "reply", "reply": {"id": "no", "title": "No"}},
                    ]
                },
            },
        },
    ),
    (
        link(header="Order 12", footer="Thanks"),
        {
            "type": "interactive",
            "interactive": {
                "type": "cta_url",
                "header": {"type": "text", "text": "Order 12"},
                "body": {"text": "Pay here"},
                "footer": {"text": "Thanks"},
                "action": {
                    "name": "cta_url",
                    "parameters": {"display_text": "Pay", "url": "https://pay.example/1"},
                },
            },
        },
    ),
    (
        LocationRequest("Where do we bring it?"),
        {
            "type": "interactive",
            "interactive": {
                "type": "location_request_message",
                "body": {"text": "Where do we bring it?"},
                "action": {"name": "send_location"},
            },
        },
    ),
    (
        ContactRequest("May we call you?"),
        {
            "type": "interactive",
            "interactive": {
                "type": "request_contact_info",
                "body": {"text": "May we call you?"},
                "action": {"name": "request_contact_info"},
            },
        },
    ),
]


@pytest.mark.parametrize(("message", "wire"), SHAPES)
def test_wire_shape(message, wire):
    assert_wire(message, wire)


# Each: how to make the message from a text, the field that is named, the limit.
TEXT_LIMITS = [
    (lambda text: list_message(body=text), "list.body", 1024),
    (lambda text: list_message(button=text), "list.button", 20),
    (lambda text: list_message(header=text), "list.header", 60),
    (lambda text: list_message(footer=text), "list.footer", 60),
    (lambda text: one_row(id=text), "list.sections[0].rows[0].id", 200),
    (lambda text: one_row(title=text), "list.sections[0].rows[0].title", 24),
    (lambda text: one_row(description=text), "list.sections[0].rows[0].description", 72),
    (
        lambda text: list_message(sections=(ListSection(rows(1), text),)),
        "list.sections[0].title",
        24,
    ),
    (lambda text: dataclasses.replace(one_button(), body=text), "buttons.body", 1024),
    (lambda text: dataclasses.replace(one_button(), header=text), "buttons.header", 60),
    (lambda text: dataclasses.replace(one_button(), footer=text), "buttons.footer", 60),
    (lambda text: one_button(id=text), "buttons.buttons[0].id", 256),
    (lambda text: one_button(title=text), "buttons.buttons[0].title", 20),
    (lambda text: link(body=text), "link.body", 1024),
    (lambda text: link(text=text), "link.text", 20),
    (lambda text: link(header=text), "link.header", 60),
    (lambda text: link(footer=text), "link.footer", 60),
    (LocationRequest, "location_request.body", 1024),
    (ContactRequest, "contact_request.body", 1024),
]


@pytest.mark.parametrize(("make", "field", "limit"), TEXT_LIMITS, ids=[t[1] for t in TEXT_LIMITS])
def test_text_limit(make, field, limit):
    assert_limit(lambda length: make("x" * length), field, limit)


def test_limits_count_utf16_units():
    one_row(title="🍕" * 12)
    with pytest.raises(LimitExceeded) as caught:
        one_row(title="🍕" * 12 + "x")
    assert caught.value.length == 25


COUNT_LIMITS = [
    (lambda n: list_message(sections=sections_of(n)), "list.rows", 10),
    (lambda n: list_message(sections=sections_of(n - 5, 5)), "list.rows", 10),
    (lambda n: list_message(sections=sections_of(*[1] * n)), "list.sections", 10),
    (
        lambda n: ButtonsMessage("?", tuple(ReplyButton(f"{i}", f"B{i}") for i in range(n))),
        "buttons.buttons",
        3,
    ),
]


@pytest.mark.parametrize(("make", "field", "limit"), COUNT_LIMITS)
def test_count_limit(make, field, limit):
    assert_limit(make, field, limit)


def test_the_field_names_section_and_row():
    sections = (*sections_of(2), ListSection((*rows(3, 5), ListRow("long", "x" * 25)), "More"))
    with pytest.raises(LimitExceeded, match=r"^list\.sections\[1\]\.rows\[3\]\.title: "):
        list_message(sections=sections)


INVALID = [
    (lambda: list_message(body=""), "list.body"),
    (lambda: list_message(button=" "), "list.button"),
    (lambda: list_message(sections=()), "list.sections"),
    (lambda: list_message(sections=(ListSection(()),)), "list.rows"),
    (
        lambda: list_message(sections=(*sections_of(1), ListSection((), "None"))),
        "list.sections[1].rows",
    ),
    (lambda: one_row(id=""), "list.sections[0].rows[0].id"),
    (lambda: one_row(title=" "), "list.sections[0].rows[0].title"),
    (
        lambda: list_message(sections=(ListSection(rows(1), "A"), ListSection(rows(1, 1)))),
        "list.sections[1].title",
    ),
    (
        lambda: list_message(sections=(ListSection(rows(1), " "), ListSection(rows(1, 1), "B"))),
        "list.sections[0].title",
    ),
    (
        lambda: list_message(sections=(ListSection(rows(2), "A"), ListSection(rows(2, 1), "B"))),
        "list.rows[2].id",
    ),
    (lambda: ButtonsMessage("?", ()), "buttons.buttons"),
    (lambda: one_button(id=""), "buttons.buttons[0].id"),
    (lambda: one_button(id=" yes"), "buttons.buttons[0].id"),
    (lambda: one_button(id="yes\n"), "buttons.buttons[0].id"),
    (lambda: one_button(title=""), "buttons.buttons[0].title"),
    (
        lambda: ButtonsMessage("?", (ReplyButton("a", "A"), ReplyButton("a", "B"))),
        "buttons.buttons[1].id",
    ),
    (
        lambda: ButtonsMessage("?", (ReplyButton("a", "A"), ReplyButton("b", "A"))),
        "buttons.buttons[1].title",
    ),
    (lambda: link(header="Hi", image=IMAGE), "link.header"),
    (lambda: link(text=""), "link.text"),
    (lambda: link(image="pizza.jpg"), "link.image"),
    (lambda: LocationRequest(""), "location_request.body"),
    (lambda: ContactRequest(""), "contact_request.body"),
]


@pytest.mark.parametrize(("make", "field"), INVALID)
def test_rule(make, field):
    assert_refused(make, field)
