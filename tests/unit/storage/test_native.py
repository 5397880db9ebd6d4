"""What customers see in WhatsApp's own catalogue, as the sync left it."""

from engine.domain.ids import ProductId
from engine.sync.ports import CatalogKey
from tests.unit.storage.builders import BAKERY, PIZZERIA
from tests.unit.storage.sync_builders import catalogue, item

A, B, C = (ProductId(f"prod:{n}") for n in "abc")


async def test_the_catalogue_is_the_one_that_is_connected(store, mongo_sync):
    catalogs = mongo_sync.catalogs
    assert await store.native.catalog_id() is None
    await catalogs.save(catalogue(key=CatalogKey("cat:a"), catalog_id="other", connection="f1"))
    await catalogs.save(catalogue(tenant=BAKERY, catalog_id="theirs", connection="f1"))
    await catalogs.save(catalogue())
    assert await store.native.catalog_id() is None
    await catalogs.save(catalogue(catalog_id="", connection="f1"))
    assert await store.native.catalog_id() is None
    await catalogs.save(catalogue(connection="f1"))
    assert await store.native.catalog_id() == "catalog-1"


async def test_the_items_are_those_meta_has_taken(store, mongo_sync):
    await mongo_sync.states(PIZZERIA).put(
        [
            item("prod:a", "prod:a|small", status="synced"),
            item("prod:a", "prod:a|large", status="synced"),
            item("prod:a", "prod:a|huge", status="sent"),
            item("prod:b", status="failed"),
            item("prod:c", status="synced", catalog=CatalogKey("cat:a")),
        ]
    )
    await mongo_sync.states(BAKERY).put([item("prod:b", status="synced")])
    items = await store.native.items([C, B, A, ProductId("prod:none")])
    assert items == {A: ("prod:a|large", "prod:a|small")}
    assert await store.native.items([]) == {}


async def test_the_one_in_memory_shows_what_a_test_puts_there(memory):
    assert await memory.native.catalog_id() is None
    memory.shown.connected = "catalog-1"
    memory.shown.held[A] = ("prod:a",)
    assert await memory.native.catalog_id() == "catalog-1"
    assert await memory.native.items([A, B]) == {A: ("prod:a",)}
