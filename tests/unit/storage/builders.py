"""Values for the storage tests: a conversation, a turn, a menu, a Flow."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.box_ports import InboxRow, OutboxEntry, Said, Timer
from engine.domain.cart import Cart, CartLine, LineModifier
from engine.domain.conversation import Conversation, Position
from engine.domain.ids import (
    CustomerKey,
    ModifierId,
    OrderNumber,
    PresentationId,
    ProductId,
    TenantId,
)
from engine.domain.menu import Menu
from engine.domain.money import Currency
from engine.domain.order import Address, Order, OrderType
from engine.domain.pricing import Quote
from engine.domain.tenant import Tenant
from engine.flow_ports import Deployment, FlowSession
from engine.ports import TurnLog, TurnRecord
from engine.row_ports import AuditEntry
from engine.slots import SLOTS, slot_of

NOW = datetime(2026, 3, 14, 12, 30, 15, 250_000, tzinfo=UTC)
USD = Currency("USD")
PIZZERIA = TenantId("pizzeria")
BAKERY = TenantId("bakery")
ANA = CustomerKey("51999111222")
BEN = CustomerKey("PE.10987654321")
EVERY_SLOT = range(SLOTS)
ANAS = slot_of(PIZZERIA, ANA)
BENS = slot_of(PIZZERIA, BEN)

MARGHERITA = CartLine(
    product_id=ProductId("prod:margherita"),
    name="Margherita",
    unit_price=Decimal("14.50"),
    quantity=2,
    presentation_id=PresentationId("size:large"),
    presentation="Large",
    modifiers=(LineModifier(ModifierId("mod:olives"), "Olives", Decimal("1.10")),),
)
COKE = CartLine(product_id=ProductId("prod:coke"), name="Coke", unit_price=Decimal("2.05"))

TENANT = Tenant.model_validate(
    {
        "name": "Pizzeria Roma",
        "languages": ["es", "en"],
        "country": "PE",
        "currency": "USD",
        "time_zone": "America/Lima",
        "phone_number_ids": ["111", "222"],
        "pickup": {},
        "payment_methods": {"cash": {"name": "Cash", "kind": "cash"}},
    }
)

MENU: dict[str, Any] = {
    "categories": {
        "cat:pizza": {"name": "Pizza"},
        "cat:drinks": {"name": "Drinks"},
        "cat:secret": {"name": "Secret", "active": False},
        "cat:empty": {"name": "Empty"},
    },
    "groups": {
        "group:toppings": {
            "name": "Toppings",
            "maximum": 2,
            "modifiers": {
                "mod:olives": {"name": "Olives", "price": "1.10"},
                "mod:ham": {"name": "Ham", "price": "2", "available": False},
            },
        },
        "group:crust": {
            "name": "Crust",
            "minimum": 1,
            "modifiers": {"mod:thin": {"name": "Thin"}, "mod:thick": {"name": "Thick"}},
        },
    },
    "products": {
        "prod:margherita": {
            "name": "Margherita",
            "category": "cat:pizza",
            "price": "12",
            "description": "Tomato and mozzarella",
            "image": "https://example.com/margherita.jpg",
            "presentations": {
                "size:large": {"name": "Large", "price": "14.50"},
                "size:small": {"name": "Small", "price": "9.90", "available": False},
            },
            "groups": ["group:crust", "group:toppings"],
        },
        "prod:diavola": {
            "name": "Diavola",
            "category": "cat:pizza",
            "price": "13.333",
            "stock": 3,
            "presentations": {"size:large": {"name": "Large", "price": "17"}},
            "groups": ["group:toppings"],
        },
        "prod:coke": {"name": "Coke", "category": "cat:drinks", "price": "2.05", "stock": 5},
    },
}


def menu(**changes):
    """The menu with some of its parts replaced."""
    return Menu.model_validate(MENU | changes)


def inbox_row(wamid="w1", *, tenant=PIZZERIA, customer=ANA, timestamp=100, at=NOW):
    """A message of a customer."""
    return InboxRow(
        id=f"111:{wamid}",
        tenant=tenant,
        customer=customer,
        timestamp=timestamp,
        received_at=at,
        raw={"id": wamid, "text": {"body": "menu"}},
    )


def outbox_entry(wamid="w1", n=0, *, tenant=PIZZERIA, customer=ANA, sequence=1, at=NOW):
    """A message to a customer."""
    return OutboxEntry(
        id=f"111:{wamid}:{n}",
        tenant=tenant,
        customer=customer,
        phone_number_id="111",
        sequence=sequence,
        payload={"type": "text", "text": {"body": "Hello"}},
        created_at=at,
        said=Said(chart="storefront", version=3, state="menu", entry=1),
    )


def timer(name="t1", *, tenant=PIZZERIA, customer=ANA, entry=1, after=30, **changes):
    """An event for later, by minutes."""
    made = Timer(
        id=name,
        tenant=tenant,
        customer=customer,
        event="after.30m",
        entry=entry,
        due=NOW + timedelta(minutes=after),
        phone_number_id="111",
    )
    return replace(made, **changes)


def conversation(version=1, *, tenant=PIZZERIA, customer=ANA, entry=1, entries=None, **noted):
    """A conversation as a turn leaves it."""
    return Conversation(
        tenant=tenant,
        customer=customer,
        language="es",
        version=version,
        phone="51999111222",
        name="Ana",
        position=Position(
            chart="storefront",
            version=3,
            structure="9f86d081",
            leaf="menu",
            path=("browsing", "menu"),
        ),
        entry=entry,
        entries={"menu": entry} if entries is None else entries,
        variables=noted,
        updated_at=NOW,
        spoke_at=NOW,
        phone_number_id="111",
    )


def cart(*lines, expires_at=NOW + timedelta(hours=24)):
    """A cart with the lines."""
    return Cart(lines=lines, expires_at=expires_at)


def order(number="K7M2QX", *, customer=ANA, at=NOW, address=None):
    """An order as placed."""
    return Order(
        number=OrderNumber(number),
        customer=customer,
        quote=Quote(
            lines=(MARGHERITA, COKE),
            subtotal=Decimal("31.05"),
            delivery_fee=Decimal("3.00"),
            tax=Decimal("5.59"),
            total=Decimal("39.64"),
        ),
        type=OrderType.DELIVERY,
        payment_method="yape",
        payment_kind="digital_wallet",
        created_at=at,
        customer_name="Ana",
        customer_phone="51999111222",
        address=address or Address(text="Av. Larco 1", latitude=-12.1, longitude=-77.0),
        notes="ring twice",
    )


def turn(wamid="w1", talk=None, **writes):
    """What a turn writes."""
    return TurnRecord(
        inbox_id=f"111:{wamid}",
        conversation=talk or conversation(),
        log=TurnLog(
            event="text",
            source="welcome",
            target="menu",
            steps=({"action": "say", "message": "menu"},),
            bundle="b1",
            outcome="done",
        ),
        at=NOW,
        **writes,
    )


def flow_session(version=0, *, tenant=PIZZERIA, customer=ANA, **changes):
    """A Flow that a customer was sent."""
    session = FlowSession(
        id="5e55" * 8,
        tenant=tenant,
        customer=customer,
        flow="product_customization",
        language="es",
        input={"product": "prod:margherita"},
        phone_number_id="111",
        created_at=NOW,
        expires_at=NOW + timedelta(hours=24),
        version=version,
    )
    return replace(session, **changes)


def flow_message(token="5e55.1.mac"):
    """The payload of a message that opens a Flow."""
    parameters = {"flow_message_version": "3", "flow_token": token, "flow_id": "meta-1"}
    action = {"name": "flow", "parameters": parameters}
    return {"type": "interactive", "interactive": {"type": "flow", "action": action}}


def flow_end(session, talk=None, **writes):
    """What a turn writes that takes a Flow's outcome from an exchange."""
    record = turn("", talk, has_inbox_row=False, flow_done=session, **writes)
    return replace(record, inbox_id=f"flow:{session.id}")


def deployment(key="product_customization:es", meta_id="meta-1", **changes):
    """A Flow at Meta."""
    made = Deployment(
        tenant=PIZZERIA,
        key=key,
        flow="product_customization",
        language="es",
        meta_id=meta_id,
        name="product_customization_es",
        digest="d1",
        endpoint="https://shop.example/flows/product_customization/pizzeria",
        status="PUBLISHED",
        updated_at=NOW,
    )
    return replace(made, **changes)


def audit_entry(**changes):
    """What an operator did."""
    made = AuditEntry(
        at=NOW,
        actor="token:0123456789ab",
        client="ba9876543210",
        action="POST /api/v1/inbox/{tenant}/retry",
        tenant=PIZZERIA,
        outcome="200",
        kept_until=NOW + timedelta(days=365),
    )
    return replace(made, **changes)
