"""The single catalogue: product sets of the categories, connected, seen by customers."""

from dataclasses import replace
from datetime import timedelta

from structlog.testing import capture_logs

from engine.sync.jobs import COMPARE_EVERY
from engine.sync.ports import SINGLE
from tests.unit.sync.scene import DRINKS, NUMBERS, PIZZERIA, TAQUERIA, product, settings

COLA = product("prod:cola", category=DRINKS, price="3.50")
MARGHERITA = product("prod:margherita")
WABA = f"10{NUMBERS[PIZZERIA]}"


async def sets(scene):
    (catalog,) = await scene.catalogs()
    return {each["name"]: each["rule"] for each in catalog["sets"]}


async def shown(scene):
    answer = await scene.meta.get(
        f"/v26.0/{NUMBERS[PIZZERIA]}/whatsapp_commerce_settings",
        headers={"Authorization": f"Bearer token of {PIZZERIA}"},
    )
    return {
        key: answer.json()["data"][0][key] for key in ("is_cart_enabled", "is_catalog_visible")
    }


async def test_the_first_walk_makes_one_catalogue_and_connects_it(single):
    single.sell(COLA, MARGHERITA)
    report = await single.walk()
    assert report.synced == 2
    (catalog,) = await single.catalogs()
    assert sorted(catalog["items"]) == ["prod:cola", "prod:margherita"]
    assert catalog["connections"] == [WABA]
    assert await sets(single) == {
        "Drinks": {"custom_label_0": {"eq": "cat:drinks"}},
        "Pizza": {"custom_label_0": {"eq": "cat:pizza"}},
    }
    assert await shown(single) == {"is_cart_enabled": True, "is_catalog_visible": True}
    business = await single.businesses.by_tenant(PIZZERIA)
    assert business.catalog_mapping == {SINGLE: catalog["id"]}


async def test_what_is_connected_costs_no_call_again(single):
    single.sell(COLA, MARGHERITA)
    await single.walk()
    before = await single.calls()
    await single.walk()
    assert await single.calls() == before


async def test_sets_follow_the_categories(single):
    single.sell(COLA, MARGHERITA)
    await single.walk()
    states = single.database.sellables(PIZZERIA)
    states.shelves["cat:pizza"] = "Pizze"
    single.stop_selling(COLA)
    await single.walk()
    assert list(await sets(single)) == ["Pizze"]


async def test_the_first_product_of_a_category_gets_its_set_at_once(single):
    single.sell(MARGHERITA)
    await single.walk()
    single.sell(COLA)
    await single.mark("prod:cola")
    await single.round()
    assert sorted(await sets(single)) == ["Drinks", "Pizza"]


async def test_a_set_that_was_made_just_before_an_accident_is_not_made_again(single):
    single.sell(MARGHERITA)
    await single.walk()
    record = await single.database.catalogs.get(PIZZERIA, SINGLE)
    await single.database.catalogs.save(replace(record, sets={}))
    await single.walk()
    (catalog,) = await single.catalogs()
    assert len(catalog["sets"]) == 1


async def test_a_set_made_by_hand_with_the_name_of_a_category_is_left_alone(single):
    single.sell(MARGHERITA)
    await single.sync.reports.start(PIZZERIA, is_full=False)
    await single.round()
    (catalog,) = await single.catalogs()
    path = f"/v26.0/{catalog['id']}/product_sets"
    bearer = {"Authorization": f"Bearer token of {PIZZERIA}"}
    by_hand = {"name": "Drinks", "filter": "{}"}
    (await single.meta.post(path, json=by_hand, headers=bearer)).raise_for_status()
    single.sell(COLA)
    await single.through()
    await single.walk()
    single.stop_selling(COLA)
    await single.walk()
    (catalog,) = await single.catalogs()
    assert [(one["name"], one["retailer_id"]) for one in catalog["sets"]] == [
        ("Pizza", "cat:pizza"),
        ("Drinks", None),
    ]


async def test_another_number_is_shown_the_catalogue_too(single):
    single.sell(MARGHERITA)
    await single.walk()
    before = await single.calls("commerce_settings")
    await single.change_business(phone_number_ids=(NUMBERS[PIZZERIA],), waba_id=WABA)
    await single.walk()
    assert await single.calls("commerce_settings") == before
    await single.walk(is_full=True)
    assert await single.calls("commerce_settings") == before + 1


