"""What turns were decided from, on disk."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from pymongo.errors import OperationFailure

from engine.box_ports import Said
from engine.domain.catalog import Category
from engine.domain.ids import CategoryId, CustomerKey, ProductId
from engine.errors import Unavailable
from engine.ports import Reading, Recording
from engine.runtime import recording as asked
from engine.storage.connection import reachable
from engine.storage.recordings import (
    AGAIN,
    LARGEST,
    REMEMBERED,
    Readings,
    digests,
    packed,
    unpacked,
)
from engine.storage.records import ReadingDocument
from tests.unit.storage.builders import (
    ANA,
    BAKERY,
    COKE,
    MARGHERITA,
    NOW,
    PIZZERIA,
    cart,
    conversation,
    deployment,
    flow_session,
    menu,
    order,
)

KEPT = timedelta(days=30)
PIZZA = menu().product("prod:margherita")
DIAVOLA = menu().product("prod:diavola")  # three in stock
NAMES = tuple((ProductId(f"prod:{n}"), f"Pizza number {n} with everything") for n in range(9))
WHOLE = Recording(
    conversation=conversation(page=2, address={"text": "Av. Larco 1", "latitude": -12.1}),
    cart=cart(MARGHERITA, COKE),
    drawn=((asked.NUMBER_DRAWN, "K7M2QX"), (asked.TOKEN_DRAWN, "ab" * 16)),
    readings=(
        Reading(asked.CATEGORIES, (), (Category(CategoryId("cat:pizza"), "Pizza", 2),) * 9),
        Reading(asked.PRODUCTS, ("cat:pizza", 200), (PIZZA, DIAVOLA)),
        Reading(asked.PRODUCT, ("prod:diavola",), DIAVOLA),
        Reading(asked.PRODUCT, ("prod:none",), None),
        Reading(asked.NAMES, (), NAMES),
        Reading(asked.LATEST_ORDER, (), order()),
        Reading(asked.ORDER, ("AAAAAA",), None),
        Reading(asked.NATIVE_CATALOG, (), "1002003004"),
        Reading(asked.NATIVE_ITEMS, ("prod:diavola",), {"prod:diavola": ("a|b", "a|c")}),
        Reading(asked.MAPPING, (), {"checkout:en": "77"}),
        Reading(asked.DEPLOYMENTS, (), (deployment(),)),
        Reading(asked.TOKEN, ("ab" * 16,), "ab.1.cd"),
        Reading(asked.SESSION, (), flow_session(2, params={"quantity": 2}, trail=("A", "B"))),
        Reading(asked.SAID, ("wamid.1",), Said("storefront", 3, "menu", 1)),
    ),
    session=flow_session(3, state="done", params={"size": "large", "price": 1.5}),
)


@pytest.fixture
def readings(database):
    return Readings(database, PIZZERIA, retention=KEPT)


async def stored(database):
    rows = await database.collection(ReadingDocument).find({}).to_list()
    return {row["_id"]: row for row in rows}


@pytest.mark.parametrize(
    "recording",
    [
        WHOLE,
        Recording(None, None),
        Recording(conversation(), None, readings=(Reading(asked.SESSION, (), None),)),
        Recording(None, None, readings=(Reading(asked.PRODUCTS, (None, 30), ()),)),
    ],
)
async def test_it_is_read_back_as_it_was(recording, database):
    part = packed(recording)
    rows = database.client[database.name]["scratch"]
    await rows.insert_one({"_id": 1, "recording": part.part})
    held = await rows.find_one({"_id": 1})
    await rows.drop()
    assert unpacked(held["recording"], part.texts, PIZZERIA, ANA) == recording


def test_amounts_are_exact():
    dear = replace(PIZZA, base_price=Decimal("13.333333333333333333"))
    made = packed(Recording(None, None, readings=(Reading(asked.PRODUCT, ("p",), dear),)))
    (reading,) = unpacked(made.part, made.texts, PIZZERIA, ANA).readings
    assert reading.value == dear


def test_nothing_of_a_customer_is_stored_elsewhere():
    kept = str(packed(WHOLE).texts)
    for personal in ("Larco", "51999111222", "ring twice", "K7M2QX", "Ana", "quantity"):
        assert personal not in kept
        assert personal in str(packed(WHOLE).part) or personal == "ring twice"
    assert "ring twice" in str(packed(WHOLE).part)
    assert len(packed(WHOLE).texts) == 5


def test_an_order_does_not_change_what_is_stored_of_its_products():
    def made(units):
        sold = replace(DIAVOLA, stock=units)
        readings = (Reading(asked.PRODUCTS, (None, 9), (PIZZA, sold)),)
        return packed(Recording(None, None, readings=readings))

    assert made(3).texts == made(2).texts
    (before,) = unpacked(made(3).part, made(3).texts, PIZZERIA, ANA).readings
    assert before.value == (PIZZA, DIAVOLA)
    assert digests(made(3).part) == list(made(3).texts)


def test_a_reading_that_is_not_kept_any_more_is_left_out():
    made = packed(WHOLE)
    left = unpacked(made.part, {}, PIZZERIA, ANA).readings
    assert {reading.call for reading in left} >= {asked.TOKEN, asked.LATEST_ORDER}
    assert len(left) == len(WHOLE.readings) - len(made.texts)


def test_a_reading_of_a_later_version_is_left_out():
    part = {"readings": [{"call": "weather", "arguments": [], "text": "1"}]}
    assert unpacked(part, {}, PIZZERIA, CustomerKey("x")).readings == ()


def test_one_that_is_too_large_is_not_recorded():
    long = ((ProductId("p"), "x" * LARGEST),)
    made = packed(Recording(None, None, readings=(Reading(asked.NAMES, (), long),)))
    assert made.texts == {}
    assert unpacked(made.part, {}, PIZZERIA, ANA).readings == ()


def test_one_that_cannot_be_written_is_not_recorded():
    half = ((ProductId("p"), "\ud800" * 200),)
    made = packed(Recording(None, None, readings=(Reading(asked.NAMES, (), half),)))
    assert made.texts == {}
    assert unpacked(made.part, {}, PIZZERIA, ANA).readings == ()


async def test_what_was_written_lately_is_not_written_again(readings, database):
    texts = packed(WHOLE).texts
    await readings.keep(texts, at=NOW)
    written = await stored(database)
    assert {row["text"] for row in written.values()} == set(texts.values())
    assert {row["expireAt"] for row in written.values()} == {NOW + KEPT + 2 * AGAIN}
    await database.collection(ReadingDocument).delete_many({})
    await readings.keep(texts, at=NOW + AGAIN - timedelta(seconds=1))
    assert await stored(database) == {}
    # A day later it is, so that it outlives every log that names it.
    await readings.keep(texts, at=NOW + AGAIN)
    assert {row["expireAt"] for row in (await stored(database)).values()} == {
        NOW + KEPT + 3 * AGAIN
    }


async def test_another_process_writes_the_same_over_it(readings, database):
    texts = packed(WHOLE).texts
    await readings.keep(texts, at=NOW)
    other = Readings(database, PIZZERIA, retention=KEPT)
    await other.keep(texts, at=NOW + timedelta(hours=1))
    assert len(await stored(database)) == len(texts)
    assert await other.find([*texts, "unknown"]) == texts
    assert await other.find([]) == {}


async def test_another_tenant_has_its_own(readings, database):
    await readings.keep(packed(WHOLE).texts, at=NOW)
    bakery = Readings(database, BAKERY, retention=KEPT)
    assert await bakery.find(list(packed(WHOLE).texts)) == {}


async def test_a_process_remembers_so_many_and_no_more(readings):
    for start in range(0, REMEMBERED + 100, 100):
        await readings.keep({f"{n}": "x" for n in range(start, start + 100)}, at=NOW)
    assert len(readings._written) == REMEMBERED
    assert "0" not in readings._written


async def test_a_refused_reading_is_no_turns_trouble(readings, monkeypatch):
    async def refused(*_):
        with reachable():
            raise OperationFailure("too large")

    monkeypatch.setattr(readings, "_write", refused)
    await readings.keep({"a": "x"}, at=NOW)
    assert "a" not in readings._written


async def test_a_database_that_is_away_is_told(readings, monkeypatch):
    async def away(*_):
        raise Unavailable("away")

    monkeypatch.setattr(readings, "_write", away)
    with pytest.raises(Unavailable):
        await readings.keep({"a": "x"}, at=NOW)
