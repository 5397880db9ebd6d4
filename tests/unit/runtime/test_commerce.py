"""What Meta says of catalogues, orders and templates; nothing a stranger sends breaks it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from engine.clock import ManualClock
from engine.domain.ids import TenantId
from engine.domain.order import OrderStatus
from engine.errors import Conflict, TurnError, Unavailable
from engine.metrics import REGISTRY
from engine.runtime.commerce import OBJECTS, STATUSES, TEMPLATES, Commerce
from engine.whatsapp.inbound import OtherChange, parse_webhook
from tests.unit.whatsapp.strangers import any_json, any_text

NOON = datetime(2030, 6, 14, 12, tzinfo=UTC)
SHOP, OTHER, BROKEN = TenantId("shop"), TenantId("other"), TenantId("broken")
ITEM, ORDER, CATALOG = "product_item_update", "commerce_order_update", "catalog_update"
AWAY = Unavailable("the database does not answer")


class News:
    """Knows one catalogue and one batch; notes what it is told."""

    def __init__(self):
        self.batches: list[tuple[str, str]] = []
        self.items: list[tuple[TenantId, tuple[str, ...]]] = []
        self.catalogs: list[TenantId] = []
        self.asked: list[str] = []
        self.error: Exception | None = None

    async def batch_finished(self, catalog_id, handle):
        if self.error:
            raise self.error
        self.batches.append((catalog_id, handle))
        return (catalog_id, handle) == ("cat-1", "h1")

    async def items_changed(self, tenant, items):
        self.items.append((tenant, tuple(items)))

    async def catalog_changed(self, tenant):
        self.catalogs.append(tenant)

    async def tenant_of(self, catalog_id):
        if self.error:
            raise self.error
        self.asked.append(catalog_id)
        return SHOP if catalog_id == "cat-1" else None


class Businesses:
    """`waba-1` is of two shops, as is `fb-1`."""

    async def tenants_of(self, waba_id):
        return (SHOP, OTHER) if waba_id == "waba-1" else ()

    async def tenants_of_business(self, fb_business_id):
        return {"fb-1": (SHOP, OTHER), "fb-2": (BROKEN, OTHER)}.get(fb_business_id, ())


class Orders:
    """A tenant's store, as far as its orders move."""

    def __init__(self, *numbers):
        self.numbers = set(numbers)
        self.asked: list[str] = []
        self.moved: list[tuple[str, OrderStatus, datetime]] = []
        self.error: Exception | None = None

    async def move_order(self, number, status, *, at):
        assert isinstance(number, str)
        assert isinstance(status, OrderStatus)
        self.asked.append(number)
        if self.error:
            raise self.error
        if number not in self.numbers:
            return None
        if any(moved[:2] == (number, status) for moved in self.moved):
            return False
        self.moved.append((number, status, at))
        return True


class Desk:
    """What hears Meta, and what it writes to."""

    def __init__(self):
        self.news = News()
        self.orders = {SHOP: Orders("K7M2QX", "0012"), OTHER: Orders("ZZZZZZ")}
        parts: dict[str, Any] = {"businesses": Businesses(), "stores": self._store}
        self.commerce = Commerce(news=self.news, clock=ManualClock(NOON), **parts)

    def _store(self, tenant):
        if tenant not in self.orders:
            raise TurnError("the tenant has no bundle")
        return self.orders[tenant]

    async def hear(self, *values, field=ITEM, entry="cat-1", of="commerce_account"):
        await self.commerce.take([OtherChange(field, entry, value, 1, of) for value in values])

    def written(self) -> Any:
        moved = [orders.moved for orders in self.orders.values()]
        return self.news.items, self.news.catalogs, moved


@pytest.fixture
def desk():
    return Desk()


def counted(kind, outcome):
    labels = {"kind": kind, "outcome": outcome}
    return REGISTRY.get_sample_value("comanda_catalog_webhooks_total", labels) or 0


class Counting:
    """How often something was counted in a block."""

    def __init__(self, kind, outcome):
        self.labels = kind, outcome

    def __enter__(self):
        self.before = counted(*self.labels)
        return self

    def __exit__(self, *_):
        self.times = counted(*self.labels) - self.before


