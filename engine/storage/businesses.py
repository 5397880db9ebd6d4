"""The tenants' documents: found by number or by sub-domain, cached, with the token sealed on disk.

The Node back end shares the collection: what is saved here leaves its other fields alone.
"""

from datetime import timedelta
from typing import Any, Literal

import structlog
from pymongo.errors import DuplicateKeyError

from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.errors import Conflict, EngineError
from engine.logs import reason
from engine.ports import Business
from engine.storage.cache import ExpiringCache
from engine.storage.connection import Database, Json, reachable
from engine.storage.documents import BusinessDocument
from engine.storage.secrets import Vault

Key = tuple[Literal["number", "tenant"], str]

log = structlog.get_logger(__name__)

UNKNOWN_TTL = timedelta(seconds=15)
"""How long an unknown number stays unknown: short, as its owner is just setting it up."""


class MongoBusinesses:
    """The tenants' documents, with a cache per process: `engine.ports.BusinessRepository`.

    Args:
        ttl: seconds a document is believed; another process's change is seen after it.
        size: most documents kept.
    """

    def __init__(
        self, database: Database, *, vault: Vault, clock: Clock, ttl: float = 300, size: int = 1000
    ) -> None:
        self._rows = database.collection(BusinessDocument)
        self._vault = vault
        self._ttl = timedelta(seconds=ttl)
        self._unknown_ttl = min(self._ttl, UNKNOWN_TTL)
        self._cache: ExpiringCache[Key, Business | None] = ExpiringCache(size, clock)

    async def by_phone_number_id(self, phone_number_id: str) -> Business | None:
        """Find the active business with WhatsApp enabled that has a number."""
        served = {
            "whatsappPhoneNumberIds": phone_number_id,
            "whatsappEnabled": True,
            "isActive": True,
        }
        return await self._find(("number", phone_number_id), served)

    async def by_tenant(self, tenant: TenantId) -> Business | None:
        """Find a business by its sub-domain."""
        return await self._find(("tenant", tenant), {"subDomain": tenant})

    async def tenants_of(self, waba_id: str) -> tuple[TenantId, ...]:
        """Name the tenants that a WhatsApp account is of."""
        return await self._tenants("wabaId", waba_id)

    async def save(self, business: Business) -> None:
        """Write a business: its mappings as a whole; no token or WABA leaves the stored one.

        Raises:
            Conflict: another process created the same business at this moment.
        """
        try:
            with reachable():
                await self._write(business)
        finally:
            self._cache.purge(lambda key, known: _concerns(business, key, known))

    async def map_flow(self, tenant: TenantId, key: str, meta_id: str | None) -> None:
        """Note under a key which Flow of Meta it is, or none; other keys stay as they are.

        Raises:
            EngineError: there is no such business.
        """
        await self._map(tenant, "fbFlowMapping", key, meta_id)

    async def map_catalog(self, tenant: TenantId, key: str, catalog_id: str | None) -> None:
        """Note under a key which catalogue of Meta it is, or none; other keys stay as they are.

        Raises:
            EngineError: there is no such business.
        """
        await self._map(tenant, "fbCatalogMapping", key, catalog_id)

    async def tenants_of_business(self, fb_business_id: str) -> tuple[TenantId, ...]:
        """Name the tenants that a business portfolio of Meta is of."""
        return await self._tenants("fbBusinessId", fb_business_id)

    def forget(self, tenant: TenantId) -> None:
        """Read a business anew: it was written past this."""
        self._cache.purge(lambda held, known: _is_of(tenant, held, known) or known is None)

    async def warm_up(self) -> int:
        """Read the businesses that are served into the cache; give their number."""
        generation = self._cache.generation
        with reachable():
            served = self._rows.find({"whatsappEnabled": True, "isActive": True})
            documents = await served.limit(self._cache.size).to_list()
        for document in documents:
            try:
                business = business_from_disk(document, self._vault)
            except EngineError as error:
                # One tenant's mistake does not keep the others from being served.
                tenant = document.get("subDomain")
                log.warning("businesses.unreadable", tenant=tenant, error=reason(error))
                continue
            for number in business.phone_number_ids:
                self._remember(("number", number), business, generation)
        return len(documents)

    async def _tenants(self, field: str, value: str) -> tuple[TenantId, ...]:
        if not value:
            return ()
        with reachable():
            found = await self._rows.find({field: value}, {"subDomain": 1}).to_list()
        return tuple(TenantId(document["subDomain"]) for document in found)

    async def _map(self, tenant: TenantId, field: str, key: str, meta_id: str | None) -> None:
        change = _mapped(field, key, meta_id)
        try:
            with reachable():
                done = await self._rows.update_one({"subDomain": tenant}, change)
        finally:
            self._cache.purge(lambda held, known: _is_of(tenant, held, known))
        if not done.matched_count:
            raise EngineError(f"the business '{tenant}' is not in the database; seed it first")

    async def _write(self, business: Business) -> None:
        change = business_change(business, self._vault)
        try:
            await self._rows.update_one({"subDomain": business.tenant}, change, upsert=True)
        except DuplicateKeyError as exc:
            raise Conflict(f"business {business.tenant} was created elsewhere") from exc

    async def _find(self, key: Key, wanted: Json) -> Business | None:
        held = self._cache.get(key)
        if held is not None:
            return held[0]
        generation = self._cache.generation
        with reachable():
            found = await self._rows.find_one(wanted)
        business = None if found is None else business_from_disk(found, self._vault)
        self._remember(key, business, generation)
        return business

    def _remember(self, key: Key, business: Business | None, generation: int) -> None:
        # A save may have come between the reading and now.
        if generation == self._cache.generation:
            ttl = self._unknown_ttl if business is None else self._ttl
            self._cache.put(key, business, ttl=ttl)


