"""What an endpoint is about to answer, against the screen it is for."""

from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.whatsapp.flow_json.check import FlowFault, check_screen_data
from tests.unit.whatsapp.flow_documents import (
    PNG,
    Document,
    exchange,
    flag,
    footer,
    layout,
    number,
    options,
    product_flow,
    show_all,
    text,
    texts,
)
from tests.unit.whatsapp.flow_json.test_check import BIG, DELETED, Pointer, changed
from tests.unit.whatsapp.strangers import any_json, any_text, nested


def size_data() -> Document:
    return {
        "product_name": "Margherita",
        "product_image": PNG,
        "has_image": True,
        "size_options": [{"id": "s", "title": "Small"}, {"id": "l", "title": "Large"}],
        "selected_size": "l",
        "footer_label": "Next",
    }


def modifiers_data() -> Document:
    return {
        "group_1_visible": True,
        "group_1_label": "Toppings",
        "group_1_options": [{"id": str(n), "title": f"T{n}", "enabled": True} for n in range(20)],
        "group_1_min": 0,
        "group_1_max": 20,
        "group_1_selected": [],
        "has_sauce": True,
        "sauces": [{"id": "hot", "title": "Hot"}],
        "quantity_error": "",
    }


def summary_data() -> Document:
    return {
        "total_price": "12.50 EUR",
        "line": {"name": "Margherita"},
        "modifier_summary": [{"name": "Olives", "quantity": 1}],
    }


SCREENS = {
    "SIZE_SELECTION": size_data,
    "MODIFIERS_SELECTION": modifiers_data,
    "ORDER_SUMMARY": summary_data,
}


def found(screen: str, data: Any, document: Any = None) -> list[tuple[Pointer, str]]:
    document = product_flow() if document is None else document
    return [(f.pointer, f.code) for f in check_screen_data(document, screen, data)]


def told(screen: str, data: Any) -> list[str]:
    return [
        f"{fault.sentence}; {fault.hint}" if fault.hint else fault.sentence
        for fault in check_screen_data(product_flow(), screen, data)
    ]


@pytest.mark.parametrize(("screen", "make"), SCREENS.items())
def test_nothing_is_wrong_with_good_data(screen, make):
    assert found(screen, make()) == []
    assert found(screen, MappingProxyType(make()), MappingProxyType(product_flow())) == []


def test_the_examples_are_good_data():
    for document in (product_flow(), show_all()):
        for screen in document["screens"]:
            examples = {key: d["__example__"] for key, d in screen.get("data", {}).items()}
            assert found(screen["id"], examples, document) == []


S, M, T = SCREENS
MANY = [{"id": "l" * n, "title": "T"} for n in range(1, 22)]

