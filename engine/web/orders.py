"""The HTTP doors of orders: whoever runs the kitchen sees one and moves it."""

from collections.abc import Callable, Mapping
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.errors import EngineError, Malformed
from engine.row_ports import OperatorOrders
from engine.runtime.order_answers import answer, number_of, reason_of, refused, status_of
from engine.web.bodies import MAX_BODY
from engine.web.desk import Desk
from engine.web.requests import Statuses, read_body
from engine.whatsapp.json_values import load

ORDER: Final = "/orders/{tenant}/{number}"
DOOR: Final = "orders"


class NoSuchOrder(EngineError):
    """A tenant has no order of that number."""


class IllegalMove(EngineError):
    """An order cannot take that status from the one it has."""


STATUS: Final[Statuses] = {NoSuchOrder: 404, IllegalMove: 409}

log = structlog.get_logger(__name__)


class OrderDoors:
    """The routes of orders.

    Args:
        orders: gives a tenant's orders, or raises Unavailable.
    """

    def __init__(
        self, desk: Desk, *, orders: Callable[[TenantId], OperatorOrders], clock: Clock
    ) -> None:
        self._desk = desk
        self._orders = orders
        self._clock = clock

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route(ORDER, self.show, methods=["GET"]),
            Route(f"{ORDER}/status", self.move, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Give one order."""
        return await self._desk.answered(request, self._shown, door=DOOR, statuses=STATUS)

    async def move(self, request: Request) -> Response:
        """Give an order another status; its customer is told of it."""
        return await self._desk.answered(request, self._moved, door=DOOR, statuses=STATUS)

    async def _shown(self, request: Request, tenant: TenantId) -> Mapping[str, object]:
        found = await self._orders(tenant).show(number_of(request.path_params["number"]))
        if found is None:
            raise NoSuchOrder("there is no such order")
        return answer(found)

    async def _moved(self, request: Request, tenant: TenantId) -> Mapping[str, object]:
        number = number_of(request.path_params["number"])
        status, reason = _asked(load(await read_body(request, MAX_BODY)))
        asked = await self._orders(tenant).move(
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
