import pytest

from engine.sandbox.device.components import (
    EMPTY,
    Component,
    actions_of_choice,
    empty_form,
    pressed,
    shown,
)
from engine.sandbox.device.expressions import ExpressionFault
from tests.unit.sandbox.device.samples import footer
from tests.unit.sandbox.flow_samples import exchange

SCOPE = {
    "data": {"name": "Ana", "vip": True, "way": "pickup"},
    "form": {"age": "18"},
    "screen": {},
}


def text(words, **more):
    return {"type": "TextBody", "text": words} | more


def texts(*children):
    return [one.properties["text"] for one in shown(children, SCOPE)]


def test_properties_are_resolved():
    assert texts(text("${data.name}"), text("`'Hi ' ${data.name}`")) == ["Ana", "Hi Ana"]


def test_what_is_not_visible_is_not_shown():
    hidden = text("no", visible=False)
    bound = text("vip", visible="${data.vip}")
    nested = text("old", visible="`${form.age} > 60`")

    assert texts(text("yes"), hidden, bound, nested) == ["yes", "vip"]


def test_if():
    grown = {
        "type": "If",
        "condition": "${form.age} >= 18",
        "then": [text("a")],
        "else": [text("b")],
    }
    old = {
        "type": "If",
        "condition": "(${form.age} > 60)",
        "then": [text("c")],
        "else": [text("d")],
    }
    none = {"type": "If", "condition": "!${data.vip}", "then": [text("e")]}

    assert texts(grown, old, none) == ["a", "d"]


def test_if_within_if():
    inner = {"type": "If", "condition": "${data.vip}", "then": [text("inner")]}
    outer = {"type": "If", "condition": "${data.vip}", "then": [text("outer"), inner]}

    assert texts(outer, text("after")) == ["outer", "inner", "after"]


def test_switch():
    cases = {"pickup": [text("a")], "delivery": [text("b")], "default": [text("c")]}

    def switch(value, cases=cases):
        return {"type": "Switch", "value": value, "cases": cases}

    assert texts(switch("${data.way}")) == ["a"]
    assert texts(switch("${data.name}")) == ["c"]
    assert texts(switch("${data.name}", {"x": [text("x")]})) == []
    assert texts(switch("${data.vip}", {"true": [text("x")]})) == ["x"]


def test_a_form_is_looked_through():
    entry = {"type": "TextInput", "name": "name", "label": "Name"}
    other = entry | {"name": "other", "init-value": "own"}
    form = {
        "type": "Form",
        "name": "form",
        "children": [entry, other],
        "init-values": {"name": "${data.name}", "other": "of the form"},
        "error-messages": {"name": "Too short"},
    }

    first, second = shown([form], SCOPE)

    assert (first.initial, first.properties["error-message"]) == ("Ana", "Too short")
    assert second.initial == "own"


def test_a_broken_expression():
    with pytest.raises(ExpressionFault):
        texts(text("`${data.name} +`"))


def test_every_input_holds_something_from_the_start():
    entry = {"type": "TextInput", "name": "name"}
    group = {"type": "CheckboxGroup", "name": "extras", "visible": False}
    tick = {"type": "OptIn", "name": "sure"}
    hidden = {"type": "If", "condition": "false", "then": [group], "else": [tick]}
    switch = {"type": "Switch", "value": "x", "cases": {"a": [{"type": "Dropdown", "name": "to"}]}}
    form = {"type": "Form", "name": "form", "children": [entry]}

    assert empty_form([form, hidden, switch, text("x")]) == {
        "name": "",
        "extras": [],
        "sure": False,
        "to": "",
    }
    assert EMPTY["CalendarPicker"] == ""


SIZES = [{"id": "1", "title": "2"}, {"id": "2", "title": "Two"}, {"id": "3", "title": "Three"}]


def choice(kind="RadioButtonsGroup", options=SIZES, **more):
    return Component(kind, {"type": kind, "name": "size", "data-source": options} | more)


def test_an_option_is_found_by_id_or_else_by_title():
    assert choice().option("2") == SIZES[1]
    assert choice().option("Three") == SIZES[2]
    assert choice().option("Four") is None


def test_a_choice_is_lost_when_it_is_not_offered_any_more():
    assert not choice().has_lost("")
    assert not choice().has_lost("1")
    assert choice().has_lost("9")
    assert choice("CheckboxGroup").has_lost(["1", "9"])
    assert not choice("CheckboxGroup").has_lost(["1", "2"])
    assert not choice(options=[]).has_lost("9")


def test_the_actions_of_a_choice():
    def does(name):
        return {"name": name}

    def names(component, before, after):
        return [one["name"] for one in actions_of_choice(component, before, after)]

    options = [
        {"id": one, "on-select-action": does(f"+{one}"), "on-unselect-action": does(f"-{one}")}
        for one in "abc"
    ]
    several = choice("CheckboxGroup", options, **{"on-select-action": does("changed")})
    single = choice(options=options, **{"on-unselect-action": does("cleared")})

    assert names(several, ["a", "b"], ["b", "c"]) == ["-a", "+c", "changed"]
    assert names(several, ["a"], []) == ["-a"]
    assert names(single, "a", "b") == ["-a", "+b"]
    assert names(single, "a", "") == ["-a", "cleared"]
    assert names(choice(), "1", "2") == []


def test_what_can_be_pressed():
    link = {"type": "EmbeddedLink", "text": "Terms", "on-click-action": exchange(to="terms")}
    tick = {
        "type": "OptIn",
        "name": "sure",
        "label": "Sure",
        "on-click-action": exchange(to="more"),
    }
    items = [
        {"id": "yoga", "main-content": {"title": "Yoga"}},
        {"id": "judo", "main-content": {"title": "Judo"}, "on-click-action": exchange(to="judo")},
    ]
    entries = {"type": "NavigationList", "name": "list", "list-items": items}
    general = entries | {"on-click-action": exchange(to="all")}

    def press(wanted, *children):
        found = pressed(shown(children, SCOPE), wanted)
        return None if found is None else found[1]["payload"].get("to")

    assert press("Footer", link, footer(exchange(to="next"))) == "next"
    assert press("Continue", link, footer(exchange(to="next"))) == "next"
    assert press("Terms", footer(exchange()), link) == "terms"
    assert press("sure", tick) == "more"
    assert press("Sure", tick) == "more"
    assert press("judo", entries) == "judo"
    assert press("Judo", general) == "judo"
    assert press("yoga", general) == "all"
    assert press("yoga", entries) is None
    assert press("list", general) is None
    assert press("Footer", link) is None
    assert press("x", text("x")) is None