# Batches and feeds ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ({"catalog_id": "cat-1", "handle": "h1", "status": "Finished"}, "taken"),
        ({"handle": "h1"}, "taken"),  # the entry is the catalogue
        ({"catalog_id": "cat-1", "handle": "h9", "status": "Finished"}, "unknown"),
        ({"catalog_id": "cat-9", "handle": "h1"}, "unknown"),
        ({"catalog_id": "cat-1"}, "malformed"),
        ({"handle": ["h1"]}, "malformed"),
        ({"handle": 1}, "malformed"),
        ({}, "malformed"),
    ],
)
async def test_a_batch_that_is_through(desk, value, outcome):
    with Counting("items_batch", outcome) as seen:
        await desk.hear(value, field="items_batch", of="catalog")
    assert seen.times == 1
    assert len(desk.news.batches) == (outcome != "malformed")


async def test_a_batch_told_of_twice_is_looked_for_once(desk):
    value = {"catalog_id": "cat-1", "handle": "h1"}
    await desk.hear(value, value, field="items_batch", of="catalog")
    assert desk.news.batches == [("cat-1", "h1")]


async def test_a_feed_is_counted(desk):
    value = {"catalog_id": "cat-1", "product_feed_id": "9", "status": "Finished"}
    with Counting("product_feed", "noted") as seen:
        await desk.hear(value, {}, field="product_feed", of="catalog")
    assert seen.times == 2
    assert desk.written() == ([], [], [[], []])


# Items and catalogues ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "more", "tenants"),
    [
        ("cat-1", {}, [SHOP]),
        ("odd", {"catalog_id": "cat-1"}, [SHOP]),
        ("waba-1", {"catalog_id": "cat-1"}, [SHOP]),
        ("waba-1", {"catalog_id": "cat-9"}, [SHOP, OTHER]),
        ("waba-1", {}, [SHOP, OTHER]),
        ("fb-1", {"catalog_id": ["cat-1"]}, [SHOP, OTHER]),
        ("nobody", {}, []),
        ("", {}, []),
    ],
)
async def test_an_item_is_compared_for_every_tenant_it_may_be_of(desk, entry, more, tenants):
    value = {"id": "1", "retailer_id": "prod:a|pres:s", "action": "UPDATE", **more}
    with Counting(ITEM, "taken" if tenants else "unknown") as seen:
        await desk.hear(value, entry=entry)
    assert desk.news.items == [(tenant, ("prod:a|pres:s",)) for tenant in tenants]
    assert seen.times == 1


async def test_a_thousand_items_are_handed_on_at_once_and_their_account_is_asked_once(desk):
    values = [{"retailer_id": f"prod:{n % 400}", "action": "UPDATE"} for n in range(1000)]
    await desk.hear(*values)
    ((tenant, items),) = desk.news.items
    assert (tenant, len(items)) == (SHOP, 400)
    assert desk.news.asked == ["cat-1"]


@pytest.mark.parametrize("retailer_id", [None, "", 7, ["prod:a"], {"$ne": ""}, "x" * 5000])
async def test_an_item_without_an_id_is_counted(desk, retailer_id):
    with Counting(ITEM, "malformed") as seen:
        await desk.hear({"retailer_id": retailer_id})
    assert seen.times == 1
    assert desk.written() == ([], [], [[], []])


@pytest.mark.parametrize(
    ("entry", "tenants"), [("cat-1", [SHOP]), ("waba-1", [SHOP, OTHER]), ("nobody", [])]
)
async def test_a_catalogue_is_compared_once(desk, entry, tenants):
    with Counting(CATALOG, "taken" if tenants else "unknown") as seen:
        await desk.hear({}, {"action": "UPDATE"}, field=CATALOG, entry=entry)
    assert desk.news.catalogs == tenants
    assert seen.times == 2


@pytest.mark.parametrize("of", sorted(OBJECTS))
async def test_commerce_may_come_under_any_object_of_ours(desk, of):
    await desk.hear({"retailer_id": "prod:a"}, of=of)
    assert desk.news.items == [(SHOP, ("prod:a",))]


