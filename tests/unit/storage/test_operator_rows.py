"""The inbox and the outbox as operators see them."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.box_ports import StatusNews
from engine.row_ports import OperatorRows, RowSummary
from engine.storage.operator_rows import MongoInboxRows, MongoOutboxRows
from engine.storage.records import InboxDocument, OutboxDocument
from engine.whatsapp.content import Raised
from engine.whatsapp.inbound import raised
from tests.unit.storage.builders import (
    ANA,
    ANAS,
    BAKERY,
    BEN,
    EVERY_SLOT,
    NOW,
    PIZZERIA,
    conversation,
    inbox_row,
    outbox_entry,
    turn,
)

MINUTE = timedelta(minutes=1)
LATER = NOW + timedelta(hours=1)


def the_type_checker_agrees(
    messages: MongoInboxRows, entries: MongoOutboxRows
) -> tuple[OperatorRows, OperatorRows]:
    return messages, entries


@pytest.fixture
def messages(database):
    return MongoInboxRows(database, PIZZERIA)


@pytest.fixture
def entries(database):
    return MongoOutboxRows(database, PIZZERIA)


def names(rows):
    return [row.id.split(":", 1)[1] for row in rows]


def message(name, *, n=0, kind="text", **options):
    raw = {"message": {"type": kind, "text": {"body": "a secret"}}}
    return replace(inbox_row(name, timestamp=n, at=NOW + n * MINUTE, **options), raw=raw)


@pytest.fixture
async def received(inbox, store, messages):
    """One message of each state, the customer's and another's."""
    rows = {name: message(name, n=n) for n, name in enumerate(("done", "dead", "out", "new"))}
    event = raised(Raised("cart_expired", {"entry": None}), phone_number_id="111")
    rows["event"] = replace(message("event", n=4, customer=BEN), raw=event)
    rows["foreign"] = message("foreign", n=5, tenant=BAKERY)
    await inbox.accept([*rows.values()])
    await store.commit(turn("done"))
    await inbox.bury(rows["dead"], error="chart is stuck")
    assert await messages.discard("111:out", now=NOW)
    await inbox.postpone(rows["new"], until=LATER, error="a template failed")
    return rows


async def test_what_waits_or_needs_somebody_is_listed_the_newest_first(messages, received):
    found = await messages.list()
    assert names(found) == ["event", "new", "out", "dead"]
    assert found[1] == RowSummary(
        "111:new",
        PIZZERIA,
        ANA,
        "new",
        "text",
        at=NOW + 3 * MINUTE,
        due=LATER,
        attempts=1,
        error="a template failed",
    )
    assert (found[0].kind, found[0].customer) == ("event", BEN)
    assert (found[3].state, found[3].due, found[3].error) == ("dead", None, "chart is stuck")
    assert names(await messages.list(limit=2)) == ["event", "new"]


async def test_messages_are_listed_by_state_and_customer(messages, received):
    assert names(await messages.list(states=["done", "new"])) == ["event", "new", "done"]
    assert names(await messages.list(states=["done", "new"], customer=ANA)) == ["new", "done"]
    assert names(await messages.list(customer=ANA, limit=1)) == ["new"]
    assert names(await messages.list(customer=BEN)) == ["event"]
    assert await messages.list(states=["sent"]) == ()
    assert await messages.counts() == {"new": 2, "dead": 1, "discarded": 1}


async def test_a_message_is_shown_with_all_that_is_stored(messages, received):
    found = await messages.show("111:dead")
    assert found is not None
    assert found.summary.state == "dead"
    assert found.document["raw"]["message"]["text"] == {"body": "a secret"}
    assert found.document["receivedAt"] == "2026-03-14T12:31:15.250000+00:00"
    json.dumps(found.document)
    assert await messages.show("111:foreign") is None
    assert await messages.show("111:none") is None


async def test_a_dead_message_is_tried_again(messages, received, inbox, database):
    assert await messages.retry("111:dead", now=LATER)
    (row,) = await inbox.waiting([ANAS], now=LATER, limit=1)
    assert row == received["dead"]
    stored = await database.collection(InboxDocument).find_one({"_id": row.id})
    assert not stored.keys() & {"error", "expireAt", "doneAt"}
    assert await messages.retry("111:dead", now=LATER) is False


async def test_a_message_that_a_turn_put_aside_can_be_answered_after_all(
    messages, received, inbox, store
):
    said = outbox_entry("new")
    await store.commit(turn("new", conversation(2), outbox=(said,), given_up="it never works"))
    assert await messages.retry("111:new", now=LATER)
    (row,) = await inbox.waiting([ANAS], now=LATER)
    again = "111:new:again"
    assert row == replace(received["new"], id=again)
    old = await messages.show("111:new")
    assert old is not None
    assert (old.summary.state, old.summary.error) == ("discarded", f"it is tried again as {again}")
    # It is given up once more, and works the third time.
    for n, (name, error) in enumerate(((again, "still not"), (f"{again}:again", None)), start=3):
        record = turn("", conversation(n), outbox=(replace(said, id=f"{name}:0"),))
        await store.commit(replace(record, inbox_id=name, given_up=error))
        assert await messages.retry(name, now=LATER) is (error is not None)
    assert await inbox.waiting([ANAS], now=LATER) == ()
    # What it was is still known, so that Meta may deliver it again.
    assert await inbox.accept([received["new"]]) == ()


async def test_what_is_through_is_neither_tried_again_nor_taken_out(messages, received, database):
    rows = database.collection(InboxDocument)
    before = await rows.find({}).to_list()
    assert await messages.retry("111:done", now=LATER) is False
    assert await messages.retry("111:new", now=LATER) is False
    assert await messages.retry("111:out", now=LATER) is False
    assert await messages.discard("111:done", now=LATER) is False
    assert await messages.discard("111:out", now=LATER) is False
    for change in (messages.retry, messages.discard):
        assert await change("111:foreign", now=LATER) is None
        assert await change("111:none", now=LATER) is None
    assert await rows.find({}).to_list() == before


async def test_a_message_that_was_taken_out_is_not_answered(messages, received, inbox, database):
    assert await messages.discard("111:new", now=LATER)
    assert await messages.discard("111:dead", now=LATER)
    assert await inbox.waiting([ANAS], now=LATER + MINUTE) == ()
    row = await database.collection(InboxDocument).find_one({"_id": "111:new"})
    assert (row["state"], row["expireAt"]) == ("discarded", LATER + timedelta(days=30))
    few = MongoInboxRows(database, PIZZERIA, retention=timedelta(days=1))
    await few.discard("111:event", now=LATER)
    row = await database.collection(InboxDocument).find_one({"_id": "111:event"})
    assert row["expireAt"] == LATER + timedelta(days=8)


@pytest.fixture
async def written(inbox, outbox, store, bakery):
    """One entry of each state."""
    states = ("queued", "unknown", "sent", "failed", "held", "dead", "out")
    rows = {
        name: replace(outbox_entry(name, sequence=n), payload={"type": "text", "text": {}})
        for n, name in enumerate(states)
    }
    rows["queued"] = replace(rows["queued"], payload={"status": "read"}, said=None)
    await inbox.accept([inbox_row("w1"), inbox_row("w2", tenant=BAKERY)])
    await store.commit(turn(outbox=tuple(rows.values())))
    foreign = outbox_entry("foreign", tenant=BAKERY)
    await bakery.commit(turn("w2", conversation(tenant=BAKERY), outbox=(foreign,)))
    await outbox.postpone(rows["unknown"], until=LATER, error="no answer", is_unknown=True)
    for name, status in (("sent", "delivered"), ("failed", "failed")):
        wamid = f"wamid.{name}"
        await outbox.sent(rows[name], wamid=wamid, at=NOW)
        await outbox.note_statuses(
            PIZZERIA, [StatusNews(wamid, rows[name].id, status, NOW, "131026")]
        )
    await outbox.hold(rows["held"], reason="the window is closed")
    await outbox.bury(rows["dead"], error="100: refused")
    await outbox.discard(rows["out"], reason="not worth it")
    return rows


async def test_entries_are_listed_and_counted_by_state(entries, written):
    found = await entries.list()
    listed = ["out", "dead", "held", "failed", "unknown", "queued"]
    assert [name.removesuffix(":0") for name in names(found)] == listed
    assert [row.state for row in found] == ["discarded", *listed[1:]]
    assert (found[3].status, found[3].error, found[3].kind) == ("failed", "131026", "text")
    assert (found[4].due, found[4].attempts) == (LATER, 1)
    assert (found[5].due, found[5].kind) == (NOW, "read")
    assert [row.due for row in found[:4]] == [None] * 4
    for state in ("queued", "unknown", "sent"):
        (row,) = await entries.list(states=[state])
        assert row.state == state
        assert await entries.list(states=[state], customer=ANA) == (row,)
        assert await entries.list(states=[state], customer=BEN) == ()
    assert await entries.counts() == dict.fromkeys(
        ("queued", "unknown", "failed", "held", "dead", "discarded"), 1
    )


async def test_many_entries_in_other_states_hide_none(entries, written, inbox, store):
    await inbox.accept([inbox_row("w9")])
    more = tuple(outbox_entry("w9", n, sequence=100 + n, at=LATER + n * MINUTE) for n in range(9))
    await store.commit(turn("w9", conversation(2), outbox=more))
    assert names(await entries.list(states=["unknown", "dead"], limit=2)) == [
        "dead:0",
        "unknown:0",
    ]
    assert names(await entries.list(limit=3)) == ["w9:8", "w9:7", "w9:6"]


@pytest.mark.parametrize("name", ["failed", "held", "dead"])
async def test_an_entry_is_tried_again(entries, written, outbox, database, name):
    assert await entries.retry(f"111:{name}:0", now=LATER)
    found = await outbox.waiting(EVERY_SLOT, now=LATER)
    assert written[name] in found
    row = await database.collection(OutboxDocument).find_one({"_id": f"111:{name}:0"})
    assert not row.keys() & {"error", "status", "statusAt", "sentAt", "expireAt"}
    assert await entries.retry(f"111:{name}:0", now=LATER) is False


async def test_what_is_told_of_the_first_sending_does_not_settle_the_second(
    entries, written, outbox
):
    failed = written["failed"]
    await entries.retry(failed.id, now=LATER)

    async def told(wamid, status):
        return await outbox.note_statuses(
            PIZZERIA, [StatusNews(wamid, failed.id, status, LATER, None)]
        )

    assert not await told("wamid.failed", "failed")
    assert await told("wamid.second", "delivered")
    assert [row.state for row in await entries.list(states=["sent"])] == ["sent", "sent"]


async def test_entries_that_wait_or_failed_can_be_taken_out(entries, written, outbox, database):
    for name in ("queued", "unknown", "failed", "held", "dead"):
        assert await entries.discard(f"111:{name}:0", now=LATER)
        row = await database.collection(OutboxDocument).find_one({"_id": f"111:{name}:0"})
        assert (row["state"], row["expireAt"]) == ("discarded", LATER + timedelta(days=30))
    for name in ("sent", "out"):
        assert await entries.discard(f"111:{name}:0", now=LATER) is False
        assert await entries.retry(f"111:{name}:0", now=LATER) is False
    for change in (entries.retry, entries.discard):
        assert await change("111:foreign:0", now=LATER) is None
    assert await outbox.waiting([ANAS], now=LATER + MINUTE) == ()
    assert (await entries.counts())["discarded"] == 6
