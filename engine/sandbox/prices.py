"""Prices of items: how a batch writes them, how the Graph API shows them; it does not convert."""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

WRITTEN = re.compile(r"([0-9]{1,12}(?:\.[0-9]+)?) ([A-Z]{3})")
TWO_DECIMALS = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD
    CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
    GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD
    MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP
    PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS
    TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWG
"""
NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
# ISO 4217
DECIMALS: Mapping[str, int] = MappingProxyType(
    dict.fromkeys(TWO_DECIMALS.split(), 2)
    | dict.fromkeys(NO_DECIMALS.split(), 0)
    | dict.fromkeys(THREE_DECIMALS.split(), 3)
)


def price_problem(name: str, price: str) -> str:
    """Return what is wrong with a price such as `12.00 USD`; empty if nothing is."""
    written = WRITTEN.fullmatch(price)
    if written is None:
        return f"Param {name} must be an amount, a space and an ISO currency code: {price!r}"
    amount, currency = written.groups()
    decimals = DECIMALS.get(currency)
    if decimals is None:
        return f"Param {name} has the unknown currency {currency}"
    if len(amount.partition(".")[2]) > decimals:
        return f"Param {name} must have at most {decimals} decimals in {currency}: {amount}"
    if Decimal(amount) <= 0:
        return f"Param {name} must be greater than 0"
    return ""


def shown_price(price: str) -> str:
    """Return a right price as the Graph API shows it: `$1,200.00`, `PEN12.00`, `JPY1,200`."""
    amount, currency = price.split()
    sign = "$" if currency == "USD" else currency
    return f"{sign}{Decimal(amount):,.{DECIMALS[currency]}f}"


def price_currency(price: str) -> str:
    """Return the currency of a right price."""
    return price.split()[1]
