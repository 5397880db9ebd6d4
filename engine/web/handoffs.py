"""The HTTP doors of hand-offs: who is answered by a person, and giving him back to the bot."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.errors import EngineError, Malformed, UnknownTenant
from engine.logs import reason
from engine.runtime.handoff_answers import answer
from engine.staff_ports import HandOffs
from engine.web.bearer import refusal
from engine.web.bodies import MAX_BODY
from engine.web.requests import REFUSALS, Statuses, read_body, status_of
from engine.whatsapp.json_values import load

HANDOFFS: Final = "/api/v1/handoffs/{tenant}"
LONGEST_KEY: Final = 200


class NobodyAnswers(EngineError):
    """No person answers the customer."""


STATUS: Final[Statuses] = REFUSALS | {
    UnknownTenant: 404,
    NobodyAnswers: 404,
    EngineError: 500,
}

log = structlog.get_logger(__name__)


class HandOffDoors:
    """The routes of hand-offs.

    Args:
        admin_token: opens them; empty keeps them shut.
        handoffs: gives a tenant's hand-offs, or raises Unavailable.
        tenants: tells whether a tenant is served.
    """

    def __init__(
        self,
        *,
        admin_token: str,
        handoffs: Callable[[TenantId], HandOffs],
        tenants: Callable[[str], bool],
        clock: Clock,
    ) -> None:
        self._admin_token = admin_token
        self._handoffs = handoffs
        self._tenants = tenants
        self._clock = clock

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route(HANDOFFS, self.list, methods=["GET"]),
            Route(f"{HANDOFFS}/end", self.end, methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        """Give the conversations that a person answers."""
        return await self._answered(request, self._listed)

    async def end(self, request: Request) -> Response:
        """Let the bot answer a customer again; he is in the body, as addresses are logged."""
        return await self._answered(request, self._ended)

    async def _answered(
        self, request: Request, work: Callable[[Request, HandOffs], Awaitable[Mapping[str, Any]]]
    ) -> Response:
        refused = refusal(request, self._admin_token)
        if refused:
            return refused
        name = request.path_params["tenant"]
        try:
            if not self._tenants(name):
                raise UnknownTenant("there is no such tenant")
            return JSONResponse(await work(request, self._handoffs(TenantId(name))))
        except EngineError as error:
            status = status_of(error, STATUS) or 500
            said = reason(error) if status >= 500 else type(error).__name__
            log.warning("operator.handoff_refused", status=status, reason=said)
            return JSONResponse({"error": str(error)}, status)
        except ClientDisconnect:
            return Response(status_code=400)

    async def _listed(self, request: Request, handoffs: HandOffs) -> Mapping[str, Any]:  # noqa: ARG002
        return {"handoffs": [answer(each) for each in await handoffs.list()]}

    async def _ended(self, request: Request, handoffs: HandOffs) -> Mapping[str, Any]:
        customer = _asked(load(await read_body(request, MAX_BODY)))
        if not await handoffs.end(customer, now=self._clock.now()):
            raise NobodyAnswers("no person answers this customer")
        log.info("operator.handoff_ended")
        return {"ended": True}


def _asked(body: object) -> str:
    """Read who it is.

    Raises:
        Malformed: the body is something else.
    """
    if not isinstance(body, dict) or set(body) != {"customer"}:
        raise Malformed("the body must be a JSON object with the key 'customer' alone")
    customer = body["customer"]
    if not isinstance(customer, str) or not 0 < len(customer.strip()) <= LONGEST_KEY:
        raise Malformed("'customer' must be a customer's key or phone number")
    return customer.strip()
