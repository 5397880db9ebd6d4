"""What a tenant's menu has that is extreme, and carts and menus made of it; no dialog is known."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from engine.domain.cart import MAX_LINES, Cart, CartLine
from engine.domain.catalog import Category, ModifierGroup, Product
from engine.domain.money import Currency
from engine.domain.pricing import price_line
from engine.domain.refusals import Refusal
from engine.flows.samples import margherita, plain_product
from engine.rehearsal.menu import MenuCatalog
from engine.whatsapp.limits import length

_MAKE_UPS = 8
"""Ways in which one product is put in the fullest cart."""
_DEARER = Decimal("1.1")


def sample_menu() -> MenuCatalog:
    """Make the menu that a tenant without one is rehearsed with."""
    simple = replace(plain_product(), presentations=())
    products = {product.id: product for product in (margherita(), simple)}
    shelf = Category(simple.category_id, simple.category, len(products))
    return MenuCatalog((shelf,), products)


def extremes(catalog: MenuCatalog) -> tuple[Product, ...]:
    """Choose products that show what is special on a menu: the ordinary ones prove nothing more.

    The one with most to choose is the first.
    """
    held = list(catalog.products.values())
    sold = [product for product in held if not product.is_sold_out]
    measures: tuple[Callable[[Product], Any], ...] = (
        lambda p: (len(p.groups), len(p.presentations)),
        lambda p: max((len(g.modifiers) for g in p.groups), default=0),
        lambda p: len(p.presentations),
        lambda p: length(p.name),
        lambda p: length(p.description),
        lambda p: p.lowest_price,
        lambda p: not p.is_customizable,
        lambda p: bool(p.presentations) and not p.groups,
    )
    chosen = [max(sold, key=measure) for measure in measures if sold]
    chosen += [product for product in held if product.is_sold_out][:1]
    return tuple({product.id: product for product in chosen}.values())


def fullest_cart(catalog: MenuCatalog, currency: Currency, *, until: datetime) -> Cart:
    """Fill a cart with as much as it holds: the longest names first, each with all it can have."""
    cart = Cart()
    products = sorted(catalog.products.values(), key=lambda p: (-length(p.name), p.id))
    made = [list(_make_ups(product, currency)) for product in products if not product.is_sold_out]
    for place in range(_MAKE_UPS):
        for lines in made:
            if place < len(lines) and len(cart.lines) < MAX_LINES:
                added = cart.add(lines[place], expires_at=until)
                cart = cart if isinstance(added, Refusal) else added
    return cart


def _make_ups(product: Product, currency: Currency) -> Iterator[CartLine]:
    offered = [size for size in product.presentations if size.is_available]
    names = sorted(offered, key=lambda size: -length(size.name))
    chosen = list(dict.fromkeys(m for group in product.groups for m in _most(group)))
    units = min(12, product.stock) if product.stock is not None else 12
    left = units
    sizes: list[str | None] = [*(size.id for size in names[:_MAKE_UPS])] or [None]
    for size in sizes:
        if left < 1:
            return
        line = price_line(
            product, presentation=size, modifiers=chosen, quantity=left, currency=currency
        )
        if isinstance(line, CartLine):
            yield line
        left = left if product.stock is None else 0


def _most(group: ModifierGroup) -> list[str]:
    offered = [m for m in group.modifiers if m.is_available]
    longest = sorted(offered, key=lambda m: -length(m.name))
    return [m.id for m in longest[: group.maximum]]


def sold_out(catalog: MenuCatalog) -> MenuCatalog:
    """Give the menu of a day on which everything has run out."""
    return _changed(catalog, lambda product: replace(product, is_available=False))


def scarce(catalog: MenuCatalog) -> MenuCatalog:
    """Give the menu with one unit left of each product, and its first choices sold out."""
    return _changed(catalog, _scarce)


def _scarce(product: Product) -> Product:
    first, rest = product.presentations[:1], product.presentations[1:]
    return replace(
        product,
        stock=1,
        presentations=(*(replace(size, is_available=False) for size in first), *rest),
        groups=tuple(
            replace(
                group,
                modifiers=(replace(group.modifiers[0], is_available=False), *group.modifiers[1:]),
            )
            for group in product.groups
        ),
    )


def dearer(catalog: MenuCatalog) -> MenuCatalog:
    """Give the menu with every price raised."""
    return _changed(catalog, _dearer)


def _dearer(product: Product) -> Product:
    def raised(price: Decimal) -> Decimal:
        return (price * _DEARER + 1).quantize(Decimal("0.01"))

    return replace(
        product,
        base_price=raised(product.base_price),
        presentations=tuple(
            replace(size, price=raised(size.price)) for size in product.presentations
        ),
    )


def emptied() -> MenuCatalog:
    """Give a menu that has nothing on it any more."""
    return MenuCatalog((), {})


def _changed(catalog: MenuCatalog, change: Callable[[Product], Product]) -> MenuCatalog:
    products = {key: change(product) for key, product in catalog.products.items()}
    return MenuCatalog(catalog.categories, products)
