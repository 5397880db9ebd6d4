"""The single catalogue in WhatsApp: product sets, the account, what customers see; no items."""

from dataclasses import replace

import structlog

from engine.domain.ids import CategoryId
from engine.sync.ports import SINGLE, TenantCatalog, TenantCatalogs
from engine.sync.shop import Shop, fingerprint

LONGEST_NAME = 100

log = structlog.get_logger(__name__)


class Connection:
    """Makes a tenant's single catalogue one that its customers can use."""

    def __init__(self, records: TenantCatalogs) -> None:
        self._records = records

    async def make(self, shop: Shop, *, is_new: bool = False) -> None:
        """Make product sets of the categories and connect the catalogue, if not done yet.

        Args:
            is_new: look whether it is still connected, though it was.

        Raises:
            GraphError: Meta does not answer, or refuses.
        """
        if not shop.is_single or SINGLE not in shop.known:
            return
        record = await self._records.get(shop.id, SINGLE)
        if record is None:
            return
        record = await self._sets(shop, record)
        await self._connect(shop, record, is_new=is_new)

    async def lacks(self, shop: Shop, categories: set[CategoryId]) -> bool:
        """Tell whether one of these categories has no product set yet."""
        record = await self._records.get(shop.id, SINGLE) if shop.is_single else None
        return record is not None and not categories <= record.sets.keys()

    async def _sets(self, shop: Shop, record: TenantCatalog) -> TenantCatalog:
        names = await shop.sellables.names()
        counts = await shop.sellables.categories()
        wanted = {c: names.get(c, c)[:LONGEST_NAME] for c, count in counts.items() if c and count}
        for category in [c for c in record.sets if c not in wanted]:
            await shop.calls.delete_set(record.sets[category][0])
            record = await self._noted(record, category, None)
        there: dict[str, str] = {}
        if wanted.keys() - record.sets.keys():
            # One that was made just before an accident is taken, not made again.
            found = await shop.calls.sets(record.catalog_id)
            there = {each.retailer_id: each.id for each in found}
        for category, name in wanted.items():
            made = record.sets.get(category)
            if made is None:
                set_id = there.get(category) or await self._made(shop, record, category, name)
                record = await self._noted(record, category, (set_id, name))
            elif made[1] != name:
                await shop.calls.rename_set(made[0], name)
                record = await self._noted(record, category, (made[0], name))
        return record

    async def _made(self, shop: Shop, record: TenantCatalog, category: str, name: str) -> str:
        rule = {"custom_label_0": {"eq": category}}
        return await shop.calls.create_set(
            record.catalog_id, name=name, retailer_id=category, rule=rule
        )

    async def _noted(
        self, record: TenantCatalog, category: str, made: tuple[str, str] | None
    ) -> TenantCatalog:
        sets = {**record.sets, category: made} if made else dict(record.sets)
        if made is None:
            sets.pop(category, None)
        kept = {key: value for key, value in sets.items() if value}
        changed = replace(record, sets=kept)
        # At once: what Meta has made must not be made again.
        await self._records.save(changed)
        return changed

    async def _connect(self, shop: Shop, record: TenantCatalog, *, is_new: bool) -> None:
        waba_id, numbers = shop.business.waba_id, shop.business.phone_number_ids
        if not waba_id:
            return
        mark = fingerprint(record.catalog_id, waba_id, *numbers)
        if record.connection == mark and not is_new:
            return
        connected = {each.id for each in await shop.calls.connected(waba_id)}
        if record.catalog_id not in connected:
            await shop.calls.connect(waba_id, record.catalog_id)
            log.info("sync.connected", tenant=shop.id, catalog_id=record.catalog_id)
        for number in numbers:
            seen = await shop.calls.commerce_settings(number)
            if seen is None or not (seen.is_cart_enabled and seen.is_catalog_visible):
                await shop.calls.show_catalog(number)
        await self._records.save(replace(record, connection=mark))
