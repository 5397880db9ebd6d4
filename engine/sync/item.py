"""What a product is at Meta: its items, or why it has none; what Meta has is not known here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

import orjson
import regex

from engine.domain.catalog import Presentation, Product
from engine.domain.ids import ProductId
from engine.domain.money import LARGEST, Currency
from engine.domain.native import item_id
from engine.domain.tenant import Tenant
from engine.sync.ports import ItemId, Sellable
from engine.whatsapp.limits import fit, length

# platform-facts 5.3: fields of PRODUCT_ITEM in items_batch, Meta's page of September 2026.
ID: Final = 100
TITLE: Final = 100
DESCRIPTION: Final = 5000
PRODUCT_TYPE: Final = 750
CUSTOM_LABEL: Final = 100
# Not on that page; the field table of Meta's catalogue feeds allows 100 and 200.
BRAND: Final = 100
SIZE: Final = 200

_SIZE_IN_TITLE: Final = 48
"""So that the name keeps half of the title."""
_BAR: Final = "|"
# No sign of their own, or not to be sent as UTF-8; joiners stay, emoji and scripts need them.
_UNSEEN: Final = regex.compile(
    r"(?V1)[[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}"
    r"\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]--\s]"
)
_SEEN: Final = regex.compile(r"[\p{L}\p{N}\p{P}\p{S}]")
_BLANK_LINES: Final = regex.compile(r"\n{3,}")
_HOST: Final = regex.compile(r"(?:[\w.-]+|\[[\da-fA-F:.]+\])(?::\d+)?")
_PLAIN_ADDRESS: Final = regex.compile(r"https?://[a-zA-Z0-9_.-]+(?::[0-9]+)?(?:[/?#][!-~]*)?")
"""One that is asked for as it is: most are."""
_PLAIN_ID: Final = regex.compile(r"[a-zA-Z0-9_.~:-]*")
_IN_ADDRESS: Final = "%:/?#[]@!$&'()*+,;=~"
"""What has a meaning in an address, or is encoded already."""


@dataclass(frozen=True, slots=True)
class Item:
    """What Meta is to have of a product, or of one of its presentations.

    Args:
        fields: the `data` of a request of items_batch.
        digest: of the fields; equal in every process.
    """

    item: ItemId
    product: ProductId
    fields: Mapping[str, Any]
    digest: str


@dataclass(frozen=True, slots=True)
class Misfit:
    """A product, or one of its presentations, that Meta would not take.

    Args:
        item: the product's id if nothing of it can be sent.
        reason: for the people of the shop.
    """

    item: ItemId
    product: ProductId
    reason: str

    @property
    def digest(self) -> str:
        """Give the digest of the reason."""
        return _digest(self.reason)


def items_of(sellable: Sellable, *, tenant: Tenant, links: str) -> tuple[Item | Misfit, ...]:
    """Make the items of a product: one for each presentation, else one.

    Args:
        links: the address of the product pages, up to a product's id.
    """
    product = sellable.product
    if product is None:
        return (_misfit(sellable.id, sellable.reason or "it cannot be read"),)
    faults = tuple(_faults(product, sellable))
    if faults:
        return (_misfit(sellable.id, "; ".join(faults)),)
    shared = _shared(product, sellable, tenant)
    link = links + _quoted(sellable.id)
    if not product.presentations:
        return (_single(product, sellable.id, {**shared, "link": link}, tenant.money),)
    # A document may list a presentation twice: the first one counts.
    sizes: dict[str, Presentation] = {}
    for each in product.presentations:
        sizes.setdefault(str(each.id), each)
    made = tuple(
        _variant(product, sellable.id, size, {**shared, "link": link}, tenant.money)
        for size in sizes.values()
    )
    reasons = dict.fromkeys(each.reason for each in made if isinstance(each, Misfit))
    if any(isinstance(each, Item) for each in made):
        return made
    return (_misfit(sellable.id, "; ".join(reasons)),)


def _single(
    product: Product, product_id: ProductId, shared: dict[str, Any], currency: Currency
) -> Item | Misfit:
    price = _price(product.base_price, currency)
    if not price:
        return _misfit(product_id, "it has no price")
    title = fit(_line(product.name), TITLE)
    fields = {
        **shared,
        "id": product_id,
        "title": title,
        "description": shared["description"] or title,
        "availability": _availability(product, is_available=True),
        "price": price,
    }
    return Item(ItemId(item_id(product_id)), product_id, fields, _digest(fields))


def _variant(
    product: Product,
    product_id: ProductId,
    presentation: Presentation,
    shared: dict[str, Any],
    currency: Currency,
) -> Item | Misfit:
    item = ItemId(item_id(product_id, str(presentation.id)))
    size = _short(presentation.name, SIZE)
    price = _price(presentation.price, currency)
    faults = tuple(_variant_faults(item, size, price))
    if faults:
        return Misfit(item, product_id, "; ".join(faults))
    ending = f" ({fit(size, _SIZE_IN_TITLE)})"
    title = fit(_line(product.name), TITLE - length(ending)) + ending
    fields = {
        **shared,
        "id": item,
        "title": title,
        "description": shared["description"] or title,
        "availability": _availability(product, is_available=presentation.is_available),
        "price": price,
        "link": f"{shared['link']}?size={_quoted(str(presentation.id))}",
        "item_group_id": product_id,
        "size": size,
    }
    return Item(item, product_id, fields, _digest(fields))


def _variant_faults(item: ItemId, size: str, price: str) -> Iterator[str]:
    if not size:
        yield "its size has no name"
    if not price:
        yield "it has no price"
    if len(item) > ID:
        yield f"its id is longer than {ID} characters"
    if _is_odd(item):
        yield "its id begins or ends with a space, or has a control character"


def _faults(product: Product, sellable: Sellable) -> Iterator[str]:
    """Tell what is wrong with all items of a product."""
    if not _line(product.name):
        yield "it has no name"
    if not product.image_url:
        yield "it has no image"
    elif not _address(product.image_url):
        yield "its image is no web address"
    if not sellable.category_id:
        yield "it has no category"
    elif len(sellable.category_id) > CUSTOM_LABEL:
        yield f"the id of its category is longer than {CUSTOM_LABEL} characters"
    if len(sellable.id) > ID:
        yield f"its id is longer than {ID} characters"
    if _BAR in sellable.id:
        yield f'its id has a "{_BAR}", which stands between a product and its size'
    if _is_odd(sellable.id):
        yield "its id begins or ends with a space, or has a control character"


def _shared(product: Product, sellable: Sellable, tenant: Tenant) -> dict[str, Any]:
    """Give what all items of a product have in common."""
    shared: dict[str, Any] = {
        "description": fit(_lines(product.description), DESCRIPTION),
        "condition": "new",
        "image": [{"url": _address(product.image_url), "tag": []}],
        "brand": _short(tenant.name, BRAND),
        "custom_label_0": sellable.category_id,
    }
    category = _short(product.category, PRODUCT_TYPE)
    if category:
        shared["product_type"] = category
    return shared


def _availability(product: Product, *, is_available: bool) -> str:
    """Tell whether it can be ordered, in Meta's words."""
    is_sold = product.is_available and product.stock != 0 and is_available
    return "in stock" if is_sold else "out of stock"


