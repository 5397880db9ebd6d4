"""One look at Meta: what a tenant declares is created there, and what became of it is noted."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, TypeAlias

from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.errors import GraphError, GraphRetryable
from engine.message_templates.ports import (
    APPROVED,
    KnownTemplate,
    MetaTemplate,
    TemplateCalls,
    TemplateRepository,
)
from engine.whatsapp.templates import Definition

MOST_AN_HOUR: Final = 100
"""Templates that Meta lets an account create in an hour (templates/overview)."""
AN_HOUR: Final = timedelta(hours=1)

Verb: TypeAlias = Literal["known", "created", "missing", "different", "refused", "later"]


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one declared template.

    Args:
        verb: known: Meta has it; created just now; missing: it is to be created; different: Meta
            has another text under its name; refused by Meta; later: not now.
        status: Meta's.
        reason: why it was refused or rejected, or what to do.
    """

    name: str
    language: str
    verb: Verb
    status: str = ""
    reason: str = ""

    @property
    def is_well(self) -> bool:
        """Tell whether it can be sent, or will be if Meta approves it."""
        return self.verb in ("known", "created") and self.status in (APPROVED, "PENDING")


class TemplateSync:
    """Compares what tenants declare with what Meta has.

    Args:
        known: gets what Meta says.
    """

    def __init__(self, *, calls: TemplateCalls, known: TemplateRepository, clock: Clock) -> None:
        self._calls = calls
        self._known = known
        self._clock = clock

    async def sync(
        self,
        tenant: TenantId,
        waba_id: str,
        definitions: tuple[Definition, ...],
        *,
        is_checking: bool = False,
    ) -> tuple[Step, ...]:
        """Create what is missing, and note how everything stands.

        Args:
            is_checking: create nothing.

        Raises:
            GraphError: Meta does not tell what it has.
            Unavailable: the database does not answer.
        """
        held = {(each.name, each.language): each for each in await self._calls.templates(waba_id)}
        room = MOST_AN_HOUR - await self._created_lately(tenant)
        steps = []
        for definition in definitions:
            there = held.get((definition.name, definition.language))
            if there is not None:
                await self._note(tenant, there)
                steps.append(_compared(definition, there))
            elif is_checking:
                steps.append(_step(definition, "missing"))
            elif room <= 0:
                reason = f"Meta takes {MOST_AN_HOUR} in an hour: run it again in an hour"
                steps.append(_step(definition, "later", reason=reason))
            else:
                step = await self._create(tenant, waba_id, definition)
                steps.append(step)
                room = 0 if step.verb == "later" else room - 1
        return tuple(steps)

    async def _created_lately(self, tenant: TenantId) -> int:
        since = self._clock.now() - AN_HOUR
        known = await self._known.all(tenant)
        return sum(each.created_at is not None and each.created_at > since for each in known)

    async def _create(self, tenant: TenantId, waba_id: str, definition: Definition) -> Step:
        try:
            made = await self._calls.create(waba_id, definition)
        except GraphRetryable as error:
            return _step(definition, "later", reason=_said(error))
        except GraphError as error:
            return _step(definition, "refused", reason=_said(error))
        await self._note(tenant, made, is_ours=True)
        return _step(definition, "created", status=made.status)

    async def _note(
        self, tenant: TenantId, template: MetaTemplate, *, is_ours: bool = False
    ) -> None:
        now = self._clock.now()
        await self._known.note(
            KnownTemplate(
                tenant=tenant,
                name=template.name,
                language=template.language,
                status=template.status,
                updated_at=now,
                category=template.category,
                reason=template.reason,
                meta_id=template.id,
                created_at=now if is_ours else None,
            )
        )


def _compared(definition: Definition, there: MetaTemplate) -> Step:
    if there.digest != definition.digest:
        reason = "Meta has another text under this name: give the declared one another 'name'"
        return _step(definition, "different", status=there.status, reason=reason)
    return _step(definition, "known", status=there.status, reason=there.reason)


def _step(definition: Definition, verb: Verb, *, status: str = "", reason: str = "") -> Step:
    return Step(definition.name, definition.language, verb, status, reason)


def _said(error: GraphError) -> str:
    return f"{error} {error.details}".strip()
