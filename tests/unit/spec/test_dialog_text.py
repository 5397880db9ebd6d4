"""A dialog that is written down is the dialog that is read again, whatever is in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from engine.spec.dialog import Dialog
from engine.spec.dialog_text import dialog_text
from engine.spec.problems import Problems
from engine.spec.source import parse

TEXT = some.text(max_size=40)
AT = "2030-06-14T08:00:00"
STEPS = some.one_of(
    TEXT.map(lambda text: {"say": text}),
    TEXT.map(lambda text: {"tap": text}),
    TEXT.map(lambda text: {"tap_old": text}),
    some.sampled_from([{"wait": "2h"}, {"send": "voice"}, {"flow": []}, {"flow": ["close"]}]),
    some.dictionaries(TEXT, TEXT | some.lists(TEXT) | some.integers(-99, 99) | some.booleans(),
                      max_size=3).map(lambda values: {"flow": [values, "back", values]}),
    some.tuples(some.floats(-90, 90), some.floats(-180, 180), TEXT).map(
        lambda at: {"location": {"latitude": round(at[0], 7), "longitude": round(at[1], 7),
                                 "name": at[2]}}),
    some.tuples(some.decimals(0, 9999, places=2), TEXT).map(
        lambda one: {"order": {"items": [{"item": one[1], "price": one[0]}], "note": one[1]}}),
    some.integers(0, 99).map(lambda n: {"expect": {"cart": n, "state": "cart"}}),
)  # fmt: skip


def read(text: str) -> Dialog:
    problems = Problems()
    source = parse(text, "a.yaml", problems, is_recorded=True)
    assert problems.sorted() == [], text
    assert source is not None
    return Dialog.model_validate(source.data)


@given(about=TEXT, customer=TEXT, steps=some.lists(STEPS, min_size=1, max_size=5))
def test_what_is_written_is_read_as_it_was(about, customer, steps):
    dialog = Dialog.model_validate(
        {"about": about, "customer": customer, "at": AT, "flows": True, "steps": steps}
    )
    assert read(dialog_text(dialog)) == dialog


@pytest.mark.parametrize(
    "text",
    ["yes", "No", "null", "~", "", " a", "a ", "- a", "12", "1.5", "a: b", "a #b", "a:", "#", "&a",
     "*a", "!a", "{{ a }}", "a\u2028b", "a\u0085b", "\ufeffa", "a\nb", "\\", '"', "'", "%a", "@a",
     "a\tb", "[x]", "🏪 Para recoger", "2030-01-01", "\x7f", "\x00", "=1", "|", ">", "? a"],
    ids=ascii,
)  # fmt: skip
def test_a_text_that_yaml_reads_otherwise_is_quoted(text):
    steps = [{"say": text}, {"flow": [{text: text}]}]
    dialog = Dialog.model_validate({"about": text, "steps": steps})
    assert read(dialog_text(dialog)) == dialog


def test_half_a_character_is_no_reason_to_fail():
    dialog = Dialog.model_validate({"about": "a", "steps": [{"say": "a"}]})
    broken = dialog.model_copy(update={"about": "a\ud800b"})
    assert read(dialog_text(broken)).about == "a?b"


def test_it_looks_as_people_write_it():
    dialog = Dialog.model_validate(
        {
            "about": "Ana orders: a pizza.",
            "at": AT,
            "flows": True,
            "steps": [
                {"say": "Hi! 2 pizzas, please"},
                {"tap": "🏪 Pickup"},
                {"flow": [{"Choose size:": 'Large (16")', "Quantity": "2"}, "close"]},
                {"location": {"latitude": 40.72, "longitude": -73.99, "name": "Home"}},
                {"order": {"items": [{"item": "prod:a|pres:b", "price": "19.50"}]}},
                {"expect": {"state": "cart", "cart": 2}},
            ],
        }
    )
    assert dialog_text(dialog, schema="../s.json") == (
        "# yaml-language-server: $schema=../s.json\n"
        'about: "Ana orders: a pizza."\n'
        "at: 2030-06-14T08:00:00\n"
        "flows: true\n"
        "steps:\n"
        "  - say: Hi! 2 pizzas, please\n"
        '  - tap: "🏪 Pickup"\n'
        "  - flow:\n"
        '      - {"Choose size:": "Large (16\\")", Quantity: "2"}\n'
        "      - close\n"
        "  - location: {latitude: 40.72, longitude: -73.99, name: Home}\n"
        '  - order: {items: [{item: "prod:a|pres:b", price: 19.50}]}\n'
        "  - expect: {state: cart, cart: 2}\n"
    )
