"""The tenants' documents and their cache."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pymongo.errors import DuplicateKeyError
from structlog.testing import capture_logs

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
    assert stored["accessToken"].startswith("v2:")
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


@pytest.fixture
def process(database, vault, clock):
    """Give the businesses as a process of its own sees them."""

    def start(**options):
        return MongoBusinesses(database, vault=vault, clock=clock, **options)

    return start


WRITTEN: dict[str, Any] = {
    "a save": lambda theirs, rows: theirs.save(replace(ROMA, name="Roma")),
    "a mapped Flow": lambda theirs, rows: theirs.map_flow(PIZZERIA, "checkout:en", "meta-1"),
    "the Node back end": lambda theirs, rows: rows.update_one({}, {"$set": {"name": "Roma"}}),
}


@pytest.mark.parametrize("how", WRITTEN)
async def test_another_process_sees_a_change_when_its_time_is_up(process, rows, clock, how):
    ours, theirs = process(ttl=300), process(ttl=300)
    await theirs.save(ROMA)
    for each in (ours, theirs):
        await each.by_tenant(PIZZERIA)
        await each.by_phone_number_id("111")
    clock.move(timedelta(seconds=200))
    # Asking does not make it believed for longer.
    await ours.by_phone_number_id("111")
    await WRITTEN[how](theirs, rows)
    changed = await process().by_tenant(PIZZERIA)
    assert changed != ROMA
    if how != "the Node back end":
        assert await theirs.by_tenant(PIZZERIA) == changed
        assert await theirs.by_phone_number_id("111") == changed
    clock.move(timedelta(seconds=99))
    assert await ours.by_tenant(PIZZERIA) == await ours.by_phone_number_id("111") == ROMA
    clock.move(timedelta(seconds=1))
    assert await ours.by_tenant(PIZZERIA) == await ours.by_phone_number_id("222") == changed
    assert await ours.by_phone_number_id("111") == changed


@pytest.mark.parametrize("field", ["isActive", "whatsappEnabled"])
@pytest.mark.parametrize("is_warm", [False, True])
async def test_a_business_that_is_switched_off_is_served_no_longer_than_its_time(
    process, rows, clock, field, is_warm
):
    ours, theirs = process(ttl=300), process(ttl=300)
    await theirs.save(ROMA)
    if is_warm:
        assert await ours.warm_up() == 1
    else:
        await ours.by_phone_number_id("111")
    await rows.update_one({}, {"$set": {field: False}})
    clock.move(timedelta(seconds=299))
    assert await ours.by_phone_number_id("111") == ROMA
    clock.move(timedelta(seconds=1))
    assert await ours.by_phone_number_id("111") is None
    # And switched on again it is not unknown for as long.
    await rows.update_one({}, {"$set": {field: True}})
    clock.move(timedelta(seconds=15))
    assert await ours.by_phone_number_id("111") == ROMA


async def test_a_number_that_moves_is_its_new_owners_at_once_where_it_is_saved(process):
    businesses = process()
    await businesses.save(ROMA)
    assert await businesses.by_phone_number_id("111") == ROMA
    await businesses.save(replace(ROMA, phone_number_ids=("222",)))
    bakery = Business(BAKERY, "Bakery", ("111",))
    await businesses.save(bakery)
    assert (await businesses.by_phone_number_id("111")).tenant == BAKERY
    assert (await businesses.by_phone_number_id("222")).tenant == PIZZERIA


async def test_no_more_businesses_are_kept_than_allowed(process, rows):
    businesses, names = process(size=3), [TenantId(f"t{n}") for n in range(5)]
    for name in names:
        await businesses.save(Business(name, name, ()))
    for name in names:
        await businesses.by_tenant(name)
    # What is asked for is kept, what is not goes first; unknown ones take a place, too.
    await businesses.by_tenant(names[2])
    await businesses.by_tenant(TenantId("nobody"))
    await rows.delete_many({})
    found = [name for name in names[::-2] + names[1::2] if await businesses.by_tenant(name)]
    assert found == [names[4], names[2]]


async def test_without_a_time_nothing_is_believed(process, rows):
    businesses = process(ttl=0)
    assert await businesses.by_tenant(PIZZERIA) is None
    await process().save(ROMA)
    await businesses.warm_up()
    assert await businesses.by_tenant(PIZZERIA) == ROMA
    await rows.delete_many({})
    assert await businesses.by_tenant(PIZZERIA) is None
    assert await businesses.by_phone_number_id("111") is None


async def test_a_warm_cache_is_no_larger_than_allowed_and_ends_like_any(process, rows, clock):
    saved, numbers = process(), [str(n) for n in range(5)]
    for number in numbers:
        await saved.save(Business(TenantId(f"t{number}"), "T", (number,)))
    businesses = process(size=3, ttl=300)
    assert await businesses.warm_up() == 3
    await rows.delete_many({})
    # The unknown ones are looked for last: they would take the places of the others.
    warm = [number for number in numbers[:3] if await businesses.by_phone_number_id(number)]
    assert warm == numbers[:3]
    clock.move(timedelta(seconds=300))
    assert await businesses.by_phone_number_id(numbers[0]) is None


async def test_what_is_saved_during_a_warm_up_is_not_hidden_by_it(process, rows, monkeypatch):
    businesses = process()
    await businesses.save(ROMA)
    roma = replace(ROMA, name="Roma")
    cursor = type(rows.find({}))
    _during_the_next(monkeypatch, cursor, "to_list", lambda: businesses.save(roma))
    assert await businesses.warm_up() == 1
    assert await businesses.by_phone_number_id("111") == roma


@pytest.mark.parametrize("change", ["save", "map_flow"])
async def test_no_change_during_a_read_is_hidden_by_it(process, rows, monkeypatch, change):
    businesses = process()
    await businesses.save(ROMA)
    if change == "save":
        changed = replace(ROMA, name="Roma")
        _during_the_next(monkeypatch, type(rows), "find_one", lambda: businesses.save(changed))
    else:
        changed = replace(ROMA, flow_mapping={"checkout:en": "meta-1"})
        mapping = {"tenant": PIZZERIA, "key": "checkout:en", "meta_id": "meta-1"}
        _during_the_next(
            monkeypatch, type(rows), "find_one", lambda: businesses.map_flow(**mapping)
        )
    assert await businesses.by_phone_number_id("111") == ROMA
    assert await businesses.by_phone_number_id("111") == changed


async def test_a_new_business_is_found_though_its_number_was_just_looked_for(
    process, rows, monkeypatch
):
    businesses = process()
    _during_the_next(monkeypatch, type(rows), "find_one", lambda: businesses.save(ROMA))
    assert await businesses.by_phone_number_id("111") is None
    assert await businesses.by_phone_number_id("111") == ROMA


def _during_the_next(monkeypatch, kind, name, change):
    """Change something after the next reading is done and before its reader has it."""
    read = getattr(kind, name)

    async def slow(self, *args):
        found = await read(self, *args)
        monkeypatch.undo()
        await change()
        return found

    monkeypatch.setattr(kind, name, slow)


async def test_a_business_that_cannot_be_read_does_not_keep_others_from_the_warm_cache(
    businesses, rows
):
    await businesses.save(ROMA)
    plain = {
        "subDomain": "plain",
        "name": "Plain",
        "whatsappPhoneNumberIds": ["1"],
        "accessToken": "not sealed",
    }
    await rows.insert_one({**plain, "whatsappEnabled": True, "isActive": True})
    with capture_logs() as logs:
        assert await businesses.warm_up() == 2
    assert [(line["event"], line["tenant"]) for line in logs] == [
        ("businesses.unreadable", "plain")
    ]
    assert (await businesses.by_tenant(ROMA.tenant)) is not None
