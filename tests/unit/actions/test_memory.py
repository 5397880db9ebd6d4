"""What a conversation remembers: plain values under an author's names, and its language."""

from decimal import Decimal

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.refusals import Reason, Refusal
from tests.unit.actions.shop import a_turn, done, refused

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True).filter(lambda n: n != "turn")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20)
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner,
                                                                max_size=3),
    max_leaves=8,
)  # fmt: skip


def test_values_are_noted_beside_what_is_known():
    turn = a_turn(old=1, category_id="cat:a")
    done(turn, "save", category_id="cat:b", price=Decimal("12.50"), pair=(1, Decimal(2)))
    noted = {"old": 1, "category_id": "cat:b", "price": "12.50", "pair": [1, "2"]}
    assert turn.variables == noted


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_whatever_is_noted_can_be_stored(values):
    turn = a_turn()
    done(turn, "save", **values)
    assert turn.variables.keys() == values.keys()
    assert orjson.dumps(turn.variables)


def test_what_is_forgotten_is_nothing():
    turn = a_turn(a=1, b=2)
    done(turn, "forget", names=["a", "c"])
    assert turn.variables == {"a": None, "b": 2, "c": None}


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_conversation_goes_on_in_a_language_of_the_tenant(language):
    turn = a_turn(language="es")
    done(turn, "language.set", language=language)
    assert turn.conversation.language == language


@pytest.mark.parametrize("language", ["fr", "", "EN", "english"])
def test_a_language_the_tenant_does_not_speak_is_refused(language):
    found = refused(a_turn(), "language.set", language=language)
    assert found == Refusal(Reason.UNKNOWN_LANGUAGE, {"product": language})
