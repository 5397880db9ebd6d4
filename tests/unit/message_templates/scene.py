"""A tenant with a database, and the sandbox as Meta, which wants templates to be approved."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.box_ports import OutboxEntry
from engine.clock import ManualClock, SeededIds
from engine.domain.ids import CustomerKey, TenantId
from engine.graph.client import GraphClient
from engine.graph.templates import GraphTemplates
from engine.message_templates.news import TemplateNews
from engine.message_templates.synced import Step, TemplateSync
from engine.message_templates.watch import TemplateWatch
from engine.ports import Business
from engine.runtime.pace import Pace
from engine.runtime.sender import Sender
from engine.sandbox import PhoneNumber, SandboxOptions, create_sandbox, serving
from engine.storage.connection import Database, Json
from engine.storage.message_templates import MongoMessageTemplates
from engine.storage.meta_records import MessageTemplateDocument
from engine.storage.outbox import MongoOutbox, entry_to_disk
from engine.storage.records import OutboxDocument
from engine.whatsapp.templates import Definition
from tests.unit.storage.builders import ANA, EVERY_SLOT, NOW, PIZZERIA, outbox_entry

TOKEN, WABA, NUMBER = "the token", "102290129340398", "111"
READY = Definition(
    "order_ready", "en_US", "utility", "Your order {{1}} is ready now.", 1, examples=("K7M2QX",)
)
DAY = timedelta(days=1)


@dataclass
class Office:
    """What a tenant has, and Meta.

    Args:
        is_deaf: webhooks get lost.
    """

    database: Database
    clock: ManualClock
    meta: httpx.AsyncClient
    graph: GraphClient
    is_deaf: bool = False
    served: list[TenantId] = field(default_factory=lambda: [PIZZERIA])
    refused: list[int] = field(default_factory=list)
    listed: int = 0

    def __post_init__(self) -> None:
        self.known = MongoMessageTemplates(self.database, clock=self.clock)
        self.outbox = MongoOutbox(self.database, clock=self.clock)
        self.calls = GraphTemplates(self.graph, TOKEN)
        self.business = Business(PIZZERIA, "Pizzeria", (NUMBER,), TOKEN, WABA)
        self.news = TemplateNews(self.known, self.clock)
        self.rows = self.database.collection(OutboxDocument)
        self.sender = Sender(
            outbox=self.outbox, businesses=self, graph=self.graph, clock=self.clock,
            ids=SeededIds(), pace=Pace(share=lambda: 1.0), spoke_at=self._spoke_at,
            refused=self._refuse, approvals=self.known,
        )  # fmt: skip

    # What the parts want ---------------------------------------------------------------------

    async def by_tenant(self, tenant: TenantId) -> Business | None:
        return self.business if tenant == PIZZERIA else None

    by_phone_number_id: Any = None
    tenants_of: Any = None
    map_flow: Any = None
    map_catalog: Any = None
    tenants_of_business: Any = None

    async def _spoke_at(self, tenant: TenantId, customer: CustomerKey) -> Any:
        return NOW

    async def _refuse(self, entry: OutboxEntry, code: int) -> None:
        self.refused.append(code)

    async def templates(self, waba_id: str) -> Any:
        self.listed += 1
        return await self.calls.templates(waba_id)

    create: Any = None
    edit: Any = None

    async def take(self, request: Request) -> Response:
        """Take a webhook, as reception does."""
        if self.is_deaf:
            return Response(status_code=500)
        for entry in orjson.loads(await request.body())["entry"]:
            for change in entry["changes"]:
                await self.news.take(PIZZERIA, change["value"])
        return Response()

    # What somebody does ----------------------------------------------------------------------

    async def sync(self, *definitions: Definition, **options: bool) -> tuple[Step, ...]:
        made = TemplateSync(calls=self.calls, known=self.known, clock=self.clock)
        return await made.sync(PIZZERIA, WABA, definitions or (READY,), **options)

    async def decide(self, status: str, name: str = "order_ready", **more: str) -> None:
        """Let somebody at Meta decide on a template."""
        told = {"status": status} | more
        answer = await self.meta.post(f"/sandbox/templates/{name}/en_US", json=told)
        assert answer.json() == {"statuses": [500 if self.is_deaf else 200]}

    async def at_meta(self) -> list[Json]:
        rows: list[Json] = (await self.meta.get("/sandbox/templates")).json()
        return rows

    def watch(self, is_mine: bool = True) -> TemplateWatch:
        return TemplateWatch(
            known=self.known, calls=lambda token: self, business=self.by_tenant,
            tenants=lambda: self.served, is_mine=lambda _: is_mine, clock=self.clock,
        )  # fmt: skip

    async def put(
        self, n: int = 1, *, name: str = "order_ready", language: str = "en_US"
    ) -> OutboxEntry:
        """Let a template be waiting to be sent."""
        given = [{"type": "body", "parameters": [{"type": "text", "text": f"N{n}"}]}]
        body = {"name": name, "language": {"code": language}, "components": given}
        to = {"messaging_product": "whatsapp", "to": ANA, "type": "template", "template": body}
        made: OutboxEntry = outbox_entry(n=n, sequence=n, at=self.clock.now())
        entry = replace(made, payload=to)
        await self.rows.insert_one(entry_to_disk(entry))
        return entry

    async def relay(self) -> None:
        """Send what is due."""
        for entry in await self.outbox.waiting(EVERY_SLOT, now=self.clock.now()):
            await self.sender.send(entry)

    async def row(self, entry: OutboxEntry) -> Json:
        found = await self.rows.find_one({"_id": entry.id})
        assert found is not None
        return found

    async def states(self) -> list[str]:
        return [row["state"] for row in await self.rows.find().sort("sequence", 1).to_list()]

    async def status(self, name: str = "order_ready", language: str = "en_US") -> str | None:
        return await self.known.status_of(PIZZERIA, name, language)

    async def forget(self) -> None:
        """Lose what is known of templates, as a new database does."""
        await self.database.collection(MessageTemplateDocument).delete_many({})


@asynccontextmanager
async def office(database: Database) -> AsyncIterator[Office]:
    """Serve a sandbox, with a number of the tenant's whose webhooks it takes."""
    clock = ManualClock(NOW)
    opened: list[Office] = []

    async def take(request: Request) -> Response:
        return await opened[0].take(request)

    options = SandboxOptions(clock=clock.now, enforce_templates=True, statuses=False)
    door = Starlette(routes=[Route("/", take, methods=["POST"])])
    async with (
        serving(door) as door_url,
        serving(create_sandbox(options)) as meta_url,
        httpx.AsyncClient(base_url=meta_url) as meta,
    ):
        phone = PhoneNumber(NUMBER, "+15550000000", TOKEN, f"{door_url}/", "secret", WABA)
        body = {name: getattr(phone, name) for name in PhoneNumber.__slots__}
        (await meta.post("/sandbox/phones", json=body)).raise_for_status()
        graph = GraphClient(meta_url, "v26.0")
        opened.append(Office(database, clock, meta, graph))
        yield opened[0]
        await graph.close()
