"""What Meta and the database know of message templates, as protocols and their values."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from engine.domain.ids import TenantId
from engine.whatsapp.templates import Definition

APPROVED: Final = "APPROVED"
PENDING: Final = "PENDING"
MISSING: Final = "MISSING"
"""Our word for a template that Meta has not, in this language."""
UNDECIDED: Final = (PENDING, "IN_APPEAL", "PAUSED")
"""Statuses that end by themselves: a pause does, and somebody at Meta decides the others."""


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

    def known(
        self,
        tenant: TenantId,
        at: datetime,
        *,
        created_at: datetime | None = None,
        edited_at: tuple[datetime, ...] = (),
    ) -> "KnownTemplate":
        """Give what is to be noted of it."""
        return KnownTemplate(
            tenant=tenant,
            name=self.name,
            language=self.language,
            status=self.status,
            updated_at=at,
            category=self.category,
            reason=self.reason,
            meta_id=self.id,
            created_at=created_at,
            edited_at=edited_at,
        )


@dataclass(frozen=True, slots=True)
class KnownTemplate:
    """A template of a tenant, as far as Meta has told.

    Args:
        created_at: when we created it; None if somebody else did.
        edited_at: when we edited it while it was approved, as far as that still counts.
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
    edited_at: tuple[datetime, ...] = ()


class TemplateCalls(Protocol):
    """The Graph API's calls about templates."""

    async def templates(self, waba_id: str) -> tuple[MetaTemplate, ...]:
        """Give the templates of a WhatsApp account."""
        ...

    async def create(self, waba_id: str, definition: Definition) -> MetaTemplate:
        """Create a template, which Meta has to approve."""
        ...

    async def edit(self, template_id: str, definition: Definition, *, category: str) -> None:
        """Give a template the text, footer and buttons of a definition; all others go.

        Args:
            category: the new one; empty if it is not to be changed.
        """
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

    async def unsettled(
        self, tenants: Collection[TenantId], *, before: datetime
    ) -> Mapping[TenantId, frozenset[tuple[str, str]]]:
        """Name templates that may have another status by now, and by language.

        Those are the undecided ones, and those that a message waits for.

        Args:
            before: only what Meta has not told of since.
        """
        ...
