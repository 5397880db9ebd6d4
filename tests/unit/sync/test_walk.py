"""A walk gives Meta what differs, in as few calls as possible, and goes on where it stopped."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.domain.ids import CategoryId
from engine.sync import shelves, walk
from engine.sync.ports import CatalogKey
from engine.sync.runs import Job
from engine.sync.verdict import Verdict
from engine.sync.walk import Load, weight
from tests.unit.sync.scene import DRINKS, NOON, PIZZA, PIZZERIA, TAQUERIA, product

MARGHERITA = product("prod:margherita", "small", "large", description="Tomato and mozzarella")
COLA = product("prod:cola", category=DRINKS, price="3.50")


async def test_the_first_walk_gives_meta_everything_in_one_call_for_each_catalogue(scene):
    scene.sell(MARGHERITA, COLA)
    report = await scene.walk()
    assert report.answer() == {
        "status": "completed",
        "total_products": 2,
        "synced": 2,
        "failed": 0,
        "errors": [],
    }
    items = await scene.items()
    assert sorted(items) == [
        "prod:cola",
        "prod:margherita|pres:large",
        "prod:margherita|pres:small",
    ]
    assert items["prod:cola"]["price"] == "3.50 USD"
    assert items["prod:margherita|pres:large"]["item_group_id"] == "prod:margherita"
    assert await scene.calls("items_batch") == 2


async def test_what_meta_has_already_costs_no_call(scene):
    scene.sell(MARGHERITA, COLA)
    await scene.walk()
    before = await scene.calls("items_batch")
    assert (await scene.walk()).status == "completed"
    assert await scene.calls("items_batch") == before


async def test_only_what_changed_is_sent(scene):
    scene.sell(MARGHERITA, COLA)
    await scene.walk()
    scene.sell(replace(COLA, base_price=COLA.base_price + 1))
    await scene.walk()
    assert (await scene.items())["prod:cola"]["price"] == "4.50 USD"
    assert await scene.calls("items_batch") == 3


async def test_what_is_no_longer_sold_is_deleted_at_meta_and_forgotten(scene):
    scene.sell(MARGHERITA, COLA)
    await scene.walk()
    scene.stop_selling(MARGHERITA)
    report = await scene.walk()
    assert list(await scene.items()) == ["prod:cola"]
    assert list(scene.states()) == ["prod:cola"]
    assert report.total_products == 1


async def test_a_size_that_is_no_longer_sold_is_deleted_at_meta(scene):
    scene.sell(MARGHERITA)
    await scene.walk()
    scene.sell(replace(MARGHERITA, presentations=MARGHERITA.presentations[:1]))
    await scene.walk()
    assert list(await scene.items()) == ["prod:margherita|pres:small"]


async def test_a_product_in_another_category_moves_to_its_catalogue(scene):
    scene.sell(MARGHERITA, COLA)
    await scene.walk()
    scene.sell(replace(COLA, category_id=PIZZA, category="Pizza"))
    await scene.walk()
    by_name = {catalog["name"]: set(catalog["items"]) for catalog in await scene.catalogs()}
    assert by_name == {
        "La Tavola · Drinks [la-tavola/cat:drinks]": set(),
        "La Tavola · Pizza [la-tavola/cat:pizza]": {
            "prod:cola",
            "prod:margherita|pres:large",
            "prod:margherita|pres:small",
        },
    }


async def test_a_product_that_cannot_be_sent_is_an_error_and_stops_nothing(scene):
    scene.sell(replace(COLA, image_url=None), MARGHERITA)
    report = await scene.walk()
    assert report.answer() == {
        "status": "completed",
        "total_products": 2,
        "synced": 1,
        "failed": 1,
        "errors": [{"product_id": "prod:cola", "error": "it has no image"}],
    }
    assert "prod:margherita|pres:small" in await scene.items()


async def test_an_error_ends_when_the_product_can_be_sent(scene):
    scene.sell(replace(COLA, image_url=None))
    await scene.walk()
    scene.sell(COLA)
    report = await scene.walk()
    assert (report.failed, report.errors) == (0, ())
    assert list(await scene.items()) == ["prod:cola"]


async def test_meta_does_not_keep_what_can_no_longer_be_sent(scene):
    scene.sell(COLA, MARGHERITA)
    await scene.walk()
    scene.sell(replace(COLA, image_url="no address"))
    await scene.walk()
    # It is deleted first; that it cannot be sent is noted once it is.
    report = await scene.walk()
    assert report.errors == (("prod:cola", "its image is no web address"),)
    assert "prod:cola" not in await scene.items()


async def test_what_meta_does_not_take_is_an_error_of_the_product_and_is_not_tried_again(scene):
    scene.sell(COLA, MARGHERITA)
    fault = {"item": "prod:cola", "message": "The image could not be fetched"}
    (await scene.meta.post("/sandbox/item_faults", json=fault)).raise_for_status()
    report = await scene.walk()
    assert report.errors == (("prod:cola", "The image could not be fetched"),)
    assert (report.synced, report.failed) == (1, 1)
    before = await scene.calls("items_batch")
    await scene.walk()
    assert await scene.calls("items_batch") == before
    scene.sell(replace(COLA, image_url="https://img.example/other.jpg"))
    assert (await scene.walk()).errors == ()


async def test_a_full_walk_sends_everything_again(scene):
    scene.sell(MARGHERITA, COLA)
    await scene.walk()
    scene.clock.move(timedelta(minutes=2))
    await scene.walk(is_full=True)
    assert await scene.calls("items_batch") == 4


async def test_thousands_of_products_are_sent_in_as_few_calls_as_there_can_be(scene):
    scene.sell(*(product(f"prod:{n}", category=(PIZZA, DRINKS)[n % 2]) for n in range(7000)))
    report = await scene.walk()
    assert (report.total_products, report.synced) == (7000, 7000)
    # 3,500 items in each of two catalogues.
    assert await scene.calls("items_batch") == 4
    assert len(await scene.items()) == 7000


@pytest.fixture
def small_batches(monkeypatch):
    """Let a batch have ten items, so that a few products need many."""
    monkeypatch.setattr(walk, "MOST_ITEMS", 10)


@pytest.mark.usefixtures("small_batches")
async def test_the_walk_waits_for_the_rate_of_the_catalogue_and_goes_on(scene):
    scene.sell(*(product(f"prod:{n:05}") for n in range(91)))
    report = await scene.walk()
    assert report.synced == 91
    assert await scene.calls("items_batch") == 10
    # Eight calls a minute: the last two had to wait.
    assert scene.clock.now() - NOON >= timedelta(seconds=60)


@pytest.mark.usefixtures("small_batches")
async def test_an_interrupted_walk_goes_on_where_it_stopped(scene):
    scene.sell(*(product(f"prod:{n:05}") for n in range(20)))
    await scene.sync.reports.start(PIZZERIA, is_full=True)
    await scene.sync.worker.drain()
    await scene.round()
    stopped = await scene.database.runs.get(PIZZERIA)
    assert (stopped.job.done, stopped.job.position) == (10, "prod:00009")
    scene.sync = scene.process()
    report = await scene.through()
    assert report.synced == 20
    assert await scene.calls("items_batch") == 2


async def test_two_tenants_with_equal_product_ids_do_not_mix(scene):
    scene.sell(COLA)
    scene.sell(replace(COLA, base_price=COLA.base_price * 2), tenant=TAQUERIA)
    await scene.walk()
    await scene.walk(TAQUERIA)
    prices = {
        catalog["business_id"]: catalog["items"]["prod:cola"]["price"]
        for catalog in await scene.catalogs()
    }
    assert prices == {
        (await scene.businesses.by_tenant(PIZZERIA)).fb_business_id: "3.50 USD",
        (await scene.businesses.by_tenant(TAQUERIA)).fb_business_id: "7.00 USD",
    }


def test_a_batch_is_full_by_items_and_by_bytes():
    empty = Verdict()
    assert Load().has_room(empty, 10)
    assert not Load(size=20 * 1024 * 1024).has_room(empty, 1)
    assert weight(empty) == 0


@pytest.mark.parametrize("mode", ["single"])
async def test_a_change_of_mode_moves_everything(scene, mode):
    scene.sell(MARGHERITA, COLA)
    await scene.walk()
    settings = scene.tenants[PIZZERIA]
    scene.tenants[PIZZERIA] = settings.model_copy(
        update={"catalog": settings.catalog.model_copy(update={"mode": mode})}
    )
    await scene.walk()
    by_name = {catalog["name"]: len(catalog["items"]) for catalog in await scene.catalogs()}
    assert by_name == {
        "La Tavola · Drinks [la-tavola/cat:drinks]": 0,
        "La Tavola · Pizza [la-tavola/cat:pizza]": 0,
        "La Tavola [la-tavola/*]": 3,
    }


@pytest.fixture
def small_steps(monkeypatch):
    """Let a walk's place be noted every ten products."""
    monkeypatch.setattr(walk, "LOOKED", 10)


