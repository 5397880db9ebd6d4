"""Products written to MongoDB are at Meta soon, nobody asked: the database over a socket, Meta's
stand-in over HTTP.
"""

import asyncio
import os
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import orjson
import pytest

from engine.app import Engine
from engine.clock import ManualClock, SeededIds
from engine.dialogs import Stage
from engine.playground import Playground, playground
from engine.sandbox import SandboxOptions
from engine.settings import read_settings
from engine.storage.documents import OrderDocument
from engine.storage.sync_records import SyncStateDocument
from tests.e2e.sync_scene import (
    PIZZERIA,
    TAQUERIA,
    Shop,
    eventually,
    opened_shop,
    own_database,
    product_row,
    settings_of,
)
from tests.e2e.test_webhook import counted, signature

ADMIN_TOKEN = "the operator's token"
BEARER = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
FRIDAY_EVENING = datetime(2030, 6, 15, 1, 0, tzinfo=UTC)
"""In Lima, where Doña Lucha is open then."""


@dataclass
class Market:
    """Two shops that are synced, and a client of the engine that does it."""

    ground: Playground
    http: httpx.AsyncClient
    pizzeria: Shop
    taqueria: Shop

    async def tell(self, object_type, field, *, entry="1", **value):
        """Post a webhook about something, as Meta would."""
        changes = [{"field": field, "value": value}]
        body = orjson.dumps({"object": object_type, "entry": [{"id": entry, "changes": changes}]})
        return await self.post(body, signature(self.ground, body))

    async def post(self, body, signed):
        headers = {"X-Hub-Signature-256": signed}
        return await self.http.post("/meta/webhook", content=body, headers=headers)

    async def sync(self, shop, *, method="POST", headers=BEARER, **query):
        path = f"/meta/catalog/sync/{shop}"
        return await self.http.request(method, path, params=query, headers=headers, timeout=60)

    async def told(self, kind, outcome):
        """Count what Meta told."""
        name = f'comanda_catalog_webhooks_total{{kind="{kind}",outcome="{outcome}"}}'
        return await counted(self.ground, name)


@pytest.fixture(scope="module")
async def market(mongodb_uri, open_database):
    name = f"comanda_sync_{os.getpid()}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADMIN_TOKEN", ADMIN_TOKEN)
        async with (
            playground(
                mongodb_uri=mongodb_uri,
                database_name=name,
                options=SandboxOptions(batch_delay=0.02),
                catalog_sync=True,
            ) as ground,
            httpx.AsyncClient(base_url=ground.engine_url) as http,
        ):
            shops = [
                Shop(
                    tenant, settings_of(tenant), ground.engine.database, ground.sandbox,
                    public_url=ground.engine_url,
                )
                for tenant in (PIZZERIA, TAQUERIA)
            ]  # fmt: skip
            for shop in shops:
                await shop.until_right(seconds=30)
            yield Market(ground, http, *shops)
    await open_database.client.drop_database(name)


async def test_what_changes_in_the_database_is_at_meta_within_seconds(market, record_property):
    shop, category = market.pizzeria, "cat:news"
    rids = [f"prod:{n}" for n in ("priced", "named", "sold-out", "inactive", "deleted", "sized")]
    await shop.size("pres:large", "prod:sized", 20.0)
    await shop.size("pres:small", "prod:sized", 10.0)
    rows = [product_row(PIZZERIA, rid, category=category) for rid in rids]
    rows[-1]["presentations"] = ["pres:small", "pres:large"]

    def written(item, field=None):
        async def look():
            found = (await shop.items()).get(f"{category} {item}")
            return found if found is None or field is None else found[field]

        return look

    took: dict[str, float] = {}

    async def seen(what, look, value):
        async def is_so():
            return (await look()) == value

        await eventually(is_so)
        took[what] = time.monotonic() - begin

    begin = time.monotonic()
    await shop.sell(*rows)
    await asyncio.gather(
        *(seen(f"{rid} created", written(rid, "id"), rid) for rid in rids[:-1]),
        seen("sizes created", written("prod:sized|pres:large", "price"), "20.00 USD"),
    )
    begin = time.monotonic()
    await shop.change("prod:priced", basePrice=13.75)
    await shop.change("prod:named", name="Another Name")
    await shop.change("prod:sold-out", isAvailable=False)
    await shop.change("prod:inactive", isActive=False)
    await shop.products.delete_one({"rId": "prod:deleted", "subDomain": PIZZERIA})
    large = {"rId": "pres:large", "subDomain": PIZZERIA}
    await shop.presentations.update_one(large, {"$set": {"price": 22.5}})
    await asyncio.gather(
        seen("price", written("prod:priced", "price"), "13.75 USD"),
        seen("name", written("prod:named", "title"), "Another Name"),
        seen("availability", written("prod:sold-out", "availability"), "out of stock"),
        seen("inactive", written("prod:inactive"), None),
        seen("deleted", written("prod:deleted"), None),
        seen("price of a size", written("prod:sized|pres:large", "price"), "22.50 USD"),
    )
    record_property("seconds", took)
    assert await shop.wrong() == {}
    # The worker has nothing left to do of it.
    await eventually(_none_waiting(shop))


