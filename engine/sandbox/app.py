"""Puts the sandbox together: Graph routes, control routes and the answer to refusals; no rules."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from engine.sandbox.access import unknown_path
from engine.sandbox.account_control import AccountControl
from engine.sandbox.batches import Batches
from engine.sandbox.catalog_calls import CatalogCalls
from engine.sandbox.catalog_control import CatalogControl
from engine.sandbox.catalogs import Catalogs
from engine.sandbox.commerce import Commerce
from engine.sandbox.control import Control
from engine.sandbox.courier import Courier
from engine.sandbox.debug_token import DebugToken
from engine.sandbox.device.routes import Devices
from engine.sandbox.encryption import Encryption
from engine.sandbox.envelope import GraphRefusal, error_envelope
from engine.sandbox.flows import Flows
from engine.sandbox.items_batch import ItemsBatch
from engine.sandbox.messages import Messages
from engine.sandbox.numbers import Numbers
from engine.sandbox.objects import Objects
from engine.sandbox.options import SandboxOptions
from engine.sandbox.product_sets import ProductSets
from engine.sandbox.staff_control import StaffControl
from engine.sandbox.state import RefusedRequest, World
from engine.sandbox.subscriptions import Subscriptions
from engine.sandbox.template_edits import TemplateEdits
from engine.sandbox.templates import Templates
from engine.sandbox.trouble_control import TroubleControl
from engine.sandbox.webhook_fields import WebhookFields

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def create_sandbox(options: SandboxOptions | None = None) -> Starlette:
    """Create a sandbox as an application; nothing of it is shared with another one."""
    options = options or SandboxOptions()
    world = World(
        options.phones,
        options.faults,
        holds_batches=options.hold_batches,
        trouble=options.trouble,
        stopwatch=options.stopwatch,
        clock=options.clock,
    )
    courier = Courier(world, options)
    batches = Batches(world, courier, options)

    async def answer_refusal(request: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, GraphRefusal)
        record = _record(len(world.refusals) + 1, request, refusal, await request.body())
        world.refusals.append(record)
        world.bell.ring("refusals")
        envelope = error_envelope(refusal.complaint, trace=f"sandbox{record.n}")
        return JSONResponse(
            envelope, status_code=refusal.http_status, headers=dict(refusal.headers)
        )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await batches.forget()
        await courier.close()

    return Starlette(
        routes=_routes(world, courier, batches, options),
        exception_handlers={GraphRefusal: answer_refusal},
        lifespan=lifespan,
    )


def _routes(
    world: World, courier: Courier, batches: Batches, options: SandboxOptions
) -> list[BaseRoute]:
    calls = CatalogCalls(world, options)
    flows = Flows(world, courier, options)
    catalogs, sets = Catalogs(world, calls), ProductSets(world, calls)
    numbers, edits = Numbers(world), TemplateEdits(world, options)
    kinds = (
        flows.objects(),
        catalogs.objects(),
        sets.objects(),
        numbers.objects(),
        edits.objects(),
    )
    return [
        *Devices(world, courier, options).routes(),
        *TroubleControl(world).routes(),
        *AccountControl(world).routes(),
        *CatalogControl(world, batches).routes(),
        *Templates(world, courier, options).routes(),
        *StaffControl(world, courier, options).routes(),
        *Control(world, courier, batches, options).routes(),
        *Messages(world, courier, options).routes(),
        *Encryption(world).routes(),
        *flows.routes(),
        *Subscriptions(world, catalogs).routes(),
        *WebhookFields(world, options).routes(),
        *catalogs.routes(),
        *sets.routes(),
        *ItemsBatch(world, batches, calls, options).routes(),
        *Commerce(world, calls).routes(),
        *DebugToken(world).routes(),
        *Objects(world, kinds).routes(),
        Route("/{path:path}", _refuse_path, methods=METHODS),
    ]


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
