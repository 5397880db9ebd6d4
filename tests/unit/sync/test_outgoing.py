"""Whatever Meta says to a batch, or does not say: what it may have and may not is known."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.errors import Conflict, GraphRetryable, GraphTerminal
from engine.sync.calls import Taken
from engine.sync.catalogs import Catalogs
from engine.sync.outgoing import FIRST_CHECK, UNSAID, Outgoing
from engine.sync.pace import CALLS, MINUTE, NotNow, Pace
from engine.sync.ports import CatalogKey, ItemId, ItemState
from engine.sync.verdict import Push
from tests.unit.sync.meta import MemoryMeta
from tests.unit.sync.scene import NOON, PIZZERIA

KEY = CatalogKey("cat:drinks")


class Meta(MemoryMeta):
    """Meta that gives one answer to every batch."""

    answer: Taken | Exception = Taken(("h1",))

    async def send(self, catalog_id, requests):
        self.sent.append((catalog_id, requests))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Sender:
    """What sends batches, and its shop."""

    def __init__(self, scene, shop):
        self.meta = Meta(scene.clock)
        self.shop = replace(shop, calls=self.meta)
        self.scene = scene
        self.outgoing = Outgoing(
            catalogs=Catalogs(scene.database.catalogs, scene.businesses),
            batches=scene.database.batches,
            pace=Pace(scene.database.batches),
            clock=scene.clock,
            new_id=scene.ids.token,
        )

    async def give(self, *pushes):
        await self.outgoing.give(self.shop, KEY, pushes or (push("a"), push("b", is_known=True)))

    def states(self):
        found = self.scene.states()
        return {item: (s.status, s.digest, s.error) for item, s in found.items()}

    async def open(self):
        return await self.scene.database.batches.open(PIZZERIA)


@pytest.fixture
async def sender(scene):
    async def ours():
        return None

    return Sender(scene, await scene.sync.shops.open(PIZZERIA, still_ours=ours))


def push(item, *, is_known=False):
    state = ItemState(KEY, ItemId(item), item, "", f"digest of {item}", "sent", NOON)
    return Push(state, {"method": "UPDATE", "data": {"id": item}}, is_known)


async def test_what_was_taken_waits_for_its_batch(sender):
    await sender.give()
    (batch,) = await sender.open()
    assert (batch.handles, batch.items, batch.catalog_id) == (("h1",), 2, "c0")
    assert (batch.sent_at, batch.check_at) == (NOON, NOON + FIRST_CHECK)
    assert sender.states() == {
        "a": ("sent", "digest of a", None),
        "b": ("sent", "digest of b", None),
    }
    assert {s.batch for s in sender.scene.states().values()} == {batch.id}
    assert {s.catalog_id for s in sender.scene.states().values()} == {"c0"}


async def test_it_is_noted_before_it_is_sent(sender):
    class Died(BaseException):
        pass

    async def dies(catalog_id, requests):
        raise Died

    sender.meta.send = dies
    with pytest.raises(Died):
        await sender.give()
    (batch,) = await sender.open()
    assert (batch.handles, batch.check_at) == ((), NOON)
    assert {s.batch for s in sender.scene.states().values()} == {batch.id}


async def test_nothing_is_noted_by_a_process_that_was_overtaken(sender):
    async def overtaken():
        raise Conflict("another process works on it")

    sender.shop = replace(sender.shop, still_ours=overtaken, known={KEY: "c0"})
    with pytest.raises(Conflict):
        await sender.give()
    assert sender.states() == {}
    assert await sender.open() == ()
    assert sender.meta.sent == []


@pytest.mark.parametrize(
    "error", [GraphRetryable("away", code=2), GraphTerminal("expired", code=190)]
)
async def test_what_meta_may_or_may_not_have_is_sent_again(sender, error):
    sender.meta.answer = error
    with pytest.raises(type(error)):
        await sender.give()
    assert sender.states() == {
        "a": ("failed", "", "Meta does not have it yet"),
        "b": ("synced", "", None),
    }
    assert await sender.open() == ()


@pytest.mark.parametrize(("wait", "seconds"), [(0.0, 60), (90.0, 90)])
async def test_a_limit_of_the_catalogue_is_heeded(sender, wait, seconds):
    sender.meta.answer = GraphRetryable("too many calls", code=80014, wait=wait)
    for _ in range(2):
        with pytest.raises(NotNow) as refusal:
            await sender.give()
        assert refusal.value.at == NOON + timedelta(seconds=seconds)
    assert len(sender.meta.sent) == 1
    with pytest.raises(NotNow):
        await sender.outgoing.may(sender.shop, KEY)
    await sender.outgoing.may(sender.shop, CatalogKey("not made yet"))


async def test_calls_that_failed_count(sender):
    sender.meta.answer = GraphRetryable("no answer")
    for _ in range(CALLS):
        with pytest.raises(GraphRetryable):
            await sender.give()
    with pytest.raises(NotNow) as refusal:
        await sender.give()
    assert refusal.value.at == NOON + MINUTE
    assert len(sender.meta.sent) == CALLS


async def test_an_item_that_was_not_taken_is_an_error_of_its_own(sender):
    sender.meta.answer = Taken(("h1",), {ItemId("a"): "no such image"})
    await sender.give()
    assert sender.states() == {
        "a": ("failed", "digest of a", "no such image"),
        "b": ("sent", "digest of b", None),
    }


async def test_what_was_all_refused_is_told_item_by_item_and_waits_for_nothing(sender):
    sender.meta.answer = Taken((), {ItemId("a"): "no image", ItemId("b"): "no price"})
    await sender.give()
    assert sender.states() == {
        "a": ("failed", "digest of a", "no image"),
        "b": ("failed", "digest of b", "no price"),
    }
    assert await sender.open() == ()


async def test_what_was_not_taken_without_a_reason_is_tried_again(sender):
    sender.meta.answer = Taken((), {ItemId("a"): "no image"})
    await sender.give()
    assert sender.states() == {
        "a": ("failed", "digest of a", "no image"),
        "b": ("failed", "", UNSAID),
    }


async def test_a_refusal_of_the_catalogue_is_told_as_such(sender):
    sender.shop.known[KEY] = "c9"
    sender.meta.answer = GraphTerminal("invalid parameter", code=100)
    with pytest.raises(GraphTerminal, match="does not exist"):
        await sender.give()
    assert sender.states()["b"] == ("synced", "", None)


async def refusing(sender, *, bad, count):
    """Give Meta items of which it refuses one together with whatever comes with it."""

    async def send(catalog_id, requests):
        sender.meta.sent.append((catalog_id, requests))
        if any(request["data"]["id"] == bad for request in requests):
            raise GraphTerminal("invalid parameter", code=100, details="Which one is a secret")
        return Taken((f"h{len(sender.meta.sent)}",))

    sender.meta.send = send
    left = [push(f"{n:03}") for n in range(count)]
    for _ in range(20):
        try:
            await sender.give(*left)
        except NotNow as rate:
            sender.scene.clock.set(rate.at)
            states = sender.scene.states()
            left = [p for p in left if not states[p.state.item].digest]
        else:
            return
    raise AssertionError("it does not end")


@pytest.mark.parametrize("bad", ["000", "041", "099"])
async def test_one_bad_item_does_not_keep_the_others_from_being_sent(sender, bad):
    await refusing(sender, bad=bad, count=100)
    failed = {item: s for item, s in sender.states().items() if s[0] != "sent"}
    assert failed == {
        bad: ("failed", f"digest of {bad}", "invalid parameter Which one is a secret")
    }
    # It is halved until it is alone, and grows again after it.
    assert len(sender.meta.sent) < 4 * 7


async def test_after_a_bad_item_batches_are_as_large_as_ever(sender):
    await refusing(sender, bad="003", count=8)
    for n in range(13):
        sender.scene.clock.move(MINUTE)
        await sender.give(push(f"other {n}"))
    sender.scene.clock.move(MINUTE)
    before = len(sender.meta.sent)
    await sender.give(*(push(f"more {n}") for n in range(3000)))
    assert len(sender.meta.sent) == before + 1
