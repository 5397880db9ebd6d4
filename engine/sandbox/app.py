"""Puts the sandbox together: Graph routes, control routes and the answer to refusals; no rules."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.sandbox.access import unknown_path
from engine.sandbox.control import Control
from engine.sandbox.courier import Courier
from engine.sandbox.device.routes import Devices
from engine.sandbox.encryption import Encryption
from engine.sandbox.envelope import GraphRefusal, error_envelope
from engine.sandbox.flows import Flows
from engine.sandbox.messages import Messages
from engine.sandbox.options import SandboxOptions
from engine.sandbox.state import RefusedRequest, World

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def create_sandbox(options: SandboxOptions | None = None) -> Starlette:
    """Create a sandbox as an application; nothing of it is shared with another one."""
    options = options or SandboxOptions()
    world = World(options.phones, options.faults)
    courier = Courier(world, options)

    async def answer_refusal(request: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, GraphRefusal)
        record = _record(len(world.refusals) + 1, request, refusal, await request.body())
        world.refusals.append(record)
        await world.ring()
        envelope = error_envelope(refusal.complaint, trace=f"sandbox{record.n}")
        return JSONResponse(envelope, status_code=refusal.http_status)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await courier.close()

    return Starlette(
        routes=[
            *Devices(world, courier, options).routes(),
            *Control(world, courier, options).routes(),
            *Messages(world, courier, options).routes(),
            *Encryption(world).routes(),
            *Flows(world, courier, options).routes(),
            Route("/{path:path}", _refuse_path, methods=METHODS),
        ],
        exception_handlers={GraphRefusal: answer_refusal},
        lifespan=lifespan,
    )


async def _refuse_path(request: Request) -> Response:
    raise unknown_path(request)


def _record(n: int, request: Request, refusal: GraphRefusal, raw: bytes) -> RefusedRequest:
    body: object
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = raw.decode(errors="replace")
    return RefusedRequest(
        n=n,
        path=request.scope["path"],
        http_status=refusal.http_status,
        code=refusal.complaint.code,
        details=refusal.complaint.reason,
        body=body,
        injected=refusal.injected,
    )