# One change each: of which screen's data, where, to what, the fault's code, its place if another.
CHANGES: list[tuple[str, Pointer, Any, str, Pointer | None]] = [
    # As declared
    (S, ("size_options",), DELETED, "missing-key", ()),
    (S, ("size_option",), [], "unknown-data", None),
    (S, ("error_message",), "Sold out", "", None),
    (S, ("error_message",), "", "blank-text", None),
    (S, ("error_message",), 1, "wrong-type", None),
    (S, ("product_name",), 12, "wrong-type", None),
    (S, ("has_image",), "yes", "wrong-type", None),
    (S, ("has_image",), 1, "wrong-type", None),
    (M, ("group_1_max",), True, "wrong-type", None),
    (M, ("group_1_max",), "2", "wrong-type", None),
    (M, ("group_1_max",), 20.0, "", None),
    (M, ("group_1_max",), 19.5, "wrong-type", None),
    (S, ("size_options",), {}, "wrong-type", None),
    (S, ("size_options", 0), "Small", "wrong-type", None),
    (S, ("size_options", 0, "title"), 1, "wrong-type", None),
    (S, ("size_options", 0, "price"), 1, "unknown-data", None),
    (T, ("line",), "Margherita", "wrong-type", None),
    (T, ("line", "size"), "l", "unknown-data", None),
    (T, ("modifier_summary", 0, "quantity"), "1", "wrong-type", None),
    (T, ("modifier_summary",), [], "", None),
    (T, ("modifier_summary",), ({"name": "Olives"},), "", None),
    # Null
    (S, ("selected_size",), None, "wrong-type", None),
    (S, ("size_options", 1), None, "wrong-type", None),
    (S, ("size_options", 1, "description"), None, "wrong-type", None),
    # Texts
    (S, ("product_name",), " ", "blank-text", None),
    (S, ("product_name",), "P" * 80, "", None),
    (S, ("product_name",), "P" * 81, "over-limit", None),
    (S, ("product_name",), "${data.x}", "", None),
    (S, ("footer_label",), "F" * 36, "over-limit", None),
    (M, ("group_1_label",), "L" * 31, "over-limit", None),
    (M, ("quantity_error",), "E" * 31, "over-limit", None),
    (T, ("line", "name"), "", "blank-text", None),
    (T, ("line", "name"), "N" * 81, "over-limit", None),
    (T, ("total_price",), "1" * 4090, "over-limit", None),  # 'Total: ' comes before it
    (T, ("total_price",), "1" * 4089, "", None),
    # Options
    (S, ("size_options",), [], "over-limit", None),
    (S, ("size_options",), MANY, "over-limit", None),
    (S, ("size_options", 0, "id"), "l", "bad-option", ("size_options", 1, "id")),
    (S, ("size_options", 0, "id"), "", "blank-text", None),
    (S, ("size_options", 0, "id"), DELETED, "missing-key", ("size_options", 0)),
    (S, ("size_options", 0, "title"), DELETED, "missing-key", ("size_options", 0)),
    (S, ("size_options", 0, "title"), " ", "blank-text", None),
    (S, ("size_options", 0, "title"), "T" * 31, "over-limit", None),
    (S, ("size_options", 0, "description"), "D" * 301, "over-limit", None),
    (S, ("size_options", 0, "metadata"), "M" * 21, "over-limit", None),
    (S, ("size_options", 0, "image"), "https://shop.example/s.png", "wrong-type", None),
    (S, ("selected_size",), "xl", "bad-option", None),
    (S, ("selected_size",), "", "", None),
    (M, ("group_1_selected",), ["0", "x"], "bad-option", None),
    (M, ("group_1_selected",), ["0", "19"], "", None),
    (M, ("group_1_max",), 21, "over-limit", None),
    (M, ("group_1_max",), 1, "", None),
    (M, ("group_1_min",), 21, "over-limit", None),
    (M, ("group_1_min",), -1, "over-limit", None),
    # Pictures
    (S, ("product_image",), "https://shop.example/pizza.png", "wrong-type", None),
    (S, ("product_image",), "pizza", "wrong-type", None),
    (S, ("product_image",), BIG, "over-limit", None),
    (S, ("product_image",), "", "blank-text", None),
]  # fmt: skip


@pytest.mark.parametrize(("screen", "pointer", "value", "code", "where"), CHANGES)
def test_one_change(screen, pointer, value, code, where):
    data = changed(SCREENS[screen](), pointer, value)
    expected = [(pointer if where is None else where, code)] if code else []
    if pointer == ("size_options",) and value == []:
        expected.append((("selected_size",), "bad-option"))
    assert found(screen, data) == expected


def test_the_least_is_not_more_than_the_most():
    data = modifiers_data() | {"group_1_min": 3, "group_1_max": 2}
    assert found(M, data) == [(("group_1_min",), "over-limit")]


