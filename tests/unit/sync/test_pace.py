"""A catalogue is given no more batches than Meta takes, whoever sent them."""

from datetime import timedelta

import pytest

from engine.sync.calls import Taken
from engine.sync.pace import CALLS, MINUTE, NEARLY, NotNow, Pace
from engine.sync.ports import Batch, CatalogKey
from tests.memory_sync import MemoryBatches
from tests.unit.sync.scene import NOON, PIZZERIA

SECOND = timedelta(seconds=1)


async def paced(*ages, catalog_id="c1"):
    """Give the pace after batches that were sent some seconds ago."""
    batches = MemoryBatches()
    for n, age in enumerate(ages):
        at = NOON - age * SECOND
        await batches.add(
            Batch(
                f"b{n}",
                PIZZERIA,
                CatalogKey("*"),
                catalog_id,
                (f"h{n}",),
                1,
                at,
                at,
                finished_at=at,
            )
        )
    return Pace(batches)


async def refused(pace, *, now=NOON):
    with pytest.raises(NotNow) as refusal:
        await pace.want("c1", now=now)
    return refusal.value.at


async def test_a_catalogue_takes_eight_calls_in_any_minute():
    await (await paced(*range(CALLS - 1))).want("c1", now=NOON)
    assert await refused(await paced(*range(10, 10 + CALLS))) == NOON + timedelta(seconds=60 - 17)


async def test_calls_of_more_than_a_minute_ago_do_not_count():
    await (await paced(60, *range(CALLS - 1))).want("c1", now=NOON)


async def test_after_too_many_calls_enough_of_them_must_be_a_minute_old():
    pace = await paced(*range(10, 30))
    at = await refused(pace)
    assert at == NOON + timedelta(seconds=60 - 17)
    await pace.want("c1", now=at)


async def test_calls_of_another_catalogue_do_not_count():
    await (await paced(*range(CALLS), catalog_id="c2")).want("c1", now=NOON)


async def test_meta_may_ask_for_more_time():
    pace = await paced()
    pace.note("c1", Taken(("h",), wait=90), now=NOON)
    assert await refused(pace) == NOON + timedelta(seconds=90)
    await pace.want("c1", now=NOON + timedelta(seconds=90))
    await pace.want("c2", now=NOON)


async def test_calls_are_spread_when_a_limit_is_nearly_used_up():
    pace = await paced()
    pace.note("c1", Taken(("h",), usage=NEARLY - 1), now=NOON)
    await pace.want("c1", now=NOON)
    pace.note("c1", Taken(("h",), usage=NEARLY), now=NOON)
    assert await refused(pace) == NOON + MINUTE / CALLS
