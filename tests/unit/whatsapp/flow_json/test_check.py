"""Flow JSON as a whole: what is right has no fault, and each fault is told where it is."""

from base64 import b64encode
from collections.abc import Callable
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.whatsapp.flow_json.check import FlowFault, check_flow_json
from engine.whatsapp.flow_json.components import COMPONENTS
from tests.unit.whatsapp.flow_documents import (
    PNG,
    Document,
    exchange,
    flag,
    footer,
    layout,
    navigate,
    number,
    open_url,
    product_flow,
    show_all,
    text,
    texts,
)
from tests.unit.whatsapp.strangers import any_json, nested

DELETED = object()
BIG = b64encode(b"\x89PNG" + bytes(300_000)).decode()
Pointer = tuple[str | int, ...]

SIZE: Pointer = ("screens", 0)
MODIFIERS: Pointer = ("screens", 1)
SUMMARY: Pointer = ("screens", 2)
NAME = (*SIZE, "layout", "children", 0)
IMAGE = (*SIZE, "layout", "children", 1)
RADIO = (*SIZE, "layout", "children", 2)
NEXT = (*SIZE, "layout", "children", 3)
GROUP = (*MODIFIERS, "layout", "children", 0)
SAUCE_IF = (*MODIFIERS, "layout", "children", 1)
NOTES = (*MODIFIERS, "layout", "children", 2)
ADD = (*SUMMARY, "layout", "children", 3)

PLACES = ("screens", 0, "layout", "children", 0)
TERMS = ("screens", 1, "layout", "children")
FORM = ("screens", 2, "layout", "children", 0)
INPUT = (*FORM, "children", 0)
CHIPS = (*FORM, "children", 2)
AGREED = (*FORM, "children", 3)
DATES = ("screens", 3, "layout", "children")
DAY = (*DATES, 0)
STAY = (*DATES, 1)
SWITCH = (*DATES, 2)
FOOT_IF = (*DATES, 3)
PICTURES = ("screens", 4, "layout", "children")
COLOURS = (*PICTURES, 4)
EXTRAS = (*PICTURES, 5)
PHOTOS = (*PICTURES, 6)
SEND = (*PICTURES, 7)
PAPER = ("screens", 5, "layout", "children", 1)


def changed(document: Document, pointer: Pointer, value: object) -> Document:
    """Put a value at a place; past the end of a list it is added."""
    inner: Any = document
    for key in pointer[:-1]:
        inner = inner[key]
    last: Any = pointer[-1]
    if value is DELETED:
        del inner[last]
    elif isinstance(inner, list) and last == len(inner):
        inner.append(value)
    else:
        inner[last] = value
    return document


def found(document: Any) -> list[tuple[Pointer, str]]:
    return [(fault.pointer, fault.code) for fault in check_flow_json(document)]


def sentence(document: Document, pointer: Pointer) -> str:
    [fault] = [fault for fault in check_flow_json(document) if fault.pointer == pointer]
    return f"{fault.sentence}; {fault.hint}" if fault.hint else fault.sentence


def image(**more: Any) -> Document:
    return {"type": "Image", "src": PNG, **more}


def choice(type_: str, count: int, **more: Any) -> Document:
    data = [{"id": str(index), "title": f"T{index}"} for index in range(count)]
    return {"type": type_, "name": "more", "label": "More", "data-source": data, **more}


def body(words: str = "Hello") -> Document:
    return {"type": "TextBody", "text": words}


def text_input(**more: Any) -> Document:
    return {"type": "TextInput", "name": "more", "label": "More", **more}


def calendar(**more: Any) -> Document:
    return {"type": "CalendarPicker", "name": "when", "label": "When", **more}


def ifs(depth: int) -> Document:
    inner = ifs(depth - 1) if depth > 1 else body()
    return {"type": "If", "condition": "${data.has_image}", "then": [inner]}


@pytest.mark.parametrize("make", [product_flow, show_all])
def test_nothing_is_wrong_with_a_good_document(make):
    assert list(check_flow_json(make())) == []


def test_the_good_documents_have_every_component():
    seen: set[str] = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            seen.update([value["type"]] if isinstance(value.get("type"), str) else [])
            for part in value.values():
                look(part)
        elif isinstance(value, list):
            for part in value:
                look(part)

    look([product_flow(), show_all()])
    assert COMPONENTS.keys() - seen == set()


def test_any_mapping_will_do():
    assert found(MappingProxyType(product_flow())) == []


