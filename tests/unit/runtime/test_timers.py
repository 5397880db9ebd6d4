"""A timer fires once, in its place among what the customer wrote, also when nobody was there."""

from datetime import timedelta
from typing import Any

import pytest

from engine.box_ports import Timer
from engine.clock import ManualClock
from engine.errors import Unavailable
from engine.runtime.timers import Alarm
from engine.slots import SLOTS, slot_of
from engine.whatsapp.content import Raised
from engine.whatsapp.inbound import restore_message
from tests.memory_boxes import Boxes
from tests.unit.actions.shop import OPEN
from tests.unit.runtime.flow_shop import ANA, EVA, NUMBER, TENANT

ALL = range(SLOTS)


def timer(who=ANA, *, after=60, entry: int | None = 3, name="after.cart.1m") -> Timer:
    due = OPEN + timedelta(seconds=after)
    return Timer(f"{TENANT}:{who}:{entry}:{name}", TENANT, who, name, entry, due, NUMBER)


class Scene:
    """Timers and the inbox, and what was offered."""

    def __init__(self, *timers: Timer) -> None:
        self.boxes, self.clock = Boxes(), ManualClock(OPEN)
        self.offered: list[Any] = []
        self.boxes.timer_rows = {each.id: each for each in timers}
        self.slots: Any = ALL
        self.alarm = Alarm(
            timers=self.boxes.timers, inbox=self.boxes.inbox, clock=self.clock,
            slots=lambda: self.slots,
            offer=lambda row: self.offered.append(restore_message(row.raw)),
        )  # fmt: skip

    async def look(self, after: int = 0) -> list[Any]:
        self.clock.move(timedelta(seconds=after))
        await self.alarm.look()
        return [held.row for held in self.boxes.inbox_rows.values()]


async def test_it_fires_when_it_is_due_and_is_gone():
    scene = Scene(timer(), timer(EVA, after=120))
    assert await scene.look(59) == []
    (row,) = await scene.look(1)
    assert (row.tenant, row.customer) == (TENANT, ANA)
    assert scene.offered[0].content == Raised("after.cart.1m", {"entry": 3})
    assert scene.offered[0].phone_number_id == NUMBER
    assert [held.customer for held in scene.boxes.timer_rows.values()] == [EVA]
    assert await scene.look() == [row]


async def test_its_place_is_its_time_however_late_it_is():
    scene = Scene(timer())
    (row,) = await scene.look(3600)
    assert row.timestamp == int(OPEN.timestamp()) + 60
    assert row.received_at == scene.clock.now()


@pytest.mark.parametrize("where", ["inbox.accepted", "timers.drop", "timers.dropped"])
async def test_who_dies_between_two_steps_leaves_one_event(where):
    scene = Scene(timer())

    async def die(now: str) -> None:
        if now == where:
            raise Unavailable(now)

    scene.boxes.strike = die
    await scene.look(60)
    scene.boxes.strike = Boxes().strike
    assert len(await scene.look(5)) == 1
    assert scene.boxes.timer_rows == {}


async def test_a_timer_that_was_set_again_meanwhile_fires_at_its_new_time():
    old, new = (
        timer(entry=None, name="cart_expired"),
        timer(entry=None, name="cart_expired", after=90),
    )
    scene = Scene(old)

    async def set_again(now: str) -> None:
        if now == "timers.drop":
            scene.boxes.timer_rows[new.id] = new

    scene.boxes.strike = set_again
    assert len(await scene.look(60)) == 1
    scene.boxes.strike = Boxes().strike
    assert len(await scene.look(30)) == 2


async def test_only_those_of_ones_own_slots_fire():
    scene = Scene(timer(), timer(EVA))
    scene.slots = {slot_of(TENANT, EVA)}
    assert [row.customer for row in await scene.look(60)] == [EVA]


async def test_more_than_a_page_fires_at_once():
    scene = Scene(*(timer(entry=n) for n in range(250)))
    assert len(await scene.look(60)) == 250
    assert scene.boxes.timer_rows == {}


async def test_what_is_logged_of_it_tells_nothing_of_the_customer():
    (row,) = await Scene(timer()).look(60)
    assert row.id.startswith(f"timer:{TENANT}:")
    assert ANA not in row.id
