"""Amounts of money: exact Decimals, rounded to the currency's minor unit, never floats."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from babel.core import Locale, UnknownLocaleError
from babel.numbers import format_currency, get_currency_precision

ZERO = Decimal(0)
# A currency without a symbol in the reader's language: PEN12.00 reads better as PEN 12.00.
_CODE_AT_DIGIT = re.compile(r"([A-Z]{3})(?=[0-9])")
LARGEST = Decimal(10) ** 9
"""Above this an amount is a mistake, not a price; a double still holds it to the cent."""


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency by its ISO 4217 code."""

    code: str

    @property
    def digits(self) -> int:
        """Tell the number of digits of the minor unit: 2 for USD, 0 for JPY."""
        return _digits(self.code)

    def round(self, amount: Decimal) -> Decimal:
        """Round half up to the minor unit."""
        return amount.quantize(Decimal(1).scaleb(-self.digits), rounding=ROUND_HALF_UP)


@lru_cache(maxsize=256)
def _digits(code: str) -> int:
    return get_currency_precision(code)


@lru_cache(maxsize=8192)
def format_money(amount: Decimal, code: str, locale: str) -> str:
    """Write an amount as the people of a locale write it, such as `$12.00` or `S/ 12.00`.

    Args:
        amount: in major units.
        code: ISO 4217 code.
        locale: such as `es_PE`; an unknown one falls back to its language, then to English.
    """
    written = format_currency(amount, code, locale=_locale(locale)).replace("\xa0", " ")
    return _CODE_AT_DIGIT.sub(r"\1 ", written)


@lru_cache(maxsize=256)
def _locale(name: str) -> Locale:
    for candidate in (name, name.partition("_")[0], "en"):
        try:
            return Locale.parse(candidate)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")
