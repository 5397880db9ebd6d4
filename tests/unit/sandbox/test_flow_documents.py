"""Every rule on Flow JSON that the sandbox knows, by a document that breaks it."""

import base64
import json
from itertools import pairwise

import pytest

from engine.sandbox.flow_document_components import COMPONENTS
from engine.sandbox.flow_document_routing import entry_screens, routes_of
from engine.sandbox.flow_documents import is_publishable, judge
from tests.unit.sandbox.flow_samples import (
    PIXEL,
    changed,
    complete,
    declare,
    exchange,
    footer,
    navigate,
    option,
    options_declared,
    product,
    screen,
    survey,
    text,
    without,
    written,
)


def faults(document) -> list[tuple[str, str]]:
    errors = judge(written(document)).errors
    return [(one["error"], one["pointers"][0]["path"]) for one in errors]


def one_screen(*children, version="7.3", data=None, **more):
    """A Flow of one screen with these components, which sends what it says to the endpoint."""
    return {
        "version": version,
        "data_api_version": "4.0",
        "routing_model": {},
        "screens": [
            screen("ONLY", *children, footer(exchange()), data=data, terminal=True, **more)
        ],
    }


def chips(**more):
    source = [option(1), option(2)]
    return {"type": "ChipsSelector", "name": "chips", "label": "C", "data-source": source} | more


def entry(name="note", **more):
    return {"type": "TextInput", "name": name, "label": "Note"} | more


def radio(**more):
    return {
        "type": "RadioButtonsGroup",
        "name": "size",
        "label": "Size",
        "data-source": [option(1)],
    } | more


def boxes(**more):
    return radio(type="CheckboxGroup") | more


def dropdown(**more):
    return radio(type="Dropdown") | more


def image(**more):
    return {"type": "Image", "src": PIXEL} | more


def carousel(number=1):
    return {"type": "ImageCarousel", "images": [{"src": PIXEL, "alt-text": "Dot"}] * number}


def captions(*sides):
    """The screens of a Flow whose only footer has captions on these sides."""
    captioned = footer(exchange()) | {f"{side}-caption": side for side in sides}
    return {"screens": [screen("ONLY", captioned, terminal=True)]}


def item(number=1, **more):
    return {"id": f"{number}", "main-content": {"title": f"Item {number}"}} | more


def choose(condition, *then, **more):
    return {"type": "If", "condition": condition, "then": list(then)} | more


def switch(value, **cases):
    return {"type": "Switch", "value": value, "cases": cases}


LARGE = base64.b64encode(base64.b64decode(PIXEL).ljust(102_401, b"\0")).decode()
FLAG = {"flag": declare(True)}
IN_DATA = {"flag": declare(True), "count": declare(1), "list": options_declared()}

RIGHT = [
    product(),
    survey(),
    one_screen(),
    changed(survey, "version", "5.1"),
    changed(product, "data_api_version", "3.0"),
    changed(product, "screens.0.sensitive", ["size"]),
    changed(product, "screens.2.success", True),
    without(product, "screens.0.title"),
    without(product, "screens.1.data"),
    changed(product, "screens.2.title", "${screen.SIZE.data.name}"),
    one_screen() | captions("left", "right"),
    one_screen() | captions("center"),
    one_screen(text("x" * 80, "TextHeading"), text("x" * 80, "TextSubheading")),
    one_screen(text("x" * 4096) | {"font-weight": "bold", "strikethrough": True}),
    one_screen(text(["a", "", "b"], "TextCaption") | {"markdown": True}),
    one_screen(text(["# Terms", "..."], "RichText")),
    one_screen(entry(pattern="[A-Z]+", **{"helper-text": "capitals"})),
    one_screen(entry(**{"min-chars": "2", "max-chars": 9, "label-variant": "large"})),
    one_screen(entry(**{"max-chars": "${data.count}"}), data=IN_DATA),
    one_screen({"type": "TextArea", "name": "n", "label": "N", "max-length": 100}),
    one_screen(radio(**{"on-select-action": exchange(op="size", size="${form.size}")})),
    one_screen(radio(**{"data-source": "${data.list}", "visible": "${data.flag}"}), data=IN_DATA),
    one_screen(radio(enabled="`${data.flag} && (${data.count} > 1)`"), data=IN_DATA),
    one_screen(radio(**{"data-source": [option(1) | {"image": PIXEL, "color": "#aabbcc"}]})),
    one_screen(
        radio(
            **{
                "data-source": [
                    option(1)
                    | {"on-select-action": {"name": "update_data", "payload": {"count": 2}}}
                ]
            }
        ),
        data=IN_DATA,
    ),
    one_screen(boxes(**{"data-source": [option(n) for n in range(20)], "init-value": ["1"]})),
    one_screen(dropdown(label="x" * 20, **{"data-source": [option(n) for n in range(200)]})),
    one_screen(chips(**{"on-unselect-action": {"name": "update_data", "payload": {}}})),
    one_screen({"type": "OptIn", "name": "ok", "label": "x" * 120, "required": True}),
    one_screen(
        {
            "type": "EmbeddedLink",
            "text": "x" * 25,
            "on-click-action": {"name": "open_url", "url": "https://example.com"},
        }
    ),
    one_screen({"type": "DatePicker", "name": "d", "label": "D", "min-date": "2026-01-31"}),
    one_screen(
        {
            "type": "CalendarPicker",
            "name": "d",
            "label": {"start-date": "From", "end-date": "To"},
            "mode": "range",
            "min-days": 1,
            "include-days": ["Mon"],
        }
    ),
    one_screen(image(**{"aspect-ratio": 2, "scale-type": "cover"}), carousel(3)),
    one_screen({"type": "PhotoPicker", "name": "p", "label": "P", "min-uploaded-photos": 0}),
    one_screen({"type": "DocumentPicker", "name": "p", "label": "P"}),
    one_screen(choose("${data.flag}", text("a"), **{"else": [chips()]}), data=FLAG),
    one_screen(
        choose("${data.flag}", choose("${data.flag}", choose("!${data.flag}", text("a")))),
        data=FLAG,
    ),
    one_screen(switch("${form.size}", a=[text("a")], b=[]), radio()),
    one_screen(
        {
            "type": "Form",
            "name": "form",
            "children": [entry(), radio()],
            "init-values": {"note": "x"},
            "error-messages": "${data.wrong}",
        },
        data={"wrong": declare({"note": "no"}, properties={"note": {"type": "string"}})},
    ),
    {
        "version": "7.3",
        "screens": [
            screen(
                "MENU",
                {
                    "type": "NavigationList",
                    "name": "menu",
                    "list-items": [item(1, badge="New"), item(2)],
                    "on-click-action": navigate("END"),
                },
            ),
            screen("END", footer(complete()), terminal=True),
        ],
    },
    {
        "version": "7.3",
        "screens": [
            screen(
                "END",
                choose(
                    "${data.flag}",
                    footer(complete()),
                    **{"else": [footer(complete(), label="No")]},
                ),
                data=FLAG,
                terminal=True,
            )
        ],
    },
]


