"""Works off batches of items in the background, in order for each catalogue; it takes no calls."""

import asyncio
from dataclasses import replace

from engine.sandbox.background import Background
from engine.sandbox.catalog_state import Batch, BatchState, Catalog, ItemRemark, ItemRequest
from engine.sandbox.courier import Courier
from engine.sandbox.items import item_problems, item_warnings, late_problems
from engine.sandbox.options import SandboxOptions
from engine.sandbox.parcels import Letter
from engine.sandbox.state import World
from engine.sandbox.webhooks import batch_webhook


class Batches:
    """The batches of all catalogues that are under way."""

    def __init__(self, world: World, courier: Courier, options: SandboxOptions) -> None:
        self._world = world
        self._courier = courier
        self._options = options
        self._behind = Background()

    def begin(self, catalog: Catalog, batch: Batch) -> None:
        """Take a batch in; unless batches are held it is worked off after a while."""
        catalog.batches[batch.handle] = batch
        if not self._world.trade.holds_batches:
            self._behind.start(self._work_off_later(catalog, batch))

    async def release(self, catalog: Catalog, status: BatchState = "finished") -> list[str]:
        """Work off now what a catalogue has; with another status nothing of it is saved."""
        batches = catalog.open_batches()
        for batch in batches:
            self._end(catalog, batch, status)
        return [batch.handle for batch in batches]

    async def forget(self) -> None:
        """Drop what is under way."""
        await self._behind.forget()

    async def _work_off_later(self, catalog: Catalog, batch: Batch) -> None:
        async with self._behind.lane(catalog.id):
            if batch.is_open:
                await asyncio.sleep(self._options.batch_delay)
            if batch.is_open:
                self._end(catalog, batch, "finished")

    def _end(self, catalog: Catalog, batch: Batch, status: BatchState) -> None:
        batch.status = status
        if status != "finished":
            return
        for wanted in batch.requests:
            self._apply(catalog, batch, wanted)
        webhook = batch_webhook(catalog.id, batch.handle, at=self._options.clock())
        for number in self._world.catalog_numbers_of(catalog.business_id):
            told = replace(number, callback_url=number.catalog_callback_url)
            self._courier.announce(told, Letter("catalog", batch.handle, webhook))

    def _apply(self, catalog: Catalog, batch: Batch, wanted: ItemRequest) -> None:
        def remark(message: str) -> ItemRemark:
            return ItemRemark(wanted.line, wanted.item, message)

        trade = self._world.trade
        fault = trade.take_item_fault(wanted.item)
        if fault is not None:
            batch.errors.append(remark(fault.message))
        elif wanted.method == "DELETE":
            if catalog.items.pop(wanted.item, None) is None:
                batch.warnings.append(remark("There is no such item to delete"))
        else:
            fields = _written(catalog, wanted)
            problems = item_problems(fields, is_whole=True) or late_problems(fields)
            batch.errors += map(remark, problems)
            batch.warnings += map(remark, item_warnings(wanted.fields))
            if not problems:
                trade.put_item(catalog, wanted.item, fields)


def _written(catalog: Catalog, wanted: ItemRequest) -> dict[str, object]:
    """Return the fields an item gets: an update leaves the others as they are."""
    known = catalog.items.get(wanted.item)
    before = known.fields if known is not None and wanted.method == "UPDATE" else {}
    fields = before | wanted.fields
    return {name: value for name, value in fields.items() if value not in (None, "")}
