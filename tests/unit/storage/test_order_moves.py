"""Orders that the back end moves become events of their customers' inboxes, each exactly once.

It writes as Node does, with plain updates; everything else is the real thing on a real database.
"""

import asyncio
import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from engine import metrics
from engine.clock import SystemClock
from engine.domain.ids import ProductId
from engine.domain.order import LEGAL_MOVES, OrderStatus, OrderType
from engine.errors import EngineError, Unavailable
from engine.runtime import following, order_moves
from engine.runtime.order_moves import OrderWatch
from engine.storage.documents import OrderDocument, ProductDocument
from engine.storage.erasure import MongoErasure
from engine.storage.order_moves import MongoOrderFeed
from engine.storage.records import ConversationDocument, InboxDocument, OrderFeedDocument
from tests.unit.storage.builders import ANA, PIZZERIA, conversation, inbox_row, order, turn
from tests.unit.sync.scene import until

DELIVERY = LEGAL_MOVES[OrderType.DELIVERY]
WAY = ("confirmed", "preparing", "ready", "on_the_way", "delivered")
COKES = ProductId("prod:coke")


class Shop:
    """A pizzeria whose orders somebody else moves."""

    def __init__(self, database, store, inbox):
        self.database, self.store, self.inbox = database, store, inbox
        self.orders = database.collection(OrderDocument)
        self.clock = SystemClock()
        self.offered = []
        self.served = {PIZZERIA}
        self.numbers = itertools.count()
        self.version = 0
        self.feeds = []

    def watch(self, owner="me", feed=None):
        feed = feed or MongoOrderFeed(self.database)
        self.feeds.append(feed)
        return OrderWatch(
            feed=feed,
            serves=self.served.__contains__,
            clock=self.clock,
            owner=owner,
            offer=self.offered.append,
        )

    async def place(self, kind=OrderType.DELIVERY, stock=()):
        number = f"N{next(self.numbers):05d}"
        self.version += 1
        placed = replace(order(number, at=self.clock.now()), type=kind)
        await self.inbox.accept([inbox_row(number)])
        talk = conversation(self.version)
        await self.store.commit(turn(number, talk, orders=(placed,), stock=stock))
        return number

    async def write(self, number, status, **fields):
        """Move an order as the Node back end does."""
        await self.orders.update_one(
            {"orderNumber": number}, {"$set": {"status": status, **fields}}
        )

    async def told(self, number):
        """Give the statuses that are in the inbox, in the order in which their turns come."""
        rows = self.database.collection(InboxDocument)
        found = await rows.find({"_id": {"$regex": f"^order:{number}:"}}).to_list()
        found.sort(key=lambda row: (row["timestamp"], row["receivedAt"], row["_id"]))
        return [row["raw"]["event"]["data"]["status"] for row in found]

    async def stock(self):
        rows = self.database.collection(ProductDocument)
        return (await rows.find_one({"rId": COKES, "subDomain": PIZZERIA}))["stock"]


@pytest.fixture(autouse=True)
def _brief(monkeypatch):
    monkeypatch.setattr(following, "STEP_SECONDS", 0.05)


@pytest.fixture
async def shop(database, store, inbox):
    made = Shop(database, store, inbox)
    rows = database.collection(ProductDocument)
    await rows.insert_one({"rId": COKES, "subDomain": PIZZERIA, "stock": 5})
    yield made
    for feed in made.feeds:
        await feed.close()


async def until_idle(watch, steps=2):
    """Let a watch take all there is."""
    for _ in range(steps):
        await watch.step()


def expected(writes, kind=OrderType.DELIVERY):
    """Tell what must be told of a sequence of writes: each legal move, once, in order."""
    before, told = "pending", []
    for status in writes:
        if status == before or status not in set(OrderStatus):
            continue
        if status in LEGAL_MOVES[kind][OrderStatus(before)] and status not in told:
            told.append(status)
        before = status
    return told


async def test_a_move_becomes_an_event_of_the_conversation(shop):
    watch = shop.watch()
    await watch.step()
    number = await shop.place()
    await shop.write(number, "confirmed", statusReason="", updatedAt=shop.clock.now())
    await watch.step()
    (row,) = shop.offered
    assert row.id == f"order:{number}:confirmed"
    assert (row.tenant, row.customer) == (PIZZERIA, ANA)
    assert row.raw == {
        "event": {
            "name": "order_moved",
            "data": {"order": number, "status": "confirmed", "reason": "", "type": "delivery"},
        },
        "phone_number_id": "111",
    }


async def test_every_move_of_a_quick_back_end_is_told_in_order(shop):
    watch = shop.watch()
    await watch.step()
    number = await shop.place()
    for status in WAY:
        await shop.write(number, status)
    await until_idle(watch)
    # Sorted by name they would be in another order.
    assert await shop.told(number) == list(WAY)


