"""Forgetting one customer."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.domain.ids import CustomerKey
from engine.domain.order import Address
from engine.errors import Answered, Conflict
from engine.row_ports import Erasure
from engine.storage.documents import OrderDocument
from engine.storage.erasure import MongoErasure
from engine.storage.operator_rows import MongoInboxRows
from engine.storage.records import DOCUMENTS, InboxDocument, OutboxDocument
from tests.unit.storage.builders import (
    ANA,
    BAKERY,
    BEN,
    COKE,
    EVERY_SLOT,
    NOW,
    PIZZERIA,
    cart,
    conversation,
    flow_session,
    inbox_row,
    order,
    outbox_entry,
    timer,
    turn,
)
from tests.unit.storage.shapes import assert_has_the_shape

LATER = NOW + timedelta(hours=1)
KEY = CustomerKey("PE.555")
PHONE = "51999777888"


def the_type_checker_agrees(erasure: MongoErasure) -> Erasure:
    return erasure


@pytest.fixture
def erasure(database):
    return MongoErasure(database, PIZZERIA)


async def everything(database):
    return {
        document.get_collection_name(): await database.collection(document)
        .find({})
        .sort("_id", 1)
        .to_list()
        for document in DOCUMENTS
    }


@pytest.fixture
def live(inbox):
    """Lets a customer of a shop do all there is to do."""

    async def do(shop, customer, tenant=PIZZERIA, number="K7M2QX"):
        wamid = f"{tenant}-{number}"
        mine = {"tenant": tenant, "customer": customer}
        talk = replace(conversation(**mine), phone=PHONE, user_id=str(customer))
        fired = replace(inbox_row("", **mine), id=f"timer:{tenant}:{customer}:1:after.30m:99")
        rows = [inbox_row(f"{wamid}{n}", **mine) for n in range(3)]
        await inbox.accept([*rows, fired])
        placed = order(number, customer=customer, address=Address("Av. Larco 1", 1.5, 2.5))
        placed = replace(placed, customer_phone=f"+{PHONE}", customer_user_id=str(customer))
        await shop.commit(
            turn(
                f"{wamid}0",
                talk,
                cart=cart(COKE),
                orders=(placed,),
                outbox=(outbox_entry(wamid, **mine),),
                timers=(timer(f"{wamid}:t", **mine),),
                flow_sessions=(flow_session(id=wamid, **mine),),
            )
        )
        await inbox.bury(rows[1], error=f"{PHONE} is stuck")

    return do


async def test_a_customer_is_forgotten_everywhere(store, erasure, live, database, inbox):
    await live(store, KEY)
    untouched = await everything(database)
    forgotten = await erasure.forget(KEY, now=LATER)
    assert forgotten.customers == (KEY,)
    assert forgotten.removed == {
        "conversations": 1,
        "carts": 1,
        "outbox": 1,
        "timers": 1,
        "flowSessions": 1,
        "turns": 1,
        "inbox": 1,
    }
    assert forgotten.anonymised == {"inbox": 3, "orders": 1}
    held = await everything(database)
    for trace in (KEY, PHONE, "Ana", "Larco", "ring twice", "stuck", "menu"):
        assert trace in str(untouched)
        assert trace not in str(held)
    assert await erasure.forget(KEY, now=LATER) == replace(forgotten, removed={}, anonymised={})
    assert await erasure.find(KEY) == ()
    for document in (InboxDocument, OrderDocument):
        await assert_has_the_shape(database, document)


async def test_what_the_staff_was_told_of_him_goes_too(store, erasure, live, database):
    await live(store, KEY)
    told = replace(
        outbox_entry("told"), customer=CustomerKey("PE.staff"), about=KEY, handoff="0f3c",
        payload={"text": {"body": "Ana asks for a person"}},
    )  # fmt: skip
    other = replace(told, id="other", about=BEN, handoff="0f3d")
    staff = replace(conversation(), customer=CustomerKey("PE.staff"))
    await store.commit(turn("staff", staff, outbox=(told, other), has_inbox_row=False))
    forgotten = await erasure.forget(KEY, now=LATER)
    assert forgotten.removed["outbox"] == 2
    rows = await database.collection(OutboxDocument).find({"handoff": {"$gt": ""}}).to_list()
    assert [row["_id"] for row in rows] == ["other"]
    assert not await store.handoffs.is_known("0f3c")


async def test_his_order_stays_without_him(store, erasure, live, database):
    await live(store, KEY)
    rows = database.collection(OrderDocument)
    before = await rows.find_one({})
    await erasure.forget(KEY, now=LATER)
    assert await rows.find_one({}) == before | {
        "conversationId": "",
        "customer": {"name": None, "phone": None, "userId": None},
        "deliveryAddress": None,
        "notes": "",
    }


async def test_his_messages_are_not_taken_again(store, erasure, live, database, inbox):
    await live(store, KEY)
    before = {row["_id"]: row for row in await database.collection(InboxDocument).find().to_list()}
    await erasure.forget(KEY, now=LATER)
    found = await database.collection(InboxDocument).find({}).sort("_id", 1).to_list()
    assert [(row["_id"], row["state"]) for row in found] == [
        ("111:pizzeria-K7M2QX0", "done"),
        ("111:pizzeria-K7M2QX1", "discarded"),
        ("111:pizzeria-K7M2QX2", "discarded"),
    ]
    assert found[0]["expireAt"] == before[found[0]["_id"]]["expireAt"]
    assert [row["expireAt"] for row in found[1:]] == [LATER + timedelta(days=8)] * 2
    again = inbox_row("pizzeria-K7M2QX2", customer=KEY)
    assert await inbox.accept([again]) == ()
    assert await inbox.waiting(EVERY_SLOT, now=LATER) == ()
    with pytest.raises(Answered):
        await store.commit(turn("pizzeria-K7M2QX2", conversation(customer=KEY)))
    rows = MongoInboxRows(database, PIZZERIA)
    assert await rows.retry(found[1]["_id"], now=LATER) is False
    assert {row.customer for row in await rows.list()} == {""}


async def test_others_are_not_touched(store, bakery, erasure, live, database):
    await live(store, BEN, number="AAAAAA")
    await live(bakery, KEY, BAKERY, number="BBBBBB")
    before = await everything(database)
    await live(store, KEY)
    await erasure.forget(KEY, now=LATER)
    after = await everything(database)
    for name, rows in before.items():
        assert [row for row in after[name] if row in rows] == rows


async def test_a_customer_is_found_by_his_key_and_by_his_phone(
    store, bakery, erasure, live, inbox
):
    await live(bakery, CustomerKey("PE.666"), BAKERY, number="BBBBBB")
    assert await erasure.find(PHONE) == ()
    await live(store, KEY)
    for who in (KEY, PHONE, f"+{PHONE}", "+51 999-777-888"):
        assert await erasure.find(who) == (KEY,)
    for who in ("", "+", "PE.5", "5", "Ana", f"{PHONE}0", "PE.666", ".*"):
        assert await erasure.find(who) == ()
    await inbox.accept([inbox_row("x", customer=CustomerKey(PHONE))])
    assert set(await erasure.find(f"+{PHONE}")) == {KEY, PHONE}


async def test_one_is_found_of_whom_only_an_order_or_a_message_is_left(
    store, erasure, live, database, inbox
):
    await live(store, KEY)
    await database.client[database.name]["conversations"].delete_many({})
    assert await erasure.find(PHONE) == (KEY,)
    assert await erasure.find(KEY) == (KEY,)
    await inbox.accept([inbox_row("x")])
    assert await erasure.find(f"+{ANA}") == (ANA,)


async def test_a_turn_that_runs_meanwhile_fails_or_is_erased_with_the_rest(
    store, erasure, inbox, database
):
    for n in range(12):
        await inbox.accept([inbox_row(f"w{n}", customer=KEY), inbox_row(f"v{n}", customer=KEY)])
        talk = conversation(customer=KEY)
        await store.commit(turn(f"v{n}", talk))
        entry = outbox_entry(f"w{n}", customer=KEY)
        second = turn(f"w{n}", replace(talk, version=2), outbox=(entry,), cart=cart(COKE))
        outcomes = await asyncio.gather(
            store.commit(second), erasure.forget(KEY, now=LATER), return_exceptions=True
        )
        assert outcomes[0] is None or isinstance(outcomes[0], Conflict)
        held = await everything(database)
        assert KEY not in str(held)
        assert {row["state"] for row in held["inbox"]} <= {"done", "discarded"}


async def test_a_first_turn_that_runs_meanwhile_too(store, erasure, inbox, database):
    for n in range(12):
        await inbox.accept([inbox_row(f"w{n}", customer=KEY)])
        record = turn(f"w{n}", conversation(customer=KEY), timers=(timer(customer=KEY),))
        calls = [store.commit(record), erasure.forget(KEY, now=LATER)]
        order_ = calls if n % 2 else calls[::-1]
        outcomes = await asyncio.gather(*order_, return_exceptions=True)
        assert not [each for each in outcomes if isinstance(each, Exception)
                    and not isinstance(each, Conflict)]  # fmt: skip
        assert KEY not in str(await everything(database))


async def test_one_who_writes_all_the_time_is_told_of(store, erasure, inbox, monkeypatch):
    async def never(self, customer, now):
        raise Conflict("overtaken")

    monkeypatch.setattr(MongoErasure, "_pass", never)
    with pytest.raises(Conflict, match="could not be forgotten"):
        await erasure.forget(KEY, now=LATER)