# One change each of the product's Flow: where, to what, the fault's code, and its place: that many
# levels up, this far below, or somewhere else. No code: nothing is wrong with it.
PRODUCT: list[tuple[Pointer, Any, str, int | str | Pointer]] = [
    # The document
    (("version",), DELETED, "missing-key", 1),
    (("version",), "3.0", "unknown-value", 0),
    (("version",), 7.3, "wrong-type", 0),
    (("data_api_version",), "2.0", "unknown-value", 0),
    (("data_channel_uri",), "https://shop.example", "unknown-property", 0),
    (("routing_model",), DELETED, "missing-key", 1),
    (("routing_model",), [], "wrong-type", 0),
    (("routing_model",), None, "wrong-type", 0),
    (("screens",), [], "over-limit", 0),
    (("screens",), {}, "wrong-type", 0),
    (("screens",), DELETED, "missing-key", 1),
    (("screens", 3), "SUCCESS", "wrong-type", 0),
    # Screens
    ((*SIZE, "id"), DELETED, "missing-key", 1),
    ((*SIZE, "title"), DELETED, "missing-key", 1),
    ((*SIZE, "title"), "T" * 31, "over-limit", 0),
    ((*SIZE, "title"), " ", "blank-text", 0),
    ((*SIZE, "title"), "${data.product_name}", "wrong-type", 0),
    ((*SIZE, "colour"), "red", "unknown-property", 0),
    ((*SIZE, "terminal"), "no", "wrong-type", 0),
    ((*SIZE, "success"), True, "bad-screen", 0),
    ((*SUMMARY, "success"), False, "bad-screen", 2),
    ((*MODIFIERS, "terminal"), None, "wrong-type", 0),
    ((*SIZE, "layout"), DELETED, "missing-key", 1),
    ((*SIZE, "layout", "type"), "TwoColumnLayout", "unknown-value", 0),
    ((*SIZE, "layout", "children"), DELETED, "missing-key", 1),
    ((*SIZE, "layout", "children"), [], "over-limit", 0),
    ((*SIZE, "layout", "children"), {}, "wrong-type", 0),
    ((*SIZE, "layout", "children", 4), "Footer", "wrong-type", 0),
    ((*MODIFIERS, "sensitive"), "notes", "wrong-type", 0),
    ((*MODIFIERS, "sensitive", 0), "note", "unknown-input", 0),
    ((*MODIFIERS, "sensitive"), [], "over-limit", 0),
    # Declarations
    ((*SUMMARY, "data", "extra"), "text", "wrong-type", 0),
    ((*SUMMARY, "data", "extra"), {"__example__": ""}, "missing-key", 0),
    ((*SUMMARY, "data", "extra"), {"type": "string"}, "missing-key", 0),
    ((*SUMMARY, "data", "extra"), number(1), "", 0),
    ((*SUMMARY, "data", "extra"), number(True), "wrong-type", "__example__"),
    ((*SUMMARY, "data", "extra"), flag(1), "wrong-type", "__example__"),  # type: ignore[arg-type]
    ((*SUMMARY, "data", "extra"), {"type": "text", "__example__": ""}, "unknown-value", "type"),
    ((*SUMMARY, "data", "extra"), {"type": 1, "__example__": ""}, "wrong-type", "type"),
    ((*SUMMARY, "data", "an-extra"), text("x"), "unknown-value", 0),
    ((*SUMMARY, "data", "required"), text("x"), "unknown-value", 0),
    ((*SUMMARY, "data", "extra"), {"type": "array", "__example__": []}, "missing-key", 0),
    ((*SUMMARY, "data", "extra"), {"type": "array", "items": 1, "__example__": []},
     "wrong-type", "items"),
    ((*SUMMARY, "data", "extra"), {"type": "object", "__example__": {}}, "missing-key", 0),
    ((*SUMMARY, "data", "extra"), {"type": "object", "properties": [], "__example__": {}},
     "wrong-type", "properties"),
    ((*SUMMARY, "data", "modifier_summary", "items", "__example__"), {}, "unknown-property", 0),
    ((*SUMMARY, "data", "modifier_summary", "items", "properties", "name"), {}, "missing-key", 0),
    ((*SUMMARY, "data", "modifier_summary", "__example__", 0, "quantity"), "1", "wrong-type", 0),
    ((*SUMMARY, "data", "modifier_summary", "__example__", 0, "price"), 1, "unknown-data", 0),
    ((*SUMMARY, "data", "modifier_summary", "__example__", 0, "name"), None, "wrong-type", 0),
    # Routing
    (("routing_model", "SIZE_SELECTION", 0), "MODIFIER_SELECTION", "bad-routing", 0),
    (("routing_model", "SIZE"), [], "bad-routing", 0),
    (("routing_model", "SIZE_SELECTION"), "ORDER_SUMMARY", "wrong-type", 0),
    (("routing_model", "SIZE_SELECTION", 0), 1, "wrong-type", 0),
    (("routing_model", "SIZE_SELECTION", 2), "SIZE_SELECTION", "bad-routing", 0),
    (("routing_model", "MODIFIERS_SELECTION", 1), "SIZE_SELECTION", "bad-routing", 0),
    (("routing_model", "ORDER_SUMMARY", 0), "SIZE_SELECTION", "bad-routing", 0),
    (("routing_model", "SIZE_SELECTION"), ["ORDER_SUMMARY"] * 11, "over-limit", 0),
    (("routing_model", "MODIFIERS_SELECTION"), [], "bad-routing", (*MODIFIERS, "id")),
    # Components
    ((*NAME, "type"), DELETED, "missing-key", 1),
    ((*NAME, "type"), 1, "wrong-type", 0),
    ((*NAME, "type"), "TextHeadin", "unknown-component", 0),
    ((*NAME, "colour"), "red", "unknown-property", 0),
    ((*NAME, "text"), DELETED, "missing-key", 1),
    ((*NAME, "text"), 12, "wrong-type", 0),
    ((*NAME, "text"), "\n ", "blank-text", 0),
    ((*NAME, "text"), "🍕" * 41, "over-limit", 0),
    ((*NAME, "text"), "🍕" * 40, "", 0),
    ((*NAME, "visible"), "yes", "wrong-type", 0),
    ((*RADIO, "label"), "L" * 31, "over-limit", 0),
    ((*RADIO, "description"), "D" * 301, "over-limit", 0),
    ((*RADIO, "media-size"), "larg", "unknown-value", 0),
    ((*SIZE, "layout", "children", 4), text_input(name="my size"), "unknown-value", "name"),
    ((*SIZE, "layout", "children", 4), text_input(name=" "), "blank-text", "name"),
    ((*SIZE, "layout", "children", 4), text_input(name=1), "wrong-type", "name"),
    ((*SIZE, "layout", "children", 4), text_input(name="${data.product_name}"),
     "wrong-type", "name"),
    ((*NEXT, "label"), "L" * 36, "over-limit", 0),
    ((*NEXT, "center-caption"), "C" * 16, "over-limit", 0),
    ((*NEXT, "left-caption"), "Left", "missing-key", 1),
    ((*GROUP, "max-selected-items"), 1, "over-limit", 0),
    ((*GROUP, "max-selected-items"), "2", "wrong-type", 0),
    ((*GROUP, "min-selected-items"), -1, "over-limit", 0),
    ((*GROUP, "min-selected-items"), True, "wrong-type", 0),
    ((*NOTES, "label"), "L" * 21, "over-limit", 0),
    ((*NOTES, "helper-text"), "H" * 81, "over-limit", 0),
    ((*NOTES, "error-message"), "E" * 31, "over-limit", 0),
    ((*NOTES, "input-type"), "numbr", "unknown-value", 0),
    ((*NOTES, "label-variant"), "small", "unknown-value", 0),
    ((*NOTES, "max-chars"), 0, "over-limit", 0),
    # Several together
    (NOTES, text_input(name="notes", pattern="[0-9]"), "missing-key", 0),
    (NOTES, text_input(name="notes", **{"min-chars": 9, "max-chars": 3}),
     "over-limit", "min-chars"),
    ((*SIZE, "layout", "children", 4), text_input(name="size"), "duplicate-name", "name"),
    ((*SAUCE_IF, "else", 1), text_input(name="sauce"), "duplicate-name", "name"),
    ((*SIZE, "layout", "children", 4), footer("Two", exchange()), "over-limit", 0),
    # Expressions
    ((*NAME, "text"), "${data.product_nam}", "unknown-data", 0),
    ((*NAME, "text"), "${form.siz}", "unknown-input", 0),
    ((*NAME, "text"), "${form.notes}", "unknown-input", 0),
    ((*NAME, "text"), "${data.size_options}", "wrong-type", 0),
    ((*NAME, "text"), "${data.has_image}", "wrong-type", 0),
    ((*NAME, "text"), "Hello ${data.product_name}", "bad-expression", 0),
    ((*NAME, "text"), "${product_name}", "bad-expression", 0),
    ((*NAME, "text"), "`'Hello ' ${data.product_nam}`", "unknown-data", 0),
    ((*NAME, "text"), "`${data.product_name} == 'x'`", "wrong-type", 0),
    ((*NAME, "text"), "`${data.product_name} + 1`", "wrong-type", 0),
    ((*NAME, "text"), "`'Hello ${data.product_name}`", "bad-expression", 0),
    ((*NAME, "text"), "${screen.SIZE_SELECTION.data.product_name}", "unknown-data", 0),
    ((*NAME, "text"), "${screen.ORDER.data.total_price}", "unknown-data", 0),
    ((*NAME, "text"), "${screen.ORDER_SUMMARY.data.total}", "unknown-data", 0),
    ((*NAME, "text"), "${screen.ORDER_SUMMARY.data.total_price}", "", 0),
    ((*NAME, "text"), "${screen.ORDER_SUMMARY.data.line.name}", "", 0),
    ((*NAME, "text"), "${screen.ORDER_SUMMARY.data.line.size}", "unknown-data", 0),
    ((*NAME, "text"), "${screen.ORDER_SUMMARY.data.modifier_summary.name}", "unknown-data", 0),
    ((*NAME, "text"), "${screen.MODIFIERS_SELECTION.form.notes}", "", 0),
    ((*NAME, "text"), "${screen.MODIFIERS_SELECTION.form.group_1}", "wrong-type", 0),
    ((*NAME, "visible"), "${data.product_name}", "wrong-type", 0),
    ((*NAME, "visible"), "`${form.size} == 'o1'`", "", 0),
    ((*NAME, "visible"), "`${form.size} == 1`", "wrong-type", 0),
    ((*RADIO, "data-source"), "${data.product_name}", "wrong-type", 0),
    ((*RADIO, "data-source"), "${screen.ORDER_SUMMARY.data.modifier_summary}", "missing-key", 0),
    ((*IMAGE, "src"), "${data.has_image}", "wrong-type", 0),
    ((*IMAGE, "width"), "${data.product_name}", "wrong-type", 0),
    ((*IMAGE, "src"), "https://shop.example/pizza.png", "wrong-type", 0),
    ((*IMAGE, "src"), "data:image/png;base64,AAAA", "wrong-type", 0),
    ((*IMAGE, "src"), "pizza!", "wrong-type", 0),
    ((*IMAGE, "src"), "AAAA", "wrong-type", 0),
    ((*IMAGE, "src"), BIG, "over-limit", 0),
    ((*IMAGE, "src"), "", "blank-text", 0),
    ((*IMAGE, "src"), 1, "wrong-type", 0),
    ((*SAUCE_IF, "condition"), "true", "bad-expression", 0),
    ((*SAUCE_IF, "condition"), True, "bad-expression", 0),
    ((*SAUCE_IF, "condition"), 1, "wrong-type", 0),
    ((*SAUCE_IF, "condition"), "`${data.has_sauce}`", "bad-expression", 0),
    ((*SAUCE_IF, "condition"), "${data.group_1_min}", "wrong-type", 0),
    ((*SAUCE_IF, "condition"), "${data.group_1_min} > 0", "", 0),
    ((*SAUCE_IF, "condition"), "${data.sauce}", "unknown-data", 0),
    ((*GROUP, "init-value"), "${data.sauces}", "wrong-type", 0),
    # Branches
    ((*SAUCE_IF, "then"), [], "over-limit", 0),
    ((*SAUCE_IF, "else"), [], "over-limit", 0),
    ((*SAUCE_IF, "then"), {}, "wrong-type", 0),
    ((*SAUCE_IF, "then"), DELETED, "missing-key", 1),
    ((*SAUCE_IF, "then", 1), {"type": "RichText", "text": "Hello"}, "mixed-screen", 0),
    ((*SIZE, "layout", "children", 4), ifs(3), "", 0),
    ((*SIZE, "layout", "children", 4), ifs(4), "over-limit", "then/0/then/0/then/0"),
    # Actions
    ((*NEXT, "on-click-action"), "data_exchange", "wrong-type", 0),
    ((*NEXT, "on-click-action"), DELETED, "missing-key", 1),
    ((*NEXT, "on-click-action", "name"), DELETED, "missing-key", 1),
    ((*NEXT, "on-click-action", "name"), 1, "wrong-type", 0),
    ((*NEXT, "on-click-action", "name"), "data_exchang", "unknown-value", 0),
    ((*NEXT, "on-click-action", "next"), {}, "unknown-property", 0),
    ((*NEXT, "on-click-action", "payload"), DELETED, "missing-key", 1),
    ((*NEXT, "on-click-action", "payload"), "x", "wrong-type", 0),
    ((*NEXT, "on-click-action", "payload", "x"), "${form.siz}", "unknown-input", 0),
    ((*NEXT, "on-click-action", "payload", "x"), "Hi ${form.size}", "bad-expression", 0),
    ((*NEXT, "on-click-action", "payload", "x"), {"y": ["${data.z}"]}, "unknown-data", "y/0"),
    ((*NEXT, "on-click-action", "payload", "error"), "x", "bad-action", 0),
    ((*NEXT, "on-click-action"), open_url("https://shop.example"), "bad-action", "name"),
    ((*NEXT, "on-click-action"), {"name": "complete", "payload": {}}, "bad-action", "name"),
    ((*NEXT, "on-click-action"), {"name": "update_data", "payload": {}}, "bad-action", "name"),
    ((*NEXT, "on-click-action"), navigate("ORDER"), "bad-action", "next/name"),
    ((*NEXT, "on-click-action"), {"name": "navigate", "payload": {}}, "missing-key", 0),
    ((*ADD, "on-click-action"), {"name": "complete", "payload": {}}, "", 0),
    ((*RADIO, "on-select-action"), exchange(op="size"), "", 0),
    ((*RADIO, "on-select-action"), {"name": "update_data", "payload": {"has_image": False}},
     "", 0),
    ((*RADIO, "on-select-action"), {"name": "update_data", "payload": {"had_image": False}},
     "unknown-data", "payload/had_image"),
    ((*RADIO, "on-select-action"), {"name": "update_data", "payload": {"has_image": "no"}},
     "wrong-type", "payload/has_image"),
    ((*RADIO, "on-select-action"),
     {"name": "update_data", "payload": {"has_image": "${data.product_name}"}},
     "wrong-type", "payload/has_image"),
    ((*RADIO, "on-unselect-action"), exchange(), "bad-action", "name"),
]  # fmt: skip


