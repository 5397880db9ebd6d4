"""What an earlier version left waiting is found, and what it left for ever has an end."""

from datetime import UTC, datetime, timedelta

from engine.storage.inbox import MongoInbox, row_to_disk
from engine.storage.outbox import MongoOutbox, entry_to_disk
from engine.storage.records import (
    RETENTION,
    InboxDocument,
    OutboxDocument,
    TimerDocument,
    TurnDocument,
)
from engine.storage.timers import MongoTimers, timer_to_disk
from engine.storage.upgrade import PAGE, upgrade
from tests.unit.storage.builders import ANA, BEN, EVERY_SLOT, NOW, inbox_row, outbox_entry, timer


def earlier(document):
    """Give a row as the version before wrote it."""
    lacked = ("slot", "expireAt", "windowEnds", "template", "isUnknown", "phoneNumberId")
    kept = ("slot", "expireAt") if "payload" in document else lacked
    return {field: value for field, value in document.items() if field not in kept}


async def test_what_waited_has_its_turn_and_goes_out(database):
    message, entry, due = inbox_row(), outbox_entry(), timer()
    for document, row in (
        (InboxDocument, row_to_disk(message)),
        (OutboxDocument, entry_to_disk(entry)),
        (TimerDocument, timer_to_disk(due)),
    ):
        await database.collection(document).insert_one(earlier(row))
    later = NOW + timedelta(days=1)
    assert await MongoInbox(database).waiting(EVERY_SLOT, now=later) == ()
    await database.close()
    await database.open()
    inbox, outbox, timers = MongoInbox(database), MongoOutbox(database), MongoTimers(database)
    assert await inbox.waiting(EVERY_SLOT, now=later) == (message,)
    assert [found.id for found in await outbox.waiting(EVERY_SLOT, now=later)] == [entry.id]
    assert [found.id for found in await timers.due(EVERY_SLOT, now=later)] == [due.id]


async def test_many_get_what_they_lack_and_others_keep_what_they_have(database):
    rows = database.collection(InboxDocument)
    many = [inbox_row(f"w{n}", customer=(ANA, BEN)[n % 2]) for n in range(PAGE + 2)]
    await rows.insert_many([earlier(row_to_disk(row)) for row in many])
    await rows.insert_one(row_to_disk(inbox_row("mine")) | {"slot": 77})
    await upgrade(database.collection)
    assert await rows.count_documents({"state": "new", "slot": None}) == 0
    assert await rows.count_documents({"slot": 77}) == 1


async def test_what_would_be_kept_for_ever_has_an_end(database):
    turns, inbox = database.collection(TurnDocument), database.collection(InboxDocument)
    outbox = database.collection(OutboxDocument)
    ends = datetime.now(UTC) + RETENTION * 3
    await turns.insert_many(
        [{"_id": "old", "tenant": "t"}, {"_id": "new", "tenant": "t", "expireAt": ends}]
    )
    await inbox.insert_one(earlier(row_to_disk(inbox_row())) | {"state": "dead"})
    await outbox.insert_many(
        earlier(entry_to_disk(outbox_entry(state))) | {"state": state}
        for state in ("failed", "dead")
    )
    await upgrade(database.collection)
    soon = {"expireAt": {"$lt": ends - RETENTION}}
    assert [row["_id"] async for row in turns.find(soon)] == ["old"]
    assert await inbox.count_documents(soon) == 1
    assert await outbox.count_documents(soon) == 2


async def test_what_waits_has_no_end(database):
    rows = database.collection(InboxDocument)
    await rows.insert_one(earlier(row_to_disk(inbox_row())))
    await upgrade(database.collection)
    assert "expireAt" not in (await rows.find_one({}) or {})