# Orders --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "number", "status"),
    [
        ({"order_number": "K7M2QX", "status": "confirmed"}, "K7M2QX", "confirmed"),
        ({"order_number": "#K7M2QX ", "status": "On the way"}, "K7M2QX", "on_the_way"),
        ({"order_id": "K7M2QX", "state": "IN_PROGRESS"}, "K7M2QX", "preparing"),
        (
            {"id": "4711", "retailer_id": "K7M2QX", "new_status": "COMPLETED"},
            "K7M2QX",
            "delivered",
        ),
        ({"id": "0012", "status": "CANCELLED"}, "0012", "cancelled"),
        ({"id": 4711, "order_number": "0012", "status": "canceled"}, "0012", "cancelled"),
    ],
)
async def test_an_order_is_moved(desk, value, number, status):
    with Counting(ORDER, "moved") as seen:
        await desk.hear(value, field=ORDER)
    assert desk.orders[SHOP].moved == [(number, status, NOON)]
    assert seen.times == 1


async def test_the_tenant_of_an_order_is_found(desk):
    await desk.hear({"id": "ZZZZZZ", "status": "ready"}, field=ORDER, entry="waba-1")
    assert desk.orders[SHOP].asked == ["ZZZZZZ"]
    assert desk.orders[OTHER].moved == [("ZZZZZZ", "ready", NOON)]


async def test_an_order_of_a_shop_that_is_not_meant_stays(desk):
    with Counting(ORDER, "unknown") as seen:
        await desk.hear({"id": "ZZZZZZ", "status": "ready"}, field=ORDER, entry="cat-1")
    assert desk.orders[OTHER].asked == []
    assert seen.times == 1


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ({"order_number": "NOSUCH", "status": "ready"}, "unknown"),
        ({"order_number": "K7M2QX", "status": "exploded"}, "malformed"),
        ({"order_number": "K7M2QX"}, "malformed"),
        ({"order_number": "K7M2QX", "status": 3}, "malformed"),
        ({"order_number": {"$gt": ""}, "status": "ready"}, "malformed"),
        ({"order_number": " # ", "status": "ready"}, "malformed"),
        ({"status": "ready"}, "malformed"),
        ({"order_number": "K7M2QX", "status": "CREATED"}, "noted"),
        ({"order_number": "K7M2QX", "status": "pending"}, "noted"),
    ],
)
async def test_an_order_that_cannot_be_moved_is_counted(desk, value, outcome):
    with Counting(ORDER, outcome) as seen:
        await desk.hear(value, field=ORDER)
    assert desk.orders[SHOP].moved == []
    assert seen.times == 1


async def test_an_illegal_move_is_counted_and_a_repetition_is_one(desk):
    with Counting(ORDER, "illegal") as seen:
        for _ in range(2):
            await desk.hear({"id": "K7M2QX", "status": "confirmed"}, field=ORDER)
    assert len(desk.orders[SHOP].moved) == 1
    assert seen.times == 1


async def test_a_tenant_that_cannot_be_served_does_not_stop_the_others(desk):
    await desk.hear({"id": "ZZZZZZ", "status": "ready"}, field=ORDER, entry="fb-2")
    assert desk.orders[OTHER].moved == [("ZZZZZZ", "ready", NOON)]


async def test_an_order_that_cannot_be_read_breaks_nothing(desk):
    desk.orders[SHOP].error = Conflict("somebody else was faster")
    with Counting(ORDER, "unknown") as seen:
        await desk.hear({"id": "K7M2QX", "status": "ready"}, field=ORDER)
    assert seen.times == 1


def test_every_status_has_its_name():
    assert {status.value for status in OrderStatus} <= set(STATUSES)


# Templates and the rest ----------------------------------------------------------------------


@pytest.mark.parametrize("field", sorted(TEMPLATES))
async def test_a_template_is_told_in_one_line(desk, field):
    value = {
        "event": "REJECTED", "message_template_id": 1, "message_template_name": "order_ready",
        "message_template_language": "es_PE", "reason": "INVALID_FORMAT",
        "message_template_element": "Hola Ana, vives en Oak Street 5",
    }  # fmt: skip
    with capture_logs() as logs, Counting("template_update", "noted") as seen:
        await desk.hear(value, field=field, entry="waba-1", of="whatsapp_business_account")
    (line,) = logs
    assert line["tenants"] == (SHOP, OTHER)
    assert (line["template"], line["template_event"]) == ("order_ready", "REJECTED")
    assert (line["reason"], line["language"], line["field"]) == ("INVALID_FORMAT", "es_PE", field)
    assert "Oak Street" not in str(logs)
    assert seen.times == 1


