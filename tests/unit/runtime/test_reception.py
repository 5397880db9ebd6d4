"""Reception: what comes is stored before it is answered for, and all of it is handed on."""

from typing import Any

import pytest

from engine.clock import ManualClock
from engine.errors import Unavailable
from engine.runtime.reception import Reception
from tests.unit.actions.shop import OPEN
from tests.unit.runtime.flow_shop import ANA, NUMBER, TENANT, Businesses
from tests.unit.whatsapp.webhooks import envelope, message, parse

METADATA = {"display_phone_number": "1", "phone_number_id": NUMBER}
HELLO = message(id="wamid.1", from_user_id=ANA, text={"body": "Hola"})
FAILED = {
    "id": "wamid.ours", "status": "failed", "timestamp": "1749416383",
    "errors": [{"code": 131049, "title": "not delivered"}, {"code": 2, "title": "second"}],
}  # fmt: skip


class Boxes:
    """The inbox, the outbox and whoever listens: each writes down what it gets."""

    def __init__(self):
        self.rows = {}
        self.noted, self.offered, self.flows, self.others = [], [], [], []
        self.error = None

    async def accept(self, rows):
        fresh = tuple(row for row in rows if row.id not in self.rows)
        self.rows |= {row.id: row for row in fresh}
        return fresh

    async def note(self, tenant, statuses):
        self.noted += [(tenant, status.wamid, status.status) for status in statuses]

    async def change(self, change):
        self.flows.append(change)

    async def take(self, changes):
        if self.error:
            raise self.error
        self.others.append([change.field for change in changes])

    def offer(self, row):
        self.offered.append(row.id)


class Refusals:
    """What Meta says of Flows."""

    def __init__(self, boxes):
        self.change = boxes.change


@pytest.fixture
def boxes():
    return Boxes()


@pytest.fixture
def reception(boxes):
    parts: dict[str, Any] = {
        "inbox": boxes, "statuses": boxes, "businesses": Businesses(), "offer": boxes.offer,
        "refusals": Refusals(boxes), "commerce": boxes, "echoes": boxes,
    }  # fmt: skip
    return Reception(clock=ManualClock(OPEN), **parts)


def value(number=NUMBER, **members):
    return {"metadata": METADATA | {"phone_number_id": number}, **members}


async def test_a_message_is_stored_and_offered_once(boxes, reception):
    for _ in range(2):
        await reception.receive(parse(envelope(value(messages=[HELLO, HELLO]))))
    (row,) = boxes.rows.values()
    assert (row.id, row.tenant, row.customer) == (f"{NUMBER}:wamid.1", TENANT, ANA)
    assert row.received_at == OPEN
    assert boxes.offered == [row.id]


async def test_what_is_for_a_number_of_nobody_leaves_nothing(boxes, reception):
    told = value("999", messages=[HELLO], statuses=[FAILED])
    await reception.receive(parse(envelope(told)))
    assert (boxes.rows, boxes.noted, boxes.offered) == ({}, [], [])


async def test_every_status_is_noted(boxes, reception):
    told = [FAILED | {"id": f"wamid.{n}"} for n in range(40)]
    await reception.receive(parse(envelope(value(statuses=told))))
    assert boxes.noted == [(TENANT, status["id"], "failed") for status in told]


async def test_flows_go_one_way_and_everything_else_the_other(boxes, reception):
    fields = ["flows", "message_template_status_update", "items_batch", "", "flows"]
    entries = [envelope({"event": "x"}, field=field)["entry"][0] for field in fields]
    await reception.receive(parse({"object": "catalog", "entry": entries}))
    assert [change.field for change in boxes.flows] == ["flows", "flows"]
    assert boxes.others == [["message_template_status_update", "items_batch", ""]]


async def test_a_message_that_nobody_wrote_is_handed_on_and_not_stored(boxes, reception):
    strange = message(id=...)
    await reception.receive(parse(envelope(value(messages=[strange, HELLO]))))
    assert boxes.others == [["messages"]]
    assert list(boxes.rows) == [f"{NUMBER}:wamid.1"]


async def test_messages_are_stored_before_anything_else_can_fail(boxes, reception):
    boxes.error = Unavailable("the database does not answer")
    both = envelope(value(messages=[HELLO]))
    both["entry"] += envelope({}, field="items_batch")["entry"]
    with pytest.raises(Unavailable):
        await reception.receive(parse(both))
    assert len(boxes.rows) == 1