def business_change(business: Business, vault: Vault) -> Json:
    """Describe the update that writes a business, and creates it served."""
    fields: Json = {
        "name": business.name,
        "whatsappPhoneNumberIds": list(business.phone_number_ids),
        "fbBusinessId": business.fb_business_id,
        "fbCatalogMapping": _mapping_to_disk(business.catalog_mapping),
        "fbFlowMapping": _mapping_to_disk(business.flow_mapping),
        "localId": business.local_id,
    }
    if business.waba_id:
        fields["wabaId"] = business.waba_id
    if business.access_token:
        fields["accessToken"] = vault.seal(business.access_token)
    return {"$set": fields, "$setOnInsert": {"whatsappEnabled": True, "isActive": True}}


def business_from_disk(document: Json, vault: Vault) -> Business:
    """Read a business back.

    Raises:
        EngineError: its access token cannot be opened.
    """
    sealed = document.get("accessToken")
    return Business(
        tenant=TenantId(document["subDomain"]),
        name=document.get("name") or document["subDomain"],
        phone_number_ids=tuple(document.get("whatsappPhoneNumberIds") or ()),
        access_token=vault.open(sealed) if sealed else "",
        waba_id=document.get("wabaId"),
        fb_business_id=document.get("fbBusinessId"),
        catalog_mapping=document.get("fbCatalogMapping"),
        flow_mapping=document.get("fbFlowMapping"),
        local_id=document.get("localId"),
    )


def _mapping_to_disk(mapping: Any) -> Any:
    return None if mapping is None else dict(mapping)


def _concerns(business: Business, key: Key, known: Business | None) -> bool:
    kind, name = key
    is_its_number = kind == "number" and name in business.phone_number_ids
    return is_its_number or _is_of(business.tenant, key, known)


def _is_of(tenant: TenantId, key: Key, known: Business | None) -> bool:
    return key == ("tenant", tenant) or (known is not None and known.tenant == tenant)


def _mapped(field: str, key: str, meta_id: str | None) -> list[Json]:
    # One command, so that nothing the Node back end writes meanwhile is lost; and a pipeline, as
    # keys such as `prod:a.b` are no field paths (MongoDB 5.0 and later).
    change = {
        "field": {"$literal": key},
        "input": {"$ifNull": [f"${field}", {}]},
        "value": "$$REMOVE" if meta_id is None else {"$literal": meta_id},
    }
    return [{"$set": {field: {"$setField": change}}}]