@pytest.mark.parametrize(("pointer", "value", "code", "where"), PRODUCT)
def test_one_change_of_the_product_flow(pointer, value, code, where):
    assert_fault(product_flow(), pointer, value, code, where)


def place(pointer: Pointer, where: int | str | Pointer) -> Pointer:
    if isinstance(where, int):
        return pointer[: len(pointer) - where]
    if isinstance(where, str):
        return (*pointer, *(int(key) if key.isdigit() else key for key in where.split("/")))
    return where


def assert_fault(
    document: Document, pointer: Pointer, value: Any, code: str, where: int | str | Pointer
) -> None:
    """Make a change; it must have this one fault, or none if there is no code."""
    expected = [(place(pointer, where), code)] if code else []
    assert set(found(changed(document, pointer, value))) == set(expected)


# The same of the Flow with everything.
EVERYTHING: list[tuple[Pointer, Any, str, int | str | Pointer]] = [
    # Without an endpoint
    (("screens", 1, "refresh_on_back"), True, "bad-screen", 0),
    (("screens", 1, "refresh_on_back"), False, "", 0),
    ((*TERMS, 1, "on-click-action"), exchange(), "missing-key", 6),
    (("screens", 2, "data"), None, "wrong-type", 0),
    (("screens", 2, "data"), [], "wrong-type", 0),
    # Ends
    (("screens", 4, "success"), False, "", 0),
    ((*PAPER[:-1], 2), DELETED, "bad-screen", 3),
    ((*SEND, "on-click-action"), navigate("PAPERS"), "bad-action", "name"),
    # Ways
    ((*TERMS, 1, "on-click-action"), navigate("PLACES"), "bad-routing", "next/name"),
    ((*TERMS, 1, "on-click-action"), navigate("TERMS"), "bad-routing", "next/name"),
    ((*PICTURES, 8), body(), "bad-routing", ("screens", 5, "id")),
    ((*FORM, "children", 4, "on-click-action", "next", "type"), "plugin", "unknown-value", 0),
    # What is sent to the next screen
    ((*FORM, "children", 4, "on-click-action", "payload", "is_late"), "no", "wrong-type", 0),
    ((*FORM, "children", 4, "on-click-action", "payload", "is_late"), "${form.agreed}", "", 0),
    ((*FORM, "children", 4, "on-click-action", "payload", "is_late"), "${form.name}",
     "wrong-type", 0),
    ((*FORM, "children", 4, "on-click-action", "payload", "is_late"), DELETED, "missing-key", 1),
    ((*FORM, "children", 4, "on-click-action", "payload"), DELETED, "missing-key", 1),
    ((*FORM, "children", 4, "on-click-action", "payload", "is_lat"), True, "unknown-data", 0),
    ((*TERMS, 1, "on-click-action", "payload", "x"), True, "unknown-data", 0),
    # NavigationList
    ((*PLACES, "list-items", 1, "on-click-action"), DELETED, "missing-key", 3),
    ((*PLACES, "on-click-action"), navigate("TERMS"), "bad-action", 0),
    ((*PLACES, "list-items", 1, "badge"), "New", "over-limit", 2),
    ((*PLACES, "media-size"), "large", "unknown-property", (*PLACES, "list-items")),
    ((*PLACES, "list-items", 0, "end"), {}, "over-limit", 2),
    ((*PLACES, "list-items", 0, "end", "title"), "T" * 11, "over-limit", 0),
    ((*PLACES, "list-items", 0, "badge"), "B" * 16, "over-limit", 0),
    ((*PLACES, "list-items", 0, "tags"), ["a", "b", "c", "d"], "over-limit", 0),
    ((*PLACES, "list-items", 0, "tags", 0), "T" * 16, "over-limit", 0),
    ((*PLACES, "list-items", 0, "main-content", "title"), "T" * 31, "over-limit", 0),
    ((*PLACES, "list-items", 0, "main-content", "description"), "T" * 21, "over-limit", 0),
    ((*PLACES, "list-items", 0, "main-content", "metadata"), "T" * 81, "over-limit", 0),
    ((*PLACES, "list-items", 0, "main-content", "title"), DELETED, "missing-key", 1),
    ((*PLACES, "list-items", 0, "main-content"), "Here", "wrong-type", 0),
    ((*PLACES, "list-items", 0, "start"), {"alt-text": "A"}, "missing-key", 0),
    ((*PLACES, "list-items", 0, "id"), "there", "bad-option", (*PLACES, "list-items", 1, "id")),
    ((*PLACES, "list-items", 0, "ids"), "there", "unknown-property", 0),
    ((*PLACES, "list-items"), "${data.places}", "unknown-data", 0),
    (("screens", 0, "layout", "children", 1), body(), "mixed-screen", PLACES),
    # RichText
    ((*TERMS, 2), body(), "mixed-screen", (*TERMS, 0)),
    ((*TERMS, 0, "text"), [], "over-limit", 0),
    ((*TERMS, 0, "text", 1), " ", "blank-text", 0),
    ((*TERMS, 0, "text", 1), 1, "wrong-type", 0),
    ((*TERMS, 0, "text", 1), "${data.terms}", "wrong-type", 0),
    ((*TERMS, 0, "text"), "# One\nText", "", 0),
    # Form
    ((*FORM, "name"), DELETED, "missing-key", 1),
    (("screens", 2, "layout", "children", 1), text_input(), "mixed-screen", 0),
    (("screens", 2, "layout", "children", 1), body(), "", 0),
    ((*INPUT, "init-value"), "Ann", "unknown-property", 0),
    ((*INPUT, "error-message"), "No", "unknown-property", 0),
    ((*FORM, "init-values", "nam"), "Ann", "unknown-input", 0),
    ((*FORM, "init-values", "chips"), "a", "wrong-type", 0),
    ((*FORM, "init-values", "name"), {"start-date": "Ann"}, "wrong-type", 0),
    ((*FORM, "init-values", "agreed"), "${data.x}", "unknown-data", 0),
    ((*FORM, "init-values"), "${data.x}", "unknown-data", 0),
    ((*FORM, "init-values"), [], "wrong-type", 0),
    ((*FORM, "error-messages", "name"), "E" * 31, "over-limit", 0),
    ((*FORM, "error-messages", "agreed"), "No", "unknown-input", 0),
    ((*FORM, "children", 5), calendar(), "", 0),
    # Text inputs
    ((*INPUT, "helper-text"), DELETED, "missing-key", 1),
    ((*INPUT, "input-type"), "email", "unknown-value", (*INPUT, "pattern")),
    ((*INPUT, "min-chars"), 41, "over-limit", 0),
    ((*INPUT, "max-chars"), 40.5, "wrong-type", 0),
    ((*INPUT, "pattern"), " ", "blank-text", 0),
    # Choices
    ((*CHIPS, "data-source", 0, "description"), "Hot", "unknown-property", 0),
    ((*CHIPS, "data-source", 0, "title"), "T" * 31, "over-limit", 0),
    ((*CHIPS, "label"), "L" * 81, "over-limit", 0),
    ((*CHIPS, "max-selected-items"), 3, "over-limit", 0),
    ((*CHIPS, "min-selected-items"), 3, "over-limit", 0),
    ((*CHIPS, "max-selected-items"), 1, "", 0),
    ((*COLOURS, "data-source", 1, "id"), "red", "bad-option", 0),
    ((*COLOURS, "data-source", 1, "id"), DELETED, "missing-key", 1),
    ((*COLOURS, "data-source", 1, "id"), "${data.x}", "wrong-type", 0),
    ((*COLOURS, "data-source", 0, "title"), "T" * 31, "over-limit", 0),
    ((*COLOURS, "data-source", 0, "title"), "", "blank-text", 0),
    ((*COLOURS, "data-source", 0, "description"), "D" * 301, "over-limit", 0),
    ((*COLOURS, "data-source", 0, "metadata"), "M" * 21, "over-limit", 0),
    ((*COLOURS, "data-source", 0, "color"), "red", "unknown-value", 0),
    ((*COLOURS, "data-source", 0, "titel"), "red", "unknown-property", 0),
    ((*COLOURS, "data-source", 1), "red", "wrong-type", 0),
    ((*COLOURS, "data-source", 0, "image"), PNG, "bad-option", 2),
    ((*COLOURS, "data-source"), "red", "wrong-type", 0),
    ((*COLOURS, "init-value"), "green", "bad-option", 0),
    ((*EXTRAS, "data-source", 0, "image"), BIG, "over-limit", 0),
    ((*EXTRAS, "init-value"), ["y"], "bad-option", 0),
    ((*EXTRAS, "data-source", 0, "on-select-action"), open_url("https://a.b"),
     "bad-action", "name"),
    ((*EXTRAS, "data-source", 0, "on-select-action"), {"name": "update_data", "payload": {}},
     "", 0),
    (EXTRAS, choice("CheckboxGroup", 20, name="extras"), "", 0),
    (EXTRAS, choice("CheckboxGroup", 21, name="extras"), "over-limit", "data-source"),
    (EXTRAS, choice("RadioButtonsGroup", 21, name="extras"), "over-limit", "data-source"),
    (EXTRAS, choice("Dropdown", 200, name="extras"), "", 0),
    (EXTRAS, choice("Dropdown", 201, name="extras"), "over-limit", "data-source"),
    (EXTRAS, choice("Dropdown", 0, name="extras"), "over-limit", "data-source"),
    (EXTRAS, choice("Dropdown", 1, name="extras", label="L" * 21), "over-limit", "label"),
    # Dates
    ((*DAY, "min-date"), "01.10.2026", "wrong-type", 0),
    ((*DAY, "min-date"), "2026-13-01", "wrong-type", 0),
    ((*DAY, "min-date"), 20261001, "wrong-type", 0),
    ((*DAY, "min-date"), "2027-01-01", "over-limit", 0),
    ((*DAY, "unavailable-dates", 0), "2027-01-01", "over-limit", 1),
    ((*DAY, "unavailable-dates", 0), "soon", "wrong-type", 0),
    ((*DAY, "unavailable-dates"), "2026-12-25", "wrong-type", 0),
    ((*DAY, "unavailable-dates", 0), "${data.first_day}", "", 0),
    ((*DAY, "init-value"), "2026-09-30", "over-limit", 0),
    ((*DAY, "init-value"), "", "wrong-type", 0),
    ((*DAY, "on-select-action"), {"name": "update_data", "payload": {}}, "bad-action", "name"),
    ((*DAY, "label"), "L" * 41, "over-limit", 0),
    ((*STAY, "label"), "Your stay", "wrong-type", 0),
    ((*STAY, "label", "end-date"), DELETED, "missing-key", 1),
    ((*STAY, "label", "end-date"), "L" * 41, "over-limit", 0),
    ((*STAY, "label", "last-date"), "To", "unknown-property", 0),
    ((*STAY, "required", "start-date"), "yes", "wrong-type", 0),
    ((*STAY, "init-value", "start-date"), "2026-10-06", "over-limit", 1),
    ((*STAY, "include-days", 0), "Monday", "unknown-value", 0),
    ((*STAY, "min-days"), 10, "over-limit", 0),
    ((*STAY, "title"), "T" * 81, "over-limit", 0),
    ((*STAY, "mode"), "ranges", "unknown-value", 0),
    (STAY, calendar(**{"min-date": "2026-02-02", "max-date": "2026-02-01"}),
     "over-limit", "min-date"),
    (STAY, calendar(title="Stay"), "unknown-property", "title"),
    (STAY, calendar(label={"start-date": "From", "end-date": "To"}), "wrong-type", "label"),
    (STAY, calendar(**{"min-days": 1}), "unknown-property", "min-days"),
    (STAY, calendar(**{"init-value": "2026-10-01"}), "", 0),
    (STAY, calendar(mode="${data.first_day}", label={"start-date": "From"}), "", 0),
    # If and Switch
    ((*SWITCH, "value"), "today", "bad-expression", 0),
    ((*SWITCH, "value"), "${data.last_day}", "unknown-data", 0),
    ((*SWITCH, "value"), "${data.is_late}", "", 0),
    ((*SWITCH, "value"), 1, "wrong-type", 0),
    ((*SWITCH, "value"), DELETED, "missing-key", 1),
    ((*SWITCH, "cases"), {}, "over-limit", 0),
    ((*SWITCH, "cases"), [], "wrong-type", 0),
    ((*SWITCH, "cases", "today"), body(), "wrong-type", 0),
    ((*SWITCH, "cases", "1st"), [], "unknown-value", 0),
    ((*SWITCH, "cases", "later", 0),
     {"type": "If", "condition": "${data.is_late}", "then": [body()]},
     "mixed-screen", 0),
    ((*SWITCH, "cases", "later", 0), image(), "", 0),
    ((*FOOT_IF, "else", 0), body(), "mixed-screen", 2),
    ((*FOOT_IF, "else"), DELETED, "mixed-screen", 1),
    ((*FOOT_IF, "else", 0, "right-caption"), DELETED, "missing-key", 1),
    ((*FOOT_IF, "else", 0, "center-caption"), "C", "unknown-property", 0),
    ((*DATES, 4), footer("Two", navigate("PAPERS")), "over-limit", (*FOOT_IF, "else", 0)),
    ((*FOOT_IF, "condition"), "${data.is_late} && ${form.day}", "wrong-type", 0),
    # Pictures, links
    ((*PICTURES, 0, "width"), "wide", "wrong-type", 0),
    ((*PICTURES, 0, "width"), 0, "over-limit", 0),
    ((*PICTURES, 0, "scale-type"), "crop", "unknown-value", 0),
    ((*PICTURES, 1, "images", 0, "alt-text"), DELETED, "missing-key", 1),
    ((*PICTURES, 1, "images"), [{"src": PNG, "alt-text": "Sea"}] * 4, "over-limit", 0),
    ((*PICTURES, 1, "aspect-ratio"), "1:1", "unknown-value", 0),
    ((*PICTURES, 2, "text"), ["a" * 200, "b" * 209], "over-limit", 0),
    ((*PICTURES, 2, "font-weight"), "bald", "unknown-value", 0),
    ((*PICTURES, 2, "markdown"), "${data.x}", "wrong-type", 0),
    ((*PICTURES, 3, "text"), "T" * 26, "over-limit", 0),
    ((*PICTURES, 3, "on-click-action", "url"), "shop.example", "unknown-value", 0),
    ((*PICTURES, 3, "on-click-action", "url"), "${screen.INPUTS.form.name}", "", 0),
    ((*PICTURES, 3, "on-click-action", "payload"), {}, "unknown-property", 0),
    ((*AGREED, "label"), "L" * 121, "over-limit", 0),
    ((*AGREED, "on-click-action", "url"), DELETED, "missing-key", 1),
    # Files
    ((*PAPER, "max-uploaded-documents"), 31, "over-limit", 0),
    ((*PHOTOS, "min-uploaded-photos"), 4, "over-limit", 0),
    ((*PHOTOS, "max-uploaded-photos"), DELETED,
     "over-limit", (*SEND, "on-click-action", "payload")),
    ((*PHOTOS, "max-file-size-kb"), 25_600, "", 0),
    (PHOTOS, {"type": "PhotoPicker", "name": "photos", "label": "P", "max-uploaded-photos": 5},
     "over-limit", (*SEND, "on-click-action", "payload")),
    ((*PHOTOS, "photo-source"), "phone", "unknown-value", 0),
    ((*PAPER, "allowed-mime-types", 0), "application/zap", "unknown-value", 0),
    ((*PAPER, "label"), "L" * 81, "over-limit", 0),
    ((*SEND, "on-click-action", "payload", "all", "photos"), "${form.photos}", "bad-action", 1),
    ((*SEND, "on-click-action", "payload", "all"), ["${form.photos}"], "bad-action", 0),
    ((*PICTURES, 9), {"type": "DocumentPicker", "name": "papers", "label": "P"}, "over-limit", 0),
]  # fmt: skip