@pytest.mark.parametrize(
    ("of", "field"),
    [("catalog", "colour"), ("page", ITEM), ("page", "feed"), ("user", "x" * 5000), ("", "")],
)
async def test_what_is_unknown_is_counted_under_one_name(desk, of, field):
    with capture_logs() as logs, Counting("other", "noted") as seen:
        await desk.hear({}, {}, field=field, of=of)
    assert seen.times == 2
    (line,) = logs
    assert line["times"] == 2
    assert len(str(line)) < 300
    assert desk.written() == ([], [], [[], []])


async def test_a_thousand_unknown_fields_are_no_thousand_lines(desk):
    with capture_logs() as logs:
        changes = [OtherChange(f"field-{n}", "1", {}, 1, "page") for n in range(1000)]
        await desk.commerce.take(changes)
    assert len(logs) == 10


async def test_nothing_is_no_work(desk):
    await desk.commerce.take([])
    assert desk.news.asked == []


# A database that is away, and strangers ------------------------------------------------------


@pytest.mark.parametrize("field", [ITEM, CATALOG, ORDER, "items_batch", *sorted(TEMPLATES)])
async def test_without_a_database_meta_delivers_again(desk, field):
    desk.news.error = AWAY
    value = {"retailer_id": "K7M2QX", "status": "ready", "handle": "h1"}
    with pytest.raises(Unavailable):
        await desk.hear(value, field=field)


async def test_without_a_database_an_order_is_delivered_again(desk):
    desk.orders[SHOP].error = AWAY
    with pytest.raises(Unavailable):
        await desk.hear({"id": "K7M2QX", "status": "ready"}, field=ORDER)


async def test_a_repetition_writes_the_same(desk):
    values = [{"retailer_id": "prod:a"}, {"retailer_id": "prod:b"}]
    await desk.hear(*values)
    first = list(desk.news.items)
    await desk.hear(*values)
    assert desk.news.items == first * 2


FIELDS = [ITEM, CATALOG, ORDER, "items_batch", "product_feed", *sorted(TEMPLATES)]
NAMES = ["catalog_id", "handle", "retailer_id", "id", "order_number", "status", "event", "reason"]
LIKELY = ["cat-1", "h1", "prod:a", "K7M2QX", "ready", "CREATED", "waba-1", 7]
changes = st.fixed_dictionaries({
    "field": st.sampled_from(FIELDS) | any_text,
    "value": st.dictionaries(
        st.sampled_from(NAMES) | any_text, st.sampled_from(LIKELY) | any_json, max_size=6
    ),
})  # fmt: skip
entries = st.fixed_dictionaries({
    "id": st.sampled_from(["cat-1", "waba-1", "fb-1", "fb-2"]) | any_json,
    "time": any_json,
    "changes": st.lists(changes, max_size=4),
})  # fmt: skip


def json_of(value):
    """Write JSON as a stranger may: half characters escaped, and no NaN."""
    text = json.dumps(value).replace("NaN", "null").replace("-Infinity", "null")
    return text.replace("Infinity", "null").encode()


@settings(max_examples=300, deadline=None)
@given(of=st.sampled_from(sorted(OBJECTS)) | any_text, entry=st.lists(entries, max_size=3))
async def test_nothing_a_stranger_sends_breaks_it(of, entry):
    desk = Desk()
    webhook = parse_webhook(json_of({"object": of, "entry": entry}))
    others = [other for other in webhook.others if other.field != "flows"]
    for _ in range(2):
        await desk.commerce.take(others)
    known = set(FIELDS) | {"other", "template_update"}
    for family in REGISTRY.collect():
        if family.name == "comanda_catalog_webhooks":
            assert {sample.labels["kind"] for sample in family.samples} <= known
