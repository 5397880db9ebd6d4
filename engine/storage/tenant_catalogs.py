"""The tenants' catalogues at Meta, on disk; `businesses.fbCatalogMapping` is elsewhere."""

from pymongo.errors import DuplicateKeyError

from engine.domain.ids import TenantId
from engine.errors import Conflict
from engine.storage.connection import Database, Json, reachable
from engine.storage.sync_records import SyncCatalogDocument
from engine.sync.ports import CatalogKey, TenantCatalog


class MongoTenantCatalogs:
    """The catalogues of all tenants: `engine.sync.ports.TenantCatalogs`."""

    def __init__(self, database: Database) -> None:
        self._rows = database.collection(SyncCatalogDocument)

    async def get(self, tenant: TenantId, key: CatalogKey) -> TenantCatalog | None:
        """Give one of a tenant's catalogues."""
        with reachable():
            found = await self._rows.find_one({"_id": _catalog_row(tenant, key)})
        return None if found is None else catalog_from_disk(found)

    async def all(self, tenant: TenantId) -> tuple[TenantCatalog, ...]:
        """Give a tenant's catalogues by key."""
        with reachable():
            found = await self._rows.find({"tenant": tenant}).sort("key", 1).to_list()
        return tuple(map(catalog_from_disk, found))

    async def save(self, catalog: TenantCatalog) -> None:
        """Write a catalogue; there is one per tenant and key.

        Raises:
            Conflict: Meta's catalogue is another tenant's, or known under another key.
        """
        document = catalog_to_disk(catalog)
        with reachable():
            try:
                await self._write(document)
            except DuplicateKeyError as exc:
                other = await self._rows.find_one({"catalogId": catalog.catalog_id}, {"_id": 1})
                if other is not None and other["_id"] != document["_id"]:
                    raise Conflict(
                        f"Meta's catalogue {catalog.catalog_id} is in use already"
                    ) from exc
                # Another process made the row at this moment.
                await self._write(document)

    async def tenant_of(self, catalog_id: str) -> TenantId | None:
        """Name the tenant that a catalogue is of."""
        if not catalog_id:
            return None
        with reachable():
            found = await self._rows.find_one({"catalogId": catalog_id}, {"tenant": 1})
        return None if found is None else TenantId(found["tenant"])

    async def _write(self, document: Json) -> None:
        await self._rows.replace_one({"_id": document["_id"]}, document, upsert=True)


def _catalog_row(tenant: str, key: str) -> str:
    # A tenant has no colon in it, so no two catalogues have one name.
    return f"{tenant}:{key}"


def catalog_to_disk(catalog: TenantCatalog) -> Json:
    """Write a catalogue."""
    return {
        "_id": _catalog_row(catalog.tenant, catalog.key),
        "tenant": catalog.tenant,
        "key": catalog.key,
        "catalogId": catalog.catalog_id,
        "name": catalog.name,
        "connection": catalog.connection,
        "sets": [
            {"category": category, "id": set_id, "name": name}
            for category, (set_id, name) in catalog.sets.items()
        ],
    }


def catalog_from_disk(document: Json) -> TenantCatalog:
    """Read a catalogue back."""
    return TenantCatalog(
        tenant=TenantId(document["tenant"]),
        key=CatalogKey(document["key"]),
        catalog_id=document["catalogId"],
        name=document["name"],
        connection=document["connection"],
        sets={part["category"]: (part["id"], part["name"]) for part in document["sets"]},
    )
