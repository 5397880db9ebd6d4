"""Sealing again what is stored, while others write and read it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from pymongo.errors import AutoReconnect

from engine.clock import ManualClock
from engine.domain.ids import TenantId
from engine.errors import EngineError, Unavailable
from engine.ports import Business
from engine.storage.businesses import MongoBusinesses
from engine.storage.documents import BusinessDocument
from engine.storage.flow_keys import MongoFlowKeys
from engine.storage.meta_records import FlowKeyDocument
from engine.storage.rotation import Rotated, Rotation
from engine.storage.secrets import Vault
from engine.whatsapp.flow_crypto import FlowKey
from tests.unit.storage.builders import BAKERY, NOW, PIZZERIA

OLD, NEW = Vault("old"), Vault("new", "old")
V1 = (
    "v1:gAAAAABrA8l7G7C7tZMdWn-fRGu48if4tuVfVpwJbZ-wYqN7NCkwTY5bk4tCzQcwcH_"
    "SYMFWohYQMNDsvJK1nQROjdF12PyyKg=="
)
"""`EAAG-token` as it was sealed with `one` before keys had names."""


@pytest.fixture
def rows(database):
    return database.collection(BusinessDocument)


@pytest.fixture
def key_rows(database):
    return database.collection(FlowKeyDocument)


@pytest.fixture
def rotate(database):
    """Seal everything again, with the new secret if nothing else is said."""

    async def run(vault=NEW, **options):
        return await Rotation(database, vault, **options).run()

    return run


def business(name, token, **fields):
    return {"subDomain": name, "name": name, "accessToken": token, **fields}


async def texts(rows, field="accessToken"):
    return {row["_id"]: row.get(field) for row in await rows.find({}).to_list()}


async def test_everything_is_sealed_with_the_new_secret_and_nothing_else_changes(
    rotate, rows, key_rows
):
    stored = [
        business("old", OLD.seal("token 1"), plan="gold", _id=1),
        business("new", NEW.seal("token 2"), _id=2),
        business("none", "", _id=3),
        business("null", None, _id=4),
        {"_id": 5, "subDomain": "absent"},
    ]
    await rows.insert_many(stored)
    await key_rows.insert_one({"_id": PIZZERIA, "privateKey": OLD.seal("pem"), "createdAt": NOW})
    assert await rotate() == [
        Rotated("businesses", current=1, resealed=1),
        Rotated("flowKeys", resealed=1),
    ]
    after = await rows.find({}).sort("_id").to_list()
    assert Vault("new").open(after[0].pop("accessToken")) == "token 1"
    assert {**after[0], "accessToken": stored[0]["accessToken"]} == stored[0]
    assert after[1:] == stored[1:]
    (key,) = await key_rows.find({}).to_list()
    assert Vault("new").open(key.pop("privateKey")) == "pem"
    assert key == {"_id": PIZZERIA, "createdAt": NOW}
    everything = after, await key_rows.find({}).to_list()
    assert await rotate(Vault("new")) == [
        Rotated("businesses", current=2),
        Rotated("flowKeys", current=1),
    ]
    assert (await rows.find({}).sort("_id").to_list())[1:] == everything[0][1:]


async def test_the_oldest_form_is_sealed_again_with_the_same_secret(rotate, rows):
    await rows.insert_one(business("old", V1))
    done, _ = await rotate(Vault("one"))
    assert done == Rotated("businesses", resealed=1)
    stored = await rows.find_one({})
    assert Vault("one").is_current(stored["accessToken"])
    assert Vault("one").open(stored["accessToken"]) == "EAAG-token"


async def test_a_dry_run_tells_the_same_and_writes_nothing(rotate, rows, key_rows):
    await rows.insert_many(
        [
            business("old", OLD.seal("token")),
            business("plain", "EAAG"),
            business("lost", Vault("lost").seal("token")),
        ]
    )
    await key_rows.insert_one({"_id": PIZZERIA, "privateKey": OLD.seal("pem")})
    before = await texts(rows), await texts(key_rows, "privateKey")
    for is_sealing_plain in (False, True):
        dry = await rotate(is_dry=True, is_sealing_plain=is_sealing_plain)
        assert (await texts(rows), await texts(key_rows, "privateKey")) == before
    assert await rotate(is_sealing_plain=True) == dry


async def test_what_cannot_be_opened_is_named_and_left_and_stops_nothing(rotate, rows, key_rows):
    damaged = NEW.seal("token")[:-6] + "AAAAA="
    strange = {
        "lost": Vault("lost").seal("token"),
        "damaged": damaged,
        "newer": "v3:token",
        "number": 5,
        "part": {"$gt": ""},
    }
    await rows.insert_many([business(name, text) for name, text in strange.items()])
    await rows.insert_one({"_id": "nameless", "accessToken": "v2:"})
    await rows.insert_one(business("last", OLD.seal("token")))
    await key_rows.insert_one({"_id": BAKERY, "privateKey": Vault("lost").seal("pem")})
    before = await texts(rows)
    done, keys = await rotate(is_sealing_plain=True)
    assert (done.current, done.resealed, done.sealed, done.plain) == (0, 1, [], [])
    assert set(done.unopened) == {*strange, "nameless"}
    assert "another ENCRYPTION_SECRET" in done.unopened["lost"]
    assert done.unopened["damaged"].endswith("it is damaged")
    assert "newer version" in done.unopened["newer"]
    assert done.unopened["number"] == done.unopened["part"] == "it is no text"
    assert list(keys.unopened) == [BAKERY]
    after = await texts(rows)
    changed = [name for name in before if before[name] != after[name]]
    assert [Vault("new").open(after[name]) for name in changed] == ["token"]


async def test_plain_tokens_are_named_and_sealed_only_when_asked(rotate, rows):
    await rows.insert_many([business("plain", "EAAG-token"), business("old", OLD.seal("token"))])
    done, _ = await rotate()
    assert done == Rotated("businesses", resealed=1, plain=["plain"])
    assert (await rows.find_one({"subDomain": "plain"}))["accessToken"] == "EAAG-token"
    done, _ = await rotate(is_sealing_plain=True)
    assert done == Rotated("businesses", current=1, sealed=["plain"])
    sealed = (await rows.find_one({"subDomain": "plain"}))["accessToken"]
    assert Vault("new").open(sealed) == "EAAG-token"
    done, _ = await rotate(is_sealing_plain=True)
    assert done == Rotated("businesses", current=2)


CHANGES = {
    "another token, sealed with the old secret": (
        OLD.seal("newer"),
        "newer",
        Rotated("businesses", resealed=1),
    ),
    "another token, sealed with the new one": (
        NEW.seal("newer"),
        "newer",
        Rotated("businesses", current=1),
    ),
    "the same token, sealed by another rotation": (
        NEW.seal("token"),
        "token",
        Rotated("businesses", current=1),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_what_is_stored_meanwhile_wins_and_is_looked_at_again(
    rotate, rows, monkeypatch, change
):
    text, opened, told = CHANGES[change]
    await rows.insert_one(business("busy", OLD.seal("token")))
    _before_the_next_write(rows, monkeypatch, {"$set": {"accessToken": text}})
    done, _ = await rotate()
    assert done == told
    stored = (await rows.find_one({}))["accessToken"]
    assert Vault("new").open(stored) == opened
    assert told.resealed or stored == text


async def test_a_token_that_is_gone_meanwhile_stays_gone(rotate, rows, monkeypatch):
    await rows.insert_one(business("busy", OLD.seal("token")))
    _before_the_next_write(rows, monkeypatch, {"$unset": {"accessToken": ""}})
    assert (await rotate())[0] == Rotated("businesses")
    assert "accessToken" not in await rows.find_one({})


def _before_the_next_write(rows, monkeypatch, change):
    update_one = type(rows).update_one

    async def late(self, *args, **options):
        monkeypatch.undo()
        await update_one(rows, {}, change)
        return await update_one(self, *args, **options)

    monkeypatch.setattr(type(rows), "update_one", late)


async def test_two_rotations_at_once_seal_everything_once(rotate, rows):
    await rows.insert_many([business(f"t{n}", OLD.seal(f"token {n}")) for n in range(40)])
    both = await asyncio.gather(rotate(), rotate())
    assert sum(done.resealed for done, _ in both) == 40
    assert [done.resealed + done.current for done, _ in both] == [40, 40]
    opened = {Vault("new").open(text) for text in (await texts(rows)).values()}
    assert opened == {f"token {n}" for n in range(40)}


async def test_an_interrupted_rotation_goes_on_where_it_ended(rotate, rows, monkeypatch):
    await rows.insert_many([business(f"t{n}", OLD.seal(f"token {n}")) for n in range(5)])
    update_one, calls = type(rows).update_one, []

    async def breaks(self, *args, **options):
        calls.append(args)
        if len(calls) == 3:
            raise AutoReconnect("gone")
        return await update_one(self, *args, **options)

    monkeypatch.setattr(type(rows), "update_one", breaks)
    with pytest.raises(Unavailable):
        await rotate()
    monkeypatch.undo()
    for text in (await texts(rows)).values():
        NEW.open(text)
    assert (await rotate())[0] == Rotated("businesses", current=2, resealed=3)


async def test_more_than_a_page_is_sealed_again(rotate, rows, monkeypatch):
    monkeypatch.setattr("engine.storage.rotation.PAGE", 2)
    await rows.insert_many([business(f"t{n}", OLD.seal("token")) for n in range(7)])
    assert (await rotate())[0] == Rotated("businesses", resealed=7)


async def test_no_step_of_a_rotation_keeps_a_running_process_from_its_tokens_and_keys(
    database, rotate
):
    """Four kinds of process, with their caches warm, run out and cold, and both rotations."""
    clock, key = ManualClock(NOW), await asyncio.to_thread(FlowKey.generate)
    vaults = [Vault("old"), Vault("old", "new"), Vault("new", "old"), Vault("new")]

    def process(vault):
        return (
            MongoBusinesses(database, vault=vault, clock=clock, ttl=300),
            MongoFlowKeys(database, vault=vault, clock=clock, ttl=300),
        )

    async def all_serve(processes):
        for businesses, keys in processes:
            assert (await businesses.by_tenant(PIZZERIA)).access_token == "EAAG-token"
            assert (await businesses.by_phone_number_id("111")).access_token == "EAAG-token"
            assert (await keys.get(PIZZERIA)).fingerprint == key.fingerprint
            assert (await keys.renew(PIZZERIA)).fingerprint == key.fingerprint

    before, first, second, after = vaults
    roma = Business(PIZZERIA, "Roma", ("111",), access_token="EAAG-token")
    businesses, keys = process(before)
    await businesses.save(roma)
    await keys.save(PIZZERIA, key)
    running = [process(each) for each in (before, first)]
    await all_serve(running)
    # Step 2: some processes have the new secret, and save with it.
    running = [running[1], process(second)]
    await running[1][0].save(roma)
    for _ in range(2):
        await all_serve([*running, process(first), process(second)])
        clock.move(timedelta(seconds=300))
    # Step 3, while all of step 2 run and one is late.
    await rotate(second)
    for _ in range(2):
        await all_serve([*running, process(first), process(second)])
        clock.move(timedelta(seconds=300))
    # Step 4: the old secret is gone.
    await all_serve([*running, process(after)])
    with pytest.raises(EngineError, match="another ENCRYPTION_SECRET"):
        await process(before)[0].by_tenant(PIZZERIA)


async def test_a_token_that_is_replaced_after_a_rotation_is_seen_as_ever(database, rotate):
    clock = ManualClock(NOW)
    ours, theirs = (MongoBusinesses(database, vault=NEW, clock=clock, ttl=300) for _ in range(2))
    roma = Business(TenantId("roma"), "Roma", ("111",), access_token="EAAG-1")
    await MongoBusinesses(database, vault=OLD, clock=clock).save(roma)
    await ours.by_tenant(roma.tenant)
    await rotate()
    await theirs.save(replace(roma, access_token="EAAG-2"))
    assert await ours.by_tenant(roma.tenant) == roma
    clock.move(timedelta(seconds=300))
    assert await ours.by_tenant(roma.tenant) == replace(roma, access_token="EAAG-2")
