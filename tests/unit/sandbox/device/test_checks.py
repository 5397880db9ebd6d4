import base64
import re

import pytest

from engine.sandbox.device.checks import (
    SCHEMA,
    TRANSITION,
    BadAnswer,
    Move,
    check_components,
    check_data,
    check_move,
    screen_of,
    version_of,
)
from engine.sandbox.device.components import shown
from tests.unit.sandbox.device.samples import COURSES, OPTIONS, PIZZA, PNG, SIZE_DATA
from tests.unit.sandbox.flow_samples import exchange

MODEL = {"A": ["B", "C"], "B": ["D"], "C": ["D"], "D": ["E"], "E": [], "Z": ["E"]}
DOCUMENT = {
    "version": "7.3",
    "data_api_version": "4.0",
    "routing_model": MODEL,
    "screens": [{"id": name, "layout": {"children": []}} for name in MODEL],
}


def test_screens():
    assert screen_of(PIZZA, "EXTRAS")["id"] == "EXTRAS"
    with pytest.raises(BadAnswer, match="no screen 'PASTA'") as caught:
        screen_of(PIZZA, "PASTA")
    assert caught.value.key == TRANSITION


@pytest.mark.parametrize(
    ("action", "trail", "target"),
    [
        ("INIT", "", "A"),
        ("INIT", "", "Z"),
        ("data_exchange", "A", "B"),
        ("data_exchange", "AC", "D"),
        ("data_exchange", "A", "A"),
        ("BACK", "AB", "A"),
        ("BACK", "ABD", "B"),
        ("BACK", "ABD", "D"),
        ("navigate", "A", "C"),
    ],
)
def test_right_moves(action, trail, target):
    check_move(DOCUMENT, Move(action, trail, target))


@pytest.mark.parametrize(
    ("action", "trail", "target", "says"),
    [
        ("INIT", "", "B", "The first screen cannot be B: other screens lead to it"),
        ("data_exchange", "A", "D", "from A to D: the routing model allows B, C"),
        ("data_exchange", "AB", "A", "from B to A: the routing model allows D"),
        ("data_exchange", "ABDE", "A", "the routing model allows no screen"),
        ("BACK", "AB", "C", "from B to C"),
        ("BACK", "AB", "D", "from B to D: the routing model allows A"),
        ("BACK", "ABD", "A", "from D to A: the routing model allows B"),
        ("BACK", "ABD", "C", "from D to C"),
        ("navigate", "A", "A", "from A to A"),
    ],
)
def test_wrong_moves(action, trail, target, says):
    with pytest.raises(BadAnswer, match=says) as caught:
        check_move(DOCUMENT, Move(action, trail, target))

    assert caught.value.key == TRANSITION


def test_moves_without_a_routing_model():
    check_move(COURSES, Move("navigate", ["WHO"], "CONFIRM"))
    with pytest.raises(BadAnswer):
        check_move(COURSES, Move("INIT", [], "CONFIRM"))


DECLARED = {
    "id": "ONLY",
    "data": {
        "text": {"type": "string"},
        "number": {"type": "number"},
        "flag": {"type": "boolean"},
        "options": OPTIONS,
        "shop": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
DATA = {
    "text": "",
    "number": 1.5,
    "flag": False,
    "options": [{"id": "a", "title": "A", "other": 1}],
    "shop": {"city": "X"},
}


def test_right_data():
    check_data(DECLARED, DATA)
    check_data(DECLARED, DATA | {"more": {"x": 1}, "error_message": "Sold out", "shop": {}})
    check_data({"id": "ONLY", "data": {}}, {"more": 1})
    check_data({"id": "ONLY"}, {})
    check_data({"id": "ONLY"}, {"error_message": "Sold out"})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("text", 1, "data.text must be of type string, it is of type number"),
        ("number", "1", "data.number must be of type number, it is of type string"),
        ("number", True, "data.number must be of type number, it is of type boolean"),
        ("flag", 1, "data.flag must be of type boolean, it is of type number"),
        ("options", {}, "data.options must be of type array, it is of type object"),
        ("options", [[]], "data.options[0] must be of type object, it is of type array"),
        ("options", [{"id": 5}], "data.options[0].id must be of type string"),
        ("shop", {"city": 1}, "data.shop.city must be of type string"),
        ("text", None, "data.text is null"),
        ("options", [{"id": None}], "data.options[0].id is null"),
        ("more", {"x": [None]}, "data.more.x[0] is null"),
    ],
)
def test_wrong_data(name, value, says):
    with pytest.raises(BadAnswer, match=re.escape(f"ONLY: {says}")) as caught:
        check_data(DECLARED, DATA | {name: value})

    assert caught.value.key == SCHEMA


