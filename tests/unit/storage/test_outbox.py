"""The outbox on disk."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.storage.records import OutboxDocument
from tests.unit.storage.builders import (
    BAKERY,
    BEN,
    NOW,
    PIZZERIA,
    conversation,
    inbox_row,
    outbox_entry,
    turn,
)

MINUTE = timedelta(minutes=1)


@pytest.fixture
def say(inbox, store):
    async def queue(*entries, customer=None):
        wamid = f"w-{entries[0].customer}-{entries[0].sequence}"
        await inbox.accept([inbox_row(wamid, customer=entries[0].customer)])
        talk = conversation(customer=entries[0].customer)
        await store.commit(turn(wamid, talk, outbox=entries))

    return queue


@pytest.fixture
def row(database):
    async def read(entry):
        return await database.collection(OutboxDocument).find_one({"_id": entry.id})

    return read


async def test_an_entry_comes_back_as_it_was(say, outbox):
    entry = outbox_entry()
    receipt = replace(outbox_entry(n=1, sequence=2), said=None)
    await say(entry, receipt)
    assert await outbox.waiting(now=NOW) == (entry, receipt)


async def test_entries_of_a_customer_come_in_the_order_they_were_written(say, outbox):
    second = outbox_entry(n=0, sequence=2)
    first = outbox_entry(n=1, sequence=1)
    tenth = outbox_entry(n=2, sequence=10)
    other = outbox_entry("w9", customer=BEN, at=NOW + MINUTE)
    await say(second, first, tenth)
    await say(other)
    assert await outbox.waiting(now=NOW + MINUTE) == (first, second, tenth, other)
    assert await outbox.waiting(now=NOW + MINUTE, limit=1) in ((first,), (second,))
    assert await outbox.waiting(now=NOW - MINUTE) == ()


async def test_an_entry_that_is_put_off_holds_back_the_later_ones(say, outbox, row):
    first, second = outbox_entry(n=0, sequence=1), outbox_entry(n=1, sequence=2)
    other = outbox_entry("w9", customer=BEN)
    await say(first, second)
    await say(other)
    await outbox.postpone(first, until=NOW + MINUTE, error="rate limit")
    assert await outbox.waiting(now=NOW) == (other,)
    assert (await row(first))["error"] == "rate limit"
    await outbox.sent(other, wamid="wamid.9", at=NOW)
    assert await outbox.waiting(now=NOW + MINUTE) == (replace(first, attempts=1), second)


async def test_an_entry_that_is_given_up_lets_the_later_ones_pass(say, outbox, row):
    first, second = outbox_entry(n=0, sequence=1), outbox_entry(n=1, sequence=2)
    await say(first, second)
    await outbox.bury(first, error="131030 not allowed")
    assert await outbox.waiting(now=NOW) == (second,)
    assert (await row(first))["state"] == "dead"


async def test_a_sent_entry_is_found_by_what_meta_calls_it(say, outbox, store, bakery, row):
    entry = outbox_entry()
    await say(entry)
    assert await store.said("wamid.1") is None
    await outbox.sent(entry, wamid="wamid.1", at=NOW)
    assert await outbox.waiting(now=NOW) == ()
    assert await store.said("wamid.1") == entry.said
    assert await bakery.said("wamid.1") is None
    await outbox.sent(entry, wamid="wamid.2", at=NOW)
    assert (await row(entry))["providerId"] == "wamid.1"
    assert (await row(entry))["expireAt"] > NOW + timedelta(days=29)


async def test_the_whole_entry_is_found_by_what_meta_calls_it(say, outbox):
    entry, other = outbox_entry(), outbox_entry(n=1, sequence=2)
    await say(entry, other)
    await outbox.sent(entry, wamid="wamid.1", at=NOW)
    assert await outbox.entry(PIZZERIA, wamid="wamid.1", opaque=None) == entry
    # A status may come before what Meta calls the message is noted.
    assert await outbox.entry(PIZZERIA, wamid="wamid.2", opaque=entry.id) == entry
    assert await outbox.entry(BAKERY, wamid="wamid.2", opaque=entry.id) is None
    assert await outbox.entry(PIZZERIA, wamid="wamid.2", opaque=None) is None
    assert await outbox.entry(BAKERY, wamid="wamid.1", opaque=None) is None


async def test_a_receipt_says_nothing(say, outbox, store):
    receipt = replace(outbox_entry(), said=None)
    await say(receipt)
    await outbox.sent(receipt, wamid="wamid.1", at=NOW)
    assert await store.said("wamid.1") is None


@pytest.mark.parametrize(
    ("told", "status", "state"),
    [
        (["sent", "delivered", "read"], "read", "sent"),
        (["read", "delivered", "sent"], "read", "sent"),
        (["delivered", "sent", "delivered"], "delivered", "sent"),
        (["sent", "failed", "sent", "delivered"], "failed", "failed"),
        (["failed"], "failed", "failed"),
        (["delivered", "failed"], "delivered", "sent"),
        (["read", "failed", "played", "deleted"], "read", "sent"),
        (["played"], None, "sent"),
    ],
)
async def test_a_status_never_moves_backwards(say, outbox, row, told, status, state):
    entry = outbox_entry()
    await say(entry)
    await outbox.sent(entry, wamid="wamid.1", at=NOW)
    for n, news in enumerate(told):
        error = "131026 undeliverable" if news == "failed" else None
        at = NOW + n * MINUTE
        await outbox.note_status(PIZZERIA, wamid="wamid.1", status=news, at=at, error=error)
    found = await row(entry)
    assert (found.get("status"), found["state"]) == (status, state)
    assert found.get("error") == ("131026 undeliverable" if state == "failed" else None)


async def test_a_status_of_another_tenants_message_changes_nothing(say, outbox, row):
    entry = outbox_entry()
    await say(entry)
    await outbox.sent(entry, wamid="wamid.1", at=NOW)
    await outbox.note_status(BAKERY, wamid="wamid.1", status="read", at=NOW, error=None)
    await outbox.note_status(PIZZERIA, wamid="wamid.2", status="read", at=NOW, error=None)
    assert "status" not in await row(entry)
