"""A tenant is opened for a round, or it is said what is missing."""

import pytest

from engine.errors import EngineError, Unavailable
from engine.graph.catalogs import GraphCatalogs
from engine.sync.ports import CatalogKey, TenantCatalog
from engine.sync.shops import Shops
from tests.unit.sync.scene import PIZZERIA

KEY = CatalogKey("cat:drinks")


def shops(scene, *, public_url="https://shop.example", settings=None):
    return Shops(
        settings=settings or scene.tenants.get,
        businesses=scene.businesses,
        catalogs=scene.database.catalogs,
        opened=scene.database,
        calls=lambda token: GraphCatalogs(scene.graph, token),
        public_url=public_url,
    )


async def opened(scene, **more):
    return await shops(scene, **more).open(PIZZERIA, still_ours=None)


async def test_a_tenant_is_opened_with_its_token_and_links(scene):
    shop = await opened(scene, public_url="https://shop.example/")
    assert shop.calls.token == f"token of {PIZZERIA}"
    assert shop.links == "https://shop.example/p/la-tavola/"
    assert shop.known == {}


async def test_catalogues_are_known_unless_somebody_mapped_another(scene):
    await scene.database.catalogs.save(TenantCatalog(PIZZERIA, KEY, "1", ""))
    await scene.database.catalogs.save(TenantCatalog(PIZZERIA, CatalogKey("cat:pizza"), "", ""))
    assert (await opened(scene)).known == {KEY: "1"}
    await scene.change_business(catalog_mapping={KEY: "1"})
    assert (await opened(scene)).known == {KEY: "1"}
    await scene.change_business(catalog_mapping={KEY: "2"})
    assert (await opened(scene)).known == {}


async def test_a_tenant_whose_catalogues_are_there_needs_no_portfolio(scene):
    await scene.change_business(fb_business_id=None)
    assert "fbBusinessId is not set" in await opened(scene)
    await scene.change_business(catalog_mapping={KEY: "1"})
    assert not isinstance(await opened(scene), str)
    await scene.change_business(catalog_mapping=None)
    await scene.database.catalogs.save(TenantCatalog(PIZZERIA, KEY, "1", ""))
    assert not isinstance(await opened(scene), str)


async def test_what_is_missing_is_told(scene):
    assert "PUBLIC_URL is not set" in await opened(scene, public_url="")
    assert "comanda check" in await opened(scene, settings=lambda tenant: None)
    nobody = await shops(scene, settings=lambda tenant: scene.tenants[PIZZERIA]).open(
        "nobody", still_ours=None
    )
    assert "seed it first" in nobody


@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": "new"},
        {"fb_business_id": "new"},
        {"waba_id": None},
        {"catalog_mapping": {KEY: "new"}},
    ],
)
async def test_the_fingerprint_differs_when_a_person_has_mended_something(scene, changes):
    before = await shops(scene).fingerprint(PIZZERIA)
    assert await shops(scene).fingerprint(PIZZERIA) == before
    await scene.change_business(**changes)
    assert await shops(scene).fingerprint(PIZZERIA) != before


async def test_the_fingerprint_differs_when_the_files_or_the_business_are_there(scene):
    known = shops(scene)
    unserved = shops(scene, settings=lambda tenant: None)
    assert await known.fingerprint(PIZZERIA) != await unserved.fingerprint(PIZZERIA)
    assert await known.fingerprint("nobody") != await known.fingerprint(PIZZERIA)


async def test_only_what_is_not_mapped_is_forgotten(scene):
    pizza = CatalogKey("cat:pizza")
    await scene.database.catalogs.save(
        TenantCatalog(PIZZERIA, KEY, "1", "Drinks", "x", {"a": ("1", "a")})
    )
    await scene.database.catalogs.save(TenantCatalog(PIZZERIA, pizza, "2", "Pizza"))
    await scene.change_business(catalog_mapping={pizza: "2"})
    await shops(scene).forget_unmapped(PIZZERIA)
    assert await scene.database.catalogs.all(PIZZERIA) == (
        TenantCatalog(PIZZERIA, KEY, "", "Drinks"),
        TenantCatalog(PIZZERIA, pizza, "2", "Pizza"),
    )
    await shops(scene).forget_unmapped("nobody")


async def test_an_access_token_that_cannot_be_opened_is_a_reason_to_wait(scene):
    async def sealed(tenant):
        raise EngineError("an access token cannot be opened")

    scene.businesses.by_tenant = sealed
    await scene.sync.reports.start(PIZZERIA, is_full=False)
    await scene.round()
    report = await scene.sync.reports.report(PIZZERIA)
    assert (report.status, report.reason) == ("blocked", "an access token cannot be opened")


async def test_a_database_that_is_away_is_no_reason_of_a_tenants(scene):
    async def away(tenant):
        raise Unavailable("the database does not answer")

    scene.businesses.by_tenant = away
    with pytest.raises(Unavailable):
        await scene.round()
