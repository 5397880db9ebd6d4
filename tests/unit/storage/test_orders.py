"""Orders on disk."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.domain.ids import OrderNumber
from engine.domain.order import OrderStatus, OrderType
from engine.errors import EngineError
from engine.storage.documents import OrderDocument
from tests.unit.storage.builders import ANA, BEN, NOW, conversation, inbox_row, order, turn


async def place(store, inbox, *orders, customer=ANA):
    wamid = f"w-{customer}"
    await inbox.accept([inbox_row(wamid, customer=customer)])
    await store.commit(turn(wamid, conversation(customer=customer), orders=orders))


async def test_an_order_survives_the_disk(store, inbox):
    placed = order()
    fetched = replace(order("B2C3D4"), type=OrderType.PICKUP, address=None, customer_name=None)
    await place(store, inbox, placed, fetched)
    assert await store.orders.get_by_number(placed.number, ANA) == placed
    assert await store.orders.get_by_number(fetched.number, ANA) == fetched


async def test_the_latest_order_is_the_newest(store, inbox):
    assert await store.orders.get_latest(ANA) is None
    new = order("NEWNEW", at=NOW)
    await place(store, inbox, order("AAAAAA", at=NOW - timedelta(days=1)), new)
    await place(store, inbox, order("CCCCCC", customer=BEN, at=NOW + timedelta(1)), customer=BEN)
    assert await store.orders.get_latest(ANA) == new


async def test_nobody_sees_the_order_of_somebody_else(store, bakery, inbox):
    placed = order()
    await place(store, inbox, placed)
    assert await store.orders.get_by_number(placed.number, BEN) is None
    assert await bakery.orders.get_by_number(placed.number, ANA) is None
    assert await bakery.orders.get_latest(ANA) is None


async def test_the_status_is_what_the_back_end_made_it(store, inbox, database):
    placed = order()
    await place(store, inbox, placed)
    rows = database.collection(OrderDocument)
    await rows.update_one({"orderNumber": placed.number}, {"$set": {"status": "preparing"}})
    found = await store.orders.get_latest(ANA)
    assert found.status is OrderStatus.PREPARING
    await rows.update_one({"orderNumber": placed.number}, {"$set": {"status": "lost"}})
    with pytest.raises(EngineError, match="K7M2QX has an unknown status: 'lost'"):
        await store.orders.get_latest(ANA)


async def test_an_order_is_what_the_back_end_reads(store, inbox, database):
    await place(store, inbox, order())
    (found,) = await database.collection(OrderDocument).find({}, {"_id": 0}).to_list()
    assert len(found.pop("items")) == 2
    assert found == {
        "orderNumber": "K7M2QX",
        "subDomain": "pizzeria",
        "localId": "local-7",
        "conversationId": "pizzeria:51999111222",
        "customer": {"name": "Ana", "phone": "51999111222", "userId": None},
        "subtotal": 31.05,
        "tax": 5.59,
        "deliveryFee": 3.0,
        "total": 39.64,
        "status": "pending",
        "type": "delivery",
        "paymentMethod": "digital_wallet",
        "paymentMethodId": "yape",
        "source": "whatsapp",
        "deliveryAddress": {"text": "Av. Larco 1", "latitude": -12.1, "longitude": -77.0},
        "notes": "ring twice",
        "createdAt": NOW,
        "updatedAt": NOW,
        "statusReason": "",
        "followed": {
            "status": "pending",
            "told": ["pending"],
            "place": None,
            "at": None,
            "isOpen": True,
        },
        "takenStock": [],
    }


LATER = NOW + timedelta(hours=1)
K7 = order().number


async def test_the_status_is_moved_as_far_as_the_move_is_legal(either, inbox):
    await place(either, inbox, order(), replace(order("B2C3D4"), type=OrderType.PICKUP))
    moves = [("confirmed", True), ("delivered", False), ("preparing", True), ("preparing", False)]
    for status, is_legal in moves:
        assert await either.move_order(K7, OrderStatus(status), at=LATER) is is_legal
    assert (await either.orders.get_by_number(K7, ANA)).status is OrderStatus.PREPARING
    assert await either.move_order(K7, OrderStatus.ON_THE_WAY, at=LATER) is True
    other = OrderNumber("B2C3D4")
    for status in (OrderStatus.CONFIRMED, OrderStatus.PREPARING):
        assert await either.move_order(other, status, at=LATER) is True
    assert await either.move_order(other, OrderStatus.ON_THE_WAY, at=LATER) is False
    assert await either.move_order(OrderNumber("NONE00"), OrderStatus.READY, at=LATER) is None


async def test_a_move_is_noted_with_its_time_and_leaves_the_rest(store, inbox, database):
    await place(store, inbox, order())
    rows = database.collection(OrderDocument)
    before = await rows.find_one({})
    assert await store.move_order(K7, OrderStatus.CONFIRMED, at=LATER)
    assert await rows.find_one({}) == {**before, "status": "confirmed", "updatedAt": LATER}


async def test_nobody_moves_the_order_of_another_tenant(store, bakery, inbox):
    await place(store, inbox, order())
    assert await bakery.move_order(K7, OrderStatus.CONFIRMED, at=LATER) is None
    assert (await store.orders.get_latest(ANA)).status is OrderStatus.PENDING


@pytest.mark.parametrize("field", ["status", "type"])
async def test_an_order_the_engine_does_not_understand_is_not_moved(store, inbox, database, field):
    await place(store, inbox, order())
    rows = database.collection(OrderDocument)
    for change in ({"$set": {field: "lost"}}, {"$unset": {field: ""}}):
        await rows.update_one({}, change)
        assert await store.move_order(K7, OrderStatus.CONFIRMED, at=LATER) is False


async def test_a_move_that_another_was_faster_than_is_judged_anew(
    store, inbox, database, monkeypatch
):
    await place(store, inbox, order())
    rows = database.collection(OrderDocument)
    find_one = type(rows).find_one

    async def slow_find_one(self, *args, **options):
        found = await find_one(self, *args, **options)
        monkeypatch.undo()
        await rows.update_one({}, {"$set": {"status": "cancelled"}})
        return found

    monkeypatch.setattr(type(rows), "find_one", slow_find_one)
    assert await store.move_order(K7, OrderStatus.CONFIRMED, at=LATER) is False
    assert (await store.orders.get_latest(ANA)).status is OrderStatus.CANCELLED


async def test_of_two_moves_at_once_each_is_legal_where_it_is_made(store, inbox):
    await place(store, inbox, order())
    moved = await asyncio.gather(
        *(store.move_order(K7, OrderStatus.CONFIRMED, at=LATER) for _ in range(5))
    )
    assert sorted(moved) == [False] * 4 + [True]
