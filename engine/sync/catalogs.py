"""A tenant's catalogues at Meta: found, made once, and noted; their items are not its part."""

from dataclasses import replace

import structlog

from engine.domain.ids import CategoryId
from engine.errors import GraphTerminal
from engine.ports import BusinessRepository
from engine.sync.ports import SINGLE, CatalogKey, TenantCatalog, TenantCatalogs
from engine.sync.shop import Shop

LONGEST_NAME = 100

log = structlog.get_logger(__name__)


class NoBusiness(GraphTerminal):
    """A catalogue is needed, and it is not known in which business to make it."""


class Catalogs:
    """Finds or makes the catalogue that items belong in."""

    def __init__(self, records: TenantCatalogs, businesses: BusinessRepository) -> None:
        self._records = records
        self._businesses = businesses

    async def ensure(self, shop: Shop, key: CatalogKey) -> str:
        """Give Meta's id of a catalogue, making it if there is none.

        Raises:
            NoBusiness: it must be made, and the business document has no fbBusinessId.
            Conflict: it is another tenant's, or another process has taken the tenant over.
            GraphError: Meta does not make it.
        """
        if key in shop.known:
            return shop.known[key]
        record = await self._records.get(shop.id, key)
        mapped = (shop.business.catalog_mapping or {}).get(key)
        if mapped:
            # Somebody mapped it by hand, or the Node back end made it.
            known = record or TenantCatalog(shop.id, key, "", "")
            if known.catalog_id != mapped:
                known = TenantCatalog(shop.id, key, mapped, known.name)
                await self._records.save(known)
        elif record and record.catalog_id:
            await self._businesses.map_catalog(shop.id, key, record.catalog_id)
            known = record
        else:
            known = await self._made(shop, key, record)
        shop.known[key] = known.catalog_id
        return known.catalog_id

    async def _made(
        self, shop: Shop, key: CatalogKey, record: TenantCatalog | None
    ) -> TenantCatalog:
        business_id = shop.business.fb_business_id
        if not business_id:
            raise NoBusiness("fbBusinessId is not set in the business document")
        found = None
        if record:
            # A process died, or was overtaken, while it made it: it may be there.
            owned = await shop.calls.catalogs(business_id)
            found = next((each for each in owned if each.name.endswith(_mark(shop, key))), None)
        else:
            # Written first, so that whoever comes after an accident looks for it.
            record = TenantCatalog(shop.id, key, "", await self._name(shop, key))
            await self._records.save(record)
        await shop.still_ours()
        catalog_id = (
            found.id if found else await shop.calls.create_catalog(business_id, record.name)
        )
        made = replace(record, catalog_id=catalog_id)
        await self._records.save(made)
        await self._businesses.map_catalog(shop.id, key, catalog_id)
        log.info("sync.catalog_made", tenant=shop.id, catalog=key, catalog_id=catalog_id)
        return made

    async def _name(self, shop: Shop, key: CatalogKey) -> str:
        names = {} if key == SINGLE else await shop.sellables.names()
        category = names.get(CategoryId(key), key) if key != SINGLE else ""
        shown = " · ".join(part for part in (shop.settings.name, category) if part)
        mark = _mark(shop, key)
        return f"{shown[: LONGEST_NAME - len(mark) - 1]} {mark}"


def _mark(shop: Shop, key: CatalogKey) -> str:
    """Give the end of a catalogue's name, by which it is found again."""
    return f"[{shop.id}/{key}]"
