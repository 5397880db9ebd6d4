"""Marks are worked off together, in one call for each catalogue, and none is lost."""

from dataclasses import replace
from datetime import timedelta

from engine.sync import walk
from engine.sync.marked import MOST_DOUBTS, SOON
from tests.unit.sync.scene import DRINKS, PIZZERIA, product

COLA = product("prod:cola", category=DRINKS, price="3.50")
WATER = product("prod:water", category=DRINKS, price="2.00")
MARGHERITA = product("prod:margherita")


async def synced(scene, *products):
    scene.sell(*products)
    await scene.walk()
    return await scene.calls("items_batch")


async def test_a_burst_of_changes_is_one_call_for_each_catalogue(scene):
    before = await synced(scene, COLA, WATER, MARGHERITA)
    for price in (4, 5, 6):
        scene.sell(*(replace(p, base_price=COLA.base_price + price) for p in (COLA, WATER)))
        await scene.mark("prod:cola", "prod:water")
    await scene.round()
    assert await scene.calls("items_batch") == before + 1
    assert not scene.database.marks.held
    await scene.settled()
    assert (await scene.items())["prod:water"]["price"] == "9.50 USD"


async def test_a_mark_of_what_did_not_change_costs_no_call(scene):
    before = await synced(scene, COLA)
    await scene.mark("prod:cola", "prod:never-heard-of")
    await scene.round()
    assert await scene.calls("items_batch") == before
    assert not scene.database.marks.held


async def test_a_product_that_waits_for_its_batch_is_looked_at_again_after_it(scene):
    await synced(scene, COLA)
    scene.sell(replace(COLA, base_price=COLA.base_price + 1))
    await scene.mark("prod:cola")
    await scene.round()
    # Meta has not worked it off, and the price changes once more: the two might cross there.
    scene.sell(replace(COLA, base_price=COLA.base_price + 2))
    await scene.mark("prod:cola")
    calls = await scene.calls("items_batch")
    assert await scene.round() <= scene.clock.now() + SOON
    assert await scene.calls("items_batch") == calls
    assert scene.database.marks.held
    await scene.settled()
    scene.clock.move(timedelta(seconds=5))
    await scene.round()
    await scene.settled()
    assert (await scene.items())["prod:cola"]["price"] == "5.50 USD"
    assert not scene.database.marks.held


async def test_a_deleted_product_is_deleted_at_meta(scene):
    await synced(scene, COLA, WATER)
    scene.stop_selling(COLA)
    await scene.mark("prod:cola")
    await scene.round()
    await scene.settled()
    assert list(await scene.items()) == ["prod:water"]


async def test_marks_of_a_catalogue_that_has_had_its_calls_wait_and_others_do_not(scene):
    await synced(scene, COLA, MARGHERITA)
    for step in range(1, 8):
        scene.sell(replace(COLA, base_price=COLA.base_price + step))
        await scene.mark("prod:cola")
        await scene.round()
        await scene.settled()
        scene.clock.move(timedelta(seconds=3))
        await scene.round()
    scene.sell(
        replace(COLA, base_price=COLA.base_price + 9),
        replace(MARGHERITA, base_price=MARGHERITA.base_price + 9),
    )
    await scene.mark("prod:cola", "prod:margherita")
    due = await scene.round()
    await scene.settled()
    items = await scene.items()
    assert items["prod:margherita"]["price"] == "21.00 USD"
    assert items["prod:cola"]["price"] == "10.50 USD"
    assert [mark.product for mark in scene.database.marks.held.values()] == ["prod:cola"]
    while due <= scene.clock.now() + timedelta(seconds=60) and scene.database.marks.held:
        scene.clock.set(max(due, scene.clock.now() + timedelta(seconds=1)))
        due = await scene.round()
    await scene.settled()
    assert (await scene.items())["prod:cola"]["price"] == "12.50 USD"


async def test_an_item_edited_by_hand_is_put_right_when_meta_says_so(scene):
    before = await synced(scene, COLA)
    await scene.edit("prod:cola", price="0.01 USD")
    await scene.mark("prod:cola")
    await scene.round()
    assert await scene.calls("items_batch") == before  # we changed nothing, so nothing is sent
    await scene.mark("prod:cola", kind="verify")
    await scene.round()
    await scene.settled()
    assert (await scene.items())["prod:cola"]["price"] == "3.50 USD"