@pytest.mark.parametrize("document", RIGHT)
def test_right(document):
    assert judge(written(document)).errors == []


def test_right_documents_have_every_component():
    text_of_all = json.dumps(RIGHT)
    missing = [name for name in COMPONENTS if f'"type": "{name}"' not in text_of_all]
    assert missing == []


C = "screens.0.layout.children"
AT = "screens[0].layout.children"
HEADING = f"{C}.0"
SIZES = f"{C}.1"

# what is wrong, Meta's name of it, and where
WRONG = [
    # the document
    ([], "INVALID_FLOW_JSON", ""),
    (without(survey, "version"), "MISSING_FLOW_JSON_VERSION", ""),
    (changed(survey, "version", "7"), "INVALID_FLOW_JSON_VERSION", "version"),
    (changed(survey, "version", 7.3), "INVALID_FLOW_JSON_VERSION", "version"),
    (changed(survey, "version", "8.0"), "UNSUPPORTED_FLOW_JSON_VERSION", "version"),
    (changed(survey, "colour", "red"), "INVALID_PROPERTY_KEY", "colour"),
    (without(survey, "screens"), "MISSING_REQUIRED_TYPE_PROPERTY", ""),
    (changed(survey, "screens", []), "MIN_ITEMS_REQUIRED", "screens"),
    (changed(survey, "screens", {}), "INVALID_PROPERTY_TYPE", "screens"),
    (changed(survey, "screens.1", "END"), "INVALID_PROPERTY_TYPE", "screens[1]"),
    (changed(product, "data_api_version", "9.0"), "NO_SUPPORTED_DATA_API_VERSION", None),
    (changed(product, "data_api_version", 4), "INVALID_PROPERTY_TYPE", "data_api_version"),
    (without(product, "routing_model"), "MISSING_REQUIRED_PROPERTY", "data_api_version"),
    (changed(product, "data_channel_uri", "https://a"), "INVALID_PROPERTY_KEY", None),
    (changed(product, "routing_model", []), "INVALID_PROPERTY_TYPE", "routing_model"),
    (changed(product, "routing_model.SIZE", "EXTRAS"), "INVALID_PROPERTY_TYPE", None),
    (changed(product, "routing_model.SIZE", [1]), "INVALID_PROPERTY_TYPE", None),
    # screens
    (changed(product, "screens.0.id", "SIZES"), "INVALID_SCREEN_DATA", None),
    (changed(survey, "screens.0.id", "ASK_1"), "PATTERN_MISMATCH", "screens[0].id"),
    (changed(survey, "screens.0.id", ""), "PATTERN_MISMATCH", "screens[0].id"),
    (changed(survey, "screens.0.id", "Success"), "SCREEN_ID_IS_RESERVED_KEYWORD", None),
    (changed(survey, "screens.+", survey()["screens"][1]), "DUPLICATE_SCREEN_IDS", None),
    (changed(survey, "screens.0.colour", 1), "INVALID_PROPERTY_KEY", "screens[0].colour"),
    (without(survey, "screens.0.layout"), "MISSING_REQUIRED_TYPE_PROPERTY", "screens[0]"),
    (changed(survey, "screens.0.layout.type", "Row"), "INVALID_ENUM_VALUE", None),
    (changed(survey, "screens.0.terminal", "yes"), "INVALID_PROPERTY_TYPE", None),
    (changed(survey, "screens.0.title", None), "INVALID_PROPERTY_TYPE", "screens[0].title"),
    (changed(survey, "screens.0.refresh_on_back", True), "INVALID_PROPERTY_VALUE", None),
    (
        changed(survey, "screens.0.success", True),
        "NOT_KEYWORD_SCHEMA_VALIDATION_FAILED",
        "screens[0].success",
    ),
    (changed(survey, "screens.1.success", False), "INVALID_PROPERTY_VALUE", "screens[1].success"),
    (changed(survey, "screens.0.sensitive", "note"), "INVALID_PROPERTY_TYPE", None),
    (
        changed(lambda: changed(survey, "version", "5.0"), "screens.0.sensitive", []),
        "INVALID_PROPERTY_KEY",
        "screens[0].sensitive",
    ),
    (without(product, "screens.2.terminal"), "MISSING_TERMINAL_SCREEN", "screens"),
    (
        without(product, "screens.2.layout.children.2"),
        "MISSING_FOOTER_ON_TERMINAL_SCREEN",
        "screens[2]",
    ),
    # components
    (changed(product, HEADING, "text"), "INVALID_PROPERTY_TYPE", f"{AT}[0]"),
    (without(product, f"{HEADING}.type"), "MISSING_REQUIRED_TYPE_PROPERTY", f"{AT}[0]"),
    (changed(product, f"{HEADING}.type", "Title"), "INVALID_PROPERTY_VALUE", f"{AT}[0].type"),
    (changed(product, f"{HEADING}.type", []), "INVALID_PROPERTY_VALUE", f"{AT}[0].type"),
    (changed(product, f"{HEADING}.colour", "red"), "INVALID_PROPERTY_KEY", f"{AT}[0].colour"),
    (without(product, f"{HEADING}.text"), "MISSING_REQUIRED_TYPE_PROPERTY", f"{AT}[0]"),
    (changed(product, f"{HEADING}.text", 7), "INVALID_PROPERTY_TYPE", f"{AT}[0].text"),
    (changed(product, f"{HEADING}.text", "  "), "PATTERN_MISMATCH", f"{AT}[0].text"),
    (changed(product, f"{HEADING}.text", "x" * 81), "INVALID_PROPERTY_VALUE", f"{AT}[0].text"),
    (changed(product, f"{HEADING}.visible", "yes"), "INVALID_PROPERTY_TYPE", None),
    (changed(product, f"{SIZES}.label", "x" * 31), "INVALID_PROPERTY_VALUE", f"{AT}[1].label"),
    (changed(product, f"{SIZES}.name", "${data.name}"), "PATTERN_MISMATCH", f"{AT}[1].name"),
    (changed(product, f"{SIZES}.data-source", []), "MIN_ITEMS_REQUIRED", None),
    (one_screen(text("x" * 81, "TextSubheading")), "INVALID_PROPERTY_VALUE", f"{AT}[0].text"),
    (one_screen(text("x" * 4097)), "INVALID_PROPERTY_VALUE", f"{AT}[0].text"),
    (one_screen(text(["x" * 4000, "y" * 200])), "INVALID_PROPERTY_VALUE", f"{AT}[0].text"),
    (one_screen(text(["a", 1])), "INVALID_PROPERTY_TYPE", f"{AT}[0].text[1]"),
    (one_screen(text("x" * 410, "TextCaption")), "INVALID_PROPERTY_VALUE", f"{AT}[0].text"),
    (one_screen(text("a") | {"font-weight": "fat"}), "INVALID_ENUM_VALUE", None),
    (one_screen(text("a") | {"markdown": True}, version="5.0"), "INVALID_PROPERTY_KEY", None),
    (one_screen(text("a", "RichText"), version="5.0"), "INVALID_PROPERTY_VALUE", f"{AT}[0].type"),
    (one_screen(text("a", "RichText"), version="6.2"), "INVALID_PROPERTY_VALUE", f"{AT}[0]"),
    (one_screen(text("a", "RichText"), text("b")), "INVALID_PROPERTY_VALUE", f"{AT}[0]"),
    (one_screen(entry(label="x" * 21)), "INVALID_PROPERTY_VALUE", f"{AT}[0].label"),
    (one_screen(entry(**{"helper-text": "x" * 81})), "INVALID_PROPERTY_VALUE", None),
    (one_screen(entry(**{"error-message": "x" * 31})), "INVALID_PROPERTY_VALUE", None),
    (one_screen(entry(**{"input-type": "date"})), "INVALID_ENUM_VALUE", None),
    (one_screen(entry(**{"max-chars": "Hundred"})), "PATTERN_MISMATCH", f"{AT}[0].max-chars"),
    (one_screen(entry(**{"max-chars": -1})), "MINIMUM_VALUE_REQUIRED", None),
    (one_screen(entry(**{"min-chars": 5, "max-chars": "4"})), "MIN_VALUE_GREATER_THAN_MAX", None),
    (one_screen(entry(pattern="a")), "INVALID_DEPENDENCIES", f"{AT}[0]"),
    (
        one_screen(entry(pattern="a", **{"helper-text": "a", "input-type": "email"})),
        "INVALID_PROPERTY_VALUE",
        f"{AT}[0].pattern",
    ),
    (one_screen(entry(**{"label-variant": "large"}), version="6.3"), "INVALID_PROPERTY_KEY", None),
    (one_screen(entry(), entry()), "DUPLICATE_FORM_COMPONENT_NAMES", f"{AT}[1].name"),
    (
        one_screen(
            choose("${data.flag}", entry(), **{"else": [radio(name="note")]}),
            data=FLAG,
        ),
        "DUPLICATE_FORM_COMPONENT_NAMES",
        f"{AT}[0].else[0].name",
    ),
    (
        one_screen({"type": "TextArea", "name": "n", "label": "x" * 21}),
        "INVALID_PROPERTY_VALUE",
        None,
    ),
    (without(product, f"{SIZES}.label"), "MISSING_REQUIRED_TYPE_PROPERTY", f"{AT}[1]"),
    (
        one_screen(boxes(**{"data-source": [option(n) for n in range(21)]})),
        "INVALID_PROPERTY_VALUE",
        f"{AT}[0].data-source",
    ),
    (
        one_screen(boxes(**{"min-selected-items": 3, "max-selected-items": 2})),
        "MIN_VALUE_GREATER_THAN_MAX",
        f"{AT}[0].min-selected-items",
    ),
    (
        one_screen(radio(**{"max-selected-items": 2})),
        "INVALID_PROPERTY_KEY",
        f"{AT}[0].max-selected-items",
    ),
    *(
        (
            one_screen(radio(**{"data-source": [option(1) | {name: value}]})),
            error,
            f"{AT}[0].data-source[0].{name}",
        )
        for name, value, error in (
            ("title", "x" * 31, "INVALID_PROPERTY_VALUE"),
            ("description", "x" * 301, "INVALID_PROPERTY_VALUE"),
            ("metadata", "x" * 21, "INVALID_PROPERTY_VALUE"),
            ("enabled", "yes", "INVALID_PROPERTY_TYPE"),
            ("image", "https://example.com/a.png", "INVALID_PROPERTY_VALUE_FORMAT"),
            ("image", LARGE, "INVALID_PROPERTY_VALUE"),
            ("color", "red", "PATTERN_MISMATCH"),
            ("id", 1, "INVALID_PROPERTY_TYPE"),
            ("price", "3", "INVALID_PROPERTY_KEY"),
        )
    ),
    (
        one_screen(radio(**{"data-source": [{"id": "1"}]})),
        "MISSING_REQUIRED_TYPE_PROPERTY",
        f"{AT}[0].data-source[0]",
    ),
    (
        one_screen(dropdown(**{"data-source": [option(n) for n in range(201)]})),
        "INVALID_PROPERTY_VALUE",
        f"{AT}[0].data-source",
    ),
    (
        one_screen(
            dropdown(**{"data-source": [option(n) | {"image": PIXEL} for n in range(101)]})
        ),
        "INVALID_PROPERTY_VALUE",
        f"{AT}[0].data-source",
    ),
    (one_screen(dropdown(label="x" * 21)), "INVALID_PROPERTY_VALUE", f"{AT}[0].label"),
    (one_screen(chips(**{"data-source": [option(1)]})), "MIN_ITEMS_REQUIRED", None),
    (one_screen(chips(), version="6.2"), "INVALID_PROPERTY_VALUE", f"{AT}[0].type"),
    (one_screen(chips(label="x" * 81)), "INVALID_PROPERTY_VALUE", f"{AT}[0].label"),
    (
        one_screen({"type": "OptIn", "name": "ok", "label": "x" * 121}),
        "INVALID_PROPERTY_VALUE",
        None,
    ),
    (
        one_screen(*({"type": "OptIn", "name": f"ok{n}", "label": "x"} for n in range(6))),
        "MAX_OPT_IN_PER_SCREEN",
        f"{AT}[5]",
    ),
    (
        one_screen(*({"type": "EmbeddedLink", "text": "a", "on-click-action": exchange()},) * 3),
        "MAX_EMBEDDED_LINK_PER_SCREEN",
        f"{AT}[2]",
    ),
    (
        one_screen({"type": "EmbeddedLink", "text": "x" * 26, "on-click-action": exchange()}),
        "INVALID_PROPERTY_VALUE",
        f"{AT}[0].text",
    ),
    (one_screen(footer(exchange(), label="x" * 36)), "INVALID_PROPERTY_VALUE", f"{AT}[0].label"),
    (
        changed(survey, f"{C}.1.left-caption", "a"),
        "INVALID_DEPENDENCIES",
        f"{AT}[1]",
    ),
    (
        changed(survey, f"{C}.1.center-caption", "x" * 16),
        "INVALID_PROPERTY_VALUE",
        f"{AT}[1].center-caption",
    ),
    (
        one_screen() | captions("left", "center", "right"),
        "NOT_KEYWORD_SCHEMA_VALIDATION_FAILED",
        f"{AT}[0]",
    ),
    (
        one_screen({"type": "DatePicker", "name": "d", "label": "D", "min-date": "31.12.2026"}),
        "INVALID_PROPERTY_VALUE_FORMAT",
        f"{AT}[0].min-date",
    ),
    (
        one_screen({"type": "DatePicker", "name": "d", "label": "x" * 41}),
        "INVALID_PROPERTY_VALUE",
        None,
    ),
    (
        one_screen({"type": "CalendarPicker", "name": "d", "label": "D"}, version="6.0"),
        "INVALID_PROPERTY_VALUE",
        f"{AT}[0].type",
    ),
    (
        one_screen({"type": "CalendarPicker", "name": "d", "label": "D", "min-days": 1}),
        "NOT_KEYWORD_SCHEMA_VALIDATION_FAILED",
        f"{AT}[0].min-days",
    ),
    (
        one_screen({"type": "CalendarPicker", "name": "d", "label": "D", "include-days": ["Fr"]}),
        "INVALID_ENUM_VALUE",
        f"{AT}[0].include-days[0]",
    ),
    (one_screen(image(src="https://a.b/c.png")), "INVALID_PROPERTY_VALUE_FORMAT", f"{AT}[0].src"),
    (one_screen(image(src="R0lGODlh")), "INVALID_PROPERTY_VALUE_FORMAT", f"{AT}[0].src"),
    (one_screen(*(image() for _ in range(4))), "MAX_IMAGE_PER_SCREEN", f"{AT}[3]"),
    (one_screen(carousel(4)), "INVALID_PROPERTY_VALUE", f"{AT}[0].images"),
    (one_screen(*(carousel() for _ in range(3))), "MAX_IMAGE_CAROUSEL_PER_SCREEN", None),
    (one_screen(carousel(), version="7.0"), "INVALID_PROPERTY_VALUE", f"{AT}[0].type"),
    (
        one_screen({"type": "PhotoPicker", "name": "p", "label": "P", "max-uploaded-photos": 31}),
        "MAXIMUM_VALUE_REQUIRED",
        f"{AT}[0].max-uploaded-photos",
    ),
    (
        one_screen({"type": "PhotoPicker", "name": "p", "label": "P", "max-file-size-kb": 25601}),
        "MAXIMUM_VALUE_REQUIRED",
        None,
    ),
    (
        one_screen(*({"type": "PhotoPicker", "name": name, "label": "P"} for name in ("a", "b"))),
        "MAX_PHOTO_PICKER_PER_SCREEN",
        f"{AT}[1]",
    ),
    (
        one_screen(
            {"type": "PhotoPicker", "name": "a", "label": "P"},
            {"type": "DocumentPicker", "name": "b", "label": "P"},
        ),
        "INVALID_PROPERTY_VALUE",
        f"{AT}[1]",
    ),
    (one_screen(*(text("a") for _ in range(50))), "MAX_COMPONENTS_PER_SCREEN", AT),
    (
        one_screen({"type": "NavigationList", "name": "m", "list-items": [item()]}),
        "INVALID_PROPERTY_VALUE",
        f"{AT}[0]",
    ),
    # forms
    (
        one_screen({"type": "Form", "name": "f", "children": [entry()]}, radio()),
        "COMPONENTS_OUTSIDE_FORM",
        f"{AT}[1]",
    ),
    (
        one_screen({"type": "Form", "name": "f", "children": [entry(**{"init-value": "x"})]}),
        "INVALID_PROPERTY_KEY",
        f"{AT}[0].children[0].init-value",
    ),
    (
        one_screen(
            {
                "type": "Form",
                "name": "f",
                "children": [{"type": "PhotoPicker", "name": "p", "label": "P"}],
                "init-values": {"p": "x"},
            }
        ),
        "NATIVE_COMPONENT_IN_FORM_INIT_VALUES",
        f"{AT}[0].init-values.p",
    ),
    (
        one_screen(
            {
                "type": "Form",
                "name": "f",
                "children": [{"type": "Form", "name": "g", "children": []}],
            }
        ),
        "INVALID_PROPERTY_VALUE",
        f"{AT}[0].children[0].type",
    ),
    # If and Switch
    (one_screen(choose("${data.flag}"), data=FLAG), "INVALID_PROPERTY_VALUE", f"{AT}[0].then"),
    (one_screen(switch("${data.flag}"), data=FLAG), "INVALID_PROPERTY_VALUE", f"{AT}[0].cases"),
    (
        one_screen(choose("${data.flag}", carousel()), data=FLAG),
        "INVALID_PROPERTY_VALUE",
        f"{AT}[0].then[0].type",
    ),
    (
        one_screen(choose("${data.flag}", chips()), data=FLAG, version="7.0"),
        "INVALID_PROPERTY_VALUE",
        f"{AT}[0].then[0].type",
    ),
    (
        one_screen(switch("${data.flag}", a=[choose("${data.flag}", text("a"))]), data=FLAG),
        "INVALID_PROPERTY_VALUE",
        f"{AT}[0].cases.a[0].type",
    ),
    (
        one_screen(
            choose(
                "${data.flag}",
                choose("${data.flag}", choose("${data.flag}", choose("${data.flag}", text("a")))),
            ),
            data=FLAG,
        ),
        "INVALID_PROPERTY_VALUE",
        f"{AT}[0].then[0].then[0].then[0]",
    ),
    *(
        (one_screen(choose(condition, text("a")), data=IN_DATA), error, f"{AT}[0].condition")
        for condition, error in (
            ("true", "INVALID_PROPERTY_VALUE"),
            ("573 == 376", "INVALID_PROPERTY_VALUE"),
            ("${data.count}", "INVALID_PROPERTY_VALUE"),
            ("${data.nix}", "INVALID_SCREEN_DYNAMIC_DATA"),
            ("${screen.NIX.data.flag}", "INVALID_SCREEN_DATA"),
            ("", "PATTERN_MISMATCH"),
            (True, "INVALID_PROPERTY_TYPE"),
        )
    ),
    # footers
    (one_screen(footer(exchange())), "MORE_THAN_ONE_FOOTER", f"{AT}[1]"),
    (
        one_screen(
            choose("${data.flag}", footer(exchange()), **{"else": [footer(exchange())]}),
            data=FLAG,
        ),
        "MORE_THAN_ONE_FOOTER",
        f"{AT}[1]",
    ),
    (
        changed(
            survey,
            f"{C}.1",
            choose("${form.note} == 'x'", footer(navigate("THANKS", note="a"))),
        ),
        "MISSING_FOOTER_IN_IF_ELSE_BRANCHES",
        f"{AT}[1]",
    ),
    (
        changed(
            survey,
            f"{C}.1",
            choose("${form.note} == 'x'", footer(navigate("THANKS", note="a")))
            | {"else": [text("a")]},
        ),
        "MISSING_FOOTER_IN_IF_ELSE_BRANCHES",
        f"{AT}[1]",
    ),
    (
        changed(
            survey,
            f"{C}.1",
            switch("${form.note}", a=[footer(navigate("THANKS", note="a"))], b=[text("b")]),
        ),
        "MISSING_FOOTER_IN_SWITCH_BRANCHES",
        f"{AT}[1]",
    ),
    # data
    *(
        (changed(product, "screens.0.data.name", declaration), "INVALID_SCREEN_DATA", path)
        for declaration, path in (
            ("string", "screens[0].data.name"),
            ({"__example__": "a"}, "screens[0].data.name"),
            ({"type": 1, "__example__": "a"}, "screens[0].data.name.type"),
            ({"type": "text", "__example__": "a"}, "screens[0].data.name.type"),
            ({"type": "string"}, "screens[0].data.name"),
            ({"type": "string", "__example__": None}, "screens[0].data.name.__example__"),
            ({"type": "number", "__example__": "1"}, "screens[0].data.name.__example__"),
            ({"type": "array", "__example__": []}, "screens[0].data.name"),
            ({"type": "array", "items": "a", "__example__": []}, "screens[0].data.name.items"),
            ({"type": "object", "__example__": {}}, "screens[0].data.name"),
            (
                declare({"a": "1"}, properties={"a": {"type": "number"}}),
                "screens[0].data.name.__example__.a",
            ),
            (
                declare(["a", 1], items={"type": "string"}),
                "screens[0].data.name.__example__[1]",
            ),
            (
                declare({"a": "b"}, properties={"a": {"type": "string", "__example__": "b"}}),
                "screens[0].data.name.properties.a.__example__",
            ),
            (
                declare({"a": 1}, properties={"__example__": {"a": 1}}),
                "screens[0].data.name.properties.__example__",
            ),
        )
    ),
    # bindings
    *(
        (changed(product, f"{HEADING}.text", value), error, f"{AT}[0].text")
        for value, error in (
            ("${data.nix}", "INVALID_SCREEN_DYNAMIC_DATA"),
            ("${form.nix}", "INVALID_SCREEN_DYNAMIC_DATA"),
            ("${data.sizes}", "INVALID_SCREEN_DYNAMIC_DATA"),
            ("${data.sizes.title}", "INVALID_SCREEN_DYNAMIC_DATA"),
            ("${screen.SUMMARY.data.total}", "INVALID_SCREEN_DYNAMIC_DATA"),
            ("${screen.SIZE.data.name}", "INVALID_SCREEN_DATA"),
            ("${screen.NIX.data.name}", "INVALID_SCREEN_DATA"),
            ("${screen.SUMMARY.data.nix}", "INVALID_SCREEN_DATA"),
            ("${name}", "INVALID_PROPERTY_VALUE"),
            ("Hello ${data.name}", "INVALID_PROPERTY_VALUE"),
            ("`'Hello' +`", "INVALID_PROPERTY_VALUE"),
            ("`${data.name} == 'x'`", "INVALID_SCREEN_DYNAMIC_DATA"),
        )
    ),
    (
        changed(
            lambda: changed(survey, "version", "5.1"), "screens.1.layout.children.0.text", "`'a'`"
        ),
        "INVALID_PROPERTY_VALUE",
        None,
    ),
    (changed(survey, "screens.0.title", "${data.nix}"), "INVALID_SCREEN_DYNAMIC_DATA", None),
    (changed(product, f"{SIZES}.required", "${data.name}"), "INVALID_SCREEN_DYNAMIC_DATA", None),
    (
        changed(product, "screens.0.data.sizes.items.properties", {"id": {"type": "string"}}),
        "INVALID_SCREEN_DYNAMIC_DATA",
        f"{AT}[1].data-source",
    ),
    (
        one_screen(boxes(**{"data-source": [{"id": "1", "title": "${data.nix}"}]})),
        "INVALID_SCREEN_DYNAMIC_DATA",
        f"{AT}[0].data-source[0].title",
    ),
    # actions
    (changed(product, f"{C}.2.on-click-action", "go"), "INVALID_PROPERTY_TYPE", None),
    (changed(product, f"{C}.2.on-click-action.name", "jump"), "INVALID_ENUM_VALUE", None),
    (without(product, f"{C}.2.on-click-action.name"), "INVALID_ENUM_VALUE", None),
    (
        changed(product, f"{C}.2.on-click-action.next", {"type": "screen", "name": "EXTRAS"}),
        "INVALID_PROPERTY_KEY",
        None,
    ),
    (changed(product, f"{C}.2.on-click-action.payload", []), "INVALID_PROPERTY_TYPE", None),
    (without(survey, f"{C}.1.on-click-action.next"), "MISSING_REQUIRED_TYPE_PROPERTY", None),
    (changed(survey, f"{C}.1.on-click-action.next.type", "page"), "INVALID_ENUM_VALUE", None),
    (
        one_screen(
            {
                "type": "EmbeddedLink",
                "text": "a",
                "on-click-action": {"name": "open_url", "url": "example.com"},
            }
        ),
        "INVALID_PROPERTY_VALUE_FORMAT",
        f"{AT}[0].on-click-action.url",
    ),
    (
        one_screen(
            {
                "type": "EmbeddedLink",
                "text": "a",
                "on-click-action": {"name": "open_url", "url": "https://a.b"},
            },
            version="5.1",
        ),
        "INVALID_ENUM_VALUE",
        f"{AT}[0].on-click-action.name",
    ),
    (
        one_screen(radio(**{"on-select-action": complete()})),
        "INVALID_ENUM_VALUE",
        f"{AT}[0].on-select-action.name",
    ),
    (
        changed(survey, "screens.1.layout.children.1.on-click-action", exchange()),
        "MISSING_REQUIRED_PROPERTY",
        "screens[1].layout.children[1].on-click-action.name",
    ),
    (changed(product, f"{C}.2.on-click-action", complete()), "INVALID_COMPLETE_ACTION", None),
    *(
        (
            changed(product, f"{C}.2.on-click-action.payload", {"x": value}),
            error,
            f"{AT}[2].on-click-action.payload.x{more}",
        )
        for value, error, more in (
            ("${form.nix}", "INVALID_ON_CLICK_ACTION_PAYLOAD", ""),
            ("${data.nix}", "INVALID_ON_CLICK_ACTION_PAYLOAD", ""),
            ("${screen.NIX.form.x}", "INVALID_ON_CLICK_ACTION_PAYLOAD", ""),
            ("`${data.name} *`", "INVALID_ON_CLICK_ACTION_PAYLOAD", ""),
            (["${data.nix}"], "INVALID_ON_CLICK_ACTION_PAYLOAD", "[0]"),
            (None, "INVALID_ON_CLICK_ACTION_PAYLOAD", ""),
            ("Size ${form.size}", "INVALID_PROPERTY_VALUE", ""),
        )
    ),
    # navigation
    (
        changed(survey, f"{C}.1.on-click-action", navigate("ASK")),
        "INVALID_NAVIGATE_ACTION_NEXT_SCREEN_NAME",
        None,
    ),
    (
        changed(survey, f"{C}.1.on-click-action", navigate("NIX")),
        "INVALID_NAVIGATE_ACTION_NEXT_SCREEN_NAME",
        None,
    ),
    (
        changed(survey, "screens.1", screen("THANKS", footer(complete()), terminal=True)),
        "INVALID_NAVIGATE_ACTION_PAYLOAD",
        f"{AT}[1].on-click-action.payload",
    ),
    (
        changed(survey, f"{C}.1.on-click-action.payload", {}),
        "INVALID_NAVIGATE_ACTION_PAYLOAD",
        f"{AT}[1].on-click-action.payload",
    ),
    (
        changed(survey, f"{C}.1.on-click-action.payload.more", "x"),
        "INVALID_NAVIGATE_ACTION_PAYLOAD",
        f"{AT}[1].on-click-action.payload.more",
    ),
    (
        changed(survey, f"{C}.1.on-click-action.payload.note", 7),
        "INVALID_NAVIGATE_ACTION_PAYLOAD",
        f"{AT}[1].on-click-action.payload.note",
    ),
    (
        changed(survey, f"{C}.1.on-click-action.payload.note", "`${form.note} == 'x'`"),
        "INVALID_NAVIGATE_ACTION_PAYLOAD",
        f"{AT}[1].on-click-action.payload.note",
    ),
    (
        one_screen(
            radio(**{"on-select-action": {"name": "update_data", "payload": {"nix": 1}}}),
            data=IN_DATA,
        ),
        "INVALID_ACTION_PAYLOAD_PROPERTY",
        f"{AT}[0].on-select-action.payload.nix",
    ),
    # pickers
    *(
        (
            {
                "version": "7.3",
                "screens": [
                    screen(
                        "ONLY",
                        {"type": "PhotoPicker", "name": "p", "label": "P"} | more,
                        footer(complete(**payload)),
                        terminal=True,
                    )
                ],
            },
            "INVALID_ON_CLICK_ACTION_PAYLOAD",
            f"{AT}[1].on-click-action.payload.{path}",
        )
        for more, payload, path in (
            ({}, {"x": "${form.p}"}, "x"),
            ({"max-uploaded-photos": 1}, {"x": {"y": "${form.p}"}}, "x.y"),
        )
    ),
    # routing
    *(
        (changed(product, "routing_model", model), "INVALID_ROUTING_MODEL", path)
        for model, path in (
            ({}, "routing_model"),
            ({"SIZE": ["EXTRAS"]}, "routing_model"),
            ({"SIZE": ["EXTRAS", "NIX"], "EXTRAS": ["SUMMARY"]}, "routing_model.SIZE[1]"),
            ({"SIZE": ["EXTRAS"], "EXTRAS": ["SUMMARY"], "NIX": []}, "routing_model.NIX"),
            ({"SIZE": ["EXTRAS"], "SUMMARY": [], "EXTRAS": []}, "routing_model"),
            ({"SIZE": ["SUMMARY"], "EXTRAS": ["EXTRAS"]}, "routing_model"),
            ({"SIZE": ["SUMMARY"], "EXTRAS": []}, "routing_model"),
        )
    ),
]