def _none_waiting(shop):
    async def look():
        return await shop.marks.count_documents({"tenant": shop.tenant}) == 0

    return look


async def test_equal_ids_of_two_tenants_never_mix(market):
    one, other = market.pizzeria, market.taqueria
    for shop, price in ((one, 11.0), (other, 44.0)):
        name = f"Of {shop.tenant}"
        await shop.size("pres:same", "prod:same-sized", price + 1)
        await shop.sell(
            product_row(shop.tenant, "prod:same", category="cat:same", price=price, name=name),
            product_row(
                shop.tenant, "prod:same-sized", category="cat:same", name=name,
                presentations=["pres:same"],
            ),
        )  # fmt: skip
    await one.until_right()
    await other.until_right()
    assert (await one.items())["cat:same prod:same"]["price"] == "11.00 USD"
    assert (await other.items())["* prod:same"]["price"] == "44.00 PEN"
    before = (await other.items())["* prod:same-sized|pres:same"]
    # By the tenant, as the Node back end writes: the other's documents have the same ids.
    await one.change("prod:same", basePrice=12.0)
    mine = {"rId": "pres:same", "subDomain": PIZZERIA}
    await one.presentations.update_one(mine, {"$set": {"price": 99.0}})
    await other.products.delete_one({"rId": "prod:same", "subDomain": TAQUERIA})
    await one.until_right()
    await other.until_right()
    ours, theirs = await one.items(), await other.items()
    assert ours["cat:same prod:same"]["price"] == "12.00 USD"
    assert ours["cat:same prod:same-sized|pres:same"]["price"] == "99.00 USD"
    assert "* prod:same" not in theirs
    assert theirs["* prod:same-sized|pres:same"] == before
    assert {fields["brand"] for fields in ours.values()} == {one.settings.name}
    assert {fields["brand"] for fields in theirs.values()} == {other.settings.name}


@asynccontextmanager
async def holding(shop):
    """Let Meta hold what it is given while the block runs."""
    await shop.meta.post("/sandbox/batches", json={"hold": True})
    try:
        yield
    finally:
        await shop.meta.post("/sandbox/batches", json={"hold": False})
        for catalog in await shop.catalogs():
            await shop.meta.post(f"/sandbox/catalogs/{catalog['id']}/release")


async def test_the_webhook_of_a_batch_closes_it_at_once(market):
    shop = market.pizzeria
    later = datetime.now(UTC) + timedelta(hours=1)
    async with holding(shop):
        await shop.sell(product_row(PIZZERIA, "prod:told", category="cat:told"))
        unfinished = {"tenant": PIZZERIA, "catalog": "cat:told", "finishedAt": None}
        batch = await eventually(lambda: shop.batches.find_one(unfinished))
        # So that asking by the clock cannot be what closes it.
        await shop.batches.update_one({"_id": batch["_id"]}, {"$set": {"checkAt": later}})
        taken = await market.told("items_batch", "taken")
    finished = {"_id": batch["_id"], "finishedAt": {"$ne": None}}
    await eventually(lambda: shop.batches.find_one(finished))
    assert await market.told("items_batch", "taken") == taken + 1
    states = shop.database.collection(SyncStateDocument)
    state = await states.find_one({"tenant": PIZZERIA, "item": "prod:told"})
    assert state["status"] == "synced"


async def test_an_edit_by_hand_that_meta_tells_of_is_put_right(market):
    shop = market.pizzeria
    await shop.sell(product_row(PIZZERIA, "prod:edited", category="cat:edited", price=9.5))
    await shop.until_right()
    await eventually(lambda: settled(shop, "prod:edited"))
    catalog_id = (await shop.mapping())["cat:edited"]
    await shop.edit("cat:edited", "prod:edited", price="1.00 USD", title="Cheap")
    answer = await market.tell(
        "commerce_account", "product_item_update",
        catalog_id=catalog_id, retailer_id="prod:edited",
    )  # fmt: skip
    assert answer.status_code == 200
    await shop.until_right()
    found = (await shop.items())["cat:edited prod:edited"]
    assert (found["price"], found["title"]) == ("9.50 USD", "Edited")


