"""A catalogue is found or made once, whatever happens in between."""

import pytest

from engine.errors import Conflict
from engine.sync.catalogs import Catalogs
from engine.sync.ports import CatalogKey, TenantCatalog
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
    business = await scene.businesses.by_tenant(PIZZERIA)
    await scene.change_business(catalog_mapping={})
    scene.sync = scene.process()
    shop = await scene.sync.shops.open(PIZZERIA, still_ours=None)
    shop.known.clear()
    records = Catalogs(scene.database.catalogs, scene.businesses)
    assert await records.ensure(shop, KEY) == business.catalog_mapping["cat:drinks"]
    mapped = (await scene.businesses.by_tenant(PIZZERIA)).catalog_mapping
    assert mapped == business.catalog_mapping


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


async def test_another_tenants_catalogue_is_not_taken(scene):
    scene.sell(COLA)
    await scene.walk()
    (catalog,) = await scene.catalogs()
    scene.sell(COLA, tenant=TAQUERIA)
    await scene.change_business(TAQUERIA, catalog_mapping={"cat:drinks": catalog["id"]})
    with pytest.raises(Conflict):
        await scene.walk(TAQUERIA)
    (catalog,) = await scene.catalogs()
    assert list(catalog["items"]) == ["prod:cola"]