async def test_a_reason_is_told_in_one_line(shop):
    watch = shop.watch()
    await watch.step()
    one, two = await shop.place(), await shop.place()
    await shop.write(one, "rejected", statusReason="no dough\n left  " + "x" * 300)
    await shop.orders.update_one({"orderNumber": two}, {"$set": {"statusReason": "closed"}})
    await shop.write(two, "cancelled")
    await until_idle(watch)
    reasons = [row.raw["event"]["data"]["reason"] for row in shop.offered]
    assert reasons[0].startswith("no dough left xxx")
    assert len(reasons[0]) == order_moves.LONGEST_REASON
    assert reasons[1] == "closed"


async def test_what_checkout_has_said_is_not_told_again(shop):
    watch = shop.watch()
    await watch.step()
    number = await shop.place()
    await shop.write(number, "pending", updatedAt=shop.clock.now())
    await until_idle(watch, 3)
    assert await shop.told(number) == []


async def test_an_illegal_move_is_logged_counted_and_not_told(shop):
    watch = shop.watch()
    await watch.step()
    number = await shop.place()
    counted = metrics.order_moves.labels(status="delivered", outcome="illegal")
    before = counted._value.get()
    await shop.write(number, "delivered")
    with capture_logs() as logs:
        await until_idle(watch, 4)
    assert await shop.told(number) == []
    assert counted._value.get() == before + 1
    assert [log for log in logs if log["event"] == "orders.moved"] == [
        {
            "event": "orders.moved", "log_level": "warning", "tenant": PIZZERIA,
            "before": "pending", "status": "delivered", "outcome": "illegal",
        }
    ]  # fmt: skip


async def test_a_move_made_and_undone_quickly_is_told_once(shop):
    watch = shop.watch()
    await watch.step()
    number = await shop.place()
    for status in ("confirmed", "pending", "confirmed", "pending", "confirmed", "preparing"):
        await shop.write(number, status)
    await until_idle(watch)
    assert await shop.told(number) == ["confirmed", "preparing"]


async def test_a_status_of_the_back_ends_own_is_passed_over(shop):
    watch = shop.watch()
    await watch.step()
    number = await shop.place()
    for status in ("paid", "confirmed", "in the oven", "preparing", 7):
        await shop.write(number, status)
    await until_idle(watch)
    assert await shop.told(number) == ["confirmed", "preparing"]


async def test_moves_while_nobody_ran_are_told_at_the_next_start(shop):
    first = shop.watch("first")
    await first.step()
    number = await shop.place()
    await shop.feeds[0].close()
    await shop.write(number, "confirmed")
    await shop.write(number, "preparing")
    await _lease_over(shop)
    await until_idle(shop.watch("second"))
    assert await shop.told(number) == ["confirmed", "preparing"]


async def test_an_old_move_is_no_news_and_the_next_one_is(shop):
    first = shop.watch("first")
    await first.step()
    number = await shop.place()
    await shop.write(number, "confirmed")
    shop.clock = _Later(timedelta(days=1, minutes=1))
    await _lease_over(shop)
    second = shop.watch("second")
    await until_idle(second)
    assert await shop.told(number) == []
    await shop.write(number, "preparing", updatedAt=shop.clock.now())
    await until_idle(second)
    assert await shop.told(number) == ["preparing"]


async def test_orders_of_before_the_upgrade_are_never_told(shop):
    old = {"$unset": {"followed": "", "takenStock": "", "statusReason": ""}}
    moved, waiting = await shop.place(), await shop.place()
    await shop.write(moved, "confirmed")
    await shop.orders.update_many({}, old)
    watch = shop.watch()
    await until_idle(watch, 3)
    await shop.write(waiting, "confirmed")
    await shop.write(moved, "cancelled")
    await until_idle(watch, 3)
    assert shop.offered == []


async def test_a_lost_place_is_made_good_by_looking(shop):
    first = shop.watch("first")
    await first.step()
    number, other = await shop.place(), await shop.place()
    await shop.feeds[0].close()
    # It stands three moves further: what was in between nobody knows any more.
    for status in ("confirmed", "preparing", "ready"):
        await shop.write(number, status, updatedAt=shop.clock.now())
    await shop.write(other, "pending")
    rows = shop.database.collection(OrderFeedDocument)
    await rows.update_one({}, {"$set": {"token": {"_data": "82" * 20}}})
    await _lease_over(shop)
    second = shop.watch("second")
    await until_idle(second, 5)
    assert await shop.told(number) == ["ready"]
    assert await shop.told(other) == []
    await shop.write(number, "delivered")
    await until_idle(second)
    assert await shop.told(number) == ["ready", "delivered"]


