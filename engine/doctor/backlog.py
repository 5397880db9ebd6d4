"""Checks of what waits and what failed, in the inbox and the outbox."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from engine.box_ports import Backlog
from engine.doctor.findings import Finding, counted, failed, ok, warning
from engine.doctor.patient import Installation, Patient
from engine.doctor.registry import Registry
from engine.storage.inbox import MongoInbox
from engine.storage.operator_rows import MongoInboxRows, MongoOutboxRows
from engine.storage.outbox import MongoOutbox

DOUBTFUL: Final = 0.25
"""The part of INBOX_MAX_AGE after which it is worth a look."""
_START: Final = "start more processes: `comanda serve --role worker`"

registry = Registry()


@registry.check(
    "backlog.inbox",
    "inbox age",
    remedy=_START,
    needs=("database.reachable",),
)
async def inbox(installation: Installation) -> Finding:
    """Are messages of customers answered in time?"""
    box = MongoInbox(
        installation.database,
        retention=installation.settings.retention(),
        clock=installation.clock,
    )
    return _aged(await box.backlog(), installation, "wait for their turn")


@registry.check(
    "backlog.outbox",
    "outbox age",
    remedy=_START,
    needs=("database.reachable",),
)
async def outbox(installation: Installation) -> Finding:
    """Are messages to customers sent in time?"""
    box = MongoOutbox(
        installation.database,
        retention=installation.settings.retention(),
        clock=installation.clock,
    )
    return _aged(await box.backlog(), installation, "wait to be sent")


@registry.check(
    "backlog.unanswered",
    "unanswered",
    remedy="comanda inbox list {tenant} --state dead; when it is mended, `comanda inbox retry "
    "{tenant} --all --state dead`",
    needs=("database.reachable",),
)
async def unanswered(patient: Patient) -> Finding:
    """Were messages of the tenant's customers given up?"""
    rows = MongoInboxRows(patient.means.database, patient.tenant)
    return _given_up(await rows.counts(), ("dead",))


@registry.check(
    "backlog.unsent",
    "unsent",
    remedy="comanda outbox list {tenant}; when it is mended, `comanda outbox retry {tenant} --all "
    "--state dead`",
    needs=("database.reachable",),
)
async def unsent(patient: Patient) -> Finding:
    """Were messages to the tenant's customers given up, or not taken by Meta?"""
    rows = MongoOutboxRows(patient.means.database, patient.tenant)
    return _given_up(await rows.counts(), ("dead", "failed", "held", "unknown"))


def _aged(backlog: Backlog, installation: Installation, plight: str) -> Finding:
    if backlog.since is None:
        return ok("nothing waits")
    age, most = _age(backlog.since, installation.clock.now()), installation.settings.inbox_max_age
    said = f"{counted(backlog.depth, 'message')} {plight}, the first for {age:.0f} s"
    if age > most:
        return failed(said)
    return warning(said) if age > most * DOUBTFUL else ok(said)


def _age(since: datetime, now: datetime) -> float:
    return max((now - since).total_seconds(), 0.0)


def _given_up(counts: Mapping[str, int], states: tuple[str, ...]) -> Finding:
    found = [f"{counts[state]} {state}" for state in states if counts.get(state)]
    if not found:
        return ok("none was given up")
    said = ", ".join(found)
    return failed(said) if counts.get("dead") else warning(said)
