"""Actions that look into the catalog; they put what they find at the disposal of texts."""

from typing import Literal

from engine.domain.refusals import Reason, Refusal
from engine.phrases import closest
from engine.registry import Registry
from engine.rendering.views import category_view, product_view
from engine.turn import Event, Turn

registry = Registry()
_BY_ID = " (id)"


@registry.action("catalog.categories", gives=("categories",))
async def categories(turn: Turn) -> Refusal | None:
    """Load the categories that have something to sell, as `categories`."""
    found = await turn.catalog.get_categories()
    turn.memory["categories"] = [category_view(c) for c in found]
    return None if found else Refusal(Reason.NOT_FOUND)


@registry.action("catalog.category", gives=("category", "products"))
async def category(turn: Turn, *, category: str) -> Refusal | None:
    """Load a category and its products, as `category` and `products`."""
    products = await turn.catalog.get_products_by_category(category)
    if not products:
        return Refusal(Reason.UNKNOWN_CATEGORY)
    turn.memory["category"] = {"id": category, "name": products[0].category}
    turn.memory["products"] = [product_view(p) for p in products]
    return None


@registry.action("catalog.product", gives=("product",))
async def product(turn: Turn, *, product: str, to_order: bool = False) -> Refusal | None:
    """Load a product with its presentations and modifier groups, as `product`.

    With `to_order` one that is sold out is refused.
    """
    found = await turn.catalog.get_product_by_id(product)
    if found is None:
        return Refusal(Reason.UNKNOWN_PRODUCT)
    if to_order and found.is_sold_out:
        return Refusal(Reason.SOLD_OUT, {"product": found.name})
    turn.memory["product"] = product_view(found)
    return None


@registry.action(
    "catalog.find",
    gives=("products", "sought"),
    raises=("category_found", "product_found", "add_found", "products_found"),
)
async def find(
    turn: Turn,
    *,
    text: str,
    quantity: int | None = None,
    then: Literal["product_found", "add_found"] = "product_found",
) -> Refusal | Event:
    """Find what a customer names, typos forgiven.

    Raises `category_found` for a category, `then` for one product, `products_found` for more.
    """
    turn.memory["sought"] = text
    found = await _named(turn, text)
    if then == "product_found" and len(found) != 1:
        shelves = {str(c.id): c.name for c in await turn.catalog.get_categories()}
        shelf = closest(text, shelves)
        if len(shelf) == 1:
            return Event("category_found", {"argument": shelf[0], "text": text})
    if not found:
        return Refusal(Reason.NOT_FOUND, {"product": text})
    if len(found) == 1:
        return Event(then, {"argument": found[0], "text": text, "quantity": quantity})
    loaded = [await turn.catalog.get_product_by_id(key) for key in found]
    turn.memory["products"] = [product_view(p) for p in loaded if p]
    return Event("products_found", {"text": text, "quantity": quantity})


async def _named(turn: Turn, text: str) -> list[str]:
    """Find products by name, or by the words of their ids: `coke` is `prod:coke`, Coca-Cola."""
    names: dict[str, str] = {}
    for key, name in await turn.catalog.get_product_names():
        names[key] = name
        names[f"{key}{_BY_ID}"] = key.partition(":")[2].replace("-", " ")
    return list(dict.fromkeys(key.removesuffix(_BY_ID) for key in closest(text, names)))