@pytest.mark.parametrize(("document", "error", "path"), WRONG)
def test_wrong(document, error, path):
    found = faults(document)

    assert found
    assert found[0][0] == error, found
    assert path in (None, found[0][1])


def routed(**model):
    """A Flow whose screens are those of its routing model; the ones that lead nowhere end it."""
    names = list(dict.fromkeys([*model, *(name for names in model.values() for name in names)]))
    screens = [
        screen(name, footer(exchange()), terminal=not model.get(name, [])) for name in names
    ]
    return {
        "version": "7.3",
        "data_api_version": "4.0",
        "routing_model": model,
        "screens": screens,
    }


def messages(document) -> list[str]:
    return [one["message"] for one in judge(written(document)).errors]


def test_loops():
    assert messages(routed(A=["B"], B=["C"], C=["B", "D"])) == [
        "Backward route [C -> B] corresponding to forward route [B -> C] is not allowed in the "
        "routing model. Only forward routes can be specified.",
        "Loop detected in the routing model for screens: [B, C].",
    ]
    assert messages(routed(A=["B"], B=["B", "C"])) == [
        "Loop detected in the routing model for screens: [B].",
    ]
    looped = messages(routed(A=["B"], B=["C"], C=["D"], D=["B", "E"]))
    assert looped == ["Loop detected in the routing model for screens: [B, C, D]."]


