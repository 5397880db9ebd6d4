"""La Tavola with its Flows deployed, in memory: chats, exchanges, and what Meta says of them."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.box_ports import InboxRow, OutboxEntry
from engine.clock import ManualClock, SeededIds
from engine.domain.cart import CartLine
from engine.domain.ids import CustomerKey, TenantId
from engine.flow_ports import Deployment, FlowSession
from engine.ports import Business
from engine.runtime.bundles import Bundles
from engine.runtime.decision import Decisions
from engine.runtime.exchanges import Exchanges
from engine.runtime.flow_tokens import FlowTokens
from engine.runtime.turns import Turns
from engine.spec.bundle import Bundle
from engine.whatsapp.content import Content, FlowReply, Sender, Tap
from engine.whatsapp.flow_exchange import FlowAnswer, FlowRequest
from engine.whatsapp.inbound import InboundMessage
from tests.memory import MemoryCatalog, MemoryStore
from tests.unit.actions.shop import LIBRARY, OPEN, bundle, menu

TENANT, OTHER = TenantId("la-tavola"), TenantId("dona-lucha")
NUMBER, WABA = "101", "waba-1"
ANA, EVA = CustomerKey("US.1"), CustomerKey("US.2")
PIZZA, SMALL, LARGE = "prod:margherita", "pres:margherita-small", "pres:margherita-large"
FLOW, CHECKOUT = "product_customization", "checkout"
MAPPING = {
    f"{FLOW}:en": "77", f"{FLOW}:es": "78", f"{CHECKOUT}:en": "88", f"{CHECKOUT}:es": "89",
}  # fmt: skip


def deployment(of: str, meta_id: str, **changes: Any) -> Deployment:
    """Give a Flow (`<flow>:<language>`) as it is at Meta."""
    flow, _, language = of.partition(":")
    made = Deployment(
        TENANT, of, flow, language, meta_id, name=of, digest="", endpoint="",
        status="PUBLISHED", updated_at=OPEN,
    )  # fmt: skip
    return replace(made, **changes)


class Businesses:
    """The tenants' documents; both of one WhatsApp account."""

    def __init__(self) -> None:
        self.held = {
            name: Business(name, name, (number,), "token", WABA, flow_mapping=dict(MAPPING))
            for name, number in ((TENANT, NUMBER), (OTHER, "202"))
        }

    async def by_tenant(self, tenant: TenantId) -> Business | None:
        return self.held.get(tenant)

    async def by_phone_number_id(self, number: str) -> Business | None:
        return next((b for b in self.held.values() if number in b.phone_number_ids), None)

    async def tenants_of(self, waba_id: str) -> tuple[TenantId, ...]:
        return tuple(b.tenant for b in self.held.values() if b.waba_id == waba_id)

    async def map_flow(self, tenant: TenantId, key: str, meta_id: str | None) -> None:
        raise AssertionError("nobody deploys here")

    async def map_catalog(self, tenant: TenantId, key: str, catalog_id: str | None) -> None:
        raise AssertionError("nobody syncs here")

    async def tenants_of_business(self, fb_business_id: str) -> tuple[TenantId, ...]:
        return ()