async def settled(shop, product):
    states = shop.database.collection(SyncStateDocument)
    found = await states.find({"tenant": shop.tenant, "product": product}).to_list()
    return found and {row["status"] for row in found} == {"synced"}


async def test_an_order_moves_only_as_orders_may(market):
    orders = market.ground.engine.database.collection(OrderDocument)
    await orders.insert_one(
        {
            "orderNumber": "A1B2C3", "subDomain": PIZZERIA, "conversationId": "la-tavola:1",
            "customer": {"name": "Ana"}, "items": [], "subtotal": 0.0, "tax": 0.0,
            "deliveryFee": 0.0, "total": 0.0, "status": "pending", "type": "pickup",
            "paymentMethod": "cash", "paymentMethodId": "cash", "source": "whatsapp",
            "createdAt": datetime.now(UTC), "updatedAt": datetime.now(UTC),
        }
    )  # fmt: skip
    waba = market.pizzeria.settings.waba_id

    async def told(status, number="A1B2C3"):
        answer = await market.tell(
            "commerce_account", "commerce_order_update",
            entry=waba, order_id=number, status=status,
        )  # fmt: skip
        assert answer.status_code == 200
        return (await orders.find_one({"orderNumber": "A1B2C3"}))["status"]

    illegal = await market.told("commerce_order_update", "illegal")
    assert await told("DELIVERED") == "pending"
    assert await market.told("commerce_order_update", "illegal") == illegal + 1
    assert await told("confirmed") == "confirmed"
    assert await told("in_progress") == "preparing"
    assert await told("pending") == "preparing"
    assert await told("cancelled", number="ZZZZZZ") == "preparing"
    assert await market.told("commerce_order_update", "unknown") >= 1


@pytest.mark.parametrize(
    ("object_type", "field"),
    [("catalog", "telepathy"), ("commerce_account", "mood"), ("weather", "items_batch")],
)
async def test_what_nobody_knows_is_200_and_counted(market, object_type, field):
    before = await market.told("other", "noted")
    answer = await market.tell(object_type, field, catalog_id="1", handle="2")
    assert answer.status_code == 200
    assert await market.told("other", "noted") == before + 1


@pytest.mark.parametrize("signed", ["", "sha256=" + "0" * 64])
async def test_a_wrong_signature_is_401_and_nothing_is_marked(market, signed):
    body = orjson.dumps({
        "object": "commerce_account",
        "entry": [{"id": market.pizzeria.settings.waba_id, "changes": [
            {"field": "product_item_update", "value": {"retailer_id": "prod:forged"}},
        ]}],
    })  # fmt: skip
    assert (await market.post(body, signed)).status_code == 401
    assert await market.pizzeria.marks.find_one({"product": "prod:forged"}) is None


async def test_the_subscription_is_verified_with_the_token(market):
    token = market.ground.engine.settings.meta_webhook_verify_token.get_secret_value()
    query = {"hub.mode": "subscribe", "hub.challenge": "42", "hub.verify_token": token}
    answer = await market.http.get("/meta/webhook", params=query)
    assert (answer.status_code, answer.text) == (200, "42")
    wrong = await market.http.get("/meta/webhook", params=query | {"hub.verify_token": "no"})
    assert wrong.status_code == 403


async def test_operators_start_a_sync_and_are_told_how_it_ended(market):
    shop = market.taqueria
    assert (await market.sync(TAQUERIA, headers={})).status_code == 401
    wrong = {"Authorization": "Bearer something"}
    assert (await market.sync(TAQUERIA, headers=wrong)).status_code == 401
    assert (await market.sync(TAQUERIA, headers={}, method="GET")).status_code == 401
    assert (await market.sync("nobody")).status_code == 404
    assert (await market.sync("nobody", method="GET")).status_code == 404

    await shop.sell(product_row(TAQUERIA, "prod:no-image", category="cat:odd", imageUrl=None))
    answer = await market.sync(TAQUERIA)
    assert answer.status_code == 200
    products = await shop.products.count_documents({"subDomain": TAQUERIA, "isActive": True})
    # One of the shipped dishes has no image either.
    without = ["prod:emoliente", "prod:no-image"]
    assert answer.json() == {
        "status": "completed",
        "total_products": products,
        "synced": products - 2,
        "failed": 2,
        "errors": [{"product_id": rid, "error": "it has no image"} for rid in without],
    }
    assert (await market.sync(TAQUERIA, method="GET")).json() == answer.json()
    await shop.change("prod:no-image", imageUrl="https://img.example/p.jpg")
    await shop.until_right()


