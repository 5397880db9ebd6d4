"""A collection as one tenant sees it."""

import pytest

from engine.storage.documents import ProductDocument
from engine.storage.tenancy import TenantCollection
from tests.unit.storage.builders import BAKERY, PIZZERIA


@pytest.fixture
async def products(database):
    """The pizzeria's products, beside the bakery's with the same ids."""
    rows = database.collection(ProductDocument)
    await rows.insert_many(
        {"subDomain": tenant, "rId": rid, "categoryId": "c"}
        for tenant in (PIZZERIA, BAKERY)
        for rid in ("a", "b")
    )
    return TenantCollection(rows, "subDomain", PIZZERIA)


async def left(database, tenant):
    found = database.collection(ProductDocument).find({"subDomain": tenant}, {"_id": 0})
    return await found.sort("rId", 1).to_list()


async def test_nothing_that_is_asked_reaches_another_tenant(products):
    for wanted in ({}, {"subDomain": BAKERY}, {"subDomain": {"$ne": PIZZERIA}}):
        found = await products.find(wanted).to_list()
        assert [row["subDomain"] for row in found] == [PIZZERIA] * 2
        assert (await products.find_one(wanted))["subDomain"] == PIZZERIA
        assert await products.count_by("categoryId", wanted) == {"c": 2}


async def test_nothing_that_is_written_reaches_another_tenant(products, database):
    before = await left(database, BAKERY)
    async with database.transaction() as session:
        foreign = {"subDomain": BAKERY, "rId": "a"}
        assert await products.update([(foreign, {"$set": {"name": "A"}})], session=session)
        assert await products.replace({"rId": "b"}, {**foreign, "rId": "B"}, session=session)
        assert not await products.replace({"rId": "c"}, foreign, session=session)
        await products.insert([{**foreign, "rId": "d"}], session=session)
        await session.commit_transaction()
    assert [row["rId"] for row in await left(database, PIZZERIA)] == ["B", "a", "d"]
    async with database.transaction() as session:
        assert await products.delete({}, session=session) == 3
        await session.commit_transaction()
    assert await left(database, PIZZERIA) == []
    assert await left(database, BAKERY) == before


async def test_sorting_limit_and_projection(products):
    found = products.find({}, projection={"_id": 0, "rId": 1}, sort=[("rId", -1)], limit=1)
    assert await found.to_list() == [{"rId": "b"}]
