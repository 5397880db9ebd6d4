"""The pricing ladder: line -> subtotal -> fees and tax -> total, rounded at every step.

Nothing else in the engine adds up money a customer pays.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.cart import MAX_QUANTITY, CartLine, LineModifier
from engine.domain.catalog import Modifier, ModifierGroup, Presentation, Product
from engine.domain.money import ZERO, Currency
from engine.domain.refusals import Reason, Refusal


@dataclass(frozen=True, slots=True)
class TaxRule:
    """A tax on what is sold.

    Args:
        rate: percent.
        is_included: the prices contain it already; it is then shown and not added.
        is_on_delivery: it is due on the delivery fee too.
    """

    rate: Decimal = ZERO
    is_included: bool = False
    is_on_delivery: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """What an order costs."""

    lines: tuple[CartLine, ...]
    subtotal: Decimal
    delivery_fee: Decimal
    tax: Decimal
    total: Decimal

    @property
    def fingerprint(self) -> str:
        """Name what the customer was shown, so that he cannot confirm something else."""
        told = "|".join(f"{line.id}:{line.quantity}:{line.unit_price}" for line in self.lines)
        told += f"|{self.delivery_fee}|{self.tax}|{self.total}"
        return hashlib.blake2s(told.encode(), digest_size=6).hexdigest()


def price_line(
    product: Product,
    *,
    presentation: str | None,
    modifiers: Sequence[str],
    quantity: int,
    currency: Currency,
) -> CartLine | Refusal:
    """Price so many units of a product in one make-up, from the catalog as it is now.

    Refuses what the catalog does not offer: an unknown or missing presentation, an unknown
    add-on, fewer or more add-ons of a group than it allows, a quantity out of 1..99.
    """
    if product.is_sold_out:
        return Refusal(Reason.SOLD_OUT, {"product": product.name})
    if not 1 <= quantity <= MAX_QUANTITY:
        return Refusal(Reason.QUANTITY_OUT_OF_RANGE, {"maximum": MAX_QUANTITY})
    size = _presentation(product, presentation)
    if isinstance(size, Refusal):
        return size
    chosen = _modifiers(product, modifiers)
    if isinstance(chosen, Refusal):
        return chosen
    base = size.price if size else product.base_price
    unit = currency.round(base) + sum((currency.round(m.price) for m in chosen), ZERO)
    return CartLine(
        product_id=product.id,
        name=product.name,
        unit_price=unit,
        quantity=quantity,
        presentation_id=size.id if size else None,
        presentation=size.name if size else None,
        modifiers=tuple(LineModifier(m.id, m.name, currency.round(m.price)) for m in chosen),
    )


def _presentation(product: Product, wanted: str | None) -> Presentation | Refusal | None:
    if wanted is None:
        if product.presentations:
            return Refusal(Reason.PRESENTATION_NEEDED, {"product": product.name})
        return None
    found = product.presentation(wanted)
    if found is None:
        return Refusal(Reason.UNKNOWN_PRESENTATION, {"product": product.name})
    if not found.is_available:
        return Refusal(Reason.SOLD_OUT, {"product": f"{product.name} ({found.name})"})
    return found


def _modifiers(product: Product, wanted: Sequence[str]) -> list[Modifier] | Refusal:
    # An add-on that two groups share counts in both, and is paid once.
    chosen: dict[str, Modifier] = {}
    asked = set(wanted)
    if len(asked) != len(wanted):
        return Refusal(Reason.UNKNOWN_MODIFIER, {"product": product.name})
    for group in product.groups:
        of_group = [m for m in group.modifiers if m.id in asked]
        refusal = check_group(group, len(of_group))
        if refusal:
            return refusal
        sold_out = next((m for m in of_group if not m.is_available), None)
        if sold_out:
            return Refusal(Reason.SOLD_OUT, {"product": sold_out.name})
        chosen |= {m.id: m for m in of_group}
    if asked - chosen.keys():
        return Refusal(Reason.UNKNOWN_MODIFIER, {"product": product.name})
    return list(chosen.values())


def check_group(group: ModifierGroup, count: int) -> Refusal | None:
    """Refuse a number of choices that a modifier group does not allow."""
    details = {"group": group.name, "minimum": group.minimum, "maximum": group.maximum}
    if count < group.minimum:
        return Refusal(Reason.TOO_FEW_MODIFIERS, details)
    if count > group.maximum:
        return Refusal(Reason.TOO_MANY_MODIFIERS, details)
    return None


def price_order(
    lines: Iterable[CartLine], *, delivery_fee: Decimal, tax: TaxRule, currency: Currency
) -> Quote:
    """Climb from priced lines to the total."""
    held = tuple(lines)
    subtotal = sum((currency.round(line.total) for line in held), ZERO)
    fee = currency.round(delivery_fee)
    taxed = subtotal + (fee if tax.is_on_delivery else ZERO)
    if tax.is_included:
        due = currency.round(taxed * tax.rate / (100 + tax.rate))
        total = subtotal + fee
    else:
        due = currency.round(taxed * tax.rate / 100)
        total = subtotal + fee + due
    return Quote(
        lines=held,
        subtotal=currency.round(subtotal),
        delivery_fee=fee,
        tax=due,
        total=currency.round(total),
    )