def test_a_way_in():
    (loop, entry_missing) = messages(routed(A=["B"], B=["C"], C=["A", "D"]))

    assert loop == "Loop detected in the routing model for screens: [A, B, C]."
    assert entry_missing.startswith("No entry screen found in the routing model.")


def test_islands():
    (apart,) = messages(routed(A=["B"], B=[], C=["D"], D=[]))

    assert apart.startswith("Following screens are not connected with the rest of the screens: [C")


def test_branches():
    names = "BCDEFGHIJKL"
    assert messages(routed(A=list(names[:10]))) == []
    (many,) = messages(routed(A=list(names)))

    assert many == "Number of branches exceeds the max limit of 10 for screen: A."


def test_dead_ends():
    document = routed(A=["B", "C"])
    document["screens"][2]["terminal"] = False
    (stuck,) = messages(document)

    assert stuck.startswith("Following screens lead nowhere and are not terminal: [C].")


def test_navigation_is_in_the_routing_model_too():
    document = routed(A=["B"], B=["C"])
    document["screens"][0]["layout"]["children"][0]["on-click-action"] = navigate("C")

    assert faults(document) == [
        ("INVALID_ROUTING_MODEL", f"{AT}[0].on-click-action.next.name"),
    ]


def test_without_endpoint_navigation_is_the_routing_model():
    assert routes_of(survey()) == {"ASK": ("THANKS",), "THANKS": ()}
    assert entry_screens(survey()) == ["ASK"]

    alone = changed(survey, "screens.+", screen("ALONE", footer(complete()), terminal=True))
    assert faults(alone) == [("INVALID_ROUTING_MODEL", "screens")]