async def test_what_was_looked_for_the_feed_tells_first_if_it_can(shop):
    """A look must not overtake the feed: the moves before the one it sees would be lost."""
    watch = shop.watch()
    await watch.step()
    number = await shop.place()
    await shop.write(number, "confirmed")
    await shop.write(number, "preparing")
    await watch._look_for_missed()
    assert shop.offered == []
    await until_idle(watch, 3)
    assert await shop.told(number) == ["confirmed", "preparing"]


async def test_a_user_who_may_not_follow_looks(shop, monkeypatch):
    watch = shop.watch()
    number = await shop.place()

    async def refused(*_, **__):
        raise EngineError("not authorized to follow")

    monkeypatch.setattr(shop.feeds[0], "next", refused)
    await shop.write(number, "confirmed", updatedAt=shop.clock.now())
    monkeypatch.setattr(following, "REST_SECONDS", 0.05)
    with capture_logs() as logs:
        running = asyncio.create_task(watch.run())
        await until(lambda: shop.offered)
        watch.stop()
        await running
    assert await shop.told(number) == ["confirmed"]
    assert (logs[0]["event"], logs[0]["what"]) == ("feed.failed", "orders")


async def test_nobody_is_told_of_the_order_of_one_who_was_forgotten(shop):
    watch = shop.watch()
    await watch.step()
    number = await shop.place()
    await MongoErasure(shop.database, PIZZERIA).forget(ANA, now=shop.clock.now())
    await shop.write(number, "confirmed")
    await until_idle(watch)
    assert shop.offered == []


async def test_a_tenant_that_is_not_served_tells_nobody(shop):
    watch = shop.watch()
    await watch.step()
    number = await shop.place()
    shop.served.clear()
    await shop.write(number, "confirmed")
    await until_idle(watch)
    assert shop.offered == []


@pytest.mark.parametrize("end", ["cancelled", "rejected"])
async def test_an_order_that_nobody_gets_gives_its_stock_back_once(shop, end):
    watch = shop.watch()
    await watch.step()
    number = await shop.place(stock=((COKES, 3),))
    assert await shop.stock() == 2
    await shop.write(number, end)
    await until_idle(watch)
    assert await shop.stock() == 5
    # Undone and done again, and told again after a crash.
    for status in ("pending", end, "confirmed", "cancelled"):
        await shop.write(number, status)
    await until_idle(watch)
    assert await shop.stock() == 5


async def test_a_delivered_order_keeps_its_stock_and_what_is_not_counted_stays_so(shop):
    watch = shop.watch()
    await watch.step()
    number, other = await shop.place(stock=((COKES, 3),)), await shop.place(stock=((COKES, 1),))
    for status in ("confirmed", "preparing", "delivered", "cancelled"):
        await shop.write(number, status)
    await until_idle(watch)
    assert await shop.stock() == 1
    rows = shop.database.collection(ProductDocument)
    await rows.update_one({"rId": COKES}, {"$set": {"stock": None}})
    await shop.write(other, "cancelled")
    await until_idle(watch)
    assert await shop.stock() is None


async def test_one_process_follows_and_another_takes_over(shop):
    first, second = shop.watch("first"), shop.watch("second")
    assert await first.step()
    assert not await second.step()
    await _lease_over(shop)
    assert await second.step()
    assert not await first.step()


class _Later(SystemClock):
    def __init__(self, by):
        self._by = by

    def now(self):
        return super().now() + self._by


async def _lease_over(shop):
    rows = shop.database.collection(OrderFeedDocument)
    await rows.update_one({}, {"$set": {"until": shop.clock.now() - timedelta(seconds=1)}})


async def test_a_crash_before_the_place_is_noted_counts_each_move_once(shop):
    """Several orders, and several moves of each: who follows next reads all of them again."""
    first = shop.watch("first")
    await first.step()
    numbers = [await shop.place() for _ in range(3)]
    rows = shop.database.collection(OrderFeedDocument)
    place = (await rows.find_one({}))["token"]

    def counted():
        return {
            (status, outcome): metrics.order_moves.labels(status=status, outcome=outcome)
            ._value.get()
            for status in ("delivered", "confirmed", "preparing", "ready")
            for outcome in ("illegal", "told", "repeated", "late", "nobody")
        }  # fmt: skip

    async def dies(*_, **__):
        raise Unavailable("the process dies here")

    shop.feeds[0].noted = dies
    before = counted()
    for number in numbers:
        # Illegal, illegal from there, and two legal ones.
        for status in ("delivered", "confirmed", "preparing", "ready"):
            await shop.write(number, status)
    with capture_logs() as logs:
        with pytest.raises(Unavailable):
            await first.step()
        await shop.feeds[0].close()
        await _lease_over(shop)
        await until_idle(shop.watch("second"), 3)
        # And once more by one who begins where the first did.
        await shop.feeds[1].close()
        await rows.update_one({}, {"$set": {"token": place}})
        await _lease_over(shop)
        await until_idle(shop.watch("third"), 3)
    risen = {key: n - before[key] for key, n in counted().items() if n != before[key]}
    assert risen == {
        ("delivered", "illegal"): 3, ("confirmed", "illegal"): 3,
        ("preparing", "told"): 3, ("ready", "told"): 3,
    }  # fmt: skip
    illegal = [log for log in logs if log.get("outcome") == "illegal"]
    assert len(illegal) == 6
    for number in numbers:
        assert await shop.told(number) == ["preparing", "ready"]


