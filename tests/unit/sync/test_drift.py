"""Drift: what Meta has otherwise than it should be is found item by item, and mended."""

from dataclasses import replace

from engine.sync.differences import Difference
from engine.sync.drift import Drifted
from engine.sync.ports import CatalogKey, ItemId
from tests.unit.sync.meta import MemoryMeta
from tests.unit.sync.scene import DRINKS, PIZZERIA, product

COLA = product("prod:cola", category=DRINKS, price="3.50")
WATER = product("prod:water", category=DRINKS, price="2.00")
MARGHERITA = product("prod:margherita", "small", "large")


async def ours():
    return None


async def found(scene):
    shop = await scene.sync.shops.open(PIZZERIA, still_ours=ours)
    return shop, [drifted async for drifted in scene.sync.drift.look(shop)]


def told(drifted):
    return [(each.kind, each.item) for each in drifted]


async def test_nothing_drifts_after_a_walk(scene):
    scene.sell(COLA, WATER, MARGHERITA)
    await scene.walk()
    assert (await found(scene))[1] == []


async def test_a_price_changed_by_hand_is_told_with_both_values(scene):
    scene.sell(COLA)
    await scene.walk()
    await scene.edit("prod:cola", price="0.01 USD", title="Kola")
    shop, drifted = await found(scene)
    assert drifted == [
        Drifted(
            kind="different",
            catalog=CatalogKey("cat:drinks"),
            catalog_id=shop.known["cat:drinks"],
            item=ItemId("prod:cola"),
            product=COLA.id,
            differences=(
                Difference("title", "Cola", "Kola"),
                Difference("price", "3.50 USD", "$0.01 USD"),
            ),
        )
    ]


async def test_missing_and_extra_items_are_found(scene):
    scene.sell(COLA, WATER, MARGHERITA)
    await scene.walk()
    await scene.edit("prod:cola")
    drinks = next(c for c in await scene.catalogs() if "Drinks" in c["name"])
    fields = {"fields": {"title": "By hand", "price": "1.00 USD"}}
    path = f"/sandbox/catalogs/{drinks['id']}/items/prod:by-hand"
    (await scene.meta.post(path, json=fields)).raise_for_status()
    _, drifted = await found(scene)
    assert told(drifted) == [("extra", "prod:by-hand"), ("missing", "prod:cola")]


async def test_what_was_never_sent_is_missing(scene):
    scene.sell(COLA, MARGHERITA)
    _, drifted = await found(scene)
    assert told(drifted) == [
        ("missing", "prod:cola"),
        ("missing", "prod:margherita|pres:small"),
        ("missing", "prod:margherita|pres:large"),
    ]


async def test_an_item_that_waits_for_its_batch_is_no_drift(scene):
    scene.sell(COLA)
    await scene.walk()
    scene.sell(replace(COLA, base_price=COLA.base_price + 1))
    await scene.mark("prod:cola")
    await scene.round()
    assert (await found(scene))[1] == []


async def test_what_drifted_is_mended(scene):
    scene.sell(COLA, WATER, MARGHERITA)
    await scene.walk()
    before = await scene.items()
    await scene.edit("prod:cola")
    await scene.edit("prod:water", price="0.01 USD")
    drinks = next(c for c in await scene.catalogs() if "Drinks" in c["name"])
    path = f"/sandbox/catalogs/{drinks['id']}/items/prod:by-hand"
    (await scene.meta.post(path, json={"fields": {"title": "By hand"}})).raise_for_status()
    shop, drifted = await found(scene)
    await scene.sync.drift.mend(shop, drifted)
    report = await scene.walk()
    assert await scene.items() == before
    assert (report.synced, report.failed) == (3, 0)
    assert (await found(scene))[1] == []


async def test_a_walk_alone_deletes_nothing_that_is_extra(scene):
    scene.sell(COLA)
    await scene.walk()
    (drinks,) = await scene.catalogs()
    path = f"/sandbox/catalogs/{drinks['id']}/items/prod:by-hand"
    (await scene.meta.post(path, json={"fields": {"title": "By hand"}})).raise_for_status()
    await scene.walk(is_full=True)
    await scene.sync.news.catalog_changed(PIZZERIA)
    await scene.through()
    assert "prod:by-hand" in await scene.items()


async def test_many_pages_are_compared(scene):
    scene.sell(*(product(f"prod:{n:04}", category=DRINKS) for n in range(600)))
    await scene.walk()
    await scene.edit("prod:0555", price="0.01 USD")
    _, drifted = await found(scene)
    assert told(drifted) == [("different", "prod:0555")]


async def test_the_same_page_again_and_again_is_not_read_for_ever(scene):
    scene.sell(COLA)
    await scene.walk()
    shop = await scene.sync.shops.open(PIZZERIA, still_ours=ours)
    cursors = iter("abcdefgh")
    page, _ = await shop.calls.items(shop.known["cat:drinks"])

    class Endless(MemoryMeta):
        async def items(self, catalog_id, *, after=None):
            return page, next(cursors)

    calls = Endless(scene.clock)
    looked = [each async for each in scene.sync.drift.look(replace(shop, calls=calls))]
    assert looked == []
    assert next(cursors) == "c"


async def test_what_was_sent_since_it_was_looked_at_is_left_to_its_batch(scene):
    scene.sell(COLA)
    await scene.walk()
    await scene.edit("prod:cola", price="0.01 USD")
    shop, drifted = await found(scene)
    assert told(drifted) == [("different", "prod:cola")]
    scene.sell(replace(COLA, base_price=COLA.base_price + 1))
    await scene.mark("prod:cola")
    await scene.round()
    before = scene.states()
    await scene.sync.drift.mend(shop, drifted)
    assert scene.states() == before
    await scene.settled()
    assert (await scene.items())["prod:cola"]["price"] == "4.50 USD"


async def test_the_tenant_is_kept_while_meta_is_asked_item_by_item(scene):
    products = [product(f"prod:{n}", category=DRINKS) for n in range(5)]
    scene.sell(*products)
    await scene.walk()
    for each in products:
        await scene.edit(each.id)
    kept = []

    async def still_ours():
        kept.append(1)

    shop = await scene.sync.shops.open(PIZZERIA, still_ours=still_ours)
    assert len([each async for each in scene.sync.drift.look(shop)]) == 5
    assert len(kept) >= 5
    kept.clear()
    await scene.sync.drift.doubt(shop, [each.id for each in products])
    assert len(kept) == 5


async def test_an_item_that_is_only_missing_in_the_list_is_not_missing(scene):
    scene.sell(COLA, WATER)
    await scene.walk()
    shop = await scene.sync.shops.open(PIZZERIA, still_ours=ours)
    ask = shop.calls.item

    class Forgetful(MemoryMeta):
        async def items(self, catalog_id, *, after=None):
            return (), None

        async def item(self, catalog_id, item):
            return await ask(catalog_id, item)

    calls = Forgetful(scene.clock)
    assert [each async for each in scene.sync.drift.look(replace(shop, calls=calls))] == []


async def test_of_what_cannot_be_sent_nothing_is_missing(scene):
    scene.sell(replace(COLA, image_url=None))
    await scene.walk()
    assert (await found(scene))[1] == []
    await scene.mark("prod:cola", kind="verify")
    await scene.round()
    assert not scene.database.marks.held
