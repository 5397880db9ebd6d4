"""A Flow as Flow JSON: what is written for each part, where from, and that WhatsApp takes it."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.errors import RenderFailed
from engine.flows.compile import compile_flow, input_names, is_terminal, routing_model, sendable
from engine.flows.document import FlowJson
from engine.spec.flow import Flow
from engine.whatsapp.flow_json.check import check_flow_json
from tests.unit.actions.shop import bundle
from tests.unit.flows.screens import END, FILE, GO, flow, one_screen, shop

OPTIONS = [{"id": "a", "title": "A"}, {"id": "b", "title": "B"}]
FOOTER = {
    "type": "Footer", "label": "Go",
    "on-click-action": {"name": "data_exchange", "payload": {"event": "submit"}},
}  # fmt: skip


def compiled(of: Flow, language: str = "en", **examples: Any) -> FlowJson:
    """Compile a Flow; `examples` is what its first screen has shown."""
    first = next(of.shown()).id
    shown = {first: examples}
    return compile_flow(of, shop(of), language, shown)


def parts(of: Flow, **examples: Any) -> list[Any]:
    """Compile a Flow of one screen, and give its components."""
    return list(compiled(of, **examples).document["screens"][0]["layout"]["children"])


# The whole --------------------------------------------------------------------------------------


def test_the_shipped_flow_leads_from_screen_to_screen_as_the_requirements_have_it():
    shipped = bundle().flows["product_customization"]
    assert routing_model(shipped) == {
        "SIZE_SELECTION": ["MODIFIERS_SELECTION", "ORDER_SUMMARY"],
        "MODIFIERS_SELECTION": ["ORDER_SUMMARY"],
        "ORDER_SUMMARY": [],
    }
    assert [s.id for s in shipped.shown() if is_terminal(shipped, s.id)] == ["ORDER_SUMMARY"]


THREE = f"""
flow: three
start: A
anywhere: {{skip: {{if: misses, go: C}}}}
states:
  A:
    title: "{{{{ tenant.name }}}}\\n  Menu"
    layout: {{{GO}}}
    when: {{submit: [{{if: misses, go: A}}, {{if: is_new, go: B}}, {{go: B}}]}}
  B: {{title: B, layout: {{{GO}}}, refresh_on_back: true, when: {{submit: C}}}}
  C: {{title: C, layout: {{{GO}}}, when: {{submit: END}}}}
{END}"""


def test_screens_are_written_in_order_and_the_end_is_none():
    made = compiled(flow(THREE))
    assert {k: v for k, v in made.document.items() if k != "screens"} == {
        "version": "7.3",
        "data_api_version": "4.0",
        "routing_model": {"A": ["B", "C"], "B": ["C"], "C": []},
    }
    layout = {"type": "SingleColumnLayout", "children": [FOOTER]}
    assert made.document["screens"] == [
        {"id": "A", "title": "La Tavola Menu", "data": {}, "layout": layout},
        {"id": "B", "title": "B", "refresh_on_back": True, "data": {}, "layout": layout},
        {"id": "C", "title": "C", "terminal": True, "data": {}, "layout": layout},
    ]
    assert (made.flow, made.language, made.categories) == ("three", "en", ("OTHER",))
    assert list(check_flow_json(made.document)) == []


def test_every_part_knows_where_it_was_written():
    layout = """
only:
  type: If
  condition: ${data.yes}
  then:
    which:
      type: Switch
      value: ${data.kind}
      cases:
        one:
          body: {type: TextBody, text: One}