@pytest.mark.parametrize(("pointer", "value", "code", "where"), EVERYTHING)
def test_one_change_of_the_flow_with_everything(pointer, value, code, where):
    assert_fault(show_all(), pointer, value, code, where)


@pytest.mark.parametrize(
    ("component", "limit"),
    [
        ({"type": "OptIn", "label": "I agree"}, 5),
        ({"type": "EmbeddedLink", "text": "x", "on-click-action": open_url("https://a.b")}, 2),
        (image(), 3),
        ({"type": "ImageCarousel", "images": [{"src": PNG, "alt-text": "x"}]}, 2),
    ],
)
def test_some_components_fit_on_a_screen_a_few_times_only(component, limit):
    def with_some(count: int) -> Document:
        document = show_all()
        del document["screens"][4]["layout"]["children"][1]  # the other carousel
        names = [{"name": f"n{n}"} if component["type"] == "OptIn" else {} for n in range(count)]
        document["screens"][5]["layout"]["children"][:0] = [component | name for name in names]
        return document

    assert found(with_some(limit)) == []
    assert found(with_some(limit + 1)) == [((*PAPER[:-1], limit), "over-limit")]


def test_what_a_customer_sees_at_once_counts():
    document = show_all()
    two = [image(), image()]
    branches = {"type": "If", "condition": "${data.is_late}", "then": two, "else": two}
    document["screens"][3]["layout"]["children"].insert(0, branches)
    assert found(document) == []
    document["screens"][3]["layout"]["children"][:0] = two
    assert found(document) == [((*DATES, 2, "then", 1), "over-limit")]


