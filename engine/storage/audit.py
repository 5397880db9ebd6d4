"""Who did what as an operator, on disk; entries are only ever added, and expire by themselves."""

from bson import ObjectId

from engine.row_ports import AuditEntry
from engine.storage.connection import Database, Json, reachable
from engine.storage.records import AuditDocument


class MongoAudit:
    """The audit of all tenants: `engine.row_ports.Audit`."""

    def __init__(self, database: Database) -> None:
        self._rows = database.collection(AuditDocument)

    async def note(self, entry: AuditEntry) -> None:
        """Add an entry.

        Raises:
            Unavailable: the database does not answer; it may be there or not.
        """
        with reachable():
            await self._rows.insert_one(entry_to_disk(entry))


def entry_to_disk(entry: AuditEntry) -> Json:
    """Write an entry; its id is MongoDB's own, as nobody ever looks for it."""
    return {
        "_id": ObjectId(),
        "at": entry.at,
        "actor": entry.actor,
        "client": entry.client,
        "action": entry.action,
        "tenant": entry.tenant,
        "outcome": entry.outcome,
        "expireAt": entry.kept_until,
    }
