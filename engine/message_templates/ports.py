"""What Meta and the database know of message templates, as protocols and their values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from engine.domain.ids import TenantId
from engine.whatsapp.templates import Definition

APPROVED: Final = "APPROVED"


@dataclass(frozen=True, slots=True)
class MetaTemplate:
    """A template as Meta has it.

    Args:
        digest: of what customers see, as `Definition.digest`.
        reason: why it was rejected.
    """

    id: str
    name: str
    language: str
    status: str
    category: str
    digest: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class KnownTemplate:
    """A template of a tenant, as far as Meta has told.

    Args:
        created_at: when we created it; None if somebody else did.
    """

    tenant: TenantId
    name: str
    language: str
    status: str
    updated_at: datetime
    category: str = ""
    reason: str = ""
    meta_id: str = ""
    created_at: datetime | None = None


class TemplateCalls(Protocol):
    """The Graph API's calls about templates."""

    async def templates(self, waba_id: str) -> tuple[MetaTemplate, ...]:
        """Give the templates of a WhatsApp account."""
        ...

    async def create(self, waba_id: str, definition: Definition) -> MetaTemplate:
        """Create a template, which Meta has to approve."""
        ...


class TemplateRepository(Protocol):
    """What is known of the templates of all tenants."""

    async def all(self, tenant: TenantId) -> tuple[KnownTemplate, ...]:
        """Give a tenant's templates by name and language."""
        ...

    async def status_of(self, tenant: TenantId, name: str, language: str) -> str | None:
        """Give a template's status; None if nothing is known of it."""
        ...

    async def note(self, template: KnownTemplate) -> None:
        """Note what Meta says of a template; one that is approved lets what waits for it go.

        Messages wait for a time only: what is older stays held back.
        """
        ...


class Definitions(Protocol):
    """What a tenant declares."""

    def __call__(self, tenant: TenantId) -> Sequence[Definition]:
        """Give the templates that a tenant's messages declare, in each of its languages."""
        ...


Json = dict[str, Any]
