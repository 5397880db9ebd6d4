"""Where an item at Meta is not what we want there, field by field; nothing is asked or mended."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from unicodedata import normalize
from urllib.parse import unquote

from engine.sync.calls import MetaItem
from engine.sync.item import Item

# platform-facts 5.3 and 5.4: a field of a batch, and what Meta calls it in its lists. Images are
# not compared: Meta keeps copies under addresses of its own.
_TEXTS: Final = {
    "title": "name",
    "description": "description",
    "brand": "brand",
    "product_type": "product_type",
    "custom_label_0": "custom_label_0",
    "size": "size",
    "item_group_id": "retailer_product_group_id",
}
_WORDS: Final = ("availability", "condition")
_PRICE: Final = "price"
_LINK: Final = "link"

_CODE: Final = re.compile(r"(?<![^\W\d_])[A-Z]{3}(?![^\W\d_])")
_AMOUNT: Final = re.compile(r"\d(?:[\d.,٫٬'’\s]*\d)?")
_IGNORED: Final = re.compile(r"['’٬\s]")
_ARABIC_POINT: Final = "٫"
_THOUSANDS: Final = 3
_THREE_DIGITS: Final = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
"""Currencies of which ISO 4217 has thousandths, also where nobody uses them (IQD)."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that is not as we want it.

    Args:
        field: as a batch calls it.
        metas: empty if Meta has nothing there.
    """

    field: str
    ours: str
    metas: str


def differences(item: Item, found: MetaItem) -> tuple[Difference, ...]:
    """Compare what Meta has with what we want; how Meta writes it makes no difference."""
    return tuple(_differences(item, found.fields))


def _differences(item: Item, metas: Mapping[str, str]) -> Iterator[Difference]:
    ours = {name: value for name, value in item.fields.items() if isinstance(value, str)}
    for name, metas_name in _TEXTS.items():
        text = metas.get(metas_name, "")
        if name in ours and _tidy(ours[name]) != _tidy(text):
            yield Difference(name, ours[name], text)
    for name in _WORDS:
        word = metas.get(name, "")
        if ours[name] != _tidy(word).lower().replace("_", " "):
            yield Difference(name, ours[name], word)
    price, currency = metas.get("price", ""), metas.get("currency", "")
    if not _is_price(price, currency, wanted=ours[_PRICE]):
        is_told = not currency or currency in price
        yield Difference(_PRICE, ours[_PRICE], price if is_told else f"{price} {currency}".strip())
    link = metas.get("url", "")
    if unquote(ours[_LINK]) != unquote(link.strip()):
        yield Difference(_LINK, ours[_LINK], link)


def _tidy(text: str) -> str:
    return " ".join(normalize("NFC", text).split())


def _is_price(price: str, currency: str, *, wanted: str) -> bool:
    """Tell whether a price is the wanted one, such as `12.00 USD`."""
    amount, _, code = wanted.partition(" ")
    written = _CODE.search(price)
    metas_code = currency.upper() or (written[0] if written else code)
    return metas_code == code and Decimal(amount) in _readings(price, code)


def _readings(price: str, currency: str) -> set[Decimal]:
    """Read the amount in `$1,499.00`, `1.499,00 €` or `Rp50.000`.

    Returns:
        Two amounts if it can be read both ways, none if there is no number.
    """
    found = _AMOUNT.search(price)
    if found is None:
        return set()
    number = _IGNORED.sub("", found[0]).replace(_ARABIC_POINT, ".")
    last = max(number.rfind("."), number.rfind(","))
    if last < 0:
        return {Decimal(number)}
    whole, fraction = re.sub(r"[.,]", "", number[:last]), number[last + 1 :]
    as_point, as_group = Decimal(f"{whole}.{fraction}"), Decimal(f"{whole}{fraction}")
    others = number[:last]
    if number[last] in others:
        return {as_group}
    if len(fraction) != _THOUSANDS or "." in others or "," in others or whole.startswith("0"):
        return {as_point}
    return {as_point, as_group} if currency in _THREE_DIGITS else {as_group}
