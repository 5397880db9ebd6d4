"""What a walk would do, counted without doing it."""

from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime

from engine.sync.item import Misfit
from engine.sync.ports import CatalogKey
from engine.sync.shelves import pairs, question, shelves
from engine.sync.shop import Shop
from engine.sync.verdict import judge
from engine.sync.walk import MOST_ITEMS


@dataclass(slots=True)
class Plan:
    """What a walk would do.

    Args:
        sends: items that would be sent, by catalogue.
        deletes: items that would be deleted, by catalogue.
        new: catalogues that would be made.
        errors: by product, why it cannot be sent.
    """

    products: int = 0
    sends: Counter[CatalogKey] = field(default_factory=Counter)
    deletes: Counter[CatalogKey] = field(default_factory=Counter)
    new: list[CatalogKey] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        """Count the batches it would take."""
        both = self.sends + self.deletes
        return sum(-(-count // MOST_ITEMS) for count in both.values())


async def plan(shop: Shop, *, now: datetime, is_full: bool) -> Plan:
    """Go through everything a tenant sells and tell what a walk would do."""
    made, before = Plan(), now if is_full else None
    for shelf in await shelves(shop):
        async with aclosing(pairs(shop, shelf)) as found:
            async for pair in found:
                made.products += pair.sellable is not None
                asked = question(shop, shelf.key, pair, now=now, resend_before=before)
                verdict = judge(asked)
                methods = [push.request["method"] for push in verdict.pushes]
                made.sends[shelf.key] += methods.count("UPDATE")
                made.deletes[shelf.key] += methods.count("DELETE")
                misfits = (item for item in asked.wanted if isinstance(item, Misfit))
                made.errors |= {item.item: item.reason for item in misfits}
        is_there = shelf.key in shop.known or (shop.business.catalog_mapping or {}).get(shelf.key)
        if made.sends[shelf.key] and not is_there:
            made.new.append(shelf.key)
    return made
