"""The shape of published versions on disk: texts by hash, versions, and which one is live."""

from datetime import datetime
from typing import Final

from beanie import Document

from engine.storage.documents import Part, Row, index


class ContentDocument(Row):
    """The text of an authored file; its id is the SHA-256 of it, so that it is stored once."""

    id: str
    text: str

    class Settings:
        """Its collection."""

        name = "contents"
        indexes = ()


class StoredFile(Part):
    """A file of a version; its path is no key, as it has dots."""

    path: str
    hash: str


class VersionDocument(Row):
    """What a tenant was served from; its id is `<tenant>:<number>`.

    What a process has served from its folder has the number 0 and is `<tenant>:folder:<digest>`.
    """

    id: str
    tenant: str
    number: int
    digest: str
    manifest: str
    files: list[StoredFile]
    at: datetime
    note: str = ""
    replaces: int = 0

    class Settings:
        """Its collection."""

        name = "versions"
        indexes = (
            index("tenant", "-number"),
            # For whoever looks at an old turn: it names the digest.
            index("tenant", "digest"),
        )


class LiveDocument(Row):
    """Which version of a tenant is to be served; its id is the tenant."""

    id: str
    number: int
    moves: int
    at: datetime

    class Settings:
        """Its collection."""

        name = "liveVersions"
        indexes = ()


VERSION_DOCUMENTS: Final[tuple[type[Document], ...]] = (
    ContentDocument,
    VersionDocument,
    LiveDocument,
)