def test_entry_screens():
    assert entry_screens(product()) == ["SIZE"]
    assert entry_screens(routed(A=["C"], B=["C"])) == ["A", "B"]


def test_a_navigation_list_stands_alone_and_leads_on():
    menu = {"type": "NavigationList", "name": "m", "list-items": [item()]}
    doubled = menu | {"on-click-action": navigate("END")}
    end = screen("END", footer(complete()), terminal=True)

    def found(*children):
        return faults({"version": "7.3", "screens": [screen("MENU", *children), end]})

    assert found(doubled) == []
    assert found(menu)[0] == ("MISSING_REQUIRED_TYPE_PROPERTY", f"{AT}[0]")
    assert found(doubled, text("a")) == [("INVALID_PROPERTY_VALUE", f"{AT}[0]")]
    own = item(**{"on-click-action": navigate("END")})
    assert found(doubled | {"list-items": [own]})[0][0] == "NOT_KEYWORD_SCHEMA_VALIDATION_FAILED"
    badges = [item(1, badge="New"), item(2, badge="Hot")]
    assert found(doubled | {"list-items": badges}) == [
        ("INVALID_PROPERTY_VALUE", f"{AT}[0].list-items")
    ]
    large = {"media-size": "large", "list-items": [item(end={"title": "9"})]}
    assert found(doubled | large) == [("INVALID_PROPERTY_VALUE", f"{AT}[0].media-size")]
    assert found(doubled | {"list-items": [item(tags=["a"] * 4)]}) == [
        ("INVALID_PROPERTY_VALUE", f"{AT}[0].list-items[0].tags")
    ]