async def test_items_are_synced_though_the_catalogue_cannot_be_connected(single):
    taken = await single.meta.post(
        f"/v26.0/38{NUMBERS[PIZZERIA]}/owned_product_catalogs",
        json={"name": "By hand"},
        headers={"Authorization": f"Bearer token of {PIZZERIA}"},
    )
    await single.meta.post(
        f"/v26.0/{WABA}/product_catalogs",
        json={"catalog_id": taken.json()["id"]},
        headers={"Authorization": f"Bearer token of {PIZZERIA}"},
    )
    single.sell(MARGHERITA)
    report = await single.walk()
    assert report.synced == 1
    assert (await single.database.runs.get(PIZZERIA)).alert is not None
    assert "Meta refuses it" in report.reason
    single.sell(replace(MARGHERITA, base_price=MARGHERITA.base_price + 1))
    await single.mark("prod:margherita")
    single.clock.move(timedelta(minutes=1))
    await single.round()
    await single.settled()
    assert (await single.items())["prod:margherita"]["price"] == "13.00 USD"


async def test_a_tenant_with_a_catalogue_for_each_category_is_not_connected(scene):
    scene.sell(COLA, MARGHERITA)
    await scene.walk()
    assert [catalog["connections"] for catalog in await scene.catalogs()] == [[], []]
    assert [catalog["sets"] for catalog in await scene.catalogs()] == [[], []]


async def test_two_single_catalogues_do_not_mix(single):
    single.sell(COLA)
    single.sell(replace(COLA, base_price=COLA.base_price * 2), tenant=TAQUERIA)
    await single.walk()
    await single.walk(TAQUERIA)
    assert {
        tuple(catalog["connections"]): catalog["items"]["prod:cola"]["price"]
        for catalog in await single.catalogs()
    } == {(WABA,): "3.50 USD", (f"10{NUMBERS[TAQUERIA]}",): "7.00 USD"}


async def refused(single):
    """Let Meta refuse to connect the catalogue, as the account has another one."""
    headers = {"Authorization": f"Bearer token of {PIZZERIA}"}
    made = await single.meta.post(
        f"/v26.0/38{NUMBERS[PIZZERIA]}/owned_product_catalogs",
        json={"name": "By hand"},
        headers=headers,
    )
    other = made.json()["id"]
    path = f"/v26.0/{WABA}/product_catalogs"
    await single.meta.post(path, json={"catalog_id": other}, headers=headers)
    return lambda: single.meta.delete(path, params={"catalog_id": other}, headers=headers)


async def test_a_refused_connection_is_told_once_and_until_it_is_mended(single):
    mend = await refused(single)
    single.sell(MARGHERITA)
    with capture_logs() as logs:
        await single.walk()
        for price in range(1, 4):
            single.sell(replace(MARGHERITA, base_price=MARGHERITA.base_price + price), COLA)
            await single.mark("prod:margherita", "prod:cola")
            single.clock.move(timedelta(minutes=1))
            await single.round()
            await single.settled()
        single.clock.move(COMPARE_EVERY)
        assert (await single.through()).status == "completed"
    assert [line["event"] for line in logs if line["log_level"] == "error"] == [
        "sync.not_connected"
    ]
    report = await single.sync.reports.report(PIZZERIA)
    assert report.status == "completed"
    assert "Meta refuses it" in report.reason
    assert "WhatsApp Manager" in report.reason
    (await mend()).raise_for_status()
    assert (await single.walk()).reason == ""
    assert [WABA] in [catalog["connections"] for catalog in await single.catalogs()]


async def test_a_walk_is_joined_though_the_catalogue_is_not_connected(single):
    await refused(single)
    single.sell(MARGHERITA)
    await single.walk()
    single.sell(COLA)
    assert await single.sync.reports.start(PIZZERIA, is_full=False)
    await single.round()
    assert not await single.sync.reports.start(PIZZERIA, is_full=False)


async def test_one_catalogue_for_each_category_needs_no_connection_any_more(single):
    await refused(single)
    single.sell(MARGHERITA)
    await single.walk()
    single.tenants[PIZZERIA] = settings(PIZZERIA)
    assert (await single.walk()).reason == ""


async def test_without_an_account_the_items_are_there_and_nothing_is_connected(single):
    await single.change_business(waba_id=None)
    single.sell(MARGHERITA)
    report = await single.walk()
    assert (report.synced, report.reason) == (1, "")
    (catalog,) = await single.catalogs()
    assert catalog["connections"] == []


async def test_a_tenant_that_sells_nothing_has_no_catalogue(single):
    report = await single.walk()
    assert (report.status, report.total_products) == ("completed", 0)
    assert await single.catalogs() == []


async def test_what_was_connected_already_is_not_connected_again(single):
    single.sell(MARGHERITA)
    await single.walk()
    record = await single.database.catalogs.get(PIZZERIA, SINGLE)
    await single.database.catalogs.save(replace(record, connection=""))
    await single.walk()
    (catalog,) = await single.catalogs()
    assert catalog["connections"] == [WABA]
    assert (await single.database.catalogs.get(PIZZERIA, SINGLE)).connection == record.connection
