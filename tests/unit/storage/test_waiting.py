"""Rows that wait in lanes, on their own; inbox and outbox have the rest."""

from datetime import timedelta

from engine.storage.records import InboxDocument
from engine.storage.waiting import WaitingRows
from tests.unit.storage.builders import NOW


async def test_lanes_keep_their_places_while_their_rows_are_put_in_order(database):
    rows = database.collection(InboxDocument)
    await rows.insert_many(
        {
            "_id": f"{lane}{place}",
            "tenant": "t",
            "customer": lane,
            "slot": ord(lane) % 2,
            "state": "new",
            "due": NOW + timedelta(seconds=second),
            "place": place,
        }
        for second, (lane, place) in enumerate([("a", 3), ("b", 1), ("a", 1), ("c", 1), ("a", 2)])
    )
    waiting = WaitingRows(rows, "new", lambda row: (row["place"],), ("place",))
    found = await waiting.due([0, 1], now=NOW + timedelta(minutes=1), limit=10)
    assert [row["_id"] for row in found] == ["a1", "b1", "a2", "c1", "a3"]


async def test_rows_before_the_one_that_was_put_off_are_free(database):
    rows = database.collection(InboxDocument)
    row = {"tenant": "t", "customer": "a", "slot": 5, "state": "new"}
    await rows.insert_many(
        {**row, "_id": str(n), "place": n, "due": NOW + timedelta(hours=n == 2)} for n in range(4)
    )
    waiting = WaitingRows(rows, "new", lambda row: (row["place"],), ("place",))
    assert [row["_id"] for row in await waiting.due([5], now=NOW, limit=10)] == ["0", "1"]
