"""Lanes keep the order of one customer's work, whatever is offered, found or put off meanwhile."""

import asyncio

from engine.domain.ids import CustomerKey, TenantId
from engine.runtime.lanes import Lanes

ANA = TenantId("t"), CustomerKey("ana")
BEN = TenantId("t"), CustomerKey("ben")


class Work:
    """Work that is done when a test lets it, and what was done."""

    def __init__(self, **options) -> None:
        self.done: list[str] = []
        self.begun: list[str] = []
        self.put_off: set[str] = set()
        self.gate = asyncio.Event()
        self.gate.set()
        self.lanes: Lanes[str] = Lanes(self._do, at_once=options.pop("at_once", 8), **options)

    async def _do(self, item: str) -> bool:
        self.begun.append(item)
        await self.gate.wait()
        if item in self.put_off:
            return False
        self.done.append(item)
        return True

    def put(self, *items: str, lane=ANA) -> None:
        for item in items:
            self.lanes.put(lane, item, item, place=item)

    def find(self, *items: str, lane=ANA) -> None:
        with self.lanes.looking() as found:
            for item in items:
                found(lane, item, item, place=item)

    async def begins(self, item: str) -> None:
        async with asyncio.timeout(5):
            while item not in self.begun:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0)


async def test_what_waits_is_done_in_the_order_of_its_places():
    work = Work()
    work.put("b", "c", "a")
    await work.lanes.idle()
    assert work.done == ["a", "b", "c"]


async def test_one_customer_waits_for_himself_and_nobody_else():
    work = Work()
    work.gate.clear()
    work.put("a1", "a2")
    work.put("b1", lane=BEN)
    await work.begins("b1")
    assert work.begun == ["a1", "b1"]
    assert set(work.lanes.lanes()) == {ANA, BEN}
    work.gate.set()
    await work.lanes.idle()
    assert sorted(work.done) == ["a1", "a2", "b1"]
    assert work.lanes.lanes() == ()


async def test_so_many_at_once():
    work = Work(at_once=1)
    work.gate.clear()
    work.put("a")
    work.put("b", lane=BEN)
    await work.begins("a")
    for _ in range(5):
        await asyncio.sleep(0)
    assert work.begun == ["a"]
    work.gate.set()
    await work.lanes.idle()
    assert work.done == ["a", "b"]


async def test_the_same_item_is_done_once():
    work = Work()
    work.gate.clear()
    work.put("a", "a")
    work.find("a")
    await work.begins("a")
    work.find("a")
    work.gate.set()
    await work.lanes.idle()
    assert work.done == ["a"]


async def test_nothing_new_overtakes_what_was_put_off():
    work = Work()
    work.put_off = {"a"}
    work.put("a", "b")
    await work.lanes.idle()
    work.put("c")  # it has just come, and its lane is shut
    await work.lanes.idle()
    assert work.done == []
    work.put_off = set()
    work.find("a", "b", "c")
    await work.lanes.idle()
    assert work.done == ["a", "b", "c"]
    work.put("d")
    await work.lanes.idle()
    assert work.done[-1] == "d"


async def test_what_a_look_read_before_it_was_put_off_is_not_done_after_it():
    work = Work()
    work.put_off = {"a"}
    with work.lanes.looking() as found:
        work.put("a")
        await work.lanes.idle()
        found(ANA, "b", "b", place="b")  # read while "a" did not hold it back yet
    await work.lanes.idle()
    assert work.done == []
    work.find("b")
    await work.lanes.idle()
    assert work.done == ["b"]


async def test_what_was_done_while_it_was_read_is_not_done_again():
    work = Work()
    work.gate.clear()
    work.put("a")
    await work.begins("a")
    with work.lanes.looking() as found:
        work.gate.set()
        await work.lanes.idle()
        found(ANA, "a", "a", place="a")
    await work.lanes.idle()
    assert work.done == ["a"]


async def test_what_is_not_ready_takes_no_room():
    ready = asyncio.Event()

    async def wait(item: str) -> bool:
        if item == "a":
            await ready.wait()
        return True

    work = Work(at_once=1, ready=wait)
    work.put("a")
    work.put("b", lane=BEN)
    await work.begins("b")
    ready.set()
    await work.lanes.idle()
    assert work.done == ["b", "a"]


async def test_an_item_that_may_not_go_shuts_its_lane():
    async def never(item: str) -> bool:
        return item != "a"

    work = Work(ready=never)
    work.put("a", "b")
    await work.lanes.idle()
    work.put("c")
    await work.lanes.idle()
    assert work.done == []


async def test_an_end_finishes_what_is_under_way_and_drops_the_rest():
    work = Work()
    work.gate.clear()
    work.put("a", "b")
    await work.begins("a")
    ending = asyncio.create_task(work.lanes.end())
    await asyncio.sleep(0)
    work.put("c")
    work.gate.set()
    await ending
    assert work.done == ["a"]
    assert len(work.lanes) == 0


async def test_broken_work_shuts_its_lane_until_it_is_found_again():
    work = Work()

    async def break_once(item: str) -> bool:
        work.lanes._work = work._do
        raise RuntimeError(item)

    work.lanes._work = break_once
    work.put("a", "b")
    await work.lanes.idle()
    work.put("c")
    await work.lanes.idle()
    assert work.done == []
    work.find("a", "b", "c")
    await work.lanes.idle()
    assert work.done == ["a", "b", "c"]
    assert len(work.lanes) == 0
