"""The shape of the sync's rows on disk: items, marks, runs, batches, catalogues, the feed's place.

Nobody else reads them.
"""

from datetime import datetime
from typing import Any, Final, Literal

from beanie import Document
from pydantic import Field

from engine.storage.documents import Part, Row, index

BATCH_DAYS = 2
"""Days a finished batch is kept."""


class SyncStateDocument(Row):
    """What was last done with an item; its id sorts by tenant, catalogue, product and item."""

    id: str
    tenant: str
    catalog: str
    product: str
    item: str
    catalog_id: str
    digest: str
    status: Literal["sent", "synced", "failed", "refused", "removing"]
    updated_at: datetime
    batch: str | None = None
    error: str | None = None
    document: str | None = None

    class Settings:
        """Its collection."""

        name = "syncState"
        indexes = (
            index("tenant", "catalog", "_id"),
            index("tenant", "product"),
            index("tenant", "status", "batch"),
            # Whose a deleted product was: the deletion names nothing else.
            index("document"),
        )


class SyncMarkDocument(Row):
    """A product that may have changed."""

    id: str
    tenant: str
    product: str
    at: datetime
    kind: Literal["changed", "verify"] = "changed"

    class Settings:
        """Its collection."""

        name = "syncMarks"
        indexes = (index("at", "_id"), index("tenant", "at", "_id"))


class StoredJob(Part):
    """A walk over everything a tenant sells."""

    id: str = Field(alias="id")
    kind: Literal["changed", "full", "verify"]
    requested_at: datetime
    started_at: datetime | None = None
    total: int = 0
    done: int = 0
    shelf: str | None = None
    position: str | None = None
    walked: bool = False
    finished_at: datetime | None = None


class StoredAlert(Part):
    """What a person must mend."""

    code: int
    sentence: str
    since: datetime
    token: str = ""


class SyncRunDocument(Row):
    """How far a tenant's sync is; its id is the tenant.

    `woken` is when it was asked to be due since it was claimed; free is who is until long ago.
    """

    id: str
    due: datetime
    job: StoredJob | None = None
    last: StoredJob | None = None
    requested: StoredJob | None = None
    failures: int = 0
    held_until: datetime | None = None
    alert: StoredAlert | None = None
    compared_at: datetime | None = None
    verified_at: datetime | None = None
    woken: datetime | None = None
    owner: str | None = None
    until: datetime

    class Settings:
        """Its collection."""

        name = "syncRuns"
        indexes = (index("due", "until"),)


class SyncBatchDocument(Row):
    """Items given to Meta in one call; `expire_at` comes when it is finished."""

    id: str
    tenant: str
    catalog: str
    catalog_id: str
    handles: list[str]
    items: int
    sent_at: datetime
    check_at: datetime
    checks: int = 0
    finished_at: datetime | None = None
    expire_at: datetime | None = None

    class Settings:
        """Its collection."""

        name = "syncBatches"
        indexes = (
            index("tenant", "finishedAt", "sentAt"),
            index("catalogId", "sentAt"),
            index("catalogId", "handles"),
            index("expireAt", expireAfterSeconds=0),
        )


class StoredSet(Part):
    """A product set of a category; a list of them, as a category's id may be no field name."""

    category: str
    id: str = Field(alias="id")
    name: str


class SyncCatalogDocument(Row):
    """A catalogue of a tenant at Meta; its id is `<tenant>:<key>`, so a key has one."""

    id: str
    tenant: str
    key: str
    catalog_id: str
    name: str
    connection: str = ""
    sets: list[StoredSet] = Field(default_factory=list)

    class Settings:
        """Its collection."""

        name = "syncCatalogs"
        indexes = (
            index("tenant", "key"),
            # As of the outbox: an equality implies a $gt, so that the index is used.
            index("catalogId", unique=True, partialFilterExpression={"catalogId": {"$gt": ""}}),
        )


class SyncFeedDocument(Row):
    """Where the reading of the database's changes is, and who reads."""

    id: str
    owner: str | None = None
    until: datetime
    token: dict[str, Any] | None = None

    class Settings:
        """Its collection."""

        name = "syncFeed"
        indexes = ()


SYNC_DOCUMENTS: Final[tuple[type[Document], ...]] = (
    SyncStateDocument,
    SyncMarkDocument,
    SyncRunDocument,
    SyncBatchDocument,
    SyncCatalogDocument,
    SyncFeedDocument,
)
"""Every collection of the sync."""
