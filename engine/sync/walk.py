"""Walks over everything a tenant sells and gives Meta what differs; it can stop and go on."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final

from engine.clock import Clock
from engine.domain.ids import ProductId
from engine.sync.outgoing import Outgoing
from engine.sync.pace import NotNow
from engine.sync.ports import ItemState, Mark, SyncMarks
from engine.sync.runs import Job
from engine.sync.shelves import Shelf, pairs, question, shelves
from engine.sync.shop import Shop
from engine.sync.verdict import Push, Verdict, judge

MOST_ITEMS: Final = 3000
"""Items of a batch: Meta takes 5,000 and advises fewer than 3,000 (items_batch)."""
MOST_BYTES: Final = 20 * 1024 * 1024
"""Bytes of a batch; Meta takes 28 MB."""
LOOKED: Final = 2000
"""Products after which the walk's place is noted, unless a batch is being filled."""

Noted = Callable[[Job], Awaitable[None]]


@dataclass(slots=True)
class Load:
    """What was collected for one batch since the walk's place was noted.

    Args:
        marks: products to look at again after their batch.
        looked: products looked at.
        passed: products looked at, with those that are no longer sold.
    """

    pushes: list[Push] = field(default_factory=list)
    put: list[ItemState] = field(default_factory=list)
    drop: list[ItemState] = field(default_factory=list)
    marks: list[ProductId] = field(default_factory=list)
    looked: int = 0
    passed: int = 0
    size: int = 0
    last: ProductId | None = None

    @property
    def is_idle(self) -> bool:
        """Tell whether much was looked at, and there is nothing to be sent."""
        return self.passed >= LOOKED and not self.pushes

    def has_room(self, verdict: Verdict, size: int) -> bool:
        """Tell whether a product's requests go into the same batch."""
        return (
            len(self.pushes) + len(verdict.pushes) <= MOST_ITEMS and self.size + size <= MOST_BYTES
        )

    def add(
        self, product: ProductId, verdict: Verdict, size: int, *, is_sold: bool = True
    ) -> None:
        """Take a product in."""
        self.pushes += verdict.pushes
        self.put += verdict.put
        self.drop += verdict.drop
        if verdict.is_late:
            self.marks.append(product)
        self.looked += is_sold
        self.passed += 1
        self.size += size
        self.last = product


class Walk:
    """Walks over a tenant's products."""

    def __init__(
        self, *, outgoing: Outgoing, marks: SyncMarks, clock: Clock, new_id: Callable[[], str]
    ) -> None:
        self._outgoing = outgoing
        self._marks = marks
        self._clock = clock
        self._new_id = new_id

    async def go(self, shop: Shop, job: Job, noted: Noted) -> Job:
        """Walk on from where a job stands, to its end.

        Args:
            noted: stores how far it is; after an accident the walk goes on from there.

        Raises:
            NotNow: Meta takes no batch now; go on from the job that was noted last.
            GraphError, Conflict: as `Outgoing.give`.
        """
        remaining = await shelves(shop)
        if job.shelf is None:
            job = replace(job, total=sum(shelf.products for shelf in remaining))
        for shelf in remaining:
            if job.shelf is not None and shelf.key < job.shelf:
                continue
            if shelf.key != job.shelf:
                job = replace(job, shelf=shelf.key, position=None)
            job = await self._shelf(shop, shelf, job, noted)
        job = replace(job, walked=True)
        await noted(job)
        return job

    async def _shelf(self, shop: Shop, shelf: Shelf, job: Job, noted: Noted) -> Job:
        load = Load()
        before = job.started_at if job.kind == "full" else None
        await self._outgoing.may(shop, shelf.key)
        async with aclosing(pairs(shop, shelf, after=job.position)) as found:
            async for pair in found:
                now = self._clock.now()
                verdict = judge(question(shop, shelf.key, pair, now=now, resend_before=before))
                size = weight(verdict)
                if load.is_idle or not load.has_room(verdict, size):
                    job, load = await self._unload(shop, shelf, job, load, noted), Load()
                load.add(pair.product, verdict, size, is_sold=pair.sellable is not None)
                if load.passed % LOOKED == LOOKED - 1:
                    await shop.still_ours()
                    await self._settle(shop, load)
        return await self._unload(shop, shelf, job, load, noted)

    async def _unload(self, shop: Shop, shelf: Shelf, job: Job, load: Load, noted: Noted) -> Job:
        if load.last is None:
            return job
        if load.pushes:
            await self._outgoing.give(shop, shelf.key, load.pushes)
        await self._settle(shop, load)
        job = replace(job, done=job.done + load.looked, position=load.last)
        await noted(job)
        if load.pushes:
            await self._outgoing.may(shop, shelf.key)
        elif load.is_idle and await self._marks.of(shop.id, limit=1):
            # What changed just now comes before what did not: the next round goes on from here.
            raise NotNow(self._clock.now())
        return job

    async def _settle(self, shop: Shop, load: Load) -> None:
        """Write what needs no call; it does not depend on the walk's place."""
        if load.put:
            await shop.states.put(load.put)
        if load.drop:
            await shop.states.drop(load.drop)
        if load.marks:
            now = self._clock.now()
            await self._marks.add([Mark(self._new_id(), shop.id, p, now) for p in load.marks])
        load.put, load.drop, load.marks = [], [], []


def weight(verdict: Verdict) -> int:
    """Tell about how many bytes a product's requests have."""
    return sum(
        400
        + 4 * sum(len(value) for value in push.request["data"].values() if isinstance(value, str))
        for push in verdict.pushes
    )
