"""The HTTP door through which a customer is forgotten; who he is, is never logged."""

from collections.abc import Callable
from typing import Final

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.errors import Conflict, EngineError, UnknownTenant
from engine.row_ports import Erasure
from engine.runtime.forgetting import NobodyKnown, answer, forget
from engine.web.bearer import refusal
from engine.web.bodies import read_text
from engine.web.requests import REFUSALS, Statuses, status_of

FORGET: Final = "/api/v1/customers/{tenant}/forget"
STATUS: Final[Statuses] = REFUSALS | {
    UnknownTenant: 404,
    NobodyKnown: 404,
    Conflict: 409,
    EngineError: 500,
}

log = structlog.get_logger(__name__)


class ForgetDoors:
    """The route that forgets a customer.

    Args:
        admin_token: opens it; empty keeps it shut.
        erasure: gives what erases a tenant's customers, or raises Unavailable.
        tenants: tells whether a tenant is served.
    """

    def __init__(
        self,
        *,
        admin_token: str,
        erasure: Callable[[TenantId], Erasure],
        tenants: Callable[[str], bool],
        clock: Clock,
    ) -> None:
        self._admin_token = admin_token
        self._erasure = erasure
        self._tenants = tenants
        self._clock = clock

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [Route(FORGET, self.forget, methods=["POST"])]

    async def forget(self, request: Request) -> Response:
        """Erase a customer; tell by collection what is gone."""
        refused = refusal(request, self._admin_token)
        if refused:
            return refused
        name = request.path_params["tenant"]
        try:
            if not self._tenants(name):
                raise UnknownTenant("there is no such tenant")
            tenant = TenantId(name)
            who = await read_text(request, "customer")
            gone = await forget(self._erasure(tenant), who, now=self._clock.now())
        except EngineError as error:
            status = status_of(error, STATUS) or 500
            log.warning(
                "operator.forget_refused",
                tenant=name[:60], status=status, reason=type(error).__name__,
            )  # fmt: skip
            return JSONResponse({"error": str(error)}, status)
        except ClientDisconnect:
            return Response(status_code=400)
        log.info(
            "operator.forget",
            tenant=tenant, removed=dict(gone.removed), anonymised=dict(gone.anonymised),
        )  # fmt: skip
        return JSONResponse(answer(tenant, gone))
