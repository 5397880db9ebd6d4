"""Two shops whose Flows are deployed, and what tests of Flows do in them again and again."""

import hashlib
import hmac
import itertools
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from engine.clock import ManualClock, SeededIds
from engine.domain.cart import Cart
from engine.domain.ids import CustomerKey, ProductId, TenantId
from engine.domain.order import Order
from engine.flow_ports import FlowSession
from engine.playground import Playground, playground
from engine.ports import TenantStore
from engine.sandbox import Customer, OpenFlow, SandboxOptions
from engine.sandbox.state import Received
from engine.storage.documents import CartDocument, OrderDocument, ProductDocument
from engine.storage.meta_records import DeploymentDocument
from engine.storage.records import ConversationDocument, FlowSessionDocument, OutboxDocument
from tests.unit.whatsapp.flow_client import FlowClient

SHOP, OTHER = TenantId("la-tavola"), TenantId("dona-lucha")
NUMBERS: dict[str, str] = {SHOP: "106540352242922", OTHER: "109876543210987"}
EVENING = datetime(2030, 6, 14, 23, 30, tzinfo=UTC)
"""La Tavola is open then."""
ADMIN_TOKEN = "the operator's token"

PIZZA, SALAD = "prod:margherita", "prod:caesar"
SIZE: dict[str, Any] = {"selected_size": "pres:margherita-large", "quantity": "2"}
ADD_ONS: dict[str, Any] = {
    "modifiers_1_one": "mod:thin-crust",
    "modifiers_2_many": ["mod:extra-cheese", "mod:pepperoni"],
}
ADDED = """✅ Added to cart!
2× Margherita Pizza, Large (16")
+ Thin
+ Extra cheese
+ Pepperoni
$45.00"""

MADE = (CartDocument, OrderDocument, ConversationDocument, OutboxDocument, FlowSessionDocument)
"""What an exchange may not change unless it should."""

_PHONES = itertools.count(15558880000)
_NAMES = itertools.count(1)


@asynccontextmanager
async def flow_ground(mongodb_uri: str, part: str) -> AsyncIterator[Playground]:
    """Run the engine with the sandbox in Meta's place; the Flows of both shops are deployed."""
    name = f"comanda_{part}_{os.getpid()}"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ADMIN_TOKEN", ADMIN_TOKEN)
        # Nobody tells here when a picture is on its way.
        environment.setattr("engine.runtime.relay.MEDIA_WAIT", 0.0)
        async with playground(
            mongodb_uri=mongodb_uri,
            database_name=name,
            clock=ManualClock(EVENING),
            ids=SeededIds(),
            # Statuses come when they like: what is compared would change under the test.
            options=SandboxOptions(statuses=False),
            flows=True,
        ) as running:
            yield running
            await running.engine.database.client.drop_database(name)


def client(ground: Playground) -> httpx.AsyncClient:
    """A client of the engine; certificates take long to load, and there are none to verify."""
    return httpx.AsyncClient(base_url=ground.engine_url, timeout=60, verify=False)


async def settled(ground: Playground) -> None:
    """Wait until the engine has nothing to do.

    What Meta refuses goes from what is sent back to what is answered: once is not enough.
    """
    for _ in range(3):
        await ground.engine.idle()


def dialled() -> str:
    """A phone number that nobody has had."""
    return str(next(_PHONES))


def exchange(
    token: object, screen: object = None, data: object = None, *, action: object = "data_exchange"
) -> dict[str, Any]:
    """What a phone asks of the door."""
    asked = {"version": "4.0", "action": action, "flow_token": token}
    said = {"screen": screen, "data": data}
    return asked | {key: value for key, value in said.items() if value is not None}


def submit(values: Mapping[str, object] | None = None, **more: object) -> dict[str, object]:
    """What a phone sends with a screen's button."""
    return {"event": "submit", **(values or {}), **more}


