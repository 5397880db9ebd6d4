"""Gives Meta batches of items and writes down what it was given; what to give is not its part."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from engine import metrics
from engine.clock import Clock
from engine.errors import GraphRetryable, GraphTerminal
from engine.sync.calls import Taken
from engine.sync.catalogs import Catalogs
from engine.sync.pace import MINUTE, NotNow, Pace
from engine.sync.ports import Batch, Batches, CatalogKey, ItemId, ItemState
from engine.sync.shop import Shop
from engine.sync.verdict import Push

FIRST_CHECK: Final = timedelta(seconds=2)
"""How soon Meta is asked for the first time what became of a batch."""
RATE_LIMITED: Final = frozenset({80009, 80014})
"""Too many calls for this catalogue (Graph API rate limits); other catalogues may be called."""
INVALID: Final = 100

log = structlog.get_logger(__name__)


class Outgoing:
    """Gives Meta one batch at a time."""

    def __init__(self, *, catalogs: Catalogs, batches: Batches, pace: Pace, clock: Clock) -> None:
        self._catalogs = catalogs
        self._batches = batches
        self._pace = pace
        self._clock = clock

    async def give(self, shop: Shop, key: CatalogKey, pushes: Sequence[Push]) -> None:
        """Give Meta a batch for one catalogue, making the catalogue if it is the first.

        Args:
            pushes: at most as many as one call takes; at least one.

        Raises:
            NotNow: the catalogue has had its calls; nothing was sent.
            GraphRetryable: Meta does not answer, or says later.
            GraphTerminal: Meta refuses all that this tenant asks.
            Conflict: another process has taken the tenant over.
        """
        catalog_id = await self._catalogs.ensure(shop, key)
        await self._pace.want(catalog_id, now=self._clock.now())
        states = [replace(push.state, catalog_id=catalog_id) for push in pushes]
        taken = await self._send(shop, catalog_id, pushes)
        await self._write(shop, states, taken)
        log.info(
            "sync.batch", tenant=shop.id, catalog=key, items=len(states), faults=len(taken.faults)
        )

    async def may(self, shop: Shop, key: CatalogKey) -> None:
        """Ask whether a batch for a catalogue may be sent now.

        Raises:
            NotNow: with the time when it may.
        """
        if key in shop.known:
            await self._pace.want(shop.known[key], now=self._clock.now())

    async def _send(self, shop: Shop, catalog_id: str, pushes: Sequence[Push]) -> Taken:
        await shop.still_ours()
        try:
            taken = await shop.calls.send(catalog_id, [push.request for push in pushes])
        except GraphRetryable as error:
            metrics.sync_calls.labels(outcome="retried", code=str(error.code)).inc()
            if error.code not in RATE_LIMITED:
                raise
            wait = timedelta(seconds=error.wait) if error.wait else MINUTE
            until = self._clock.now() + wait
            self._pace.hold(catalog_id, until=until)
            raise NotNow(until) from error
        except GraphTerminal as error:
            metrics.sync_calls.labels(outcome="refused", code=str(error.code)).inc()
            if error.code != INVALID:
                raise
            # Refused for what is in it, or for the catalogue? Then asking for items fails too.
            await shop.calls.items(catalog_id)
            said = f"{error} {error.details}".strip()
            return Taken((), {push.state.item: said for push in pushes})
        metrics.sync_calls.labels(outcome="sent", code="0").inc()
        self._pace.note(catalog_id, taken, now=self._clock.now())
        return taken

    async def _write(self, shop: Shop, states: Sequence[ItemState], taken: Taken) -> None:
        first = states[0]
        batch_id = None
        if taken.handles:
            now = self._clock.now()
            batch_id = f"{first.catalog_id}:{taken.handles[0]}"
            # Before the items: they wait for it, and it must be there to be asked for.
            await self._batches.add(
                Batch(
                    id=batch_id,
                    tenant=shop.id,
                    catalog=first.catalog,
                    catalog_id=first.catalog_id,
                    handles=taken.handles,
                    items=len(states),
                    sent_at=now,
                    check_at=now + FIRST_CHECK,
                )
            )
        written = [_noted(state, batch_id, taken.faults) for state in states]
        await shop.states.put(written)
        failed = sum(state.status == "failed" for state in written)
        metrics.sync_items.labels(outcome="failed").inc(failed)
        metrics.sync_items.labels(outcome="sent").inc(len(written) - failed)


def _noted(state: ItemState, batch: str | None, faults: Mapping[ItemId, str]) -> ItemState:
    fault = faults.get(state.item)
    if fault is None and batch is None:
        fault = "Meta took nothing of the batch, and did not say why"
    if fault is None:
        return replace(state, batch=batch)
    return replace(state, status="failed", error=fault)
