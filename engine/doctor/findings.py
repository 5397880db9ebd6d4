"""What a check answers: a verdict, the reason, and what mends it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from engine.domain.ids import TenantId

Verdict: TypeAlias = Literal["ok", "warning", "failed", "skipped"]
VERDICTS: Final[tuple[Verdict, ...]] = ("ok", "warning", "failed", "skipped")
FEW: Final = 5
"""Ids that are named in a sentence; the others are counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check answers.

    Args:
        remedy: the command or deed that mends this; empty for the one of the check.
    """

    verdict: Verdict
    reason: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a check.

    Args:
        tenant: whose it is; None if it is of the whole installation.
        remedy: empty when nothing is to be mended.
        mended: what `--fix` did, or why it could not.
    """

    code: str
    title: str
    tenant: TenantId | None
    verdict: Verdict
    reason: str
    remedy: str = ""
    mended: str = ""

    @property
    def group(self) -> str:
        """Name the module of the check."""
        return self.code.partition(".")[0]


def ok(reason: str) -> Finding:
    """Answer that all is well."""
    return Finding("ok", reason)


def warning(reason: str, remedy: str = "") -> Finding:
    """Answer that it works, and should not stay so."""
    return Finding("warning", reason, remedy)


def failed(reason: str, remedy: str = "") -> Finding:
    """Answer that something is wrong."""
    return Finding("failed", reason, remedy)


def skipped(reason: str) -> Finding:
    """Answer that it could not be asked."""
    return Finding("skipped", reason)


def worst(findings: Sequence[Finding], *, well: str) -> Finding:
    """Make one answer of several: the worst verdict, with the reasons of all that are not well.

    Args:
        well: what to say when nothing is wrong.
    """
    bad = [finding for finding in findings if finding.verdict != "ok"]
    if not bad:
        return ok(well)
    order: tuple[Verdict, ...] = ("ok", "skipped", "warning", "failed")
    heaviest = max(bad, key=lambda finding: order.index(finding.verdict))
    reasons = "; ".join(finding.reason for finding in bad)
    return Finding(heaviest.verdict, reasons, heaviest.remedy)


def some(names: Sequence[str]) -> str:
    """Name a few, and say how many others there are."""
    named = ", ".join(names[:FEW])
    more = len(names) - FEW
    return f"{named} and {more} more" if more > 0 else named


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: `1 product`, `3 products`, `2 categories`."""
    if number == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {plural}"
