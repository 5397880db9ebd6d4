"""One look at Meta: what a tenant declares is made so there, and what became of it is noted.

What Meta lets be edited: its page templates/template-management, "Edit templates".
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.errors import GraphError, GraphRetryable
from engine.message_templates.ports import (
    APPROVED,
    PENDING,
    KnownTemplate,
    MetaTemplate,
    TemplateCalls,
    TemplateRepository,
)
from engine.whatsapp.templates import Definition

MOST_AN_HOUR: Final = 100
"""Templates that Meta lets an account create in an hour (templates/overview)."""
AN_HOUR: Final = timedelta(hours=1)
A_DAY: Final = timedelta(hours=24)
A_MONTH: Final = timedelta(days=30)
EDITS_A_DAY: Final = 1
EDITS_A_MONTH: Final = 10
_ANEW: Final = frozenset({"REJECTED", "PAUSED"})
"""What is edited as often as one likes, and may get another category."""
_LOOKED_AT: Final = frozenset({PENDING, "IN_APPEAL"})
_OURS: Final = "give the declared one another 'name'"

Verb: TypeAlias = Literal["known", "created", "edited", "missing", "different", "refused", "later"]
Held: TypeAlias = Mapping[tuple[str, str], MetaTemplate]


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one declared template.

    Args:
        verb: known: Meta has it; created just now; edited just now; missing: it is to be created;
            different: Meta has another text under its name; refused by Meta; later: not now.
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
        is_there = self.verb in ("known", "created", "edited")
        return is_there and self.status in (APPROVED, PENDING)


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
        """Create what is missing, edit what is different, and note how everything stands.

        Args:
            is_checking: create and edit nothing.

        Raises:
            GraphError: Meta does not tell what it has.
            Unavailable: the database does not answer.
        """
        held = await self._held(waba_id)
        known = {(each.name, each.language): each for each in await self._known.all(tenant)}
        room = MOST_AN_HOUR - self._created_lately(known)
        steps = []
        for definition in definitions:
            key = definition.name, definition.language
            there = held.get(key)
            if there is not None:
                await self._known.note(there.known(tenant, self._clock.now()))
                step = _compared(definition, there, known.get(key), is_checking=is_checking)
                steps.append(step or await self._edit(definition, there, known[key]))
            elif is_checking:
                steps.append(_step(definition, "missing"))
            elif room <= 0:
                reason = f"Meta takes {MOST_AN_HOUR} in an hour: run it again in an hour"
                steps.append(_step(definition, "later", reason=reason))
            else:
                step = await self._create(tenant, waba_id, definition)
                steps.append(step)
                room = 0 if step.verb == "later" else room - 1
        return await self._after_edits(tenant, waba_id, tuple(steps))

    async def _held(self, waba_id: str) -> Held:
        return {(each.name, each.language): each for each in await self._calls.templates(waba_id)}

    def _created_lately(self, known: Mapping[tuple[str, str], KnownTemplate]) -> int:
        since = self._clock.now() - AN_HOUR
        times = (each.created_at for each in known.values())
        return sum(at is not None and at > since for at in times)

    async def _create(self, tenant: TenantId, waba_id: str, definition: Definition) -> Step:
        try:
            made = await self._calls.create(waba_id, definition)
        except GraphRetryable as error:
            return _step(definition, "later", reason=_said(error))
        except GraphError as error:
            return _step(definition, "refused", reason=_said(error))
        now = self._clock.now()
        await self._known.note(made.known(tenant, now, created_at=now))
        return _step(definition, "created", status=made.status)

    async def _edit(
        self, definition: Definition, there: MetaTemplate, known: KnownTemplate
    ) -> Step:
        now = self._clock.now()
        lately = tuple(at for at in known.edited_at if at > now - A_MONTH)
        is_free = there.status in _ANEW
        if not is_free and (until := _closed_until(lately, now)):
            reason = (
                "Meta lets an approved template be edited once in 24 hours and 10 times in 30 "
                f"days: run it again after {until:%Y-%m-%d %H:%M} UTC"
            )
            return _step(definition, "later", status=there.status, reason=reason)
        is_other = is_free and definition.category != there.category
        try:
            category = definition.category if is_other else ""
            await self._calls.edit(there.id, definition, category=category)
        except GraphRetryable as error:
            return _step(definition, "later", status=there.status, reason=_said(error))
        except GraphError as error:
            reason = f"Meta did not take the edit: {_said(error)}"
            return _step(definition, "refused", status=there.status, reason=reason)
        # Until Meta tells otherwise, somebody looks at it: nothing is sent by it meanwhile.
        edited = replace(there, status=PENDING, reason="", category=category or there.category)
        edits = lately if is_free else (*lately, now)
        await self._known.note(edited.known(known.tenant, now, edited_at=edits))
        return _step(definition, "edited", status=PENDING)

    async def _after_edits(
        self, tenant: TenantId, waba_id: str, steps: tuple[Step, ...]
    ) -> tuple[Step, ...]:
        """Note how the edited ones stand: Meta does not say so in its answer to an edit."""
        edited = [step for step in steps if step.verb == "edited"]
        if not edited:
            return steps
        try:
            held = await self._held(waba_id)
        except GraphError:
            return steps  # they are asked for again
        stands = {}
        for step in edited:
            there = held.get((step.name, step.language))
            if there is not None:
                await self._known.note(there.known(tenant, self._clock.now()))
                stands[step] = replace(step, status=there.status, reason=there.reason)
        return tuple(stands.get(step, step) for step in steps)


def _compared(
    definition: Definition,
    there: MetaTemplate,
    known: KnownTemplate | None,
    *,
    is_checking: bool,
) -> Step | None:
    """Tell what is to be said of a template Meta has; None if it is to be edited."""
    status = there.status
    is_same = there.digest == definition.digest
    if is_same and status in _ANEW and there.category:
        # It may have been rejected for its category.
        is_same = there.category == definition.category
    if is_same:
        return _step(definition, "known", status=status, reason=there.reason)
    if known is None or known.created_at is None:
        reason = f"Meta has another text, which somebody else made: change it there, or {_OURS}"
    elif status in _LOOKED_AT:
        reason = "Meta still looks at its text of before: run it again when it has decided"
        return _step(definition, "later", status=status, reason=reason)
    elif status != APPROVED and status not in _ANEW:
        reason = f"Meta lets nobody edit a template that is {status.lower()}: {_OURS}"
    elif is_checking:
        reason = "Meta has another text: without --check it is edited"
    else:
        return None
    return _step(definition, "different", status=status, reason=reason)


def _closed_until(edits: tuple[datetime, ...], now: datetime) -> datetime | None:
    """Tell from when an approved template may be edited again; None if it may be now."""
    spans = ((A_DAY, EDITS_A_DAY), (A_MONTH, EDITS_A_MONTH))
    inside = (
        (span, [at for at in sorted(edits) if at > now - span], most) for span, most in spans
    )
    return max(
        (lately[-most] + span for span, lately, most in inside if len(lately) >= most),
        default=None,
    )


def _step(definition: Definition, verb: Verb, *, status: str = "", reason: str = "") -> Step:
    return Step(definition.name, definition.language, verb, status, reason)


def _said(error: GraphError) -> str:
    return f"{error} {error.details}".strip()
