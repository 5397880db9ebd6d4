"""A process does something in a slot only while its lease runs, and leaves nothing behind."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from engine.clock import ManualClock
from engine.domain.ids import CustomerKey, TenantId
from engine.errors import Unavailable
from engine.runtime import claims as module
from engine.runtime.claims import Claims
from engine.slots import LEASE, SLOTS, slot_of
from tests.memory_boxes import Boxes, no_strike

ANA = TenantId("la-tavola"), CustomerKey("ana")
SLOT = slot_of(*ANA)


class Ticks:
    """Seconds that a test lets pass."""

    def __init__(self, monkeypatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("engine.runtime.claims.time.monotonic", lambda: self.now)


class Process:
    """One process's claims."""

    def __init__(self, boxes: Boxes, clock: ManualClock, name: str) -> None:
        self.busy: set[int] = set()
        self.prepared: list[set[int]] = []
        self.claims = Claims(
            tables=boxes.slots, clock=clock, member=name, busy=lambda: self.busy,
            prepare=self._prepare,
        )  # fmt: skip

    async def _prepare(self, slots) -> None:
        self.prepared.append(set(slots))

    @property
    def slots(self) -> set[int]:
        return set(self.claims.terms())


@pytest.fixture
def clock():
    return ManualClock(datetime(2030, 1, 1, tzinfo=UTC))


@pytest.fixture
def boxes():
    return Boxes()


async def test_a_single_process_has_every_conversation(boxes, clock):
    one = Process(boxes, clock, "one")
    assert one.claims.term(*ANA) is None
    await one.claims.renew()
    assert len(one.slots) == SLOTS
    assert one.prepared == [set(range(SLOTS))]
    assert one.claims.term(*ANA) == 1
    assert one.claims.share == 1.0
    await one.claims.renew()
    assert one.claims.term(*ANA) == 1
    assert len(one.prepared) == 1


async def test_two_processes_share_and_never_have_the_same(boxes, clock):
    one, two = Process(boxes, clock, "one"), Process(boxes, clock, "two")
    await one.claims.renew()
    await two.claims.renew()
    assert two.slots == set()
    await one.claims.renew()
    await two.claims.renew()
    assert len(one.slots) == len(two.slots) == 32
    assert not one.slots & two.slots


async def test_a_slot_with_work_is_given_back_when_the_work_is_done(boxes, clock):
    one, two = Process(boxes, clock, "one"), Process(boxes, clock, "two")
    await one.claims.renew()
    one.busy = set(range(SLOTS))
    await two.claims.renew()
    await one.claims.renew()
    assert len(boxes.table.of("one")) == SLOTS
    one.busy = set()
    await one.claims.renew()
    assert len(one.slots) == 32


async def test_a_process_that_is_never_without_work_shares_it_all_the_same(boxes, clock):
    one, two = Process(boxes, clock, "one"), Process(boxes, clock, "two")
    await one.claims.renew()
    term = one.claims.term(*ANA)
    one.busy = set(range(SLOTS))  # a backlog: there is work in every slot, all the time
    await two.claims.renew()
    await one.claims.renew()
    assert len(one.slots) == 32  # nothing new is begun in the others,
    one.busy = one.slots  # so what is under way there comes to its end
    await one.claims.renew()
    await two.claims.renew()
    assert len(one.slots) == len(two.slots) == 32
    assert not one.slots & two.slots
    await two.claims.leave()
    one.busy = set()
    await one.claims.renew()
    assert len(one.slots) == SLOTS
    assert one.claims.term(*ANA) in (term, 2, 3, 4)


async def test_a_slot_that_was_to_be_given_back_is_worked_in_again_if_it_need_not(boxes, clock):
    one, two = Process(boxes, clock, "one"), Process(boxes, clock, "two")
    await one.claims.renew()
    one.busy = set(range(SLOTS))
    await two.claims.renew()
    await one.claims.renew()
    await two.claims.leave()
    await one.claims.renew()
    assert one.claims.terms() == dict.fromkeys(range(SLOTS), 1)


async def test_what_comes_first_and_takes_long_does_not_keep_the_lease_from_being_renewed(
    boxes, clock, monkeypatch
):
    monkeypatch.setattr(module, "PREPARE_SECONDS", 0.01)
    one = Process(boxes, clock, "one")
    gate = asyncio.Event()

    async def prepare(slots) -> None:
        await gate.wait()

    one.claims._prepare = prepare
    async with asyncio.timeout(1):
        await one.claims.renew()
        version = boxes.table.version
        await one.claims.renew()
    assert boxes.table.version == version + 1
    assert one.slots == set()
    gate.set()
    await one.claims.renew()
    assert len(one.slots) == SLOTS


async def test_after_the_database_was_away_the_others_may_renew_before_their_slots_are_taken(
    boxes, clock, monkeypatch
):
    ticks = Ticks(monkeypatch)
    one, two = Process(boxes, clock, "one"), Process(boxes, clock, "two")
    for process in (one, two, one, two):
        await process.claims.renew()
    held = one.slots

    async def away(where: str) -> None:
        raise Unavailable(where)

    boxes.strike = away
    for process in (one, two):
        await process.claims.renew()
    clock.move(LEASE * 3)
    ticks.now += LEASE.total_seconds() * 3
    for process in (one, two):
        await process.claims.renew()
    boxes.strike = no_strike
    await two.claims.renew()
    assert len(two.slots) == 32
    await one.claims.renew()
    assert one.slots == held  # what it was about to note as sent, nobody has sent again