def test_sentences():
    assert told(S, size_data() | {"footer_label": "F" * 36}) == [
        "'footer_label' has 36 characters, WhatsApp shows 35; "
        "it is the 'label' of a component of type Footer"
    ]
    many = [{"id": str(n), "title": "T"} for n in range(23)]
    assert told(S, size_data() | {"size_options": many, "selected_size": "0"}) == [
        "'size_options' has 23 options, 20 fit; "
        "it is the 'data-source' of a component of type RadioButtonsGroup"
    ]
    assert told(S, size_data() | {"product_nam": "x"}) == [
        "'product_nam' is not declared; did you mean 'product_name'?"
    ]


UNUSED = {
    "group_1_label": "",
    "group_1_options": [],
    "group_1_min": 5,
    "group_1_max": 0,
    "group_1_selected": ["gone"],
}


def test_what_is_not_visible_is_not_judged():
    data = modifiers_data() | UNUSED
    assert found(M, data | {"group_1_visible": False}) == []
    assert len(found(M, data)) == 5


def test_what_is_not_visible_is_as_declared_all_the_same():
    data = modifiers_data() | UNUSED | {"group_1_visible": False, "group_1_min": "5"}
    assert found(M, data) == [(("group_1_min",), "wrong-type")]


def test_the_branch_that_is_not_taken_is_not_judged():
    data = modifiers_data() | {"sauces": []}
    assert found(M, data | {"has_sauce": False}) == []
    assert found(M, data) == [(("sauces",), "over-limit")]


def with_layout(data: Document, *children: Document) -> Document:
    document = product_flow()
    document["screens"][2]["data"] = data
    document["screens"][2]["layout"] = layout(*children, footer("Add", exchange()))
    return document


def heading(words: str = "${data.words}", **more: Any) -> Document:
    return {"type": "TextHeading", "text": words, **more}


@pytest.mark.parametrize(
    ("condition", "values", "is_seen"),
    [
        ("${data.on}", {"on": True}, True),
        ("${data.on}", {"on": False}, False),
        ("!${data.on}", {"on": True}, False),
        ("!${data.on}", {"on": False}, True),
        ("${data.on} || ${data.count} > 1", {"on": False, "count": 1}, False),
        ("${data.on} || ${data.count} > 1", {"on": False, "count": 2}, True),
        ("${data.on} && ${form.size}", {"on": False}, True),  # unknown, so judged
        ("${screen.SIZE_SELECTION.data.has_image}", {"on": False}, True),
        ("${data.words} == ''", {"words": ""}, True),
        ("(", {}, True),
    ],
)
def test_conditions_are_worked_out_where_that_is_possible(condition, values, is_seen):
    declared = {"on": flag(True), "count": number(1), "words": text("x")}
    data = {"on": True, "count": 1, "words": " "} | values
    inside = {"type": "If", "condition": condition, "then": [heading()]}
    expected = [(("words",), "blank-text")] if is_seen else []
    assert found(T, data, with_layout(declared, inside)) == expected
    otherwise = inside | {"then": [heading("Hello")], "else": [heading()]}
    is_known = condition not in ("(", "${data.on} && ${form.size}") and "screen" not in condition
    expected = [] if is_seen and is_known else [(("words",), "blank-text")]
    assert found(T, data, with_layout(declared, otherwise)) == expected


def test_only_the_case_that_is_taken_is_judged():
    declared = {"which": text("a"), "words": text("x")}
    cases = {"a": [heading()], "b": [heading("Hello")]}
    document = with_layout(declared, {"type": "Switch", "value": "${data.which}", "cases": cases})
    assert found(T, {"which": "a", "words": ""}, document) == [(("words",), "blank-text")]
    assert found(T, {"which": "b", "words": ""}, document) == []


@pytest.mark.parametrize("visible", [False, "`!${data.on}`", "`${data.on} == false`"])
def test_visible_may_be_written_or_worked_out(visible):
    declared = {"on": flag(True), "words": text("x")}
    document = with_layout(declared, heading(visible=visible))
    assert found(T, {"on": True, "words": ""}, document) == []


