"""Forms: what is shown fits, and what is sent back is taken only if it was offered."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.flows.form import BLANK, MOST_OPTIONS, UNUSED, NotOffered, fitted, read_form
from engine.whatsapp import limits
from tests.unit.flows.screens import form

MEGABYTE = "x" * 1_000_000
OPTIONS = [{"id": "a", "title": "A"}, {"id": "b", "title": "B"},
           {"id": "c", "title": "C", "enabled": False}]  # fmt: skip
SIZES = "size: {type: RadioButtonsGroup, label: Size, data-source: '${data.sizes}'}"
EXTRAS = "extras: {type: CheckboxGroup, label: Extras, data-source: '${data.sizes}'}"
SEEN = "go: {type: Footer, label: Go, event: submit, payload: {seen: '${data.total}'}}"

KINDS: dict[str, tuple[str, list[Any], list[Any]]] = {
    # By component: its line, what is taken, what is not.
    "one": (SIZES, ["a", "b"], ["c", "d", "A", 1, True, ["a"], {"id": "a"}, MEGABYTE]),
    "one of a static list": (
        "size: {type: Dropdown, label: Size, data-source: [{id: a, title: A}]}",
        ["a"], ["b", "size", ["a"]],
    ),
    "one of a list of pages": (
        "size: {type: NavigationList, list-items: '${data.sizes}'}", ["a"], ["c", "d"],
    ),
    "one of nothing": (
        "size: {type: Dropdown, label: Size, data-source: '${data.none}'}", [], ["a", "none"],
    ),
    "many": (
        EXTRAS, [["a"], ["b", "a"]],
        ["a", ["a", "a"], ["a", "d"], ["c"], [["a"]], [None], {"a": "a"}, ["a"] * 201],
    ),
    "text": (
        "who: {type: TextInput, label: Who}", ["Ana", "x" * 80, "ñ"],
        ["x" * 81, "😀" * 41, MEGABYTE, 1, 1.5, True, ["Ana"], {"a": 1}],
    ),
    "short text": (
        "who: {type: TextInput, label: Who, max-chars: 2}", ["12"], ["123", 12],
    ),
    "long text": (
        "who: {type: TextArea, label: Who}", ["x" * 600], ["x" * 601, MEGABYTE],
    ),
    "text of our own length": (
        "who: {type: TextArea, label: Who, max-length: '${data.most}'}",
        ["x" * 600], ["x" * 601],
    ),
    "flag": ("sure: {type: OptIn, label: Sure}", [True, False], ["true", 1, [], [True], {}]),
    "date": (
        "day: {type: DatePicker, label: Day}", ["2030-06-15"],
        ["2030-06-31", "2030-6-1", "15.6.2030", 20300615, ["2030-06-15"], MEGABYTE,
         "2030-06-15\n"],
    ),
    "dates": (
        "day: {type: CalendarPicker, label: Day}",
        ["2030-06-15", {"start-date": "2030-06-15", "end-date": "2030-06-16"}],
        [{}, {"start-date": "2030-06-15"}, {"start-date": "2030-06-15", MEGABYTE: "2030-06-16"},
         {"start-date": "2030-06-15", "end-date": 1}, ["2030-06-15", "2030-06-16"]],
    ),
    "media": (
        "photos: {type: PhotoPicker, label: Photos}", [[{"file_name": "a.jpg"}], [{}] * 30],
        ["a.jpg", ["a.jpg"], [{}] * 31, [{"file_name": MEGABYTE}], {"file_name": "a.jpg"}],
    ),
}  # fmt: skip
CASES = [
    pytest.param(layout, value, taken, id=f"{kind}-{str(value)[:20]}-{taken}")
    for kind, (layout, good, bad) in KINDS.items()
    for taken, values in ((True, good), (False, bad))
    for value in values
    if taken or value != []  # an empty list is nothing
]
DATA = {"sizes": OPTIONS}


@pytest.mark.parametrize(("layout", "value", "is_taken"), CASES)
def test_what_is_sent_is_taken_only_if_it_is_offered(layout, value, is_taken):
    name = layout.partition(":")[0]
    if is_taken:
        assert read_form(form(layout), DATA, {name: value}) == {name: value}
        return
    with pytest.raises(NotOffered) as told:
        read_form(form(layout), DATA, {name: value})
    assert told.value.name == name


@pytest.mark.parametrize("layout", [layout for layout, _, _ in KINDS.values()])
@pytest.mark.parametrize("sent", [{}, {"": None}, {"other": "a", "event": "submit"}, None, "", []])
def test_what_is_left_out_is_none_and_what_is_no_input_is_left_out(layout, sent):
    name = layout.partition(":")[0]
    given = sent if isinstance(sent, dict) else {name: sent}
    assert read_form(form(layout), DATA, given) == {name: None}


def test_a_text_is_trimmed_and_holds_no_zero():
    layout = "who: {type: TextInput, label: Who, name: called}"
    assert read_form(form(layout), {}, {"called": " A\x00na\n", "name": "x"}) == {"called": "Ana"}


@pytest.mark.parametrize("value", ["$12.00", 3, 1.5, True, None, "x" * 1000])
def test_what_comes_beside_the_inputs_is_a_short_plain_value(value):
    assert read_form(form(SIZES, footer=SEEN), DATA, {"seen": value}) == {
        "size": None, "seen": value,
    }  # fmt: skip


@pytest.mark.parametrize("value", ["x" * 1001, MEGABYTE, [], ["x"], {}, {"a": 1}])
def test_what_comes_beside_the_inputs_is_nothing_else(value):
    with pytest.raises(NotOffered, match=r"^seen$"):
        read_form(form(SIZES, footer=SEEN), DATA, {"seen": value})


def test_inputs_are_found_wherever_they_are():
    layout = """
