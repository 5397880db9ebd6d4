"""The table of components: what platform-facts say, and that it makes sense as a whole."""

import pytest

from engine.whatsapp.flow_json.actions import ACTIONS
from engine.whatsapp.flow_json.components import COMPONENTS, OptionRule, Property
from engine.whatsapp.flow_json.scope import TYPES

INPUTS = {
    "TextInput": "text", "TextArea": "text", "Dropdown": "one", "RadioButtonsGroup": "one",
    "CheckboxGroup": "many", "ChipsSelector": "many", "OptIn": "flag", "DatePicker": "date",
    "CalendarPicker": "dates", "NavigationList": "one", "PhotoPicker": "media",
    "DocumentPicker": "media",
}  # fmt: skip
OTHERS = {
    "TextHeading", "TextSubheading", "TextBody", "TextCaption", "RichText", "EmbeddedLink",
    "Footer", "Image", "ImageCarousel", "If", "Switch", "Form",
}  # fmt: skip


def every_property() -> list[tuple[str, Property]]:
    found: list[tuple[str, Property]] = []

    def add(path: str, rules: object) -> None:
        assert isinstance(rules, dict)
        for name, rule in rules.items():
            found.append((f"{path}.{name}", rule))
            add(f"{path}.{name}", rule.properties)

    for type_, component in COMPONENTS.items():
        add(type_, component.properties)
    for name, rules in ACTIONS.items():
        add(name, rules)
    return found


def test_every_component_is_there():
    assert COMPONENTS.keys() == INPUTS.keys() | OTHERS


def test_inputs():
    assert {type_: c.input for type_, c in COMPONENTS.items() if c.input} == INPUTS


def test_an_input_has_a_name_and_a_label_unless_it_is_a_list_to_go_on_with():
    for type_ in INPUTS:
        properties = COMPONENTS[type_].properties
        assert properties["name"].is_required
        assert properties["name"].is_static
        assert properties["label"].is_required is (type_ != "NavigationList")


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("RadioButtonsGroup", OptionRule(1, 20, 20, 30, 300, 20)),
        ("CheckboxGroup", OptionRule(1, 20, 20, 30, 300, 20)),
        ("Dropdown", OptionRule(1, 200, 100, 30, 300, 20)),
        ("ChipsSelector", OptionRule(2, 20, 20, 30, 0, 0)),
        ("NavigationList", OptionRule(1, 20, 20, 30, 20, 80)),
        ("TextInput", None),
        ("ImageCarousel", None),
    ],
)
def test_options(type_, expected):
    assert COMPONENTS[type_].options == expected


@pytest.mark.parametrize(
    ("type_", "limits"),
    [
        ("TextHeading", {"text": 80}),
        ("TextSubheading", {"text": 80}),
        ("TextBody", {"text": 4096}),
        ("TextCaption", {"text": 409}),
        ("RichText", {}),
        ("TextInput", {"label": 20, "helper-text": 80, "error-message": 30}),
        ("TextArea", {"label": 20, "helper-text": 80}),
        ("Dropdown", {"label": 20}),
        ("RadioButtonsGroup", {"label": 30, "description": 300}),
        ("CheckboxGroup", {"label": 30, "description": 300}),
        ("ChipsSelector", {"label": 80, "description": 300}),
        ("OptIn", {"label": 120}),
        ("EmbeddedLink", {"text": 25}),
        (
            "Footer",
            {"label": 35, "left-caption": 15, "center-caption": 15, "right-caption": 15},
        ),
        ("DatePicker", {"label": 40, "helper-text": 80, "error-message": 80}),
        (
            "CalendarPicker",
            {
                "title": 80,
                "description": 300,
                "label": 40,
                "helper-text": 80,
                "error-message": 80,
            },
        ),
        ("Image", {"src": 300}),
        ("NavigationList", {"label": 80, "description": 300}),
        ("PhotoPicker", {"label": 80, "description": 300}),
        ("DocumentPicker", {"label": 80, "description": 300}),
    ],
)
def test_limits(type_, limits):
    properties = COMPONENTS[type_].properties
    assert {name: rule.limit for name, rule in properties.items() if rule.limit} == limits


def test_how_many_fit_on_a_screen():
    assert {type_: c.per_screen for type_, c in COMPONENTS.items() if c.per_screen} == {
        "RichText": 1, "OptIn": 5, "EmbeddedLink": 2, "Footer": 1, "Image": 3, "ImageCarousel": 2,
        "NavigationList": 2, "PhotoPicker": 1, "DocumentPicker": 1, "Form": 1,
    }  # fmt: skip
    assert {type_: c.per_flow for type_, c in COMPONENTS.items() if c.per_flow} == {
        "ImageCarousel": 3
    }


def test_what_cannot_stand_in_a_branch():
    assert {type_ for type_, c in COMPONENTS.items() if "If" not in c.boxes} == {
        "RichText", "NavigationList", "ImageCarousel", "Form",
    }  # fmt: skip
    assert {type_ for type_, c in COMPONENTS.items() if "Switch" not in c.boxes} == {
        "RichText", "NavigationList", "ImageCarousel", "Form", "If", "Switch",
    }  # fmt: skip
    assert {type_ for type_, c in COMPONENTS.items() if "Form" not in c.boxes} == {
        "RichText", "Form",
    }  # fmt: skip


@pytest.mark.parametrize(("path", "rule"), every_property())
def test_each_property_makes_sense(path, rule):
    if rule.values:
        assert rule.kind in ("text", "array")
    if rule.limit is not None:
        assert rule.kind in ("text", "texts", "image", "array")
    if rule.kind == "action":
        assert rule.actions
        assert set(rule.actions) <= ACTIONS.keys()
    if rule.kind in ("options", "objects"):
        assert rule.properties
        assert rule.least is not None
        assert rule.most is not None
    if not rule.is_static and rule.kind not in ("action", "children", "cases"):
        assert rule.kind in TYPES
    assert not (rule.least is not None and rule.most is not None and rule.least > rule.most)


def test_a_hundred_kilobytes_fit_into_an_option():
    for type_ in ("Dropdown", "RadioButtonsGroup", "CheckboxGroup"):
        assert COMPONENTS[type_].properties["data-source"].properties["image"].limit == 100
    item = COMPONENTS["NavigationList"].properties["list-items"].properties
    assert item["start"].properties["image"].limit == 100