def test_a_text_that_is_put_together_is_measured():
    declared = {"price": number(1), "currency": text("EUR"), "is_new": flag(True)}
    label = "`'Add for ' (${data.price} / 2) ' ' ${data.currency} ${data.is_new}`"
    document = with_layout(declared, heading(), footer(label, exchange()))
    del document["screens"][2]["layout"]["children"][0]
    del document["screens"][2]["layout"]["children"][1:]
    data = {"price": 25, "currency": "€" * 19, "is_new": True}
    assert found(T, data, document) == [(("price",), "over-limit")]  # 'Add for 12.5 €€…€true'
    assert found(T, data | {"currency": "€" * 10}, document) == []


def test_what_is_put_together_with_a_list_is_not_known():
    document = with_layout({"words": texts("x")}, heading("`'x' ${data.words}`"))
    assert found(T, {"words": ["x" * 99]}, document) == []


def test_pictures_of_a_carousel_and_items_of_a_list():
    declared = {"pictures": options("x"), "places": options("x"), "picture": text(PNG)}
    declared["pictures"]["items"]["properties"] = {
        "src": {"type": "string"},
        "alt-text": {"type": "string"},
    }
    inner = {"type": "object", "properties": {"title": {"type": "string"}}}
    declared["places"]["items"]["properties"]["main-content"] = inner
    document = with_layout(
        declared,
        {"type": "ImageCarousel", "images": "${data.pictures}"},
        {"type": "ImageCarousel", "images": [{"src": "${data.picture}", "alt-text": "x"}]},
        {"type": "NavigationList", "name": "n", "list-items": "${data.places}"},
    )
    data = {
        "pictures": [{"src": PNG, "alt-text": "Sea"}],
        "places": [{"id": "a", "main-content": {"title": "Here"}}],
        "picture": PNG,
    }
    assert found(T, data, document) == []
    bad = {
        "pictures": [{"src": "http://a.b/c.png", "alt-text": "Sea"}] * 4,
        "places": [{"id": "a", "main-content": {"title": "H" * 31}}, {"id": "b"}],
        "picture": "x",
    }
    assert found(T, bad, document) == [
        (("pictures",), "over-limit"),
        *((("pictures", n, "src"), "wrong-type") for n in range(4)),
        (("picture",), "wrong-type"),
        (("places", 0, "main-content", "title"), "over-limit"),
        (("places", 1), "missing-key"),
    ]


def test_a_drop_down_has_fewer_options_with_pictures():
    drop_down = {"type": "Dropdown", "name": "d", "label": "D", "data-source": "${data.all}"}
    document = with_layout({"all": options("x")}, drop_down)
    plain = [{"id": str(n), "title": "T"} for n in range(200)]
    assert found(T, {"all": plain}, document) == []
    plain[7]["image"] = PNG
    assert found(T, {"all": plain}, document) == [(("all",), "over-limit")]


def test_an_option_may_say_more_than_whatsapp_knows():
    document = product_flow()
    declared = document["screens"][0]["data"]["size_options"]["items"]["properties"]
    declared["price"] = {"type": "number"}
    data = changed(size_data(), ("size_options", 0, "price"), 5)
    assert found(S, data, document) == []


def test_a_document_that_is_wrong_makes_no_fault_of_data():
    document = with_layout({"count": number(1)}, heading("${data.count}"), heading("`'x'`"))
    assert found(T, {"count": 5}, document) == []
    document = with_layout({"words": text("x")}, heading(visible="`true`"))
    assert found(T, {"words": ""}, document) == [(("words",), "blank-text")]


