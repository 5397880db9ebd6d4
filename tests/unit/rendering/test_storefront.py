"""Every message of the shipped storefronts, over menus no author would dream of."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import cycle
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.domain.cart import MAX_LINES
from engine.domain.menu import Menu
from engine.domain.refusals import Refusal
from engine.rendering.messages import render_all, render_template
from engine.staff_ports import Spoken
from engine.turn import Event, Turn
from engine.whatsapp.outbound import TextMessage, to_payload
from tests.unit.actions.shop import (
    OPEN,
    OpenDesk,
    a_turn,
    act,
    bundle,
    products,
    shown,
)
from tests.unit.actions.test_staff import People
from tests.unit.rendering.authored import seen_in

TENANTS = [("la-tavola", "en"), ("la-tavola", "es"), ("dona-lucha", "es"), ("dona-lucha", "en")]

PIECES = st.sampled_from(
    ["Pizza", "Queso extra", "Ñoquis", "\U0001f468\u200d\U0001f469\u200d\U0001f467",
     "\U0001f1f5\U0001f1ea", "👍🏽", "e" + "\u0301" * 9, "שלום עולם",
     "مرحبا", "\u202e", "\u200b", "\u200d", "\u2800", "\u3164", "\xa0", "\u2003", " ", "\n", "\t",
     "*", "_", "~", "`", "{{ x }}", "{% if %}", "#2", "|", ":", "a" * 40, "Ω" * 30, "…", "\x00",
     "ﷺ" * 12, "W W W W W W W W W W W W W W", "😀" * 15]
)  # fmt: skip
NAMES = st.lists(PIECES, min_size=1, max_size=6).map(lambda parts: "".join(parts)[:100])
PRICES = st.sampled_from(["0", "0.01", "12.50", "999.99", "1000000"]).map(Decimal)
IDS = st.from_regex(r"[A-Za-z0-9._-]{1,60}", fullmatch=True)
IMAGES = st.sampled_from(
    [None, "https://a.example/a.jpg", "https://", "https://a b", "https://[x", "https://a\n"]
)


@st.composite
def menus(draw: st.DrawFn) -> Menu:
    """Make a menu that `comanda check` lets pass, of a handful of odd names and prices."""
    names = cycle(draw(st.lists(NAMES, min_size=1, max_size=7)))
    prices = cycle(draw(st.lists(PRICES, min_size=1, max_size=5)))
    there = cycle([True, *draw(st.lists(st.booleans(), max_size=3))])
    images = cycle(draw(st.lists(IMAGES, min_size=1, max_size=2)))
    shelves, sizes = draw(st.sampled_from([1, 2, 14])), draw(st.sampled_from([0, 1, 2, 12]))
    tail, described = draw(IDS), draw(st.sampled_from([0, 1, 9]))
    groups = {f"group:{n}": draw(groups_of(n, names, prices)) for n in range(draw(GROUPS))}
    sold = {
        f"prod:{n}{tail}"[:65]: {
            "name": next(names),
            "category": f"cat:{n % shelves}",
            "price": next(prices),
            "description": " ".join(next(names) for _ in range(described)),
            "image": next(images),
            "available": n == 0 or next(there),
            "stock": 5 if n == 1 else None,
            "presentations": {
                f"pres:{n}-{size}": {
                    "name": next(names),
                    "price": next(prices),
                    "available": size == 0 or next(there),
                }
                for size in range(sizes)
            },
            "groups": list(groups) if n == 0 else [],
        }
        for n in range(draw(st.sampled_from([1, 2, 13])))
    }
    shown = {f"cat:{n}": {"name": next(names)} for n in range(shelves)}
    return Menu.model_validate({"categories": shown, "groups": groups, "products": sold})


GROUPS = st.integers(0, 3)


@st.composite
def groups_of(
    draw: st.DrawFn, group: int, names: Iterator[str], prices: Iterator[Decimal]
) -> dict[str, Any]:
    count = draw(st.sampled_from([1, 3, 20]))
    maximum = draw(st.integers(1, count))
    return {
        "name": next(names),
        "minimum": draw(st.integers(0, maximum)),
        "maximum": maximum,
        "modifiers": {
            f"mod:{group}-{n}": {"name": next(names), "price": next(prices)} for n in range(count)
        },
    }


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(menus(), st.integers(1, 99), st.integers(0, 5), NAMES, st.sampled_from(TENANTS))
def test_every_message_of_the_storefront_can_be_sent(menu, quantity, page, typed, of):
    tenant, language = of
    turn = a_turn(of=menu, tenant=bundle(tenant).tenant, language=language)
    turn.terms = bundle(tenant).vocabulary(language).terms
    event = {
        "product": typed, "product_id": typed, "group": typed, "minimum": 1, "maximum": quantity,
        "argument": typed, "text": typed, "page": page, "kind": "voice",
    }  # fmt: skip
    shop(turn, quantity, typed)
    check_all(turn, tenant, event)


def shop(turn: Turn, quantity: int, typed: str) -> None:
    """Browse, customize, order and ask, so that everything a text may read is there."""
    first = next(iter(products(turn).values()))
    act(turn, "catalog.categories")
    act(turn, "catalog.category", category=first.category_id)
    customize(turn, first.id, quantity)
    for other in list(products(turn))[1:]:
        act(turn, "cart.add", product=other, quantity=quantity)
    act(turn, "catalog.product", product=first.id)
    natively(turn, first.category_id, quantity)
    act(turn, "catalog.find", text=typed)
    act(turn, "checkout.address", text=typed, latitude=1.5, longitude=2.5)
    act(turn, "checkout.payment", method=next(iter(turn.tenant.payment_methods)))
    act(turn, "checkout.type", type="delivery")
    turn.variables["order_type"] = "delivery"
    if isinstance(act(turn, "order.quote"), Refusal):
        return
    cart = turn.cart
    turn.now = OPEN
    outcome = act(turn, "order.place", seen=turn.memory["quote"]["fingerprint"])
    assert outcome is None
    act(turn, "order.load")
    turn.cart = cart
    turn.conversation.variables |= {
        "order_type": "delivery",
        "address": {"text": typed},
        "payment": "cash",
    }
    turn.memory["changes"] = [
        {"name": line.name, "is_gone": n % 2 == 0, "before": line.unit_price, "now": line.total}
        for n, line in enumerate(cart.lines)
    ]
    turn.memory["removed"] = cart.lines[-1].name
    turn.memory["expired"] = False
    turn.flows = OpenDesk()
    act(turn, "flow.open", flow="checkout")
    turn.staff = People(words=tuple(Spoken(kind, typed) for kind in ("text", "tap", "x") * 2))
    act(turn, "staff.notify", message="staff_notice")
    turn.memory["handoff"] = turn.notices[-1].data["handoff"]


def natively(turn: Turn, category: str, quantity: int) -> None:
    """Look at WhatsApp's own catalogue, of which Meta has only a part, and order in it."""
    turn.native = shown({rid: (rid,) for rid in list(products(turn))[::3]})
    act(turn, "native.products", category=category)
    cart = turn.cart
    ordered = [
        {"product": rid, "presentation": None, "quantity": quantity + n, "price": 10**n,
         "currency": turn.tenant.currency if n % 4 else "XTS"}
        for n, rid in enumerate([*products(turn), "prod:gone", *(f"prod:{n}" for n in range(40))])
    ]  # fmt: skip
    act(turn, "native.cart", items=[one | {"price": min(one["price"], 10**15)} for one in ordered],
        catalog="900")  # fmt: skip
    turn.cart = cart


