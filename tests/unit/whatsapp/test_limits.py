"""Measuring and cutting texts: never too long, never half a character."""

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.whatsapp.limits import fit, length

FAMILY = "👨‍👩‍👧‍👦"  # four people joined: 11 UTF-16 units
FLAG = "🇦🇷"  # two letters: 4 units
KEYCAP = "1️⃣"
ACCENT = "e\u0301"

graphemes = regex.compile(r"\X")
texts = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from(
            [FAMILY, FLAG, KEYCAP, ACCENT, " ", "\n", "…", "!", "क्षि", "👍🏽", "pizza"]
        ),
    ),
    max_size=30,
).map("".join)


def boundaries(text: str) -> set[int]:
    return {0, *(match.end() for match in graphemes.finditer(text))}


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("", 0),
        ("pizza", 5),
        ("ñandú", 5),
        ("€", 1),
        ("🍕", 2),
        (FAMILY, 11),
        (FLAG, 4),
        ("\ud800", 1),
    ],
)
def test_length_counts_utf16_units(text, units):
    assert length(text) == units


@settings(deadline=None)
@given(text=st.text())
def test_length_is_never_less_than_code_points(text):
    assert len(text) <= length(text) <= 2 * len(text)


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("Margherita", 10, "Margherita"),
        ("Margheritas", 10, "Margherit…"),
        ("Pizza with extra cheese", 18, "Pizza with extra…"),
        ("Pizza with extra cheese", 17, "Pizza with extra…"),
        ("Pizza with extra cheese", 16, "Pizza with…"),
        ("A Quattroformaggissima", 12, "A Quattrofo…"),
        ("Pizza, and more", 10, "Pizza…"),
        ("Ham & cheese", 7, "Ham…"),
        ("Large (12 slices) or small", 19, "Large (12 slices)…"),
        ("Large (12 slices)", 8, "Large…"),
        ("Save 50% on pizza", 10, "Save 50%…"),
        ("Pizza\nNapoli and more", 7, "Pizza…"),
        ("..........", 4, "...…"),
        ("日本語のメニューです", 5, "日本語の…"),
        ("ab", 1, "…"),
        (FAMILY + "x", 11, "…"),
        (FAMILY + FAMILY, 12, FAMILY + "…"),
        ("a" + FLAG + FLAG, 6, "a" + FLAG + "…"),
        ("a" + FLAG + FLAG, 8, "a" + FLAG + "…"),
        (ACCENT * 5, 5, ACCENT * 2 + "…"),
        (KEYCAP * 3, 7, KEYCAP * 2 + "…"),
        ("👍🏽👍🏽", 7, "👍🏽…"),
    ],
)
def test_fit(text, limit, expected):
    assert fit(text, limit) == expected


@pytest.mark.parametrize("limit", [0, -1])
def test_fit_needs_room(limit):
    with pytest.raises(ValueError, match="at least 1"):
        fit("pizza", limit)


@settings(deadline=None)
@given(text=texts, limit=st.integers(1, 60))
def test_fit_gives_a_whole_prefix_within_the_limit(text, limit):
    result = fit(text, limit)
    assert length(result) <= limit
    if length(text) <= limit:
        assert result == text
    else:
        prefix = result.removesuffix("…")
        assert result == prefix + "…"
        assert text.startswith(prefix)
        assert len(prefix) in boundaries(text)


@settings(deadline=None)
@given(words=st.lists(st.text("abc", min_size=1, max_size=4), min_size=20, max_size=30))
def test_fit_ends_at_a_word_and_loses_at_most_a_third(words):
    result = fit(" ".join(words), 24)
    kept = result.removesuffix("…")
    assert kept.split(" ") == words[: kept.count(" ") + 1]
    assert 16 <= len(kept) < 24


def test_fit_is_quick_on_a_huge_text():
    assert length(fit("a" + "\u0301" * 100_000 + "b" * 1_000_000, 72)) == 1
