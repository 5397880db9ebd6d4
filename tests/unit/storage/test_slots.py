"""The table of slots on disk."""

import asyncio

from engine.box_ports import SlotTables
from engine.slots import SLOTS, SlotTable, left, renewed
from engine.storage.slots import MongoSlotTables
from tests.unit.storage.builders import NOW


def the_type_checker_agrees(tables: MongoSlotTables) -> SlotTables:
    return tables


async def test_there_is_an_empty_one_at_first(tables):
    assert await tables.read() == SlotTable()


async def test_it_comes_back_as_it_was(tables):
    one = renewed(await tables.read(), "host.example:1$", now=NOW)
    assert await tables.swap(one)
    assert await tables.read() == one
    both = renewed(one, "two", now=NOW, is_leaving=True)
    assert await tables.swap(both)
    assert await tables.read() == both
    assert (await tables.read()).of("host.example:1$") == frozenset(range(SLOTS))
    assert await tables.swap(left(both, "two"))
    assert await tables.swap(left(await tables.read(), "host.example:1$"))
    assert await tables.read() == SlotTable(version=4)


async def test_an_older_one_takes_no_newer_ones_place(tables):
    first = renewed(SlotTable(), "one", now=NOW)
    assert await tables.swap(first)
    assert not await tables.swap(renewed(SlotTable(), "two", now=NOW))
    second = renewed(first, "one", now=NOW)
    assert await tables.swap(second)
    assert not await tables.swap(renewed(first, "two", now=NOW))
    assert not await tables.swap(second)
    assert await tables.read() == second


async def test_of_processes_that_change_it_at_once_one_wins(tables):
    for round_ in range(10):
        table = await tables.read()
        assert table.version == round_
        swaps = [tables.swap(renewed(table, f"m{n}", now=NOW)) for n in range(5)]
        assert sorted(await asyncio.gather(*swaps)) == [False] * 4 + [True]
