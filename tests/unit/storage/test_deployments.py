"""The tenants' Flows at Meta, on disk and in memory."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.errors import Conflict
from tests.unit.storage.builders import BAKERY, NOW, deployment

SECOND = timedelta(seconds=1)
LATER = NOW + timedelta(hours=1)


async def test_deployments_come_back_as_they_were_by_key(either):
    held = deployment("prod:a.b", "meta-2", held_until=LATER, status="THROTTLED")
    spanish, english = deployment(), deployment("product_customization:en", "meta-3")
    for each in (spanish, held, english):
        await either.deployments.save(each)
    assert await either.deployments.all() == (held, english, spanish)


async def test_a_key_has_one_deployment(either):
    await either.deployments.save(deployment())
    again = deployment(meta_id="meta-2", digest="d2", updated_at=LATER)
    await either.deployments.save(again)
    assert await either.deployments.all() == (again,)


async def test_a_flow_of_meta_has_one_key(either):
    await either.deployments.save(deployment())
    with pytest.raises(Conflict, match="another key"):
        await either.deployments.save(deployment("other:es"))
    assert await either.deployments.all() == (deployment(),)


async def test_two_processes_may_deploy_at_once(store):
    made = [deployment(meta_id=f"meta-{n}") for n in range(8)]
    await asyncio.gather(*(store.deployments.save(each) for each in made))
    (held,) = await store.deployments.all()
    assert held in made


async def test_each_tenant_has_its_own(store, bakery):
    theirs = deployment(tenant=BAKERY)
    await store.deployments.save(deployment())
    await bakery.deployments.save(theirs)
    assert await store.deployments.all() == (deployment(),)
    assert await bakery.deployments.hold("meta-1", status="BLOCKED", until=LATER, at=LATER)
    assert await store.deployments.all() == (deployment(),)
    with pytest.raises(ValueError, match="cannot be written by pizzeria"):
        await store.deployments.save(replace(theirs, digest="d2"))
    assert (await bakery.deployments.all())[0].digest == "d1"


async def test_what_meta_says_of_a_flow_is_noted(either):
    other = deployment("other:es", "meta-2")
    for each in (deployment(), other):
        await either.deployments.save(each)
    deployments = either.deployments
    assert await deployments.hold("meta-1", status="THROTTLED", until=LATER, at=NOW + SECOND)
    held = deployment(status="THROTTLED", held_until=LATER, updated_at=NOW + SECOND)
    assert await deployments.all() == (other, held)
    assert await deployments.hold("meta-1", status="PUBLISHED", until=None, at=LATER)
    assert await deployments.all() == (other, deployment(updated_at=LATER))


async def test_a_flow_that_is_not_known_is_told_and_not_made(either):
    assert not await either.deployments.hold("meta-1", status="BLOCKED", until=None, at=NOW)
    assert await either.deployments.all() == ()


# NOW is a quarter past a full second, and Meta says full seconds.
@pytest.mark.parametrize(
    ("at", "is_noted"),
    [
        (NOW, True),
        (NOW.replace(microsecond=0), True),
        (NOW.replace(microsecond=0) - SECOND / 2, False),
        (NOW.replace(microsecond=0) - SECOND, False),
        (NOW - timedelta(days=1), False),
        (NOW.replace(microsecond=0) + SECOND, True),
    ],
)
async def test_a_status_never_replaces_a_newer_one(either, at, is_noted):
    await either.deployments.save(deployment())
    assert await either.deployments.hold("meta-1", status="BLOCKED", until=None, at=at)
    (held,) = await either.deployments.all()
    assert held == (deployment(status="BLOCKED", updated_at=at) if is_noted else deployment())
