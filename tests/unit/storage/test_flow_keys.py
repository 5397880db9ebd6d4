"""The tenants' keys for Flow exchanges, their seal and their cache."""

import asyncio
from datetime import timedelta

import pytest

from engine.clock import ManualClock
from engine.errors import EngineError
from engine.storage.flow_keys import MongoFlowKeys
from engine.storage.meta_records import FlowKeyDocument
from engine.storage.secrets import Vault
from engine.whatsapp.flow_crypto import FlowKey
from tests.memory import MemoryFlowKeys
from tests.unit.storage.builders import BAKERY, NOW, PIZZERIA

MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def key():
    return FlowKey.generate()


@pytest.fixture(scope="module")
def other():
    return FlowKey.generate()


@pytest.fixture
def clock():
    return ManualClock(NOW)


@pytest.fixture
def process(database, vault, clock):
    """Give the keys as a process of its own sees them."""

    def start(default=None, **options):
        return MongoFlowKeys(database, vault=vault, clock=clock, default=default, **options)

    return start


@pytest.fixture
def rows(database):
    return database.collection(FlowKeyDocument)


async def test_a_key_survives_the_disk_sealed(process, rows, key, vault):
    await process().save(PIZZERIA, key)
    found = await process().get(PIZZERIA)
    assert found.private_pem == key.private_pem
    stored = await rows.find_one({})
    sealed = stored.pop("privateKey")
    assert vault.open(sealed) == key.private_pem
    assert "PRIVATE" not in sealed
    assert stored == {
        "_id": PIZZERIA,
        "publicKey": key.public_pem,
        "fingerprint": key.fingerprint,
        "createdAt": NOW,
    }


async def test_each_tenant_has_its_own_key(process, key, other):
    keys = process()
    await keys.save(PIZZERIA, key)
    await keys.save(BAKERY, other)
    for again in (keys, process()):
        assert (await again.get(PIZZERIA)).fingerprint == key.fingerprint
        assert (await again.get(BAKERY)).fingerprint == other.fingerprint


async def test_a_key_is_parsed_once_however_many_ask_and_however_often(process, clock, key):
    await process().save(PIZZERIA, key)
    keys = process()
    first, *others = await asyncio.gather(*(keys.get(PIZZERIA) for _ in range(20)))
    for _ in range(3):
        clock.move(6 * MINUTE)
        others += [await keys.get(PIZZERIA), await keys.renew(PIZZERIA)]
    assert [one for one in others if one is not first] == []


async def test_a_key_that_was_just_saved_is_not_parsed_again(process, key):
    keys = process()
    await keys.save(PIZZERIA, key)
    assert await keys.get(PIZZERIA) is key


async def test_a_key_is_believed_until_its_time_is_up(process, clock, key, other):
    ours, theirs = process(), process()
    await ours.save(PIZZERIA, key)
    await ours.get(PIZZERIA)
    await theirs.save(PIZZERIA, other)
    clock.move(timedelta(seconds=299))
    assert await ours.get(PIZZERIA) is key
    clock.move(timedelta(seconds=1))
    assert (await ours.get(PIZZERIA)).fingerprint == other.fingerprint


async def test_a_key_that_another_process_replaced_is_seen_when_renewed(process, key, other):
    ours, theirs = process(), process()
    await ours.save(PIZZERIA, key)
    await ours.get(PIZZERIA)
    await theirs.save(PIZZERIA, other)
    renewed = await ours.renew(PIZZERIA)
    assert renewed.fingerprint == other.fingerprint
    assert await ours.get(PIZZERIA) is renewed


async def test_a_key_is_replaced_at_once_where_it_is_saved(process, key, other):
    keys = process()
    await keys.save(PIZZERIA, key)
    await keys.get(PIZZERIA)
    await keys.save(PIZZERIA, other)
    assert await keys.get(PIZZERIA) is other
    await asyncio.gather(*(keys.save(PIZZERIA, each) for each in (key, other, key)))
    assert await keys.get(PIZZERIA) is await keys.renew(PIZZERIA)


async def test_without_a_key_of_its_own_a_tenant_has_the_one_for_all(process, rows, key, other):
    ours, theirs = process(key), process()
    assert await ours.get(PIZZERIA) is key
    assert await theirs.get(PIZZERIA) is None
    await process().save(PIZZERIA, other)
    # That there is none is believed too.
    assert await ours.get(PIZZERIA) is key
    assert await theirs.get(PIZZERIA) is None
    for keys in (ours, theirs):
        assert (await keys.renew(PIZZERIA)).fingerprint == other.fingerprint
        assert (await keys.get(PIZZERIA)).fingerprint == other.fingerprint
    await rows.delete_many({})
    assert await ours.renew(PIZZERIA) is key
    assert await theirs.renew(PIZZERIA) is None


async def test_no_more_keys_are_kept_than_allowed(process, key, other):
    keys = process(size=1)
    await keys.save(PIZZERIA, key)
    await keys.save(BAKERY, other)
    assert await keys.get(BAKERY) is other
    again = await keys.get(PIZZERIA)
    assert again is not key
    assert again.fingerprint == key.fingerprint


async def test_another_secret_is_a_clear_error_without_the_key(process, database, clock, key):
    await process().save(PIZZERIA, key)
    keys = MongoFlowKeys(database, vault=Vault("another"), clock=clock, default=key)
    for ask in (keys.get, keys.get, keys.renew):
        with pytest.raises(EngineError, match=r"'pizzeria'.*ENCRYPTION_SECRET") as caught:
            await ask(PIZZERIA)
        assert "PRIVATE" not in str(caught.value)


async def test_what_is_no_key_is_a_clear_error(process, rows, vault):
    await rows.insert_one({"_id": PIZZERIA, "privateKey": vault.seal("nonsense")})
    with pytest.raises(EngineError, match="the Flow key of 'pizzeria' cannot be used") as caught:
        await process().get(PIZZERIA)
    assert "nonsense" not in str(caught.value)


async def test_the_keys_in_memory_do_the_same(key, other):
    keys = MemoryFlowKeys(default=key)
    assert await keys.get(PIZZERIA) is key
    await keys.save(PIZZERIA, other)
    assert await keys.get(PIZZERIA) is other
    assert await keys.renew(BAKERY) is key
