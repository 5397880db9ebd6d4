import pytest

from tests.unit.sandbox.flow_parts import AT, IN_DATA, C, assert_wrong, faults, one_screen, radio
from tests.unit.sandbox.flow_samples import (
    changed,
    complete,
    declare,
    exchange,
    footer,
    navigate,
    product,
    screen,
    survey,
    without,
)

# what is wrong, Meta's name of it, and where
WRONG = [
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
            ("${form}", "INVALID_ON_CLICK_ACTION_PAYLOAD", ""),
            ("`${data.name} *`", "INVALID_ON_CLICK_ACTION_PAYLOAD", ""),
            (["${data.nix}"], "INVALID_ON_CLICK_ACTION_PAYLOAD", "[0]"),
            (None, "INVALID_ON_CLICK_ACTION_PAYLOAD", ""),
            ("Size ${form.size}", "INVALID_PROPERTY_VALUE", ""),
        )
    ),
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
    *(
        (
            one_screen(
                radio(**{"on-select-action": {"name": "update_data", "payload": payload}}),
                data=IN_DATA,
            ),
            "INVALID_ACTION_PAYLOAD_PROPERTY",
            f"{AT}[0].on-select-action.payload.{path}",
        )
        for payload, path in (
            ({"count": "1"}, "count"),
            ({"count": "${form.size}"}, "count"),
            ({"list": [{"id": "1", "title": 2}]}, "list[0].title"),
        )
    ),
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
]


@pytest.mark.parametrize(("document", "error", "path"), WRONG)
def test_wrong(document, error, path):
    assert_wrong(document, error, path)


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


def test_one_photo_may_be_the_outcome():
    picker = {"type": "PhotoPicker", "name": "p", "label": "P", "max-uploaded-photos": 1}
    end = screen("ONLY", picker, footer(complete(photo="${form.p}")), terminal=True)

    assert faults({"version": "7.3", "screens": [end]}) == []


def test_what_is_bound_within_a_payload_is_not_looked_at_further():
    listed = declare([""], items={"type": "string"})
    document = changed(survey, "screens.1.data.list", listed)
    payload = {"note": "a", "list": ["${form.note}", 7]}

    assert faults(changed(lambda: document, f"{C}.1.on-click-action.payload", payload)) == []
    payload = {"note": "a", "list": ["b", 7]}
    assert faults(changed(lambda: document, f"{C}.1.on-click-action.payload", payload)) == [
        ("INVALID_NAVIGATE_ACTION_PAYLOAD", f"{AT}[1].on-click-action.payload.list[1]")
    ]


def test_an_address_may_be_bound():
    def found(url):
        link = {"type": "EmbeddedLink", "text": "Terms"}
        action = {"on-click-action": {"name": "open_url", "url": url}}
        return faults(one_screen(link | action, data={"terms": declare("https://a.b")}))

    assert found("${data.terms}") == []
    assert found("${data.nix}") == [
        ("INVALID_ON_CLICK_ACTION_PAYLOAD", f"{AT}[0].on-click-action.url")
    ]
