"""A database as the doctor sees it, before it is prepared and after."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from engine.clock import SystemClock
from engine.domain.ids import TenantId
from engine.errors import EngineError, Unavailable
from engine.storage.connection import Database
from engine.storage.documents import BusinessDocument, CartDocument, ProductDocument
from engine.storage.inspection import (
    business_row,
    index_faults,
    is_shared,
    is_ttl_running,
    members,
    overdue,
    server_facts,
    spellings,
)
from engine.storage.records import DOCUMENTS, InboxDocument

# Databases are away in one of them.
pytestmark = [
    pytest.mark.usefixtures("forgotten_sockets"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SHOP = TenantId("la-tavola")


@pytest.fixture
async def bare(mongodb_uri):
    """A database that nobody has prepared."""
    made = Database(mongodb_uri, name=f"comanda_bare_{os.getpid()}", answer_within=900)
    await made.connect()
    yield made
    await made.client.drop_database(made.name)
    await made.close()


async def test_connecting_prepares_nothing(bare):
    faults = await index_faults(bare)
    declared = sum(len(document.Settings.indexes) for document in DOCUMENTS)
    assert len(faults) == declared
    assert {fault.kind for fault in faults} == {"missing"}
    assert await bare.client[bare.name].list_collection_names() == []

    await bare.prepare()
    assert await index_faults(bare) == ()


async def test_indexes_that_are_otherwise(bare):
    await bare.prepare()
    rows = bare.collection(InboxDocument)
    await rows.drop_index("state_1_slot_1_due_1")
    keys = [("state", 1), ("slot", 1), ("due", 1)]
    await rows.create_index(keys, partialFilterExpression={"state": "done"})
    await rows.create_index("unheardOf")
    (fault,) = await index_faults(bare)
    assert (fault.collection, fault.name, fault.kind) == (
        "inbox", "state_1_slot_1_due_1", "different",
    )  # fmt: skip


async def test_the_server(database):
    facts = await server_facts(database, SystemClock())
    assert facts.is_replica_set
    assert facts.is_writable
    assert abs(facts.skew) <= 0.5 + facts.doubt
    found = await members(database)
    assert found is None or found.healthy >= found.majority
    assert await is_ttl_running(database) in (True, None)


async def test_nobody_there():
    away = Database("mongodb://127.0.0.1:9/", name="x", away_after=0.2)
    with pytest.raises(EngineError, match="not open"):
        await server_facts(away, SystemClock())
    await away.connect()
    try:
        with pytest.raises(Unavailable):
            await server_facts(away, SystemClock())
    finally:
        await away.close()


async def test_what_is_overdue(database):
    now = datetime.now(UTC)
    rows = database.collection(CartDocument)
    cart = {"subDomain": SHOP, "expiresAt": now + timedelta(hours=1)}
    await rows.insert_many([cart | {"sessionId": str(n)} for n in range(3)])
    assert await overdue(database, before=now) == {}
    assert await overdue(database, before=now + timedelta(hours=2)) == {"carts": 3}


async def test_other_spellings(database):
    rows = database.collection(ProductDocument)
    names = ("la-tavola", "La-Tavola", "la_tavola", " latavola", "la-tavola-2", "dona-lucha")
    await rows.insert_many([{"rId": "prod:a", "subDomain": name} for name in (*names, names[1])])
    assert await spellings(database, ProductDocument, SHOP) == {
        "La-Tavola": 2, "la_tavola": 1, " latavola": 1,
    }  # fmt: skip


async def test_businesses(database):
    rows = database.collection(BusinessDocument)
    served = {"whatsappPhoneNumberIds": ["1"], "whatsappEnabled": True, "isActive": True}
    await rows.insert_many([
        served | {"subDomain": SHOP}, served | {"subDomain": "off", "isActive": False},
    ])  # fmt: skip
    assert not await is_shared(database, "1", SHOP)
    await rows.insert_one(served | {"subDomain": "other"})
    assert await is_shared(database, "1", SHOP)
    row = await business_row(database, SHOP)
    assert row is not None
    assert row["subDomain"] == SHOP
    assert await business_row(database, TenantId("nobody")) is None