@pytest.mark.parametrize("dies", ["before", "after"])
async def test_a_crash_between_the_steps_tells_all_once(shop, dies):
    """It dies before the move is noted, or after it and before the feed's place is."""
    first = shop.watch("first")
    await first.step()
    number = await shop.place(stock=((COKES, 3),))
    feed = shop.feeds[0]
    keep = feed.keep

    async def crash(order, followed):
        if dies == "after":
            await keep(order, followed)
        raise Unavailable("the process dies here")

    feed.keep = crash
    for status in ("confirmed", "preparing", "cancelled"):
        await shop.write(number, status)
    illegal = metrics.order_moves.labels(status="confirmed", outcome="illegal")._value.get()
    with pytest.raises(Unavailable):
        await first.step()
    await feed.close()
    await _lease_over(shop)
    await until_idle(shop.watch("second"))
    assert await shop.told(number) == ["confirmed", "preparing", "cancelled"]
    assert await shop.stock() == 5
    assert (
        metrics.order_moves.labels(status="confirmed", outcome="illegal")._value.get() == illegal
    )


async def test_two_who_believe_they_have_the_feed_tell_all_once(shop, monkeypatch):
    """As when one was asleep: both have read the same moves, and see to them at one time."""
    one, two = MongoOrderFeed(shop.database), MongoOrderFeed(shop.database)

    async def mine(**_):
        return True

    async def noted(*_, **__):
        return None

    for feed in (one, two):
        monkeypatch.setattr(feed, "claim", mine)
        monkeypatch.setattr(feed, "noted", noted)
    watches = [shop.watch("one", one), shop.watch("two", two)]
    for watch in watches:
        await watch.step()
    numbers = [await shop.place(stock=((COKES, 1),)) for _ in range(3)]
    for status in ("confirmed", "preparing", "cancelled"):
        for number in numbers:
            await shop.write(number, status)
    await asyncio.gather(*(until_idle(watch, 3) for watch in watches))
    for number in numbers:
        assert await shop.told(number) == ["confirmed", "preparing", "cancelled"]
    assert len(shop.offered) == 9
    assert await shop.stock() == 5


WORDS = st.sampled_from([*(status.value for status in OrderStatus), "paid"])


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    writes=st.lists(st.tuples(WORDS, st.sampled_from(["", "", "", "step", "crash"])), max_size=10),
    kind=st.sampled_from(OrderType),
)
async def test_any_sequence_of_writes_tells_each_legal_move_once_and_in_order(shop, writes, kind):
    """With looks in between, and processes that die before they note how far they are."""
    owners = itertools.count()
    watch = shop.watch(f"{next(owners)}")
    await _lease_over(shop)
    await watch.step()
    number = await shop.place(kind)
    for status, then in writes:
        await shop.write(number, status)
        if then == "crash":
            feed = shop.feeds[-1]

            async def lost(*_, **__):
                raise Unavailable("the process dies here")

            setattr(feed, "noted", lost)  # noqa: B010
            try:
                await watch.step()
            except Unavailable:
                await feed.close()
            await _lease_over(shop)
            watch = shop.watch(f"{next(owners)}")
        elif then:
            await watch.step()
    await until_idle(watch, 3)
    assert await shop.told(number) == expected([status for status, _ in writes], kind)
    await shop.feeds[-1].close()


async def test_the_event_reaches_its_own_conversation_only(shop):
    watch = shop.watch()
    await watch.step()
    number = await shop.place()
    talks = shop.database.collection(ConversationDocument)
    await talks.insert_one({"_id": "bakery:x", "tenant": "bakery", "customer": "x"})
    # The back end wrote another tenant's conversation into it.
    await shop.orders.update_one({"orderNumber": number}, {"$set": {"conversationId": "bakery:x"}})
    await shop.write(number, "confirmed")
    await until_idle(watch)
    assert shop.offered == []
