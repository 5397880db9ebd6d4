import pytest

from engine.sandbox.prices import price_currency, price_problem, shown_price


@pytest.mark.parametrize(
    "price", ["12.00 USD", "0.01 USD", "12 USD", "12.5 PEN", "1200 JPY", "1.250 KWD"]
)
def test_right_prices(price):
    assert price_problem("price", price) == ""


@pytest.mark.parametrize(
    ("price", "says"),
    [
        ("12.00", "an amount, a space and an ISO currency code"),
        ("12.00USD", "an amount"),
        ("USD 12.00", "an amount"),
        ("12,00 USD", "an amount"),
        ("1,200.00 USD", "an amount"),
        ("12. USD", "an amount"),
        ("12.00 usd", "an amount"),
        ("12.00  USD", "an amount"),
        ("-1.00 USD", "an amount"),
        ("1e3 USD", "an amount"),
        ("٣ USD", "an amount"),
        ("12.00 USD\n", "an amount"),
        ("12.00 XXX", "the unknown currency XXX"),
        ("12.001 USD", "at most 2 decimals in USD"),
        ("12.0 JPY", "at most 0 decimals in JPY"),
        ("1.2345 KWD", "at most 3 decimals in KWD"),
        ("0 USD", "greater than 0"),
        ("0.00 USD", "greater than 0"),
    ],
)
def test_wrong_prices(price, says):
    assert says in price_problem("price", price)


@pytest.mark.parametrize(
    ("price", "shown"),
    [
        ("12.00 USD", "$12.00"),
        ("12 USD", "$12.00"),
        ("1200.5 USD", "$1,200.50"),
        ("12.00 PEN", "PEN12.00"),
        ("1200 JPY", "JPY1,200"),
        ("1.25 KWD", "KWD1.250"),
    ],
)
def test_shown_prices(price, shown):
    assert shown_price(price) == shown
    assert price_currency(price) == price[-3:]