async def test_who_died_while_the_database_was_away_is_followed_a_lease_later(
    boxes, clock, monkeypatch
):
    ticks = Ticks(monkeypatch)
    one, two = Process(boxes, clock, "one"), Process(boxes, clock, "two")
    for process in (one, two, one, two):
        await process.claims.renew()

    async def away(where: str) -> None:
        raise Unavailable(where)

    boxes.strike = away
    await two.claims.renew()
    boxes.strike = no_strike
    clock.move(LEASE)
    ticks.now += LEASE.total_seconds() - 0.1
    await two.claims.renew()
    assert len(two.slots) == 32
    ticks.now += 0.1
    await two.claims.renew()
    assert len(two.slots) == SLOTS


async def test_nothing_is_begun_shortly_before_the_lease_is_over(boxes, clock, monkeypatch):
    ticks = Ticks(monkeypatch)
    one = Process(boxes, clock, "one")
    await one.claims.renew()
    ticks.now += LEASE.total_seconds() - module.MARGIN_SECONDS - 0.01
    assert one.claims.term(*ANA) == 1
    ticks.now += 0.02
    assert one.claims.term(*ANA) is None
    assert one.slots == set()
    await one.claims.renew()
    assert one.claims.term(*ANA) == 1  # nobody else had it meanwhile


async def test_a_clock_that_is_set_changes_nothing_for_who_has_a_slot(boxes, clock):
    one = Process(boxes, clock, "one")
    await one.claims.renew()
    clock.move(timedelta(days=2))
    assert one.claims.term(*ANA) == 1
    clock.set(datetime(2029, 1, 1, tzinfo=UTC))
    await one.claims.renew()
    assert one.claims.term(*ANA) == 1


async def test_a_lease_that_another_took_over_is_a_new_term(boxes, clock):
    one, two = Process(boxes, clock, "one"), Process(boxes, clock, "two")
    await one.claims.renew()
    clock.move(LEASE)
    await two.claims.renew()  # "one" was paused
    assert len(two.slots) == SLOTS
    await one.claims.renew()
    assert one.slots == set()
    await two.claims.leave()
    await one.claims.renew()
    term = one.claims.term(*ANA)
    assert term is not None
    assert term > 1


async def test_without_the_database_it_keeps_what_it_has_until_the_lease_is_over(
    boxes, clock, monkeypatch
):
    ticks = Ticks(monkeypatch)
    one = Process(boxes, clock, "one")
    await one.claims.renew()

    async def away(where: str) -> None:
        raise Unavailable(where)

    boxes.strike = away
    await one.claims.renew()
    assert one.claims.term(*ANA) == 1
    ticks.now += LEASE.total_seconds()
    assert one.claims.term(*ANA) is None


async def test_a_slot_is_worked_in_only_after_what_comes_first(boxes, clock):
    one = Process(boxes, clock, "one")
    seen = []

    async def prepare(slots) -> None:
        seen.append(one.claims.term(*ANA))
        if len(seen) == 1:
            raise Unavailable("not now")

    one.claims._prepare = prepare
    await one.claims.renew()
    assert one.claims.term(*ANA) is None
    await one.claims.renew()
    assert seen == [None, None]
    assert one.claims.term(*ANA) is not None


async def test_a_slot_is_let_go_before_the_table_says_so(boxes, clock):
    one, two = Process(boxes, clock, "one"), Process(boxes, clock, "two")
    await one.claims.renew()
    await two.claims.renew()
    seen: list[set[int]] = []

    async def look(where: str) -> None:
        if where == "slots.swap":
            seen.append(one.slots)

    boxes.strike = look
    await one.claims.renew()
    assert len(seen[0]) == 32


async def test_a_swap_that_another_was_faster_in_is_tried_again(boxes, clock):
    one, two = Process(boxes, clock, "one"), Process(boxes, clock, "two")
    await one.claims.renew()
    await asyncio.gather(one.claims.renew(), two.claims.renew())
    await asyncio.gather(one.claims.renew(), two.claims.renew())
    assert len(one.slots | two.slots) == SLOTS
    assert not one.slots & two.slots


async def test_who_retires_takes_nothing_more_and_who_leaves_is_forgotten(boxes, clock):
    one, two = Process(boxes, clock, "one"), Process(boxes, clock, "two")
    for process in (one, two, one, two):
        await process.claims.renew()
    one.busy = {min(one.slots)}
    await one.claims.retire()
    assert one.slots == one.busy
    await two.claims.renew()
    assert len(two.slots) == SLOTS - 1
    await one.claims.leave()
    assert one.slots == set()
    assert boxes.table.members.keys() == {"two"}
    await two.claims.renew()
    assert len(two.slots) == SLOTS


async def test_leaving_without_the_database_is_no_error(boxes, clock):
    one = Process(boxes, clock, "one")
    await one.claims.renew()

    async def away(where: str) -> None:
        raise Unavailable(where)

    boxes.strike = away
    await one.claims.leave()
    assert one.slots == set()


async def test_it_renews_by_itself_until_it_leaves(boxes, clock, monkeypatch):
    one = Process(boxes, clock, "one")
    one.claims._poll._every = 0.01
    running = asyncio.create_task(one.claims.run())
    async with asyncio.timeout(5):
        while boxes.table.version < 3:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    await one.claims.leave()
    await running
    assert boxes.table.members == {}
