"""The unit of work: a turn is written as a whole or not at all."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from pymongo.errors import OperationFailure

from engine.domain.ids import ProductId
from engine.errors import Conflict, EngineError, Unavailable
from engine.storage.documents import CartDocument, OrderDocument, ProductDocument
from engine.storage.records import (
    DOCUMENTS,
    InboxDocument,
    OutboxDocument,
    TimerDocument,
    TurnDocument,
)
from tests.unit.storage.builders import (
    ANA,
    BAKERY,
    BEN,
    COKE,
    MARGHERITA,
    NOW,
    PIZZERIA,
    cart,
    conversation,
    inbox_row,
    order,
    outbox_entry,
    timer,
    turn,
)

pytestmark = [
    pytest.mark.usefixtures("forgotten_sockets"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

COKES = ProductId("prod:coke")
PIZZAS = ProductId("prod:pizza")


async def everything(database):
    """Read all that is in the database."""
    return {
        document.get_collection_name(): await database.collection(document)
        .find({})
        .sort("_id", 1)
        .to_list()
        for document in DOCUMENTS
    }


@pytest.fixture
async def shop(database, inbox):
    """A shop with stock, and a conversation after its first turn."""
    await database.collection(ProductDocument).insert_many(
        {"rId": rid, "subDomain": tenant, "stock": units}
        for tenant in (PIZZERIA, BAKERY)
        for rid, units in ((COKES, 5), (PIZZAS, 2))
    )
    await inbox.accept([inbox_row("w1"), inbox_row("w2"), inbox_row("w3")])


async def stock(database, product, tenant=PIZZERIA):
    rows = database.collection(ProductDocument)
    return (await rows.find_one({"rId": product, "subDomain": tenant}))["stock"]


@asynccontextmanager
async def failing(database, command, times, **how):
    """Let the next commands of a kind fail, as far as the server can."""
    admin = database.client.admin
    data = {"failCommands": [command], **how}
    try:
        await admin.command("configureFailPoint", "failCommand", mode={"times": times}, data=data)
    except OperationFailure:
        pytest.skip("the server was started without test commands")
    try:
        yield
    finally:
        await admin.command("configureFailPoint", "failCommand", mode="off")


async def test_a_turn_is_written_as_a_whole(store, shop, database, inbox, outbox):
    entries = (outbox_entry(n=0, sequence=1), outbox_entry(n=1, sequence=2))
    await store.commit(
        turn(
            cart=cart(MARGHERITA, COKE),
            orders=(order(),),
            stock=((COKES, 3), (PIZZAS, 2)),
            outbox=entries,
            timers=(timer("t1"), timer("t2")),
        )
    )
    assert await store.conversations.get(ANA) == conversation()
    assert await store.carts.get(ANA) == cart(MARGHERITA, COKE)
    assert await store.orders.get_latest(ANA) == order()
    assert await stock(database, COKES) == 2
    assert await stock(database, PIZZAS) == 0
    assert await stock(database, COKES, BAKERY) == 5
    assert await outbox.waiting(now=NOW) == entries
    assert [row.id for row in await inbox.waiting(now=NOW)] == ["111:w2", "111:w3"]
    assert await database.collection(TimerDocument).count_documents({}) == 2
    log = await database.collection(TurnDocument).find_one({"_id": "111:w1"})
    assert log == {
        "_id": "111:w1",
        "tenant": "pizzeria",
        "customer": ANA,
        "version": 1,
        "at": NOW,
        "event": "text",
        "source": "welcome",
        "target": "menu",
        "steps": [{"action": "say", "message": "menu"}],
        "bundle": "b1",
        "outcome": "done",
        "error": None,
    }


async def test_a_message_is_answered_once(store, shop, database):
    await store.commit(turn())
    before = await everything(database)
    with pytest.raises(Conflict, match="answered already"):
        await store.commit(turn("w1", conversation(2), cart=cart(COKE)))
    assert await everything(database) == before


def every_write(**changes):
    writes = {
        "cart": cart(COKE),
        "orders": (order("NEWNEW"),),
        "stock": ((COKES, 1),),
        "outbox": (outbox_entry("w2"),),
        "timers": (timer("t2", entry=2),),
    }
    return writes | changes


MISMATCHES: dict[str, Any] = {
    "the inbox row does not exist": ("w9", conversation(2), {}),
    "the inbox row is another tenant's": ("foreign", conversation(2), {}),
    "the conversation is older": ("w2", conversation(3), {}),
    "the conversation is newer": ("w2", conversation(1), {}),
    "the order number is taken": ("w2", conversation(2), {"orders": (order("K7M2QX"),)}),
    "an order number comes twice": (
        "w2",
        conversation(2),
        {"orders": (order("AAAAAA"), order("AAAAAA"))},
    ),
    "the stock is short": ("w2", conversation(2), {"stock": ((COKES, 1), (PIZZAS, 2))}),
    "the stock is short in two lines": ("w2", conversation(2), {"stock": ((COKES, 3),) * 2}),
    "the product is gone": ("w2", conversation(2), {"stock": ((ProductId("prod:none"), 1),)}),
    "the outbox row is there": ("w2", conversation(2), {"outbox": (outbox_entry("w1"),)}),
    "the timer is there": ("w2", conversation(2), {"timers": (timer("t1", entry=2),)}),
}


@pytest.mark.parametrize("mismatch", MISMATCHES)
async def test_a_mismatch_leaves_nothing_behind(store, shop, database, inbox, mismatch):
    await inbox.accept([inbox_row("foreign", tenant=BAKERY)])
    await store.commit(
        turn(
            orders=(order("K7M2QX"),),
            stock=((PIZZAS, 1),),
            outbox=(outbox_entry("w1"),),
            timers=(timer("t1", entry=2),),
        )
    )
    before = await everything(database)
    wamid, talk, changes = MISMATCHES[mismatch]
    with pytest.raises(Conflict):
        await store.commit(turn(wamid, talk, **every_write(**changes)))
    assert await everything(database) == before
    await store.commit(turn("w2", conversation(2), **every_write()))


async def test_a_turn_of_another_tenant_is_a_mistake(store, shop, database):
    before = await everything(database)
    for foreign in (
        turn(talk=conversation(tenant=BAKERY)),
        turn(outbox=(outbox_entry(tenant=BAKERY),)),
        turn(timers=(timer(tenant=BAKERY),)),
    ):
        with pytest.raises(ValueError, match="cannot be written by pizzeria"):
            await store.commit(foreign)
    assert await everything(database) == before


async def test_of_two_turns_of_a_conversation_exactly_one_wins(store, database, inbox):
    for version in range(1, 21):
        left, right = f"l{version}", f"r{version}"
        await inbox.accept([inbox_row(left), inbox_row(right)])
        talk = conversation(version)
        outcomes = await asyncio.gather(
            store.commit(turn(left, talk, outbox=(outbox_entry(left),))),
            store.commit(turn(right, talk, outbox=(outbox_entry(right),))),
            return_exceptions=True,
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "NoneType"]
    assert (await store.conversations.get(ANA)).version == 20
    for document in (OutboxDocument, TurnDocument):
        assert await database.collection(document).count_documents({}) == 20
    assert await database.collection(InboxDocument).count_documents({"state": "done"}) == 20


async def test_the_last_unit_is_sold_once(store, shop, database, inbox):
    buyers = [f"buyer{n}" for n in range(4)]
    await inbox.accept([inbox_row(buyer, customer=buyer) for buyer in buyers])
    await store.commit(turn(stock=((COKES, 4),)))
    outcomes = await asyncio.gather(
        *(
            store.commit(turn(buyer, conversation(customer=buyer), stock=((COKES, 1),)))
            for buyer in buyers
        ),
        return_exceptions=True,
    )
    assert sum(outcome is None for outcome in outcomes) == 1
    assert all(isinstance(outcome, Conflict | None) for outcome in outcomes)
    assert await stock(database, COKES) == 0


async def test_timers_of_a_state_that_was_left_are_dropped(store, shop, database):
    async def timers():
        found = await database.collection(TimerDocument).find({}).sort("_id", 1).to_list()
        return [row["_id"] for row in found]

    other = timer("other", customer=BEN)
    await database.collection(TimerDocument).insert_one(
        {"_id": other.id, "tenant": PIZZERIA, "customer": BEN, "entry": 1, "due": NOW}
    )
    await store.commit(turn(talk=conversation(entry=4), timers=(timer("t4", entry=4),)))
    await store.commit(turn("w2", conversation(2, entry=4)))
    assert await timers() == ["other", "t4"]
    await store.commit(turn("w3", conversation(3, entry=5), timers=(timer("t5", entry=5),)))
    assert await timers() == ["other", "t5"]


async def test_a_failed_turn_is_logged_like_any_other(store, shop, database):
    failed = turn()
    failed = replace(failed, log=replace(failed.log, outcome="failed", error="RenderFailed"))
    await store.commit(failed)
    log = await database.collection(TurnDocument).find_one({})
    assert (log["outcome"], log["error"]) == ("failed", "RenderFailed")


@pytest.mark.parametrize("command", ["update", "insert", "delete"])
async def test_a_connection_lost_half_way_leaves_nothing_behind(store, shop, database, command):
    before = await everything(database)
    async with failing(database, command, 1, closeConnection=True):
        with pytest.raises(Unavailable):
            await store.commit(turn(cart=cart(COKE)))
    assert await everything(database) == before
    await store.commit(turn(cart=cart(COKE)))
    assert await database.collection(CartDocument).count_documents({}) == 1


@pytest.mark.parametrize("code", [112, 251])
@pytest.mark.parametrize("command", ["insert", "commitTransaction"])
async def test_a_transaction_that_the_server_aborts_is_a_conflict(
    store, shop, database, command, code
):
    before = await everything(database)
    labels = ["TransientTransactionError"]
    async with failing(database, command, 1, errorCode=code, errorLabels=labels):
        with pytest.raises(Conflict):
            await store.commit(turn(orders=(order(),)))
    assert await everything(database) == before


@pytest.mark.parametrize("lost", [1, 5])
async def test_a_commit_whose_answer_is_lost_has_one_effect(store, shop, database, lost):
    async with failing(database, "commitTransaction", lost, closeConnection=True):
        await store.commit(turn(orders=(order(),), stock=((COKES, 1),)))
    assert await stock(database, COKES) == 4
    assert await database.collection(OrderDocument).count_documents({}) == 1


async def test_a_commit_that_never_answers_is_unavailable(store, shop, database):
    async with failing(database, "commitTransaction", 99, closeConnection=True):
        with pytest.raises(Unavailable):
            await store.commit(turn(orders=(order(),)))


async def test_what_the_database_refuses_for_good_is_no_conflict(store, shop, database):
    async with failing(database, "insert", 1, errorCode=13):
        with pytest.raises(EngineError, match="refused an operation") as caught:
            await store.commit(turn())
    assert not isinstance(caught.value, Conflict | Unavailable)