def test_a_flow_has_three_carousels():
    document = show_all()
    carousel = {"type": "ImageCarousel", "images": [{"src": PNG, "alt-text": "x"}]}
    document["screens"][4]["layout"]["children"].insert(0, carousel)
    document["screens"][5]["layout"]["children"].insert(0, carousel)
    assert found(document) == []
    document["screens"][3]["layout"]["children"].insert(0, carousel)
    assert found(document) == [((*PAPER[:-1], 0), "over-limit")]


def test_a_footer_is_not_deeper_than_one_branch():
    document = show_all()
    inner = dict(document["screens"][3]["layout"]["children"][3])
    outer = {"type": "If", "condition": "${data.is_late}", "then": [inner], "else": [body()]}
    changed(document, FOOT_IF, outer)
    assert set(found(document)) == {
        ((*FOOT_IF, "then", 0, "then", 0), "mixed-screen"),
        ((*FOOT_IF, "then", 0, "else", 0), "mixed-screen"),
    }
    inner["else"] = [body()]
    assert found(document) == [((*FOOT_IF, "then", 0, "then", 0), "mixed-screen")]


def test_a_footer_in_a_switch_is_in_every_case():
    document = show_all()
    last = footer("Go on", navigate("PAPERS"))
    switch = document["screens"][3]["layout"]["children"][2]
    switch["cases"] = {"today": [last], "later": [last]}
    changed(document, FOOT_IF, body())
    first = document["screens"][3]["layout"]["children"]
    first.append({"type": "EmbeddedLink", "text": "On", "on-click-action": navigate("PICTURES")})
    assert found(document) == []
    switch["cases"]["later"] = [body()]
    assert found(document) == [(SWITCH, "mixed-screen")]


