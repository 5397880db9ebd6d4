"""Actions that show products in WhatsApp's own catalogue."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from engine.domain.catalog import Product
from engine.domain.native import item_id
from engine.registry import Registry
from engine.rendering.views import product_view
from engine.turn import Event, Turn
from engine.whatsapp.limits import LIST_ROWS, PRODUCT_LIST_ITEMS, PRODUCT_LIST_SECTIONS

registry = Registry()
_NOTHING = Event("native_unavailable")


@registry.action(
    "native.products", gives=("native",), raises=("native_ready", "native_unavailable")
)
async def show(turn: Turn, *, category: str | None = None) -> Event:
    """Load what a list in WhatsApp's own catalogue needs, as `native`: `catalog` and `sections`.

    Without a category its sections are all categories. Raises `native_unavailable` where there is
    no such catalogue, nothing of it is there yet, or a list cannot hold as much. `native.others`
    are the products that Meta has not taken; they must fit a list beside it.
    """
    catalog = await turn.native.catalog_id() if turn.native else None
    if turn.native is None or catalog is None:
        return _NOTHING
    products = await _products(turn, category)
    if not 0 < len(products) <= PRODUCT_LIST_ITEMS:
        return _NOTHING
    taken = await turn.native.items([product.id for product in products])
    sections = _sections(products, taken)
    others = [p for p in products if _shown(p, taken.get(p.id, ())) is None]
    if not 0 < len(sections) <= PRODUCT_LIST_SECTIONS or len(others) > LIST_ROWS:
        return _NOTHING
    turn.memory["native"] = {
        "catalog": catalog,
        "sections": sections,
        "others": [product_view(product) for product in others],
    }
    return Event("native_ready")


async def _products(turn: Turn, category: str | None) -> Sequence[Product]:
    """Give the products of a category, or of all in the order of the categories."""
    limit = PRODUCT_LIST_ITEMS + 1
    found = await turn.catalog.get_products_by_category(category, limit=limit)
    if category is not None or len(found) == limit:
        return found
    shelves: dict[str, list[Product]] = {c.id: [] for c in await turn.catalog.get_categories()}
    for product in found:
        if product.category_id in shelves:
            shelves[product.category_id].append(product)
    return [product for shelf in shelves.values() for product in shelf]


def _sections(
    products: Sequence[Product], taken: Mapping[Any, Collection[str]]
) -> list[dict[str, Any]]:
    sections: dict[str, dict[str, Any]] = {}
    for product in products:
        item = _shown(product, taken.get(product.id, ()))
        if item is not None:
            empty: dict[str, Any] = {"title": product.category, "items": []}
            sections.setdefault(product.category_id, empty)["items"].append(item)
    return list(sections.values())


def _shown(product: Product, taken: Collection[str]) -> str | None:
    """Choose the item that stands for a product: its page shows all of its presentations."""
    sizes = (item_id(product.id, size.id) for size in product.presentations)
    return next((item for item in (*sizes, item_id(product.id)) if item in taken), None)
