"""The text of a Flow JSON, its digest, and the way back from it to the author's line."""

import json

import pytest

from engine.flows.document import FlowJson, Pointer
from engine.spec.problems import Span

FILE = "flows/demo.yaml"
DOCUMENT = {
    "version": "7.3",
    "routing_model": {},
    "screens": [
        {
            "id": "SIZE",
            "data": {"sizes": {"type": "array", "__example__": []}},
            "layout": {"children": [{"type": "TextBody", "text": "¿Qué tamaño?"}, "two"]},
        }
    ],
}
PLACES = {
    (): Span(FILE),
    ("screens", 0): Span(FILE, 10, 3),
    ("screens", 0, "layout", "children", 0): Span(FILE, 14, 7),
    ("screens", 0, "layout", "children", 0, "text"): Span(FILE, 15, 9),
}
FLOW = FlowJson("demo", "es", DOCUMENT, PLACES)


def line_of(part):
    return next(n for n, line in enumerate(FLOW.text.splitlines(), 1) if part in line)


def test_the_text_is_the_document_indented_in_its_own_order():
    assert FLOW.text == json.dumps(DOCUMENT, indent=2, ensure_ascii=False) + "\n"


def test_two_documents_of_one_text_have_one_digest():
    assert FLOW.digest == FlowJson("other", "en", dict(DOCUMENT), {}).digest
    turned = dict(reversed(DOCUMENT.items()))
    assert FLOW.digest != FlowJson("demo", "es", turned, PLACES).digest


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        (("screens", 0, "layout", "children", 0, "text"), 15),
        (("screens", 0, "layout", "children", 0, "type"), 14),
        (("screens", 0, "layout", "children", 1), 10),
        (("screens", 3), 1),
        ((), 1),
    ],
)
def test_a_part_is_placed_where_it_or_the_nearest_around_it_was_written(pointer, line):
    assert FLOW.place_of(pointer).line == line


def test_a_document_without_places_is_placed_in_the_file_of_its_flow():
    assert FlowJson("demo", "es", DOCUMENT, {}).place_of(("screens", 0)) == Span(FILE)


@pytest.mark.parametrize(
    ("part", "line"),
    [
        ('"text"', 15),
        ('"TextBody"', 14),
        ('"children"', 10),
        ('"two"', 10),
        ('"__example__"', 10),
        ('"routing_model"', 1),
    ],
)
def test_a_line_of_the_text_leads_to_the_innermost_value_that_begins_there(part, line):
    assert FLOW.place_of_line(line_of(part)).line == line


def test_a_line_that_closes_a_value_belongs_to_it():
    assert FLOW.place_of_line(line_of('"text"') + 1).line == 14


def test_every_line_of_the_text_has_a_place_and_none_is_left_over():
    places: dict[Pointer, Span] = {(): Span(FILE, 99), ("screens",): Span(FILE, 50)}
    flow = FlowJson("demo", "es", DOCUMENT, places)
    count = flow.text.count("\n")
    found = [flow.place_of_line(n).line for n in range(1, count + 1)]
    assert found == [99] * 3 + [50] * (count - 4) + [99]


@pytest.mark.parametrize("line", [-1, 0, 10_000])
def test_a_line_outside_the_text_is_the_whole(line):
    assert FLOW.place_of_line(line) == Span(FILE)
