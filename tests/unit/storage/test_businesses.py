"""The tenants' documents and their cache."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pymongo.errors import DuplicateKeyError

from engine.clock import ManualClock
from engine.domain.ids import TenantId
from engine.errors import Conflict, EngineError
from engine.ports import Business
from engine.storage.businesses import MongoBusinesses
from engine.storage.documents import BusinessDocument
from engine.storage.secrets import Vault
from tests.unit.storage.builders import BAKERY, NOW, PIZZERIA

ROMA = Business(
    tenant=PIZZERIA,
    name="Pizzeria Roma",
    phone_number_ids=("111", "222"),
    access_token="EAAG-token",
    waba_id="waba-1",
    fb_business_id="fb-1",
    catalog_mapping={"cat:pizza": "catalog_111", "cat:a.b": "catalog_222"},
    flow_mapping={},
    local_id="local-7",
)


@pytest.fixture
def clock():
    return ManualClock(NOW)


@pytest.fixture
def businesses(database, vault, clock):
    return MongoBusinesses(database, vault=vault, clock=clock, ttl=300, size=10)


@pytest.fixture
def rows(database):
    return database.collection(BusinessDocument)


async def test_a_business_survives_the_disk_with_its_token_sealed(businesses, rows):
    await businesses.save(ROMA)
    assert await businesses.by_tenant(PIZZERIA) == ROMA
    assert await businesses.by_phone_number_id("222") == ROMA
    stored = await rows.find_one({})
    assert stored["accessToken"].startswith("v1:")
    assert "EAAG-token" not in str(stored)


async def test_only_served_businesses_are_found_by_number(businesses, rows, clock):
    await businesses.save(ROMA)
    for field in ("isActive", "whatsappEnabled"):
        await rows.update_one({}, {"$set": {field: False}})
        clock.move(timedelta(minutes=6))
        assert await businesses.by_phone_number_id("111") is None
        await rows.update_one({}, {"$set": {field: True}})
    assert await businesses.by_tenant(BAKERY) is None


async def test_saving_again_keeps_what_others_wrote_and_an_unmentioned_token(businesses, rows):
    await businesses.save(ROMA)
    await rows.update_one({}, {"$set": {"isActive": False, "plan": "gold"}})
    await businesses.save(replace(ROMA, name="Roma", access_token="", waba_id=None))
    stored = await rows.find_one({})
    assert (stored["isActive"], stored["plan"], stored["name"]) == (False, "gold", "Roma")
    assert await businesses.by_tenant(PIZZERIA) == replace(ROMA, name="Roma", waba_id=None)


async def test_a_business_is_read_once_until_its_time_is_up(businesses, rows, clock):
    await businesses.save(ROMA)
    await businesses.by_phone_number_id("111")
    await rows.update_one({}, {"$set": {"name": "Changed elsewhere"}})
    clock.move(timedelta(seconds=299))
    assert (await businesses.by_phone_number_id("111")).name == "Pizzeria Roma"
    clock.move(timedelta(seconds=1))
    assert (await businesses.by_phone_number_id("111")).name == "Changed elsewhere"


async def test_a_saved_business_is_seen_at_once(businesses):
    await businesses.save(ROMA)
    await businesses.by_tenant(PIZZERIA)
    await businesses.by_phone_number_id("111")
    assert await businesses.by_phone_number_id("333") is None
    await businesses.save(replace(ROMA, name="Roma", phone_number_ids=("333",)))
    assert (await businesses.by_tenant(PIZZERIA)).name == "Roma"
    assert await businesses.by_phone_number_id("111") is None
    assert (await businesses.by_phone_number_id("333")).name == "Roma"


async def test_an_unknown_number_is_unknown_for_a_short_time_only(businesses, rows, clock):
    assert await businesses.by_phone_number_id("111") is None
    await rows.insert_one(
        {
            "subDomain": PIZZERIA,
            "whatsappPhoneNumberIds": ["111"],
            "whatsappEnabled": True,
            "isActive": True,
        }
    )
    assert await businesses.by_phone_number_id("111") is None
    clock.move(timedelta(seconds=15))
    found = await businesses.by_phone_number_id("111")
    assert found == Business(tenant=PIZZERIA, name=PIZZERIA, phone_number_ids=("111",))


async def test_two_processes_that_create_a_business_at_once_are_a_conflict(
    businesses, monkeypatch
):
    async def taken(self, *args, **options):
        raise DuplicateKeyError("E11000")

    monkeypatch.setattr(type(businesses._rows), "update_one", taken)
    with pytest.raises(Conflict, match="pizzeria was created elsewhere"):
        await businesses.save(ROMA)


async def test_what_was_read_before_a_save_is_not_believed_after_it(businesses, monkeypatch):
    await businesses.save(ROMA)
    find_one = type(businesses._rows).find_one

    async def slow_find_one(self, *args):
        found = await find_one(self, *args)
        monkeypatch.undo()
        await businesses.save(replace(ROMA, name="Roma"))
        return found

    monkeypatch.setattr(type(businesses._rows), "find_one", slow_find_one)
    assert (await businesses.by_tenant(PIZZERIA)).name == "Pizzeria Roma"
    assert (await businesses.by_tenant(PIZZERIA)).name == "Roma"


async def test_a_warm_cache_needs_no_query(businesses, rows):
    await businesses.save(ROMA)
    await businesses.save(Business(TenantId("idle"), "Idle", ("999",)))
    await rows.update_one({"subDomain": "idle"}, {"$set": {"isActive": False}})
    assert await businesses.warm_up() == 1
    await rows.delete_many({})
    assert await businesses.by_phone_number_id("111") == ROMA
    assert await businesses.by_phone_number_id("222") == ROMA


async def test_another_secret_is_a_clear_error_without_the_token(businesses, database, clock):
    await businesses.save(ROMA)
    other = MongoBusinesses(database, vault=Vault("another"), clock=clock)
    with pytest.raises(EngineError, match="ENCRYPTION_SECRET") as caught:
        await other.by_phone_number_id("111")
    assert "EAAG" not in str(caught.value)