@dataclass
class Guest:
    """A customer; after all he does the engine has answered."""

    ground: Playground
    tenant: TenantId = SHOP
    name: str = "Ana"
    phone: str = field(default_factory=dialled)

    def __post_init__(self):
        self.customer: Customer = self.ground.customer(self.tenant, self.phone, self.name)

    @property
    def key(self) -> CustomerKey:
        return CustomerKey(str(self.customer.user_id))

    @property
    def store(self) -> TenantStore:
        return self.ground.engine.store(self.tenant)

    async def say(self, text: str) -> None:
        await self.customer.say(text)
        await settled(self.ground)

    async def tap(self, choice: str, title: str | None = None) -> None:
        await self.customer.tap(choice, title=title)
        await settled(self.ground)

    async def reply(self, response: Mapping[str, object], *, answering: str) -> None:
        """Send what ends a Flow, as the phone does by itself."""
        await self.customer.reply_flow(response, answering=answering)
        await settled(self.ground)

    async def newest(self) -> Received:
        return (await self.customer.messages())[-1]

    async def texts(self) -> list[str]:
        return [text_of(message) for message in await self.customer.messages()]

    async def asks_for(self, product: str = PIZZA) -> Received:
        """Want a product his own way; give what the shop says to it."""
        await self.tap(f"customize:{product}", title="Customize")
        return await self.newest()

    async def invited(self, product: str = PIZZA) -> "Invited":
        """Get the Flow for a product."""
        message = await self.asks_for(product)
        assert is_flow(message), text_of(message)
        return Invited(self, message)

    async def invited_to_pay(self, words: str = "add 2 panna cotta") -> "Invited":
        """Fill the cart and get the Flow that takes the order."""
        await self.say(words)
        await self.tap("checkout")
        message = await self.newest()
        assert is_flow(message), text_of(message)
        return Invited(self, message)

    async def cart(self) -> Cart:
        return await self.store.carts.get(self.key) or Cart()

    async def order(self) -> Order | None:
        return await self.store.orders.get_latest(self.key)

    async def conversation(self):
        return await self.store.conversations.get(self.key)

    async def added(self) -> int:
        """How often he was told that something is in his cart."""
        return sum(text.startswith("✅ Added to cart!") for text in await self.texts())


@dataclass
class Invited:
    """A customer who got a Flow."""

    guest: Guest
    message: Received

    @property
    def parameters(self) -> dict[str, Any]:
        found: dict[str, Any] = self.message.payload["interactive"]["action"]["parameters"]
        return found

    @property
    def token(self) -> str:
        return str(self.parameters["flow_token"])

    @property
    def wamid(self) -> str:
        return self.message.wamid

    async def session(self) -> FlowSession:
        found = await self.guest.store.flow_sessions.get(self.token.split(".")[0])
        assert found is not None
        return found

    async def opened(self) -> OpenFlow:
        flow = await self.guest.customer.open_flow(self.wamid)
        assert flow.state == "open", flow.error
        return flow

    async def at_add_ons(self) -> OpenFlow:
        """Open the Flow of the pizza, and choose the size."""
        flow = await self.opened()
        await flow.submit(SIZE)
        assert seen(flow) == "MODIFIERS_SELECTION"
        return flow

    async def at_summary(self) -> OpenFlow:
        """Open the Flow of the pizza, and choose until only the price is to be confirmed."""
        flow = await self.at_add_ons()
        await flow.submit(ADD_ONS)
        assert seen(flow) == "ORDER_SUMMARY"
        return flow

    async def reply(self, response: Mapping[str, object] | None = None, *, token: bool = True):
        """End the Flow in the chat; no exchange has."""
        signed = {"flow_token": self.token} if token else {}
        await self.guest.reply(signed | dict(response or {}), answering=self.wamid)


