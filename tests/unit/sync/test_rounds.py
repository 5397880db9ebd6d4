"""Rounds: what Meta refuses, or is away for, is waited for, told once, and then gone on with."""

from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from engine.errors import Conflict
from engine.sync import rounds
from engine.sync.jobs import COMPARE_EVERY, VERIFY_EVERY
from engine.sync.outgoing import FIRST_CHECK
from engine.sync.rounds import ALERT_AGAIN, LEASE
from tests.unit.sync.scene import DRINKS, NOON, PIZZERIA, product

COLA = product("prod:cola", category=DRINKS, price="3.50")
DEARER = replace(COLA, base_price=COLA.base_price + 1)


async def pass_by(scene, time, tenant=PIZZERIA):
    """Let time pass, taking the rounds that come due in it."""
    end = scene.clock.now() + time
    while scene.clock.now() < end:
        due = await scene.round(tenant)
        await scene.settled()
        scene.clock.set(min(max(due, scene.clock.now() + timedelta(seconds=1)), end))


async def test_an_expired_token_is_one_alert_and_no_storm(scene):
    scene.sell(COLA)
    await scene.walk()
    scene.sell(DEARER)
    await scene.change_business(access_token="expired")
    before = await scene.calls()
    with capture_logs() as logs:
        await scene.mark("prod:cola")
        await pass_by(scene, timedelta(minutes=50))
    alerts = [line for line in logs if line["event"] == "sync.alert"]
    assert len(alerts) == 1
    assert alerts[0]["code"] == 190
    assert "save a valid access token" in alerts[0]["reason"]
    assert await scene.calls() <= before + 1
    report = await scene.sync.reports.report(PIZZERIA)
    assert report.status == "blocked"
    assert "save a valid access token" in report.reason


async def test_a_new_token_is_seen_and_everything_is_caught_up(scene):
    scene.sell(COLA)
    await scene.walk()
    await scene.change_business(access_token="expired")
    scene.sell(DEARER)
    await scene.mark("prod:cola")
    await pass_by(scene, timedelta(minutes=5))
    await scene.change_business(access_token=f"token of {PIZZERIA}")
    await pass_by(scene, timedelta(minutes=3))
    assert (await scene.items())["prod:cola"]["price"] == "4.50 USD"
    assert (await scene.database.runs.get(PIZZERIA)).alert is None


async def test_a_right_given_at_meta_is_seen_though_nothing_changed_here(scene):
    scene.sell(COLA)
    await scene.fault(kind="refuse", route="items_batch", code=200, times=1)
    await pass_by(scene, timedelta(minutes=5))
    assert (await scene.database.runs.get(PIZZERIA)).alert.code == 200
    assert await scene.items() == {}
    await pass_by(scene, ALERT_AGAIN)
    assert list(await scene.items()) == ["prod:cola"]


async def test_an_hour_without_meta_costs_few_calls_and_loses_nothing(scene):
    scene.sell(COLA)
    await scene.walk()
    await scene.fault(kind="refuse", route="items_batch", code=2, times=18)
    before = await scene.calls()
    scene.sell(DEARER)
    await scene.mark("prod:cola")
    with capture_logs() as logs:
        await pass_by(scene, timedelta(minutes=58))
    # After 2, 4, 8 ... seconds, then every five minutes.
    assert sum(line["event"] == "sync.meta_away" for line in logs) == 18
    assert await scene.calls() - before == 18
    assert (await scene.items())["prod:cola"]["price"] == "3.50 USD"
    await pass_by(scene, timedelta(minutes=6))
    assert (await scene.items())["prod:cola"]["price"] == "4.50 USD"


async def test_a_dropped_connection_after_meta_took_the_batch_is_mended_by_sending_it_again(scene):
    scene.sell(COLA)
    await scene.fault(kind="drop_after", route="items_batch", times=1)
    report = await scene.walk()
    assert report.synced == 1
    assert await scene.calls("items_batch") == 2
    assert len(await scene.catalogs()) == 1