def test_fifty_components_fit_counted_wherever_they_are():
    def with_more(count: int) -> Document:
        document = show_all()
        branch = document["screens"][3]["layout"]["children"][2]["cases"]["today"]
        branch.extend([body()] * count)
        return document

    assert found(with_more(43)) == []
    assert found(with_more(44)) == [(DATES, "over-limit")]
    assert sentence(with_more(46), DATES) == "this screen has 53 components, 50 fit"


def test_a_list_that_navigates_is_not_on_the_last_screen():
    document = changed(show_all(), ("screens", 0, "terminal"), True)
    assert set(found(document)) == {
        (("screens", 0), "bad-screen"),  # and what it lacks, it cannot have
        (PLACES, "mixed-screen"),
    }


def test_one_form_is_enough():
    inner = {"type": "Form", "name": "f", "children": [body()]}
    document = changed(show_all(), (*FORM, "children", 5), inner)
    assert set(found(document)) == {
        ((*FORM, "children", 5), "mixed-screen"),
        ((*FORM, "children", 5), "over-limit"),
    }


def test_fewer_options_than_can_be_chosen():
    document = changed(show_all(), (*CHIPS, "data-source", 1), DELETED)
    assert set(found(document)) == {
        ((*CHIPS, "data-source"), "over-limit"),
        ((*CHIPS, "max-selected-items"), "over-limit"),
    }


def test_files_cannot_be_sent_to_another_screen():
    document = show_all()
    document["screens"][5]["data"] = {"photos": texts("x")}
    document["screens"][4]["layout"]["children"][8]["on-click-action"] = navigate(
        "PAPERS", photos="${form.photos}"
    )
    where = (*PICTURES, 8, "on-click-action", "payload", "photos")
    assert found(document) == [(where, "bad-action")]


def test_files_of_another_screen_are_files_too():
    document = changed(show_all(), (*PHOTOS, "max-uploaded-photos"), DELETED)
    assert found(document) == [((*SEND, "on-click-action", "payload"), "over-limit")]
    action = {"name": "complete", "payload": {"photos": "${screen.PICTURES.form.photos}"}}
    changed(document, (*SEND, "on-click-action", "payload"), {})
    changed(document, (*PAPER[:-1], 2, "on-click-action"), action)
    where = (*PAPER[:-1], 2, "on-click-action", "payload")
    assert found(document) == [(where, "over-limit")]


