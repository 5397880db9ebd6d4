"""Runs checks: independent ones at once, each within its time; none of them raises or hangs.

What they ask is theirs.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from engine.deployment.calls import explain
from engine.doctor.findings import Finding, Result, failed, skipped
from engine.doctor.patient import Installation, Patient
from engine.doctor.registry import Check
from engine.domain.ids import TenantId
from engine.errors import EngineError, GraphError
from engine.spec.problems import SpecError

SECONDS: Final = 40.0
"""How long a check may take: a call to Meta has 20 s, and some need two."""
AT_ONCE: Final = 16
"""Checks that run at the same time."""
HIDDEN: Final = "***"
SHORTEST: Final = 6
"""Characters of a secret that is left out: a shorter one is part of many words."""

T = TypeVar("T")
Key = tuple[TenantId | None, str]


@dataclass(frozen=True, slots=True)
class _Case:
    """A check of a subject."""

    check: Check
    subject: Installation | Patient

    @property
    def tenant(self) -> TenantId | None:
        return self.subject.tenant if isinstance(self.subject, Patient) else None

    @property
    def key(self) -> Key:
        return self.tenant, self.check.code


class Examination:
    """Asks the checks of an installation and of tenants.

    Args:
        checks: in an order in which each comes after those that it needs.
        seconds: how long a check may take.
    """

    def __init__(
        self,
        checks: Iterable[Check],
        installation: Installation,
        patients: Sequence[Patient],
        *,
        seconds: float = SECONDS,
    ) -> None:
        self._checks = tuple(checks)
        self._installation = installation
        self._patients = patients
        self._seconds = seconds
        self._places = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> tuple[Result, ...]:
        """Ask all checks, and change nothing."""
        tasks: dict[Key, asyncio.Task[Result]] = {}
        for case in self._cases():
            needed = [tasks[key] for key in self._needs(case)]
            tasks[case.key] = asyncio.create_task(self._when_asked(case, needed))
        return tuple([await task for task in tasks.values()])

    async def mend(self) -> tuple[Result, ...]:
        """Ask one check after the other; mend what fails and can be mended, and ask it again."""
        results: dict[Key, Result] = {}
        for case in self._cases():
            result = await self._ask(case, [results[key] for key in self._needs(case)])
            if result.verdict in ("failed", "warning") and case.check.mend:
                result = await self._mended(case, result)
            results[case.key] = result
        return tuple(results.values())

    def _cases(self) -> Iterator[_Case]:
        for check in self._checks:
            if not check.is_of_tenant:
                yield _Case(check, self._installation)
        for patient in self._patients:
            for check in self._checks:
                if check.is_of_tenant:
                    yield _Case(check, patient)

    def _needs(self, case: _Case) -> Iterator[Key]:
        of_tenant = {check.code for check in self._checks if check.is_of_tenant}
        for code in case.check.needs:
            yield (case.tenant if code in of_tenant else None), code

    async def _when_asked(self, case: _Case, needed: Sequence[asyncio.Task[Result]]) -> Result:
        before = [await task for task in needed]
        async with self._places:
            return await self._ask(case, before)

    async def _ask(self, case: _Case, before: Sequence[Result]) -> Result:
        for each in before:
            if each.verdict == "skipped":
                return self._result(case, skipped(each.reason))  # the one that failed is in it
            if each.verdict == "failed":
                return self._result(case, skipped(f"not asked: {each.code} failed"))
        found = await self._tried(case.check.look(case.subject))
        return self._result(case, found)

    async def _mended(self, case: _Case, before: Result) -> Result:
        assert case.check.mend
        told = await self._tried(case.check.mend(case.subject))
        if isinstance(told, Finding):
            return self._result(
                case, Finding(before.verdict, before.reason), f"it could not: {told.reason}"
            )
        self._installation.forget()
        for patient in self._patients:
            patient.forget()
        return self._result(case, await self._tried(case.check.look(case.subject)), told)

    async def _tried(self, asking: Awaitable[T]) -> T | Finding:
        """Wait for an answer; one that does not come or raises is a failed check."""
        task = asyncio.ensure_future(asking)
        try:
            await asyncio.wait({task}, timeout=self._seconds)
        finally:
            is_done = task.done()
            task.cancel()
        if not is_done:
            return failed(f"it took longer than {self._seconds:.0f} seconds")
        error = task.exception()
        return task.result() if error is None else failed(_sentence(error))

    def _result(self, case: _Case, found: Finding, mended: str = "") -> Result:
        check, tenant = case.check, case.tenant or ""
        remedy = ""
        if found.verdict in ("failed", "warning"):
            remedy = (found.remedy or check.remedy).replace("{tenant}", tenant)
        return Result(
            code=check.code,
            title=check.title,
            tenant=case.tenant,
            verdict=found.verdict,
            reason=self._safe(found.reason, case),
            remedy=self._safe(remedy, case),
            mended=self._safe(mended, case),
        )

    def _safe(self, text: str, case: _Case) -> str:
        """Leave secrets out: what Meta and the driver say may quote one."""
        hidden = self._installation.secrets()
        if isinstance(case.subject, Patient):
            hidden |= case.subject.secrets()
        for secret in sorted(hidden, key=len, reverse=True):
            if len(secret) >= SHORTEST:
                text = text.replace(secret, HIDDEN)
        return " ".join(text.split())


def counts(results: Iterable[Result]) -> Mapping[str, int]:
    """Count verdicts."""
    told = dict.fromkeys(("ok", "warning", "failed", "skipped"), 0)
    for result in results:
        told[result.verdict] += 1
    return told


def _sentence(error: BaseException) -> str:
    if isinstance(error, GraphError):
        return explain(error)
    if isinstance(error, SpecError):
        return f"the files have {len(error.problems)} problems"
    if isinstance(error, EngineError):
        return str(error)
    # Without its text: nobody knows what is in it.
    return f"the check itself broke ({type(error).__name__}); please report it"
