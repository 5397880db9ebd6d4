"""The HTTP door through which a customer is forgotten; who he is, is never logged."""

from collections.abc import Callable, Mapping
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.row_ports import Erasure
from engine.runtime.forgetting import NobodyKnown, answer, forget
from engine.web.bodies import read_text
from engine.web.desk import Desk
from engine.web.requests import Statuses

FORGET: Final = "/api/v1/customers/{tenant}/forget"
STATUS: Final[Statuses] = {NobodyKnown: 404}

log = structlog.get_logger(__name__)


class ForgetDoors:
    """The route that forgets a customer.

    Args:
        erasure: gives what erases a tenant's customers, or raises Unavailable.
    """

    def __init__(
        self, desk: Desk, *, erasure: Callable[[TenantId], Erasure], clock: Clock
    ) -> None:
        self._desk = desk
        self._erasure = erasure
        self._clock = clock

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [Route(FORGET, self.forget, methods=["POST"])]

    async def forget(self, request: Request) -> Response:
        """Erase a customer; tell by collection what is gone."""
        return await self._desk.answered(request, self._gone, door="forget", statuses=STATUS)

    async def _gone(self, request: Request, tenant: TenantId) -> Mapping[str, object]:
        who = await read_text(request, "customer")
        gone = await forget(self._erasure(tenant), who, now=self._clock.now())
        log.info(
            "operator.forget",
            tenant=tenant, removed=dict(gone.removed), anonymised=dict(gone.anonymised),
        )  # fmt: skip
        return answer(tenant, gone)
