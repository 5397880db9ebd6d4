"""The lines of carts and orders on disk, as the Node back end reads them."""

from typing import Any

from engine.domain.cart import CartLine, LineModifier
from engine.domain.ids import ModifierId, PresentationId, ProductId
from engine.domain.money import Currency
from engine.storage.amounts import from_disk, to_disk
from engine.storage.connection import Json


def line_to_disk(line: CartLine, currency: Currency) -> Json:
    """Write a line as an `OrderItem`."""
    return {
        "productId": line.product_id,
        "name": line.name,
        "presentationId": line.presentation_id,
        "presentation": line.presentation,
        "modifiers": [
            {"rId": m.id, "name": m.name, "price": to_disk(m.price, currency)}
            for m in line.modifiers
        ],
        "quantity": line.quantity,
        "unitPrice": to_disk(line.unit_price, currency),
        "total": to_disk(line.total, currency),
    }


def line_from_disk(item: Json, currency: Currency) -> CartLine:
    """Read an `OrderItem` back."""
    size: Any = item.get("presentationId")
    return CartLine(
        product_id=ProductId(item["productId"]),
        name=item["name"],
        unit_price=from_disk(item["unitPrice"], currency),
        quantity=int(item["quantity"]),
        presentation_id=None if size is None else PresentationId(size),
        presentation=item.get("presentation"),
        modifiers=tuple(
            LineModifier(ModifierId(m["rId"]), m["name"], from_disk(m["price"], currency))
            for m in item.get("modifiers") or ()
        ),
    )
