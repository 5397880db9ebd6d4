"""Amounts of money on disk."""

from decimal import Decimal

import pytest
from bson import Decimal128, Int64
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.money import Currency
from engine.storage.amounts import from_disk, to_disk

USD = Currency("USD")


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_an_amount_survives_the_disk(amount):
    assert from_disk(to_disk(amount, USD), USD) == amount


def test_an_amount_is_rounded_to_the_minor_unit_of_its_currency():
    assert to_disk(Decimal("1.005"), USD) == 1.01
    assert to_disk(Decimal("1200.4"), Currency("JPY")) == 1200.0
    assert str(from_disk(12.0, USD)) == "12.00"
    assert str(from_disk(12.0, Currency("JPY"))) == "12"
    assert str(from_disk(0.1 + 0.2, USD)) == "0.30"


@pytest.mark.parametrize("number", [7, Int64(7), 7.0, "7", Decimal128("7.00")])
def test_whatever_the_back_end_writes_a_number_as_is_read(number):
    assert from_disk(number, USD) == 7


@pytest.mark.parametrize("number", [None, True, "free", float("nan"), float("inf"), 1e12, []])
def test_what_is_no_sum_of_money_is_refused(number):
    with pytest.raises(ValueError, match="is not an amount of money"):
        from_disk(number, USD)
