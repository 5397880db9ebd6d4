"""Ids of the items in Meta's catalogue: a product is one item, or one for each presentation.

What an item looks like there is not known here.
"""

from enum import StrEnum

from engine.domain.ids import PresentationId, ProductId

_MARK = "|"


class Difference(StrEnum):
    """How what is taken of a native cart differs from what the customer saw."""

    GONE = "gone"
    SOLD_OUT = "sold_out"
    FEW_LEFT = "few_left"
    AT_MOST = "at_most"
    CHOICE_GONE = "choice_gone"
    CUSTOMIZATION_NEEDED = "customization_needed"
    PRICE_CHANGED = "price_changed"
    CART_FULL = "cart_full"


def item_id(product: str, presentation: str | None = None) -> str:
    """Name the item of a product, or of one of its presentations."""
    return product if presentation is None else f"{product}{_MARK}{presentation}"


def split_item(item: str) -> tuple[ProductId, PresentationId | None]:
    """Tell which product, and which of its presentations, an item is."""
    product, mark, presentation = item.partition(_MARK)
    return ProductId(product), PresentationId(presentation) if mark else None