def test_dates_from_data():
    declared = {"first": text("2026-01-01"), "days": texts("2026-01-01"), "day": text("")}
    picker = {"type": "DatePicker", "name": "day", "label": "Day", "max-date": "2026-12-31"}
    dates = {
        "min-date": "${data.first}",
        "unavailable-dates": "${data.days}",
        "init-value": "${data.day}",
    }
    document = with_layout(declared, picker | dates)
    data = {"first": "2026-10-01", "days": ["2026-10-03"], "day": ""}
    assert found(T, data, document) == []
    assert found(T, data | {"first": "1 Oct"}, document) == [(("first",), "wrong-type")]
    assert found(T, data | {"first": "2027-01-01"}, document) == [(("first",), "over-limit")]
    assert found(T, data | {"day": "2026-09-01"}, document) == [(("day",), "over-limit")]
    assert found(T, data | {"days": ["2026-09-01"]}, document) == [(("days",), "over-limit")]
    assert found(T, data | {"days": ["never"]}, document) == [(("days", 0), "wrong-type")]


def test_a_range_from_data():
    declared = {"start": text("From"), "range": flag(True), "label": text("x")}
    declared["label"] = {
        "type": "object",
        "properties": {"start-date": {"type": "string"}, "end-date": {"type": "string"}},
        "__example__": {"start-date": "From", "end-date": "To"},
    }
    labels = {"start-date": "${data.start}", "end-date": "To"}
    picker = {"type": "CalendarPicker", "name": "stay", "mode": "range", "label": labels}
    document = with_layout(declared, picker)
    data = {"start": "From", "range": True, "label": {"start-date": "From", "end-date": "To"}}
    assert found(T, data, document) == []
    assert found(T, data | {"start": "F" * 41}, document) == [(("start",), "over-limit")]


def test_only_what_comes_from_the_data_is_told():
    broken = {"type": "TextInput", "name": "n", "label": "L" * 99, "min-chars": 9, "max-chars": 1}
    document = with_layout({"words": text("x")}, broken, heading())
    assert found(T, {"words": "Hello"}, document) == []


def test_a_fault_is_told_once():
    document = with_layout({"words": text("x")}, heading(), heading())
    assert found(T, {"words": ""}, document) == [(("words",), "blank-text")]


def test_the_data_fits_into_an_answer():
    document = with_layout({"padding": text("x")}, heading("Hello"))
    assert found(T, {"padding": "x" * 999_000}, document) == []
    assert found(T, {"padding": "x" * 1_000_000}, document) == [((), "over-limit")]


@pytest.mark.parametrize("screen", ["SUCCESS", "size_selection", "", "\ud800"])
def test_only_a_screen_of_the_flow_can_be_shown(screen):
    assert found(screen, {}) == [((), "bad-screen")]


@pytest.mark.parametrize("data", [None, [], "x", 1])
def test_data_is_an_object(data):
    assert found(S, data) == [((), "wrong-type")]


@pytest.mark.parametrize("value", ["\ud800", 2**64, float("nan"), object(), nested(5000)])
def test_what_cannot_be_sent_is_told_alone(value):
    [(pointer, code)] = found(S, {"product_name": value})
    assert pointer[0] == "product_name"
    assert code in ("wrong-type", "over-limit")


def test_a_screen_that_cannot_be_read_is_no_screen():
    document = changed(product_flow(), ("screens", 0, "title"), nested(5000))
    assert found(S, size_data(), document) == [((), "bad-screen")]


@settings(deadline=None)
@given(any_json, any_text, any_json)
def test_garbage_never_raises(document, screen, data):
    assert all(isinstance(f, FlowFault) for f in check_screen_data(document, screen, data))


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_garbage_in_a_good_screen_never_raises(data):
    screen, make = data.draw(st.sampled_from(list(SCREENS.items())))
    values = make()
    for key in data.draw(st.lists(st.sampled_from(list(values)), max_size=4)):
        values[key] = data.draw(any_json)
    document = product_flow()
    part = data.draw(st.sampled_from(document["screens"]))
    part[data.draw(st.sampled_from(list(part)))] = data.draw(any_json)
    for checked in (product_flow(), document):
        assert all(isinstance(f, FlowFault) for f in check_screen_data(checked, screen, values))
