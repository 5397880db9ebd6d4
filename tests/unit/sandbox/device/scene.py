"""The scene of the phone's tests: a sandbox, and a Flow endpoint that is not the engine's.

It decrypts and encrypts with code of its own, so that a wrong use of a cipher on the phone cannot
agree with itself.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import httpx
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.sandbox import Customer, OpenFlow, PhoneNumber, SandboxOptions, serving
from engine.sandbox.batches import Batches
from engine.sandbox.control import Control
from engine.sandbox.courier import Courier
from engine.sandbox.device.routes import Devices
from engine.sandbox.flow_state import Flow
from engine.sandbox.messages import Messages
from engine.sandbox.state import World
from tests.unit.sandbox.device.samples import PIZZA, SIZE_DATA
from tests.unit.sandbox.endpoint import new_key, public_pem
from tests.unit.sandbox.scene import ANA, SHOP, FrozenClock, RecordingEngine, Wamids

Json = dict[str, Any]
TOKEN = "token.1795176000.mac"


KEY, OTHER_KEY = new_key(), new_key()


@dataclass(frozen=True, slots=True)
class Opened:
    """A decrypted request, and what its answer is sealed with."""

    document: Any
    aes: bytes
    iv: bytes

    def seal(self, document: object) -> str:
        return self.seal_bytes(json.dumps(document).encode())

    def seal_bytes(self, raw: bytes) -> str:
        flipped = (int.from_bytes(self.iv) ^ (1 << 128) - 1).to_bytes(16)
        cipher = Cipher(algorithms.AES(self.aes), modes.GCM(flipped)).encryptor()
        sealed = cipher.update(raw) + cipher.finalize()
        return base64.b64encode(sealed + cipher.tag).decode()


def unseal(private: rsa.RSAPrivateKey, raw: bytes) -> Opened:
    envelope = {name: base64.b64decode(value) for name, value in json.loads(raw).items()}
    sha256 = hashes.SHA256()
    oaep = padding.OAEP(padding.MGF1(sha256), sha256, None)
    aes = private.decrypt(envelope["encrypted_aes_key"], oaep)
    iv, sealed = envelope["initial_vector"], envelope["encrypted_flow_data"]
    cipher = Cipher(algorithms.AES(aes), modes.GCM(iv, sealed[-16:])).decryptor()
    return Opened(json.loads(cipher.update(sealed[:-16]) + cipher.finalize()), aes, iv)


@dataclass(frozen=True, slots=True)
class Plain:
    """An answer that is not sealed."""

    status: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed answer with a status of its own."""

    status: int
    document: Json


Script = Json | Plain | Sealed | Callable[[Opened], Plain]


