"""The logs of turns, read back with what came and what was said."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.domain.ids import OrderNumber
from engine.ports import Reading, Recording, TurnLogs
from engine.runtime import recording as asked
from engine.storage.erasure import MongoErasure
from engine.storage.records import InboxDocument, ReadingDocument, TurnDocument
from engine.storage.turn_logs import MongoTurnLogs
from tests.unit.storage.builders import (
    ANA,
    BAKERY,
    BEN,
    COKE,
    NOW,
    PIZZERIA,
    cart,
    conversation,
    flow_end,
    flow_session,
    inbox_row,
    menu,
    order,
    outbox_entry,
    turn,
)
from tests.unit.storage.shapes import assert_has_the_shape

PIZZA = menu().product("prod:margherita")
RECORDING = Recording(
    conversation(), cart(COKE), readings=(Reading(asked.PRODUCT, (PIZZA.id,), PIZZA),)
)


def the_type_checker_agrees(logs: MongoTurnLogs) -> TurnLogs:
    return logs


@pytest.fixture
def logs(database):
    return MongoTurnLogs(database, PIZZERIA)


def recorded(record, recording=RECORDING):
    return replace(record, log=replace(record.log, recording=recording))


@pytest.fixture
async def talked(store, inbox, outbox):
    """Two turns of Ana: the first one said two things, the second one nothing."""
    await inbox.accept([inbox_row("w1"), inbox_row("w2"), inbox_row("b", customer=BEN)])
    said = tuple(outbox_entry(n=n, sequence=100 + n) for n in (1, 2))
    await store.commit(recorded(turn("w1", outbox=said, orders=(order(),))))
    await outbox.sent(said[0], wamid="wamid.1", at=NOW)
    later = replace(turn("w2", conversation(2)), at=NOW + timedelta(minutes=5))
    await store.commit(recorded(later))
    await store.commit(turn("b", conversation(customer=BEN)))


async def test_turns_come_with_what_came_and_what_was_said(talked, logs):
    first, second = await logs.of(ANA)
    assert (first.id, first.version, first.at) == ("111:w1", 1, NOW)
    assert first.row is not None
    assert first.row.raw == inbox_row("w1").raw
    assert [message.entry.id for message in first.messages] == ["111:w1:1", "111:w1:2"]
    assert [message.wamid for message in first.messages] == ["wamid.1", None]
    assert first.log == replace(turn("w1").log, recording=RECORDING)
    assert (second.version, second.messages) == (2, ())


async def test_one_of_an_earlier_version_has_no_recording(talked, logs, database):
    (bens,) = await logs.of(BEN)
    assert bens.log.recording is None
    rows = database.collection(TurnDocument)
    assert "recording" not in await rows.find_one({"_id": bens.id})


async def test_only_the_newest_or_those_until_a_time(talked, logs):
    assert [turn.version for turn in await logs.of(ANA, limit=1)] == [2]
    until = NOW + timedelta(minutes=1)
    assert [turn.version for turn in await logs.of(ANA, until=until, limit=5)] == [1]
    assert await logs.of(ANA, until=NOW - timedelta(minutes=1)) == ()


async def test_another_tenant_has_none(talked, database):
    assert await MongoTurnLogs(database, BAKERY).of(ANA) == ()
    assert await MongoTurnLogs(database, BAKERY).customer_of(order().number) is None


async def test_who_placed_an_order(talked, logs):
    assert await logs.customer_of(order().number) == ANA
    assert await logs.customer_of(OrderNumber("ZZZZZZ")) is None


async def test_the_end_of_a_flow_has_its_session_and_no_row(store, inbox, logs):
    await inbox.accept([inbox_row("w1")])
    await store.commit(turn("w1", flow_sessions=(flow_session(),)))
    done = flow_session(1, params={"quantity": 2})
    recording = Recording(conversation(), None, session=done)
    await store.commit(recorded(flow_end(done, conversation(2)), recording))
    _, end = await logs.of(ANA)
    assert (end.id, end.row) == (f"flow:{done.id}", None)
    assert end.log.recording == recording


async def test_what_was_given_up_is_told(store, inbox, logs):
    await inbox.accept([inbox_row("w1")])
    await store.commit(turn("w1", given_up="stuck"))
    (only,) = await logs.of(ANA)
    assert only.given_up == "stuck"


async def test_the_message_is_kept_as_long_as_the_log(talked, database, logs):
    row = await database.collection(InboxDocument).find_one({"_id": "111:w1"})
    log = await database.collection(TurnDocument).find_one({"_id": "111:w1"})
    assert row["expireAt"] == log["expireAt"] == NOW + timedelta(days=30)


async def test_a_row_has_the_shape_of_its_document(talked, database):
    for document in (TurnDocument, ReadingDocument):
        await assert_has_the_shape(database, document)


async def test_of_a_customer_who_is_forgotten_nothing_is_left(talked, database, logs):
    await MongoErasure(database, PIZZERIA).forget(ANA, now=NOW)
    assert await logs.of(ANA) == ()
    assert await logs.customer_of(order().number) is None
    (left,) = await database.collection(ReadingDocument).find({}).to_list()
    for personal in (ANA, "Ana", "Larco", "51999111222"):
        assert personal not in str(left)
