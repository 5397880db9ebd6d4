"""A tenant's catalogues at Meta: found, made once, and noted; their items are not its part."""

from dataclasses import replace
from hashlib import sha256

import structlog

from engine.domain.ids import CategoryId
from engine.errors import Conflict, GraphTerminal
from engine.ports import BusinessRepository
from engine.sync.ports import SINGLE, CatalogKey, TenantCatalog, TenantCatalogs
from engine.sync.shop import Shop

LONGEST_NAME = 100
INVALID = 100
LONGEST_MARK = 60
"""So that a name is left to read."""

log = structlog.get_logger(__name__)


class NoCatalog(GraphTerminal):
    """A catalogue is needed, and there is none to use; Meta was not asked."""


class NoBusiness(NoCatalog):
    """It is not known in which business to make it."""


class NotOurs(NoCatalog):
    """A catalogue somebody mapped by hand is one of another tenant, or of another category."""


class Catalogs:
    """Finds or makes the catalogue that items belong in."""

    def __init__(self, records: TenantCatalogs, businesses: BusinessRepository) -> None:
        self._records = records
        self._businesses = businesses

    async def ensure(self, shop: Shop, key: CatalogKey) -> str:
        """Give Meta's id of a catalogue, making it if there is none.

        Raises:
            NoBusiness: it must be made, and the business document has no fbBusinessId.
            NotOurs: the mapping names one that is in use already.
            Conflict: another process has taken the tenant over.
            GraphError: Meta does not make it.
        """
        mapped = (shop.business.catalog_mapping or {}).get(key)
        if key not in shop.known:
            record = await self._records.get(shop.id, key)
            # Somebody mapped it by hand, or the Node back end made it.
            known = await self._mapped(shop, key, record, mapped) if mapped else None
            shop.known[key] = (known or await self._made(shop, key, record)).catalog_id
        if not mapped:
            # Also one that is known: the mapping was lost, or a process died before it wrote it.
            await self._businesses.map_catalog(shop.id, key, shop.known[key])
        return shop.known[key]

    async def _mapped(
        self, shop: Shop, key: CatalogKey, record: TenantCatalog | None, mapped: str
    ) -> TenantCatalog:
        if record and record.catalog_id == mapped:
            return record
        known = TenantCatalog(shop.id, key, mapped, record.name if record else "")
        try:
            await self._records.save(known)
        except Conflict as error:
            sentence = f"{error}: fbCatalogMapping names it under {key!r}"
            raise NotOurs(sentence, code=INVALID) from error
        return known

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
        if not record.name:
            record = replace(record, name=await self._name(shop, key))
        await shop.still_ours()
        catalog_id = (
            found.id if found else await shop.calls.create_catalog(business_id, record.name)
        )
        made = replace(record, catalog_id=catalog_id)
        await self._records.save(made)
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
    mark = f"{shop.id}/{key}"
    if len(mark) > LONGEST_MARK:
        mark = f"{shop.id}/{sha256(mark.encode()).hexdigest()[:16]}"
    return f"[{mark}]"
