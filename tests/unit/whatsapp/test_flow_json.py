"""Flow JSON as a whole: what is right has no fault, and each fault is told where it is."""

from base64 import b64encode
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.whatsapp.flow_components import COMPONENTS
from engine.whatsapp.flow_json import FlowFault, check_flow_json
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
    options,
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


# One change each of the product's Flow: where, to what, the fault's code, and its place if that
# is another.
PRODUCT: list[tuple[Pointer, Any, str, Pointer | None]] = [
    # The document
    (("version",), DELETED, "missing-key", ()),
    (("version",), "3.0", "unknown-value", None),
    (("version",), 7.3, "wrong-type", None),
    (("data_api_version",), "2.0", "unknown-value", None),
    (("data_channel_uri",), "https://shop.example", "unknown-property", None),
    (("routing_model",), DELETED, "missing-key", ()),
    (("routing_model",), [], "wrong-type", None),
    (("routing_model",), None, "wrong-type", None),
    (("screens",), [], "over-limit", None),
    (("screens",), {}, "wrong-type", None),
    (("screens",), DELETED, "missing-key", ()),
    (("screens", 3), "SUCCESS", "wrong-type", None),
    # Screens
    ((*SIZE, "id"), DELETED, "missing-key", SIZE),
    ((*SIZE, "title"), DELETED, "missing-key", SIZE),
    ((*SIZE, "title"), "T" * 31, "over-limit", None),
    ((*SIZE, "title"), " ", "blank-text", None),
    ((*SIZE, "title"), "${data.product_name}", "wrong-type", None),
    ((*SIZE, "colour"), "red", "unknown-property", None),
    ((*SIZE, "terminal"), "no", "wrong-type", None),
    ((*SIZE, "success"), True, "bad-screen", None),
    ((*SUMMARY, "success"), False, "bad-screen", ("screens",)),
    ((*MODIFIERS, "terminal"), None, "wrong-type", None),
    ((*SIZE, "layout"), DELETED, "missing-key", SIZE),
    ((*SIZE, "layout", "type"), "TwoColumnLayout", "unknown-value", None),
    ((*SIZE, "layout", "children"), DELETED, "missing-key", (*SIZE, "layout")),
    ((*SIZE, "layout", "children"), [], "over-limit", None),
    ((*SIZE, "layout", "children"), {}, "wrong-type", None),
    ((*SIZE, "layout", "children", 4), "Footer", "wrong-type", None),
    ((*MODIFIERS, "sensitive"), "notes", "wrong-type", None),
    ((*MODIFIERS, "sensitive", 0), "note", "unknown-input", None),
    ((*MODIFIERS, "sensitive"), [], "over-limit", None),
    # Declarations
    ((*SUMMARY, "data", "extra"), "text", "wrong-type", None),
    ((*SUMMARY, "data", "extra"), {"__example__": ""}, "missing-key", None),
    ((*SUMMARY, "data", "extra"), {"type": "string"}, "missing-key", None),
    ((*SUMMARY, "data", "extra"), number(1), "", None),
    ((*SUMMARY, "data", "extra"), number(True), "wrong-type", (*SUMMARY, "data", "extra", "__example__")),
    ((*SUMMARY, "data", "extra"), flag(1), "wrong-type", (*SUMMARY, "data", "extra", "__example__")),  # type: ignore[arg-type]
    ((*SUMMARY, "data", "extra"), {"type": "text", "__example__": ""}, "unknown-value", (*SUMMARY, "data", "extra", "type")),
    ((*SUMMARY, "data", "extra"), {"type": 1, "__example__": ""}, "wrong-type", (*SUMMARY, "data", "extra", "type")),
    ((*SUMMARY, "data", "an-extra"), text("x"), "unknown-value", None),
    ((*SUMMARY, "data", "required"), text("x"), "unknown-value", None),
    ((*SUMMARY, "data", "extra"), {"type": "array", "__example__": []}, "missing-key", None),
    ((*SUMMARY, "data", "extra"), {"type": "array", "items": 1, "__example__": []}, "wrong-type", (*SUMMARY, "data", "extra", "items")),
    ((*SUMMARY, "data", "extra"), {"type": "object", "__example__": {}}, "missing-key", None),
    ((*SUMMARY, "data", "extra"), {"type": "object", "properties": [], "__example__": {}}, "wrong-type", (*SUMMARY, "data", "extra", "properties")),
    ((*SUMMARY, "data", "modifier_summary", "items", "__example__"), {}, "unknown-property", None),
    ((*SUMMARY, "data", "modifier_summary", "items", "properties", "name"), {}, "missing-key", None),
    ((*SUMMARY, "data", "modifier_summary", "__example__", 0, "quantity"), "1", "wrong-type", None),
    ((*SUMMARY, "data", "modifier_summary", "__example__", 0, "price"), 1, "unknown-data", None),
    ((*SUMMARY, "data", "modifier_summary", "__example__", 0, "name"), None, "wrong-type", None),
    # Routing
    (("routing_model", "SIZE_SELECTION", 0), "MODIFIER_SELECTION", "bad-routing", None),
    (("routing_model", "SIZE"), [], "bad-routing", None),
    (("routing_model", "SIZE_SELECTION"), "ORDER_SUMMARY", "wrong-type", None),
    (("routing_model", "SIZE_SELECTION", 0), 1, "wrong-type", None),
    (("routing_model", "SIZE_SELECTION", 2), "SIZE_SELECTION", "bad-routing", None),
    (("routing_model", "MODIFIERS_SELECTION", 1), "SIZE_SELECTION", "bad-routing", None),
    (("routing_model", "ORDER_SUMMARY", 0), "SIZE_SELECTION", "bad-routing", None),
    (("routing_model", "SIZE_SELECTION"), ["ORDER_SUMMARY"] * 11, "over-limit", None),
    (("routing_model", "MODIFIERS_SELECTION"), [], "bad-routing", (*MODIFIERS, "id")),
    # Components
    ((*NAME, "type"), DELETED, "missing-key", NAME),
    ((*NAME, "type"), 1, "wrong-type", None),
    ((*NAME, "type"), "TextHeadin", "unknown-component", None),
    ((*NAME, "colour"), "red", "unknown-property", None),
    ((*NAME, "text"), DELETED, "missing-key", NAME),
    ((*NAME, "text"), 12, "wrong-type", None),
    ((*NAME, "text"), "\n ", "blank-text", None),
    ((*NAME, "text"), "🍕" * 41, "over-limit", None),
    ((*NAME, "text"), "🍕" * 40, "", None),
    ((*NAME, "visible"), "yes", "wrong-type", None),
    ((*RADIO, "label"), "L" * 31, "over-limit", None),
    ((*RADIO, "description"), "D" * 301, "over-limit", None),
    ((*RADIO, "media-size"), "larg", "unknown-value", None),
    ((*SIZE, "layout", "children", 4), text_input(name="my size"), "unknown-value", (*SIZE, "layout", "children", 4, "name")),
    ((*SIZE, "layout", "children", 4), text_input(name=" "), "blank-text", (*SIZE, "layout", "children", 4, "name")),
    ((*SIZE, "layout", "children", 4), text_input(name=1), "wrong-type", (*SIZE, "layout", "children", 4, "name")),
    ((*SIZE, "layout", "children", 4), text_input(name="${data.product_name}"), "wrong-type", (*SIZE, "layout", "children", 4, "name")),
    ((*NEXT, "label"), "L" * 36, "over-limit", None),
    ((*NEXT, "center-caption"), "C" * 16, "over-limit", None),
    ((*NEXT, "left-caption"), "Left", "missing-key", NEXT),
    ((*GROUP, "max-selected-items"), 1, "over-limit", None),
    ((*GROUP, "max-selected-items"), "2", "wrong-type", None),
    ((*GROUP, "min-selected-items"), -1, "over-limit", None),
    ((*GROUP, "min-selected-items"), True, "wrong-type", None),
    ((*NOTES, "label"), "L" * 21, "over-limit", None),
    ((*NOTES, "helper-text"), "H" * 81, "over-limit", None),
    ((*NOTES, "error-message"), "E" * 31, "over-limit", None),
    ((*NOTES, "input-type"), "numbr", "unknown-value", None),
    ((*NOTES, "label-variant"), "small", "unknown-value", None),
    ((*NOTES, "max-chars"), 0, "over-limit", None),
    # Several together
    (NOTES, text_input(name="notes", pattern="[0-9]"), "missing-key", None),
    (NOTES, text_input(name="notes", **{"min-chars": 9, "max-chars": 3}), "over-limit", (*NOTES, "min-chars")),
    ((*SIZE, "layout", "children", 4), text_input(name="size"), "duplicate-name", (*SIZE, "layout", "children", 4, "name")),
    ((*SAUCE_IF, "else", 1), text_input(name="sauce"), "duplicate-name", (*SAUCE_IF, "else", 1, "name")),
    ((*SIZE, "layout", "children", 4), footer("Two", exchange()), "over-limit", None),
    # Expressions
    ((*NAME, "text"), "${data.product_nam}", "unknown-data", None),
    ((*NAME, "text"), "${form.siz}", "unknown-input", None),
    ((*NAME, "text"), "${form.notes}", "unknown-input", None),
    ((*NAME, "text"), "${data.size_options}", "wrong-type", None),
    ((*NAME, "text"), "${data.has_image}", "wrong-type", None),
    ((*NAME, "text"), "Hello ${data.product_name}", "bad-expression", None),
    ((*NAME, "text"), "${product_name}", "bad-expression", None),
    ((*NAME, "text"), "`'Hello ' ${data.product_nam}`", "unknown-data", None),
    ((*NAME, "text"), "`${data.product_name} == 'x'`", "wrong-type", None),
    ((*NAME, "text"), "`${data.product_name} + 1`", "wrong-type", None),
    ((*NAME, "text"), "`'Hello ${data.product_name}`", "bad-expression", None),
    ((*NAME, "text"), "${screen.SIZE_SELECTION.data.product_name}", "unknown-data", None),
    ((*NAME, "text"), "${screen.ORDER.data.total_price}", "unknown-data", None),
    ((*NAME, "text"), "${screen.ORDER_SUMMARY.data.total}", "unknown-data", None),
    ((*NAME, "text"), "${screen.ORDER_SUMMARY.data.total_price}", "", None),
    ((*NAME, "text"), "${screen.ORDER_SUMMARY.data.line.name}", "", None),
    ((*NAME, "text"), "${screen.ORDER_SUMMARY.data.line.size}", "unknown-data", None),
    ((*NAME, "text"), "${screen.ORDER_SUMMARY.data.modifier_summary.name}", "unknown-data", None),
    ((*NAME, "text"), "${screen.MODIFIERS_SELECTION.form.notes}", "", None),
    ((*NAME, "text"), "${screen.MODIFIERS_SELECTION.form.group_1}", "wrong-type", None),
    ((*NAME, "visible"), "${data.product_name}", "wrong-type", None),
    ((*NAME, "visible"), "`${form.size} == 'o1'`", "", None),
    ((*NAME, "visible"), "`${form.size} == 1`", "wrong-type", None),
    ((*RADIO, "data-source"), "${data.product_name}", "wrong-type", None),
    ((*RADIO, "data-source"), "${screen.ORDER_SUMMARY.data.modifier_summary}", "missing-key", None),
    ((*IMAGE, "src"), "${data.has_image}", "wrong-type", None),
    ((*IMAGE, "width"), "${data.product_name}", "wrong-type", None),
    ((*IMAGE, "src"), "https://shop.example/pizza.png", "wrong-type", None),
    ((*IMAGE, "src"), "data:image/png;base64,AAAA", "wrong-type", None),
    ((*IMAGE, "src"), "pizza!", "wrong-type", None),
    ((*IMAGE, "src"), "AAAA", "wrong-type", None),
    ((*IMAGE, "src"), BIG, "over-limit", None),
    ((*IMAGE, "src"), "", "blank-text", None),
    ((*IMAGE, "src"), 1, "wrong-type", None),
    ((*SAUCE_IF, "condition"), "true", "bad-expression", None),
    ((*SAUCE_IF, "condition"), True, "bad-expression", None),
    ((*SAUCE_IF, "condition"), 1, "wrong-type", None),
    ((*SAUCE_IF, "condition"), "`${data.has_sauce}`", "bad-expression", None),
    ((*SAUCE_IF, "condition"), "${data.group_1_min}", "wrong-type", None),
    ((*SAUCE_IF, "condition"), "${data.group_1_min} > 0", "", None),
    ((*SAUCE_IF, "condition"), "${data.sauce}", "unknown-data", None),
    ((*GROUP, "init-value"), "${data.sauces}", "wrong-type", None),
    # Branches
    ((*SAUCE_IF, "then"), [], "over-limit", None),
    ((*SAUCE_IF, "else"), [], "over-limit", None),
    ((*SAUCE_IF, "then"), {}, "wrong-type", None),
    ((*SAUCE_IF, "then"), DELETED, "missing-key", SAUCE_IF),
    ((*SAUCE_IF, "then", 1), {"type": "RichText", "text": "Hello"}, "mixed-screen", None),
    ((*SIZE, "layout", "children", 4), ifs(3), "", None),
    ((*SIZE, "layout", "children", 4), ifs(4), "over-limit", (*SIZE, "layout", "children", 4, *("then", 0) * 3)),
    # Actions
    ((*NEXT, "on-click-action"), "data_exchange", "wrong-type", None),
    ((*NEXT, "on-click-action"), DELETED, "missing-key", NEXT),
    ((*NEXT, "on-click-action", "name"), DELETED, "missing-key", (*NEXT, "on-click-action")),
    ((*NEXT, "on-click-action", "name"), 1, "wrong-type", None),
    ((*NEXT, "on-click-action", "name"), "data_exchang", "unknown-value", None),
    ((*NEXT, "on-click-action", "next"), {}, "unknown-property", None),
    ((*NEXT, "on-click-action", "payload"), DELETED, "missing-key", (*NEXT, "on-click-action")),
    ((*NEXT, "on-click-action", "payload"), "x", "wrong-type", None),
    ((*NEXT, "on-click-action", "payload", "x"), "${form.siz}", "unknown-input", None),
    ((*NEXT, "on-click-action", "payload", "x"), "Hi ${form.size}", "bad-expression", None),
    ((*NEXT, "on-click-action", "payload", "x"), {"y": ["${data.z}"]}, "unknown-data", (*NEXT, "on-click-action", "payload", "x", "y", 0)),
    ((*NEXT, "on-click-action", "payload", "error"), "x", "bad-action", None),
    ((*NEXT, "on-click-action"), open_url("https://shop.example"), "bad-action", (*NEXT, "on-click-action", "name")),
    ((*NEXT, "on-click-action"), {"name": "complete", "payload": {}}, "bad-action", (*NEXT, "on-click-action", "name")),
    ((*NEXT, "on-click-action"), {"name": "update_data", "payload": {}}, "bad-action", (*NEXT, "on-click-action", "name")),
    ((*NEXT, "on-click-action"), navigate("ORDER"), "bad-action", (*NEXT, "on-click-action", "next", "name")),
    ((*NEXT, "on-click-action"), {"name": "navigate", "payload": {}}, "missing-key", None),
    ((*ADD, "on-click-action"), {"name": "complete", "payload": {}}, "", None),
    ((*RADIO, "on-select-action"), exchange(op="size"), "", None),
    ((*RADIO, "on-select-action"), {"name": "update_data", "payload": {"has_image": False}}, "", None),
    ((*RADIO, "on-select-action"), {"name": "update_data", "payload": {"had_image": False}}, "unknown-data", (*RADIO, "on-select-action", "payload", "had_image")),
    ((*RADIO, "on-select-action"), {"name": "update_data", "payload": {"has_image": "no"}}, "wrong-type", (*RADIO, "on-select-action", "payload", "has_image")),
    ((*RADIO, "on-select-action"), {"name": "update_data", "payload": {"has_image": "${data.product_name}"}}, "wrong-type", (*RADIO, "on-select-action", "payload", "has_image")),
    ((*RADIO, "on-unselect-action"), exchange(), "bad-action", (*RADIO, "on-unselect-action", "name")),
]  # fmt: skip


