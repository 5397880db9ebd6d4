"""The checks of the doctor: each is one function, registered with its code, title and remedy.

What it asks is the first sentence of its documentation; whether it is of the installation or of
each tenant is told by its argument. Nothing is run here.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from engine.doctor.findings import Finding
from engine.doctor.patient import Installation, Patient

Look = Callable[[Any], Awaitable[Finding]]
"""A check's function: it looks at an `Installation` or a `Patient`."""
Mend = Callable[[Any], Awaitable[str]]
"""What `--fix` does; it tells what it did."""
F = TypeVar("F", bound=Callable[..., Awaitable[Finding]])

_SUBJECTS: Final[Mapping[type, bool]] = {Installation: False, Patient: True}


@dataclass(frozen=True, slots=True)
class Check:
    """A question with a verdict.

    Args:
        code: `<group>.<name>`; programs may build on it.
        remedy: what mends it; `{tenant}` in it is the tenant's name.
        needs: codes of the checks that must not fail before this can be asked.
        is_of_tenant: it is asked for each tenant.
        mend: what `--fix` does, if it can be mended from here.
    """

    code: str
    title: str
    question: str
    remedy: str
    look: Look
    is_of_tenant: bool
    needs: tuple[str, ...] = ()
    mend: Mend | None = None


class Registry:
    """The checks of one module; `merged` makes one of many."""

    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks.values())

    def check(
        self,
        code: str,
        title: str,
        *,
        remedy: str,
        needs: tuple[str, ...] = (),
        mend: Mend | None = None,
    ) -> Callable[[F], F]:
        """Register a check: `async def f(subject: Installation | Patient) -> Finding`."""

        def register(function: F) -> F:
            subject = next(iter(inspect.signature(function).parameters.values())).annotation
            question = " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())
            if not question.endswith("?"):
                raise ValueError(f"{code}: the documentation must ask a question")
            self._add(
                Check(code, title, question, remedy, function, _SUBJECTS[subject], needs, mend)
            )
            return function

        return register

    def _add(self, check: Check) -> None:
        if check.code in self.checks:
            raise ValueError(f"'{check.code}' is registered twice")
        self.checks[check.code] = check


def merged(registries: Iterable[Registry]) -> Registry:
    """Make one registry of several, in their order.

    Raises:
        ValueError: a code is there twice, or a check needs one that does not come before it.
    """
    whole = Registry()
    for each in registries:
        for check in each:
            for need in check.needs:
                known = whole.checks.get(need)
                if known is None or (known.is_of_tenant and not check.is_of_tenant):
                    raise ValueError(f"'{check.code}' needs '{need}', which is not asked before")
            whole._add(check)
    return whole
