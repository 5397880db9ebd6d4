"""A backup taken while messages wait, restored into an empty database, and gone on with.

The dump is every document of every collection, as mongodump's; indexes are made when the engine
opens the database.
"""

from dataclasses import replace

import pytest

from engine.storage.connection import Database
from engine.storage.records import ConversationDocument, InboxDocument, OutboxDocument
from tests.e2e.serve_scene import Town, town
from tests.e2e.sync_scene import eventually, own_database


@pytest.fixture
async def place(tmp_path):
    async with town(tmp_path) as ground:
        yield ground


async def dumped(database):
    held = database.client[database.name]
    names = await held.list_collection_names()
    return {name: await held[name].find({}).to_list() for name in names}


async def restored(database, dump):
    held = database.client[database.name]
    for name, documents in dump.items():
        await held[name].delete_many({})
        if documents:
            await held[name].insert_many(documents)


async def test_what_waited_at_the_backup_is_answered_once(place, tmp_path):
    web, worker = await place.start("web"), await place.start("worker")
    await place.connect(web)
    ana, ben = place.customer("15551110001"), place.customer("15551110002")
    await ana.say("hello")
    await ana.wait_for(1, within=20)
    rows = place.database.collection(InboxDocument)
    await eventually(lambda: _is_quiet(place.database))
    assert await worker.end() == 0
    answered = len(await ana.messages())
    await ben.say("hello")
    await eventually(lambda: rows.count_documents({"state": "new"}))
    dump = await dumped(place.database)
    assert await web.end() == 0

    # Everything else of the first database is lost.
    folder = tmp_path / "restored"
    folder.mkdir()
    async with own_database(folder) as (uri, database):
        await restored(database, dump)
        settings = place.settings.model_copy(
            update={"mongodb_uri": uri, "mongodb_db_name": database.name}
        )
        again = replace(place, settings=settings, database=database, folder=folder, running=[])
        await _nobody_sends_with_another_secret(again)
        heir = await again.start("worker")
        await ben.wait_for(1, within=30)
        await eventually(lambda: _is_quiet(database), seconds=30)
        assert await heir.end() == 0
        # Who was answered before the backup hears nothing again; his conversation is there.
        assert len(await ana.messages()) == answered
        assert len(await ben.messages()) == 1
        talks = database.collection(ConversationDocument)
        assert await talks.count_documents({}) == 2
        inbox = await database.collection(InboxDocument).index_information()
        assert "state_1_slot_1_due_1" in inbox


async def _nobody_sends_with_another_secret(place: Town):
    """Without ENCRYPTION_SECRET the token cannot be opened: what waits goes on waiting."""
    worker = await place.start("worker", ENCRYPTION_SECRET="a secret that was made up")
    outbox = place.database.collection(OutboxDocument)
    waiting = {"state": "queued", "error": {"$gt": ""}}
    found = await eventually(lambda: outbox.find_one(waiting), seconds=30)
    assert "ENCRYPTION_SECRET" in found["error"]
    assert await worker.end() == 0
    # What put it off is for a person to mend; he need not wait for it.
    await outbox.update_many(waiting, {"$set": {"due": found["createdAt"]}})


async def _is_quiet(database: Database) -> bool:
    new = await database.collection(InboxDocument).count_documents({"state": "new"})
    queued = await database.collection(OutboxDocument).count_documents({"state": "queued"})
    return new == queued == 0
