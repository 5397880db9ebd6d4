"""The audit on disk: entries are added, in order, and expire."""

from datetime import timedelta

from engine.storage.audit import MongoAudit
from engine.storage.records import AuditDocument
from tests.unit.storage.builders import BAKERY, NOW, PIZZERIA, audit_entry


async def test_entries_are_added_and_found_by_tenant_and_time(database):
    audit = MongoAudit(database)
    for minutes, tenant in ((0, PIZZERIA), (1, BAKERY), (2, PIZZERIA), (3, None)):
        at = NOW + timedelta(minutes=minutes)
        await audit.note(audit_entry(at=at, tenant=tenant))
    rows = database.collection(AuditDocument)
    # As SECURITY.md says to read it.
    found = await rows.find({"tenant": PIZZERIA}).sort("at", -1).to_list()
    assert [row["at"] for row in found] == [NOW + timedelta(minutes=2), NOW]
    assert await rows.count_documents({}) == 4
    assert found[0] == {
        "_id": found[0]["_id"],
        "at": NOW + timedelta(minutes=2),
        "actor": "token:0123456789ab",
        "client": "ba9876543210",
        "action": "POST /api/v1/inbox/{tenant}/retry",
        "tenant": PIZZERIA,
        "outcome": "200",
        "expireAt": NOW + timedelta(days=365),
    }


async def test_the_same_thing_done_twice_is_noted_twice(database):
    audit = MongoAudit(database)
    await audit.note(audit_entry())
    await audit.note(audit_entry())
    assert await database.collection(AuditDocument).count_documents({}) == 2