async def test_a_rate_limit_is_waited_for_as_long_as_meta_says(scene):
    scene.sell(COLA)
    await scene.fault(kind="refuse", route="items_batch", code=80014, times=1)
    due = await scene.round()
    assert timedelta(seconds=30) <= due - NOON <= timedelta(minutes=5)
    assert (await scene.through()).synced == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fb_business_id": None}, "fbBusinessId is not set"),
        ({"access_token": ""}, "accessToken is not set"),
    ],
)
async def test_what_is_not_set_up_is_told_and_asks_meta_nothing(scene, changes, reason):
    scene.sell(COLA)
    await scene.change_business(**changes)
    await scene.mark("prod:cola")
    await scene.sync.reports.start(PIZZERIA, is_full=False)
    await scene.round()
    report = await scene.sync.reports.report(PIZZERIA)
    assert report.status == "blocked"
    assert reason in report.reason
    assert await scene.calls() == 0
    assert not scene.database.marks.held


async def test_a_tenant_without_a_bundle_is_told_so(scene):
    del scene.tenants[PIZZERIA]
    await scene.round()
    assert "comanda check" in (await scene.database.runs.get(PIZZERIA)).alert.sentence


async def test_one_process_at_a_time_works_on_a_tenant(scene):
    scene.sell(COLA)
    now = scene.clock.now()
    await scene.database.runs.claim(PIZZERIA, owner="other", now=now, until=now + LEASE)
    assert await scene.round() is None
    scene.clock.move(LEASE + timedelta(seconds=1))
    assert await scene.round() is not None


async def test_a_process_that_was_overtaken_sends_and_makes_nothing(scene):
    scene.sell(COLA)
    names = scene.database.sellables(PIZZERIA).names

    async def overtaken():
        scene.clock.move(LEASE * 2)
        now = scene.clock.now()
        await scene.database.runs.claim(PIZZERIA, owner="other", now=now, until=now + LEASE)
        return await names()

    scene.database.sellables(PIZZERIA).names = overtaken
    with pytest.raises(Conflict):
        await scene.round()
    assert await scene.catalogs() == []


async def test_what_nobody_told_of_is_found_by_the_next_comparison(scene):
    scene.sell(COLA)
    await pass_by(scene, timedelta(minutes=1))
    scene.sell(DEARER)
    await pass_by(scene, COMPARE_EVERY)
    assert (await scene.items())["prod:cola"]["price"] == "4.50 USD"


async def test_what_was_changed_at_meta_is_found_once_a_day(scene):
    scene.sell(COLA)
    await pass_by(scene, timedelta(minutes=1))
    await scene.edit("prod:cola", price="0.01 USD")
    await pass_by(scene, timedelta(hours=1))
    assert (await scene.items())["prod:cola"]["price"] == "0.01 USD"
    scene.clock.move(VERIFY_EVERY)
    await pass_by(scene, COMPARE_EVERY * 2)
    assert (await scene.items())["prod:cola"]["price"] == "3.50 USD"


async def test_a_verifying_walk_is_made_once_though_meta_lets_it_wait(scene):
    scene.sell(COLA)
    await scene.walk()
    await scene.edit("prod:cola", price="0.01 USD")
    await scene.sync.news.catalog_changed(PIZZERIA)
    await scene.fault(kind="refuse", route="items_batch", code=80014, times=1)
    assert (await scene.through()).synced == 1
    assert (await scene.items())["prod:cola"]["price"] == "3.50 USD"


async def test_a_walk_ends_though_some_batch_is_under_way_at_any_time(scene):
    margherita = product("prod:margherita")
    scene.sell(COLA, margherita)
    await scene.sync.reports.start(PIZZERIA, is_full=False)
    await scene.round()
    catalogs = {c["name"].split()[3]: c["id"] for c in await scene.catalogs()}
    for step in range(1, 12):
        changed, name = ((COLA, "Drinks"), (margherita, "Pizza"))[step % 2]
        # The other one is never through when the next change comes.
        await scene.meta.post(f"/sandbox/catalogs/{catalogs[name]}/release")
        scene.clock.move(timedelta(seconds=16))
        scene.sell(replace(changed, base_price=changed.base_price + step))
        await scene.mark(changed.id)
        await scene.round()
        assert await scene.database.batches.open(PIZZERIA)
    run = await scene.database.runs.get(PIZZERIA)
    assert (run.job, run.last.walked, run.compared_at) == (None, True, NOON)


async def test_the_end_of_a_walk_that_another_process_began_is_seen(scene):
    scene.sell(COLA)
    await scene.sync.reports.start(PIZZERIA, is_full=False)
    await scene.round()
    scene.sync = scene.process()
    assert (await scene.through()).status == "completed"


