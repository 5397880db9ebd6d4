"""Ids of the items in Meta's catalogue: a product is one item, or one for each presentation.

What an item looks like there is not known here.
"""

from engine.domain.ids import PresentationId, ProductId

_MARK = "|"


def item_id(product: str, presentation: str | None = None) -> str:
    """Name the item of a product, or of one of its presentations."""
    return product if presentation is None else f"{product}{_MARK}{presentation}"


def split_item(item: str) -> tuple[ProductId, PresentationId | None]:
    """Tell which product, and which of its presentations, an item is."""
    product, mark, presentation = item.partition(_MARK)
    return ProductId(product), PresentationId(presentation) if mark else None