def test_the_first_dates_in_a_form():
    document = changed(show_all(), (*FORM, "children", 5), calendar(mode="range"))
    picker = document["screens"][2]["layout"]["children"][0]["children"][5]
    picker["label"] = {"start-date": "From", "end-date": "To"}
    values = document["screens"][2]["layout"]["children"][0]["init-values"]
    values["when"] = {"start-date": "2026-10-01", "end-date": "2026-10-02"}
    assert found(document) == []
    values["when"]["end-date"] = "soon"
    where = (*FORM, "init-values", "when", "end-date")
    assert found(document) == [(where, "wrong-type")]


@pytest.mark.parametrize("key", ["on-select-action", "on-unselect-action"])
def test_an_option_and_its_component_do_not_both_act(key):
    update = {"name": "update_data", "payload": {}}
    document = changed(show_all(), (*COLOURS, key), update)
    assert found(document) == []
    changed(document, (*COLOURS, "data-source", 0, key), update)
    assert found(document) == [((*COLOURS, key), "bad-action")]


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("`(${form.number} + 1) ''`", ""),
        ("`(${form.size} + 1) ''`", "wrong-type"),
        ("${form.number}", "wrong-type"),
        ("${form.when}", "wrong-type"),
        ("`(${form.agreed} && true) ''`", ""),
        ("${screen.MODIFIERS_SELECTION.form.group_1.x}", "unknown-input"),
        ("${screen.ORDER_SUMMARY.data.total_price.x}", "unknown-data"),
    ],
)
def test_inputs_have_types(expression, code):
    document = product_flow()
    document["screens"][0]["layout"]["children"] += [
        text_input(name="number", **{"input-type": "number"}),
        calendar(mode="range", label={"start-date": "From", "end-date": "To"}),
        {"type": "OptIn", "name": "agreed", "label": "I agree"},
    ]
    assert_fault(document, (*NAME, "text"), expression, code, 0)


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({}, ""),
        ({"id": {"type": "number"}}, "wrong-type"),
        ({"enabled": {"type": "string"}}, "wrong-type"),
        ({"color": {"type": "string"}}, ""),
        ({"on-select-action": {"type": "object", "properties": {}}}, ""),
        ({"price": {"type": "number"}}, ""),
        ({"title": None}, "missing-key"),
    ],
)
def test_options_are_declared_as_whatsapp_needs_them(properties, code):
    document = product_flow()
    declared = document["screens"][0]["data"]["size_options"]
    declared["items"]["properties"] |= properties
    declared["__example__"] = []
    if None in properties.values():
        del declared["items"]["properties"]["title"]
    expected = [((*RADIO, "data-source"), code)] if code else []
    assert found(document) == expected


def test_items_of_a_list_are_declared_to_their_depth():
    document = show_all()
    item: Any = {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "main-content": {"type": "object", "properties": {}},
        },
    }
    declared = {"type": "array", "items": item, "__example__": []}
    document["screens"][0]["data"] = {"places": declared}
    changed(document, (*PLACES, "list-items"), "${data.places}")
    assert found(document) == [((*PLACES, "list-items"), "missing-key")]
    item["properties"]["main-content"]["properties"]["title"] = {"type": "string"}
    assert found(document) == []


@pytest.mark.parametrize(("items", "code"), [("string", ""), ("number", "wrong-type")])
def test_a_list_of_texts_is_declared_to_hold_texts(items, code):
    document = show_all()
    declared = {"type": "array", "items": {"type": items}, "__example__": []}
    document["screens"][3]["data"] = {
        "days": declared, "first_day": text("x"), "is_late": flag(False),
    }  # fmt: skip
    change = (*FORM, "children", 4, "on-click-action", "payload", "days")
    changed(document, change, [])
    assert_fault(document, (*DAY, "unavailable-dates"), "${data.days}", code, 0)


def test_what_is_nested_deeper_than_makes_sense_is_not_followed():
    document = product_flow()
    document["screens"][0]["layout"]["children"].append(ifs(13))
    assert {code for _, code in found(document)} == {"over-limit"}
    document["screens"][0]["layout"]["children"][-1] = ifs(16)
    assert {code for _, code in found(document)} == {"over-limit"}


def screens(*ids: str, terminal: str = "") -> list[Document]:
    last = footer("Go on", exchange())
    return [
        {"id": id_, "title": "T", "terminal": id_ == terminal, "layout": layout(body(), last)}
        for id_ in ids
    ]


def routed(model: Any, *ids: str, terminal: str) -> Document:
    return {
        "version": "7.3",
        "data_api_version": "3.0",
        "routing_model": model,
        "screens": screens(*ids, terminal=terminal),
    }


@pytest.mark.parametrize(
    ("model", "faults"),
    [
        ({"A": ["B"], "B": ["C"], "C": []}, []),
        ({"A": ["B"], "B": ["C"]}, []),
        ({"A": ["C"], "B": ["C"]}, []),
        ({"A": ["B", "C"], "B": ["A", "C"]}, [(("routing_model", "B", 0), "bad-routing")]),
        ({"A": ["B"], "B": ["C"], "C": ["A"]}, [(("routing_model", "C", 0), "bad-routing")]),
        ({"A": ["A", "B"], "B": ["C"]}, [(("routing_model", "A", 0), "bad-routing")]),
        ({"A": ["C"], "B": [], "C": []}, [(("screens", 1, "id"), "bad-routing")] * 2),
        ({"A": ["C"], "C": []}, [(("screens", 1, "id"), "bad-routing")] * 2),
        ({"A": ["B", "D"], "B": ["C"]}, [(("routing_model", "A", 1), "bad-routing")]),
        ({}, [(("screens", n, "id"), "bad-routing") for n in (0, 1, 2, 0, 1)]),
    ],
)
def test_routing_models(model, faults):
    assert found(routed(model, "A", "B", "C", terminal="C")) == faults


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ({"A": ["B"], "B": ["A"]}, "'B' leads back to 'A'"),
        ({"A": ["B"], "B": ["C"], "C": ["A"]}, "'A', 'B', 'C' lead round in a circle"),
        ({"A": ["B"], "C": []}, "no way connects 'C' with the other screens"),
        ({"A": ["C"]}, "'B' is not in the routing model"),
        ({"A": ["B"], "B": ["C", "D"]}, "there is no screen 'D'"),
    ],
)
def test_sentences_about_the_ways(model, told):
    faults = list(check_flow_json(routed(model, "A", "B", "C", terminal="C")))
    assert told in [fault.sentence for fault in faults]


def test_a_step_that_is_taken_is_in_the_routing_model():
    document = product_flow()
    first = layout(body(), footer("Next", navigate("ORDER_SUMMARY")))
    document["screens"][2]["data"] = {}
    document["screens"][2]["layout"] = layout(body(), footer("Add", exchange()))
    document["screens"][0]["layout"] = first
    assert found(document) == []
    document["routing_model"]["SIZE_SELECTION"] = ["MODIFIERS_SELECTION"]
    where = (*SIZE, "layout", "children", 1, "on-click-action", "next", "name")
    assert found(document) == [(where, "bad-routing")]


