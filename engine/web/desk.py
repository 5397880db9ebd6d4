"""The desk of operators: who shows the token asks about one tenant, an error becomes a status.

What can be asked is known by the doors.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from engine.domain.ids import TenantId
from engine.errors import Conflict, EngineError, UnknownTenant
from engine.logs import reason
from engine.web.bearer import refusal
from engine.web.requests import REFUSALS, Statuses, status_of

STATUS: Final[Statuses] = REFUSALS | {UnknownTenant: 404, Conflict: 409, EngineError: 500}

Work = Callable[[Request, TenantId], Awaitable[Mapping[str, object]]]

log = structlog.get_logger(__name__)


class Desk:
    """Answers operators.

    Args:
        admin_token: opens it; empty keeps it shut.
        tenants: tells whether a tenant is served.
    """

    def __init__(self, *, admin_token: str, tenants: Callable[[str], bool]) -> None:
        self._admin_token = admin_token
        self._tenants = tenants

    async def answered(
        self, request: Request, work: Work, *, door: str, statuses: Statuses
    ) -> Response:
        """Do what is asked for the tenant that the path names, and answer with what it gives.

        Args:
            door: names it in the log.
            statuses: of the door's own errors.
        """
        refused = refusal(request, self._admin_token)
        if refused:
            return refused
        name = request.path_params["tenant"]
        try:
            if not self._tenants(name):
                raise UnknownTenant("there is no such tenant")
            return JSONResponse(await work(request, TenantId(name)))
        except EngineError as error:
            status = status_of(error, {**STATUS, **statuses}) or 500
            # What is asked for may name a customer: of a mistake in it only the kind is logged.
            said = reason(error) if status >= 500 else type(error).__name__
            log.warning(
                "operator.asked_in_vain", tenant=name[:60], door=door, status=status, reason=said
            )
            return JSONResponse({"error": str(error)}, status)
        except ClientDisconnect:
            return Response(status_code=400)
