"""A tenant's Flows, the sandbox as Meta over HTTP, and a database in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from engine.clock import ManualClock
from engine.deployment.calls import FlowCalls
from engine.deployment.deployer import Deployer
from engine.domain.ids import TenantId
from engine.domain.menu import Menu
from engine.flow_ports import Deployment
from engine.flows.document import FlowJson
from engine.graph.client import GraphClient
from engine.graph.flows import GraphFlows
from engine.ports import Business
from engine.sandbox import SandboxOptions, create_sandbox, serving
from engine.spec.problems import Span
from engine.web.flows import FlowDoors
from engine.whatsapp.flow_crypto import FlowKey
from tests.memory import MemoryCatalog, MemoryFlowKeys, MemoryStore
from tests.unit.sandbox.flow_samples import product

SHOP, WABA = TenantId("shop"), "waba-shop"
NUMBERS = ("101", "102")
SECRET = "app secret"
FILE = "flows/size.yaml"
NOW = datetime(2030, 6, 14, 12, tzinfo=UTC)
KEY, OTHER_KEY = FlowKey.generate(), FlowKey.generate()
MENU = Menu.model_validate(
    {
        "categories": {"cat:pizza": {"name": "Pizza"}},
        "groups": {},
        "products": {
            "prod:margherita": {"name": "Margherita", "category": "cat:pizza", "price": 10},
            "prod:huge": {"name": "Huge", "category": "cat:pizza", "price": 10},
        },
    }
)


def flow_json(language: str = "en", *, flow: str = "size", **changes: Any) -> FlowJson:
    """Make a Flow whose second screen lies at line 40, and the text on it at line 44."""
    document = product() | changes
    places = {
        (): Span(FILE, 1, 1),
        ("screens", 1): Span(FILE, 40, 3),
        ("screens", 1, "layout", "children", 0): Span(FILE, 44, 7),
    }
    return FlowJson(flow, language, document, places)


def titled(title: str, language: str = "en") -> FlowJson:
    """Make the Flow with another title of its first screen."""
    made = flow_json(language)
    screens = [made.document["screens"][0] | {"title": title}, *made.document["screens"][1:]]
    return replace(made, document={**made.document, "screens": screens})


def refused(language: str = "en") -> FlowJson:
    """Make the Flow with a component on its second screen that no phone knows."""
    made = flow_json(language)
    first, second, *rest = made.document["screens"]
    layout = {**second["layout"], "children": [{"type": "Hologram"}]}
    screens = [first, {**second, "layout": layout}, *rest]
    return replace(made, document={**made.document, "screens": screens})


@dataclass
class Content:
    """A tenant's Flows as a test sets them."""

    held: tuple[FlowJson, ...]

    async def flows(self, tenant):
        return self.held

    def flow_for(self, tenant, product):
        return None if product.id == "prod:huge" else "size"


@dataclass
class MemoryBusinesses:
    """The tenants' documents."""

    held: dict[TenantId, Business] = field(default_factory=dict)

    async def by_tenant(self, tenant):
        return self.held.get(tenant)

    async def map_flow(self, tenant, key, meta_id):
        known = self.held[tenant]
        mapping = {**(known.flow_mapping or {}), key: meta_id}
        self.held[tenant] = replace(known, flow_mapping=mapping)


class Watched:
    """Calls that are counted and, at a test's word, do not come back or fail.

    Args:
        inner: whose calls they are.
    """

    def __init__(self, inner: Any, watch: "Watch") -> None:
        self._inner = inner
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)

        async def watched(*given: Any, **named: Any) -> Any:
            self._watch.before(name)
            try:
                return await call(*given, **named)
            finally:
                self._watch.after(name)

        return watched


class PowerCut(Exception):
    """The process ends here."""


WRITES = {
    "create", "metadata", "upload", "publish", "deprecate", "set_public_key", "save", "map_flow",
}  # fmt: skip


@dataclass
class Watch:
    """What was called, and where the power is cut: before or after the n-th write.

    Args:
        failing: by name of a call, what it raises instead.
    """

    calls: list[str] = field(default_factory=list)
    cut_before: int = 0
    cut_after: int = 0
    failing: dict[str, Exception] = field(default_factory=dict)

    @property
    def writes(self) -> list[str]:
        return [name for name in self.calls if name in WRITES]

    def before(self, name: str) -> None:
        if name in WRITES and len(self.writes) + 1 == self.cut_before:
            raise PowerCut
        self.calls.append(name)
        if name in self.failing:
            raise self.failing[name]

    def after(self, name: str) -> None:
        if name in WRITES and len(self.writes) == self.cut_after:
            raise PowerCut