async def test_marks_do_not_pile_up_while_meta_is_not_asked(scene):
    scene.sell(COLA)
    await scene.walk()
    await scene.change_business(access_token="expired")
    scene.sell(DEARER)
    await scene.mark("prod:cola")
    await scene.round()
    await scene.mark(*(f"prod:{n}" for n in range(50)))
    scene.clock.move(timedelta(minutes=2))
    before = await scene.calls()
    await scene.round()
    assert not scene.database.marks.held
    assert await scene.calls() == before
    await scene.change_business(access_token=f"token of {PIZZERIA}")
    await pass_by(scene, timedelta(minutes=2))
    assert (await scene.items())["prod:cola"]["price"] == "4.50 USD"


@pytest.mark.parametrize("is_walking", [True, False])
async def test_what_meta_told_of_while_it_was_not_asked_is_compared_with_it(scene, is_walking):
    scene.sell(COLA)
    await scene.walk()
    await scene.fault(kind="refuse", route="items_batch", code=2)
    scene.sell(DEARER)
    await scene.mark("prod:cola")
    await scene.round()
    scene.sell(COLA)
    await scene.edit("prod:cola", price="0.01 USD")
    if is_walking:
        await scene.sync.reports.start(PIZZERIA, is_full=False)
    await scene.mark("prod:cola", kind="verify")
    await scene.round()
    assert not scene.database.marks.held
    await pass_by(scene, timedelta(minutes=1))
    assert (await scene.items())["prod:cola"]["price"] == "3.50 USD"


async def test_a_full_walk_that_an_alert_keeps_is_not_given_up_for_a_smaller_one(scene):
    scene.sell(COLA)
    await scene.walk()
    scene.clock.move(timedelta(minutes=1))
    await scene.change_business(access_token="expired")
    assert (await scene.walk(is_full=True)).status == "blocked"
    await scene.change_business(access_token=f"token of {PIZZERIA}")
    before = await scene.calls("items_batch")
    await scene.walk()
    assert (await scene.database.runs.get(PIZZERIA)).last.kind == "full"
    assert await scene.calls("items_batch") == before + 1


async def test_files_that_were_mended_are_seen_at_the_next_look(scene):
    scene.sell(COLA)
    kept = scene.tenants.pop(PIZZERIA)
    due = await scene.round()
    scene.tenants[PIZZERIA] = kept
    scene.clock.set(due)
    await scene.round()
    assert await scene.calls("items_batch") == 1


async def test_what_meta_has_is_listed_once_in_a_walk(scene):
    scene.sell(COLA)
    await scene.walk()
    await scene.edit("prod:cola", price="0.01 USD")
    looks = []
    look = scene.sync.drift.look

    async def counted(shop):
        looks.append(scene.clock.now())
        async for drifted in look(shop):
            yield drifted
        scene.clock.move(timedelta(seconds=1))

    scene.sync.drift.look = counted
    await scene.sync.news.catalog_changed(PIZZERIA)
    await scene.fault(kind="refuse", route="items_batch", code=80014, times=2)
    assert (await scene.through()).synced == 1
    assert len(looks) == 1
    assert (await scene.items())["prod:cola"]["price"] == "3.50 USD"


async def test_thousands_of_drifted_items_are_mended(scene, monkeypatch):
    monkeypatch.setattr(rounds, "MEND_AT_ONCE", 3)
    products = [product(f"prod:{n}", category=DRINKS) for n in range(8)]
    scene.sell(*products)
    await scene.walk()
    for each in products:
        await scene.edit(each.id, price="0.01 USD")
    await scene.sync.news.catalog_changed(PIZZERIA)
    await scene.through()
    assert {item["price"] for item in (await scene.items()).values()} == {"12.00 USD"}


async def test_a_batch_of_marks_is_asked_for_soon(scene):
    scene.sell(COLA)
    await scene.walk()
    scene.sell(DEARER)
    await scene.mark("prod:cola")
    due = await scene.round()
    assert due - scene.clock.now() == FIRST_CHECK
    await scene.settled()
    scene.clock.set(due)
    await scene.round()
    assert scene.states()["prod:cola"].status == "synced"


async def test_the_first_walk_is_followed_by_no_doubt_even_if_it_was_asked_for(scene):
    scene.sell(COLA)
    await scene.walk(is_full=True)
    before = await scene.calls("products")
    await pass_by(scene, COMPARE_EVERY * 2)
    assert await scene.calls("products") == before