only:
  type: If
  condition: ${data.sizes}
  then: {one: {type: TextInput, label: One}}
  else: {two: {type: Switch, value: "${data.x}", cases: {a: {three: {type: OptIn, label: x}}}}}
"""
    assert read_form(form(layout), DATA, {"one": "1", "three": True}) == {
        "one": "1",
        "three": True,
    }


# Modifier groups --------------------------------------------------------------------------------

GROUPS = "extras: {type: ChoiceGroups, source: '${data.groups}', groups: 3}"


def group(minimum: int, maximum: int, *ids: str, label: str = "Dips") -> dict[str, Any]:
    return {
        "label": label, "minimum": minimum, "maximum": maximum,
        "options": [{"id": i, "title": i.upper()} for i in ids],
    }  # fmt: skip


def spread(*groups: dict[str, Any]) -> dict[str, Any]:
    return fitted(form(GROUPS, takes=3), {"groups": list(groups)})


def chosen(shown: dict[str, Any], **sent: Any) -> Any:
    return read_form(form(GROUPS, takes=3), shown, sent)["extras"]


def parts(shown: dict[str, Any], place: int) -> dict[str, Any]:
    begin = f"groups_{place}_"
    return {key.removeprefix(begin): v for key, v in shown.items() if key.startswith(begin)}


@pytest.mark.parametrize(
    ("minimum", "maximum", "shown"),
    [
        (1, 1, {"is_single": True, "is_several": False, "must_one": True}),
        (0, 1, {"is_single": True, "is_several": False, "must_one": False}),
        (0, 2, {"is_several": True, "must_several": False, "minimum": 1, "maximum": 2}),
        (2, 2, {"is_several": True, "must_several": True, "minimum": 2, "maximum": 2}),
        (1, 9, {"is_several": True, "must_several": True, "minimum": 1, "maximum": 2}),
        (3, 3, {"is_several": True, "must_several": True, "minimum": 2, "maximum": 2}),
    ],
)
def test_a_group_is_radio_buttons_or_check_boxes(minimum, maximum, shown):
    found = parts(spread(group(minimum, maximum, "a", "b")), 1)
    assert found.items() >= shown.items()
    # A radio button cannot be given back: "none" is one of them.
    none = [BLANK] if (minimum, maximum) == (0, 1) else []
    assert [o["id"] for o in found["options"]] == ["a", "b", *none]


@pytest.mark.parametrize(("minimum", "must"), [(0, False), (1, True), (2, True)])
def test_of_one_option_that_is_left_there_are_no_check_boxes(minimum, must):
    """Some clients take no check boxes of which only one can be chosen."""
    found = parts(spread(group(minimum, 5, "a")), 1)
    assert (found["is_single"], found["is_several"], found["must_one"]) == (True, False, must)


def test_none_of_these_is_nothing():
    assert chosen(spread(group(0, 1, "a", "b")), extras_1_one=BLANK) == []
    assert chosen(spread(group(0, 1, "a", "b")), extras_1_one="b") == ["b"]
    with pytest.raises(NotOffered):
        chosen(spread(group(1, 1, "a", "b")), extras_1_one=BLANK)


def test_groups_that_are_not_used_are_there_and_not_seen():
    shown = spread(group(1, 1, "a", "b"))
    assert "groups" not in shown
    assert len(shown) == 3 * len(parts(shown, 1))
    for place in (2, 3):
        found = parts(shown, place)
        flags = ("is_single", "is_several", "must_one", "must_several")
        assert not any(found[part] for part in flags)
        assert (found["options"], found["label"]) == (UNUSED, BLANK)
        assert (found["minimum"], found["maximum"]) == (1, len(UNUSED))


@pytest.mark.parametrize(
    "data", [{}, {"groups": None}, {"groups": [{}]}, {"groups": [group(1, 1)]}]
)
def test_without_options_a_group_is_not_used(data):
    shown = fitted(form(GROUPS, takes=3), data)
    assert not parts(shown, 1)["is_single"]
    assert not parts(shown, 1)["is_several"]
    assert chosen(shown, extras_1_one=BLANK, extras_1_many=[BLANK]) == []


def test_more_groups_than_the_form_has_are_left_out():
    shown = spread(*(group(0, 2, f"a{n}") for n in range(5)))
    assert parts(shown, 3)["options"][0] == {"id": "a2", "title": "A2"}
    assert parts(shown, 4) == {}


TWO = [group(1, 1, "a", "b"), group(0, 2, "b", "c", "d")]


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        ({}, []),
        ({"extras_1_one": "b", "extras_2_many": ["c", "d"]}, ["b", "c", "d"]),
        ({"extras_1_one": "b", "extras_2_many": ["b"]}, ["b"]),  # of both, and counted once
        ({"extras_1_one": "", "extras_2_many": []}, []),
        # Of what a customer does not see, nothing is taken.
        ({"extras_1_many": ["a"], "extras_2_one": "b"}, []),
        ({"extras_3_one": "a", "extras_3_many": ["a"]}, []),
        ({"extras_4_one": "a", "extras": ["a"], "groups_1_one": "a"}, []),
        ({"extras_0_one": "a", "extras_1_One": "a", "extras_1_one ": "a"}, []),
    ],
)
def test_the_choices_of_all_groups_are_one_list(sent, taken):
    assert chosen(spread(*TWO), **sent) == taken


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("extras_1_one", "c"),
        ("extras_1_one", ["a"]),
        ("extras_1_one", MEGABYTE),
        ("extras_1_one", 1),
        ("extras_2_many", "b"),
        ("extras_2_many", ["a"]),
        ("extras_2_many", ["b", "b"]),
        ("extras_2_many", ["b"] * (MOST_OPTIONS + 1)),
        ("extras_2_many", {"b": True}),
        ("extras_2_many", [["b"]]),
    ],
)
def test_a_choice_that_is_not_offered_is_told_by_its_group(name, value):
    with pytest.raises(NotOffered, match=f"^{name}$"):
        chosen(spread(*TWO), **{name: value})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(0, 1)
    | st.sampled_from(["a", "b", "c", "z", "", "2030-06-15", "x" * 700]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["a", "id", "start-date"]), inner, max_size=2),
    max_leaves=6,
)  # fmt: skip
NAMES = ["size", "extras", "who", "sure", "day", "photos", "seen", "event"]
NAMES += [f"more_{n}_{kind}" for n in range(5) for kind in ("one", "many")]
EVERYTHING = form(
    "\n".join(line for line, _, _ in (KINDS[k] for k in ("one", "many", "text", "flag", "dates",
                                                         "media")))
    + f"\n{GROUPS.replace('extras', 'more')}",
    takes=3, footer=SEEN,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), JSON))
def test_whatever_is_sent_only_what_is_offered_comes_through(sent):
    shown = fitted(EVERYTHING, {"sizes": OPTIONS, "groups": TWO})
    try:
        read = read_form(EVERYTHING, shown, sent)
    except NotOffered:
        return
    assert read.keys() == {"size", "extras", "who", "sure", "day", "photos", "more", "seen"}
    assert read["size"] in (None, "a", "b")
    assert set(read["extras"] or ()) <= {"a", "b"}
    assert set(read["more"]) <= {"a", "b", "c", "d"}
    assert len(set(read["more"])) == len(read["more"])
    assert len(read["who"] or "") <= 80
    assert read["sure"] in (None, True, False)


# What is shown ----------------------------------------------------------------------------------

HEADING = "head: {type: TextHeading, text: '${data.text}'}"
LONG = "Stone-baked sourdough with everything on it, and some more of everything on top of that."


@pytest.mark.parametrize(
    ("layout", "limit"),
    [
        (HEADING, 80),
        ("body: {type: TextBody, text: '${data.text}'}", 4096),
        (f"{HEADING}\nfoot: {{type: TextCaption, text: ' ${{data.text}} '}}", 80),
        ("who: {type: TextInput, label: '${data.text}'}", 20),
        ("size: {type: Dropdown, label: '${data.text}', data-source: '${data.sizes}'}", 20),
        # A text that is only a part of another, or none that is shown, is left as it is.
        ("head: {type: TextHeading, text: '`1: ${data.text}`'}", None),
        ("who: {type: TextInput, label: Who, init-value: '${data.text}'}", None),
        (SIZES, None),
    ],
)
@pytest.mark.parametrize("text", [LONG * 60, LONG, "Short", " Short ", "", " \n", 7, None])
def test_a_text_fits_where_it_is_shown_and_is_never_blank(layout, limit, text):
    made = fitted(form(layout), {"text": text, "sizes": [], "other": text})
    assert made["other"] == text
    if limit is None or not isinstance(text, str):
        assert made["text"] == text
    else:
        assert made["text"] == (limits.fit(text.strip(), limit) or BLANK)
        assert 0 < limits.length(made["text"]) <= limit


@pytest.mark.parametrize(
    ("component", "most", "lengths"),
    [
        ("RadioButtonsGroup", 20, (30, 300, 20)),
        ("CheckboxGroup", 20, (30, 300, 20)),
        ("Dropdown", 200, (30, 300, 20)),
        ("ChipsSelector", 20, (30, None, None)),
    ],
)
def test_options_fit_are_told_apart_and_are_never_blank(component, most, lengths):
    layout = f"size: {{type: {component}, label: Size, data-source: '${{data.sizes}}'}}"
    texts = ("title", "description", "metadata")
    options: list[Any] = [dict.fromkeys(texts, LONG * 9) | {"id": f"o{n}"} for n in range(250)]
    options[1] |= {"title": "", "description": "", "metadata": None, "enabled": False}
    options[2] |= {"title": " ", "description": " "}
    options[3] = {"id": "o3"}
    options[4] = {"id": "o0", "title": "The second of one id"}
    options.insert(0, "no option")
    made = fitted(form(layout), {"sizes": options})["sizes"]
    assert [o["id"] for o in made] == [f"o{n}" for n in range(most + 2) if n != 4][:most]
    assert made[1] == {"id": "o1", "title": BLANK, "enabled": False}
    assert made[2]["title"] == BLANK
    assert made[3] == {"id": "o3", "title": BLANK}
    for key, limit in zip(texts, lengths, strict=True):
        assert made[0][key] == (limits.fit(LONG * 9, limit) if limit else LONG * 9)


def test_the_labels_and_options_of_groups_fit():
    long = group(0, 2, "a", "b", label=LONG)
    long["options"][0]["title"] = LONG
    found = parts(spread(long, group(0, 1, "a", label="")), 1)
    assert limits.length(found["label"]) <= 30
    assert found["options"][0]["title"] == limits.fit(LONG, 30)


def test_what_is_fitted_is_not_changed_in_place():
    data = {"sizes": [{"id": "a", "title": LONG}], "groups": [group(1, 1, "a")], "text": LONG}
    before = {"sizes": [{"id": "a", "title": LONG}], "groups": [group(1, 1, "a")], "text": LONG}
    fitted(EVERYTHING, data)
    assert data == before
