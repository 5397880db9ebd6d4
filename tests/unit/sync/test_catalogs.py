"""A catalogue is found or made once, whatever happens in between."""

from dataclasses import replace

from engine.domain.ids import CategoryId
from engine.sync.catalogs import LONGEST_NAME
from engine.sync.ports import CatalogKey, TenantCatalog
from engine.sync.rounds import ALERT_LOOK
from tests.unit.sync.scene import DRINKS, PIZZERIA, TAQUERIA, product

COLA = product("prod:cola", category=DRINKS, price="3.50")
KEY = CatalogKey("cat:drinks")
NAME = "La Tavola · Drinks [la-tavola/cat:drinks]"


async def test_the_mapping_is_written_to_the_business(scene):
    scene.sell(COLA)
    await scene.walk()
    (catalog,) = await scene.catalogs()
    assert catalog["name"] == NAME
    business = await scene.businesses.by_tenant(PIZZERIA)
    assert business.catalog_mapping == {"cat:drinks": catalog["id"]}


async def test_one_that_was_mapped_by_hand_is_used(scene):
    scene.sell(COLA)
    await scene.walk()
    (catalog,) = await scene.catalogs()
    scene.database.catalogs.held.clear()
    await scene.walk(is_full=True)
    assert len(await scene.catalogs()) == 1
    assert (await scene.database.catalogs.get(PIZZERIA, "cat:drinks")).catalog_id == catalog["id"]


async def test_a_lost_mapping_is_written_again(scene):
    scene.sell(COLA)
    await scene.walk()
    before = (await scene.businesses.by_tenant(PIZZERIA)).catalog_mapping
    # Or a process died after it made the catalogue, and before it wrote this.
    await scene.change_business(catalog_mapping=None)
    scene.sell(replace(COLA, base_price=COLA.base_price + 1))
    await scene.walk()
    assert (await scene.businesses.by_tenant(PIZZERIA)).catalog_mapping == before
    assert len(await scene.catalogs()) == 1


async def test_one_that_was_deleted_at_meta_is_made_again_once_its_key_is_removed(scene):
    scene.sell(COLA)
    await scene.walk()
    gone = "2000000000000999"
    await scene.database.catalogs.save(TenantCatalog(PIZZERIA, KEY, gone, NAME))
    await scene.change_business(catalog_mapping={KEY: gone})
    report = await scene.walk(is_full=True)
    assert report.status == "blocked"
    assert "remove the key to have it made again" in report.reason
    await scene.change_business(catalog_mapping={})
    report = await scene.walk()
    assert (report.status, report.synced) == ("completed", 1)
    (catalog,) = await scene.catalogs()
    assert (await scene.database.catalogs.get(PIZZERIA, KEY)).catalog_id == catalog["id"]
    assert (await scene.businesses.by_tenant(PIZZERIA)).catalog_mapping == {KEY: catalog["id"]}


async def test_one_that_was_mapped_by_hand_and_removed_is_made_with_a_name(scene):
    scene.sell(COLA)
    await scene.database.catalogs.save(TenantCatalog(PIZZERIA, KEY, "", ""))
    await scene.walk()
    assert [catalog["name"] for catalog in await scene.catalogs()] == [NAME]


async def test_the_name_of_one_with_a_long_key_is_not_too_long_and_found_again(scene):
    category = CategoryId("cat:" + "very-long-" * 9)
    scene.sell(product("prod:cola", category=category))
    await scene.walk()
    (catalog,) = await scene.catalogs()
    assert len(catalog["name"]) <= LONGEST_NAME
    await scene.database.catalogs.save(
        TenantCatalog(PIZZERIA, CatalogKey(category), "", catalog["name"])
    )
    await scene.change_business(catalog_mapping=None)
    await scene.walk(is_full=True)
    assert len(await scene.catalogs()) == 1


async def test_one_that_was_made_just_before_the_process_died_is_found_again(scene):
    scene.sell(COLA)
    await scene.walk()
    # It was made, and neither noted nor mapped.
    await scene.database.catalogs.save(TenantCatalog(PIZZERIA, KEY, "", NAME))
    await scene.change_business(catalog_mapping=None)
    scene.sync = scene.process()
    await scene.walk(is_full=True)
    assert len(await scene.catalogs()) == 1


async def test_one_that_was_asked_for_and_never_made_is_made(scene):
    scene.sell(COLA)
    await scene.database.catalogs.save(TenantCatalog(PIZZERIA, KEY, "", NAME))
    await scene.walk()
    assert [catalog["name"] for catalog in await scene.catalogs()] == [NAME]


async def test_another_mapping_by_hand_fills_that_catalogue(scene):
    scene.sell(COLA)
    await scene.walk()
    business = await scene.businesses.by_tenant(PIZZERIA)
    made = await scene.meta.post(
        f"/v26.0/{business.fb_business_id}/owned_product_catalogs",
        json={"name": "By hand"},
        headers={"Authorization": f"Bearer {business.access_token}"},
    )
    await scene.change_business(catalog_mapping={"cat:drinks": made.json()["id"]})
    report = await scene.walk()
    assert report.synced == 1
    filled = {catalog["name"]: list(catalog["items"]) for catalog in await scene.catalogs()}
    assert filled["By hand"] == ["prod:cola"]


async def test_another_tenants_catalogue_is_not_taken_and_a_person_is_told(scene):
    scene.sell(COLA)
    await scene.walk()
    (catalog,) = await scene.catalogs()
    scene.sell(COLA, tenant=TAQUERIA)
    await scene.change_business(TAQUERIA, catalog_mapping={"cat:drinks": catalog["id"]})
    report = await scene.walk(TAQUERIA)
    assert report.status == "blocked"
    assert "is in use already" in report.reason
    assert "Meta refuses" not in report.reason
    # Not every second: somebody has to mend it.
    assert (await scene.database.runs.get(TAQUERIA)).due >= scene.clock.now() + ALERT_LOOK
    (catalog,) = await scene.catalogs()
    assert list(catalog["items"]) == ["prod:cola"]


async def test_a_catalogue_cannot_be_made_without_a_portfolio_and_others_are_synced(scene):
    scene.sell(COLA)
    await scene.walk()
    await scene.change_business(fb_business_id=None)
    scene.sell(product("prod:margherita"))
    report = await scene.walk()
    assert (report.status, report.synced) == ("blocked", 1)
    assert report.reason == "fbBusinessId is not set in the business document"


async def test_a_category_without_a_name_has_its_id_for_one(scene):
    scene.sell(COLA)
    scene.database.sellables(PIZZERIA).shelves.clear()
    await scene.walk()
    assert [catalog["name"] for catalog in await scene.catalogs()] == [
        "La Tavola · cat:drinks [la-tavola/cat:drinks]"
    ]
