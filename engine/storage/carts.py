"""Carts on disk; whether one has expired is decided by whoever reads it."""

from engine.domain.cart import Cart
from engine.domain.ids import CustomerKey
from engine.domain.money import Currency
from engine.storage.amounts import to_disk
from engine.storage.connection import Json, reachable
from engine.storage.lines import line_from_disk, line_to_disk
from engine.storage.tenancy import TenantCollection


class MongoCarts:
    """The carts of one tenant: `engine.ports.CartRepository`."""

    def __init__(self, carts: TenantCollection, *, currency: Currency) -> None:
        self._carts = carts
        self._currency = currency

    async def get(self, customer: CustomerKey) -> Cart | None:
        """Give a customer's stored cart, expired or not."""
        with reachable():
            found = await self._carts.find_one({"sessionId": customer})
        return None if found is None else cart_from_disk(found, self._currency)


def cart_to_disk(cart: Cart, customer: CustomerKey, currency: Currency) -> Json:
    """Write a customer's cart."""
    return {
        "sessionId": customer,
        "items": [line_to_disk(line, currency) for line in cart.lines],
        "subtotal": to_disk(cart.subtotal, currency),
        "expiresAt": cart.expires_at,
    }


def cart_from_disk(document: Json, currency: Currency) -> Cart:
    """Read a cart back."""
    return Cart(
        lines=tuple(line_from_disk(item, currency) for item in document["items"]),
        expires_at=document.get("expiresAt"),
    )