class Endpoint:
    """Stands where the engine's data endpoint will be: answers what it is told to, in order."""

    def __init__(self) -> None:
        self.key = KEY
        self.answers: list[Script] = []
        self.requests: list[Json] = []
        self.complaints: list[Json] = []
        self.raws: list[tuple[bytes, str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self._arrived = asyncio.Condition()

    async def until(self, number: int) -> None:
        async with asyncio.timeout(10), self._arrived:
            await self._arrived.wait_for(lambda: len(self.raws) >= number)

    async def take(self, request: Request) -> Response:
        raw = await request.body()
        async with self._arrived:
            self.raws.append((raw, request.headers["X-Hub-Signature-256"]))
            self._arrived.notify_all()
        await self.open.wait()
        try:
            opened = unseal(self.key, raw)
        except (KeyError, ValueError, InvalidTag):
            return Response(status_code=421)
        if _is_complaint(opened.document):
            self.complaints.append(opened.document)
            return Response(opened.seal({"data": {"acknowledged": True}}))
        self.requests.append(opened.document)
        answer = self.answers.pop(0)
        if callable(answer):
            answer = answer(opened)
        if isinstance(answer, Plain):
            return Response(answer.text, answer.status)
        if isinstance(answer, Sealed):
            return Response(opened.seal(answer.document), answer.status)
        return Response(opened.seal(answer), media_type="text/plain")


def _is_complaint(document: Any) -> bool:
    data = document.get("data") if isinstance(document, dict) else None
    return isinstance(data, dict) and "error" in data


def shows(screen: str, **data: object) -> Json:
    return {"screen": screen, "data": data}


def succeeds(**params: object) -> Json:
    response = {"extension_message_response": {"params": {"flow_token": TOKEN} | params}}
    return {"screen": "SUCCESS", "data": response}


@dataclass(slots=True)
class DeviceScene:
    http: httpx.AsyncClient
    world: World
    engine: RecordingEngine
    endpoint: Endpoint
    clock: FrozenClock
    flow: Flow
    number: PhoneNumber

    def customer(self, phone: str = ANA) -> Customer:
        return Customer(self.http, phone, self.number.phone_number_id)

    def publish(self, document: Json) -> None:
        self.flow.published = deepcopy(document)

    async def offer(self, *, to: str = ANA, **parameters: object) -> str:
        """Send a flow message and return its id; None takes a parameter away."""
        usual = {
            "flow_message_version": "3",
            "flow_id": self.flow.id,
            "flow_cta": "Customise",
            "flow_token": TOKEN,
            "flow_action": "data_exchange",
        }
        given = {name: one for name, one in (usual | parameters).items() if one is not None}
        interactive = {
            "type": "flow",
            "body": {"text": "Make it yours"},
            "action": {"name": "flow", "parameters": given},
        }
        answer = await self.http.post(
            f"/v23.0/{self.number.phone_number_id}/messages",
            json={
                "messaging_product": "whatsapp",
                "to": to,
                "type": "interactive",
                "interactive": interactive,
            },
            headers={"Authorization": f"Bearer {self.number.token}"},
        )
        assert answer.status_code == 200, answer.text
        wamid: str = answer.json()["messages"][0]["id"]
        return wamid

    async def opened(self, *answers: Script, document: Json = PIZZA) -> OpenFlow:
        """Open a Flow with an endpoint; the answers come after the one to INIT."""
        self.publish(document)
        await self.offer()
        self.endpoint.answers = [shows("SIZE", **SIZE_DATA), *answers]
        return await self.customer().open_flow()

    async def navigated(self, document: Json, **data: object) -> OpenFlow:
        """Open a Flow without asking the endpoint."""
        self.publish(document)
        first = document["screens"][0]["id"]
        payload = {"screen": first} | ({"data": data} if data else {})
        await self.offer(flow_action="navigate", flow_action_payload=payload)
        return await self.customer().open_flow()

    async def errors(self) -> list[Json]:
        rows: list[Json] = (await self.http.get("/sandbox/flow-errors")).json()
        return rows

    def replies(self) -> list[Json]:
        messages = [one.message for one in self.engine.webhooks if "messages" in one.value]
        return [one for one in messages if one["type"] == "interactive"]


@dataclass(slots=True)
class DeviceStage:
    """One sandbox; each scene has an engine and an endpoint behind doors of its own."""

    http: httpx.AsyncClient
    world: World
    doors_url: str
    doors: list[tuple[RecordingEngine, Endpoint]]
    clock: FrozenClock = field(default_factory=FrozenClock)

    async def scene(self) -> DeviceScene:
        (await self.http.post("/sandbox/reset")).raise_for_status()
        engine, endpoint = RecordingEngine(), Endpoint()
        url = f"{self.doors_url}/{len(self.doors)}"
        self.doors.append((engine, endpoint))
        number = replace(SHOP, callback_url=f"{url}/webhook")
        (await self.http.post("/sandbox/phones", json=asdict(number))).raise_for_status()
        flow = Flow("F1", SHOP.waba_id, "pizza_en", ["OTHER"], "PUBLISHED", f"{url}/flow")
        self.world.flows[flow.id] = flow
        self.world.public_keys[number.phone_number_id] = public_pem(KEY)
        return DeviceScene(self.http, self.world, engine, endpoint, self.clock, flow, number)


@asynccontextmanager
async def device_stage(*, patience: float = 10.0) -> AsyncIterator[DeviceStage]:
    doors: list[tuple[RecordingEngine, Endpoint]] = []

    async def hear(request: Request) -> Response:
        door: int = request.path_params["door"]
        return await doors[door][0].take(request)

    async def exchange(request: Request) -> Response:
        door: int = request.path_params["door"]
        return await doors[door][1].take(request)

    world, clock = World(), FrozenClock()
    options = SandboxOptions(clock=clock, wamids=Wamids(), statuses=False)
    courier = Courier(world, options)
    devices = Devices(world, courier, options, patience=patience)
    sandbox = Starlette(
        routes=[
            *devices.routes(),
            *Control(world, courier, Batches(world, courier, options), options).routes(),
            *Messages(world, courier, options).routes(),
        ]
    )
    outside = Starlette(
        routes=[
            Route("/{door:int}/webhook", hear, methods=["POST"]),
            Route("/{door:int}/flow", exchange, methods=["POST"]),
        ]
    )
    async with (
        serving(outside) as doors_url,
        serving(sandbox) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as http,
    ):
        yield DeviceStage(http, world, doors_url, doors, clock)
        for _, endpoint in doors:
            endpoint.open.set()
        await courier.close()
