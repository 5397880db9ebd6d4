"""Compares what Meta has with what the tenant sells, item by item; it sends nothing itself."""

from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final, Literal

from engine import metrics
from engine.clock import Clock
from engine.domain.ids import ProductId
from engine.domain.native import split_item
from engine.sync.calls import MetaItem
from engine.sync.differences import Difference, differences
from engine.sync.item import Item
from engine.sync.ports import CatalogKey, ItemId, ItemState, Mark, SyncMarks
from engine.sync.shelves import Shelf, pairs, shelves
from engine.sync.shop import Shop
from engine.sync.verdict import UNDER_WAY

MOST_ASKED: Final = 200
"""Missing items of a catalogue that are asked for one by one: Meta says of its pages that items
may be missing in them (ProductCatalog products)."""

Kind = Literal["missing", "extra", "different"]


@dataclass(frozen=True, slots=True)
class Drifted:
    """An item that is not at Meta as it should be.

    Args:
        kind: Meta does not have it, has it though it should not, or has it otherwise.
        differences: field by field, of a different one.
    """

    kind: Kind
    catalog: CatalogKey
    catalog_id: str
    item: ItemId
    product: ProductId
    differences: tuple[Difference, ...] = ()


class Drift:
    """Finds what drifted, and lets it be mended."""

    def __init__(self, *, marks: SyncMarks, clock: Clock, new_id: Callable[[], str]) -> None:
        self._marks = marks
        self._clock = clock
        self._new_id = new_id

    async def look(self, shop: Shop) -> AsyncGenerator[Drifted, None]:
        """Compare every item of every catalogue; what waits for a batch is passed over.

        Raises:
            GraphError: Meta does not answer, or refuses.
        """
        for shelf in await shelves(shop):
            catalog_id = shop.known.get(shelf.key, "")
            seen: set[ItemId] = set()
            after: str | None = None
            while catalog_id:
                page, after = await shop.calls.items(catalog_id, after=after)
                before = len(seen)
                seen.update(found.item for found in page)
                if page and len(seen) == before:
                    # Nothing new: Meta would go on with the same pages for ever.
                    break
                for drifted in await self._page(shop, shelf.key, catalog_id, page):
                    yield drifted
                await shop.still_ours()
                if not after:
                    break
            async with aclosing(_missing(shop, shelf, catalog_id, seen)) as missing:
                asked = 0
                async for drifted in missing:
                    if catalog_id and asked < MOST_ASKED:
                        asked += 1
                        await shop.still_ours()
                        if await shop.calls.item(catalog_id, drifted.item):
                            continue
                    yield drifted

    async def doubt(self, shop: Shop, products: Collection[ProductId]) -> set[ProductId]:
        """Ask Meta for the items of products; what is not as it should be is sent again.

        Returns:
            The products that wait for a batch, of which nothing can be said before it is through.
        """
        wanted: dict[ItemId, Item] = {}
        for sellable in await shop.sellables.some(products):
            wanted |= _items(shop.items(sellable))
        found: list[Drifted] = []
        waiting: set[ProductId] = set()
        for row in await shop.states.of(products):
            if row.status in UNDER_WAY:
                waiting.add(row.product)
                continue
            # What was given to a catalogue that is no longer used is sent again anyway.
            if row.status == "refused" or row.catalog_id != shop.known.get(row.catalog):
                continue
            await shop.still_ours()
            at_meta = await shop.calls.item(row.catalog_id, row.item)
            drifted = _judged(row.catalog, row.catalog_id, row.item, wanted.get(row.item), at_meta)
            found += [drifted] if drifted else []
        await self._forget(shop, found)
        return waiting

    async def mend(self, shop: Shop, drifted: Sequence[Drifted]) -> None:
        """Let items be sent, or deleted, by the next round."""
        await self._forget(shop, drifted)
        now = self._clock.now()
        products = dict.fromkeys(each.product for each in drifted)
        await self._marks.add(
            [Mark(self._new_id(), shop.id, product, now) for product in products]
        )

    async def _forget(self, shop: Shop, drifted: Sequence[Drifted]) -> None:
        """Forget what Meta was given, so that the next comparison finds a difference."""
        if not drifted:
            return
        for each in drifted:
            metrics.sync_drift.labels(kind=each.kind).inc()
        rows = {(r.catalog, r.item): r for r in await shop.states.of([d.product for d in drifted])}
        now = self._clock.now()
        forgotten = []
        for each in drifted:
            row = rows.get((each.catalog, each.item))
            if row is None or row.status == "refused":
                row = ItemState(
                    each.catalog, each.item, each.product, each.catalog_id, "", "synced", now
                )
            # Whoever has the tenant may have sent it since it was looked at.
            if row.status not in UNDER_WAY:
                forgotten.append(replace(row, digest="", status="synced", error=None))
        await shop.states.put(forgotten)

    async def _page(
        self, shop: Shop, key: CatalogKey, catalog_id: str, page: Sequence[MetaItem]
    ) -> list[Drifted]:
        products = {split_item(found.item)[0] for found in page}
        wanted: dict[ItemId, Item] = {}
        for sellable in await shop.sellables.some(products):
            if shop.key_of(sellable.category_id) == key:
                wanted |= _items(shop.items(sellable))
        waiting = {
            row.item
            for row in await shop.states.of(products)
            if row.catalog == key and row.status in UNDER_WAY
        }
        judged = (
            _judged(key, catalog_id, found.item, wanted.get(found.item), found)
            for found in page
            if found.item not in waiting
        )
        return [drifted for drifted in judged if drifted]


async def _missing(
    shop: Shop, shelf: Shelf, catalog_id: str, seen: Collection[ItemId]
) -> AsyncGenerator[Drifted, None]:
    async with aclosing(pairs(shop, shelf)) as found:
        async for pair in found:
            waiting = {row.item for row in pair.rows if row.status in UNDER_WAY}
            for item in _items(shop.items(pair.sellable)).values():
                if item.item not in seen and item.item not in waiting:
                    yield Drifted("missing", shelf.key, catalog_id, item.item, item.product)


def _judged(
    key: CatalogKey, catalog_id: str, item: ItemId, wanted: Item | None, found: MetaItem | None
) -> Drifted | None:
    product = split_item(item)[0]
    if wanted is None:
        return Drifted("extra", key, catalog_id, item, product) if found else None
    if found is None:
        return Drifted("missing", key, catalog_id, item, product)
    differing = differences(wanted, found)
    return Drifted("different", key, catalog_id, item, product, differing) if differing else None


def _items(made: Iterable[object]) -> Mapping[ItemId, Item]:
    return {each.item: each for each in made if isinstance(each, Item)}
