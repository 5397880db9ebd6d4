"""Rows that wait in lanes, on their own; inbox and outbox have the rest."""

from datetime import timedelta
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from engine.storage.records import InboxDocument
from engine.storage.waiting import MOST_OF_LANE, WaitingRows
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


def _row(lane: str, place: int, due: timedelta = timedelta()) -> dict[str, Any]:
    """Give a waiting row; a lane's rows are due as they were written."""
    return {
        "_id": f"{lane}{place}", "tenant": "t", "customer": lane, "slot": 1, "state": "new",
        "place": place, "due": NOW - timedelta(hours=1) + timedelta(seconds=place) + due,
    }  # fmt: skip


def _waiting(rows: AsyncCollection[dict[str, Any]]) -> WaitingRows:
    return WaitingRows(rows, "new", lambda row: (row["place"],), ("place",))


async def test_a_row_that_was_tried_before_comes_before_the_later_ones_of_a_full_page(database):
    rows = database.collection(InboxDocument)
    tried = _row("a", 0, timedelta(minutes=30))
    await rows.insert_many([tried, *(_row("a", n) for n in range(1, 40))])
    found = await _waiting(rows).due([1], now=NOW, limit=10)
    assert [row["place"] for row in found] == list(range(10))
    found = await _waiting(rows).due([1], now=NOW - timedelta(minutes=40), limit=10)
    assert found == []


async def test_rows_of_one_time_keep_their_order_over_a_page(database):
    rows = database.collection(InboxDocument)
    put_off = [{**_row("a", n), "due": NOW} for n in range(12)]
    await rows.insert_many(reversed(put_off))
    found = await _waiting(rows).due([1], now=NOW, limit=5)
    assert [row["place"] for row in found] == list(range(5))


async def test_a_crowd_behind_a_row_that_was_put_off_stops_nobody_else(database):
    rows = database.collection(InboxDocument)
    crowd = [_row("a", 0, timedelta(days=1)), *(_row("a", n) for n in range(1, 1000))]
    await rows.insert_many([*crowd, _row("b", 1, timedelta(minutes=30))])
    found = await _waiting(rows).due([1], now=NOW, limit=10)
    assert [row["_id"] for row in found] == ["b1"]


async def test_a_crowd_that_is_due_stops_nobody_else(database):
    rows = database.collection(InboxDocument)
    crowd = [_row("a", n) for n in range(500)]
    await rows.insert_many([*crowd, *(_row(f"b{n}", 1, timedelta(minutes=30)) for n in range(8))])
    found = await _waiting(rows).due([1], now=NOW, limit=100)
    assert [row["_id"] for row in found if row["customer"] == "a"] == [
        f"a{n}" for n in range(MOST_OF_LANE)
    ]
    assert len(found) == MOST_OF_LANE + 8