"""
    made = compiled(one_screen(layout), yes=[True], kind=["one"])
    children = ("screens", 0, "layout", "children")
    switch = (*children, 0, "then", 0)
    for pointer, line in (
        ((), 1),
        (("screens", 0), 4),
        (("screens", 0, "title"), 5),
        (("routing_model", "A"), 4),
        (("screens", 0, "data", "yes"), 6),
        ((*children, 0), 8),
        ((*children, 0, "condition"), 10),
        (switch, 12),
        ((*switch, "cases", "one", 0, "text"), 17),
        ((*children, 1, "on-click-action"), 18),
    ):
        assert str(made.place_of(pointer)).startswith(f"{FILE}:{line}:"), pointer


# Components -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layout", "written"),
    [
        ("body: {type: TextBody, text: Hello, markdown: true}",
         {"type": "TextBody", "text": "Hello", "markdown": True}),
        ("body: {type: TextBody, text: '${data.x} {{ tenant.currency }}'}",
         {"type": "TextBody", "text": "${data.x} USD"}),
        ("who: {type: TextInput, label: Name, max-chars: 2}",
         {"type": "TextInput", "name": "who", "label": "Name", "max-chars": 2}),
        ("who: {type: TextInput, label: Name, name: called}",
         {"type": "TextInput", "label": "Name", "name": "called"}),
        ("size: {type: Dropdown, label: Size, data-source: [{id: a, title: '{{ language }}'}]}",
         {"type": "Dropdown", "name": "size", "label": "Size",
          "data-source": [{"id": "a", "title": "en"}]}),
        ("link: {type: EmbeddedLink, text: More, event: submit, payload: {seen: '${data.x}'}}",
         {"type": "EmbeddedLink", "text": "More", "on-click-action": {
             "name": "data_exchange", "payload": {"event": "submit", "seen": "${data.x}"}}}),
        ("size: {type: Dropdown, label: Size, data-source: '${data.o}', event: submit}",
         {"type": "Dropdown", "name": "size", "label": "Size", "data-source": "${data.o}",
          "on-select-action": {"name": "data_exchange", "payload": {
              "event": "submit", "size": "${form.size}"}}}),
        ("sure: {type: OptIn, label: Sure, event: submit}",
         {"type": "OptIn", "name": "sure", "label": "Sure",
          "on-click-action": {"name": "data_exchange", "payload": {
              "event": "submit", "sure": "${form.sure}"}}}),
    ],
)  # fmt: skip
def test_a_component_is_written_with_metas_names(layout, written):
    assert parts(one_screen(layout))[0] == written


EVENTS = {
    "EmbeddedLink": "text: More",
    "OptIn": "label: Sure",
    "Dropdown": "label: Size, data-source: '${data.options}'",
    "RadioButtonsGroup": "label: Size, data-source: '${data.options}'",
    "CheckboxGroup": "label: Size, data-source: '${data.options}'",
    "ChipsSelector": "label: Size, data-source: '${data.options}'",
    "DatePicker": "label: Day",
    "CalendarPicker": "label: Day",
}


@pytest.mark.parametrize("component", EVENTS)
def test_whatsapp_takes_the_event_of_every_component_that_can_raise_one(component):
    of = one_screen(f"part: {{type: {component}, {EVENTS[component]}, event: submit}}")
    made = compiled(of, options=[OPTIONS])
    assert [fault.sentence for fault in check_flow_json(made.document)] == []


def test_an_event_brings_every_input_of_its_screen():
    layout = """
who: {type: TextInput, label: Name}
only:
  type: If
  condition: ${data.yes}
  then: {sure: {type: OptIn, label: Sure}}
  else: {day: {type: DatePicker, label: Day}}