def _price(amount: Decimal, currency: Currency) -> str:
    """Write a price as items_batch wants it; empty if there is none."""
    if not amount.is_finite() or not 0 < amount <= LARGEST:
        return ""
    return _rounded(amount, currency)


@lru_cache(maxsize=4096)
def _rounded(amount: Decimal, currency: Currency) -> str:
    rounded = currency.round(amount)
    return f"{rounded:f} {currency.code}" if rounded else ""


def _address(url: object) -> str:
    """Give a web address as it can be asked for; empty if it is none."""
    if isinstance(url, str) and _PLAIN_ADDRESS.fullmatch(url):
        return url
    text = _line(url)
    try:
        parts = urlsplit(text)
        host = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode()
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        return ""
    if _is_plain(text):
        return text
    return urlunsplit((parts.scheme, host, *(quote(part, safe=_IN_ADDRESS) for part in parts[2:])))


def _line(text: object) -> str:
    """Give a text in one line; the other back end may have left something that is no text."""
    if not isinstance(text, str):
        return ""
    return _legible(" ".join(_seen(text).split()))


def _lines(text: object) -> str:
    """Give a text with its paragraphs."""
    if not isinstance(text, str):
        return ""
    lines = (" ".join(line.split()) for line in _seen(text).splitlines())
    return _legible(_BLANK_LINES.sub("\n\n", "\n".join(lines)).strip())


def _seen(text: str) -> str:
    """Leave out what has no sign of its own; what is printable has one."""
    return text if text.replace("\n", "").isprintable() else _UNSEEN.sub("", text)


def _legible(text: str) -> str:
    """Give a text; an empty one if there is nothing to be seen in it."""
    return text if text[:1].isalnum() or _SEEN.search(text) else ""


def _short(text: object, limit: int) -> str:
    """Give in one line a text that many products have in common."""
    return _shortened(text, limit) if isinstance(text, str) else ""


@lru_cache(maxsize=4096)
def _shortened(text: str, limit: int) -> str:
    return fit(_line(text), limit)


def _quoted(identifier: str) -> str:
    """Write an id as part of an address."""
    if _PLAIN_ID.fullmatch(identifier):
        return identifier.replace(":", "%3A")
    return quote(identifier, safe="")


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _is_odd(identifier: str) -> bool:
    return identifier != identifier.strip() or not identifier.isprintable()


def _misfit(product: ProductId, reason: str) -> Misfit:
    return Misfit(ItemId(item_id(product)), product, reason)


def _digest(content: object) -> str:
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
