from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.money import Currency, format_money

AMOUNTS = st.decimals(min_value=0, max_value=10**6, allow_nan=False, places=6)
CURRENCIES = st.sampled_from([Currency("USD"), Currency("PEN"), Currency("JPY"), Currency("KWD")])


@pytest.mark.parametrize(("code", "digits"), [("USD", 2), ("PEN", 2), ("JPY", 0), ("KWD", 3)])
def test_a_currency_knows_its_minor_unit(code, digits):
    assert Currency(code).digits == digits


@pytest.mark.parametrize(
    ("amount", "rounded"), [("1.005", "1.01"), ("1.004", "1.00"), ("0.125", "0.13"), ("2", "2.00")]
)
def test_half_a_cent_is_rounded_up(amount, rounded):
    assert str(Currency("USD").round(Decimal(amount))) == rounded


@given(AMOUNTS, CURRENCIES)
def test_rounding_is_exact_to_the_minor_unit_and_changes_nothing_twice(amount, currency):
    rounded = currency.round(amount)
    unit = Decimal(1).scaleb(-currency.digits)
    assert rounded % unit == 0
    assert abs(rounded - amount) <= unit / 2
    assert currency.round(rounded) == rounded


@pytest.mark.parametrize(
    ("amount", "code", "locale", "written"),
    [
        ("12", "USD", "en_US", "$12.00"),
        ("1234.5", "USD", "en_US", "$1,234.50"),
        ("12", "PEN", "es_PE", "S/ 12.00"),
        ("0", "PEN", "en_PE", "PEN 0.00"),
        ("500", "JPY", "en_US", "¥500"),
        ("12", "USD", "xx_YY", "$12.00"),
    ],
)
def test_an_amount_is_written_as_its_readers_write_it(amount, code, locale, written):
    assert format_money(Decimal(amount), code, locale) == written
