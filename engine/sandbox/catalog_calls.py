"""What the routes for catalogues have in common: calls are noted and may go wrong on purpose.

What a call asks for is not looked at here.
"""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.responses import Response

from engine.sandbox.access import decoded, parameters
from engine.sandbox.catalog_state import CatalogCall, CatalogFault
from engine.sandbox.cut_off import CutOff
from engine.sandbox.envelope import Complaint, GraphRefusal, JsonObject, invalid
from engine.sandbox.options import SandboxOptions
from engine.sandbox.shapes import Shape
from engine.sandbox.state import World

Endpoint = Callable[[Request], Awaitable[Response]]
ROUTES = (
    "any",
    "owned_product_catalogs",
    "catalog",
    "items_batch",
    "check",
    "products",
    "product_sets",
    "product_set",
    "product_catalogs",
    "commerce_settings",
    "subscribed_apps",
)
USAGE_HEADER = "X-Business-Use-Case-Usage"
RATE_CODES = (80009, 80014)


@dataclass(frozen=True, slots=True)
class CatalogCalls:
    """The calls about catalogues."""

    world: World
    options: SandboxOptions

    def noted(self, route: str, endpoint: Endpoint) -> Endpoint:
        """Return an endpoint whose calls are noted, and meet the faults that wait for them."""

        async def take(request: Request) -> Response:
            trade = self.world.trade
            at = self.options.clock().isoformat()
            path = request.scope["path"]
            call = CatalogCall(len(trade.calls) + 1, route, request.method, path, at)
            trade.calls.append(call)
            request.state.catalog_call = call
            # Read at once: what refuses the request wants to keep it.
            await request.body()
            try:
                answer = await self._suffer(trade.take_fault(route), request, endpoint)
            except GraphRefusal as refusal:
                call.code = refusal.complaint.code
                raise
            finally:
                self.world.bell.ring("calls")
            call.code = None if isinstance(answer, CutOff) else 0
            return answer

        return take

    async def _suffer(
        self, fault: CatalogFault | None, request: Request, endpoint: Endpoint
    ) -> Response:
        if fault is not None and fault.kind == "refuse":
            reason = Complaint(fault.code, "Injected by the sandbox")
            headers = self._held_up(request) if fault.code in RATE_CODES else {}
            raise GraphRefusal(
                reason, http_status=fault.http_status, injected=True, headers=headers
            )
        if fault is not None and fault.kind == "drop":
            return CutOff()
        answer = await endpoint(request)
        return answer if fault is None else CutOff()

    def _held_up(self, request: Request) -> dict[str, str]:
        catalog = self.world.trade.catalogs.get(request.path_params.get("object_id", ""))
        return usage("0" if catalog is None else catalog.business_id, percent=100, seconds=60)


def usage(business_id: str, *, percent: int, seconds: float = 0.0) -> dict[str, str]:
    """Return the header that tells how much of the rate for batches of items is used up."""
    used = {
        "type": "catalog_batch",
        "call_count": percent,
        "total_cputime": 0,
        "total_time": 0,
        "estimated_time_to_regain_access": math.ceil(seconds / 60),
    }
    return {USAGE_HEADER: orjson.dumps({business_id: [used]}).decode()}


async def checked(request: Request, wanted: Shape, *written: str) -> JsonObject:
    """Return the parameters of a request, some of which a form or a query has written as JSON."""
    given = decoded(await parameters(request), *written)
    complaint = next(wanted("", given), None)
    if complaint is not None:
        raise invalid(complaint.details)
    return {name: value for name, value in given.items() if value is not None}