def test_a_terminal_screen_does_not_lead_on():
    document = changed(survey, "screens.+", screen("MORE", footer(navigate("ASK")), terminal=True))

    assert ("INVALID_ENUM_VALUE", "screens[2].layout.children[0].on-click-action.name") in faults(
        document
    )


def test_files_are_not_handed_on():
    picker = {"type": "PhotoPicker", "name": "p", "label": "P"}
    document = changed(survey, f"{C}.0", picker)
    document = changed(lambda: document, f"{C}.1.on-click-action.payload.note", "${form.p}")

    assert ("INVALID_ON_CLICK_ACTION_PAYLOAD", f"{AT}[1].on-click-action.payload.note") in faults(
        document
    )


def test_one_file_is_handed_over_at_the_end():
    first = {"type": "PhotoPicker", "name": "p", "label": "P", "max-uploaded-photos": 1}
    second = {"type": "DocumentPicker", "name": "d", "label": "D", "max-uploaded-documents": 1}
    both = complete(photo="${screen.FIRST.form.p}", paper="${form.d}")
    document = {
        "version": "7.3",
        "screens": [
            screen("FIRST", first, footer(navigate("LAST"))),
            screen("LAST", second, footer(both), terminal=True),
        ],
    }
    path = "screens[1].layout.children[1].on-click-action.payload"

    assert faults(document) == [("INVALID_ON_CLICK_ACTION_PAYLOAD", path)]


