"""YAML read more strictly than YAML: plain data, the place of every part, no traps."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.spec.problems import Problems, Span
from engine.spec.source import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_NODES,
    MAX_PROBLEMS,
    Layers,
    Source,
    parse,
)


def read(text: str) -> Source:
    problems = Problems()
    source = parse(text, "f.yaml", problems)
    assert [str(p) for p in problems.sorted()] == []
    assert source is not None
    return source


def refused(text: str) -> list[str]:
    problems = Problems()
    parse(text, "f.yaml", problems)
    return [f"{p.span.line}:{p.span.column} {p.code}" for p in problems.sorted()]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *[(word, word) for word in ("yes", "no", "on", "off", "Yes", "NO", "True", "TRUE", "y")],
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("Null", "Null"),
        ("2030-06-14", "2030-06-14"),
        ("2030-06-14T19:30:00Z", "2030-06-14T19:30:00Z"),
        ("19:30", "19:30"),
        ("12", 12),
        ("-3", -3),
        ("+3", 3),
        ("0", 0),
        ("017", "017"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        ("12.50", 12.5),
        (".5", ".5"),
        ("1.", "1."),
        (".inf", ".inf"),
        ("123456789012345678", 123456789012345678),
        ("1234567890123456789", "1234567890123456789"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("'null'", "null"),
        ('"a\\nb\\u00e9"', "a\nbé"),
        ("|\n  a\n   b\n", "a\n b\n"),
        (">-\n  a\n  b\n", "a b"),
        ("|\n  12\n", "12\n"),
    ],
)
def test_a_value_is_what_it_looks_like(written, value):
    found = read(f"key: {written}").data["key"]
    assert found == value
    assert type(found) is type(value)


def test_keys_stay_texts():
    data = read("on: 1\nyes: 2\n12: 3\ntrue: 4\nnull: 5\n2030-01-01: 6").data
    assert data == {"on": 1, "yes": 2, "12": 3, "true": 4, "null": 5, "2030-01-01": 6}


def test_every_key_and_value_has_its_place():
    source = read("a: 1\nbé:\n  - x: [p, {q: r}]\n    y: |\n      one\n      two\n  - 'z'\n")
    assert {path: (s.line, s.column) for path, s in source.keys.items()} == {
        ("a",): (1, 1),
        ("bé",): (2, 1),
        ("bé", 0): (3, 5),
        ("bé", 0, "x"): (3, 5),
        ("bé", 0, "x", 0): (3, 9),
        ("bé", 0, "x", 1): (3, 12),
        ("bé", 0, "x", 1, "q"): (3, 13),
        ("bé", 0, "y"): (4, 5),
        ("bé", 1): (7, 5),
    }
    assert source.value_at(("a",)) == Span("f.yaml", 1, 4)
    assert source.value_at(("bé", 0, "x")) == Span("f.yaml", 3, 8)
    assert source.value_at(("bé", 0, "x", 1, "q")) == Span("f.yaml", 3, 16)


def test_a_block_is_placed_at_its_first_line_of_text():
    source = read("a: |\n\n  x\nb: >-\n  y\n  z\nc: 'q'\n")
    assert source.value_at(("a",)) == Span("f.yaml", 2, 1)
    assert source.data["a"] == "\nx\n"  # so line 2 of the text is line 3 of the file
    # The lines of a folded text are not the file's, so they are kept.
    assert source.value_at(("b",)) == Span("f.yaml", 5, 1)
    assert source.data["b"] == "y z"
    assert source.folded == {("b",): "  y\n  z"}


def test_a_mapping_is_found_where_it_has_a_key():
    words, form = (
        parse(text, file, Problems())
        for file, text in (("en.yaml", "flow: {cta: Go}"), ("form.yaml", "flow: {token: x}"))
    )
    assert words
    assert form
    layers = Layers((words, form))
    assert layers.value_with(("flow",), ("id", "token")) == Span("form.yaml", 1, 7)
    assert layers.value_with(("flow",), ("cta",)) == Span("en.yaml", 1, 7)
    assert layers.value_with(("flow",), ("screen",)) == Span("en.yaml", 1, 7)


def test_the_lines_of_a_folded_block_are_those_of_the_layer_that_counts():
    strong, weak = (
        Source("f.yaml", None, values={("a",): Span("f.yaml")}),
        Source("g.yaml", None, values={("a",): Span("g.yaml"), ("b",): Span("g.yaml")},
               folded={("a",): "x", ("b",): "y"}),
    )  # fmt: skip
    layers = Layers((strong, weak))
    assert [layers.folded_at((key,)) for key in "abc"] == [None, "y", None]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &x 1", ["1:4 alias"]),
        ("a: &x 1\nb: *x", ["1:4 alias", "2:4 alias"]),
        ("a: !int 1", ["1:4 tag"]),
        ("a: !!python/object/apply:os.system [ls]", ["1:4 tag"]),
        ("a: !!str b", ["1:4 tag"]),
        ("a: 1\na: 2", ["2:1 duplicate-key"]),
        ("a:\n  b: 1\n  c: 2\n  b: 3\n  b: 4", ["4:3 duplicate-key", "5:3 duplicate-key"]),
        ("[a]: 1", ["1:1 wrong-key"]),
        ("? {a: b}\n: 1", ["1:3 wrong-key"]),
        ("a: {{ b }}", ["1:5 wrong-key"]),
        ("a: [1, 2", ["1:4 yaml-syntax"]),
        ("a: {b: 1]", ["1:4 yaml-syntax"]),
        ("ñandú: 'a' b", ["1:12 yaml-syntax"]),
        ("a: 'b", ["1:4 yaml-syntax"]),
        ("a: b: c", ["1:5 yaml-syntax"]),
        ("a: 1\n\tb: 2", ["2:1 yaml-syntax"]),
        ("a: `b`", ["1:4 yaml-syntax"]),
        ("a: @b", ["1:4 yaml-syntax"]),
        ("a: 1\n---\nb: 2", ["3:1 yaml-syntax"]),
        ("a: 1\n...\nb: 2", ["3:1 yaml-syntax"]),
        ("ñ: 1\nb: \0", ["2:4 yaml-syntax"]),
        ("a: 1\r\nb: \x1b[0m", ["2:4 yaml-syntax"]),
        ("a: \ud800", ["1:4 yaml-syntax"]),
        ('a: "\\ud800"', ["1:7 yaml-syntax"]),
        ("*x", ["1:1 alias"]),
    ],
)
def test_what_yaml_allows_and_we_do_not_is_told_with_its_place(text, told):
    assert refused(text) == told


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a:\n   b: 1\n  c: 2\n  d: 3", "2:4"),  # b is one too deep
        ("a:\n  b: '1'\n  c: '2'\n   d: 3\n  e: 4", "4:4"),  # d is
        ("a:\n b: 'x'\n  c: 2\n  d: 3", "2:2"),  # b is not deep enough
        ("a:\n   - b\n  - c\n  - d", "2:4"),
        ('a:\n  b:"x"\n  c: 2', "2:3"),  # no space behind the colon
        ('a:\n  b: x"\n  c: "y\n  d: 1\n  e: "z"', "3:6"),  # closed by e's
        ("a:\n  b: 'x\n  c: 'y'\n", "2:6"),
    ],
)
def test_a_mistake_is_told_where_it_was_made_and_not_where_it_was_noticed(text, place):
    assert refused(text) == [f"{place} yaml-syntax"]


def test_all_that_can_be_told_without_guessing_is_told_at_once():
    text = "a: &x 1\nb: !t 2\na: 3\nc: *x\n"
    assert refused(text) == ["1:4 alias", "2:4 tag", "3:1 duplicate-key", "4:4 alias"]


def test_a_merge_key_merges_nothing():
    assert read("<<: {a: 1}").data == {"<<": {"a": 1}}


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x, x]\n" + "".join(
            f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n"
            for i in range(9)
        ),
        "[" * 200_000,
        "- " * 200_000,
        "{a: " * 200_000,
        "a: &x [" + "*x, " * 200_000 + "]",
        "? " * 100_000,
        "x: " + "&a " * 100_000,
        "'" * 200_001,
        "#" * MAX_BYTES,
    ],
    ids=["bomb", "lists", "dashes", "maps", "aliases", "questions", "anchors", "quotes",
         "comment"],
)  # fmt: skip
def test_a_hostile_document_costs_no_more_than_reading_it(text):
    before, problems = time.perf_counter(), Problems()
    parse(text, "f.yaml", problems)
    assert time.perf_counter() - before < 5
    assert len(problems.found) <= MAX_PROBLEMS


def test_size_is_bounded(monkeypatch):
    assert refused("#" * (MAX_BYTES + 1)) == ["1:1 too-large"]
    assert refused("#" * MAX_BYTES) == []
    assert refused("a: " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)) == [
        f"1:{MAX_DEPTH + 4} too-deep"
    ]
    deepest = "a: " + "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert refused(deepest) == []
    assert MAX_NODES < MAX_BYTES
    monkeypatch.setattr("engine.spec.source.MAX_NODES", 50)
    assert refused("- a\n" * 49) == []  # the list itself is the fiftieth
    assert refused("- a\n" * 50) == ["50:3 too-deep"]


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "%YAML 1.1\n---\n"])
def test_an_empty_document_is_nothing_and_has_a_place(text):
    source = read(text)
    assert source.data is None
    assert source.values[()].file == "f.yaml"


def test_a_mark_at_the_beginning_of_a_file_is_no_part_of_it():
    assert read("\ufeffa: 1").data == {"a": 1}


yaml_like = st.text(
    st.sampled_from("ab:-?[]{},&*!|>'\"%@`#~ \t\n\r\\.01\x00\x85\ud800\ufeff\u2028ñ🍕"),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), yaml_like))
def test_any_text_is_read_or_refused_with_a_place_inside_it(text):
    problems = Problems()
    source = parse(text, "f.yaml", problems)
    assert source is not None or problems.errors
    breaks = text.count("\n") + text.count("\r") + sum(text.count(c) for c in "\x85\u2028\u2029")
    for problem in problems.found:
        assert 1 <= problem.span.line <= breaks + 2
        assert problem.span.column >= 1
    if source is not None:
        assert set(source.keys) <= set(source.values)


plain = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**17), 10**17), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(plain)
def test_what_is_written_as_json_is_read_back(data):
    """JSON is YAML, and quotes every text."""
    problems = Problems()
    source = parse(json.dumps(data), "f.yaml", problems)
    # A character that no file may hold can be written as an escape, half a character cannot.
    if not problems.found:
        assert source is not None
        assert source.data == data
    else:
        assert {p.code for p in problems.found} == {"yaml-syntax"}


def test_a_part_is_found_in_the_strongest_document_that_has_it():
    strong, weak = read("a:\n  b: 1\n"), read("x: 0\na:\n  b: 2\n  c: 3\n")
    strong.file, weak.file = "strong", "weak"
    for source in (strong, weak):
        for places in (source.keys, source.values):
            for path, span in places.items():
                places[path] = Span(source.file, span.line, span.column)
    layers = Layers((strong, weak))
    assert str(layers.at(("a", "b"))) == "strong:2:3"
    assert str(layers.value_at(("a", "b"))) == "strong:2:6"
    assert str(layers.at(("a", "c"))) == "weak:4:3"
    assert str(layers.value_at(("a", "c"))) == "weak:4:6"
    assert str(layers.at(("a", "c", "d", 0))) == "weak:4:3"  # the nearest part around it
    assert str(layers.value_at(("a", "z"))) == "strong:1:1"
    assert str(layers.at(())) == "strong:1:1"


def test_lines_that_only_yaml_ends_are_no_reason_to_fail():
    for text in ("0\r\u20280:", "\x85,", "a:\r b: 'x'\r  c: 2\u2028 d"):
        problems = Problems()
        parse(text, "f.yaml", problems)
        assert {problem.span.file for problem in problems.found} == {"f.yaml"}