@pytest.mark.parametrize("id_", ["success", "Success", "SUCCESS"])
def test_success_is_reserved(id_):
    document = routed({"A": [id_]}, "A", id_, terminal=id_)
    assert found(document) == [(("screens", 1, "id"), "bad-screen")]


@pytest.mark.parametrize("id_", ["size", "SIZE_1", "SIZE-ONE", "_"])
def test_ids_of_screens_are_capitals(id_):
    document = routed({"A": [id_]}, "A", id_, terminal=id_)
    assert found(document) == [(("screens", 1, "id"), "bad-screen")]


def test_ids_of_screens_are_unique():
    document = routed({"A": ["B"]}, "A", "B", "B", terminal="B")
    assert found(document) == [(("screens", 2, "id"), "duplicate-name")]


def test_a_flow_must_be_able_to_end():
    document = routed({"A": ["B"]}, "A", "B", terminal="")
    assert found(document) == [(("screens",), "bad-screen")]


def test_a_hundred_screens_fit():
    names = [chr(65 + n // 26) + chr(65 + n % 26) for n in range(101)]
    model = {a: [b] for a, b in pairwise(names)}
    del model[names[99]]
    assert found(routed(dict(list(model.items())[:99]), *names[:100], terminal=names[99])) == []
    document = routed(model | {names[99]: [names[100]]}, *names, terminal=names[100])
    assert found(document) == [(("screens",), "over-limit")]


def test_ten_megabytes_fit():
    document = product_flow()
    padding = {f"x{n}": text("y" * 1_000_000) for n in range(10)}
    document["screens"][2]["data"] |= padding
    assert found(document) == []
    document["screens"][2]["data"]["z"] = text("y" * 1_000_000)
    assert found(document) == [((), "over-limit")]


MANY_OPTIONS = [{"id": str(n), "title": "T"} for n in range(23)]
ONE_OPTION = [{"id": "a", "title": "T"}]
SENTENCES = [
    (product_flow, (*NOTES, "label"), "Notes for the kitchen...",
     "'label' has 24 characters, WhatsApp shows 20"),
    (product_flow, (*NAME, "type"), "TextHeadin",
     "there is no component 'TextHeadin'; did you mean 'TextHeading'?"),
    (product_flow, (*RADIO, "data-sorce"), [],
     "a RadioButtonsGroup has no 'data-sorce'; did you mean 'data-source'?"),
    (product_flow, (*NAME, "text"), "${data.product_nam}",
     "${data.product_nam} is not in the data of the screen; did you mean 'product_name'?"),
    (product_flow, (*IMAGE, "src"), BIG, "'src' has 301 kB, WhatsApp shows 300"),
    (show_all, (*COLOURS, "init-value"), "green",
     "'green' of 'init-value' is none of the options"),
    (show_all, (*EXTRAS, "data-source"), MANY_OPTIONS, "'data-source' has 23 options, 20 fit"),
    (show_all, (*CHIPS, "data-source"), ONE_OPTION,
     "'data-source' has 1 options, it needs at least 2"),
    (show_all, (*STAY, "min-days"), 10, "'min-days' is 10, more than 'max-days', which is 9"),
    (show_all, (*PAPER, "max-uploaded-documents"), 31,
     "'max-uploaded-documents' is 31, the most is 30"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "pointer", "value", "told"), SENTENCES)
def test_sentences(document, pointer, value, told):
    assert sentence(changed(document(), pointer, value), pointer) == told


def test_a_fault_is_told_once():
    document = product_flow()
    changed(document, (*NAME, "text"), "`${data.who} ' and ' ${data.who}`")
    assert found(document) == [((*NAME, "text"), "unknown-data")]


@pytest.mark.parametrize("garbage", [None, True, 1, "x", [], [product_flow()], object()])
def test_what_is_no_object_is_told(garbage):
    assert found(garbage) == [((), "wrong-type")]


@pytest.mark.parametrize(
    ("value", "pointer", "code"),
    [
        ("\ud800", (*NAME, "text"), "wrong-type"),
        (2**64, (*IMAGE, "width"), "wrong-type"),
        (float("nan"), (*IMAGE, "width"), "wrong-type"),
        (float("inf"), (*IMAGE, "width"), "wrong-type"),
        ({1: "x"}, (*NAME, "text"), "wrong-type"),
        ({"\udfff": "x"}, (*NAME, "text"), "wrong-type"),
        (object(), (*NAME, "text"), "wrong-type"),
    ],
)
def test_what_cannot_be_written_as_json_is_told_alone(value, pointer, code):
    document = changed(product_flow(), ("version",), "1.0")
    assert found(changed(document, pointer, value)) == [(pointer, code)]


def test_what_is_nested_without_end_is_told_alone():
    [fault] = check_flow_json(changed(product_flow(), (*NAME, "text"), nested(5000)))
    assert (fault.code, fault.pointer[: len(NAME)]) == ("over-limit", NAME)


def test_faults_are_values():
    assert FlowFault((1,), "x", "y") == FlowFault((1,), "x", "y", "")


@settings(deadline=None)
@given(any_json)
def test_garbage_is_told_and_never_raises(document):
    assert all(isinstance(fault, FlowFault) for fault in check_flow_json(document))


def places(value: Any, pointer: Pointer = ()) -> list[Pointer]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found: list[Pointer] = [pointer] if pointer else []
    if isinstance(value, dict | list):
        for key, part in inner:
            found += places(part, (*pointer, key)) if isinstance(part, dict | list) else []
            found.append((*pointer, key))
    return found


MADE: list[tuple[Callable[[], Document], list[Pointer]]] = [
    (make, places(make())) for make in (product_flow, show_all)
]
TEMPTING: list[Any] = [
    "${data.x}", "`", "``", "`(${form.size}`", "${}", "${data.}", "${screen.A.form.b}", "`'", " ",
    "If", "Form", "Switch", "navigate", "complete", -1, 10**30, 1.5, "2026-02-30",
]  # fmt: skip
broken = any_json | st.sampled_from(TEMPTING)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_document_broken_anywhere_never_raises(data):
    make, pointers = MADE[data.draw(st.integers(0, len(MADE) - 1))]
    document = make()
    for pointer in data.draw(st.lists(st.sampled_from(pointers), min_size=1, max_size=3)):
        try:
            changed(document, pointer, data.draw(broken))
        except (KeyError, IndexError, TypeError):
            continue
    assert all(isinstance(fault, FlowFault) for fault in check_flow_json(document))


@pytest.mark.parametrize("type_", COMPONENTS)
@settings(deadline=None, max_examples=15)
@given(any_json)
def test_a_component_of_garbage_never_raises(type_, garbage):
    component = dict.fromkeys(COMPONENTS[type_].properties, garbage)
    document = product_flow()
    document["screens"][0]["layout"]["children"].append({"type": type_, **component})
    assert list(check_flow_json(document))
