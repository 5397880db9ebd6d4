"""What a command has changed is noted in the audit, beside what came by HTTP."""

import os
import pwd
from functools import partial
from typing import Protocol

import click

from engine.clock import SystemClock
from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.row_ports import AuditEntry
from engine.settings import Settings
from engine.storage.audit import MongoAudit
from engine.storage.connection import Database


class Noted(Protocol):
    """Notes what a command has done to a tenant."""

    async def __call__(self, action: str, *, outcome: str = "done") -> None:
        """Note it."""
        ...


def noted(database: Database, settings: Settings, tenant: TenantId) -> Noted:
    """Give what notes the deeds of a command about one tenant."""
    return partial(note, database, settings, tenant=tenant)


async def note(
    database: Database,
    settings: Settings,
    action: str,
    *,
    tenant: TenantId | None,
    outcome: str = "done",
) -> None:
    """Note that a command has changed something.

    What is done stays done if it cannot be noted: that is told on standard error.

    Args:
        action: the command, such as `inbox retry`; nothing that was given to it.
    """
    now = SystemClock().now()
    entry = AuditEntry(
        at=now,
        actor=f"command:{user()}",
        client="",
        action=action,
        tenant=tenant,
        outcome=outcome,
        kept_until=now + settings.audited_for(),
    )
    try:
        await MongoAudit(database).note(entry)
    except EngineError as error:
        click.echo(f"{action}: it is not in the audit: {error}", err=True)


def user() -> str:
    """Name the user of the machine; the environment is not asked, as he can change it."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        # In a container there may be a number without a name.
        return str(number)