def customize(turn: Turn, rid: str, quantity: int) -> None:
    """Choose the first size and as much of each group as it takes."""
    act(turn, "draft.start", product=rid)
    for _ in range(400):
        event = act(turn, "draft.next")
        assert isinstance(event, Event), event
        product = products(turn)[turn.variables["draft"]["product"]]
        if event.name == "draft_size":
            act(turn, "draft.size", product=rid, presentation=product.presentations[0].id)
        elif event.name == "draft_group":
            group = turn.memory["group"]
            wanted = [m["id"] for m in group["modifiers"] if not m["is_chosen"]]
            act(turn, "draft.choose", product=rid, modifier=wanted[0])
        elif event.name == "draft_quantity":
            act(turn, "draft.quantity", product=rid, quantity=quantity)
        else:
            if act(turn, "draft.add") is not None:  # more than a cart can be worth
                assert act(turn, "draft.quantity", product=rid, quantity=1) is None
                assert act(turn, "draft.add") is None
            return
    raise AssertionError("the draft never ends")


def check_all(turn: Turn, tenant: str, event: dict[str, Any]) -> list[str]:
    """Render every message of a tenant; each must be one that WhatsApp takes."""
    words = bundle(tenant).vocabulary(turn.conversation.language)
    moved = {"order": "K7M2QX", "status": "ready", "type": "pickup", "reason": "no dough"}
    context = seen_in(turn, event=moved | event)
    needs = {"added", "quote", "order", "unit_price", "group", "flow", "native", "handoff"}
    said: list[str] = []
    for name, message in words.messages.items():
        if any(turn.memory.get(n) is None for n in needs & reads(message)):
            continue
        for part in render_all(message, context):
            to_payload(part, to="+12125550100")
        template = render_template(message, context)
        if template:
            to_payload(template, to="+12125550100")
        said.append(name)
    return said