@pytest.mark.parametrize("name", DATA)
def test_missing_data(name):
    with pytest.raises(BadAnswer, match=rf"ONLY: data\.{name} is missing"):
        check_data(DECLARED, {key: one for key, one in DATA.items() if key != name})


def test_data_for_a_screen_that_declares_none():
    with pytest.raises(BadAnswer, match="the screen declares no data but gets total"):
        check_data({"id": "ONLY"}, {"total": "1"})


def judge(body, **data):
    body = {"type": body[0], **body[1]} if isinstance(body, tuple) else body
    components = shown([body], {"data": data, "form": {}, "screen": {}})
    check_components({"id": "ONLY"}, components, (7, 3))


def option(number, **more):
    return {"id": f"o{number}", "title": f"Option {number}"} | more


def group(kind="RadioButtonsGroup", **more):
    body = {"type": kind, "name": "size", "label": "Size", "data-source": "${data.options}"}
    return body | more


LONG_TEXTS = [
    (("TextHeading", {"text": "${data.it}"}), 80),
    (("TextSubheading", {"text": "${data.it}"}), 80),
    (("TextBody", {"text": "${data.it}"}), 4096),
    (("TextCaption", {"text": "`${data.it} ''`"}), 409),
    (("TextInput", {"name": "x", "label": "${data.it}"}), 20),
    (("TextInput", {"name": "x", "label": "x", "helper-text": "${data.it}"}), 80),
    (("TextInput", {"name": "x", "label": "x", "error-message": "${data.it}"}), 30),
    (("TextArea", {"name": "x", "label": "${data.it}"}), 20),
    (("OptIn", {"name": "x", "label": "${data.it}"}), 120),
    (("DatePicker", {"name": "x", "label": "${data.it}"}), 40),
    (("EmbeddedLink", {"text": "${data.it}", "on-click-action": exchange()}), 25),
    (("Footer", {"label": "${data.it}", "on-click-action": exchange()}), 35),
    (
        (
            "Footer",
            {"label": "x", "center-caption": "${data.it}", "on-click-action": exchange()},
        ),
        15,
    ),
]


@pytest.mark.parametrize(("body", "most"), LONG_TEXTS)
def test_long_texts(body, most):
    judge(body, it="x" * most)

    with pytest.raises(BadAnswer, match=f"ONLY: {body[0]}.*at most {most} characters"):
        judge(body, it="x" * (most + 1))


@pytest.mark.parametrize("words", ["", "  \n"])
@pytest.mark.parametrize(
    "body",
    [
        ("TextBody", {"text": "${data.it}"}),
        ("TextInput", {"name": "x", "label": "${data.it}"}),
        ("Footer", {"label": "${data.it}", "on-click-action": exchange()}),
        group(label="${data.it}"),
    ],
    ids=lambda body: body[0] if isinstance(body, tuple) else body["type"],
)
def test_blank_texts(body, words):
    with pytest.raises(BadAnswer, match="should not be blank"):
        judge(body, it=words, options=[option(1)])


def test_texts_that_need_not_be_there():
    judge(group(**{"init-value": "${data.it}"}), it="", options=[option(1, description="")])
    judge(("TextInput", {"name": "x", "label": "x", "error-message": "${data.it}"}), it="")


def test_a_text_that_is_missing():
    with pytest.raises(BadAnswer, match="'text' is missing"):
        judge(("TextBody", {"text": "${data.it}"}))


