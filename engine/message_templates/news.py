"""What Meta says of a template by webhook, noted."""

from collections.abc import Mapping
from typing import Any, Final

import structlog

from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.message_templates.ports import APPROVED, PENDING, KnownTemplate, TemplateRepository
from engine.whatsapp.json_values import as_id, as_text

STATUSES: Final = frozenset(
    {"APPROVED", "REJECTED", "PENDING", "PAUSED", "DISABLED", "IN_APPEAL", "PENDING_DELETION"}
    | {"DELETED", "REINSTATED"}
)
"""Events that tell a status; after others, such as FLAGGED, it is what it was."""
_AS: Final[Mapping[str, str]] = {"REINSTATED": "APPROVED"}
LONGEST: Final = 512

log = structlog.get_logger(__name__)


class TemplateNews:
    """Notes the status of templates that a webhook tells."""

    def __init__(self, known: TemplateRepository, clock: Clock) -> None:
        self._known = known
        self._clock = clock

    async def take(self, tenant: TenantId, value: Mapping[str, Any]) -> None:
        """Take note of what the field `message_template_status_update` brings.

        Raises:
            Unavailable: the database does not answer.
        """
        name = as_text(value.get("message_template_name")) or ""
        language = as_text(value.get("message_template_language")) or ""
        event = (as_text(value.get("event")) or "").upper()
        if not name or not language or event not in STATUSES:
            return
        if len(name) > LONGEST or len(language) > LONGEST:
            return
        reason = as_text(value.get("reason")) or ""
        told = KnownTemplate(
            tenant=tenant,
            name=name,
            language=language,
            status=_AS.get(event, event),
            updated_at=self._clock.now(),
            reason="" if reason == "NONE" else reason[:LONGEST],
            meta_id=as_id(value.get("message_template_id")) or "",
        )
        await self._known.note(told)
        tell(told)


def tell(template: KnownTemplate) -> None:
    """Tell an operator how a template stands: until it is approved, nothing is sent by it."""
    say = log.info if template.status in (APPROVED, PENDING) else log.warning
    say(
        "template.noted",
        tenant=template.tenant, template=template.name, language=template.language,
        status=template.status,
    )  # fmt: skip
