"""A plan tells what a walk would do, and does nothing."""

from engine.sync.plan import plan
from engine.sync.walk import MOST_ITEMS
from tests.unit.sync.scene import DRINKS, PIZZERIA, product

COLA = product("prod:cola", category=DRINKS, price="3.50")
MARGHERITA = product("prod:margherita", "small", "large")


async def ours():
    return None


async def planned(scene, *, is_full=False):
    shop = await scene.sync.shops.open(PIZZERIA, still_ours=ours)
    return await plan(shop, now=scene.clock.now(), is_full=is_full)


async def test_everything_is_to_be_sent_at_first(scene):
    scene.sell(COLA, MARGHERITA, product("prod:water", category=DRINKS, image_url=None))
    made = await planned(scene)
    assert made.products == 3
    assert made.sends == {"cat:drinks": 1, "cat:pizza": 2}
    assert made.new == ["cat:drinks", "cat:pizza"]
    assert made.errors == {"prod:water": "it has no image"}
    assert made.calls == 2
    assert await scene.calls() == 0
    assert scene.states() == {}


async def test_nothing_is_to_be_done_after_a_walk_unless_everything_is_wanted(scene):
    scene.sell(COLA, MARGHERITA)
    await scene.walk()
    made = await planned(scene)
    assert (made.sends.total(), made.deletes.total(), made.new, made.calls) == (0, 0, [], 0)
    assert (await planned(scene, is_full=True)).sends.total() == 3


async def test_what_is_no_longer_sold_is_to_be_deleted(scene):
    scene.sell(COLA, MARGHERITA)
    await scene.walk()
    scene.stop_selling(COLA)
    made = await planned(scene)
    assert (made.products, made.deletes["cat:drinks"], made.sends.total()) == (1, 1, 0)


async def test_a_catalogue_that_was_mapped_by_hand_is_not_new(scene):
    scene.sell(COLA)
    await scene.change_business(catalog_mapping={"cat:drinks": "2000000000000999"})
    made = await planned(scene)
    assert (made.sends["cat:drinks"], made.new) == (1, [])


async def test_calls_are_counted_by_what_a_batch_takes(scene):
    scene.sell(*(product(f"prod:{n}") for n in range(MOST_ITEMS + 1)), COLA)
    assert (await planned(scene)).calls == 3
