"""A guard: every command of a turn is one that MongoDB plans by an index (database.md 5)."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from pymongo.monitoring import CommandListener

from engine.box_ports import StatusNews
from engine.clock import ManualClock
from engine.domain.ids import CategoryId, ProductId
from engine.slots import renewed
from engine.storage.businesses import MongoBusinesses
from engine.storage.connection import Database
from engine.storage.erasure import MongoErasure
from engine.storage.flow_keys import MongoFlowKeys
from engine.storage.inbox import MongoInbox
from engine.storage.operator_rows import MongoInboxRows, MongoOutboxRows
from engine.storage.outbox import MongoOutbox
from engine.storage.records import DOCUMENTS
from engine.storage.repositories import MongoTenantStore
from engine.storage.seeding import seed
from engine.storage.slots import MongoSlotTables
from engine.storage.sync import MongoSync
from engine.storage.timers import MongoTimers
from engine.sync.feed import Changes
from engine.sync.ports import SINGLE, ItemId
from tests.unit.storage.builders import (
    ANA,
    ANAS,
    COKE,
    EVERY_SLOT,
    NOW,
    PIZZERIA,
    TENANT,
    USD,
    cart,
    conversation,
    deployment,
    flow_end,
    flow_session,
    inbox_row,
    menu,
    order,
    outbox_entry,
    timer,
    turn,
)
from tests.unit.storage.sync_builders import batch, catalogue, item, job, mark
from tests.unit.storage.test_recordings import WHOLE

A = ProductId("prod:a")


class Commands(CommandListener):
    """Keeps every command."""

    def __init__(self):
        self.seen = []

    def problems(self):
        return [problem for name, command in self.seen for problem in problems(name, command)]

    def started(self, event):
        self.seen.append((event.command_name, dict(event.command)))

    def succeeded(self, event):
        pass

    def failed(self, event):
        pass


def filters(name, command):
    """Give the filters of a command."""
    if name == "find":
        return [command["filter"]]
    if name == "update":
        return [update["q"] for update in command["updates"]]
    if name == "delete":
        return [delete["q"] for delete in command["deletes"]]
    if name == "aggregate":
        return [command["pipeline"][0]["$match"]]
    return []


def problems(name, command):
    """Tell what is wrong with a command."""
    if name == "findAndModify":
        return ["findAndModify"]
    collection = command[name]
    known = {document.get_collection_name(): document for document in DOCUMENTS}
    found = []
    for wanted in filters(name, command):
        if any(key.startswith("$") for key in wanted):
            found.append(f"{collection}: logical operator in {wanted}")
        keys = [
            [key for key, _ in index.document["key"].items()]
            for index in known[collection].Settings.indexes
        ]
        if "_id" not in wanted and not any(_covers(key, wanted) for key in keys):
            found.append(f"{collection}: no index for {wanted}")
    return found


def _covers(key, wanted):
    """Tell whether the first fields of an index are in the filter, two if it has two."""
    return set(key[: min(2, len(wanted))]) <= set(wanted)


@pytest.fixture
async def watched(mongodb_uri, database, vault):
    """A second connection to the same database that keeps its commands."""
    await seed(database, PIZZERIA, TENANT, menu(), vault=vault)
    commands = Commands()
    async with Database(mongodb_uri, name=database.name, listeners=[commands]) as opened:
        commands.seen.clear()
        yield opened, commands


async def a_turn(opened):
    store = MongoTenantStore(opened, tenant=PIZZERIA, currency=USD)
    await MongoInbox(opened).accept([inbox_row()])
    await store.conversations.get(ANA)
    await store.carts.get(ANA)
    await store.commit(turn(cart=cart(COKE), outbox=(outbox_entry(),)))


async def test_the_commands_of_a_turn_are_few_and_planned(watched):
    opened, commands = watched
    await a_turn(opened)
    assert [
        problem for name, command in commands.seen for problem in problems(name, command)
    ] == []
    assert [f"{name} {command[name]}" for name, command in commands.seen] == [
        "insert inbox",
        "find conversations",
        "find carts",
        "update inbox",
        "insert conversations",
        "update carts",
        "insert outbox",
        "delete timers",
        "insert turns",
        "commitTransaction 1",
    ]


async def test_what_a_turn_has_read_takes_a_command_the_first_time_only(watched):
    opened, commands = watched
    store = MongoTenantStore(opened, tenant=PIZZERIA, currency=USD)
    await MongoInbox(opened).accept([inbox_row("w1"), inbox_row("w2")])
    taken = []
    for version, wamid in enumerate(("w1", "w2"), start=1):
        commands.seen.clear()
        record = turn(wamid, conversation(version))
        await store.commit(replace(record, log=replace(record.log, recording=WHOLE)))
        assert commands.problems() == []
        taken.append([f"{name} {command[name]}" for name, command in commands.seen])
    assert taken[0] == ["update readings", *taken[1][:1], "insert conversations", *taken[1][2:]]
    assert taken[1] == [
        "update inbox",
        "update conversations",
        "delete timers",
        "insert turns",
        "commitTransaction 1",
    ]


async def test_whatever_else_a_turn_may_do_is_planned_too(watched):
    opened, commands = watched
    store = MongoTenantStore(opened, tenant=PIZZERIA, currency=USD)
    inbox, outbox = MongoInbox(opened), MongoOutbox(opened)
    await inbox.accept([inbox_row("w1"), inbox_row("w2")])
    await inbox.waiting(EVERY_SLOT, now=NOW)
    await store.commit(turn("w1", orders=(order(),), stock=(("prod:coke", 1),)))
    await store.commit(
        turn("w2", conversation(2), cart=cart(), outbox=(outbox_entry(),), timers=(timer(),))
    )
    (entry,) = await outbox.waiting(EVERY_SLOT, now=NOW)
    await inbox.backlog()
    await outbox.backlog()
    await outbox.postpone(entry, until=NOW, error="later", is_unknown=True)
    await outbox.postpone_all(PIZZERIA, until=NOW, error="later")
    await outbox.sent(entry, wamid="wamid.1", at=NOW)
    await outbox.sent(entry, wamid="wamid.1", at=NOW)
    for opaque in (entry.id, None):
        await outbox.note_statuses(PIZZERIA, [StatusNews("wamid.1", opaque, "read", NOW, None)])
    await outbox.status_of(entry)
    await outbox.sent_since(PIZZERIA, ANA, NOW)
    await outbox.switch(entry, payload={}, at=NOW)
    await outbox.hold(entry, reason="closed")
    await store.said("wamid.1")
    await outbox.entry(PIZZERIA, wamid="wamid.1", opaque=None)
    await outbox.entry(PIZZERIA, wamid="wamid.1", opaque=entry.id)
    timers = MongoTimers(opened)
    await timers.drop(await timers.due([ANAS], now=NOW + timedelta(hours=1)))
    await store.orders.get_latest(ANA)
    await store.orders.get_by_number(order().number, ANA)
    await store.catalog.get_categories()
    await store.catalog.get_products_by_category("cat:pizza")
    await store.catalog.get_product_by_id("prod:margherita")
    assert [
        problem for name, command in commands.seen for problem in problems(name, command)
    ] == []


async def test_a_message_and_its_statuses_take_few_commands(watched):
    opened, commands = watched
    await a_turn(opened)
    outbox = MongoOutbox(opened)
    commands.seen.clear()
    (entry,) = await outbox.waiting([ANAS], now=NOW)
    await outbox.sent(entry, wamid="wamid.1", at=NOW)
    # The last one is a repeated one, as most are: it is read and not written.
    for status in ("sent", "delivered", "read", "sent"):
        await outbox.note_statuses(PIZZERIA, [StatusNews("wamid.1", entry.id, status, NOW, None)])
    assert [f"{name} {command[name]}" for name, command in commands.seen] == [
        "find outbox",
        "find outbox",
        "update outbox",
        *["find outbox", "update outbox"] * 3,
        "find outbox",
    ]


async def test_a_turn_that_sets_moves_and_drops_timers_takes_three_commands_more(watched):
    opened, commands = watched
    store = MongoTenantStore(opened, tenant=PIZZERIA, currency=USD)
    await MongoInbox(opened).accept([inbox_row()])
    commands.seen.clear()
    set_now = (timer(), timer("cart", entry=None))
    await store.commit(turn(timers=set_now, timers_dropped=("other",)))
    assert commands.problems() == []
    assert [f"{name} {command[name]}" for name, command in commands.seen] == [
        "update inbox",
        "insert conversations",
        "delete timers",
        "insert timers",
        "update timers",
        "insert turns",
        "commitTransaction 1",
    ]


async def test_what_a_process_asks_for_all_the_time_is_planned(watched):
    opened, commands = watched
    tables = MongoSlotTables(opened)
    table = renewed(await tables.read(), "one", now=NOW)
    assert await tables.swap(table)
    assert await tables.swap(renewed(table, "one", now=NOW))
    for look in (MongoInbox(opened).waiting, MongoOutbox(opened).waiting, MongoTimers(opened).due):
        assert await look([], now=NOW) == ()
        assert await look([ANAS], now=NOW) == ()
    assert commands.problems() == []
    assert [f"{name} {command[name]}" for name, command in commands.seen] == [
        "find slots",
        "insert slots",
        "update slots",
        "find inbox",
        "find outbox",
        "find timers",
    ]


async def test_what_operators_ask_is_planned(watched):
    opened, commands = watched
    await a_turn(opened)
    for rows in (MongoInboxRows(opened, PIZZERIA), MongoOutboxRows(opened, PIZZERIA)):
        await rows.list()
        await rows.list(customer=ANA)
        await rows.counts()
        await rows.show("111:w1")
        await rows.retry("111:w1", now=NOW)
        await rows.discard("111:w1", now=NOW)
    erasure = MongoErasure(opened, PIZZERIA)
    await erasure.find(ANA)
    await erasure.find("+1 555 0100")
    await erasure.forget(ANA, now=NOW)
    assert commands.problems() == []


async def test_an_exchange_of_a_flow_and_its_end_are_planned_too(watched, vault):
    opened, commands = watched
    store = MongoTenantStore(opened, tenant=PIZZERIA, currency=USD)
    businesses = MongoBusinesses(opened, vault=vault, clock=ManualClock(NOW))
    keys = MongoFlowKeys(opened, vault=vault, clock=ManualClock(NOW))
    await MongoInbox(opened).accept([inbox_row()])
    await store.commit(turn(flow_sessions=(flow_session(),), outbox=(outbox_entry(),)))
    await store.flow_sessions.token_of("wamid.1")
    await store.deployments.save(deployment())
    await store.deployments.hold("meta-1", status="BLOCKED", until=None, at=NOW)
    await store.deployments.hold("meta-2", status="BLOCKED", until=None, at=NOW)
    await store.deployments.all()
    await businesses.map_flow(PIZZERIA, "product_customization:es", "meta-1")
    assert commands.problems() == []
    commands.seen.clear()
    await asyncio.gather(*(keys.get(PIZZERIA) for _ in range(20)))
    await store.flow_sessions.get(flow_session().id)
    await store.flow_sessions.save(flow_session(1))
    await store.commit(flow_end(flow_session(2), conversation(2), has_timers=False))
    assert commands.problems() == []
    assert [f"{name} {command[name]}" for name, command in commands.seen] == [
        "find flowKeys",
        "find flowSessions",
        "update flowSessions",
        "update flowSessions",
        "update conversations",
        "insert turns",
        "commitTransaction 1",
    ]


async def test_a_page_of_products_takes_three_finds_however_many_there_are(watched):
    opened, commands = watched
    store = MongoTenantStore(opened, tenant=PIZZERIA, currency=USD)
    assert len(await store.catalog.get_products_by_category()) == 3
    found = [f"{name} {command[name]}" for name, command in commands.seen]
    assert sorted(found) == ["find modifiers", "find presentations", "find products"]


async def test_the_sync_is_planned_too(watched):
    opened, commands = watched
    sync = MongoSync(opened)
    states, sellables = sync.states(PIZZERIA), sync.sellables(PIZZERIA, USD)
    await states.put([item(), item("prod:b")])
    await states.put([item()])
    await states.page(SINGLE, after=None, limit=9)
    await states.page(SINGLE, after=(A, ItemId("")), limit=9)
    await states.of([A])
    await states.in_batch("catalog-1:h1")
    await states.settle("catalog-1:h1", faults={ItemId("prod:a"): "bad"})
    await states.drop([item()])
    await states.errors(9)
    await sellables.categories()
    await sellables.names()
    await sellables.page(None, after=None, limit=2)
    await sellables.page(CategoryId("cat:pizza"), after=A, limit=2)
    await sync.marks.add([mark()])
    await sync.marks.waiting(limit=9)
    await sync.marks.done(await sync.marks.of(PIZZERIA, limit=9))
    await sync.runs.request(PIZZERIA, job())
    await sync.runs.due(now=NOW, limit=9)
    run = await sync.runs.claim(PIZZERIA, owner="me", now=NOW, until=NOW)
    assert run is not None
    await sync.runs.begin(replace(run, job=run.requested), owner="me")
    await sync.runs.wake(PIZZERIA, at=NOW)
    await sync.runs.save(run, owner="me", until=NOW)
    await sync.runs.release(PIZZERIA, owner="me")
    await sync.batches.add(batch())
    await sync.batches.hurry("catalog-1", "h1", at=NOW)
    await sync.batches.open(PIZZERIA)
    await sync.batches.sent_since("catalog-1", NOW)
    await sync.catalogs.save(catalogue())
    await sync.catalogs.all(PIZZERIA)
    await sync.catalogs.tenant_of("catalog-1")
    told = Changes((), ("doc:prod:a",), ((PIZZERIA, "size:large", None),), None)
    await sync.feed.products_of(told)
    assert len(commands.seen) > 40
    assert [problem for problem in commands.problems() if "presentations" not in problem] == []


async def test_the_guard_sees_what_it_guards_against(watched):
    opened, commands = watched
    rows = opened.client[opened.name]["orders"]
    await rows.find_one_and_update({"_id": 1}, {"$set": {"a": 1}})
    await rows.find_one({"$and": [{"orderNumber": "A"}, {"conversationId": "B"}]})
    await rows.find_one({"notes": "x"})
    assert len(commands.problems()) == 4