@dataclass
class Scene:
    """A tenant with a key and two Flows, none of them deployed."""

    meta: httpx.AsyncClient
    graph: GraphClient
    content: Content
    keys: MemoryFlowKeys
    businesses: MemoryBusinesses
    store: MemoryStore
    clock: ManualClock
    watch: Watch
    public_url: str
    deployer: Deployer

    async def deploy(self, **named: Any) -> Any:
        """Deploy the tenant's Flows."""
        return await self.deployer.deploy(SHOP, **named)

    async def wanted(self) -> Any:
        return await self.deployer.wanted(SHOP)

    def watched(self, **cuts: int) -> Watch:
        """Begin another watch, and give it."""
        self.watch.__init__(**cuts)  # type: ignore[misc]
        return self.watch

    async def flows(self) -> dict[str, Any]:
        """Give what Meta keeps, by name."""
        answer = await self.meta.get("/sandbox/flows")
        return {flow["name"]: flow for flow in answer.json()}

    async def flow(self, name: str = "size_en") -> Any:
        return (await self.flows())[name]

    async def rows(self) -> dict[str, Deployment]:
        return {row.key: row for row in await self.store.deployments.all()}

    @property
    def mapping(self) -> dict[str, str]:
        return dict(self.businesses.held[SHOP].flow_mapping or {})

    @property
    def calls(self) -> FlowCalls:
        return GraphFlows(self.graph, "token")

    async def become(self, flow_id: str, status: str) -> None:
        """Let Meta change the status of a Flow."""
        answer = await self.meta.post(f"/sandbox/flows/{flow_id}", json={"status": status})
        answer.raise_for_status()

    def business(self, **changes: Any) -> None:
        self.businesses.held[SHOP] = replace(self.businesses.held[SHOP], **changes)


class House:
    """The sandbox, one in which published Flows cannot be edited, and the tenants' door."""

    def __init__(self, urls: dict[bool, str], door: str) -> None:
        self.urls = urls
        self.door = door
        self.keys = MemoryFlowKeys()
        self.is_open = True

    @asynccontextmanager
    async def scene(self, *, is_frozen: bool = False) -> AsyncIterator[Scene]:
        """Give a tenant before an empty Meta."""
        self.keys.held = {SHOP: KEY}
        self.is_open = True
        async with httpx.AsyncClient(base_url=self.urls[is_frozen]) as meta:
            await meta.post("/sandbox/reset")
            for number in NUMBERS:
                await register(meta, number, self.door)
            graph = GraphClient(self.urls[is_frozen], "v26.0")
            try:
                yield self._scene(meta, graph)
            finally:
                await graph.close()

    def _scene(self, meta: httpx.AsyncClient, graph: GraphClient) -> Scene:
        content = Content((flow_json("en"), flow_json("es")))
        business = Business(SHOP, "Shop", NUMBERS, "token", WABA)
        businesses, store = MemoryBusinesses({SHOP: business}), MemoryStore(MemoryCatalog(MENU))
        watch, clock = Watch(), ManualClock(NOW)
        store_seen = MemoryStore(store.catalog)
        store_seen.deployments = Watched(store.deployments, watch)
        deployer = Deployer(
            content=content,
            businesses=Watched(businesses, watch),
            keys=self.keys,
            stores=lambda tenant: store_seen,
            graph=lambda token: Watched(GraphFlows(graph, token), watch),
            clock=clock,
            public_url=self.door,
            is_development=True,
        )
        return Scene(
            meta, graph, content, self.keys, businesses, store, clock, watch, self.door, deployer
        )


async def register(meta: httpx.AsyncClient, number: str, door: str, *, waba: str = WABA) -> None:
    """Give Meta a phone number."""
    answer = await meta.post(
        "/sandbox/phones",
        json={
            "phone_number_id": number,
            "display_phone_number": "+15550000000",
            "token": "token",
            "callback_url": f"{door}/whatsapp_response",
            "app_secret": SECRET,
            "waba_id": waba,
        },
    )
    answer.raise_for_status()


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    """Serve everything while the block runs."""
    built: list[House] = []
    doors = FlowDoors(
        app_secret=SECRET,
        exchanges=lambda: None,  # type: ignore[arg-type,return-value]
        keys=lambda: built[0].keys,
        tenants=lambda name: built[0].is_open and name == SHOP,
        is_plain_allowed=False,
    )

    async def webhook(_):
        return PlainTextResponse("OK")

    routes = [*doors.routes(), Route("/whatsapp_response", webhook, methods=["POST"])]
    options = SandboxOptions(retry_delays=())
    async with (
        serving(Starlette(routes=routes)) as door,
        serving(create_sandbox(options)) as soft,
        serving(create_sandbox(replace(options, frozen_flows=True))) as frozen,
    ):
        built.append(House({False: soft, True: frozen}, door))
        yield built[0]