@dataclass(frozen=True)
class Door:
    """A door of Flows; the phone before it shares no code with the engine or the sandbox."""

    ground: Playground
    flow: str = "product_customization"
    tenant: str = SHOP
    product: str | None = None

    @property
    def path(self) -> str:
        place = f"product/{self.product}" if self.product else self.flow
        return f"/flows/{place}/{self.tenant}"

    async def phone(self) -> FlowClient:
        """A phone with the public key that Meta has."""
        answer = await self.ground.sandbox.get(
            f"/v26.0/{NUMBERS[self.tenant]}/whatsapp_business_encryption",
            headers={"Authorization": f"Bearer {self.ground.token}"},
        )
        return FlowClient(answer.json()["data"][0]["business_public_key"])

    async def post(self, body: bytes, *, signed: str | None = None, method: str = "POST"):
        """Post anything; give the answer as it is."""
        headers = {"X-Hub-Signature-256": self.signature(body) if signed is None else signed}
        async with client(self.ground) as http:
            return await http.request(method, self.path, content=body, headers=headers)

    async def ask(self, document: object) -> tuple[int, Any]:
        """Ask as a phone does; give the status, and what the answer says."""
        return await self.ask_bytes(json.dumps(document).encode())

    async def ask_bytes(self, text: bytes) -> tuple[int, Any]:
        phone = await self.phone()
        answer = await self.post(json.dumps(phone.ask_bytes(text)).encode())
        is_sealed = answer.status_code in (200, 427)
        return answer.status_code, phone.read(answer.text) if is_sealed else answer.text

    def signature(self, body: bytes) -> str:
        secret = self.ground.engine.settings.meta_app_secret.get_secret_value().encode()
        return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def text_of(message: Received) -> str:
    """What a message says."""
    payload = message.payload
    if payload["type"] == "text":
        return str(payload["text"]["body"])
    return str(payload["interactive"]["body"]["text"])


def is_flow(message: Received) -> bool:
    """Whether a message opens a Flow."""
    return bool(message.payload.get("interactive", {}).get("type") == "flow")


def seen(flow: OpenFlow) -> str:
    """The screen a customer sees, if any."""
    return "" if flow.screen is None else str(flow.screen["id"])


def outcome(answer: Any) -> dict[str, Any]:
    """What the last exchange gives to the phone."""
    assert answer["screen"] == "SUCCESS"
    params: dict[str, Any] = answer["data"]["extension_message_response"]["params"]
    return params


async def dump(ground: Playground) -> dict[str, list[Any]]:
    """Everything that both shops' customers made, once the engine has nothing to do."""
    await settled(ground)
    return {
        made.__name__: await ground.engine.database.collection(made).find().sort("_id").to_list()
        for made in MADE
    }


async def offer(ground: Playground, tenant: TenantId = SHOP, **fields: object) -> ProductId:
    """Sell something new, priced as given: one crust must be chosen with it."""
    number = next(_NAMES)
    product: dict[str, object] = {
        "rId": f"prod:special-{number}",
        "subDomain": tenant,
        "name": f"Special {number}",
        "description": "Today only.",
        "categoryId": "cat:pizza",
        "category": "Pizza",
        "basePrice": 10.0,
        "isActive": True,
        "isAvailable": True,
        "sortOrder": 1000 + number,
        "presentations": [],
        "modifiers": [choices("group:crust", "mod:classic-crust", "mod:stuffed-crust")],
    }
    rows = ground.engine.database.collection(ProductDocument)
    await rows.insert_one(product | fields)
    return ProductId(str(product["rId"]))


def choices(group: str, *modifiers: str, least: int = 1, most: int = 1) -> dict[str, object]:
    """A modifier group inside a product, as the Node back end writes it."""
    kind = "single" if most == 1 else "multiple"
    rule = {"groupId": group, "name": "Crust", "min": least, "max": most, "type": kind}
    return rule | {"modifiers": list(modifiers)}


async def change(ground: Playground, product: str, **fields: object) -> None:
    """Change a product behind everybody's back, as the Node back end does."""
    rows = ground.engine.database.collection(ProductDocument)
    found = await rows.update_one({"rId": product, "subDomain": SHOP}, {"$set": fields})
    assert found.matched_count == 1


async def meta_status(ground: Playground, flow_id: str, status: str) -> None:
    """Let Meta's monitoring give a Flow another status, and tell the engine."""
    answer = await ground.sandbox.post(f"/sandbox/flows/{flow_id}", json={"status": status})
    assert answer.json()["status"] == 200


async def heal(ground: Playground) -> None:
    """Forget that Meta held Flows, that it has none, and that time has passed."""
    clock = ground.engine.clock
    assert isinstance(clock, ManualClock)
    clock.set(EVENING)
    for flow in (await ground.sandbox.get("/sandbox/flows")).json():
        if flow["status"] in ("BLOCKED", "THROTTLED"):
            await meta_status(ground, flow["id"], "PUBLISHED")
    rows = ground.engine.database.collection(DeploymentDocument)
    published = {"status": "PUBLISHED", "heldUntil": None, "updatedAt": EVENING}
    await rows.update_many({}, {"$set": published})
    await ground.offer_flows(SHOP, offered=True)
