import asyncio

from engine.sandbox.bell import Bell


async def test_waiting_ends_when_the_time_is_over():
    await Bell().wait_until(lambda: False, what="x", seconds=0.01)


async def test_who_waits_for_something_else_is_not_woken():
    bell, asked = Bell(), []

    def ready(who):
        asked.append(who)
        return len(asked) > 2

    waiting = asyncio.create_task(bell.wait_until(lambda: ready("a"), what="a", seconds=10))
    other = asyncio.create_task(bell.wait_until(lambda: ready("b"), what="b", seconds=10))
    await asyncio.sleep(0)
    assert asked == ["a", "b"]

    bell.ring("a")
    await waiting

    assert asked == ["a", "b", "a"]
    bell.ring("b")
    await other


async def test_all_who_wait_for_the_same_are_woken_each_time():
    bell, rung = Bell(), list[int]()
    waiting = [
        asyncio.create_task(bell.wait_until(lambda: len(rung) >= 2, what="a", seconds=10))
        for _ in range(2)
    ]
    for n in range(2):
        await asyncio.sleep(0)
        rung.append(n)
        bell.ring("a")

    async with asyncio.timeout(5):
        await asyncio.gather(*waiting)
