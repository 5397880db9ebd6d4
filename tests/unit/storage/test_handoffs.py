"""Hand-offs on disk: found by what the staff taps, listed and ended for operators."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.domain.conversation import Position
from engine.domain.ids import CustomerKey
from engine.errors import Conflict
from engine.runtime.staff import words_of
from engine.staff_ports import HandOffRepository, HandOffs, Spoken
from engine.storage.handoffs import MongoHandOffs, MongoMuted
from engine.storage.inbox import row_from_disk
from engine.storage.records import InboxDocument
from engine.whatsapp.content import Raised
from engine.whatsapp.inbound import restore_message
from tests.unit.storage.builders import (
    ANA,
    BAKERY,
    BEN,
    BENS,
    EVERY_SLOT,
    NOW,
    PIZZERIA,
    conversation,
    inbox_row,
    outbox_entry,
    timer,
    turn,
)

STAFF = CustomerKey("US.staff")
PHONE = "12125550143"
LATER = NOW + timedelta(hours=1)


def the_type_checker_agrees(mine: MongoHandOffs, others: MongoMuted) -> object:
    ours: HandOffRepository = mine
    listed: HandOffs = others
    return ours, listed


def talk(customer, state="human", **more):
    position = Position("storefront", 1, "d", state, (state,))
    return replace(conversation(), customer=customer, position=position, **more)


def muted(database, tenant=PIZZERIA):
    return MongoMuted(database, tenant, states={"human"})


@pytest.fixture
async def told(store):
    """Has told the staff of Ana."""
    notice = replace(outbox_entry("n"), customer=STAFF, about=ANA, handoff="0f3c")
    await store.commit(turn("ask", talk(ANA), outbox=(notice,), has_inbox_row=False))


async def rows_of(database, customer):
    found = await database.collection(InboxDocument).find({"customer": customer}).to_list()
    return [row_from_disk(row) for row in found]


async def test_a_tap_of_the_staff_raises_the_event_where_it_belongs_once(store, database, told):
    for place in (1, 2):
        staff = replace(talk(STAFF, "staff"), version=place)
        given = turn(f"tap{place}", staff, has_inbox_row=False)
        await store.commit(replace(given, given_back=("0f3c",)))
    (row,) = await rows_of(database, ANA)
    assert restore_message(row.raw).content == Raised("handed_back", {"by": "staff"})
    assert row.id == f"handed_back:{PIZZERIA}:0f3c"


async def test_what_is_of_another_tenant_ends_nothing(bakery, database, told):
    assert not await bakery.handoffs.is_known("0f3c")
    staff = replace(talk(STAFF, "staff"), tenant=BAKERY)
    tap = turn("tap", staff, has_inbox_row=False)
    await bakery.commit(replace(tap, given_back=("0f3c",)))
    assert await rows_of(database, ANA) == []
    assert await muted(database, BAKERY).list() == []
    assert not await muted(database, BAKERY).end(ANA, now=LATER)


async def test_the_line_is_known_by_its_number(store, told):
    assert (await store.handoffs.line(PHONE)).customer == PHONE
    spoke = talk(STAFF, "staff", phone=PHONE, spoke_at=NOW)
    await store.commit(turn("hi", spoke, has_inbox_row=False))
    line = await store.handoffs.line(PHONE)
    assert (line.customer, line.spoke_at) == (STAFF, NOW)
    assert await store.handoffs.key_of(phone=PHONE) == STAFF
    assert await store.handoffs.key_of(phone="1") is None


async def test_who_has_a_number_is_who_wrote_from_it_last(store):
    # Staff typed to the number after she had written: that is no word of hers.
    spoke = talk(BEN, "menu", phone=PHONE, spoke_at=NOW, updated_at=NOW)
    await store.commit(turn("a", spoke, has_inbox_row=False))
    nobody = talk(CustomerKey(PHONE), phone=PHONE, spoke_at=None, updated_at=LATER)
    await store.commit(turn("b", nobody, has_inbox_row=False))
    assert await store.handoffs.key_of(phone=PHONE) == BEN


async def test_a_conversation_goes_on_with_another_one(store, bakery, database, timers):
    former = talk(ANA, phone=ANA)
    for each, at in ((store, PIZZERIA), (bakery, BAKERY)):
        mine = timer(f"{at}:given_back", tenant=at, customer=ANA)
        begun = turn(
            f"{at} typed", replace(former, tenant=at), timers=(mine,), has_inbox_row=False
        )
        await each.commit(begun)
    moved = turn("1", talk(BEN, phone=ANA, user_id=BEN), has_inbox_row=False, has_timers=False)
    for wrong in (replace(former, version=2), replace(former, customer=STAFF)):
        with pytest.raises(Conflict):
            await store.commit(replace(moved, succeeds=wrong))
        assert await store.conversations.get(BEN) is None
    await store.commit(replace(moved, succeeds=former))
    assert await store.conversations.get(ANA) is None
    assert (await store.conversations.get(BEN)).position.leaf == "human"
    later = NOW + timedelta(days=1)
    (his,) = await timers.due([BENS], now=later)
    assert (his.id, his.tenant, his.customer) == (f"{PIZZERIA}:given_back", PIZZERIA, BEN)
    # That of another tenant stays.
    left = {found.tenant for found in await timers.due(EVERY_SLOT, now=later)}
    assert left == {PIZZERIA, BAKERY}
    assert await bakery.conversations.get(ANA) is not None


async def test_what_is_passed_on_waits_in_the_other_conversation(store, database):
    row = replace(inbox_row("echo:peer"), customer=BEN)
    passing = turn("echo", talk(ANA), has_inbox_row=False)
    await store.commit(replace(passing, passed_on=(row,)))
    assert await rows_of(database, BEN) == [row]


async def test_operators_see_who_is_muted_and_end_it(store, database, told):
    await store.commit(turn("b", talk(BEN, "menu"), has_inbox_row=False))
    (found,) = await muted(database).list()
    assert (found.customer, found.state) == (ANA, "human")
    assert not await muted(database).end(BEN, now=LATER)
    for _ in range(2):  # asked twice, told once
        assert await muted(database).end(ANA, now=LATER)
    (row,) = await rows_of(database, ANA)
    assert restore_message(row.raw).content == Raised("handed_back", {"by": "operator"})


def test_what_he_wrote_is_shown_as_it_was():
    def text(n: int) -> dict[str, object]:
        body = {"id": f"w{n}", "type": "text", "from": "12125550100", "text": {"body": f"{n}"}}
        return {"message": body, "phone_number_id": "101", "contact": {}}

    rows = [text(n) for n in range(9)]
    ours = {"event": {"name": "handed_back", "data": {}}, "phone_number_id": "101"}
    words = words_of([*rows, ours, {}])
    assert words == tuple(Spoken("text", str(n)) for n in range(4, 9))
