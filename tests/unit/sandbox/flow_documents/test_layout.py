from itertools import pairwise

import pytest

from tests.unit.sandbox.flow_parts import (
    AT,
    FLAG,
    IN_DATA,
    C,
    assert_wrong,
    carousel,
    chips,
    choose,
    faults,
    one_screen,
    routed,
    switch,
)
from tests.unit.sandbox.flow_samples import (
    changed,
    complete,
    exchange,
    footer,
    navigate,
    product,
    screen,
    survey,
    text,
    without,
)

# what is wrong, Meta's name of it, and where
WRONG = [
    (changed(product, "screens.0.id", "SIZES"), "INVALID_SCREEN_DATA", None),
    (changed(survey, "screens.0.id", "ASK_1"), "PATTERN_MISMATCH", "screens[0].id"),
    (changed(survey, "screens.0.id", ""), "PATTERN_MISMATCH", "screens[0].id"),
    (changed(survey, "screens.0.id", "Success"), "SCREEN_ID_IS_RESERVED_KEYWORD", None),
    (changed(survey, "screens.+", survey()["screens"][1]), "DUPLICATE_SCREEN_IDS", None),
    (changed(survey, "screens.0.colour", 1), "INVALID_PROPERTY_KEY", "screens[0].colour"),
    (without(survey, "screens.0.layout"), "MISSING_REQUIRED_TYPE_PROPERTY", "screens[0]"),
    (changed(survey, "screens.0.layout.type", "Row"), "INVALID_ENUM_VALUE", None),
    (changed(survey, "screens.0.terminal", "yes"), "INVALID_PROPERTY_TYPE", None),
    (changed(survey, "screens.0.title", None), "INVALID_PROPERTY_TYPE", "screens[0].title"),
    (changed(survey, "screens.0.refresh_on_back", True), "INVALID_PROPERTY_VALUE", None),
    (
        changed(survey, "screens.0.success", True),
        "NOT_KEYWORD_SCHEMA_VALIDATION_FAILED",
        "screens[0].success",
    ),
    (changed(survey, "screens.1.success", False), "INVALID_PROPERTY_VALUE", "screens[1].success"),
    (changed(survey, "screens.0.sensitive", "note"), "INVALID_PROPERTY_TYPE", None),
    (
        changed(lambda: changed(survey, "version", "5.0"), "screens.0.sensitive", []),
        "INVALID_PROPERTY_KEY",
        "screens[0].sensitive",
    ),
    (without(product, "screens.2.terminal"), "MISSING_TERMINAL_SCREEN", "screens"),
    (
        without(product, "screens.2.layout.children.2"),
        "MISSING_FOOTER_ON_TERMINAL_SCREEN",
        "screens[2]",
    ),
    (one_screen(choose("${data.flag}"), data=FLAG), "INVALID_PROPERTY_VALUE", f"{AT}[0].then"),
    (one_screen(switch("${data.flag}"), data=FLAG), "INVALID_PROPERTY_VALUE", f"{AT}[0].cases"),
    (
        one_screen(choose("${data.flag}", carousel()), data=FLAG),
        "INVALID_PROPERTY_VALUE",
        f"{AT}[0].then[0].type",
    ),
    (
        one_screen(choose("${data.flag}", chips()), data=FLAG, version="7.0"),
        "INVALID_PROPERTY_VALUE",
        f"{AT}[0].then[0].type",
    ),
    (
        one_screen(switch("${data.flag}", a=[choose("${data.flag}", text("a"))]), data=FLAG),
        "INVALID_PROPERTY_VALUE",
        f"{AT}[0].cases.a[0].type",
    ),
    (
        one_screen(
            choose(
                "${data.flag}",
                choose("${data.flag}", choose("${data.flag}", choose("${data.flag}", text("a")))),
            ),
            data=FLAG,
        ),
        "INVALID_PROPERTY_VALUE",
        f"{AT}[0].then[0].then[0].then[0]",
    ),
    *(
        (one_screen(choose(condition, text("a")), data=IN_DATA), error, f"{AT}[0].condition")
        for condition, error in (
            ("true", "INVALID_PROPERTY_VALUE"),
            ("573 == 376", "INVALID_PROPERTY_VALUE"),
            ("${data.count}", "INVALID_PROPERTY_VALUE"),
            ("${data.nix}", "INVALID_SCREEN_DYNAMIC_DATA"),
            ("${screen.NIX.data.flag}", "INVALID_SCREEN_DATA"),
            ("", "PATTERN_MISMATCH"),
            (True, "INVALID_PROPERTY_TYPE"),
        )
    ),
    (one_screen(footer(exchange())), "MORE_THAN_ONE_FOOTER", f"{AT}[1]"),
    (
        one_screen(
            choose("${data.flag}", footer(exchange()), **{"else": [footer(exchange())]}),
            data=FLAG,
        ),
        "MORE_THAN_ONE_FOOTER",
        f"{AT}[1]",
    ),
    (
        changed(
            survey,
            f"{C}.1",
            choose("${form.note} == 'x'", footer(navigate("THANKS", note="a"))),
        ),
        "MISSING_FOOTER_IN_IF_ELSE_BRANCHES",
        f"{AT}[1]",
    ),
    (
        changed(
            survey,
            f"{C}.1",
            choose("${form.note} == 'x'", footer(navigate("THANKS", note="a")))
            | {"else": [text("a")]},
        ),
        "MISSING_FOOTER_IN_IF_ELSE_BRANCHES",
        f"{AT}[1]",
    ),
    (
        changed(
            survey,
            f"{C}.1",
            switch("${form.note}", a=[footer(navigate("THANKS", note="a"))], b=[text("b")]),
        ),
        "MISSING_FOOTER_IN_SWITCH_BRANCHES",
        f"{AT}[1]",
    ),
]


@pytest.mark.parametrize(("document", "error", "path"), WRONG)
def test_wrong(document, error, path):
    assert_wrong(document, error, path)


def test_a_footer_deep_in_branches():
    def ends(label):
        return footer(complete(), label=label)

    inner = choose("${data.flag}", ends("a"), **{"else": [ends("b")]})
    document = {
        "version": "7.3",
        "screens": [
            screen(
                "ONLY",
                choose("${data.flag}", inner, **{"else": [ends("c")]}),
                data=FLAG,
                terminal=True,
            )
        ],
    }

    assert faults(document) == [
        ("INVALID_PROPERTY_VALUE", f"{AT}[0].then[0].then[0]"),
        ("INVALID_PROPERTY_VALUE", f"{AT}[0].then[0].else[0]"),
    ]


def test_no_more_than_100_screens_nor_3_carousels():
    letters = "ABCDEFGHIJ"
    names = [f"S{first}{second}" for first in letters for second in letters]
    chain = {name: [after] for name, after in pairwise(names)}
    assert faults(routed(**chain)) == []
    assert faults(routed(FIRST=[names[0]], **chain)) == [("MAX_SCREENS_NUMBER", "screens")]

    document = routed(A=["B"])
    for number in (2, 2):
        document["screens"][0]["layout"]["children"] = [
            *(carousel() for _ in range(number)),
            footer(exchange()),
        ]
        document["screens"].reverse()
    assert faults(document) == [("INVALID_PROPERTY_VALUE", "screens[1].layout.children[1]")]
