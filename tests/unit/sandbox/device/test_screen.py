from typing import Any

import pytest

from engine.sandbox.device.components import shown
from engine.sandbox.device.screen import described, screen_lines
from tests.unit.sandbox.device.samples import EXTRAS, PNG, SIZES, footer
from tests.unit.sandbox.flow_samples import exchange

EMPTY_SCOPE: dict[str, Any] = {"data": {}, "form": {}, "screen": {}}


def see(*children, message=None, **form):
    return described("S", "Title", shown(children, EMPTY_SCOPE), form, message=message)


def component(body, **form):
    (only,) = see(body, **form)["components"]
    return only


def lines(*children, **form):
    return screen_lines(see(*children, **form))[1:-1]


def test_a_screen():
    assert see(message="Sold out") == {
        "id": "S",
        "title": "Title",
        "components": [],
        "message": "Sold out",
    }
    assert "message" not in see()


RADIO = {
    "type": "RadioButtonsGroup",
    "name": "size",
    "label": "Choose size:",
    "required": True,
    "data-source": SIZES,
}
SEEN: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "TextHeading", "text": "Pizza"}, {"type": "TextHeading", "text": "Pizza"}),
    (
        {"type": "TextBody", "text": ["one", "two"], "font-weight": "bold"},
        {"type": "TextBody", "text": "one\ntwo", "font-weight": "bold"},
    ),
    (
        {"type": "TextInput", "name": "size", "label": "Size", "helper-text": "In cm"},
        {
            "type": "TextInput",
            "name": "size",
            "label": "Size",
            "value": "large",
            "required": False,
            "enabled": True,
            "helper": "In cm",
        },
    ),
    (
        RADIO,
        {
            "type": "RadioButtonsGroup",
            "name": "size",
            "label": "Choose size:",
            "value": "large",
            "required": True,
            "enabled": True,
            "options": [
                SIZES[0] | {"chosen": False, "enabled": True},
                SIZES[1] | {"chosen": True, "enabled": True},
                SIZES[2] | {"chosen": False, "enabled": False},
            ],
        },
    ),
    (
        footer(exchange(), "Go", enabled=False) | {"center-caption": "12 items"},
        {"type": "Footer", "id": "Footer", "label": "Go", "enabled": False, "center": "12 items"},
    ),
    (
        {"type": "EmbeddedLink", "text": "Terms", "on-click-action": exchange()},
        {"type": "EmbeddedLink", "id": "Terms", "text": "Terms", "enabled": True},
    ),
    ({"type": "Image", "src": PNG, "alt-text": "A pizza"}, {"type": "Image", "alt": "A pizza"}),
    ({"type": "Image", "src": PNG}, {"type": "Image", "alt": ""}),
    (
        {
            "type": "ImageCarousel",
            "images": [{"src": PNG, "alt-text": "a"}, {"src": PNG, "alt-text": "b"}],
        },
        {"type": "ImageCarousel", "alt": "a, b"},
    ),
    (
        {
            "type": "NavigationList",
            "name": "list",
            "label": "Courses",
            "list-items": [{"id": "yoga", "main-content": {"title": "Yoga", "metadata": "9:00"}}],
            "on-click-action": exchange(),
        },
        {
            "type": "NavigationList",
            "name": "list",
            "label": "Courses",
            "options": [
                {
                    "id": "yoga",
                    "title": "Yoga",
                    "metadata": "9:00",
                    "chosen": False,
                    "enabled": True,
                }
            ],
        },
    ),
]


@pytest.mark.parametrize(("body", "seen"), SEEN, ids=[body["type"] for body, _ in SEEN])
def test_a_component(body, seen):
    assert component(body, size="large") == seen


def test_several_are_chosen():
    group = {"type": "CheckboxGroup", "name": "it", "label": "Extras", "data-source": EXTRAS}

    options = component(group, it=["basil"])["options"]

    assert [one["chosen"] for one in options] == [False, True]


def test_lines():
    group = {"type": "CheckboxGroup", "name": "extras", "data-source": EXTRAS, "label": "Extras"}
    seen = described(
        "S",
        "Select size",
        shown(
            [
                footer(exchange(), **{"left-caption": "2 items", "right-caption": "$36"}),
                {"type": "TextHeading", "text": "Margherita Pizza"},
                RADIO,
                group,
                {"type": "TextInput", "name": "quantity", "label": "Quantity"},
            ],
            EMPTY_SCOPE,
        ),
        {"size": "large", "extras": ["basil"], "quantity": "1"},
        message="Sold out",
    )

    assert screen_lines(seen) == [
        "┌ Select size",
        "│ *Margherita Pizza*",
        "│ Choose size:",
        '│   ○ Small (10") - $12.00',
        '│   ● Large (16") - $18.00',
        "│   ○ (Huge)",
        "│ Extras:",
        "│   ☐ Extra cheese - +$2.00",
        "│   ☑ Basil",
        "│ Quantity: [1]",
        "│ ! Sold out",
        "│ 2 items | $36",
        "└ [Continue]",
    ]


def test_an_empty_screen():
    assert screen_lines(see()) == ["┌ Title", "└"]
    assert screen_lines(see(footer(exchange(), enabled=False))) == ["┌ Title", "└ (Continue)"]


@pytest.mark.parametrize(
    ("body", "value", "drawn"),
    [
        ({"type": "TextBody", "text": "one\n\ntwo"}, None, ["│ one", "│", "│ two"]),
        ({"type": "TextBody", "text": "x", "font-weight": "bold_italic"}, None, ["│ *x*"]),
        ({"type": "TextCaption", "text": "small"}, None, ["│ small"]),
        ({"type": "TextInput", "name": "it", "label": "Name?"}, "", ["│ Name? []"]),
        (
            {"type": "TextInput", "name": "it", "label": "Pin", "input-type": "passcode"},
            "1234",
            ["│ Pin: [••••]"],
        ),
        (
            {"type": "TextArea", "name": "it", "label": "Notes", "helper-text": "Or none"},
            "a",
            ["│ Notes: [a]", "│   Or none"],
        ),
        (
            {"type": "TextInput", "name": "it", "label": "Age", "error-message": "Too low"},
            "3",
            ["│ Age: [3]", "│   Too low"],
        ),
        ({"type": "OptIn", "name": "it", "label": "I agree"}, False, ["│ ☐ I agree"]),
        ({"type": "OptIn", "name": "it", "label": "I agree"}, True, ["│ ☑ I agree"]),
        ({"type": "DatePicker", "name": "it", "label": "Day"}, "2026-11-20", None),
        ({"type": "Image", "src": PNG, "alt-text": "A pizza"}, None, ["│ [picture: A pizza]"]),
        ({"type": "Image", "src": PNG}, None, ["│ [picture]"]),
        (
            {"type": "EmbeddedLink", "text": "Terms", "on-click-action": exchange()},
            None,
            ["│ → Terms"],
        ),
        (
            {
                "type": "NavigationList",
                "name": "it",
                "label": "Courses",
                "list-items": [{"id": "y", "main-content": {"title": "Yoga", "metadata": "9"}}],
            },
            None,
            ["│ Courses:", "│   → Yoga - 9"],
        ),
        (
            {
                "type": "NavigationList",
                "name": "it",
                "list-items": [{"id": "y", "main-content": {"title": "Yoga"}}],
            },
            None,
            ["│   → Yoga"],
        ),
    ],
)
def test_drawn(body, value, drawn):
    assert lines(body, it=value) == (drawn or ["│ Day: [2026-11-20]"])
