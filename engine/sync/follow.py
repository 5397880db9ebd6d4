"""Asks Meta what became of the batches it was given; what to send is not decided here."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from engine import metrics
from engine.clock import Clock
from engine.errors import GraphTerminal
from engine.sync.ports import Batch, Batches, ItemId
from engine.sync.shop import Shop

LONGEST_WAIT: Final = timedelta(minutes=5)
"""Between two questions for one batch."""
GIVEN_UP: Final = timedelta(days=1)
FORGOTTEN: Final = 100
"""Meta's code for a handle it does not know (any more)."""

log = structlog.get_logger(__name__)


class Follow:
    """Follows open batches until they are finished."""

    def __init__(self, batches: Batches, clock: Clock) -> None:
        self._batches = batches
        self._clock = clock

    async def ask(self, shop: Shop) -> datetime | None:
        """Ask for the open batches whose time has come.

        Returns:
            When to ask next; None if no batch is open.

        Raises:
            GraphError: Meta does not answer, or refuses what this tenant asks.
        """
        times = []
        for batch in await self._batches.open(shop.id):
            asked = batch
            if batch.check_at <= self._clock.now():
                await shop.still_ours()
                asked = await self._asked(shop, batch)
            if asked.finished_at is None:
                times.append(asked.check_at)
        return min(times, default=None)

    async def _asked(self, shop: Shop, batch: Batch) -> Batch:
        if not batch.handles:
            return await self._closed(shop, batch, "it is not known whether Meta has taken it")
        if shop.known.get(batch.catalog) != batch.catalog_id:
            return await self._closed(shop, batch, "its catalogue is no longer used")
        faults: dict[ItemId, str] = {}
        finished = True
        try:
            for handle in batch.handles:
                status = await shop.calls.status(batch.catalog_id, handle)
                finished &= status.is_finished
                faults |= status.faults
                if status.is_lost:
                    return await self._closed(shop, batch, "Meta has given the batch up")
        except GraphTerminal as error:
            if error.code != FORGOTTEN and not self._is_old(batch):
                raise
            return await self._closed(shop, batch, "Meta does not know what became of it")
        now = self._clock.now()
        if finished:
            return await self._settled(shop, batch, faults)
        if self._is_old(batch):
            return await self._closed(shop, batch, "Meta has not finished with it for a day")
        wait = min(timedelta(seconds=2 ** min(batch.checks + 1, 10)), LONGEST_WAIT)
        later = replace(batch, checks=batch.checks + 1, check_at=now + wait)
        await self._batches.save(later)
        return later

    def _is_old(self, batch: Batch) -> bool:
        return self._clock.now() - batch.sent_at > GIVEN_UP

    async def _settled(self, shop: Shop, batch: Batch, faults: dict[ItemId, str]) -> Batch:
        items = await shop.states.settle(batch.id, faults=faults)
        failed = min(len(faults), items)
        metrics.sync_items.labels(outcome="failed").inc(failed)
        metrics.sync_items.labels(outcome="synced").inc(items - failed)
        # Not its texts: Meta may quote a product's.
        log.info("sync.batch_finished", tenant=shop.id, batch=batch.id, items=items, failed=failed)
        done = replace(batch, finished_at=self._clock.now())
        await self._batches.save(done)
        return done

    async def _closed(self, shop: Shop, batch: Batch, reason: str) -> Batch:
        """Close a batch nothing is known of: its items are sent again by the next comparison."""
        waiting = await shop.states.in_batch(batch.id)
        unknown = [replace(s, status="failed", digest="", error=reason) for s in waiting]
        await shop.states.put(unknown)
        log.warning("sync.batch_lost", tenant=shop.id, batch=batch.id, reason=reason)
        done = replace(batch, finished_at=self._clock.now())
        await self._batches.save(done)
        return done