def test_a_footer_deep_in_branches():
    def ends(label):
        return footer(complete(), label=label)

    inner = choose("${data.flag}", ends("a"), **{"else": [ends("b")]})
    document = {
        "version": "7.3",
        "screens": [
            screen(
                "ONLY",
                choose("${data.flag}", inner, **{"else": [ends("c")]}),
                data=FLAG,
                terminal=True,
            )
        ],
    }

    assert faults(document) == [
        ("INVALID_PROPERTY_VALUE", f"{AT}[0].then[0].then[0]"),
        ("INVALID_PROPERTY_VALUE", f"{AT}[0].then[0].else[0]"),
    ]


def test_no_more_than_100_screens_nor_3_carousels():
    letters = "ABCDEFGHIJ"
    names = [f"S{first}{second}" for first in letters for second in letters]
    chain = {name: [after] for name, after in pairwise(names)}
    assert faults(routed(**chain)) == []
    assert faults(routed(FIRST=[names[0]], **chain)) == [("MAX_SCREENS_NUMBER", "screens")]

    document = routed(A=["B"])
    for number in (2, 2):
        document["screens"][0]["layout"]["children"] = [
            *(carousel() for _ in range(number)),
            footer(exchange()),
        ]
        document["screens"].reverse()
    assert faults(document) == [("INVALID_PROPERTY_VALUE", "screens[1].layout.children[1]")]


