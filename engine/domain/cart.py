"""The cart: lines a customer collects; prices in it are what he was told, not what he will pay."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from engine.domain.ids import LineId, ModifierId, PresentationId, ProductId
from engine.domain.money import LARGEST
from engine.domain.refusals import Reason, Refusal

MAX_QUANTITY = 99
"""Units of one line; WhatsApp's own cart has the same bound."""
MAX_LINES = 30
"""Distinct lines; a longer cart does not fit one message."""
MAX_SUBTOTAL = LARGEST / 4
"""With tax and delivery the order is still a sum of money that can be written and stored."""


@dataclass(frozen=True, slots=True)
class LineModifier:
    """A chosen add-on with the name and price the customer was told."""

    id: ModifierId
    name: str
    price: Decimal


@dataclass(frozen=True, slots=True)
class CartLine:
    """So many units of one product in one make-up."""

    product_id: ProductId
    name: str
    unit_price: Decimal
    quantity: int = 1
    presentation_id: PresentationId | None = None
    presentation: str | None = None
    modifiers: tuple[LineModifier, ...] = ()

    @property
    def id(self) -> LineId:
        """Name the line by its make-up, so that a tap on an old message still means the same."""
        chosen = tuple(sorted(m.id for m in self.modifiers))
        return _line_id(self.product_id, self.presentation_id, chosen)

    @property
    def total(self) -> Decimal:
        """Multiply unit price and quantity."""
        return self.unit_price * self.quantity


def line_id(product: str, presentation: str | None, modifiers: Iterable[str]) -> LineId:
    """Derive the id of a line from what it is made of."""
    return _line_id(product, presentation, tuple(sorted(modifiers)))


@lru_cache(maxsize=4096)
def _line_id(product: str, presentation: str | None, modifiers: tuple[str, ...]) -> LineId:
    made_of = "\x1f".join((product, presentation or "", *modifiers))
    return LineId(hashlib.blake2s(made_of.encode(), digest_size=5).hexdigest())


@dataclass(frozen=True, slots=True)
class Cart:
    """The lines of one customer at one tenant.

    Args:
        lines: in the order they came.
        expires_at: when it is emptied; None for a cart that was never filled.
        is_expired: it had lines, and its time ran out before this turn.
    """

    lines: tuple[CartLine, ...] = ()
    expires_at: datetime | None = None
    is_expired: bool = False

    @property
    def subtotal(self) -> Decimal:
        """Add up the lines, at the prices the customer was told."""
        return sum((line.total for line in self.lines), Decimal(0))

    @property
    def count(self) -> int:
        """Count the units."""
        return sum(line.quantity for line in self.lines)

    def add(self, line: CartLine, *, expires_at: datetime) -> "Cart | Refusal":
        """Add a line, or its units to the line of the same make-up."""
        known = next((held for held in self.lines if held.id == line.id), None)
        quantity = line.quantity + (known.quantity if known else 0)
        if not 1 <= line.quantity <= MAX_QUANTITY or quantity > MAX_QUANTITY:
            return Refusal(Reason.QUANTITY_OUT_OF_RANGE, {"maximum": MAX_QUANTITY})
        if known is None and len(self.lines) >= MAX_LINES:
            return Refusal(Reason.CART_FULL, {"maximum": MAX_LINES})
        added = replace(line, quantity=quantity)
        if known is None:
            lines = (*self.lines, added)
        else:
            lines = tuple(added if held.id == line.id else held for held in self.lines)
        cart = Cart(lines=lines, expires_at=expires_at)
        if cart.subtotal > MAX_SUBTOTAL:
            return Refusal(Reason.CART_FULL, {"maximum": MAX_LINES})
        return cart

    def remove(self, line: str) -> "Cart | Refusal":
        """Take a line out."""
        rest = tuple(held for held in self.lines if held.id != line)
        if len(rest) == len(self.lines):
            return Refusal(Reason.UNKNOWN_LINE)
        return Cart(lines=rest, expires_at=self.expires_at if rest else None)
