"""Turns of shops that show their products in WhatsApp's own catalogue, or do not."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.box_ports import OutboxEntry
from engine.domain.tenant import CatalogMode
from engine.spec.chart import Branch, Call
from engine.whatsapp.content import NativeOrder, NativeOrderItem, Raised, Text
from tests.unit.actions.shop import VERBS, alter, bundle, la_tavola, menu, money, shown
from tests.unit.runtime.flow_shop import TENANT, Shop, texts

CATALOG = "900"
PIZZAS = [rid for rid, sold in menu().products.items() if sold.category == "cat:pizza"]


def native_shop(*, mode: Any = "single", **taken: tuple[str, ...]) -> Shop:
    """Open La Tavola with a catalogue that Meta has all products of, but for changes."""
    shop = Shop()
    tenant = la_tavola(catalog=CatalogMode(mode=mode))
    shop.serve(replace(bundle(), tenant=tenant))
    all_items: dict[str, tuple[str, ...]] = {rid: (rid,) for rid in menu().products}
    shop.store.native = shown(all_items | taken, connected=CATALOG)
    return shop


def interactive(entry: OutboxEntry) -> Mapping[str, Any]:
    found: Mapping[str, Any] = entry.payload["interactive"]
    return found


def kinds(entries: tuple[OutboxEntry, ...]) -> list[str]:
    """Tell the kinds of messages, read receipts left out."""
    shown = [entry.payload for entry in entries if entry.said]
    return [p["interactive"]["type"] if "interactive" in p else p["type"] for p in shown]


def order(*items: tuple[str, str, int], catalog: str = CATALOG, note: str = "") -> NativeOrder:
    lines = [NativeOrderItem(item, n, Decimal(price), "USD") for item, price, n in items]
    return NativeOrder(catalog, note or None, tuple(lines))


# The list


async def test_a_category_is_a_list_in_whatsapps_own_catalogue():
    shop = native_shop()
    (*_, message) = await shop.tap("cat:pizza")
    assert interactive(message) == {
        "type": "product_list",
        "header": {"type": "text", "text": "Pizza"},
        "body": {"text": "Look around, put what you like in your cart and send it to me."},
        "action": {
            "catalog_id": CATALOG,
            "sections": [
                {"title": "Pizza", "product_items": [{"product_retailer_id": p} for p in PIZZAS]}
            ],
        },
    }
    assert await shop.state() == "products"


async def test_what_meta_has_not_taken_is_in_a_list_beside_it():
    shop = native_shop(**{PIZZAS[0]: (), PIZZAS[2]: ()})
    said = await shop.tap("cat:pizza")
    assert kinds(said) == ["product_list", "list"]
    rows = interactive(said[-1])["action"]["sections"][0]["rows"]
    assert [row["id"] for row in rows] == [PIZZAS[0], PIZZAS[2]]
    assert texts(said)[-1] == "Also in *Pizza*:"


@pytest.mark.parametrize(
    "shop",
    [native_shop(mode="per_category"), native_shop(**dict.fromkeys(menu().products, ()))],
    ids=["a catalogue for each category", "nothing synced"],
)
async def test_else_it_is_the_list_of_the_chat(shop):
    assert kinds(await shop.tap("cat:pizza")) == ["list"]
    ordinary = await Shop().tap("cat:pizza")
    assert interactive((await shop.tap("cat:pizza"))[-1]) == interactive(ordinary[-1])


async def test_a_shop_of_the_other_mode_asks_nothing_of_its_catalogue():
    shop = native_shop(mode="per_category")
    shop.store.native = None  # type: ignore[assignment]
    assert kinds(await shop.tap("cat:pizza")) == ["list"]


async def test_a_list_that_meta_refuses_is_shown_in_the_chat_and_so_are_its_pages():
    shop = native_shop()
    await shop.tap("cat:drinks")
    refused = await shop.chat(Raised("native_refused", {"id": "x"}))
    assert kinds(refused) == ["list"]
    assert "*Drinks*" in texts(refused)[0]
    assert kinds(await shop.tap("cat:drinks#2")) == ["list"]
    assert kinds(await shop.tap("cat:drinks")) == ["product_list"]


async def test_a_refusal_does_not_call_back_a_customer_who_went_on():
    shop = native_shop()
    await shop.tap("cat:drinks")
    await shop.tap("view_cart")
    assert kinds(await shop.chat(Raised("native_refused", {"id": "x"}))) == []
    assert await shop.state() == "cart"


async def test_he_may_also_write_the_name_of_a_product():
    shop = native_shop()
    await shop.tap("cat:drinks")
    assert "*Coca-Cola*" in texts(await shop.chat(Text("coke")))[0]


# The cart


async def test_a_native_cart_is_put_in_the_cart_with_its_note():
    shop = native_shop()
    said = await shop.chat(order(("prod:coke", "2.5", 2), note="  No ice, please "))
    assert kinds(said) == ["button"]
    (line,) = await shop.lines()
    assert (line.quantity, line.unit_price) == (2, money("2.50"))
    conversation = shop.store.committed[-1].conversation
    assert conversation.variables["notes"] == "No ice, please"
    assert await shop.state() == "cart"


async def test_a_note_stays_until_there_is_another_or_the_cart_is_emptied():
    shop = native_shop()
    await shop.chat(order(("prod:coke", "2.5", 1), note="No ice"))
    await shop.chat(order(("prod:coke", "2.5", 1)))
    assert shop.store.committed[-1].conversation.variables["notes"] == "No ice"
    await shop.chat(order(("prod:coke", "2.5", 1), note="Ice"))
    assert shop.store.committed[-1].conversation.variables["notes"] == "Ice"
    await shop.tap("clear_cart")
    assert shop.store.committed[-1].conversation.variables["notes"] is None


async def test_differences_are_told_before_the_cart():
    shop = native_shop()
    said = texts(await shop.chat(order(("prod:coke", "2.25", 1), ("prod:gone", "1", 1))))
    assert said[0] == (
        "I got your cart. Please note:\n"
        "• *Coca-Cola* now costs $2.50 (you saw $2.25)\n"
        "• 1 item is no longer on our menu"
    )
    assert said[1].startswith("🛒 *Your cart*")


@pytest.mark.parametrize(("catalog", "count"), [("901", 0), (CATALOG, 1)])
async def test_a_cart_of_another_catalogue_is_not_taken(catalog, count):
    shop = native_shop()
    said = await shop.chat(order(("prod:coke", "2.5", 1), catalog=catalog))
    assert len(await shop.lines()) == count
    assert (texts(said) == ["Please order from the menu here in the chat."]) == (count == 0)


async def test_where_each_category_has_a_catalogue_any_will_do():
    shop = native_shop(mode="per_category")
    await shop.chat(order(("prod:coke", "2.5", 1), catalog="901"))
    assert len(await shop.lines()) == 1


async def test_a_cart_may_come_at_any_time():
    shop = native_shop()
    for wire_id in ("human", "customize:prod:gelato", "help"):
        await shop.tap(wire_id)
        await shop.chat(order(("prod:coke", "2.5", 1)))
        assert await shop.state() == "cart"
    (line,) = await shop.lines()
    assert line.quantity == 3


async def test_what_was_chosen_natively_is_not_asked_again():
    shop = native_shop()
    shop.businesses.held[TENANT] = replace(shop.businesses.held[TENANT], flow_mapping={})
    said = await shop.chat(order(("prod:margherita|pres:margherita-large", "18", 2)))
    (button,) = [
        b["reply"] for b in interactive(said[-1])["action"]["buttons"]
        if b["reply"]["title"] == "Customize"
    ]  # fmt: skip
    assert button["id"] == "customize:prod:margherita|pres:margherita-large|2"
    (asked,) = texts(await shop.tap(button["id"]))
    assert asked == "*Margherita Pizza*: Crust"
    await shop.tap("choose:prod:margherita|mod:thin-crust")
    await shop.tap("choose_done:prod:margherita|group:extra-toppings")
    (line,) = await shop.lines()
    assert (line.presentation_id, line.quantity) == ("pres:margherita-large", 2)


@pytest.mark.parametrize(
    "wire_id",
    ["native_order", "native_order:x", "native_taken", "native_not_taken", "customize:a|b|c",
     "customize:prod:coke||", "customize:prod:coke||-1", "customize:||", "customize:prod:coke||1"],
)  # fmt: skip
async def test_a_tap_that_was_never_offered_breaks_nothing(wire_id):
    shop = native_shop()
    said = await shop.tap(wire_id)
    assert texts(said)
    assert shop.store.committed[-1].log.outcome == "done"


async def test_a_thousand_items_are_one_turn():
    shop = native_shop()
    items = [(f"prod:{n}|{'x' * 400}", "1", 10**6) for n in range(998)]
    said = await shop.chat(order(("prod:coke", "2.5", 1), *items, ("prod:caprese", "13.75", 1)))
    assert [line.product_id for line in await shop.lines()] == ["prod:coke"]
    assert "970 more items do not fit in one cart" in texts(said)[0]


async def test_a_cart_full_of_differences_is_told_to_its_end():
    shop = native_shop()
    for rid in list(menu().products):
        alter(shop.store.catalog, rid, {"name": f"{rid} " + "of a very long name " * 4})
    rids = list(menu().products)[:30]
    said = await shop.chat(order(*((rid, "999999", 1) for rid in rids)))
    assert set(kinds(said)) <= {"text", "button", "list"}
    told = "".join(texts(said))
    assert all(f"*{rid} of" in told for rid in rids)


# The sync


async def test_what_is_to_be_compared_with_metas_catalogue_is_written_with_the_turn():
    shop = Shop()
    shop.serve(syncing("view_cart"))
    await shop.tap("view_cart")
    await shop.tap("help")
    written = [list(record.sync_products) for record in shop.store.committed]
    assert written == [["prod:coke"], []]


async def test_a_turn_that_fails_writes_nothing_of_it():
    shop = Shop()
    shop.serve(syncing("view_cart", say=("there_is_no_such_message",)))
    await shop.tap("view_cart")
    (record,) = shop.store.committed
    assert (record.log.outcome, len(record.sync_products)) == ("failed", 0)


def syncing(event: str, *, say: tuple[str, ...] = ("help",)) -> Any:
    """Give the shop's bundle with a chart that syncs a product on an event."""
    made = bundle()
    call = Call(VERBS.actions["meta.sync_product"], {"product": "prod:coke"}, "test:1:1")
    branch = Branch("test:1:1", calls=(call, call), say=say)
    chart = replace(made.chart, anywhere={**made.chart.anywhere, event: (branch,)})
    return replace(made, chart=chart)
