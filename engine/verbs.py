"""All actions and guards there are, merged from their modules."""

from engine.actions import (
    cart,
    catalog,
    draft,
    flow,
    memory,
    meta,
    native,
    native_cart,
    order,
    staff,
)
from engine.guards import shop
from engine.registry import Registry


def all_verbs() -> Registry:
    """Give every action and guard that ships with Comanda."""
    parts = (cart, catalog, draft, flow, memory, meta, native, native_cart, order, staff, shop)
    return Registry().merge(part.registry for part in parts)
