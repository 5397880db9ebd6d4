"""Everything the sync keeps in a database, for all tenants; it only puts it together."""

from beanie import Document

from engine.domain.ids import TenantId
from engine.domain.money import Currency
from engine.storage.batches import MongoBatches
from engine.storage.change_feed import MongoFeed
from engine.storage.connection import Database
from engine.storage.documents import (
    CategoryDocument,
    ModifierDocument,
    PresentationDocument,
    ProductDocument,
)
from engine.storage.item_states import MongoItemStates
from engine.storage.products import ProductReader
from engine.storage.sellables import MongoSellables
from engine.storage.sync_marks import MongoSyncMarks
from engine.storage.sync_runs import MongoSyncRuns
from engine.storage.tenancy import TenantCollection
from engine.storage.tenant_catalogs import MongoTenantCatalogs


class MongoSync:
    """The ports of `engine.sync` on one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.marks = MongoSyncMarks(database)
        self.runs = MongoSyncRuns(database)
        self.batches = MongoBatches(database)
        self.catalogs = MongoTenantCatalogs(database)
        self.feed = MongoFeed(database)

    def sellables(self, tenant: TenantId, currency: Currency) -> MongoSellables:
        """Give what a tenant sells."""

        def shared(document: type[Document]) -> TenantCollection:
            return TenantCollection(self._database.collection(document), "subDomain", tenant)

        return MongoSellables(
            categories=shared(CategoryDocument),
            products=shared(ProductDocument),
            reader=ProductReader(
                presentations=shared(PresentationDocument),
                modifiers=shared(ModifierDocument),
                currency=currency,
            ),
        )

    def states(self, tenant: TenantId) -> MongoItemStates:
        """Give what is known of a tenant's items."""
        return MongoItemStates(self._database, tenant=tenant)