def test_lines_and_columns_are_those_of_the_text():
    document = changed(product, f"{SIZES}.label", "x" * 31)
    lines = written(document).splitlines()

    (error,) = judge(written(document)).errors

    where = {"line_start": 54, "line_end": 54, "column_start": 22, "column_end": 54}
    assert error == {
        "error": "INVALID_PROPERTY_VALUE",
        "error_type": "FLOW_JSON_ERROR",
        "message": "Property 'label' should have at most 30 characters, it has 31.",
        **where,
        "pointers": [where | {"path": f"{AT}[1].label"}],
    }
    assert lines[53][21:54] == f'"{"x" * 31}"'


def test_a_wrong_key_is_marked_and_not_its_value():
    document = changed(survey, f"{C}.0.initial-text", "x")
    (error,) = judge(written(document)).errors
    line = written(document).splitlines()[error["line_start"] - 1]

    assert line[error["column_start"] - 1 : error["column_end"]] == '"initial-text"'
    assert error["message"] == (
        "Property 'initial-text' cannot be specified at TextInput on "
        "'$root/screens/0/layout/children/0'."
    )


def test_all_faults_are_told_but_the_shape_comes_first():
    two = changed(lambda: changed(product, f"{HEADING}.text", ""), f"{SIZES}.label", 7)
    assert [error for error, _ in faults(two)] == ["PATTERN_MISMATCH", "INVALID_PROPERTY_TYPE"]

    deeper = changed(lambda: two, "routing_model", {})
    assert faults(deeper) == faults(two)


@pytest.mark.parametrize(
    ("raw", "line", "column"), [("", 1, 1), ('{"version": "7.3",,}', 1, 19), ("{\n  x}", 2, 3)]
)
def test_what_is_not_json(raw, line, column):
    verdict = judge(raw)
    (error,) = verdict.errors

    assert verdict.document is None
    assert error["error"] == "INVALID_FLOW_JSON"
    assert (error["line_start"], error["column_start"]) == (line, column)


@pytest.mark.parametrize("hostile", ["[" * 100_000, "[" * 1000 + "]" * 1000])
def test_hostile_depths(hostile):
    assert [one["error"] for one in judge(hostile).errors] == ["INVALID_FLOW_JSON"]


def test_a_component_deep_in_itself_is_refused():
    nested = text("a")
    for _ in range(40):
        nested = {"type": "If", "condition": "${data.flag}", "then": [nested]}
    assert faults(one_screen(nested, data=FLAG))[0][0] == "INVALID_PROPERTY_VALUE"
    for _ in range(20):
        nested = {"type": "If", "condition": "${data.flag}", "then": [nested]}
    assert faults(one_screen(nested, data=FLAG)) == [("INVALID_FLOW_JSON", "")]


@pytest.mark.parametrize(
    ("version", "is_right"), [("3.0", False), ("5.0", False), ("5.1", True), ("7.3", True)]
)
def test_versions_that_are_still_published(version, is_right):
    document = changed(survey, "version", version)

    assert faults(document) == []
    assert is_publishable(document) is is_right
