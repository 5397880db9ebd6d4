"""One key of a business's mappings at a time, and whose a portfolio of Meta is."""

import asyncio
from dataclasses import replace

import pytest

from engine.clock import ManualClock
from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.ports import Business
from engine.storage.businesses import MongoBusinesses
from engine.storage.documents import BusinessDocument
from tests.memory import MemoryBusinesses
from tests.unit.storage.builders import BAKERY, NOW, PIZZERIA

ROMA = Business(
    PIZZERIA,
    "Roma",
    ("111",),
    fb_business_id="fb-1",
    catalog_mapping={"cat:drinks": "catalog-0"},
    flow_mapping={"checkout:en": "meta-1"},
)
OTHERS = (
    Business(BAKERY, "Bakery", ("333",), fb_business_id="fb-1"),
    Business(TenantId("cafe"), "Cafe", ("444",), fb_business_id="fb-2"),
    Business(TenantId("none"), "None", ("555",)),
)


@pytest.fixture
async def disk(database, vault):
    held = MongoBusinesses(database, vault=vault, clock=ManualClock(NOW))
    for business in (ROMA, *OTHERS):
        await held.save(business)
    return held


@pytest.fixture(params=["disk", "memory"])
def businesses(request):
    if request.param == "memory":
        return MemoryBusinesses(ROMA, *OTHERS)
    return request.getfixturevalue("disk")


@pytest.mark.parametrize("key", ["cat:pizza", "cat:a.b", "$where", "*", ""])
async def test_one_catalogue_is_mapped_and_everything_else_stays(businesses, key):
    await businesses.by_tenant(PIZZERIA)
    await businesses.by_phone_number_id("111")
    for meta_id in ("catalog-1", "$name"):
        await businesses.map_catalog(PIZZERIA, key, meta_id)
        mapped = replace(ROMA, catalog_mapping={"cat:drinks": "catalog-0", key: meta_id})
        assert await businesses.by_tenant(PIZZERIA) == mapped
        assert await businesses.by_phone_number_id("111") == mapped
    for _ in range(2):
        await businesses.map_catalog(PIZZERIA, key, None)
        assert await businesses.by_tenant(PIZZERIA) == ROMA
    await businesses.map_catalog(BAKERY, key, "catalog-2")
    assert (await businesses.by_tenant(BAKERY)).catalog_mapping == {key: "catalog-2"}


async def test_catalogues_that_are_mapped_at_once_are_all_there(disk, database):
    rows = database.collection(BusinessDocument)
    await asyncio.gather(
        disk.map_catalog(PIZZERIA, "cat:drinks", None),
        *(disk.map_catalog(PIZZERIA, f"cat:{n}.x", f"catalog-{n}") for n in range(9)),
        rows.update_one({"subDomain": PIZZERIA}, {"$set": {"fbCatalogMapping.theirs": "c-9"}}),
    )
    wanted = {f"cat:{n}.x": f"catalog-{n}" for n in range(9)} | {"theirs": "c-9"}
    assert (await disk.by_tenant(PIZZERIA)).catalog_mapping == wanted


async def test_a_catalogue_of_nobody_is_not_mapped(disk):
    with pytest.raises(EngineError, match="'nobody' is not in the database"):
        await disk.map_catalog(TenantId("nobody"), "cat:pizza", "catalog-1")


async def test_the_tenants_of_a_portfolio(businesses):
    assert set(await businesses.tenants_of_business("fb-1")) == {PIZZERIA, BAKERY}
    assert await businesses.tenants_of_business("fb-3") == ()
    assert await businesses.tenants_of_business("") == ()
