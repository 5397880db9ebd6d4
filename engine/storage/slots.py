"""The table of slots on disk: one document, for all processes; it is not made up here."""

from typing import Final

from pymongo.errors import DuplicateKeyError

from engine.slots import Member, SlotTable
from engine.storage.connection import Database, Json, reachable
from engine.storage.records import SlotsDocument

KEY: Final = "slots"


class MongoSlotTables:
    """The table of slots: `engine.box_ports.SlotTables`."""

    def __init__(self, database: Database) -> None:
        self._rows = database.collection(SlotsDocument)

    async def read(self) -> SlotTable:
        """Give the table; an empty one if there is none."""
        with reachable():
            found = await self._rows.find_one({"_id": KEY})
        return SlotTable() if found is None else table_from_disk(found)

    async def swap(self, table: SlotTable) -> bool:
        """Store a table whose version was raised by one; False if another process was faster."""
        document = table_to_disk(table)
        with reachable():
            if table.version == 1:
                return await self._make(document)
            before = {"_id": KEY, "version": table.version - 1}
            return (await self._rows.replace_one(before, document)).matched_count == 1

    async def _make(self, document: Json) -> bool:
        try:
            await self._rows.insert_one(document)
        except DuplicateKeyError:
            return False
        return True


def table_to_disk(table: SlotTable) -> Json:
    """Write a table."""
    return {
        "_id": KEY,
        "version": table.version,
        "members": [
            {"name": name, "until": member.until, "isLeaving": member.is_leaving}
            for name, member in table.members.items()
        ],
        "owners": {str(slot): owner for slot, owner in table.owners.items()},
    }


def table_from_disk(document: Json) -> SlotTable:
    """Read a table back."""
    return SlotTable(
        version=document["version"],
        members={
            part["name"]: Member(part["until"], part["isLeaving"]) for part in document["members"]
        },
        owners={int(slot): owner for slot, owner in document["owners"].items()},
    )
