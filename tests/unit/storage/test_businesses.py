"""The tenants' documents and their cache."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

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


async def test_saving_again_keeps_what_others_wrote_and_what_it_does_not_mention(businesses, rows):
    await businesses.save(ROMA)
    await rows.update_one({}, {"$set": {"isActive": False, "plan": "gold"}})
    bare = replace(ROMA, name="Roma", access_token="", waba_id=None, fb_business_id=None)
    await businesses.save(bare)
    stored = await rows.find_one({})
    assert (stored["isActive"], stored["plan"], stored["name"]) == (False, "gold", "Roma")
    kept = replace(bare, access_token=ROMA.access_token, waba_id=ROMA.waba_id)
    assert await businesses.by_tenant(PIZZERIA) == kept
    await businesses.save(replace(bare, waba_id="waba-2"))
    assert (await businesses.by_tenant(PIZZERIA)).waba_id == "waba-2"


async def test_a_business_is_read_once_until_its_time_is_up(businesses, rows, clock):
    await businesses.save(ROMA)
    await businesses.by_phone_number_id("111")
    await rows.update_one({}, {"$set": {"name": "Changed elsewhere"}})
    clock.move(timedelta(seconds=299))
    assert (await businesses.by_phone_number_id("111")).name == "Pizzeria Roma"
    clock.move(timedelta(seconds=1))
    assert (await businesses.by_phone_number_id("111")).name == "Changed elsewhere"


async def test_a_saved_business_is_seen_at_once(businesses):
    assert await businesses.by_tenant(PIZZERIA) is None
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


async def test_the_tenants_of_a_whatsapp_account(businesses):
    await businesses.save(ROMA)
    await businesses.save(Business(BAKERY, "Bakery", ("333",), waba_id="waba-1"))
    await businesses.save(Business(TenantId("cafe"), "Cafe", ("444",), waba_id="waba-2"))
    await businesses.save(Business(TenantId("none"), "None", ("555",)))
    assert set(await businesses.tenants_of("waba-1")) == {PIZZERIA, BAKERY}
    assert await businesses.tenants_of("waba-3") == ()
    assert await businesses.tenants_of("") == ()


MAPPINGS: dict[str, Any] = {
    "no mapping": {},
    "null": {"fbFlowMapping": None},
    "an empty one": {"fbFlowMapping": {}},
    "one with others": {"fbFlowMapping": {"prod:c.d": "meta-8", "$set": "meta-9"}},
}


@pytest.mark.parametrize("key", ["checkout:en", "prod:a.b", "a", "$where", "prod.c", ""])
@pytest.mark.parametrize("before", MAPPINGS)
async def test_one_flow_is_mapped_and_the_others_stay(businesses, rows, before, key):
    await rows.insert_one({"subDomain": BAKERY, "fbFlowMapping": {key: "theirs"}})
    held = {"subDomain": PIZZERIA, "name": "Roma", "plan": "gold", **MAPPINGS[before]}
    await rows.insert_one(held)
    others = MAPPINGS[before].get("fbFlowMapping") or {}
    for meta_id in ("meta-1", "$name"):
        await businesses.map_flow(PIZZERIA, key, meta_id)
        found = await rows.find_one({"subDomain": PIZZERIA})
        assert found == {**held, "fbFlowMapping": {**others, key: meta_id}}
    for _ in range(2):
        await businesses.map_flow(PIZZERIA, key, None)
        found = await rows.find_one({"subDomain": PIZZERIA})
        assert found == {**held, "fbFlowMapping": others}
    assert (await businesses.by_tenant(BAKERY)).flow_mapping == {key: "theirs"}


async def test_flows_that_are_mapped_at_once_are_all_there(businesses, rows):
    await businesses.save(replace(ROMA, flow_mapping={"old:en": "meta-0"}))
    await asyncio.gather(
        businesses.map_flow(PIZZERIA, "old:en", None),
        *(businesses.map_flow(PIZZERIA, f"prod:{n}.x", f"meta-{n}") for n in range(20)),
        # The Node back end writes beside us.
        rows.update_one({"subDomain": PIZZERIA}, {"$set": {"fbFlowMapping.theirs": "meta-99"}}),
    )
    wanted = {f"prod:{n}.x": f"meta-{n}" for n in range(20)} | {"theirs": "meta-99"}
    assert (await businesses.by_tenant(PIZZERIA)).flow_mapping == wanted


async def test_a_mapped_flow_is_seen_at_once(businesses):
    await businesses.save(ROMA)
    await businesses.by_tenant(PIZZERIA)
    await businesses.by_phone_number_id("111")
    await businesses.map_flow(PIZZERIA, "checkout:en", "meta-1")
    mapped = replace(ROMA, flow_mapping={"checkout:en": "meta-1"})
    assert await businesses.by_tenant(PIZZERIA) == mapped
    assert await businesses.by_phone_number_id("111") == mapped


async def test_a_flow_of_nobody_is_not_mapped(businesses, rows):
    with pytest.raises(EngineError, match="'pizzeria' is not in the database"):
        await businesses.map_flow(PIZZERIA, "checkout:en", "meta-1")
    assert await rows.count_documents({}) == 0
