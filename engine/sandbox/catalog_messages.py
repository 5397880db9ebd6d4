"""Meta's rules for messages with products: they must be in the connected catalogue."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from engine.sandbox.catalog_state import Catalog, Trade
from engine.sandbox.envelope import Complaint, JsonObject
from engine.sandbox.state import PhoneNumber

INVALID = 131009


def catalog_complaint(trade: Trade, number: PhoneNumber, body: JsonObject) -> Complaint | None:
    """Return what Meta has against the products that a right message names, or None."""
    interactive = body.get("interactive") or {}
    kind = interactive.get("type", "")
    if body.get("type") != "interactive" or kind not in NAMED:
        return None
    catalog = trade.connected(number.waba_id)
    if catalog is None:
        return Complaint(INVALID, "No catalogue is connected to the account of the sender")
    settings = trade.settings_of(number.phone_number_id)
    if kind == "catalog_message" and not settings.is_catalog_visible:
        return Complaint(INVALID, "The catalogue is not visible on the number of the sender")
    return next(_complaints(catalog, NAMED[kind](interactive["action"])), None)


def _complaints(catalog: Catalog, named: Iterator[tuple[str, str]]) -> Iterator[Complaint]:
    for path, value in named:
        if path.endswith("catalog_id"):
            if value != catalog.id:
                yield Complaint(
                    INVALID,
                    f"Param {path} is not valid: catalogue {value} is not the one connected to "
                    "the WhatsApp Business Account of the sender",
                )
        # UNCONFIRMED for lists: Meta may send those products of them that it has.
        elif value not in catalog.items:
            yield Complaint(
                INVALID,
                f"Param {path} is not valid: catalogue {catalog.id} has no item {value}",
            )


def _product(action: Any, path: str = "interactive.action") -> Iterator[tuple[str, str]]:
    yield f"{path}.catalog_id", action["catalog_id"]
    yield f"{path}.product_retailer_id", action["product_retailer_id"]


def _product_list(action: Any) -> Iterator[tuple[str, str]]:
    yield "interactive.action.catalog_id", action["catalog_id"]
    for index, section in enumerate(action["sections"]):
        for place, item in enumerate(section["product_items"]):
            path = f"interactive.action.sections[{index}].product_items[{place}]"
            yield f"{path}.product_retailer_id", item["product_retailer_id"]


def _carousel(action: Any) -> Iterator[tuple[str, str]]:
    for index, card in enumerate(action["cards"]):
        yield from _product(card["action"], f"interactive.action.cards[{index}].action")


def _thumbnail(action: Any) -> Iterator[tuple[str, str]]:
    item = (action.get("parameters") or {}).get("thumbnail_product_retailer_id")
    if item is not None:
        yield "interactive.action.parameters.thumbnail_product_retailer_id", item


NAMED: Mapping[str, Callable[[Any], Iterator[tuple[str, str]]]] = MappingProxyType(
    {
        "product": _product,
        "product_list": _product_list,
        "carousel": _carousel,
        "catalog_message": _thumbnail,
    }
)