@pytest.mark.parametrize(
    ("kind", "least", "most"),
    [
        ("RadioButtonsGroup", 1, 20),
        ("CheckboxGroup", 1, 20),
        ("ChipsSelector", 2, 20),
        ("Dropdown", 1, 200),
    ],
)
def test_how_many_options(kind, least, most):
    for number in (least, most):
        judge(group(kind), options=[option(n) for n in range(number)])

    with pytest.raises(BadAnswer, match=f"ONLY: {kind} size: data-source: .*at least"):
        judge(group(kind), options=[option(n) for n in range(least - 1)])
    with pytest.raises(BadAnswer, match=f"ONLY: {kind} size: data-source: .*at most {most}"):
        judge(group(kind), options=[option(n) for n in range(most + 1)])


def picture(kilobytes):
    raw = base64.b64decode(PNG)
    return base64.b64encode(raw.ljust(int(kilobytes * 1024), b"\0")).decode()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"title": "x" * 31}, "title.*at most 30"),
        ({"description": "x" * 301}, "description.*at most 300"),
        ({"metadata": "x" * 21}, "metadata.*at most 20"),
        ({"title": " "}, "title.*blank"),
        ({"price": 3}, "'price' cannot be specified"),
        ({"id": "o1"}, "the ids of the options must differ, there are two o1"),
        ({"enabled": "no"}, "enabled.*boolean"),
        ({"image": "https://example.com/pizza.png"}, "image.*base64"),
        ({"image": picture(101)}, "more than 102400"),
    ],
)
def test_wrong_options(wrong, says):
    right = {"description": "x" * 300, "metadata": "x" * 20, "title": "x" * 30}
    judge(group(), options=[option(1), option(2, **right, image=picture(100))])

    with pytest.raises(BadAnswer, match=says):
        judge(group(), options=[option(1), option(2) | wrong])


@pytest.mark.parametrize("name", ["id", "title"])
def test_an_option_without(name):
    left = {key: one for key, one in option(1).items() if key != name}

    with pytest.raises(BadAnswer, match=f"'{name}' is missing"):
        judge(group(), options=[left])


def test_a_dropdown_with_pictures_holds_fewer():
    options = [option(n, image=PNG) for n in range(100)]
    judge(group("Dropdown"), options=options)

    with pytest.raises(BadAnswer, match="at most 100 items when there are images"):
        judge(group("Dropdown"), options=[*options, option(100)])


def test_how_many_can_be_chosen():
    bounds = {"min-selected-items": "${data.least}", "max-selected-items": "${data.most}"}
    body = group("CheckboxGroup", **bounds)
    judge(body, options=[option(1)], least=1, most=1)

    with pytest.raises(BadAnswer, match="min-selected-items is more than max-selected-items"):
        judge(body, options=[option(1)], least=2, most=1)


@pytest.mark.parametrize("init", [["o1"], 1, True])
def test_an_initial_value_of_another_type(init):
    with pytest.raises(BadAnswer, match=r"init-value: .*type string"):
        judge(group(**{"init-value": "${data.init}"}), options=[option(1)], init=init)


@pytest.mark.parametrize(
    ("source", "is_right"),
    [
        (PNG, True),
        ("/9j/4AAQSkZJRgABAQ==", True),
        ("", False),
        ("https://example.com/pizza.png", False),
        (f"data:image/png;base64,{PNG}", False),
        ("R0lGODlhAQABAAAAACw=", False),
    ],
)
def test_pictures(source, is_right):
    bodies = [
        ("Image", {"src": "${data.it}"}),
        ("ImageCarousel", {"images": [{"src": "${data.it}", "alt-text": "x"}]}),
    ]
    for body in bodies:
        if is_right:
            judge(body, it=source)
        else:
            with pytest.raises(BadAnswer, match="base64"):
                judge(body, it=source)


def test_the_entries_of_a_list():
    entry = {"id": "1", "main-content": {"title": "${data.it}"}}
    body = {
        "type": "NavigationList",
        "name": "list",
        "list-items": [entry],
        "on-click-action": exchange(),
    }
    judge(body, it="x" * 30)

    with pytest.raises(BadAnswer, match=r"title.*at most 30"):
        judge(body, it="x" * 31)


def test_what_is_shown_of_the_sample_is_right():
    children = screen_of(PIZZA, "SIZE")["layout"]["children"]
    scope = {"data": SIZE_DATA, "form": {}, "screen": {}}

    check_components(screen_of(PIZZA, "SIZE"), shown(children, scope), version_of(PIZZA))
