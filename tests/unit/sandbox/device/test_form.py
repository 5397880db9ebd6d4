import re

import pytest

from engine.sandbox.device.components import Component
from engine.sandbox.device.form import NotPossible, entered, hindrances

OPTIONS = [
    {"id": "a", "title": "Apple"},
    {"id": "b", "title": "Banana"},
    {"id": "c", "title": "Cherry", "enabled": False},
]


def component(kind, **properties):
    given = {name.replace("_", "-"): value for name, value in properties.items()}
    return Component(kind, {"type": kind, "name": "it", "data-source": OPTIONS} | given)


@pytest.mark.parametrize(
    ("kind", "given", "holds"),
    [
        ("TextInput", "two", "two"),
        ("TextInput", 2, "2"),
        ("TextInput", "", ""),
        ("TextArea", "a\nb", "a\nb"),
        ("RadioButtonsGroup", "b", "b"),
        ("RadioButtonsGroup", "Banana", "b"),
        ("Dropdown", "Apple", "a"),
        ("Dropdown", "", ""),
        ("CheckboxGroup", ["a", "Banana"], ["a", "b"]),
        ("CheckboxGroup", "a", ["a"]),
        ("CheckboxGroup", ["a", "a"], ["a"]),
        ("CheckboxGroup", [], []),
        ("ChipsSelector", ["Apple"], ["a"]),
        ("OptIn", True, True),
        ("DatePicker", "2026-11-20", "2026-11-20"),
        ("CalendarPicker", {"start-date": "2026-11-20"}, {"start-date": "2026-11-20"}),
        ("PhotoPicker", [{"id": "1"}], [{"id": "1"}]),
    ],
)
def test_entered(kind, given, holds):
    assert entered(component(kind), given) == holds


@pytest.mark.parametrize(
    ("kind", "given", "says"),
    [
        ("RadioButtonsGroup", "d", "does not offer 'd' but: a, b, c"),
        ("RadioButtonsGroup", ["a"], "does not offer"),
        ("RadioButtonsGroup", "c", "'Cherry' of 'it' is disabled"),
        ("CheckboxGroup", ["a", "d"], "does not offer 'd'"),
        ("CheckboxGroup", ["Cherry"], "is disabled"),
        ("OptIn", "yes", "takes a bool, not 'yes'"),
        ("TextInput", True, "takes a str, not True"),
        ("TextInput", ["a"], "takes a str"),
        ("DatePicker", 20261120, "takes a str"),
    ],
)
def test_what_cannot_be_entered(kind, given, says):
    with pytest.raises(NotPossible, match=says):
        entered(component(kind), given)


def test_a_disabled_input_takes_nothing():
    with pytest.raises(NotPossible, match="'it' is disabled"):
        entered(component("TextInput", enabled=False), "x")


SENDS = [
    (component("TextInput", required=True), "x"),
    (component("TextInput"), ""),
    (component("TextInput"), "x" * 80),
    (component("TextInput", max_chars=2), "xx"),
    (component("TextInput", max_chars="2"), "xx"),
    (component("TextInput", min_chars=2), "xx"),
    (component("TextInput", min_chars=2), ""),
    (component("TextInput", input_type="number"), "0123"),
    (component("TextInput", input_type="email"), "ana@example.com"),
    (component("TextInput", input_type="phone"), "+54 9 11 5555-6666"),
    (component("TextInput", input_type="password"), "s3cret!"),
    (component("TextInput", pattern="[A-Z]{3}"), "ABC"),
    (component("TextArea"), "x" * 600),
    (component("TextArea", max_length=700), "x" * 700),
    (component("CheckboxGroup", min_selected_items=1, max_selected_items=2), ["a", "b"]),
    (component("CheckboxGroup", min_selected_items=2), []),
    (component("OptIn", required=True), True),
    (component("OptIn"), False),
    (component("DatePicker", min_date="2026-11-20", max_date="2026-11-20"), "2026-11-20"),
    (component("RadioButtonsGroup", required=True), "a"),
    (component("CalendarPicker"), "2026-11-20"),
]


@pytest.mark.parametrize(("one", "value"), SENDS)
def test_what_can_be_sent(one, value):
    assert list(hindrances(one, value)) == []


STAYS = [
    (component("TextInput", required=True), "", "'it' is required"),
    (component("RadioButtonsGroup", required=True), "", "is required"),
    (component("CheckboxGroup", required=True), [], "is required"),
    (component("OptIn", required=True), False, "is required"),
    (component("TextInput"), "x" * 81, "at most 80 characters, it has 81"),
    (component("TextInput", max_chars=2), "xxx", "at most 2 characters, it has 3"),
    (component("TextInput", min_chars=2), "x", "at least 2 characters, it has 1"),
    (component("TextInput", input_type="number"), "1.5", "digits only, not '1.5'"),
    (component("TextInput", input_type="number"), "-1", "digits only"),
    (component("TextInput", input_type="number"), "٣", "digits only"),
    (component("TextInput", input_type="passcode"), "12a", "digits only"),
    (component("TextInput", input_type="email"), "ana", "an e-mail address"),
    (component("TextInput", input_type="phone"), "call me", "a phone number"),
    (component("TextInput", pattern="[A-Z]{3}"), "AB", r"must be like \[A-Z\]"),
    (component("TextArea"), "x" * 601, "at most 600 characters"),
    (component("CheckboxGroup", min_selected_items=2), ["a"], "at least 2 choices, it has 1"),
    (component("CheckboxGroup", max_selected_items=1), ["a", "b"], "at most 1 choices, it has 2"),
    (component("ChipsSelector", max_selected_items=1), ["a", "b"], "at most 1 choices"),
    (component("DatePicker"), "tomorrow", "takes a date like 2026-11-20"),
    (component("DatePicker", min_date="2026-11-20"), "2026-11-19", "no day before 2026-11-20"),
    (component("DatePicker", max_date="2026-11-20"), "2026-11-21", "no day after 2026-11-20"),
    (component("DatePicker", unavailable_dates=["2026-11-20"]), "2026-11-20", "does not offer"),
]


@pytest.mark.parametrize(("one", "value", "says"), STAYS)
def test_what_cannot_be_sent(one, value, says):
    (reason,) = hindrances(one, value)

    assert re.search(says, reason), reason