async def test_an_item_deleted_by_hand_is_made_again_when_meta_says_so(scene):
    await synced(scene, COLA, WATER)
    await scene.edit("prod:cola")
    await scene.mark("prod:cola", "prod:water", kind="verify")
    await scene.round()
    await scene.settled()
    assert sorted(await scene.items()) == ["prod:cola", "prod:water"]


async def test_meta_is_not_asked_for_a_thousand_items_in_one_round(scene):
    await synced(scene, COLA)
    products = [product(f"prod:{n}", category=DRINKS) for n in range(MOST_DOUBTS + 20)]
    await synced(scene, *products)
    await scene.mark(*(p.id for p in products), kind="verify")
    before = await scene.calls("products")
    await scene.round()
    assert await scene.calls("products") == before + MOST_DOUBTS
    assert len(scene.database.marks.held) == 20
    await scene.round()
    assert not scene.database.marks.held


async def test_marks_stay_when_meta_is_away(scene):
    await synced(scene, COLA)
    scene.sell(replace(COLA, base_price=COLA.base_price + 1))
    await scene.mark("prod:cola")
    await scene.fault(kind="refuse", route="items_batch", code=2)
    await scene.round()
    run = await scene.database.runs.get(PIZZERIA)
    # They became a walk: it finds what they marked, however many there are.
    assert run.compared_at is None
    await scene.walk()
    assert (await scene.items())["prod:cola"]["price"] == "4.50 USD"


async def test_an_edit_by_hand_of_what_waits_for_its_batch_is_not_missed(scene):
    await synced(scene, COLA)
    scene.sell(replace(COLA, base_price=COLA.base_price + 1))
    await scene.mark("prod:cola")
    await scene.round()
    # Meta is through with it, and we do not know it yet.
    await scene.settled()
    await scene.edit("prod:cola", price="0.01 USD")
    await scene.mark("prod:cola", kind="verify")
    await scene.round()
    assert scene.database.marks.held
    scene.clock.move(timedelta(seconds=5))
    await scene.round()
    await scene.settled()
    assert (await scene.items())["prod:cola"]["price"] == "4.50 USD"
    assert not scene.database.marks.held


async def test_a_catalogue_that_is_no_longer_used_is_not_asked(scene):
    await synced(scene, COLA)
    await scene.change_business(catalog_mapping={"cat:drinks": "2000000000000999"})
    before = await scene.calls("products")
    await scene.mark("prod:cola", kind="verify")
    await scene.round()
    # What it asked the new catalogue for is not what it was given long ago.
    assert await scene.calls("products") <= before + 1
    (state,) = scene.states().values()
    assert state.catalog_id == "2000000000000999"


async def test_more_marks_than_a_batch_takes_are_several(scene, monkeypatch):
    monkeypatch.setattr(walk, "MOST_ITEMS", 2)
    before = await synced(scene, COLA)
    products = [product(f"prod:{n}", category=DRINKS) for n in range(5)]
    scene.sell(*products)
    await scene.mark(*(each.id for each in products))
    await scene.round()
    assert await scene.calls("items_batch") == before + 3
    assert not scene.database.marks.held


async def test_a_product_that_can_no_longer_be_sent_is_an_error_once_it_is_deleted(scene):
    await synced(scene, COLA)
    scene.sell(replace(COLA, image_url=None), replace(WATER, image_url=None))
    await scene.mark("prod:cola", "prod:water")
    await scene.round()
    assert [mark.product for mark in scene.database.marks.held.values()] == ["prod:cola"]
    await scene.settled()
    scene.clock.move(timedelta(seconds=5))
    await scene.round()
    await scene.settled()
    scene.clock.move(timedelta(seconds=5))
    await scene.round()
    assert await scene.items() == {}
    assert {item: s.error for item, s in scene.states().items()} == {
        "prod:cola": "it has no image",
        "prod:water": "it has no image",
    }
    scene.stop_selling(WATER)
    await scene.mark("prod:water")
    await scene.round()
    assert list(scene.states()) == ["prod:cola"]
