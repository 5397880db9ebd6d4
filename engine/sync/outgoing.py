"""Gives Meta batches of items and writes down what it was given; what to give is not its part."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from engine import metrics
from engine.clock import Clock
from engine.errors import GraphError, GraphRetryable, GraphTerminal
from engine.sync.calls import Taken
from engine.sync.catalogs import Catalogs
from engine.sync.pace import MINUTE, NotNow, Pace
from engine.sync.ports import Batch, Batches, CatalogKey, ItemState
from engine.sync.shop import Shop
from engine.sync.verdict import Push

FIRST_CHECK: Final = timedelta(seconds=2)
"""How soon Meta is asked for the first time what became of a batch."""
RATE_LIMITED: Final = frozenset({80009, 80014})
"""Too many calls for this catalogue (Graph API rate limits); other catalogues may be called."""
INVALID: Final = 100
LARGEST: Final = 3000
"""Batches of so many items are whole again: what Meta refused is no longer looked for."""
UNSAID: Final = "Meta took nothing of the batch, and did not say why"

log = structlog.get_logger(__name__)


class Outgoing:
    """Gives Meta one batch at a time.

    Args:
        new_id: makes ids of batches.
    """

    def __init__(
        self,
        *,
        catalogs: Catalogs,
        batches: Batches,
        pace: Pace,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._catalogs = catalogs
        self._batches = batches
        self._pace = pace
        self._clock = clock
        self._new_id = new_id
        self._parts: dict[str, int] = {}
        """Most items of a batch, by catalogue: fewer while what Meta refuses is looked for."""

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
        rest = pushes
        while rest:
            part = rest[: self._parts.get(catalog_id, len(rest))]
            await self._pace.want(catalog_id, now=self._clock.now())
            await shop.still_ours()
            if await self._gave(shop, key, catalog_id, part):
                rest = rest[len(part) :]

    async def may(self, shop: Shop, key: CatalogKey) -> None:
        """Ask whether a batch for a catalogue may be sent now.

        Raises:
            NotNow: with the time when it may.
        """
        if key in shop.known:
            await self._pace.want(shop.known[key], now=self._clock.now())

    async def _gave(
        self, shop: Shop, key: CatalogKey, catalog_id: str, pushes: Sequence[Push]
    ) -> bool:
        """Give Meta a batch; False if it refuses it as a whole: then a smaller one is tried."""
        batch = await self._begun(shop, key, catalog_id, pushes)
        try:
            taken = await self._send(shop, catalog_id, pushes)
        except (GraphError, NotNow):
            await self._undone(shop, batch, pushes)
            raise
        if taken is None:
            await self._undone(shop, batch, pushes)
            self._parts[catalog_id] = len(pushes) // 2
            return False
        await self._noted(shop, batch, pushes, taken)
        log.info(
            "sync.batch", tenant=shop.id, catalog=key, items=len(pushes), faults=len(taken.faults)
        )
        size = 2 * self._parts.pop(catalog_id, LARGEST)
        if size < LARGEST:
            self._parts[catalog_id] = size
        return True

    async def _send(self, shop: Shop, catalog_id: str, pushes: Sequence[Push]) -> Taken | None:
        """Send a batch; None if Meta refuses it for one of its items, and does not say which."""
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
            if len(pushes) > 1:
                return None
            return Taken((), {pushes[0].state.item: f"{error} {error.details}".strip()})
        metrics.sync_calls.labels(outcome="sent", code="0").inc()
        self._pace.note(catalog_id, taken, now=self._clock.now())
        return taken

    async def _begun(
        self, shop: Shop, key: CatalogKey, catalog_id: str, pushes: Sequence[Push]
    ) -> Batch:
        """Note what is about to be sent: after an accident nobody knows whether Meta has it."""
        now = self._clock.now()
        batch = Batch(
            id=f"{catalog_id}:{self._new_id()}",
            tenant=shop.id,
            catalog=key,
            catalog_id=catalog_id,
            handles=(),
            items=len(pushes),
            sent_at=now,
            check_at=now,
        )
        # Before the items: they wait for it, and it must be there to be asked for.
        await self._batches.add(batch)
        await shop.states.put(
            [replace(push.state, catalog_id=catalog_id, batch=batch.id) for push in pushes]
        )
        return batch

    async def _undone(self, shop: Shop, batch: Batch, pushes: Sequence[Push]) -> None:
        """Let everything be sent again: Meta may have taken it, though it did not say so."""
        await shop.states.put([_unsent(push, batch) for push in pushes])
        await self._batches.save(replace(batch, finished_at=self._clock.now()))

    async def _noted(self, shop: Shop, batch: Batch, pushes: Sequence[Push], taken: Taken) -> None:
        faults, now = taken.faults, self._clock.now()
        failed = [
            replace(_unsent(push, batch), status="failed", error=UNSAID)
            if fault is None
            else replace(push.state, catalog_id=batch.catalog_id, status="failed", error=fault)
            for push in pushes
            if (fault := faults.get(push.state.item)) is not None or not taken.handles
        ]
        await shop.states.put(failed)
        finished = None if taken.handles else now
        await self._batches.save(
            replace(
                batch,
                handles=taken.handles,
                sent_at=now,
                check_at=now + FIRST_CHECK,
                finished_at=finished,
            )
        )
        metrics.sync_items.labels(outcome="failed").inc(len(failed))
        metrics.sync_items.labels(outcome="sent").inc(len(pushes) - len(failed))


def _unsent(push: Push, batch: Batch) -> ItemState:
    state = replace(push.state, catalog_id=batch.catalog_id, digest="")
    if push.is_known:
        return replace(state, status="synced")
    return replace(state, status="failed", error="Meta does not have it yet")
