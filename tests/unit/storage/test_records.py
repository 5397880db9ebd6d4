"""The shape of the engine's own rows: their indexes, and that what is written has it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.box_ports import StatusNews
from engine.clock import ManualClock
from engine.domain.ids import ProductId
from engine.slots import Member, SlotTable
from engine.storage.audit import MongoAudit
from engine.storage.erasure import MongoErasure
from engine.storage.flow_keys import MongoFlowKeys
from engine.storage.meta_records import DeploymentDocument, FlowKeyDocument
from engine.storage.operator_rows import MongoInboxRows, MongoOutboxRows
from engine.storage.records import (
    DOCUMENTS,
    AuditDocument,
    ConversationDocument,
    FlowSessionDocument,
    InboxDocument,
    OrderFeedDocument,
    OutboxDocument,
    ReadingDocument,
    SlotsDocument,
    TimerDocument,
    TurnDocument,
)
from engine.storage.sync import MongoSync
from engine.storage.sync_records import (
    SYNC_DOCUMENTS,
    SyncBatchDocument,
    SyncCatalogDocument,
    SyncFeedDocument,
    SyncMarkDocument,
    SyncRunDocument,
    SyncStateDocument,
)
from engine.storage.version_records import ContentDocument, LiveDocument
from engine.sync.ports import CatalogKey
from engine.sync.runs import Alert, Job, SyncRun
from engine.whatsapp.flow_crypto import FlowKey
from tests.unit.storage.builders import (
    ANA,
    BEN,
    NOW,
    PIZZERIA,
    audit_entry,
    conversation,
    deployment,
    flow_session,
    inbox_row,
    outbox_entry,
    timer,
    turn,
)
from tests.unit.storage.shapes import assert_has_the_shape, indexes
from tests.unit.storage.sync_builders import batch, catalogue, item, mark
from tests.unit.storage.test_recordings import WHOLE

EXPIRES = {"expireAfterSeconds": 0}
OURS = {
    ConversationDocument: {"tenant phone": {}},
    InboxDocument: {
        "state slot due": {"partialFilterExpression": {"state": "new"}},
        "tenant state receivedAt": {"partialFilterExpression": {"state": {"$lt": "done"}}},
        "tenant customer receivedAt": {},
        "expireAt": EXPIRES,
    },
    OutboxDocument: {
        "state slot due": {"partialFilterExpression": {"state": "queued"}},
        "tenant state createdAt": {"partialFilterExpression": {"state": {"$lt": "queued"}}},
        "tenant customer sequence": {},
        "tenant providerId": {"partialFilterExpression": {"providerId": {"$gt": ""}}},
        "tenant about": {"partialFilterExpression": {"about": {"$gt": ""}}},
        "tenant handoff": {"partialFilterExpression": {"handoff": {"$gt": ""}}},
        "expireAt": EXPIRES,
    },
    TimerDocument: {"due slot": {}, "customer tenant entry": {}},
    TurnDocument: {"tenant customer version": {}, "expireAt": EXPIRES},
    ReadingDocument: {"expireAt": EXPIRES},
    SlotsDocument: {},
    FlowSessionDocument: {"tenant customer": {}, "expireAt": EXPIRES},
    DeploymentDocument: {"tenant metaId": {"unique": True}},
    FlowKeyDocument: {},
    AuditDocument: {"tenant at": {}, "expireAt": EXPIRES},
    SyncStateDocument: {
        "tenant catalog _id": {},
        "tenant product": {},
        "tenant status batch": {},
        "document": {},
    },
    SyncMarkDocument: {"at _id": {}, "tenant at _id": {}},
    SyncRunDocument: {"due until": {}},
    SyncBatchDocument: {
        "tenant finishedAt sentAt": {},
        "catalogId sentAt": {},
        "catalogId handles": {},
        "expireAt": EXPIRES,
    },
    SyncCatalogDocument: {
        "tenant key": {},
        "catalogId": {
            "unique": True,
            "partialFilterExpression": {"catalogId": {"$gt": ""}},
        },
    },
    SyncFeedDocument: {},
}


@pytest.mark.parametrize("document", OURS)
async def test_the_indexes_are_those_we_need(database, document):
    assert await indexes(database, document) == OURS[document]


async def test_there_are_no_other_collections(database):
    found = await database.client[database.name].list_collection_names()
    # One without an index comes with its first document.
    kinds = (
        FlowKeyDocument, SlotsDocument, SyncFeedDocument, ContentDocument, LiveDocument,
            OrderFeedDocument,
    )  # fmt: skip
    late = {kind.get_collection_name() for kind in kinds}
    assert set(found) | late == {document.get_collection_name() for document in DOCUMENTS}


async def test_what_is_written_has_the_shape_of_its_document(
    database, store, inbox, outbox, tables, vault
):
    rows = [inbox_row(f"w{n}", timestamp=n) for n in range(6)]
    entries = [outbox_entry(n=n, sequence=n) for n in range(8)]
    template = {"type": "template"}
    entries[7] = replace(entries[7], window_ends=NOW, template=template)
    await inbox.accept(rows)
    await inbox.postpone(rows[1], until=NOW + timedelta(minutes=1), error="later")
    await inbox.bury(rows[2], error="never")
    later = NOW + timedelta(minutes=1)
    set_now = (timer(), timer("cart", entry=None))
    talk = conversation(page=2)
    first = turn("w0", talk, outbox=tuple(entries), timers=set_now)
    await store.commit(replace(first, log=replace(first.log, recording=WHOLE)))
    await outbox.postpone(entries[1], until=later, error="later", is_unknown=True)
    await outbox.bury(entries[2], error="never")
    for n, status in ((0, "read"), (3, "failed"), (6, "failed")):
        if n != 6:
            await outbox.sent(entries[n], wamid=f"wamid.{n}", at=NOW)
        await outbox.note_statuses(
            PIZZERIA, [StatusNews(f"wamid.{n}", entries[n].id, status, NOW, None)]
        )
    await outbox.hold(entries[4], reason="the window is closed")
    await outbox.discard(entries[5], reason="not worth it")
    await outbox.switch(entries[6], payload=template, at=NOW)
    messages, replies = MongoInboxRows(database, PIZZERIA), MongoOutboxRows(database, PIZZERIA)
    await messages.discard("111:w4", now=NOW)
    await store.commit(turn("w5", conversation(2), given_up="never"))
    await messages.retry("111:w5", now=NOW)
    await replies.retry(entries[2].id, now=NOW)
    await tables.swap(
        SlotTable(1, members={"a.host": Member(NOW, is_leaving=True)}, owners={0: "a.host"})
    )
    await inbox.accept([inbox_row("b", customer=BEN)])
    flows = [flow_session(id=f"flow{n}", variables={"n": n}) for n in range(3)]
    await store.commit(turn("b", conversation(customer=BEN), flow_sessions=tuple(flows)))
    await store.flow_sessions.save(flow_session(1, id="flow1", trail=("SIZE",)))
    done = flow_session(1, id="flow2", params={"quantity": 2})
    await store.commit(turn("w3", conversation(3), flow_done=done))
    await store.deployments.save(deployment())
    await store.deployments.hold("meta-1", status="THROTTLED", until=NOW, at=NOW)
    keys = MongoFlowKeys(database, vault=vault, clock=ManualClock(NOW))
    await keys.save(PIZZERIA, FlowKey.generate())
    await MongoAudit(database).note(audit_entry())
    for document in set(OURS) - set(SYNC_DOCUMENTS):
        await assert_has_the_shape(database, document)
    await MongoErasure(database, PIZZERIA).forget(ANA, now=NOW)
    await assert_has_the_shape(database, InboxDocument)


async def test_what_the_sync_writes_has_the_shape_of_its_document(database):
    sync = MongoSync(database)
    whole = Job(
        "j1",
        "full",
        requested_at=NOW,
        started_at=NOW,
        shelf=CatalogKey("cat:pizza"),
        position=ProductId("prod:a"),
        walked=True,
        finished_at=NOW,
    )
    run = SyncRun(
        PIZZERIA,
        due=NOW,
        job=whole,
        last=whole,
        failures=2,
        held_until=NOW,
        alert=Alert(code=190, sentence="the token has expired", since=NOW, token="f1"),
        compared_at=NOW,
        verified_at=NOW,
    )
    await sync.states(PIZZERIA).put([item(), item("prod:b", status="failed", error="no image")])
    await sync.marks.add([mark()])
    await sync.runs.claim(PIZZERIA, owner="me", now=NOW, until=NOW + timedelta(minutes=1))
    await sync.runs.save(run, owner="me", until=NOW)
    await sync.runs.wake(PIZZERIA, at=NOW)
    await sync.batches.add(batch())
    await sync.batches.add(batch("h2", finished_at=NOW))
    await sync.catalogs.save(catalogue(sets={"cat:a.b": ("set-1", "Pizza")}))
    await sync.feed.claim(owner="me", now=NOW, until=NOW)
    await sync.feed.restart(owner="me")
    await sync.feed.close()
    for document in SYNC_DOCUMENTS:
        await assert_has_the_shape(database, document)
