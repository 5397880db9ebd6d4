"""What the Graph API shows of an item, under other names than a batch writes it; no routes."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from engine.sandbox.catalog_state import Item
from engine.sandbox.envelope import JsonObject
from engine.sandbox.items import image_addresses
from engine.sandbox.pages import field_names, shown
from engine.sandbox.prices import price_currency, price_problem, shown_price

DEFAULT = ("id", "name", "retailer_id")


def shown_item(item: Item, fields: str | None) -> JsonObject:
    """Return the wanted fields of an item, and its id."""
    names = DEFAULT if fields is None else field_names(fields)
    return shown(names, FIELDS, item) | {"id": item.id}


def shown_field(item: Item, name: str) -> str:
    """Return a field as text; empty when it has no value."""
    value = FIELDS[name](item)
    return "" if value is None else str(value)


def _said(name: str) -> Callable[[Item], Any]:
    """Return what shows a field of the batch; an empty one is not shown."""
    return lambda item: item.fields.get(name) or None


def _price(name: str) -> Callable[[Item], Any]:
    def show(item: Item) -> Any:
        price = str(item.fields.get(name) or "")
        # A hand edit may have written anything.
        return shown_price(price) if not price_problem(name, price) else price or None

    return show


def _currency(item: Item) -> Any:
    price = str(item.fields.get("price") or "")
    return None if price_problem("price", price) else price_currency(price)


def _image(item: Item) -> Any:
    return next(iter(image_addresses(item.fields)), None)


def _more_images(item: Item) -> Any:
    return image_addresses(item.fields)[1:] or None


FIELDS: Mapping[str, Callable[[Item], Any]] = MappingProxyType(
    {
        "id": lambda item: item.id,
        "retailer_id": _said("id"),
        "name": _said("title"),
        "description": _said("description"),
        "availability": _said("availability"),
        "condition": _said("condition"),
        "price": _price("price"),
        "sale_price": _price("sale_price"),
        "currency": _currency,
        "url": _said("link"),
        "image_url": _image,
        "additional_image_urls": _more_images,
        "brand": _said("brand"),
        "retailer_product_group_id": _said("item_group_id"),
        "product_type": _said("product_type"),
        "category": _said("google_product_category"),
        "size": _said("size"),
        "color": _said("color"),
        "gtin": _said("gtin"),
        **{f"custom_label_{n}": _said(f"custom_label_{n}") for n in range(5)},
        **{f"custom_number_{n}": _said(f"custom_number_{n}") for n in range(5)},
        "review_status": lambda _: "approved",
        "errors": lambda _: [],
    }
)
