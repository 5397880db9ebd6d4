"""The HTTP doors of orders: whoever runs the kitchen sees one and moves it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.errors import EngineError, Malformed, UnknownTenant
from engine.logs import reason as reason_of_error
from engine.row_ports import OperatorOrders
from engine.runtime.order_answers import answer, number_of, reason_of, refused, status_of
from engine.web.bearer import refusal
from engine.web.bodies import MAX_BODY
from engine.web.requests import REFUSALS, Statuses, read_body
from engine.web.requests import status_of as http_status_of
from engine.whatsapp.json_values import load

ORDER: Final = "/orders/{tenant}/{number}"


class NoSuchOrder(EngineError):
    """A tenant has no order of that number."""


class IllegalMove(EngineError):
    """An order cannot take that status from the one it has."""


STATUS: Final[Statuses] = REFUSALS | {
    UnknownTenant: 404,
    NoSuchOrder: 404,
    IllegalMove: 409,
    EngineError: 500,
}

log = structlog.get_logger(__name__)


class OrderDoors:
    """The routes of orders.

    Args:
        admin_token: opens them; empty keeps them shut.
        orders: gives a tenant's orders, or raises Unavailable.
        tenants: tells whether a tenant is served.
    """

    def __init__(
        self,
        *,
        admin_token: str,
        orders: Callable[[TenantId], OperatorOrders],
        tenants: Callable[[str], bool],
        clock: Clock,
    ) -> None:
        self._admin_token = admin_token
        self._orders = orders
        self._tenants = tenants
        self._clock = clock

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route(ORDER, self.show, methods=["GET"]),
            Route(f"{ORDER}/status", self.move, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Give one order."""
        return await self._answered(request, self._shown)

    async def move(self, request: Request) -> Response:
        """Give an order another status; its customer is told of it."""
        return await self._answered(request, self._moved)

    async def _answered(
        self,
        request: Request,
        work: Callable[[Request, OperatorOrders], Awaitable[Mapping[str, Any]]],
    ) -> Response:
        refused_door = refusal(request, self._admin_token)
        if refused_door:
            return refused_door
        name = request.path_params["tenant"]
        try:
            if not self._tenants(name):
                raise UnknownTenant("there is no such tenant")
            return JSONResponse(await work(request, self._orders(TenantId(name))))
        except EngineError as error:
            status = http_status_of(error, STATUS) or 500
            said = reason_of_error(error) if status >= 500 else type(error).__name__
            log.warning("operator.order_refused", status=status, reason=said)
            return JSONResponse({"error": str(error)}, status)
        except ClientDisconnect:
            return Response(status_code=400)

    async def _shown(self, request: Request, orders: OperatorOrders) -> Mapping[str, Any]:
        found = await orders.show(number_of(request.path_params["number"]))
        if found is None:
            raise NoSuchOrder("there is no such order")
        return answer(found)

    async def _moved(self, request: Request, orders: OperatorOrders) -> Mapping[str, Any]:
        number = number_of(request.path_params["number"])
        status, reason = _asked(load(await read_body(request, MAX_BODY)))
        asked = await orders.move(
            number, status_of(status), at=self._clock.now(), reason=reason_of(reason)
        )
        if asked is None:
            raise NoSuchOrder("there is no such order")
        if not asked.is_legal:
            raise IllegalMove(refused(asked))
        log.info("operator.order_moved", status=asked.status.value, before=asked.before)
        return {"number": number, "status": asked.status.value, "before": asked.before}


def _asked(body: object) -> tuple[str, str]:
    """Read the status and the reason.

    Raises:
        Malformed: the body is something else.
    """
    if not isinstance(body, dict):
        raise Malformed("the body must be a JSON object")
    odd = sorted(map(str, set(body) - {"status", "reason"}))
    if odd:
        raise Malformed(f"'{odd[0][:40]}' is no key here; there are 'status' and 'reason'")
    status, reason = body.get("status"), body.get("reason", "")
    if not isinstance(status, str) or not isinstance(reason, str):
        raise Malformed("'status' must be a text, and 'reason' too if it is given")
    return status, reason