async def test_a_second_request_joins_the_sync_that_is_under_way(market):
    shop = market.taqueria
    sent = len(await shop.batch_sizes())
    async with holding(shop):
        first = await market.sync(TAQUERIA, full="true", wait="0")
        assert (first.status_code, first.json()["status"]) == (202, "running")
        await eventually(lambda: shop.runs.find_one({"_id": TAQUERIA, "job.walked": True}))
        job = (await shop.run())["job"]["id"]
        for full in ("true", "false"):
            second = await market.sync(TAQUERIA, full=full)
            state = second.json()
            assert (second.status_code, state["status"]) == (202, "running")
            assert state["done"] == state["total_products"] > 0
        assert (await market.sync(TAQUERIA, method="GET")).json()["status"] == "running"
        assert (await shop.run())["requested"] is None
    await eventually(lambda: shop.runs.find_one({"_id": TAQUERIA, "job": None}))
    run = await shop.run()
    assert (run["last"]["id"], run["requested"]) == (job, None)
    assert len(await shop.batch_sizes()) == sent + 1
    state = (await market.sync(TAQUERIA, method="GET")).json()
    assert (state["status"], state["failed"]) == ("completed", 1)


@pytest.mark.parametrize(("tenant", "least"), [(PIZZERIA, 6), (TAQUERIA, 2)])
async def test_a_first_sync_of_5000_products_takes_as_few_calls_as_can_be(tmp_path, tenant, least):
    """Meta's stand-in takes 8 batches a minute for a catalogue, as Meta does."""
    async with (
        own_database(tmp_path) as (uri, database),
        opened_shop(uri, database, tenant, SandboxOptions()) as (shop, settings),
    ):
        await shop.sell(*(
            product_row(
                tenant, f"prod:{n:04}", category=f"cat:{n % 6}", price=1 + n / 100,
                isAvailable=n % 7 != 0,
            )
            for n in range(5000)
        ))  # fmt: skip
        engine = Engine(settings)
        async with engine.running():

            async def is_done():
                return ((await shop.run()).get("last") or {}).get("finishedAt")

            await eventually(is_done, seconds=60)
            report = await engine.parts.sync.reports.report(tenant)
        assert report is not None
        assert (report.total_products, report.synced, report.failed) == (5000, 5000, 0)
        sizes = await shop.batch_sizes()
        assert least <= len(sizes) <= least + 2
        # Nothing was refused for the rate either: that would be a call, too.
        assert await shop.calls("items_batch") == len(sizes)
        assert sum(sizes) == 5000
        assert await shop.wrong() == {}
        assert len(await shop.items()) == 5000
        assert await shop.marks.find_one({}) is None


@pytest.fixture
def small_content(tmp_path):
    """The shipped content with Doña Lucha alone; asking her for help has a dish compared."""
    shipped = read_settings().content()
    for name in ("conversations", "flows"):
        (tmp_path / name).symlink_to(shipped / name)
    own = tmp_path / "tenants" / TAQUERIA
    own.mkdir(parents=True)
    for name in ("tenant.yaml", "catalog.yaml", "messages"):
        (own / name).symlink_to(shipped / "tenants" / TAQUERIA / name)
    chart = Path("conversations/storefront.yaml")
    text = (shipped / "tenants" / TAQUERIA / chart).read_text()
    help_ = "    say: [where_we_are, help]"
    assert help_ in text
    action = "{meta.sync_product: {product: prod:causa-limena}}"
    (own / chart).parent.mkdir()
    (own / chart).write_text(text.replace(help_, f"    do: {action}\n{help_}"))
    return tmp_path


@dataclass
class Evening:
    """Doña Lucha on an evening whose clock is moved, with her catalogue connected to WhatsApp."""

    ground: Playground
    clock: ManualClock
    shop: Shop
    stage: Stage

    async def eventually(self, look):
        """Look again and again, half a second after the other."""

        async def moved():
            self.clock.move(timedelta(seconds=0.5))
            return await look()

        return await eventually(moved)

    async def is_through(self):
        report = await self.ground.engine.parts.sync.reports.report(TAQUERIA)
        if report is None or report.status != "completed":
            return False
        # The first walk may have been there before the seeding's end; marks bring what it missed.
        everything = len(await self.shop.wanted())
        states = self.ground.engine.database.collection(SyncStateDocument)
        return everything == await states.count_documents({"status": "synced"})


