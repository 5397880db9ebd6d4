"""Items: which product and presentation they are, there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.native import item_id, split_item


@pytest.mark.parametrize(
    ("item", "product", "presentation"),
    [
        ("prod:coke", "prod:coke", None),
        ("prod:margherita|pres:small", "prod:margherita", "pres:small"),
        ("prod:a|pres:b|c", "prod:a", "pres:b|c"),
        ("prod:a|", "prod:a", ""),
        ("|", "", ""),
        ("", "", None),
    ],
)
def test_an_item_is_a_product_or_one_of_its_presentations(item, product, presentation):
    assert split_item(item) == (product, presentation)
    assert item_id(product, presentation) == item


@given(st.text())
def test_any_text_is_an_item_and_no_two_items_are_the_same(item):
    assert item_id(*split_item(item)) == item


@given(st.text().filter(lambda text: "|" not in text), st.none() | st.text())
def test_a_product_and_its_presentation_come_back(product, presentation):
    assert split_item(item_id(product, presentation)) == (product, presentation)