def reads(message: Any) -> set[str]:
    """Name the variables a message reads in its text and condition, for its Flow or products."""
    parts = [message.text, message.condition]
    parts += [message.flow.token] if message.flow else []
    parts += [message.products.catalog] if message.products else []
    return {name for part in parts if part for name in part.names}


@pytest.mark.parametrize(("tenant", "language"), TENANTS)
def test_no_message_is_left_out_of_the_test(tenant, language):
    turn = a_turn(tenant=bundle(tenant).tenant, language=language)
    turn.terms = bundle(tenant).vocabulary(language).terms
    shop(turn, 2, "Calle Mayor 5")
    event = {"product": "Pizza", "group": "Dips", "minimum": 1, "maximum": 2}
    turn.memory["sought"] = "x"
    messages = bundle(tenant).vocabulary(language).messages
    assert check_all(turn, tenant, event) == list(messages)


def full(name: str, price: str, extras: int = 0, quantity: int = 1) -> Turn:
    """Fill a cart with as many lines as it takes."""
    modifiers = {f"mod:{n}": {"name": f"{name} {n}"[:100]} for n in range(max(extras, 1))}
    turn = a_turn(
        of=Menu.model_validate(
            {
                "categories": {"cat:x": {"name": name}},
                "groups": {
                    "group:x": {"name": name, "maximum": max(extras, 1), "modifiers": modifiers}
                },
                "products": {
                    f"prod:{n}": {
                        "name": name, "category": "cat:x", "price": price, "groups": ["group:x"],
                    }
                    for n in range(MAX_LINES)
                },
            }
        ),
        language="en",
        payment="cash",
        order_type="delivery",
        address={"text": "Calle Mayor 5", "latitude": None, "longitude": None},
    )  # fmt: skip
    for rid in products(turn):
        chosen = tuple(modifiers)[:extras]
        act(turn, "cart.add", product=rid, modifiers=chosen, quantity=quantity)
    return turn


def told(turn: Turn, *names: str) -> dict[str, tuple[Any, ...]]:
    act(turn, "cart.refresh")
    assert act(turn, "order.quote") is None
    cart = turn.cart
    assert act(turn, "order.place", seen=turn.memory["quote"]["fingerprint"]) is None
    turn.cart = cart
    turn.conversation.variables |= {
        "payment": "cash",
        "order_type": "delivery",
        "address": {"text": "x"},
    }
    context = seen_in(turn, event={"minimum": Decimal(12)})
    words = bundle().vocabulary("en").messages
    return {name: render_all(words[name], context) for name in names}


SHOWN = ("cart", "edit_cart", "summary", "confirmation", "order_status", "below_minimum")


@pytest.mark.parametrize("extras", [0, 3])
def test_a_full_cart_is_shown_to_its_end(extras):
    made = told(full("Nonna's Sunday Sausage & Peppers", "12.50", extras), *SHOWN)
    ahead, last = made["summary"]
    assert isinstance(ahead, TextMessage)
    assert "*Total: $" in last.body
    assert "…" not in last.body
    assert "*Subtotal: $375.00*" in made["cart"][-1].body


def test_the_dearest_cart_there_can_be_is_shown():
    turn = full("Gold", "1000000", quantity=99)
    assert turn.cart.lines
    told(turn, *SHOWN)


def test_a_full_cart_of_long_make_ups_is_shown():
    told(full("Wild Mushroom & Black Truffle", "12.50", extras=20), *SHOWN)
