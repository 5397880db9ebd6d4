import json

import pytest

from engine.sandbox.flow_documents.check import judge
from engine.sandbox.flow_documents.components import COMPONENTS
from tests.unit.sandbox.flow_parts import (
    AT,
    FLAG,
    HEADING,
    IN_DATA,
    LARGE,
    SIZES,
    C,
    assert_wrong,
    boxes,
    captions,
    carousel,
    chips,
    choose,
    dropdown,
    entry,
    image,
    item,
    one_screen,
    radio,
    switch,
)
from tests.unit.sandbox.flow_samples import (
    PIXEL,
    changed,
    complete,
    declare,
    exchange,
    footer,
    navigate,
    option,
    product,
    screen,
    survey,
    text,
    without,
    written,
)

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
    one_screen(text(["# Terms", "..."], "RichText"), version="6.3"),
    one_screen(*(text("a") for _ in range(49))),
    one_screen(boxes(**{"min-selected-items": 2, "max-selected-items": 2})),
    one_screen(choose("${data.flag}", chips()), data=FLAG, version="7.1"),
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
    one_screen(entry(**{"input-type": "number"}), choose("${form.note} > 17", text("a"))),
    changed(product, "screens.1.layout.children.0.data-source", "${screen.SIZE.data.sizes}"),
    one_screen(text("a"), data={"mixed": declare([1, "a"], items=True)}),
    one_screen(dropdown(label="x" * 20, **{"data-source": [option(n) for n in range(200)]})),
    one_screen(
        dropdown(**{"data-source": [option(n) | {"image": PIXEL} for n in range(100)]}),
        version="5.1",
    ),
    one_screen(
        chips(**{"on-unselect-action": {"name": "update_data", "payload": {}}}), version="6.3"
    ),
    one_screen(
        {
            "type": "OptIn",
            "name": "ok",
            "label": "OK",
            "on-select-action": {"name": "update_data", "payload": {}},
        },
        version="6.0",
    ),
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
            "init-values": {"note": "${data.name}", "size": "1"},
            "error-messages": "${data.wrong}",
        },
        data={
            "name": declare("Ana"),
            "wrong": declare({"note": "no"}, properties={"note": {"type": "string"}}),
        },
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


# what is wrong, Meta's name of it, and where
WRONG = [
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
    (one_screen(entry(**{"helper-text": 7})), "INVALID_PROPERTY_TYPE", f"{AT}[0].helper-text"),
    (one_screen(boxes(**{"max-selected-items": "2"})), "INVALID_PROPERTY_TYPE", None),
    (one_screen(image(src=7)), "INVALID_PROPERTY_TYPE", f"{AT}[0].src"),
    (
        one_screen({"type": "DatePicker", "name": "d", "label": "D", "max-date": 20261231}),
        "INVALID_PROPERTY_TYPE",
        f"{AT}[0].max-date",
    ),
    (
        one_screen({"type": "CalendarPicker", "name": "d", "label": 7}),
        "INVALID_PROPERTY_TYPE",
        f"{AT}[0].label",
    ),
    (
        one_screen({"type": "Switch", "value": "${data.flag}", "cases": []}, data=FLAG),
        "INVALID_PROPERTY_TYPE",
        f"{AT}[0].cases",
    ),
    (
        one_screen(switch("${data.flag}", a=[text("a") | {"colour": "red"}]), data=FLAG),
        "INVALID_PROPERTY_KEY",
        f"{AT}[0].cases.a[0].colour",
    ),
    (
        one_screen({"type": "CalendarPicker", "name": "d", "label": {"start-date": "From"}}),
        "MISSING_REQUIRED_TYPE_PROPERTY",
        f"{AT}[0].label",
    ),
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
]


@pytest.mark.parametrize(("document", "error", "path"), WRONG)
def test_wrong(document, error, path):
    assert_wrong(document, error, path)
