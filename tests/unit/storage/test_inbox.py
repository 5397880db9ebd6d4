"""The inbox on disk."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pymongo.errors import BulkWriteError

from engine.box_ports import Backlog
from engine.errors import EngineError, Unavailable
from engine.slots import slot_of
from engine.storage.inbox import MongoInbox
from engine.storage.records import InboxDocument
from tests.unit.storage.builders import (
    ANA,
    ANAS,
    BAKERY,
    BEN,
    BENS,
    EVERY_SLOT,
    NOW,
    PIZZERIA,
    inbox_row,
    turn,
)

MINUTE = timedelta(minutes=1)


def ids(rows):
    return [row.id for row in rows]


async def test_a_message_is_stored_once(inbox, database):
    first, second = inbox_row("w1"), inbox_row("w2")
    assert await inbox.accept([]) == ()
    assert await inbox.accept([first]) == (first,)
    assert await inbox.accept([first]) == ()
    assert await inbox.accept([second, first, second]) == (second,)
    assert await database.collection(InboxDocument).count_documents({}) == 2


async def test_it_comes_back_as_it_was(inbox):
    row = inbox_row()
    await inbox.accept([row])
    assert await inbox.waiting(EVERY_SLOT, now=NOW) == (row,)


async def test_an_event_of_the_engines_own_comes_back_as_it_was(inbox):
    data = {"flow": "product_customization", "code": 132068, "order": None, "a.b": [1.5, True]}
    row = replace(
        inbox_row("111:w1:1:refused"), raw={"event": {"name": "flow_refused", "data": data}}
    )
    assert await inbox.accept([row]) == (row,)
    assert await inbox.accept([row]) == ()
    assert await inbox.waiting(EVERY_SLOT, now=NOW) == (row,)


async def test_messages_of_a_conversation_come_in_the_order_meta_gave_them(inbox):
    late = inbox_row("a", timestamp=103)
    early = inbox_row("b", timestamp=101, at=NOW + MINUTE)
    other = inbox_row("c", timestamp=102, customer=BEN, at=NOW + MINUTE / 2)
    middle = inbox_row("d", timestamp=101, at=NOW + 2 * MINUTE)
    await inbox.accept([late, early, other, middle])
    found = await inbox.waiting(EVERY_SLOT, now=NOW + 5 * MINUTE)
    assert [row for row in found if row.customer == ANA] == [early, middle, late]
    # Conversations keep their turns: Ana's message was the oldest.
    assert found == (early, other, middle, late)


async def test_the_number_of_messages_is_bounded_and_the_oldest_come_first(inbox):
    rows = [inbox_row(f"w{n}", timestamp=n, at=NOW + n * MINUTE) for n in range(5)]
    await inbox.accept(rows)
    assert await inbox.waiting(EVERY_SLOT, now=NOW + 9 * MINUTE, limit=2) == tuple(rows[:2])
    assert await inbox.waiting(EVERY_SLOT, now=NOW + 2 * MINUTE) == tuple(rows[:3])


async def test_a_message_that_is_put_off_holds_back_the_later_ones_of_its_conversation(inbox):
    first, second = inbox_row("w1", timestamp=1), inbox_row("w2", timestamp=2)
    other = inbox_row("w3", timestamp=3, customer=BEN)
    namesake = inbox_row("w4", timestamp=3, tenant=BAKERY)
    await inbox.accept([first, second, other, namesake])
    await inbox.postpone(first, until=NOW + MINUTE, error="template failed")
    assert set(ids(await inbox.waiting(EVERY_SLOT, now=NOW))) == {other.id, namesake.id}
    again = replace(first, attempts=1)
    found = await inbox.waiting(EVERY_SLOT, now=NOW + MINUTE)
    assert [row for row in found if (row.tenant, row.customer) == (first.tenant, ANA)] == [
        again,
        second,
    ]


async def test_messages_are_given_by_slot(inbox):
    rows = {ANAS: inbox_row("w1"), BENS: inbox_row("w2", customer=BEN)}
    await inbox.accept([*rows.values()])
    for slot, row in rows.items():
        assert await inbox.waiting([slot], now=NOW) == (row,)
        assert await inbox.waiting(set(EVERY_SLOT) - {slot}, now=NOW) != (row,)
    assert len(await inbox.waiting({ANAS, BENS}, now=NOW)) == 2
    assert await inbox.waiting([], now=NOW) == ()


async def test_the_slot_is_on_disk(inbox, database):
    await inbox.accept([inbox_row()])
    row = await database.collection(InboxDocument).find_one({})
    assert row["slot"] == slot_of(PIZZERIA, ANA)


async def test_the_backlog_is_what_is_due_and_how_long(inbox, clock, store):
    assert await inbox.backlog() == Backlog()
    rows = [inbox_row(f"w{n}", timestamp=n, at=NOW + n * MINUTE) for n in range(5)]
    await inbox.accept(rows)
    await inbox.postpone(rows[0], until=NOW + 9 * MINUTE, error="later")
    await inbox.bury(rows[1], error="never")
    assert await inbox.backlog() == Backlog()
    clock.move(3 * MINUTE)
    assert await inbox.backlog() == Backlog(2, NOW + 2 * MINUTE)
    await store.commit(turn("w2"))
    assert await inbox.backlog() == Backlog(1, NOW + 3 * MINUTE)


async def test_the_backlog_is_counted_up_to_a_thousand(inbox):
    rows = [inbox_row(f"w{n}", customer=f"c{n}", at=NOW - n * MINUTE) for n in range(1010)]
    await inbox.accept(rows)
    assert await inbox.backlog() == Backlog(1000, NOW - 1009 * MINUTE)


async def test_a_message_is_kept_as_long_as_it_may_be_delivered_again(database, clock):
    inbox = MongoInbox(database, retention=timedelta(days=2), clock=clock)
    row = inbox_row()
    await inbox.accept([row])
    await inbox.bury(row, error="never")
    dead = await database.collection(InboxDocument).find_one({})
    assert dead["expireAt"] == NOW + timedelta(days=8)


async def test_a_long_queue_behind_one_message_does_not_stop_the_others(inbox):
    head = inbox_row("head", timestamp=0)
    queue = [inbox_row(f"w{n}", timestamp=n + 1) for n in range(12)]
    other = inbox_row("other", customer=BEN, at=NOW + MINUTE)
    await inbox.accept([head, *queue, other])
    await inbox.postpone(head, until=NOW + 9 * MINUTE, error="x")
    assert await inbox.waiting(EVERY_SLOT, now=NOW + 2 * MINUTE, limit=10) == (other,)


async def test_a_message_that_is_given_up_stays_and_lets_the_others_pass(inbox, database):
    first, second = inbox_row("w1", timestamp=1), inbox_row("w2", timestamp=2)
    await inbox.accept([first, second])
    await inbox.bury(first, error="chart is stuck" + "!" * 5000)
    assert await inbox.waiting(EVERY_SLOT, now=NOW) == (second,)
    dead = await database.collection(InboxDocument).find_one({"_id": first.id})
    assert dead["state"] == "dead"
    assert dead["error"].startswith("chart is stuck")
    assert len(dead["error"]) == 2000
    assert dead["expireAt"] == NOW + timedelta(days=30)
    assert await inbox.accept([first]) == ()


async def test_a_finished_message_is_not_touched_any_more(inbox, store, database):
    row = inbox_row()
    await inbox.accept([row])
    await store.commit(turn())
    await inbox.postpone(row, until=NOW, error="late")
    await inbox.bury(row, error="late")
    done = await database.collection(InboxDocument).find_one({"_id": row.id})
    assert done["state"] == "done"
    assert done["attempts"] == 0
    assert done["expireAt"] >= NOW + timedelta(days=8)
    assert await inbox.waiting(EVERY_SLOT, now=NOW) == ()


@pytest.mark.parametrize(
    ("details", "error"),
    [
        ({"writeErrors": [{"index": 0, "code": 11000}, {"index": 1, "code": 2}]}, EngineError),
        ({"writeErrors": [], "writeConcernErrors": [{"code": 64}]}, Unavailable),
    ],
)
async def test_what_is_not_surely_stored_is_not_called_stored(inbox, monkeypatch, details, error):
    async def fail(self, *args, **options):
        raise BulkWriteError(details)

    monkeypatch.setattr(type(inbox._rows), "insert_many", fail)
    with pytest.raises(error):
        await inbox.accept([inbox_row("w1"), inbox_row("w2")])


async def test_what_cannot_be_stored_is_not_called_stored(inbox):
    with pytest.raises(EngineError, match="not possible"):
        await inbox.accept([replace(inbox_row(), raw={"body": object()})])
