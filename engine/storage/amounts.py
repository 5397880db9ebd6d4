"""Amounts of money on disk: plain numbers, as the Node back end reads and writes them.

No arithmetic happens here; everything that adds up works on Decimals.
"""

from decimal import Decimal
from typing import Any

from engine.domain.money import LARGEST, Currency


def to_disk(amount: Decimal, currency: Currency) -> float:
    """Write an amount as a number, rounded to the currency's minor unit."""
    return float(currency.round(amount))


def from_disk(number: Any, currency: Currency) -> Decimal:
    """Read an amount back, exact to the currency's minor unit.

    Raises:
        ValueError: it is not a number, or no sum of money.
    """
    if isinstance(number, bool):
        raise ValueError(f"{number!r} is not an amount of money")
    # Through str: Decimal(0.1) has 55 digits, Decimal("0.1") is what was meant.
    try:
        amount = Decimal(str(number))
    except ArithmeticError as exc:
        raise ValueError(f"{number!r} is not an amount of money") from exc
    if not amount.is_finite() or abs(amount) > LARGEST:
        raise ValueError(f"{number!r} is not an amount of money")
    return currency.round(amount)
