"""Goes through a tenant's products and items side by side; nothing is compared or sent here."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from engine.domain.ids import CategoryId, ProductId
from engine.sync.ports import CatalogKey, ItemId, ItemState, Sellable
from engine.sync.shop import Shop
from engine.sync.verdict import Question

PAGE: Final = 1000
BREATH: Final = 50
"""Products after which others may work: about two milliseconds."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A product as it is sold now, and what was last done with its items in one catalogue.

    Args:
        sellable: None if it is not sold, or belongs in another catalogue.
    """

    product: ProductId
    sellable: Sellable | None
    rows: tuple[ItemState, ...]


@dataclass(frozen=True, slots=True)
class Shelf:
    """The part of a walk that is about one catalogue.

    Args:
        products: how many products belong in it; 0 if only old items are left in it.
    """

    key: CatalogKey
    products: int


def question(
    shop: Shop,
    key: CatalogKey,
    pair: Pair,
    *,
    now: datetime,
    resend_before: datetime | None = None,
) -> Question:
    """Make the question what is to be done about a product in a catalogue."""
    return Question(
        product=pair.product,
        sellable=pair.sellable,
        wanted=shop.items(pair.sellable),
        rows=pair.rows,
        catalog=key,
        catalog_id=shop.known.get(key),
        now=now,
        resend_before=resend_before,
    )


async def shelves(shop: Shop) -> tuple[Shelf, ...]:
    """Give the parts of a walk over everything a tenant sells or has sold, in their order."""
    counts = await shop.sellables.categories()
    products: dict[CatalogKey, int] = {}
    for category, count in counts.items():
        key = shop.key_of(category)
        products[key] = products.get(key, 0) + count
    keys = sorted(products.keys() | (await shop.states.catalogs()).keys())
    return tuple(Shelf(key, products.get(key, 0)) for key in keys)


async def pairs(
    shop: Shop, shelf: Shelf, *, after: ProductId | None = None
) -> AsyncGenerator[Pair, None]:
    """Go through a shelf by product, a page at a time: nothing is held but two pages."""
    async with (
        aclosing(_sellables(shop, shelf, after)) as sellables,
        aclosing(_rows(shop, shelf.key, after)) as rows,
    ):
        sold = await anext(sellables, None)
        known = await anext(rows, None)
        for count in itertools.count(1):
            if not (sold or known):
                return
            if count % BREATH == 0:
                # The same process answers webhooks.
                await asyncio.sleep(0)
            product = min(([sold.id] if sold else []) + ([known[0].product] if known else []))
            is_sold = sold is not None and sold.id == product
            is_known = known is not None and known[0].product == product
            yield Pair(product, sold if is_sold else None, known if is_known and known else ())
            if is_sold:
                sold = await anext(sellables, None)
            if is_known:
                known = await anext(rows, None)


async def _sellables(
    shop: Shop, shelf: Shelf, after: ProductId | None
) -> AsyncGenerator[Sellable, None]:
    if not shelf.products:
        return
    category = None if shop.is_single else CategoryId(shelf.key)
    while page := await shop.sellables.page(category, after=after, limit=PAGE):
        for sellable in page:
            yield sellable
        after = page[-1].id


async def _rows(
    shop: Shop, key: CatalogKey, after: ProductId | None
) -> AsyncGenerator[tuple[ItemState, ...], None]:
    # Behind the last item of the product that was done.
    place = (after, ItemId("\U0010ffff")) if after is not None else None
    group: list[ItemState] = []
    while page := await shop.states.page(key, after=place, limit=PAGE):
        for row in page:
            if group and group[0].product != row.product:
                yield tuple(group)
                group = []
            group.append(row)
        place = page[-1].product, page[-1].item
    if group:
        yield tuple(group)
