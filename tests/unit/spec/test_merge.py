"""The merge rule: key by key, null deletes, `replace` stops it, what is not touched is shared."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.spec.merge import merge, note_nothing, note_unmatched
from engine.spec.problems import Problems
from engine.spec.source import parse

BASE: dict[str, Any] = {
    "start": "menu",
    "careful": ["confirm", "cancel"],
    "states": {
        "menu": {"say": "main_menu", "when": {"cart": {"if": "a", "go": "cart"}, "help": "help"}},
        "cart": {"say": "cart", "do": {"cart.add": {"product": "p", "quantity": 1}}},
    },
}


@pytest.mark.parametrize(
    ("overlay", "path", "expected"),
    [
        ({}, (), BASE),
        ({"start": "cart"}, ("start",), "cart"),
        ({"careful": ["buy"]}, ("careful",), ["buy"]),
        ({"states": {"cart": None}}, ("states",), {"menu": BASE["states"]["menu"]}),
        ({"states": {"cart": {"say": "mine"}}}, ("states", "cart", "say"), "mine"),
        ({"states": {"cart": {"say": "mine"}}}, ("states", "cart", "do"),
         {"cart.add": {"product": "p", "quantity": 1}}),
        ({"states": {"cart": {"replace": True, "say": "mine"}}}, ("states", "cart"),
         {"say": "mine"}),
        ({"states": {"cart": {"replace": False, "back": "menu"}}}, ("states", "cart", "back"),
         "menu"),
        # A branch is merged; a target or a list of branches is one value.
        ({"states": {"menu": {"when": {"cart": {"if": "b"}}}}},
         ("states", "menu", "when", "cart"), {"if": "b", "go": "cart"}),
        ({"states": {"menu": {"when": {"cart": "help"}}}}, ("states", "menu", "when", "cart"),
         "help"),
        ({"states": {"menu": {"when": {"cart": [{"go": "help"}]}}}},
         ("states", "menu", "when", "cart"), [{"go": "help"}]),
        ({"states": {"menu": {"when": {"help": {"say": "x"}}}}},
         ("states", "menu", "when", "help"), {"say": "x"}),
        # An action's arguments are merged; another action takes its place.
        ({"states": {"cart": {"do": {"cart.add": {"quantity": 2}}}}}, ("states", "cart", "do"),
         {"cart.add": {"product": "p", "quantity": 2}}),
        ({"states": {"cart": {"do": {"cart.clear": {}}}}}, ("states", "cart", "do"),
         {"cart.clear": {}}),
        ({"states": {"cart": {"do": "cart.clear"}}}, ("states", "cart", "do"), "cart.clear"),
        # The merge's own words never reach the readers.
        ({"states": {"new": {"replace": True, "say": "x", "when": {"a": None}}}},
         ("states", "new"), {"say": "x", "when": {}}),
    ],
)  # fmt: skip
def test_an_overlay_changes_what_it_names(overlay, path, expected):
    found: Any = merge(BASE, overlay)
    for key in path:
        found = found[key]
    assert found == expected


def test_what_an_overlay_does_not_touch_is_the_very_object_of_the_base():
    merged = merge(BASE, {"states": {"menu": {"say": "mine"}}})
    assert merged["careful"] is BASE["careful"]
    assert merged["states"]["cart"] is BASE["states"]["cart"]
    assert merged["states"]["menu"]["when"] is BASE["states"]["menu"]["when"]


scalars = st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from(["a", "b"]))
keys = st.sampled_from(["a", "b", "c", "do", "replace"])
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.dictionaries(keys, inner, max_size=4), st.lists(inner, max_size=2)
    ),
    max_leaves=10,
)  # fmt: skip
mappings = st.dictionaries(keys, documents, max_size=4)


@settings(max_examples=100, deadline=None)
@given(base=mappings, overlay=mappings)
def test_neither_document_is_changed(base, overlay):
    before = deepcopy((base, overlay))
    merge(base, overlay)
    assert (base, overlay) == before


@settings(max_examples=100, deadline=None)
@given(base=mappings)
def test_an_empty_overlay_changes_nothing(base):
    assert merge(base, {}) == base


def words_of_the_merge(data) -> list[object]:
    if not isinstance(data, dict):
        return []
    own = [k for k, v in data.items() if v is None or (k == "replace" and isinstance(v, bool))]
    return own + [w for value in data.values() for w in words_of_the_merge(value)]


@settings(max_examples=100, deadline=None)
@given(overlay=mappings)
def test_over_nothing_an_overlay_loses_only_the_words_of_the_merge(overlay):
    merged = merge({}, overlay)
    assert words_of_the_merge(merged) == []
    kept = {k for k, v in overlay.items() if v is not None}
    assert kept - {"replace"} <= set(merged) <= kept


def noted(base, text: str) -> list[str]:
    problems = Problems()
    overlay = parse(text, "f.yaml", problems)
    assert overlay is not None
    note_unmatched(base, overlay, problems)
    return [f"{p.span.line}:{p.span.column} {p.severity}" for p in problems.sorted()]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("states: {cart: null}", []),
        ("states: {cellar: null}", ["1:10 warning"]),
        ("states: {menu: {when: {help: null, shop: null}}}", ["1:36 warning"]),
        ("anywhere: null\n", ["1:1 warning"]),
        ("states: {menu: {replace: true, when: {shop: null}}}", []),
        ("states: {cellar: {when: {shop: null}}}", []),
    ],
)
def test_a_deletion_that_deletes_nothing_is_doubtful(text, told):
    assert noted(BASE, text) == told


def test_in_a_document_over_nothing_there_is_nothing_to_delete():
    problems = Problems()
    source = parse("states:\n  menu:\n  cart: {say: null}\n", "f.yaml", problems)
    assert source is not None
    note_nothing(source, problems)
    assert [f"{p.span.line}:{p.span.column} {p.code}" for p in problems.errors] == [
        "2:3 wrong-type",
        "3:10 wrong-type",
    ]
