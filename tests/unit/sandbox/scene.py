"""The scene of the sandbox's tests: a sandbox and a recording engine, both over real HTTP."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.sandbox import Customer, PhoneNumber, SandboxOptions, create_sandbox, serving
from tests.unit.sandbox.flow_samples import product, written

SHOP = PhoneNumber(
    phone_number_id="106540352242922",
    display_phone_number="+1 555 078-3881",
    token="token-shop",
    callback_url="",
    app_secret="s3cret-ñ",
    waba_id="102290129340398",
    business_id="385001",
)
ANA = "5491122223333"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Webhook:
    raw: bytes
    signature: str

    @property
    def body(self):
        return json.loads(self.raw)

    @property
    def value(self):
        (entry,) = self.body["entry"]
        (change,) = entry["changes"]
        return change["value"]

    @property
    def message(self):
        (message,) = self.value["messages"]
        return message

    @property
    def status(self):
        (status,) = self.value["statuses"]
        return status


class RecordingEngine:
    """Stands where the engine will be: keeps the bytes and answers what it is told to."""

    def __init__(self) -> None:
        self.webhooks: list[Webhook] = []
        self.answers: list[int] = []
        self.open = asyncio.Event()
        self.open.set()
        self._arrived = asyncio.Condition()

    async def take(self, request: Request) -> Response:
        raw = await request.body()
        async with self._arrived:
            self.webhooks.append(Webhook(raw, request.headers["X-Hub-Signature-256"]))
            self._arrived.notify_all()
        await self.open.wait()
        return Response(status_code=self.answers.pop(0) if self.answers else 200)

    async def until(self, number: int) -> list[Webhook]:
        async with asyncio.timeout(10), self._arrived:
            await self._arrived.wait_for(lambda: len(self.webhooks) >= number)
        return self.webhooks

    async def statuses(self, number: int) -> list[Json]:
        return [webhook.status for webhook in await self.until(number)]


@dataclass(slots=True)
class FrozenClock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass(slots=True)
class Wamids:
    last: int = 0

    def __call__(self) -> str:
        self.last += 1
        return f"wamid.{self.last:04d}"


@dataclass(slots=True)
class Scene:
    http: httpx.AsyncClient
    engine: RecordingEngine
    clock: FrozenClock
    number: PhoneNumber

    async def register(self) -> None:
        answer = await self.http.post("/sandbox/phones", json=asdict(self.number))
        answer.raise_for_status()

    async def send(
        self,
        body: Json,
        *,
        version: str = "v23.0",
        number_id: str | None = None,
        token: str | None = None,
    ) -> httpx.Response:
        return await self.http.post(
            f"/{version}/{number_id or self.number.phone_number_id}/messages",
            json=body,
            headers={"Authorization": f"Bearer {token or self.number.token}"},
        )

    async def graph(self, method: str, path: str, *, token: str = "", **more) -> httpx.Response:
        """Make a Graph request about something else than messages."""
        bearer = {"Authorization": f"Bearer {token or self.number.token}"}
        return await self.http.request(method, f"/v23.0/{path}", headers=bearer, **more)

    async def flow(self, document: Json | None = None, name: str = "customise", **more) -> str:
        """Create a Flow and return its id; without a document it is the sample with endpoint."""
        body = {"name": name, "categories": ["OTHER"], "flow_json": written(document or product())}
        answer = await self.graph("POST", f"{self.number.waba_id}/flows", json=body | more)
        assert answer.status_code == 200, answer.text
        flow_id: str = answer.json()["id"]
        return flow_id

    async def deliveries(self, number: int) -> list[Json]:
        query = {"count": number, "wait": 10}
        rows: list[Json] = (await self.http.get("/sandbox/deliveries", params=query)).json()
        return rows

    async def refusals(self) -> list[Json]:
        rows: list[Json] = (await self.http.get("/sandbox/refusals")).json()
        return rows

    async def fault(self, **fault) -> None:
        (await self.http.post("/sandbox/faults", json=fault)).raise_for_status()

    def customer(self, phone: str = ANA, **profile) -> Customer:
        return Customer(self.http, phone, self.number.phone_number_id, **profile)


@dataclass(slots=True)
class Stage:
    """One sandbox and one server for engines; each scene has an engine behind a door of its own,
    so that what is still on its way from the last scene does not reach the next one."""

    http: httpx.AsyncClient
    engine_url: str
    clock: FrozenClock
    wamids: Wamids
    engines: list[RecordingEngine]

    async def scene(self) -> Scene:
        (await self.http.post("/sandbox/reset")).raise_for_status()
        self.clock.now, self.wamids.last = NOON, 0
        url = f"{self.engine_url}/{len(self.engines)}/whatsapp_response"
        self.engines.append(RecordingEngine())
        number = replace(SHOP, callback_url=url)
        scene = Scene(self.http, self.engines[-1], self.clock, number)
        await scene.register()
        return scene


@asynccontextmanager
async def stage(**options: Any) -> AsyncIterator[Stage]:
    """Serve a sandbox with these options, and engines."""
    engines: list[RecordingEngine] = []
    clock, wamids = FrozenClock(), Wamids()

    async def take(request: Request) -> Response:
        door: int = request.path_params["door"]
        return await engines[door].take(request)

    doors = Starlette(routes=[Route("/{door:int}/whatsapp_response", take, methods=["POST"])])
    known: dict[str, Any] = {"clock": clock, "wamids": wamids, "retry_delays": (0.0, 0.0)}
    known["batch_delay"] = 0.0
    sandbox = create_sandbox(SandboxOptions(**known | options))
    async with (
        serving(doors) as engine_url,
        serving(sandbox) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as http,
    ):
        yield Stage(http, engine_url, clock, wamids, engines)
        for engine in engines:
            engine.open.set()


@asynccontextmanager
async def staged(**options: Any) -> AsyncIterator[Scene]:
    """Play one scene on a stage of its own, with these options of the sandbox."""
    async with stage(**options) as own:
        yield await own.scene()


def text_to(phone: str = ANA, body: str = "hola", **more) -> Json:
    return {
        "messaging_product": "whatsapp",
        "to": phone,
        "type": "text",
        "text": {"body": body},
    } | more


def hmac_sha256(key: bytes, message: bytes) -> str:
    """RFC 2104 by hand, so that a wrong use of `hmac` in the sandbox cannot agree with itself."""
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).hexdigest()


def well_signed(webhook: Webhook, secret: str = SHOP.app_secret) -> bool:
    return webhook.signature == f"sha256={hmac_sha256(secret.encode(), webhook.raw)}"
