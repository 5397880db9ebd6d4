"""The unit of work: a turn is written as a whole or not at all."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pymongo.errors import OperationFailure

from engine.domain.ids import ProductId
from engine.errors import Answered, Conflict, EngineError, Unavailable
from engine.storage.documents import CartDocument, OrderDocument, ProductDocument
from engine.storage.records import (
    DOCUMENTS,
    FlowSessionDocument,
    InboxDocument,
    OutboxDocument,
    TimerDocument,
    TurnDocument,
)
from engine.storage.repositories import MongoTenantStore
from engine.sync.ports import Mark
from tests.unit.storage.builders import (
    ANA,
    BAKERY,
    BEN,
    COKE,
    EVERY_SLOT,
    MARGHERITA,
    NOW,
    PIZZERIA,
    USD,
    cart,
    conversation,
    flow_end,
    flow_session,
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
    assert await outbox.waiting(EVERY_SLOT, now=NOW) == entries
    assert [row.id for row in await inbox.waiting(EVERY_SLOT, now=NOW)] == ["111:w2", "111:w3"]
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
        "expireAt": NOW + timedelta(days=30),
    }


async def test_a_message_is_answered_once(store, shop, database):
    await store.commit(turn())
    before = await everything(database)
    with pytest.raises(Answered, match="answered already"):
        await store.commit(turn("w1", conversation(2), cart=cart(COKE)))
    assert await everything(database) == before


def every_write(**changes):
    writes = {
        "cart": cart(COKE),
        "orders": (order("NEWNEW"),),
        "stock": ((COKES, 1),),
        "outbox": (outbox_entry("w2"),),
        "timers": (timer("t2", entry=2),),
        "flow_sessions": (flow_session(id="second"),),
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
    "the timer is there": (
        "w2",
        conversation(2, entries={"menu": 2}),
        {"timers": (timer("t1", entry=2),)},
    ),
    "the turn is logged": ("w1", conversation(2), {"has_inbox_row": False}),
    "the Flow was sent": ("w2", conversation(2), {"flow_sessions": (flow_session(),)}),
    "a Flow comes twice": ("w2", conversation(2), {"flow_sessions": (flow_session(id="x"),) * 2}),
    "the Flow is unknown": ("w2", conversation(2), {"flow_done": flow_session(1, id="none")}),
    "the Flow has moved on": ("w2", conversation(2), {"flow_done": flow_session()}),
    "the Flow is not there yet": ("w2", conversation(2), {"flow_done": flow_session(2)}),
    "the Flow is another tenant's": (
        "w2",
        conversation(2),
        {"flow_done": flow_session(1, id="f")},
    ),
}


@pytest.mark.parametrize("mismatch", MISMATCHES)
async def test_a_mismatch_leaves_nothing_behind(store, bakery, shop, database, inbox, mismatch):
    await inbox.accept([inbox_row("foreign", tenant=BAKERY), inbox_row("theirs", tenant=BAKERY)])
    foreign = flow_session(tenant=BAKERY, id="f")
    await bakery.commit(turn("theirs", conversation(tenant=BAKERY), flow_sessions=(foreign,)))
    await store.commit(
        turn(
            orders=(order("K7M2QX"),),
            stock=((PIZZAS, 1),),
            outbox=(outbox_entry("w1"),),
            timers=(timer("t1", entry=2),),
            flow_sessions=(flow_session(),),
        )
    )
    before = await everything(database)
    wamid, talk, changes = MISMATCHES[mismatch]
    with pytest.raises(Conflict):
        await store.commit(turn(wamid, talk, **every_write(**changes)))
    assert await everything(database) == before
    await store.commit(turn("w2", conversation(2), **every_write(flow_done=flow_session(1))))


async def test_a_turn_of_another_tenant_is_a_mistake(store, shop, database):
    before = await everything(database)
    for foreign in (
        turn(talk=conversation(tenant=BAKERY)),
        turn(outbox=(outbox_entry(tenant=BAKERY),)),
        turn(timers=(timer(tenant=BAKERY),)),
        turn(flow_sessions=(flow_session(tenant=BAKERY),)),
        turn(flow_done=flow_session(1, tenant=BAKERY)),
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


@pytest.fixture
def held(database):
    """The timers that are stored, with the minutes after which they are due."""

    async def read():
        found = await database.collection(TimerDocument).find({}).sort("_id", 1).to_list()
        return {row["_id"]: (row["due"] - NOW) / timedelta(minutes=1) for row in found}

    return read


async def test_timers_of_states_that_were_left_are_dropped(store, bakery, shop, inbox, held):
    await inbox.accept([inbox_row("ben", customer=BEN), inbox_row("foreign", tenant=BAKERY)])
    talk = conversation(customer=BEN)
    await store.commit(turn("ben", talk, timers=(timer("ben", customer=BEN),)))
    foreign = conversation(tenant=BAKERY)
    await bakery.commit(turn("foreign", foreign, timers=(timer("foreign", tenant=BAKERY),)))
    others = {"ben": 30, "foreign": 30}
    both = {"order": 3, "menu": 4}
    set_now = (timer("outer", entry=3), timer("inner", entry=4), timer("cart", entry=None))
    await store.commit(turn(talk=conversation(entry=4, entries=both), timers=set_now))
    await store.commit(turn("w2", conversation(2, entry=4, entries=both)))
    assert await held() == others | {"outer": 30, "inner": 30, "cart": 30}
    # The inner state was left and entered again, the outer one is the same still.
    both |= {"menu": 5}
    again = (timer("inner5", entry=5),)
    await store.commit(turn("w3", conversation(3, entry=5, entries=both), timers=again))
    assert await held() == others | {"outer": 30, "inner5": 30, "cart": 30}
    await inbox.accept([inbox_row("w4"), inbox_row("w5")])
    left = conversation(4, entry=6, entries={"end": 6})
    await store.commit(turn("w4", left, has_timers=False))
    assert len(await held()) == 5
    await store.commit(turn("w5", replace(left, version=5)))
    assert await held() == others | {"cart": 30}


async def test_a_timer_of_no_state_is_moved_and_dropped_by_its_id(store, shop, inbox, held):
    cart_expires = timer("cart", entry=None)
    await store.commit(turn(timers=(cart_expires, timer("t1")), has_timers=False))
    later = timer("cart", entry=None, after=90)
    await store.commit(turn("w2", conversation(2), timers=(later,), has_timers=False))
    assert await held() == {"cart": 90, "t1": 30}
    gone = turn("w3", conversation(3, entry=2), timers_dropped=("cart", "none"), has_timers=False)
    await store.commit(gone)
    assert await held() == {"t1": 30}
    await inbox.accept([inbox_row("w4"), inbox_row("w5")])
    await store.commit(turn("w4", conversation(4), timers=(cart_expires,)))
    await store.commit(turn("w5", conversation(5, entry=2), timers_dropped=("cart",)))
    assert await held() == {}


async def test_timers_of_another_tenant_are_not_dropped(store, bakery, shop, inbox, held):
    await inbox.accept([inbox_row("foreign", tenant=BAKERY)])
    cart_expires = timer("cart", entry=None, tenant=BAKERY)
    await bakery.commit(
        turn("foreign", conversation(tenant=BAKERY), timers=(cart_expires,), has_timers=False)
    )
    await store.commit(turn(timers_dropped=("cart",)))
    assert await held() == {"cart": 30}


async def test_a_message_that_is_given_up_is_dead_with_its_turn(store, shop, database, inbox):
    await store.commit(turn(outbox=(outbox_entry(),), given_up="a template failed" + "!" * 5000))
    row = await database.collection(InboxDocument).find_one({"_id": "111:w1"})
    assert (row["state"], row["doneAt"]) == ("dead", NOW)
    assert row["error"].startswith("a template failed")
    assert len(row["error"]) == 2000
    assert row["expireAt"] == NOW + timedelta(days=30)
    assert [row.id for row in await inbox.waiting(EVERY_SLOT, now=NOW)] == ["111:w2", "111:w3"]
    with pytest.raises(Answered):
        await store.commit(turn("w1", conversation(2)))


@pytest.mark.parametrize(("days", "kept", "logged"), [(3, 8, 3), (90, 90, 90)])
async def test_what_is_kept_is_kept_as_long_as_it_is_set(database, shop, days, kept, logged):
    retention = timedelta(days=days)
    store = MongoTenantStore(database, tenant=PIZZERIA, currency=USD, retention=retention)
    await store.commit(turn("w1"))
    await store.commit(turn("w2", conversation(2), given_up="never"))
    done, dead = (
        await database.collection(InboxDocument).find({"doneAt": NOW}, sort=[("_id", 1)]).to_list()
    )
    # A turn is replayed from its message: they are kept together.
    assert done["expireAt"] == NOW + timedelta(days=kept)
    assert dead["expireAt"] == NOW + timedelta(days=kept)
    async for log in database.collection(TurnDocument).find({}):
        assert log["expireAt"] == NOW + timedelta(days=logged)


async def test_a_failed_turn_is_logged_like_any_other(store, shop, database):
    failed = turn()
    failed = replace(failed, log=replace(failed.log, outcome="failed", error="RenderFailed"))
    await store.commit(failed)
    log = await database.collection(TurnDocument).find_one({})
    assert (log["outcome"], log["error"]) == ("failed", "RenderFailed")


def outcome(version=1):
    """A Flow as it is done."""
    return flow_session(version, trail=("SIZE", "SUM"), params={"quantity": 2})


async def test_a_flow_is_sent_and_its_outcome_is_taken(either, inbox):
    await inbox.accept([inbox_row()])
    await either.commit(turn(flow_sessions=(flow_session(), flow_session(id="second"))))
    assert await either.flow_sessions.get("second") == flow_session(id="second")
    await either.commit(flow_end(outcome(), conversation(2), cart=cart(COKE)))
    assert await either.flow_sessions.get(outcome().id) == replace(outcome(), state="done")
    assert await either.flow_sessions.get("second") == flow_session(id="second")
    assert await either.carts.get(ANA) == cart(COKE)


async def test_a_turn_without_a_message_touches_none(store, shop, database, inbox):
    await store.commit(turn(flow_sessions=(flow_session(),)))
    before = await inbox.waiting(EVERY_SLOT, now=NOW)
    await store.commit(flow_end(outcome(), conversation(2), outbox=(outbox_entry(),)))
    assert await inbox.waiting(EVERY_SLOT, now=NOW) == before
    log = await database.collection(TurnDocument).find_one({"_id": f"flow:{outcome().id}"})
    assert (log["tenant"], log["version"]) == (PIZZERIA, 2)


@pytest.mark.parametrize("first", ["exchange", "reply"])
async def test_the_second_that_brings_an_outcome_comes_too_late(either, inbox, first):
    await inbox.accept([inbox_row("w1"), inbox_row("w2")])
    await either.commit(turn(flow_sessions=(flow_session(),)))

    def exchange(version, **writes):
        return flow_end(outcome(), conversation(version), **writes)

    def reply(version, **writes):
        return turn("w2", conversation(version), flow_done=outcome(), **writes)

    early, late = (exchange, reply) if first == "exchange" else (reply, exchange)
    await either.commit(early(2, cart=cart(COKE)))
    with pytest.raises(Conflict, match="outcome was taken already"):
        await either.commit(late(3, cart=cart(COKE, MARGHERITA), orders=(order(),)))
    assert await either.conversations.get(ANA) == conversation(2)
    assert await either.carts.get(ANA) == cart(COKE)
    assert await either.orders.get_latest(ANA) is None


async def test_in_memory_too_a_turn_that_was_overtaken_is_a_conflict(either, inbox):
    await inbox.accept([inbox_row("w1"), inbox_row("w2")])
    await either.commit(turn(flow_sessions=(flow_session(),)))
    for stale in (
        turn("w1", conversation(2)),
        turn("w2", conversation(1)),
        turn("w2", conversation(3)),
        turn("w2", conversation(2), flow_sessions=(flow_session(),)),
        turn("w2", conversation(2), flow_done=flow_session(1, id="none")),
    ):
        with pytest.raises(Conflict):
            await either.commit(replace(stale, cart=cart(COKE)))
    assert await either.conversations.get(ANA) == conversation()
    assert await either.carts.get(ANA) is None


async def test_of_an_exchange_and_a_reply_exactly_one_puts_the_outcome_in_the_chat(
    store, database, inbox
):
    await inbox.accept([inbox_row("w0")])
    flows = [flow_session(id=f"flow{n}") for n in range(20)]
    await store.commit(turn("w0", flow_sessions=tuple(flows)))
    for n, flow in enumerate(flows):
        await inbox.accept([inbox_row(f"r{n}")])
        talk, done = conversation(n + 2), replace(flow, version=1, params={"n": n})
        contenders = {
            "exchange": flow_end(done, talk, outbox=(outbox_entry(f"e{n}"),)),
            "reply": turn(f"r{n}", talk, flow_done=done, outbox=(outbox_entry(f"r{n}"),)),
        }
        # In turns, as the one that begins is likelier to win.
        names = sorted(contenders, reverse=bool(n % 2))
        outcomes = await asyncio.gather(
            *(store.commit(contenders[name]) for name in names), return_exceptions=True
        )
        assert sorted(type(found).__name__ for found in outcomes) == ["Conflict", "NoneType"]
        winner = names[outcomes.index(None)]
        written = await everything(database)
        loser = contenders["exchange" if winner == "reply" else "reply"]
        with pytest.raises(Conflict, match="taken already"):
            await store.commit(replace(loser, conversation=conversation(n + 3)))
        assert await everything(database) == written
        says = [row["_id"] for row in written["outbox"]]
        assert contenders[winner].outbox[0].id in says
        assert loser.outbox[0].id not in says
        assert loser.inbox_id not in [row["_id"] for row in written["turns"]]
    assert len(written["outbox"]) == 20
    assert {row["state"] for row in written["flowSessions"]} == {"done"}


async def test_of_an_exchange_and_the_end_of_its_flow_exactly_one_wins(store, inbox, database):
    await inbox.accept([inbox_row("w0")])
    flows = [flow_session(id=f"flow{n}") for n in range(20)]
    await store.commit(turn("w0", flow_sessions=tuple(flows)))
    for n, flow in enumerate(flows):
        await inbox.accept([inbox_row(f"r{n}")])
        talk = await store.conversations.get(ANA)
        moved = replace(flow, version=1, trail=("SIZE",))
        done = replace(flow, version=1, params={"n": n})
        outcomes = await asyncio.gather(
            store.flow_sessions.save(moved),
            store.commit(turn(f"r{n}", conversation(talk.version + 1), flow_done=done)),
            return_exceptions=True,
        )
        assert sorted(type(found).__name__ for found in outcomes) == ["Conflict", "NoneType"]
        held = moved if outcomes[0] is None else replace(done, state="done")
        assert await store.flow_sessions.get(flow.id) == held
    rows = database.collection(FlowSessionDocument)
    done = await rows.count_documents({"state": "done"})
    assert (await store.conversations.get(ANA)).version == 1 + done


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


async def test_products_are_marked_in_the_turn_that_names_them(store, inbox, mongo_sync):
    await inbox.accept([inbox_row("w1"), inbox_row("w2")])
    record = turn("w1", sync_products=(COKES, PIZZAS, COKES))
    await store.commit(record)
    marks = (
        Mark("111:w1:prod:coke", PIZZERIA, COKES, NOW),
        Mark("111:w1:prod:pizza", PIZZERIA, PIZZAS, NOW),
    )
    assert await mongo_sync.marks.waiting(limit=9) == marks
    with pytest.raises(Conflict, match="answered already"):
        await store.commit(record)
    await store.commit(turn("w2", conversation(2), sync_products=(COKES,)))
    assert len(await mongo_sync.marks.of(PIZZERIA, limit=9)) == 3


async def test_a_turn_that_is_not_written_marks_nothing(store, inbox, mongo_sync):
    await inbox.accept([inbox_row("w1")])
    with pytest.raises(Conflict):
        await store.commit(turn("w1", sync_products=(COKES,), stock=((COKES, 1),)))
    assert await mongo_sync.marks.waiting(limit=9) == ()
    await store.commit(turn("w1", sync_products=(COKES,)))
    assert len(await mongo_sync.marks.waiting(limit=9)) == 1
