"""Works off marks: products that may have changed, in as few batches as there are catalogues."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from engine import metrics
from engine.clock import Clock
from engine.domain.ids import ProductId
from engine.sync.drift import Drift
from engine.sync.outgoing import Outgoing
from engine.sync.pace import NotNow
from engine.sync.ports import CatalogKey, Mark, SyncMarks
from engine.sync.shelves import BREATH, Pair, question
from engine.sync.shop import Shop
from engine.sync.verdict import Verdict, judge
from engine.sync.walk import Load, weight

MOST_MARKS: Final = 6000
"""Marks worked off together."""
MOST_DOUBTS: Final = 100
"""Products Meta is asked for, one by one, in one round."""
SOON: Final = timedelta(seconds=2)
"""When a product is looked at again that waits for its batch."""

Marks = Mapping[ProductId, list[Mark]]


class Marked:
    """Works off a tenant's marks."""

    def __init__(
        self, *, marks: SyncMarks, outgoing: Outgoing, drift: Drift, clock: Clock
    ) -> None:
        self._marks = marks
        self._outgoing = outgoing
        self._drift = drift
        self._clock = clock

    async def work(self, shop: Shop) -> datetime | None:
        """Tell Meta what changed of the marked products.

        Returns:
            When to look at what is left; None if nothing is.

        Raises:
            GraphError, Conflict: as `Outgoing.give`; marks that were not worked off stay.
        """
        marks: defaultdict[ProductId, list[Mark]] = defaultdict(list)
        for mark in await self._marks.of(shop.id, limit=MOST_MARKS):
            marks[mark.product].append(mark)
        doubted = [p for p, own in marks.items() if any(mark.kind == "verify" for mark in own)]
        late = set(doubted[MOST_DOUBTS:])
        times = [self._clock.now() + SOON] if late else []
        if doubted:
            late |= await self._drift.doubt(shop, doubted[:MOST_DOUBTS])
        verdicts = await self._verdicts(shop, marks)
        for key, judged in verdicts.items():
            late |= {product for product, verdict in judged if verdict.is_late}
            try:
                await self._catalog(shop, key, judged, marks)
            except NotNow as rate:
                late |= {product for product, _ in judged}
                times.append(rate.at)
        done = [mark for product, own in marks.items() if product not in late for mark in own]
        if done:
            await self._marks.done(done)
        if late and not times:
            times = [self._clock.now() + SOON]
        return min(times, default=None)

    async def _verdicts(
        self, shop: Shop, marks: Marks
    ) -> dict[CatalogKey, list[tuple[ProductId, Verdict]]]:
        if not marks:
            return {}
        sold = {each.id: each for each in await shop.sellables.some(marks.keys())}
        rows = defaultdict(list)
        for row in await shop.states.of(marks.keys()):
            rows[row.product, row.catalog].append(row)
        places = {(p, shop.key_of(sellable.category_id)) for p, sellable in sold.items()}
        judged: defaultdict[CatalogKey, list[tuple[ProductId, Verdict]]] = defaultdict(list)
        for count, (product, key) in enumerate(sorted(places | rows.keys()), 1):
            if count % BREATH == 0:
                await asyncio.sleep(0)
            sellable = sold.get(product) if (product, key) in places else None
            pair = Pair(product, sellable, tuple(rows.get((product, key), ())))
            asked = question(shop, key, pair, now=self._clock.now())
            judged[key].append((product, judge(asked)))
        return judged

    async def _catalog(
        self,
        shop: Shop,
        key: CatalogKey,
        judged: Sequence[tuple[ProductId, Verdict]],
        marks: Marks,
    ) -> None:
        load = Load()
        for product, verdict in judged:
            size = weight(verdict)
            if not load.has_room(verdict, size):
                await self._give(shop, key, load, marks)
                load = Load()
            load.add(product, verdict, size)
        await self._give(shop, key, load, marks)

    async def _give(self, shop: Shop, key: CatalogKey, load: Load, marks: Marks) -> None:
        if load.put:
            await shop.states.put(load.put)
        if load.drop:
            await shop.states.drop(load.drop)
        if not load.pushes:
            return
        await self._outgoing.give(shop, key, load.pushes)
        now = self._clock.now()
        for product in dict.fromkeys(push.state.product for push in load.pushes):
            since = min(mark.at for mark in marks[product])
            metrics.sync_seconds.observe(max(0.0, (now - since).total_seconds()))
