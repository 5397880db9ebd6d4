"""What the sync needs of a database, as protocols and the values that cross them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, NewType, Protocol

from engine.domain.catalog import Product
from engine.domain.ids import CategoryId, ProductId, TenantId

CatalogKey = NewType("CatalogKey", str)
"""Which of a tenant's catalogues: a category's id, or `SINGLE`; its key in `fbCatalogMapping`."""
ItemId = NewType("ItemId", str)
"""Meta's `retailer_id`: a product's id, or `<product>|<presentation>`."""

SINGLE: Final = CatalogKey("*")
"""The key of the one catalogue of a tenant whose `catalog.mode` is `single`."""

ItemStatus = Literal["sent", "synced", "failed", "refused", "removing"]


@dataclass(frozen=True, slots=True)
class ItemState:
    """What was last done with an item.

    Args:
        catalog_id: Meta's id of the catalogue; empty when it was refused.
        digest: of the content Meta was given, or of the reason it was not.
        status: `sent` and `removing` wait for their batch, `failed` was Meta's, `refused` ours.
        updated_at: when the content was sent or refused.
        batch: id of the batch it waits for, or waited for last.
        error: why it failed or was refused.
        document: the `_id` of the product's document, as text; a deletion names nothing else.
    """

    catalog: CatalogKey
    item: ItemId
    product: ProductId
    catalog_id: str
    digest: str
    status: ItemStatus
    updated_at: datetime
    batch: str | None = None
    error: str | None = None
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Sellable:
    """An active product as it lies in the database.

    Args:
        product: None when its document cannot be read.
        reason: why not.
        document: its `_id` as text.
    """

    id: ProductId
    product: Product | None
    category_id: CategoryId
    document: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """How a tenant's items stand, counted by product.

    Args:
        synced: products all of whose items Meta has taken.
        failed: products of which an item failed or was refused.
        waiting: products of which an item waits for its batch, and none failed.
    """

    synced: int
    failed: int
    waiting: int


class Sellables(Protocol):
    """The active products of one tenant, in an order that can be resumed."""

    async def categories(self) -> Mapping[CategoryId, int]:
        """Count the active products by category; without one it is the empty text."""
        ...

    async def names(self) -> Mapping[CategoryId, str]:
        """Name the active categories."""
        ...

    async def page(
        self, category: CategoryId | None, *, after: ProductId | None, limit: int
    ) -> tuple[Sellable, ...]:
        """Give the next products by id, of a category or (None) of all; empty at the end."""
        ...

    async def some(self, products: Collection[ProductId]) -> tuple[Sellable, ...]:
        """Give the active ones among products."""
        ...


class ItemStates(Protocol):
    """What is known of one tenant's items."""

    async def catalogs(self) -> Mapping[CatalogKey, int]:
        """Count the items by catalogue."""
        ...

    async def page(
        self, catalog: CatalogKey, *, after: tuple[ProductId, ItemId] | None, limit: int
    ) -> tuple[ItemState, ...]:
        """Give the next items of a catalogue by product and item; empty at the end.

        Args:
            after: an empty `ItemId` begins before the product's first item.
        """
        ...

    async def of(self, products: Collection[ProductId]) -> tuple[ItemState, ...]:
        """Give the items of products, in whichever catalogue."""
        ...

    async def put(self, states: Sequence[ItemState]) -> None:
        """Write items; there is one per catalogue and id."""
        ...

    async def drop(self, states: Sequence[ItemState]) -> None:
        """Forget items."""
        ...

    async def settle(self, batch: str, *, faults: Mapping[ItemId, str]) -> int:
        """Note that a batch is through: its faulty items failed, removed ones are forgotten.

        Returns:
            How many items waited for it.
        """
        ...

    async def in_batch(self, batch: str) -> tuple[ItemState, ...]:
        """Give the items that wait for a batch."""
        ...

    async def summary(self) -> Summary:
        """Count the products by how their items stand."""
        ...

    async def errors(self, limit: int) -> tuple[ItemState, ...]:
        """Give items that failed or were refused, by product."""
        ...


@dataclass(frozen=True, slots=True)
class Mark:
    """A product that may have changed.

    Args:
        id: unique; marks of one product pile up and are worked off together.
        kind: `changed` compares with what Meta was given, `verify` with what Meta has.
    """

    id: str
    tenant: TenantId
    product: ProductId
    at: datetime
    kind: Literal["changed", "verify"] = "changed"


class SyncMarks(Protocol):
    """The products of all tenants that may have changed."""

    async def add(self, marks: Sequence[Mark]) -> None:
        """Store marks durably."""
        ...

    async def waiting(self, *, limit: int) -> tuple[Mark, ...]:
        """Give the oldest marks of all tenants."""
        ...

    async def of(self, tenant: TenantId, *, limit: int) -> tuple[Mark, ...]:
        """Give a tenant's oldest marks."""
        ...

    async def done(self, marks: Sequence[Mark]) -> None:
        """Forget marks that were worked off."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Items given to Meta in one call, which it works off in its own time.

    Args:
        id: `<catalog id>:<a text of ours>`.
        handles: what Meta calls it; empty until Meta has said so, and for good if it never did.
        check_at: when to ask next.
        checks: how often it was asked for.
    """

    id: str
    tenant: TenantId
    catalog: CatalogKey
    catalog_id: str
    handles: tuple[str, ...]
    items: int
    sent_at: datetime
    check_at: datetime
    checks: int = 0
    finished_at: datetime | None = None


class Batches(Protocol):
    """The batches of all tenants."""

    async def add(self, batch: Batch) -> None:
        """Store a batch."""
        ...

    async def save(self, batch: Batch) -> None:
        """Write a batch that changed."""
        ...

    async def open(self, tenant: TenantId) -> tuple[Batch, ...]:
        """Give a tenant's batches that are not finished, the oldest first."""
        ...

    async def sent_since(self, catalog_id: str, since: datetime) -> tuple[datetime, ...]:
        """Tell when batches were sent to a catalogue, the oldest first."""
        ...

    async def hurry(self, catalog_id: str, handle: str, *, at: datetime) -> TenantId | None:
        """Let a batch be asked for at a time; name its tenant, or None if it is not ours."""
        ...


@dataclass(frozen=True, slots=True)
class TenantCatalog:
    """A catalogue of a tenant at Meta.

    Args:
        catalog_id: empty while it is being made.
        name: Meta's name of it, unique by our ids in it.
        connection: fingerprint of what it was connected to WhatsApp with; empty if it is not.
        sets: by category, Meta's id and name of its product set.
    """

    tenant: TenantId
    key: CatalogKey
    catalog_id: str
    name: str
    connection: str = ""
    sets: Mapping[str, tuple[str, str]] = field(default_factory=dict)


class TenantCatalogs(Protocol):
    """The catalogues of all tenants."""

    async def get(self, tenant: TenantId, key: CatalogKey) -> TenantCatalog | None:
        """Give one of a tenant's catalogues."""
        ...

    async def all(self, tenant: TenantId) -> tuple[TenantCatalog, ...]:
        """Give a tenant's catalogues by key."""
        ...

    async def save(self, catalog: TenantCatalog) -> None:
        """Write a catalogue; there is one per tenant and key.

        Raises:
            Conflict: Meta's catalogue is another tenant's.
        """
        ...

    async def tenant_of(self, catalog_id: str) -> TenantId | None:
        """Name the tenant that a catalogue is of."""
        ...