@pytest.mark.usefixtures("small_steps")
async def test_what_needs_no_call_is_written_as_the_walk_goes_on(scene):
    bad = [replace(product(f"prod:{n:03}"), image_url=None) for n in range(95)]
    scene.sell(*bad)
    saved = []
    states = scene.database.states(PIZZERIA)
    put, drop = states.put, states.drop

    async def noted_put(rows):
        saved.append(len(rows))
        await put(rows)

    async def noted_drop(rows):
        saved.append(len(rows))
        await drop(rows)

    states.put, states.drop = noted_put, noted_drop
    report = await scene.walk()
    assert (report.failed, report.total_products) == (95, 95)
    assert max(saved) <= 10
    saved.clear()
    # All of them are gone at once.
    for each in bad:
        scene.stop_selling(each)
    await scene.walk()
    assert scene.states() == {}
    assert len(saved) >= 9
    assert max(saved) <= 10
    assert await scene.calls() == 0


@pytest.mark.usefixtures("small_steps")
async def test_a_walk_with_nothing_to_send_goes_on_where_it_stopped(scene):
    scene.sell(*(product(f"prod:{n:03}") for n in range(35)))
    await scene.walk()
    await scene.sync.reports.start(PIZZERIA, is_full=False)
    await scene.sync.worker.drain()
    await scene.round()
    stopped = (await scene.database.runs.get(PIZZERIA)).job
    assert (stopped.done, stopped.position, stopped.walked) == (10, "prod:009", False)
    scene.sync = scene.process()
    assert (await scene.through()).status == "completed"