@pytest.mark.parametrize(("pointer", "value", "code", "where"), PRODUCT)
def test_one_change_of_the_product_flow(pointer, value, code, where):
    assert_fault(product_flow(), pointer, value, code, where)


def assert_fault(
    document: Document, pointer: Pointer, value: Any, code: str, where: Pointer | None
) -> None:
    """Make a change; it must have this one fault, or none if there is no code."""
    expected = [(pointer if where is None else where, code)] if code else []
    assert set(found(changed(document, pointer, value))) == set(expected)


# The same of the Flow with everything.
EVERYTHING: list[tuple[Pointer, Any, str, Pointer | None]] = [
    # Without an endpoint
    (("screens", 1, "refresh_on_back"), True, "bad-screen", None),
    (("screens", 1, "refresh_on_back"), False, "", None),
    ((*TERMS, 1, "on-click-action"), exchange(), "missing-key", ()),
    (("screens", 2, "data"), None, "wrong-type", None),
    # Ends
    (("screens", 4, "success"), False, "", None),
    ((*PAPER[:-1], 2), DELETED, "bad-screen", ("screens", 5)),
    ((*SEND, "on-click-action"), navigate("PAPERS"), "bad-action", (*SEND, "on-click-action", "name")),
    # Ways
    ((*TERMS, 1, "on-click-action"), navigate("PLACES"), "bad-routing", (*TERMS, 1, "on-click-action", "next", "name")),
    ((*TERMS, 1, "on-click-action"), navigate("TERMS"), "bad-routing", (*TERMS, 1, "on-click-action", "next", "name")),
    ((*PICTURES, 8), body(), "bad-routing", ("screens", 5, "id")),
    ((*FORM, "children", 4, "on-click-action", "next", "type"), "plugin", "unknown-value", None),
    # What is sent to the next screen
    ((*FORM, "children", 4, "on-click-action", "payload", "is_late"), "no", "wrong-type", None),
    ((*FORM, "children", 4, "on-click-action", "payload", "is_late"), "${form.agreed}", "", None),
    ((*FORM, "children", 4, "on-click-action", "payload", "is_late"), "${form.name}", "wrong-type", None),
    ((*FORM, "children", 4, "on-click-action", "payload", "is_late"), DELETED, "missing-key", (*FORM, "children", 4, "on-click-action", "payload")),
    ((*FORM, "children", 4, "on-click-action", "payload"), DELETED, "missing-key", (*FORM, "children", 4, "on-click-action")),
    ((*FORM, "children", 4, "on-click-action", "payload", "is_lat"), True, "unknown-data", None),
    ((*TERMS, 1, "on-click-action", "payload", "x"), True, "unknown-data", None),
    # NavigationList
    ((*PLACES, "list-items", 1, "on-click-action"), DELETED, "missing-key", PLACES),
    ((*PLACES, "on-click-action"), navigate("TERMS"), "bad-action", None),
    ((*PLACES, "list-items", 1, "badge"), "New", "over-limit", (*PLACES, "list-items")),
    ((*PLACES, "media-size"), "large", "unknown-property", (*PLACES, "list-items")),
    ((*PLACES, "list-items", 0, "end"), {}, "over-limit", (*PLACES, "list-items")),
    ((*PLACES, "list-items", 0, "end", "title"), "T" * 11, "over-limit", None),
    ((*PLACES, "list-items", 0, "badge"), "B" * 16, "over-limit", None),
    ((*PLACES, "list-items", 0, "tags"), ["a", "b", "c", "d"], "over-limit", None),
    ((*PLACES, "list-items", 0, "tags", 0), "T" * 16, "over-limit", None),
    ((*PLACES, "list-items", 0, "main-content", "title"), "T" * 31, "over-limit", None),
    ((*PLACES, "list-items", 0, "main-content", "description"), "T" * 21, "over-limit", None),
    ((*PLACES, "list-items", 0, "main-content", "metadata"), "T" * 81, "over-limit", None),
    ((*PLACES, "list-items", 0, "main-content", "title"), DELETED, "missing-key", (*PLACES, "list-items", 0, "main-content")),
    ((*PLACES, "list-items", 0, "main-content"), "Here", "wrong-type", None),
    ((*PLACES, "list-items", 0, "start"), {"alt-text": "A"}, "missing-key", None),
    ((*PLACES, "list-items", 0, "id"), "there", "bad-option", (*PLACES, "list-items", 1, "id")),
    ((*PLACES, "list-items", 0, "ids"), "there", "unknown-property", None),
    ((*PLACES, "list-items"), "${data.places}", "unknown-data", None),
    (("screens", 0, "layout", "children", 1), body(), "mixed-screen", PLACES),
    # RichText
    ((*TERMS, 2), body(), "mixed-screen", (*TERMS, 0)),
    ((*TERMS, 0, "text"), [], "over-limit", None),
    ((*TERMS, 0, "text", 1), " ", "blank-text", None),
    ((*TERMS, 0, "text", 1), 1, "wrong-type", None),
    ((*TERMS, 0, "text", 1), "${data.terms}", "wrong-type", None),
    ((*TERMS, 0, "text"), "# One\nText", "", None),
    # Form
    ((*FORM, "name"), DELETED, "missing-key", FORM),
    (("screens", 2, "layout", "children", 1), text_input(), "mixed-screen", None),
    (("screens", 2, "layout", "children", 1), body(), "", None),
    ((*INPUT, "init-value"), "Ann", "unknown-property", None),
    ((*INPUT, "error-message"), "No", "unknown-property", None),
    ((*FORM, "init-values", "nam"), "Ann", "unknown-input", None),
    ((*FORM, "init-values", "chips"), "a", "wrong-type", None),
    ((*FORM, "init-values", "agreed"), "${data.x}", "unknown-data", None),
    ((*FORM, "init-values"), "${data.x}", "unknown-data", None),
    ((*FORM, "init-values"), [], "wrong-type", None),
    ((*FORM, "error-messages", "name"), "E" * 31, "over-limit", None),
    ((*FORM, "error-messages", "agreed"), "No", "unknown-input", None),
    ((*FORM, "children", 5), calendar(), "", None),
    # Text inputs
    ((*INPUT, "helper-text"), DELETED, "missing-key", INPUT),
    ((*INPUT, "input-type"), "email", "unknown-value", (*INPUT, "pattern")),
    ((*INPUT, "min-chars"), 41, "over-limit", None),
    ((*INPUT, "max-chars"), 40.5, "wrong-type", None),
    ((*INPUT, "pattern"), " ", "blank-text", None),
    # Choices
    ((*CHIPS, "data-source", 0, "description"), "Hot", "unknown-property", None),
    ((*CHIPS, "data-source", 0, "title"), "T" * 31, "over-limit", None),
    ((*CHIPS, "label"), "L" * 81, "over-limit", None),
    ((*CHIPS, "max-selected-items"), 3, "over-limit", None),
    ((*CHIPS, "min-selected-items"), 3, "over-limit", None),
    ((*CHIPS, "max-selected-items"), 1, "", None),
    ((*COLOURS, "data-source", 1, "id"), "red", "bad-option", None),
    ((*COLOURS, "data-source", 1, "id"), DELETED, "missing-key", (*COLOURS, "data-source", 1)),
    ((*COLOURS, "data-source", 1, "id"), "${data.x}", "wrong-type", None),
    ((*COLOURS, "data-source", 0, "title"), "T" * 31, "over-limit", None),
    ((*COLOURS, "data-source", 0, "title"), "", "blank-text", None),
    ((*COLOURS, "data-source", 0, "description"), "D" * 301, "over-limit", None),
    ((*COLOURS, "data-source", 0, "metadata"), "M" * 21, "over-limit", None),
    ((*COLOURS, "data-source", 0, "color"), "red", "unknown-value", None),
    ((*COLOURS, "data-source", 0, "titel"), "red", "unknown-property", None),
    ((*COLOURS, "data-source", 1), "red", "wrong-type", None),
    ((*COLOURS, "data-source", 0, "image"), PNG, "bad-option", (*COLOURS, "data-source")),
    ((*COLOURS, "data-source"), "red", "wrong-type", None),
    ((*COLOURS, "init-value"), "green", "bad-option", None),
    ((*EXTRAS, "data-source", 0, "image"), BIG, "over-limit", None),
    ((*EXTRAS, "init-value"), ["y"], "bad-option", None),
    ((*EXTRAS, "data-source", 0, "on-select-action"), open_url("https://a.b"), "bad-action", (*EXTRAS, "data-source", 0, "on-select-action", "name")),
    ((*EXTRAS, "data-source", 0, "on-select-action"), {"name": "update_data", "payload": {}}, "", None),
    (EXTRAS, choice("CheckboxGroup", 20, name="extras"), "", None),
    (EXTRAS, choice("CheckboxGroup", 21, name="extras"), "over-limit", (*EXTRAS, "data-source")),
    (EXTRAS, choice("RadioButtonsGroup", 21, name="extras"), "over-limit", (*EXTRAS, "data-source")),
    (EXTRAS, choice("Dropdown", 200, name="extras"), "", None),
    (EXTRAS, choice("Dropdown", 201, name="extras"), "over-limit", (*EXTRAS, "data-source")),
    (EXTRAS, choice("Dropdown", 0, name="extras"), "over-limit", (*EXTRAS, "data-source")),
    (EXTRAS, choice("Dropdown", 1, name="extras", label="L" * 21), "over-limit", (*EXTRAS, "label")),
    # Dates
    ((*DAY, "min-date"), "01.10.2026", "wrong-type", None),
    ((*DAY, "min-date"), "2026-13-01", "wrong-type", None),
    ((*DAY, "min-date"), 20261001, "wrong-type", None),
    ((*DAY, "min-date"), "2027-01-01", "over-limit", None),
    ((*DAY, "unavailable-dates", 0), "2027-01-01", "over-limit", (*DAY, "unavailable-dates")),
    ((*DAY, "unavailable-dates", 0), "soon", "wrong-type", None),
    ((*DAY, "unavailable-dates"), "2026-12-25", "wrong-type", None),
    ((*DAY, "unavailable-dates", 0), "${data.first_day}", "", None),
    ((*DAY, "init-value"), "2026-09-30", "over-limit", None),
    ((*DAY, "init-value"), "", "wrong-type", None),
    ((*DAY, "on-select-action"), {"name": "update_data", "payload": {}}, "bad-action", (*DAY, "on-select-action", "name")),
    ((*DAY, "label"), "L" * 41, "over-limit", None),
    ((*STAY, "label"), "Your stay", "wrong-type", None),
    ((*STAY, "label", "end-date"), DELETED, "missing-key", (*STAY, "label")),
    ((*STAY, "label", "end-date"), "L" * 41, "over-limit", None),
    ((*STAY, "label", "last-date"), "To", "unknown-property", None),
    ((*STAY, "required", "start-date"), "yes", "wrong-type", None),
    ((*STAY, "init-value", "start-date"), "2026-10-06", "over-limit", (*STAY, "init-value")),
    ((*STAY, "include-days", 0), "Monday", "unknown-value", None),
    ((*STAY, "min-days"), 10, "over-limit", None),
    ((*STAY, "title"), "T" * 81, "over-limit", None),
    ((*STAY, "mode"), "ranges", "unknown-value", None),
    (STAY, calendar(title="Stay"), "unknown-property", (*STAY, "title")),
    (STAY, calendar(label={"start-date": "From", "end-date": "To"}), "wrong-type", (*STAY, "label")),
    (STAY, calendar(**{"min-days": 1}), "unknown-property", (*STAY, "min-days")),
    (STAY, calendar(**{"init-value": "2026-10-01"}), "", None),
    (STAY, calendar(mode="${data.first_day}", label={"start-date": "From"}), "", None),
    # If and Switch
    ((*SWITCH, "value"), "today", "bad-expression", None),
    ((*SWITCH, "value"), "${data.last_day}", "unknown-data", None),
    ((*SWITCH, "value"), "${data.is_late}", "", None),
    ((*SWITCH, "value"), 1, "wrong-type", None),
    ((*SWITCH, "value"), DELETED, "missing-key", SWITCH),
    ((*SWITCH, "cases"), {}, "over-limit", None),
    ((*SWITCH, "cases"), [], "wrong-type", None),
    ((*SWITCH, "cases", "today"), body(), "wrong-type", None),
    ((*SWITCH, "cases", "1st"), [], "unknown-value", None),
    ((*SWITCH, "cases", "later", 0), {"type": "If", "condition": "${data.is_late}", "then": [body()]}, "mixed-screen", None),
    ((*SWITCH, "cases", "later", 0), image(), "", None),
    ((*FOOT_IF, "else", 0), body(), "mixed-screen", FOOT_IF),
    ((*FOOT_IF, "else"), DELETED, "mixed-screen", FOOT_IF),
    ((*FOOT_IF, "else", 0, "right-caption"), DELETED, "missing-key", (*FOOT_IF, "else", 0)),
    ((*FOOT_IF, "else", 0, "center-caption"), "C", "unknown-property", None),
    ((*DATES, 4), footer("Two", navigate("PAPERS")), "over-limit", (*FOOT_IF, "else", 0)),
    ((*FOOT_IF, "condition"), "${data.is_late} && ${form.day}", "wrong-type", None),
    # Pictures, links
    ((*PICTURES, 0, "width"), "wide", "wrong-type", None),
    ((*PICTURES, 0, "width"), 0, "over-limit", None),
    ((*PICTURES, 0, "scale-type"), "crop", "unknown-value", None),
    ((*PICTURES, 1, "images", 0, "alt-text"), DELETED, "missing-key", (*PICTURES, 1, "images", 0)),
    ((*PICTURES, 1, "images"), [{"src": PNG, "alt-text": "Sea"}] * 4, "over-limit", None),
    ((*PICTURES, 1, "aspect-ratio"), "1:1", "unknown-value", None),
    ((*PICTURES, 2, "text"), ["a" * 200, "b" * 209], "over-limit", None),
    ((*PICTURES, 2, "font-weight"), "bald", "unknown-value", None),
    ((*PICTURES, 2, "markdown"), "${data.x}", "wrong-type", None),
    ((*PICTURES, 3, "text"), "T" * 26, "over-limit", None),
    ((*PICTURES, 3, "on-click-action", "url"), "shop.example", "unknown-value", None),
    ((*PICTURES, 3, "on-click-action", "url"), "${screen.INPUTS.form.name}", "", None),
    ((*PICTURES, 3, "on-click-action", "payload"), {}, "unknown-property", None),
    ((*AGREED, "label"), "L" * 121, "over-limit", None),
    ((*AGREED, "on-click-action", "url"), DELETED, "missing-key", (*AGREED, "on-click-action")),
    # Files
    ((*PAPER, "max-uploaded-documents"), 31, "over-limit", None),
    ((*PHOTOS, "min-uploaded-photos"), 4, "over-limit", None),
    ((*PHOTOS, "max-uploaded-photos"), DELETED, "over-limit", (*SEND, "on-click-action", "payload")),
    ((*PHOTOS, "max-file-size-kb"), 25_600, "", None),
    (PHOTOS, {"type": "PhotoPicker", "name": "photos", "label": "P", "max-uploaded-photos": 5}, "over-limit", (*SEND, "on-click-action", "payload")),
    ((*PHOTOS, "photo-source"), "phone", "unknown-value", None),
    ((*PAPER, "allowed-mime-types", 0), "application/zap", "unknown-value", None),
    ((*PAPER, "label"), "L" * 81, "over-limit", None),
    ((*SEND, "on-click-action", "payload", "all", "photos"), "${form.photos}", "bad-action", (*SEND, "on-click-action", "payload", "all")),
    ((*SEND, "on-click-action", "payload", "all"), ["${form.photos}"], "bad-action", None),
    ((*PICTURES, 9), {"type": "DocumentPicker", "name": "papers", "label": "P"}, "over-limit", None),
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
    model = {a: [b] for a, b in zip(names, names[1:], strict=False)}
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


@pytest.mark.parametrize(
    ("document", "pointer", "value", "told"),
    [
        (product_flow, (*NOTES, "label"), "Notes for the kitchen...", "'label' has 24 characters, WhatsApp shows 20"),
        (product_flow, (*NAME, "type"), "TextHeadin", "there is no component 'TextHeadin'; did you mean 'TextHeading'?"),
        (product_flow, (*RADIO, "data-sorce"), [], "a RadioButtonsGroup has no 'data-sorce'; did you mean 'data-source'?"),
        (product_flow, (*NAME, "text"), "${data.product_nam}", "${data.product_nam} is not in the data of the screen; did you mean 'product_name'?"),
        (product_flow, (*IMAGE, "src"), BIG, "'src' has 301 kB, WhatsApp shows 300"),
        (show_all, (*COLOURS, "init-value"), "green", "'green' of 'init-value' is none of the options"),
        (show_all, (*EXTRAS, "data-source"), [{"id": str(n), "title": "T"} for n in range(23)], "'data-source' has 23 options, 20 fit"),
        (show_all, (*CHIPS, "data-source"), [{"id": "a", "title": "T"}], "'data-source' has 1 options, it needs at least 2"),
        (show_all, (*STAY, "min-days"), 10, "'min-days' is 10, more than 'max-days', which is 9"),
        (show_all, (*PAPER, "max-uploaded-documents"), 31, "'max-uploaded-documents' is 31, the most is 30"),
    ],
)  # fmt: skip
def test_sentences(document, pointer, value, told):
    assert sentence(changed(document(), pointer, value), pointer) == told


def test_a_fault_is_told_once():
    document = product_flow()
    changed(document, (*NAME, "text"), "`${data.who} ' and ' ${data.who}`")
    assert found(document) == [((*NAME, "text"), "unknown-data")]


@pytest.mark.parametrize("garbage", [None, True, 1, "x", [], [product_flow()]])
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
broken = any_json | st.sampled_from(
    ["${data.x}", "`", "``", "`(${form.size}`", "${}", "${data.}", "${screen.A.form.b}", "`'", " "]
    + ["If", "Form", "Switch", "navigate", "complete", -1, 10**30, 1.5, "2026-02-30"]  # type: ignore[list-item]
)


@settings(max_examples=300)
@given(st.data())
def test_a_document_broken_anywhere_never_raises(data):
    make, pointers = data.draw(st.sampled_from(MADE))
    document = make()
    for pointer in data.draw(st.lists(st.sampled_from(pointers), min_size=1, max_size=3)):
        try:
            changed(document, pointer, data.draw(broken))
        except (KeyError, IndexError, TypeError):
            continue
    assert all(isinstance(fault, FlowFault) for fault in check_flow_json(document))


@pytest.mark.parametrize("type_", COMPONENTS)
@settings(max_examples=30)
@given(any_json)
def test_a_component_of_garbage_never_raises(type_, garbage):
    component = dict.fromkeys(COMPONENTS[type_].properties, garbage)
    document = product_flow()
    document["screens"][0]["layout"]["children"].append({"type": type_, **component})
    assert list(check_flow_json(document))
