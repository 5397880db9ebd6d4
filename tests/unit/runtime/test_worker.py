"""Turns are taken in Meta's order, as often as it takes, and what cannot be taken is put aside."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.box_ports import InboxRow
from engine.clock import ManualClock
from engine.domain.ids import CustomerKey
from engine.errors import Conflict, TurnError, Unavailable
from engine.runtime.worker import (
    CONFLICT_PATIENCE,
    ENOUGH,
    MAX_ATTEMPTS,
    POLL_SECONDS,
    Worker,
)
from tests.memory_boxes import Boxes
from tests.unit.actions.shop import OPEN
from tests.unit.runtime.boxes_scene import Mine, entry
from tests.unit.runtime.flow_shop import ANA, EVA, NUMBER, TENANT

SECOND = timedelta(seconds=1)


def row(n: int, *, who: CustomerKey = ANA, at: int = 0, **changes: Any) -> InboxRow:
    """Give a stored message, of so many seconds after the first."""
    raw = {
        "phone_number_id": NUMBER,
        "contact": {},
        "message": {
            "id": f"wamid.{n}", "from": "1", "from_user_id": who, "timestamp": "1",
            "type": "text", "text": {"body": "x"},
        },
    }  # fmt: skip
    made = InboxRow(f"{NUMBER}:wamid.{n}", TENANT, who, 1000 + at, OPEN, raw)
    return replace(made, **changes)


class Scene:
    """A worker whose turns do what they are told."""

    def __init__(self, *rows: InboxRow) -> None:
        self.boxes, self.clock, self.claims = Boxes(), ManualClock(OPEN), Mine()
        self.errors: dict[str, list[Exception]] = {}
        self.taken: list[str] = []
        self.given_up: list[str] = []
        self.sent: list[tuple[str, int]] = []
        claims: Any = self.claims
        turns: Any = self
        self.worker = Worker(
            inbox=self.boxes.inbox, turns=turns, clock=self.clock, claims=lambda: claims,
            send=lambda entries, term: self.sent.extend((e.id, term) for e in entries),
        )  # fmt: skip
        self.rows = rows

    async def start(self) -> "Scene":
        await self.boxes.inbox.accept(self.rows)
        return self

    async def take(self, row, message):
        if errors := self.errors.get(row.id):
            raise errors.pop(0)
        self.taken.append(row.id.rpartition(".")[2])
        self.boxes.inbox_rows[row.id].state = "done"
        return (entry(len(self.taken)),)

    async def give_up(self, row, message, *, error):
        self.given_up.append(error)
        self.boxes.inbox_rows[row.id].state = "dead"
        return (entry(99),)

    def offer(self, *rows: InboxRow) -> None:
        for each in rows:
            self.worker.offer(each)

    async def look(self, after: timedelta = timedelta()) -> list[str]:
        self.clock.move(after)
        await self.worker.look()
        await self.worker.idle()
        return self.taken

    def state(self, n: int) -> tuple[str, int]:
        held = self.boxes.inbox_rows[f"{NUMBER}:wamid.{n}"]
        return held.state, held.row.attempts


async def test_metas_order_counts_then_ours():
    late = row(2, at=1, received_at=OPEN - SECOND)
    scene = await Scene(row(3, at=1), late, row(1, at=0)).start()
    assert await scene.look() == ["1", "2", "3"]


async def test_what_is_offered_is_taken_at_once_and_what_it_says_goes_on_with_the_term():
    scene = await Scene(row(1), row(2)).start()
    running = asyncio.create_task(scene.worker.run())
    await scene.boxes.inbox.accept([row(3)])
    await asyncio.sleep(0)  # it has looked
    await scene.worker.idle()
    await scene.boxes.inbox.accept([row(4, at=1)])
    scene.offer(row(4, at=1))
    async with asyncio.timeout(POLL_SECONDS / 2):
        while len(scene.taken) < 4:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
    await scene.worker.end()
    await running
    assert scene.taken == ["1", "2", "3", "4"]
    assert [term for _, term in scene.sent] == [1, 1, 1, 1]


async def test_what_is_offered_does_not_overtake_what_another_process_has_stored():
    scene = await Scene(row(2, at=1)).start()
    await scene.boxes.inbox.accept([row(1)])  # by another one, just now
    scene.offer(row(2, at=1))
    await scene.worker.idle()
    assert await scene.look() == ["1", "2"]


async def test_what_is_offered_does_not_overtake_what_another_process_had_put_off():
    scene = await Scene(row(1), row(2)).start()
    await scene.boxes.inbox.postpone(row(1), until=OPEN + SECOND, error="not now")
    scene.offer(row(2))
    await scene.worker.idle()
    assert scene.taken == []
    assert await scene.look(SECOND) == ["1", "2"]


async def test_another_process_conversations_are_left_to_it():
    scene = await Scene(row(1)).start()
    scene.claims.held = None
    scene.offer(*scene.rows)
    assert await scene.look() == []
    scene.claims.held = 4
    assert await scene.look() == ["1"]


@pytest.mark.parametrize("error", [Unavailable("away"), Conflict("faster")])
async def test_what_is_nobodys_fault_is_tried_by_the_next_look_and_counts_not(error):
    scene = await Scene(row(1), row(2)).start()
    scene.errors[f"{NUMBER}:wamid.1"] = [error] * 20
    for _ in range(20):
        assert await scene.look() == []
    scene.offer(row(2))  # also what has just come waits
    await scene.worker.idle()
    assert await scene.look() == ["1", "2"]
    assert scene.state(1) == ("done", 0)


async def test_conflicts_without_end_do_count_at_last():
    scene = await Scene(row(1)).start()
    scene.errors[f"{NUMBER}:wamid.1"] = [Conflict("faster")] * 100
    await scene.look(CONFLICT_PATIENCE + SECOND)
    assert scene.state(1) == ("new", 1)


@pytest.mark.parametrize("error", [TurnError("no bundle"), RuntimeError("a bug")])
async def test_a_message_that_keeps_failing_is_given_up_and_later_ones_go_on(error):
    scene = await Scene(row(1), row(2), row(3, who=EVA)).start()
    scene.errors[f"{NUMBER}:wamid.1"] = [error] * 100
    waited = 0
    for attempt in range(1, MAX_ATTEMPTS):
        await scene.look()
        assert scene.state(1) == ("new", attempt)
        assert "2" not in scene.taken  # it waits for the one before it
        assert "3" in scene.taken  # another customer does not
        waited += 2 ** (attempt - 1)
        scene.clock.move(2 ** (attempt - 1) * SECOND)
    assert waited == 31
    assert await scene.look() == ["3", "2"]
    assert scene.state(1)[0] == "dead"
    assert len(scene.given_up) == 1
    assert str(error) in scene.given_up[0]
    assert (entry(99).id, 1) in scene.sent


async def test_what_cannot_even_be_told_is_put_aside_all_the_same():
    scene = await Scene(row(1, attempts=MAX_ATTEMPTS - 1), row(2)).start()
    scene.errors[f"{NUMBER}:wamid.1"] = [TurnError("no bundle")]

    async def give_up(*args, **options):
        raise TurnError("no bundle either")

    scene.give_up = give_up  # type: ignore[method-assign]
    assert await scene.look() == ["2"]
    assert scene.state(1)[0] == "dead"


async def test_a_giving_up_without_the_database_is_tried_again():
    scene = await Scene(row(1, attempts=MAX_ATTEMPTS - 1)).start()
    scene.errors[f"{NUMBER}:wamid.1"] = [TurnError("no bundle")] * 2
    real = scene.give_up

    async def give_up(*args, **options):
        scene.give_up = real  # type: ignore[method-assign]
        raise Unavailable("away")

    scene.give_up = give_up  # type: ignore[method-assign]
    await scene.look()
    assert scene.state(1)[0] == "new"
    await scene.look()
    assert scene.state(1)[0] == "dead"


async def test_a_row_that_cannot_be_read_does_not_stop_the_others():
    scene = await Scene(row(1, raw={"odd": 1}), row(2), row(3, who=EVA)).start()
    assert sorted(await scene.look()) == ["2", "3"]
    assert scene.state(1)[0] == "dead"


async def test_an_end_finishes_the_turn_under_way_and_leaves_the_rest():
    scene = await Scene(row(1), row(2)).start()
    real = scene.take

    async def take(row, message):
        ending.append(scene.worker.end())
        return await real(row, message)

    ending: list[Any] = []
    scene.take = take  # type: ignore[method-assign]
    await scene.worker.look()
    assert scene.worker.busy()
    await scene.worker.idle()
    for each in ending[1:]:
        each.close()
    await ending[0]
    assert "1" in scene.taken
    assert scene.worker.busy() == frozenset()


async def test_without_the_database_a_look_does_nothing():
    scene = await Scene(row(1)).start()

    async def away(where):
        raise Unavailable(where)

    scene.boxes.strike = away
    assert await scene.look() == []


async def test_who_has_enough_to_do_does_not_read_it_again(monkeypatch):
    crowd = [row(n, who=CustomerKey(f"US.{n}")) for n in range(ENOUGH + 1)]
    scene, reads = await Scene(*crowd).start(), 0
    real = scene.boxes.inbox.waiting

    async def waiting(*args, **options):
        nonlocal reads
        reads += 1
        return await real(*args, **options)

    monkeypatch.setattr(scene.boxes.inbox, "waiting", waiting)
    for _ in range(3):
        await scene.worker.look()
    assert reads == 1
    # What came meanwhile is looked for as soon as there is room, long before the next poll.
    await scene.boxes.inbox.accept([row(500, who=EVA)])
    running = asyncio.create_task(scene.worker.run())
    async with asyncio.timeout(POLL_SECONDS / 2):
        while "500" not in scene.taken:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
    await scene.worker.end()
    await running
    assert len(scene.taken) == ENOUGH + 2
