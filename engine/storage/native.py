"""What customers see of a tenant in WhatsApp's own catalogue, as the sync left it on disk."""

from collections.abc import Mapping, Sequence

from engine.domain.ids import ProductId
from engine.storage.connection import reachable
from engine.storage.tenancy import TenantCollection
from engine.sync.ports import SINGLE


class MongoNative:
    """A tenant's catalogue that is connected to WhatsApp: `engine.ports.NativeCatalog`."""

    def __init__(self, *, states: TenantCollection, catalogs: TenantCollection) -> None:
        self._states = states
        self._catalogs = catalogs

    async def catalog_id(self) -> str | None:
        """Give Meta's id of the catalogue that is connected to WhatsApp; None if there is none."""
        with reachable():
            found = await self._catalogs.find_one({"key": SINGLE})
        if found is None or not found["connection"]:
            return None
        return found["catalogId"] or None

    async def items(self, products: Sequence[ProductId]) -> Mapping[ProductId, tuple[str, ...]]:
        """Give the ids (Meta's `retailer_id`) of the items of products that Meta has taken."""
        if not products:
            return {}
        wanted = {"product": {"$in": list(products)}}
        with reachable():
            found = await self._states.find(wanted, sort=(("_id", 1),)).to_list()
        items: dict[ProductId, tuple[str, ...]] = {}
        for row in found:
            if (row["catalog"], row["status"]) == (SINGLE, "synced"):
                product = ProductId(row["product"])
                items[product] = (*items.get(product, ()), row["item"])
        return items
