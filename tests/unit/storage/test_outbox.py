"""The outbox on disk."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from engine.box_ports import Backlog, StatusNews
from engine.slots import slot_of
from engine.storage.outbox import MongoOutbox
from engine.storage.records import OutboxDocument
from tests.unit.storage.builders import (
    ANA,
    ANAS,
    BAKERY,
    BEN,
    BENS,
    EVERY_SLOT,
    NOW,
    PIZZERIA,
    conversation,
    inbox_row,
    outbox_entry,
    turn,
)

MINUTE = timedelta(minutes=1)
ENTRY = outbox_entry().id


@pytest.fixture
def say(inbox, store):
    async def queue(*entries, customer=None):
        wamid = f"w-{entries[0].customer}-{entries[0].sequence}"
        await inbox.accept([inbox_row(wamid, customer=entries[0].customer)])
        talk = conversation(customer=entries[0].customer)
        await store.commit(turn(wamid, talk, outbox=entries))

    return queue


@pytest.fixture
def told(outbox):
    """Notes a status of the entry `outbox_entry` makes."""

    async def note(status, wamid="wamid.1", *, opaque=ENTRY, tenant=PIZZERIA, n=0):
        error = "131026: undeliverable" if status == "failed" else None
        at = NOW + n * MINUTE
        return await outbox.note_statuses(tenant, [StatusNews(wamid, opaque, status, at, error)])

    return note


@pytest.fixture
def row(database):
    async def read(entry):
        return await database.collection(OutboxDocument).find_one({"_id": entry.id})

    return read


async def test_an_entry_comes_back_as_it_was(say, outbox):
    entry = outbox_entry()
    receipt = replace(outbox_entry(n=1, sequence=2), said=None)
    await say(entry, receipt)
    assert await outbox.waiting(EVERY_SLOT, now=NOW) == (entry, receipt)


async def test_all_of_an_entry_comes_back(say, outbox):
    template = {"type": "template", "template": {"name": "later.$1"}}
    entry = replace(outbox_entry(), window_ends=NOW + MINUTE, template=template, attempts=2)
    await say(entry)
    assert await outbox.waiting([ANAS], now=NOW) == (entry,)


async def test_entries_are_given_by_slot(say, outbox, row):
    first, other = outbox_entry(), outbox_entry("w9", customer=BEN)
    await say(first)
    await say(other)
    assert (await row(first))["slot"] == slot_of(PIZZERIA, ANA)
    assert await outbox.waiting([ANAS], now=NOW) == (first,)
    assert await outbox.waiting({BENS}, now=NOW) == (other,)
    assert await outbox.waiting([], now=NOW) == ()


async def test_entries_of_a_customer_come_in_the_order_they_were_written(say, outbox):
    second = outbox_entry(n=0, sequence=2)
    first = outbox_entry(n=1, sequence=1)
    tenth = outbox_entry(n=2, sequence=10)
    other = outbox_entry("w9", customer=BEN, at=NOW + MINUTE)
    await say(second, first, tenth)
    await say(other)
    assert await outbox.waiting(EVERY_SLOT, now=NOW + MINUTE) == (first, second, tenth, other)
    assert await outbox.waiting(EVERY_SLOT, now=NOW + MINUTE, limit=1) in ((first,), (second,))
    assert await outbox.waiting(EVERY_SLOT, now=NOW - MINUTE) == ()


async def test_an_entry_that_is_put_off_holds_back_the_later_ones(say, outbox, row):
    first, second = outbox_entry(n=0, sequence=1), outbox_entry(n=1, sequence=2)
    other = outbox_entry("w9", customer=BEN)
    await say(first, second)
    await say(other)
    await outbox.postpone(first, until=NOW + MINUTE, error="rate limit")
    assert await outbox.waiting(EVERY_SLOT, now=NOW) == (other,)
    assert (await row(first))["error"] == "rate limit"
    await outbox.sent(other, wamid="wamid.9", at=NOW)
    assert await outbox.waiting(EVERY_SLOT, now=NOW + MINUTE) == (
        replace(first, attempts=1),
        second,
    )


async def test_a_sent_entry_is_found_by_what_meta_calls_it(say, outbox, store, bakery, row):
    entry = outbox_entry()
    await say(entry)
    assert await store.said("wamid.1") is None
    await outbox.sent(entry, wamid="wamid.1", at=NOW)
    assert await outbox.waiting(EVERY_SLOT, now=NOW) == ()
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


@pytest.mark.parametrize("opaque", [ENTRY, None])
@pytest.mark.parametrize(
    ("statuses", "status", "state"),
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
async def test_a_status_never_moves_backwards(
    say, outbox, row, told, statuses, status, state, opaque
):
    entry = outbox_entry()
    await say(entry)
    await outbox.sent(entry, wamid="wamid.1", at=NOW)
    for n, news in enumerate(statuses):
        before = await outbox.status_of(entry)
        is_news = await told(news, opaque=opaque, n=n)
        assert is_news == (await outbox.status_of(entry) != before)
    found = await row(entry)
    assert (found.get("status"), found["state"]) == (status, state)
    assert found.get("error") == ("131026: undeliverable" if state == "failed" else None)
    assert (found["sentAt"], found["expireAt"]) == (NOW, NOW + timedelta(days=30))


@pytest.mark.parametrize("opaque", [ENTRY, None])
async def test_a_status_of_another_tenants_message_changes_nothing(say, outbox, row, told, opaque):
    entry = outbox_entry()
    await say(entry)
    await outbox.sent(entry, wamid="wamid.1", at=NOW)
    before = await row(entry)
    assert not await told("read", opaque=opaque, tenant=BAKERY)
    assert not await told("read", "wamid.2", opaque="111:other:0" if opaque else None)
    assert await row(entry) == before


@pytest.mark.parametrize("order", [*permutations(["sent", "delivered", "read"])])
async def test_of_statuses_that_come_at_once_the_last_stays(say, outbox, told, order):
    entry = outbox_entry()
    await say(entry)
    noting = outbox.sent(entry, wamid="wamid.1", at=NOW)
    await asyncio.gather(*(told(status) for status in order), noting)
    assert await outbox.status_of(entry) == "read"


@pytest.mark.parametrize("is_unknown", [False, True])
@pytest.mark.parametrize("status", ["sent", "delivered", "read", "failed"])
async def test_a_status_settles_an_entry_that_waits(
    say, outbox, row, told, store, status, is_unknown
):
    entry = outbox_entry()
    await say(entry)
    if is_unknown:
        until = NOW + 9 * MINUTE
        await outbox.postpone(entry, until=until, error="no answer", is_unknown=True)
        assert (await outbox.waiting([ANAS], now=until))[0].is_unknown
    assert await told(status, n=1)
    found = await row(entry)
    assert found["state"] == ("failed" if status == "failed" else "sent")
    assert (found["status"], found["providerId"]) == (status, "wamid.1")
    assert found["sentAt"] == NOW + MINUTE
    assert found["expireAt"] == NOW + MINUTE + timedelta(days=30)
    assert await store.said("wamid.1") == entry.said
    assert await outbox.waiting(EVERY_SLOT, now=NOW + 99 * MINUTE) == ()
    # What comes later of its sending changes nothing.
    await outbox.sent(entry, wamid="wamid.1", at=NOW + 2 * MINUTE)
    await outbox.postpone(entry, until=NOW, error="late", is_unknown=True)
    await outbox.bury(entry, error="late")
    await outbox.hold(entry, reason="late")
    await outbox.discard(entry, reason="late")
    await outbox.postpone_all(PIZZERIA, until=NOW + MINUTE, error="late")
    assert await row(entry) == found
    assert not await told(status)


async def test_an_entry_that_was_taken_out_while_it_was_sent_gets_its_name(
    say, outbox, row, told, store
):
    entry = outbox_entry()
    await say(entry)
    await outbox.discard(entry, reason="an operator")
    await outbox.sent(entry, wamid="wamid.1", at=NOW)
    assert (await row(entry))["state"] == "discarded"
    assert await store.said("wamid.1") == entry.said
    assert not await told("read")


async def test_what_was_unknown_once_stays_so_until_it_is_settled(say, outbox, row):
    entry = outbox_entry()
    await say(entry)
    await outbox.postpone(entry, until=NOW, error="no answer", is_unknown=True)
    await outbox.postpone(entry, until=NOW, error="429")
    await outbox.postpone(entry, until=NOW, error="too fast", counts=False)
    (found,) = await outbox.waiting([ANAS], now=NOW)
    assert found == replace(entry, attempts=2, is_unknown=True)
    assert (await row(entry))["error"] == "too fast"


@pytest.mark.parametrize(
    ("how", "state"), [("bury", "dead"), ("hold", "held"), ("discard", "discarded")]
)
async def test_an_entry_that_is_put_aside_lets_the_later_ones_pass(
    say, outbox, row, clock, how, state
):
    first, second = outbox_entry(n=0, sequence=1), outbox_entry(n=1, sequence=2)
    await say(first, second)
    clock.move(MINUTE)
    error = {"error" if how == "bury" else "reason": "because" + "!" * 5000}
    await getattr(outbox, how)(first, **error)
    assert await outbox.waiting([ANAS], now=NOW) == (second,)
    found = await row(first)
    assert (found["state"], len(found["error"])) == (state, 2000)
    assert found["expireAt"] == NOW + MINUTE + timedelta(days=30)


async def test_everything_of_a_tenant_is_put_off(say, outbox, row, inbox, bakery):
    entries = [outbox_entry(n=n, sequence=n) for n in range(4)]
    await say(*entries)
    await outbox.sent(entries[0], wamid="wamid.0", at=NOW)
    await outbox.bury(entries[1], error="never")
    await outbox.postpone(entries[3], until=NOW + 9 * MINUTE, error="later")
    other = outbox_entry("theirs", tenant=BAKERY)
    await inbox.accept([inbox_row("theirs", tenant=BAKERY)])
    await bakery.commit(turn("theirs", conversation(tenant=BAKERY), outbox=(other,)))
    await outbox.postpone_all(PIZZERIA, until=NOW + 5 * MINUTE, error="190: token")
    assert await outbox.waiting(EVERY_SLOT, now=NOW + 4 * MINUTE) == (other,)
    found = [await row(entry) for entry in entries]
    assert [each["state"] for each in found] == ["sent", "dead", "queued", "queued"]
    assert [each["error"] for each in found[1:]] == ["never", "190: token", "190: token"]
    due = [(each["due"] - NOW) / MINUTE for each in found]
    assert due == [0, 0, 5, 9]


@pytest.mark.parametrize("before", ["waits", "failed", "unknown"])
async def test_the_body_of_an_entry_is_switched_once(say, outbox, row, told, before):
    template = {"type": "template", "template": {"name": "$later"}}
    entry = replace(outbox_entry(), template=template)
    await say(entry)
    if before == "failed":
        assert await told("failed")
    elif before == "unknown":
        await outbox.postpone(entry, until=NOW, error="no answer", is_unknown=True)
    at = NOW + 2 * MINUTE
    assert await outbox.switch(entry, payload=template, at=at)
    assert await outbox.waiting([ANAS], now=NOW + MINUTE) == ()
    assert await outbox.waiting([ANAS], now=at) == (
        replace(entry, payload=template, template=None),
    )
    found = await row(entry)
    assert not found.keys() & {"status", "statusAt", "sentAt", "expireAt", "error"}
    assert not await outbox.switch(entry, payload={"type": "text"}, at=at)
    assert await row(entry) == found


async def test_an_entry_that_is_through_is_not_switched(say, outbox, row):
    entry = outbox_entry()
    await say(entry)
    await outbox.hold(entry, reason="closed")
    held = await row(entry)
    assert not await outbox.switch(entry, payload={}, at=NOW)
    assert await row(entry) == held


async def test_what_is_told_of_an_earlier_sending_is_passed_over(say, outbox, row, told):
    entry = outbox_entry()
    await say(entry)
    await told("failed", "wamid.1")
    await outbox.switch(entry, payload={"type": "template"}, at=NOW)
    waiting = await row(entry)
    # Meta repeats webhooks, and the one who sent it first may note so only now.
    assert not await told("failed", "wamid.1")
    assert not await told("sent", "wamid.1")
    await outbox.sent(entry, wamid="wamid.1", at=NOW)
    assert await row(entry) == waiting
    await outbox.sent(entry, wamid="wamid.2", at=NOW)
    assert not await told("failed", "wamid.1")
    assert await told("delivered", "wamid.2")
    assert not await told("read", "wamid.1")
    found = await row(entry)
    assert (found["state"], found["status"], found["providerId"]) == (
        "sent", "delivered", "wamid.2",
    )  # fmt: skip


async def test_it_is_known_when_messages_went_out_to_a_customer(say, outbox, told):
    receipt = replace(
        outbox_entry(n=0, sequence=0),
        said=None,
        payload={"status": "read", "message_id": "wamid.in"},
    )
    silent = replace(outbox_entry(n=4, sequence=4), said=None)
    entries = [receipt, *(outbox_entry(n=n, sequence=n) for n in (1, 2, 3)), silent]
    await say(*entries)
    other = outbox_entry("w9", customer=BEN)
    await say(other)
    await outbox.sent(other, wamid="wamid.9", at=NOW)
    for n, entry in ((4, silent), (0, receipt), (2, entries[2]), (1, entries[1])):
        await outbox.sent(entry, wamid=f"wamid.{n}", at=NOW + n * MINUTE)
    await told("failed", "wamid.2", opaque=entries[2].id)

    async def since(minutes, tenant=PIZZERIA):
        found = await outbox.sent_since(tenant, ANA, NOW + minutes * MINUTE)
        return [(at - NOW) / MINUTE for at in found]

    assert await since(0) == [1, 2, 4]
    assert await since(2) == [2, 4]
    assert await since(5) == []
    assert await since(0, BAKERY) == []


async def test_the_backlog_is_what_is_due_and_how_long(say, outbox, clock):
    entries = [outbox_entry(n=n, sequence=n, at=NOW + n * MINUTE) for n in range(4)]
    assert await outbox.backlog() == Backlog()
    await say(*entries)
    await outbox.sent(entries[0], wamid="wamid.0", at=NOW)
    assert await outbox.backlog() == Backlog()
    clock.move(2 * MINUTE)
    assert await outbox.backlog() == Backlog(2, NOW + MINUTE)


async def test_an_entry_is_kept_as_long_as_it_is_set(say, database, row, clock):
    outbox = MongoOutbox(database, retention=timedelta(days=3), clock=clock)
    entries = [outbox_entry(n=n, sequence=n) for n in range(3)]
    await say(*entries)
    await outbox.sent(entries[0], wamid="wamid.0", at=NOW)
    await outbox.bury(entries[1], error="never")
    await outbox.note_statuses(PIZZERIA, [StatusNews("wamid.2", entries[2].id, "read", NOW, None)])
    for entry in entries:
        assert (await row(entry))["expireAt"] == NOW + timedelta(days=3)


async def test_the_status_of_an_entry_that_is_gone_is_none(outbox):
    assert await outbox.status_of(outbox_entry()) is None
