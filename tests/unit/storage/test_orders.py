"""Orders on disk."""

from dataclasses import replace
from datetime import timedelta

import pytest

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
    }