@pytest.fixture
async def evening(mongodb_uri, open_database, small_content):
    name, clock = f"comanda_evening_{os.getpid()}", ManualClock(FRIDAY_EVENING)
    async with playground(
        content=small_content,
        mongodb_uri=mongodb_uri,
        database_name=name,
        clock=clock,
        ids=SeededIds(),
        catalog_sync=True,
    ) as ground:
        shop = Shop(
            TAQUERIA, ground.bundle(TAQUERIA).tenant, ground.engine.database, ground.sandbox,
            public_url=ground.engine_url,
        )  # fmt: skip
        customer = ground.customer(TAQUERIA, "51999000111", "Rosa")
        made = Evening(ground, clock, shop, Stage(ground, customer, show=lambda _: None))
        await made.eventually(made.is_through)
        yield made
    await open_database.client.drop_database(name)


async def test_a_native_cart_from_the_list_to_the_order(evening):
    shop, stage = evening.shop, evening.stage
    (catalog_id,) = (await shop.mapping()).values()
    refusals = (await shop.meta.get("/sandbox/refusals")).json()

    await stage.say("Buenas noches")
    await stage.tap("Ver el menú")
    await stage.tap("Postres")
    shown = stage.received[-1].payload["interactive"]
    assert shown["type"] == "product_list"
    assert shown["action"]["catalog_id"] == catalog_id
    listed = [
        one["product_retailer_id"]
        for section in shown["action"]["sections"]
        for one in section["product_items"]
    ]
    assert {"prod:suspiro-limeno", "prod:mazamorra-morada"} <= set(listed)

    items = await shop.items()
    seen = {item: items[f"* {item}"]["price"].split() for item in listed}
    # While he fills his cart one price changes in the database.
    await shop.change(
        "prod:mazamorra-morada", basePrice=float(seen["prod:mazamorra-morada"][0]) + 2
    )
    wanted = [
        {
            "product_retailer_id": item,
            "quantity": 1,
            "item_price": seen[item][0],
            "currency": seen[item][1],
        }
        for item in ("prod:suspiro-limeno", "prod:mazamorra-morada")
    ]
    sent = len(stage.received)
    await stage.customer.order(catalog_id, wanted)
    await stage.see()
    told = "\n".join(str(message.payload) for message in stage.received[sent:])
    old, new = (
        Decimal(seen["prod:mazamorra-morada"][0]),
        Decimal(seen["prod:mazamorra-morada"][0]) + 2,
    )
    assert "Mazamorra" in told
    assert f"{old:.2f}" in told
    assert f"{new:.2f}" in told

    await stage.tap("Finalizar pedido")
    await stage.tap("🏪 Para recoger")
    await stage.tap("Yape")
    await stage.tap("Confirmar pedido")
    orders = shop.database.collection(OrderDocument)
    (order,) = await orders.find({"subDomain": TAQUERIA}).to_list()
    prices = {line["productId"]: line["unitPrice"] for line in order["items"]}
    assert prices == {
        "prod:suspiro-limeno": float(seen["prod:suspiro-limeno"][0]),
        "prod:mazamorra-morada": float(new),
    }
    assert order["status"] == "pending"
    assert (await shop.meta.get("/sandbox/refusals")).json() == refusals

    async def is_told():
        return (await shop.items())["* prod:mazamorra-morada"]["price"] == f"{new:.2f} PEN"

    await evening.eventually(is_told)


async def test_the_chart_queues_a_product_and_the_worker_sends_it(evening):
    shop, stage = evening.shop, evening.stage
    # As if the database had told nobody that it changed.
    states = shop.database.collection(SyncStateDocument)
    everything = {"tenant": TAQUERIA}
    assert (await states.update_many(everything, {"$set": {"digest": "old"}})).modified_count > 1
    sent = await shop.batch_sizes()
    await stage.say("ayuda")
    assert len(stage.received) >= 1

    async def is_sent():
        return len(await shop.batch_sizes()) > len(sent)

    await evening.eventually(is_sent)
    assert (await shop.batch_sizes())[len(sent) :] == [1]
    state = await states.find_one({"tenant": TAQUERIA, "item": "prod:causa-limena"})
    assert state["digest"] != "old"
