"""Asks Meta what became of the batches it was given; what to send is not decided here."""

from dataclasses import replace
from datetime import timedelta
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

    async def ask(self, shop: Shop) -> None:
        """Ask for the open batches whose time has come.

        Raises:
            GraphError: Meta does not answer, or refuses what this tenant asks.
        """
        for batch in await self._batches.open(shop.id):
            if batch.check_at <= self._clock.now():
                await shop.still_ours()
                await self._ask(shop, batch)

    async def _ask(self, shop: Shop, batch: Batch) -> None:
        lost = self._unasked(shop, batch)
        faults: dict[ItemId, str] = {}
        is_finished = True
        try:
            for handle in () if lost else batch.handles:
                status = await shop.calls.status(batch.catalog_id, handle)
                is_finished &= status.is_finished
                faults |= status.faults
                lost = "Meta has given the batch up" if status.is_lost else lost
        except GraphTerminal as error:
            if error.code != FORGOTTEN and not self._is_old(batch):
                raise
            lost = "Meta does not know what became of it"
        if not (lost or is_finished) and self._is_old(batch):
            lost = "Meta has not finished with it for a day"
        if lost:
            await self._closed(shop, batch, lost)
        elif is_finished:
            await self._settled(shop, batch, faults)
        else:
            wait = min(timedelta(seconds=2 ** min(batch.checks + 1, 10)), LONGEST_WAIT)
            later = self._clock.now() + wait
            await self._batches.save(replace(batch, checks=batch.checks + 1, check_at=later))

    def _unasked(self, shop: Shop, batch: Batch) -> str:
        """Tell why Meta need not be asked for a batch; nothing if it must be."""
        if not batch.handles:
            return "it is not known whether Meta has taken it"
        is_used = shop.known.get(batch.catalog) == batch.catalog_id
        return "" if is_used else "its catalogue is no longer used"

    def _is_old(self, batch: Batch) -> bool:
        return self._clock.now() - batch.sent_at > GIVEN_UP

    async def _settled(self, shop: Shop, batch: Batch, faults: dict[ItemId, str]) -> None:
        items = await shop.states.settle(batch.id, faults=faults)
        failed = min(len(faults), items)
        metrics.sync_items.labels(outcome="failed").inc(failed)
        metrics.sync_items.labels(outcome="synced").inc(items - failed)
        # Not its texts: Meta may quote a product's.
        log.info("sync.batch_finished", tenant=shop.id, batch=batch.id, items=items, failed=failed)
        await self._batches.save(replace(batch, finished_at=self._clock.now()))

    async def _closed(self, shop: Shop, batch: Batch, reason: str) -> None:
        """Close a batch nothing is known of: its items are sent again by the next comparison."""
        waiting = await shop.states.in_batch(batch.id)
        unknown = [replace(s, status="failed", digest="", error=reason) for s in waiting]
        await shop.states.put(unknown)
        log.warning("sync.batch_lost", tenant=shop.id, batch=batch.id, reason=reason)
        await self._batches.save(replace(batch, finished_at=self._clock.now()))
