"""A look that breaks is followed by the next one: nobody else does this work."""

import asyncio

import pytest

from engine.errors import EngineError
from engine.runtime.polling import Poll, end


@pytest.mark.parametrize("error", [EngineError("refused"), KeyError("attempts")])
async def test_looks_go_on_whatever_one_of_them_raises(error):
    looks = 0

    async def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise error
        poll.stop()

    poll = Poll(look, every=0.001)
    async with asyncio.timeout(5):
        await poll.run()
    assert looks == 2


async def test_who_is_told_to_look_looks_soon():
    looks = asyncio.Semaphore(0)

    async def look() -> None:
        looks.release()

    poll = Poll(look, every=1000)
    running = asyncio.create_task(poll.run())
    async with asyncio.timeout(5):
        await looks.acquire()
        poll.wake()
        await looks.acquire()
        poll.stop()
        await running
    assert poll.is_stopped


async def test_a_task_that_misses_a_request_to_end_is_asked_again():
    begun = asyncio.Event()

    async def deaf_once() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(60)

    async def broken() -> None:
        raise RuntimeError("it broke")

    for work in (deaf_once(), broken()):
        task = asyncio.create_task(work)
        await asyncio.sleep(0)
        await end(task)
        assert task.done()
    assert begun.is_set()
