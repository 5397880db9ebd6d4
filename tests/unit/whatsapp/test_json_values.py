"""Values of every form: which are taken, which are repaired, which are left out."""

import json

import bson
import pytest
from hypothesis import given, settings

from engine.errors import Malformed
from engine.whatsapp.json_values import as_integer, as_object, load, storable
from tests.unit.whatsapp.strangers import any_json, nested


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        (rb"\u00e4\ud83c\udf55", "ä🍕"),
        (rb"half \ud83c", "half \ufffd"),
        (rb"half \udf55.", "half \ufffd."),
        (rb"\ud83c\ud83c\udf55", "\ufffd🍕"),
        (rb"\ud83c\ud83c\udf55 \\ud83c", "\ufffd🍕 \\ud83c"),
        (rb"\ud83c\\\ud83c", "\ufffd\\\ufffd"),
    ],
)
def test_half_a_character_is_repaired(escaped, text):
    assert load(b'"%b"' % escaped) == text


@pytest.mark.parametrize("text", [b"", b"{", b"hola", b"\xff", b"NaN", b"1e999", b"[" * 100_000])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(Malformed):
        load(text)


@pytest.mark.parametrize(
    ("value", "integer"),
    [(7, 7), (-7, -7), ("7", 7), ("-7", None), ("9" * 13, None), ("٣", None), (True, None)],
)
def test_an_integer_may_be_written_as_a_string(value, integer):
    assert as_integer(value) == integer


def test_an_array_keeps_its_length_and_an_object_does_not():
    odd = {"deep": nested(200), "long": 2**64 - 1, "a\0b": 1, "list": [2**64 - 1, "kept"]}
    kept = storable(odd)
    assert set(kept) == {"deep", "list"}
    assert kept["list"] == [None, "kept"]


@settings(deadline=None)
@given(value=any_json.map(json.dumps).map(str.encode))
def test_whatever_can_be_read_can_be_stored(value):
    try:
        read = load(value)
    except Malformed:
        return
    bson.encode(storable(as_object(read)))
