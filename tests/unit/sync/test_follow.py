"""A batch is asked for, less and less often, until it is known what became of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.errors import GraphRetryable, GraphTerminal
from engine.sync.calls import BatchStatus
from engine.sync.follow import GIVEN_UP, LONGEST_WAIT, Follow
from engine.sync.ports import Batch, CatalogKey, ItemId, ItemState, TenantCatalog
from tests.unit.sync.scene import NOON, PIZZERIA

KEY = CatalogKey("cat:drinks")
OPEN, DONE = BatchStatus(is_finished=False), BatchStatus(is_finished=True)
SECOND = timedelta(seconds=1)


class Statuses:
    """Meta's answers by handle; an error is raised."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []

    async def status(self, catalog_id, handle):
        self.asked.append((catalog_id, handle))
        answer = self.answers[handle]
        if isinstance(answer, Exception):
            raise answer
        return answer


def state(item, *, status="sent", batch="b"):
    return ItemState(KEY, ItemId(item), item, "c1", "digest", status, NOON, batch=batch)


async def asked(scene, *handles, sent_at=NOON, catalog_id="c1", **answers):
    """Let two items wait for a batch, ask for it once, and give the shop and the answer."""
    database = scene.database
    await database.catalogs.save(TenantCatalog(PIZZERIA, KEY, "c1", ""))
    states = database.states(PIZZERIA)
    await states.put([state("a"), state("b"), state("gone", status="removing")])
    batch = Batch("b", PIZZERIA, KEY, catalog_id, handles, 3, sent_at, NOON)
    await database.batches.add(batch)
    return await again(scene, **answers)


async def again(scene, **answers):
    async def ours():
        return None

    shop = await scene.sync.shops.open(PIZZERIA, still_ours=ours)
    calls = Statuses(**answers)
    await Follow(scene.database.batches, scene.clock).ask(replace(shop, calls=calls))
    batches = await scene.database.batches.open(PIZZERIA)
    return calls, min((batch.check_at for batch in batches), default=None)


def statuses(scene):
    return {item: state.status for item, state in scene.states().items()}


async def is_open(scene):
    return bool(await scene.database.batches.open(PIZZERIA))


async def test_nothing_is_asked_when_nothing_is_open(scene):
    calls, due = await again(scene)
    assert (calls.asked, due) == ([], None)


async def test_a_batch_is_through_when_all_its_handles_are(scene):
    calls, due = await asked(scene, "h1", "h2", h1=DONE, h2=OPEN)
    assert calls.asked == [("c1", "h1"), ("c1", "h2")]
    assert due == NOON + 2 * SECOND
    assert statuses(scene) == {"a": "sent", "b": "sent", "gone": "removing"}
    scene.clock.set(due)
    _, due = await again(scene, h1=DONE, h2=DONE)
    assert due is None
    assert statuses(scene) == {"a": "synced", "b": "synced"}
    assert not await is_open(scene)


async def test_faults_of_all_handles_count(scene):
    first = BatchStatus(is_finished=True, faults={ItemId("a"): "no image"})
    second = BatchStatus(is_finished=True, faults={ItemId("gone"): "in use"})
    await asked(scene, "h1", "h2", h1=first, h2=second)
    found = {item: (s.status, s.error) for item, s in scene.states().items()}
    assert found == {
        "a": ("failed", "no image"),
        "b": ("synced", None),
        "gone": ("failed", "in use"),
    }


async def test_it_is_asked_less_and_less_often(scene):
    _, due = await asked(scene, "h", h=OPEN)
    waits = []
    for _ in range(9):
        waits.append(due - scene.clock.now())
        scene.clock.set(due)
        _, due = await again(scene, h=OPEN)
    assert waits == [
        *(timedelta(seconds=2**n) for n in range(1, 9)),
        LONGEST_WAIT,
    ]


async def test_it_is_not_asked_before_its_time(scene):
    _, due = await asked(scene, "h", h=OPEN)
    calls, same = await again(scene, h=DONE)
    assert (calls.asked, same) == ([], due)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (BatchStatus(is_finished=False, is_lost=True), "Meta has given the batch up"),
        (GraphTerminal("no handle", code=100), "Meta does not know what became of it"),
    ],
)
async def test_what_a_lost_batch_had_is_sent_again_by_the_next_comparison(scene, answer, reason):
    _, due = await asked(scene, "h1", "h2", h1=answer, h2=OPEN)
    assert due is None
    assert not await is_open(scene)
    for found in scene.states().values():
        assert (found.status, found.digest, found.error) == ("failed", "", reason)


async def test_a_batch_that_was_never_heard_of_again_is_not_taken_for_done(scene):
    # The process died while it sent it.
    calls, due = await asked(scene)
    assert (calls.asked, due) == ([], None)
    assert {found.digest for found in scene.states().values()} == {""}
    assert not await is_open(scene)


async def test_a_batch_of_a_catalogue_that_is_no_longer_used_is_not_asked_for(scene):
    calls, due = await asked(scene, "h", catalog_id="c0", h=GraphTerminal("no right", code=200))
    assert (calls.asked, due) == ([], None)
    assert {found.digest for found in scene.states().values()} == {""}


@pytest.mark.parametrize("error", [GraphRetryable("away"), GraphTerminal("token", code=190)])
async def test_what_meta_refuses_leaves_the_batch_open(scene, error):
    with pytest.raises(type(error)):
        await asked(scene, "h", h=error)
    assert await is_open(scene)
    assert statuses(scene) == {"a": "sent", "b": "sent", "gone": "removing"}


@pytest.mark.parametrize("answer", [OPEN, GraphTerminal("no right", code=200)])
async def test_after_a_day_a_batch_is_given_up(scene, answer):
    _, due = await asked(scene, "h", sent_at=NOON - GIVEN_UP - SECOND, h=answer)
    assert due is None
    assert {found.digest for found in scene.states().values()} == {""}


async def test_the_tenant_is_kept_while_many_are_asked_for(scene):
    await asked(scene, "h", h=OPEN)
    scene.clock.move(5 * SECOND)
    kept = []

    async def ours():
        kept.append(scene.clock.now())

    shop = await scene.sync.shops.open(PIZZERIA, still_ours=ours)
    shop = replace(shop, calls=Statuses(h=OPEN))
    await Follow(scene.database.batches, scene.clock).ask(shop)
    assert kept