which: {type: Switch, value: "${data.kind}", cases: {one: {text: {type: TextBody, text: One}}}}
extras: {type: ChoiceGroups, source: "${data.groups}", groups: 1}
"""
    of = one_screen(layout, takes=1)
    names = ["who", "sure", "day", "extras_1_one", "extras_1_many"]
    assert list(input_names(of.screens["A"])) == names
    _, only, which, *groups, footer = parts(of)
    assert [part["type"] for part in only["then"] + only["else"]] == ["OptIn", "DatePicker"]
    assert which["cases"] == {"one": [{"type": "TextBody", "text": "One"}]}
    payload = {"event": "submit"} | {name: f"${{form.{name}}}" for name in names}
    assert footer["on-click-action"]["payload"] == payload
    assert [part["name"] for part in groups] == names[3:]


def test_a_group_is_written_as_radio_buttons_and_as_check_boxes():
    of = one_screen("extras: {type: ChoiceGroups, source: '${data.groups}', groups: 2}", takes=2)
    *groups, _ = parts(of)
    assert [part["name"] for part in groups] == [
        "extras_1_one", "extras_1_many", "extras_2_one", "extras_2_many",
    ]  # fmt: skip
    assert groups[2] == {
        "type": "RadioButtonsGroup", "name": "extras_2_one", "label": "${data.groups_2_label}",
        "data-source": "${data.groups_2_options}", "required": "${data.groups_2_must_one}",
        "visible": "${data.groups_2_is_single}",
    }  # fmt: skip
    assert groups[1] == {
        "type": "CheckboxGroup", "name": "extras_1_many", "label": "${data.groups_1_label}",
        "data-source": "${data.groups_1_options}", "required": "${data.groups_1_must_several}",
        "visible": "${data.groups_1_is_several}",
        "min-selected-items": "${data.groups_1_minimum}",
        "max-selected-items": "${data.groups_1_maximum}",
    }  # fmt: skip


def test_the_words_are_of_the_language():
    of = one_screen("size: {type: TextHeading, text: '{{ terms.flow.size }} {{ language }}'}")
    words = {name: bundle().vocabulary(name).terms["flow"]["size"] for name in ("en", "es")}
    for language, word in words.items():
        (heading, _) = compiled(of, language).document["screens"][0]["layout"]["children"]
        assert heading["text"] == f"{word} {language}"
    assert words["en"] != words["es"]


def test_a_text_that_cannot_be_rendered_is_told_with_its_place():
    with pytest.raises(RenderFailed, match=rf"^{FILE}:8:\d+: "):
        compiled(one_screen("size: {type: TextHeading, text: 'A {{ terms.nothing.here }}'}"))


# Data -------------------------------------------------------------------------------------------

TEXT, NUMBER, FLAG = {"type": "string"}, {"type": "number"}, {"type": "boolean"}


def listed(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


@pytest.mark.parametrize(
    ("shown", "declared", "example"),
    [
        (["Ana", ""], TEXT, "Ana"),
        ([3, 1.5], NUMBER, 3),
        ([Decimal("12.50")], NUMBER, 12.5),
        ([True, False], FLAG, True),
        ([["a", "b"]], listed(TEXT), ["a", "b"]),
        ([[], ["a"]], listed(TEXT), []),
        ([[]], listed(TEXT), []),
        ([[], [{"price": Decimal(1)}]],
         listed({"type": "object", "properties": {"price": NUMBER}}), []),
        # What only some have is declared too.
        ([[{"id": "a"}], [{"id": "b", "new": True}]],
         listed({"type": "object", "properties": {"id": TEXT, "new": FLAG}}), [{"id": "a"}]),
        ([{"a": {"b": 1}}], {"type": "object", "properties": {
            "a": {"type": "object", "properties": {"b": NUMBER}}}}, {"a": {"b": 1}}),
        ([{}], {"type": "object", "properties": {}}, {}),
    ],
)  # fmt: skip
def test_data_is_declared_as_it_was_shown(shown, declared, example):
    made = compiled(one_screen("body: {type: TextBody, text: A}"), x=shown)
    assert made.document["screens"][0]["data"] == {"x": declared | {"__example__": example}}


def test_data_that_was_never_shown_is_declared_as_a_text():
    of = one_screen("body: {type: TextBody, text: '${data.x}'}", data="{x: 1, y: 2}")
    made = compiled(of, y=[2]).document["screens"][0]["data"]
    assert made == {"y": NUMBER | {"__example__": 2}, "x": TEXT | {"__example__": "–"}}


def test_amounts_are_sent_as_numbers():
    sent = sendable({"a": [Decimal("1.10"), {"b": (Decimal(2), "x", None, True)}]})
    assert sent == {"a": [1.1, {"b": [2.0, "x", None, True]}]}
    assert type(sent["a"][0]) is float


def test_places_and_examples_do_not_change_what_is_uploaded():
    of = one_screen("body: {type: TextBody, text: A}")
    moved = replace(of, where="other.yaml:9:9")
    assert compiled(of, x=["a"]).digest == compiled(moved, x=["a", "b"]).digest
    assert compiled(of, x=["a"]).digest != compiled(of, x=["b"]).digest
