"""The shape of the engine's own rows: their indexes, and that what is written has it."""

from datetime import timedelta

import pytest

from engine.clock import ManualClock
from engine.storage.flow_keys import MongoFlowKeys
from engine.storage.records import (
    DOCUMENTS,
    ConversationDocument,
    DeploymentDocument,
    FlowKeyDocument,
    FlowSessionDocument,
    InboxDocument,
    OutboxDocument,
    TimerDocument,
    TurnDocument,
)
from engine.whatsapp.flow_crypto import FlowKey
from tests.unit.storage.builders import (
    BEN,
    NOW,
    PIZZERIA,
    conversation,
    deployment,
    flow_session,
    inbox_row,
    outbox_entry,
    timer,
    turn,
)
from tests.unit.storage.shapes import assert_has_the_shape, indexes

EXPIRES = {"expireAfterSeconds": 0}
OURS = {
    ConversationDocument: {"tenant -updatedAt": {}},
    InboxDocument: {
        "state due": {"partialFilterExpression": {"state": "new"}},
        "expireAt": EXPIRES,
    },
    OutboxDocument: {
        "state due": {"partialFilterExpression": {"state": "queued"}},
        "tenant providerId": {"partialFilterExpression": {"providerId": {"$gt": ""}}},
        "expireAt": EXPIRES,
    },
    TimerDocument: {"due": {}, "tenant customer entry": {}},
    TurnDocument: {
        "tenant customer version": {},
        "at": {"expireAfterSeconds": 30 * 24 * 3600},
    },
    FlowSessionDocument: {"tenant customer": {}, "expireAt": EXPIRES},
    DeploymentDocument: {"tenant metaId": {"unique": True}},
    FlowKeyDocument: {},
}


@pytest.mark.parametrize("document", OURS)
async def test_the_indexes_are_those_we_need(database, document):
    assert await indexes(database, document) == OURS[document]


async def test_there_are_no_other_collections(database):
    found = await database.client[database.name].list_collection_names()
    # One without an index comes with its first document.
    late = {FlowKeyDocument.get_collection_name()}
    assert set(found) | late == {document.get_collection_name() for document in DOCUMENTS}


async def test_what_is_written_has_the_shape_of_its_document(
    database, store, inbox, outbox, vault
):
    rows = [inbox_row(f"w{n}", timestamp=n) for n in range(4)]
    entries = [outbox_entry(n=n, sequence=n) for n in range(4)]
    await inbox.accept(rows)
    await inbox.postpone(rows[1], until=NOW + timedelta(minutes=1), error="later")
    await inbox.bury(rows[2], error="never")
    await store.commit(turn("w0", conversation(page=2), outbox=tuple(entries), timers=(timer(),)))
    await outbox.postpone(entries[1], until=NOW + timedelta(minutes=1), error="later")
    await outbox.bury(entries[2], error="never")
    for n, status in ((0, "read"), (3, "failed")):
        await outbox.sent(entries[n], wamid=f"wamid.{n}", at=NOW)
        tenant = entries[n].tenant
        await outbox.note_status(tenant, wamid=f"wamid.{n}", status=status, at=NOW, error=None)
    await inbox.accept([inbox_row("b", customer=BEN)])
    flows = [flow_session(id=f"flow{n}", variables={"n": n}) for n in range(3)]
    await store.commit(turn("b", conversation(customer=BEN), flow_sessions=tuple(flows)))
    await store.flow_sessions.save(flow_session(1, id="flow1", trail=("SIZE",)))
    done = flow_session(1, id="flow2", params={"quantity": 2})
    await store.commit(turn("w3", conversation(2), flow_done=done))
    await store.deployments.save(deployment())
    await store.deployments.hold("meta-1", status="THROTTLED", until=NOW, at=NOW)
    keys = MongoFlowKeys(database, vault=vault, clock=ManualClock(NOW))
    await keys.save(PIZZERIA, FlowKey.generate())
    for document in OURS:
        await assert_has_the_shape(database, document)
