"""What staff types on the business phone: stored once, under the customer it went to."""

from datetime import timedelta
from typing import Any

import pytest

from engine.clock import ManualClock
from engine.domain.ids import CustomerKey
from engine.domain.tenant import Staff
from engine.runtime.echoes import Echoes
from engine.whatsapp.content import Raised
from engine.whatsapp.inbound import OtherChange, restore_message
from tests.memory import MemoryHandOffs
from tests.unit.actions.shop import OPEN, la_tavola
from tests.unit.runtime.flow_shop import ANA, NUMBER, TENANT, Businesses

PHONE, STAFF = "12125550100", "12125550143"


class Boxes:
    """The inbox, the outbox and the store, as far as echoes need them."""

    def __init__(self):
        self.rows, self.offered, self.sent = {}, [], set()
        self.handoffs = MemoryHandOffs()

    async def accept(self, rows):
        fresh = tuple(row for row in rows if row.id not in self.rows)
        self.rows |= {row.id: row for row in fresh}
        return fresh

    async def entry(self, tenant, *, wamid, opaque):
        assert tenant == TENANT
        return wamid if wamid in self.sent else None


@pytest.fixture
def boxes():
    return Boxes()


@pytest.fixture
def echoes(boxes):
    parts: dict[str, Any] = {
        "inbox": boxes, "outbox": boxes, "businesses": Businesses(),
        "stores": lambda _: boxes, "offer": lambda row: boxes.offered.append(row.id),
        "settings": lambda _: la_tavola(staff=Staff(phone=f"+{STAFF}")),
    }  # fmt: skip
    return Echoes(clock=ManualClock(OPEN), **parts)


def typed(number=NUMBER, **changes):
    echo = {"to": PHONE, "id": "wamid.e", "timestamp": "1749416383", **changes}
    value = {"metadata": {"phone_number_id": number}, "message_echoes": [echo, echo]}
    return [OtherChange("smb_message_echoes", "waba", value)]


async def test_it_is_stored_and_offered_once(boxes, echoes):
    boxes.handoffs.keys[PHONE] = ANA
    for _ in range(2):
        await echoes.take(typed())
    (row,) = boxes.rows.values()
    assert (row.id, row.tenant, row.customer) == (f"{NUMBER}:wamid.e", TENANT, ANA)
    assert (row.timestamp, row.received_at) == (1749416383, OPEN)
    assert restore_message(row.raw).content == Raised("staff_wrote", {})
    assert boxes.offered == [row.id]
    assert PHONE not in str(row.raw)  # nothing of what was typed, nor to whom, is kept


@pytest.mark.parametrize(
    ("changes", "key"), [({}, PHONE), ({"to_user_id": "US.9"}, "US.9")], ids=["phone", "user id"]
)
async def test_who_never_wrote_is_known_by_what_the_echo_tells(boxes, echoes, changes, key):
    await echoes.take(typed(**changes))
    assert [row.customer for row in boxes.rows.values()] == [CustomerKey(key)]


@pytest.mark.parametrize(
    "change", [typed("999"), typed(id="wamid.ours"), typed(to=STAFF), typed(to=None)],
    ids=["a number of nobody", "our own message", "to the staff", "to nobody"],
)  # fmt: skip
async def test_what_mutes_nobody(boxes, echoes, change):
    boxes.sent.add("wamid.ours")
    await echoes.take(change)
    assert boxes.rows == {}


async def test_a_time_of_the_far_future_is_not_believed(boxes, echoes):
    await echoes.take(typed(timestamp="9999999999"))
    (row,) = boxes.rows.values()
    assert row.timestamp <= (OPEN + timedelta(minutes=5)).timestamp()
