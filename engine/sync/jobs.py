"""Which walk a tenant is due for, and what becomes of it: pure, nothing is walked here."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Literal

from engine.sync.runs import Job, SyncRun

COMPARE_EVERY: Final = timedelta(minutes=15)
"""Between two comparisons with what Meta was given: the net below the change feed."""
VERIFY_EVERY: Final = timedelta(hours=24)
"""Between two comparisons with what Meta has: it tells nobody of changes made by hand."""


def next_job(run: SyncRun, now: datetime) -> datetime:
    """Tell when a tenant's next walk begins, or goes on."""
    if run.job or run.requested or run.compared_at is None:
        return now
    return run.compared_at + COMPARE_EVERY


def begun(run: SyncRun, now: datetime, new_id: Callable[[], str]) -> SyncRun:
    """Take up the walk somebody asked for, else one whose time has come; else change nothing."""
    # One that an alert keeps gives way: whoever asks hopes that it is mended.
    if run.job and not (run.requested and run.is_blocked):
        return run
    is_first = run.compared_at is None and run.verified_at is None
    # The first walk sends everything: there is nothing to doubt before a day is over.
    run = replace(run, verified_at=now) if is_first and run.job is None else run
    if run.requested:
        job = replace(run.requested, started_at=now)
        # What an alert kept from being done is done too.
        job = replace(job, kind=_more(job, run.job)) if run.job else job
        return replace(run, job=job, requested=None, held_until=None, alert=None)
    if next_job(run, now) > now:
        return run
    is_doubted = run.compared_at is not None and _is_old(run.verified_at, now)
    return replace(run, job=Job(new_id(), "verify" if is_doubted else "changed", now, now))


def finished(run: SyncRun, now: datetime) -> SyncRun:
    """End the walk under way."""
    if run.job is None:
        return run
    compared = run.job.started_at or now
    return replace(run, job=None, last=replace(run.job, finished_at=now), compared_at=compared)


def started_over(
    run: SyncRun, now: datetime, new_id: Callable[[], str], *, is_doubted: bool
) -> SyncRun:
    """Let a walk go over everything, also over what Meta has if that is doubted."""
    job = run.job
    if is_doubted:
        doubting = Job(new_id(), "verify", now)
        job = doubting if job is None else replace(job, kind=_more(job, doubting))
        job = replace(job, started_at=now)
    if job:
        job = replace(job, shelf=None, position=None, done=0, walked=False)
    return replace(run, job=job, compared_at=None)


def _more(job: Job, other: Job) -> Literal["changed", "full", "verify"]:
    """Give the kind of the one that does more."""
    return job.kind if job.covers(other) else other.kind


def _is_old(verified_at: datetime | None, now: datetime) -> bool:
    return verified_at is None or verified_at + VERIFY_EVERY <= now
