"""The shape of what tenants have at Meta, as the engine has noted it: Flows, keys, templates."""

from datetime import datetime
from typing import Final, Literal

from beanie import Document
from pydantic import Field

from engine.storage.documents import Row, index


class DeploymentDocument(Row):
    """A Flow of a tenant as it is at Meta; its id is `<tenant>:<key>`, so a key has one."""

    id: str
    tenant: str
    key: str
    flow: str
    language: str
    meta_id: str
    name: str
    digest: str
    endpoint: str
    status: Literal["DRAFT", "PUBLISHED", "DEPRECATED", "BLOCKED", "THROTTLED"]
    updated_at: datetime
    held_until: datetime | None = None

    class Settings:
        """Its collection."""

        name = "flowDeployments"
        indexes = (index("tenant", "metaId", unique=True),)


class MessageTemplateDocument(Row):
    """A message template of a tenant, as far as Meta has told.

    Its id is `<tenant>:<name>:<language>`; `created_at` is missing if somebody else made it.
    `edited_at` tells when it was edited lately while it was approved, which Meta limits.
    """

    id: str
    tenant: str
    name: str
    language: str
    status: str
    category: str = ""
    reason: str = ""
    meta_id: str = ""
    created_at: datetime | None = None
    edited_at: list[datetime] = Field(default_factory=list)
    updated_at: datetime

    class Settings:
        """Its collection."""

        name = "messageTemplates"
        indexes = (index("tenant", "name", "language"),)


class FlowKeyDocument(Row):
    """A tenant's key for Flow exchanges; its id is the tenant, `private_key` is sealed."""

    id: str
    private_key: str
    public_key: str
    fingerprint: str
    created_at: datetime

    class Settings:
        """Its collection."""

        name = "flowKeys"
        indexes = ()


META_DOCUMENTS: Final[tuple[type[Document], ...]] = (
    DeploymentDocument,
    FlowKeyDocument,
    MessageTemplateDocument,
)