async def test_a_walk_goes_on_in_the_catalogue_after_the_one_that_is_gone(scene):
    scene.sell(MARGHERITA, COLA)
    await scene.walk()
    shop = await scene.sync.shops.open(PIZZERIA, still_ours=ours)
    scene.stop_selling(COLA)
    scene.database.states(PIZZERIA).held.clear()
    noted = []

    async def note(job):
        noted.append(job)

    job = Job("j", "changed", NOON, NOON, shelf=CatalogKey("cat:drinks"), position=COLA.id, done=1)
    done = await scene.sync.rounds.walk.go(shop, job, note)
    assert (done.walked, done.shelf, done.done) == (True, "cat:pizza", 2)


async def test_what_waits_for_its_batch_is_marked_to_be_looked_at_again(scene):
    scene.sell(COLA)
    await scene.round()
    scene.sell(replace(COLA, base_price=COLA.base_price + 1))
    shop = await scene.sync.shops.open(PIZZERIA, still_ours=ours)

    async def note(job):
        pass

    await scene.sync.rounds.walk.go(shop, Job("j", "changed", NOON, NOON), note)
    assert [mark.product for mark in scene.database.marks.held.values()] == ["prod:cola"]


async def test_a_category_may_be_called_as_the_single_catalogue_is(scene):
    scene.sell(product("prod:star", category=CategoryId("*")), MARGHERITA)
    await scene.walk()
    names = {len(catalog["items"]): catalog["name"] for catalog in await scene.catalogs()}
    assert sorted(names) == [1, 2]


async def ours():
    return None


async def test_what_changes_during_a_long_walk_does_not_wait_for_its_end(scene, monkeypatch):
    monkeypatch.setattr(walk, "LOOKED", 10)
    monkeypatch.setattr(shelves, "PAGE", 10)
    first, *others = [product(f"prod:{n:03}") for n in range(50)]
    scene.sell(first, *others)
    await scene.walk()
    await scene.sync.reports.start(PIZZERIA, is_full=False)
    sold = scene.database.sellables(PIZZERIA)
    page = sold.page

    async def changing(category, *, after, limit):
        if after == "prod:009":
            # It was looked at already, and cost twelve.
            scene.sell(replace(first, base_price=first.base_price + 1))
            await scene.mark("prod:000")
        return await page(category, after=after, limit=limit)

    sold.page = changing
    await scene.round()
    stopped = (await scene.database.runs.get(PIZZERIA)).job
    assert (stopped.done, stopped.walked) == (10, False)
    sold.page = page
    await scene.round()
    await scene.settled()
    assert (await scene.items())["prod:000"]["price"] == "13.00 USD"
    assert (await scene.through()).synced == 50
