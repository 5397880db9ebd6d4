"""Timers on disk; what turns do to them is in test_unit_of_work."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.box_ports import Timers
from engine.slots import slot_of
from engine.storage.records import TimerDocument
from engine.storage.timers import MongoTimers
from tests.unit.storage.builders import (
    ANA,
    ANAS,
    BEN,
    BENS,
    EVERY_SLOT,
    NOW,
    PIZZERIA,
    conversation,
    inbox_row,
    timer,
    turn,
)

HOUR = timedelta(hours=1)


def the_type_checker_agrees(timers: MongoTimers) -> Timers:
    return timers


@pytest.fixture
def hold(store, inbox):
    """Sets timers of one customer."""

    async def commit(*timers, version=1, wamid="w1"):
        customer = timers[0].customer
        await inbox.accept([inbox_row(f"{wamid}{customer}", customer=customer)])
        talk = conversation(version, customer=customer)
        await store.commit(turn(f"{wamid}{customer}", talk, timers=timers))

    return commit


async def test_a_timer_comes_back_as_it_was(hold, timers, database):
    of_state, of_none = timer("t1"), timer("t2", entry=None, after=31)
    await hold(of_state, of_none)
    assert await timers.due(EVERY_SLOT, now=NOW + HOUR) == (of_state, of_none)
    row = await database.collection(TimerDocument).find_one({"_id": "t1"})
    assert (row["slot"], row["tenant"]) == (slot_of(PIZZERIA, ANA), PIZZERIA)


async def test_the_longest_due_ones_of_the_slots_come_first(hold, timers):
    await hold(*(timer(f"t{after}", after=after) for after in (40, 10, 30, 20)))
    await hold(timer("ben", customer=BEN, after=5))

    async def due(slots, minutes, **options):
        found = await timers.due(slots, now=NOW + timedelta(minutes=minutes), **options)
        return [each.id for each in found]

    assert await due(EVERY_SLOT, 30) == ["ben", "t10", "t20", "t30"]
    assert await due([ANAS], 30, limit=2) == ["t10", "t20"]
    assert await due({BENS}, 60) == ["ben"]
    assert await due(EVERY_SLOT, 4) == []
    assert await due([], 60) == []


async def test_timers_that_have_fired_are_dropped(hold, timers):
    await hold(timer("t1"), timer("t2"), timer("t3"))
    await timers.drop([])
    first, second, third = await timers.due([ANAS], now=NOW + HOUR)
    await timers.drop([first, third])
    await timers.drop([first])
    assert await timers.due([ANAS], now=NOW + HOUR) == (second,)


async def test_one_that_was_set_again_meanwhile_stays(hold, timers):
    cart = timer("cart", entry=None)
    await hold(cart)
    fired = await timers.due([ANAS], now=NOW + HOUR)
    later = replace(cart, due=NOW + HOUR)
    await hold(later, version=2, wamid="w2")
    await timers.drop(fired)
    assert await timers.due([ANAS], now=NOW + HOUR) == (later,)