class Meeting:
    """Flow sessions that two readers get before either goes on."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._barrier = asyncio.Barrier(2)
        self._left = 2

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def get(self, session_id: str) -> FlowSession | None:
        found: FlowSession | None = await self._inner.get(session_id)
        if self._left:
            self._left -= 1
            await self._barrier.wait()
        return found


class Shop:
    """The tenant with everything that takes its turns and answers its exchanges.

    Args:
        sent: what exchanges gave to be sent.
    """

    def __init__(self) -> None:
        self.clock = ManualClock(OPEN)
        self.stores = {name: MemoryStore(MemoryCatalog(menu(name))) for name in (TENANT, OTHER)}
        self.store = self.stores[TENANT]
        self.businesses = Businesses()
        self.tokens = FlowTokens("secret")
        self.sent: list[OutboxEntry] = []
        self.bundles = Bundles(LIBRARY)
        for tenant in (TENANT, OTHER):
            self.serve(bundle(tenant))
        parts: dict[str, Any] = {
            "stores": self.stores.__getitem__, "bundles": self.bundles, "tokens": self.tokens,
            "clock": self.clock, "ids": SeededIds(),
        }  # fmt: skip
        decisions = Decisions(
            business=self.businesses.by_tenant,
            tokens=self.tokens, clock=self.clock, ids=parts["ids"],
        )  # fmt: skip
        self.turns = Turns(
            stores=parts["stores"], bundles=self.bundles, decisions=decisions, ids=parts["ids"]
        )
        self.exchanges = Exchanges(turns=self.turns, send=self.sent.extend, **parts)
        self._messages = 0
        self.token = ""

    def serve(self, made: Bundle) -> None:
        """Serve a bundle."""
        self.bundles._served[made.tenant_id] = made

    # The chat --------------------------------------------------------------------------------

    async def chat(
        self, content: Content, *, who: CustomerKey = ANA, answers: str | None = None
    ) -> tuple[OutboxEntry, ...]:
        """Take the turn of a message."""
        self._messages += 1
        sender = Sender(user_id=who, phone=None, name="Ana")
        name = f"wamid.{self._messages}"
        message = InboundMessage(name, NUMBER, sender, 0, content, answers, {})
        row = InboxRow(f"{NUMBER}:{name}", TENANT, who, 0, self.clock.now(), {})
        return await self.turns.take(row, message)

    async def tap(self, wire_id: str, **more: Any) -> tuple[OutboxEntry, ...]:
        """Take the turn of a tap."""
        return await self.chat(Tap(wire_id, "", "button"), **more)

    async def open(self, product: str = PIZZA, *, who: CustomerKey = ANA) -> FlowSession:
        """Send a customer the Flow of a product, and give its session."""
        (*_, message) = await self.tap(f"customize:{product}", who=who)
        self.store.sent["wamid.flow"] = message
        self.token = opened_by(message)["flow_token"]
        return self.session

    async def reply(
        self, response: Mapping[str, Any], *, who: CustomerKey = ANA, answers: str | None = None
    ) -> tuple[OutboxEntry, ...]:
        """Take the turn of a completion."""
        content = FlowReply(dict(response), response.get("flow_token"))
        return await self.chat(content, who=who, answers=answers)

    # Exchanges -------------------------------------------------------------------------------

    @property
    def session(self) -> FlowSession:
        """Give the session of the Flow that was sent last, as it is stored."""
        held: Mapping[str, FlowSession] = self.store.flow_sessions.held  # type: ignore[attr-defined]
        return held[self.tokens.session_id(self.token) or ""]

    async def ask(
        self,
        action: Any,
        screen: str | None = None,
        *,
        token: str | None = None,
        flow: str | None = FLOW,
        product: str | None = None,
        tenant: TenantId = TENANT,
        **data: Any,
    ) -> FlowAnswer:
        """Ask for the next screen."""
        request = FlowRequest(
            action, "4.0", screen, data, self.token if token is None else token, None
        )
        return await self.exchanges.take(tenant, request, flow=flow, product=product)

    async def go(self, steps: int = 3) -> FlowAnswer:
        """Open the Flow of the pizza and fill in so many of its screens: two of the largest."""
        answer = await self.ask("INIT")
        filled: list[dict[str, Any]] = [
            {"selected_size": LARGE, "quantity": "2"},
            {"modifiers_1_one": "mod:stuffed-crust", "modifiers_2_many": ["mod:bacon"]},
            {"seen": "$46.00"},
        ]
        for data in filled[:steps]:
            answer = await self.ask("data_exchange", answer.body["screen"], **data)
        return answer

    # What is stored --------------------------------------------------------------------------

    def written(self) -> Any:
        """Give everything that was ever written: what refuses an exchange must not change it."""
        return [
            (len(store.committed), dict(store.flow_sessions.held))  # type: ignore[attr-defined]
            for store in self.stores.values()
        ]

    async def lines(self, who: CustomerKey = ANA) -> tuple[CartLine, ...]:
        """Give the lines of a customer's cart."""
        cart = await self.store.carts.get(who)
        return cart.lines if cart else ()

    async def state(self, who: CustomerKey = ANA) -> str:
        """Name the state a customer's conversation is in."""
        held = await self.store.conversations.get(who)
        assert held is not None
        assert held.position is not None
        return held.position.leaf


def opened_by(entry: OutboxEntry) -> Any:
    """Give the parameters of a Flow message."""
    interactive = entry.payload["interactive"]
    assert interactive["type"] == "flow"
    return interactive["action"]["parameters"]


def texts(entries: tuple[OutboxEntry, ...] | list[OutboxEntry]) -> list[str]:
    """Give the bodies of messages, read receipts left out."""
    found = []
    for entry in entries:
        part = entry.payload.get("interactive") or entry.payload.get("text") or {}
        body = part.get("body")
        found += [body["text"] if isinstance(body, dict) else body] if body else []
    return found
