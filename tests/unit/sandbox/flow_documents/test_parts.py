import pytest

from tests.unit.sandbox.flow_parts import (
    AT,
    assert_wrong,
    boxes,
    entry,
    faults,
    item,
    one_screen,
    radio,
)
from tests.unit.sandbox.flow_samples import (
    complete,
    exchange,
    footer,
    navigate,
    screen,
    text,
)

# what is wrong, Meta's name of it, and where
WRONG = [
    *(
        (
            one_screen(
                {"type": "Form", "name": "f", "children": [entry(), boxes()], group: values}
            ),
            "INVALID_PROPERTY_TYPE",
            f"{AT}[0].{group}.{name}",
        )
        for group, values, name in (
            ("init-values", {"note": 7}, "note"),
            ("init-values", {"note": None}, "note"),
            ("init-values", {"size": "1"}, "size"),
            ("error-messages", {"note": "no", "size": ["no"]}, "size"),
        )
    ),
    (
        one_screen({"type": "CalendarPicker", "name": "d", "label": "D", "mode": "range"}),
        "INVALID_PROPERTY_TYPE",
        f"{AT}[0].label",
    ),
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
]


@pytest.mark.parametrize(("document", "error", "path"), WRONG)
def test_wrong(document, error, path):
    assert_wrong(document, error, path)


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
    assert found(menu | {"list-items": [own, own | {"id": "2"}]}) == []
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


def test_a_navigation_list_is_not_the_end():
    items = {"list-items": [item()], "on-click-action": exchange()}
    menu = {"type": "NavigationList", "name": "m"} | items
    end = screen("ONLY", menu, terminal=True)

    assert faults(one_screen() | {"screens": [end]}) == [
        ("MISSING_FOOTER_ON_TERMINAL_SCREEN", "screens[0]"),
        ("INVALID_PROPERTY_VALUE", f"{AT}[0]"),
    ]


@pytest.mark.parametrize(("version", "number"), [("6.3", 0), ("7.0", 1)])
def test_values_are_looked_at_since_version_7(version, number):
    form = {"type": "Form", "name": "f", "children": [entry()], "init-values": {"note": 7}}

    assert len(faults(one_screen(form, version=version))) == number
