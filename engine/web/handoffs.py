"""The HTTP doors of hand-offs: who is answered by a person, and giving him back to the bot."""

from collections.abc import Callable, Mapping
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.errors import EngineError, Malformed
from engine.runtime.handoff_answers import answer
from engine.staff_ports import HandOffs
from engine.web.bodies import MAX_BODY
from engine.web.desk import Desk
from engine.web.requests import Statuses, read_body
from engine.whatsapp.json_values import load

HANDOFFS: Final = "/api/v1/handoffs/{tenant}"
DOOR: Final = "handoffs"
LONGEST_KEY: Final = 200


class NobodyAnswers(EngineError):
    """No person answers the customer."""


STATUS: Final[Statuses] = {NobodyAnswers: 404}

log = structlog.get_logger(__name__)


class HandOffDoors:
    """The routes of hand-offs.

    Args:
        handoffs: gives a tenant's hand-offs, or raises Unavailable.
    """

    def __init__(
        self, desk: Desk, *, handoffs: Callable[[TenantId], HandOffs], clock: Clock
    ) -> None:
        self._desk = desk
        self._handoffs = handoffs
        self._clock = clock

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route(HANDOFFS, self.list, methods=["GET"]),
            Route(f"{HANDOFFS}/end", self.end, methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        """Give the conversations that a person answers."""
        return await self._desk.answered(request, self._listed, door=DOOR, statuses=STATUS)

    async def end(self, request: Request) -> Response:
        """Let the bot answer a customer again; he is in the body, as addresses are logged."""
        return await self._desk.answered(request, self._ended, door=DOOR, statuses=STATUS)

    async def _listed(self, request: Request, tenant: TenantId) -> Mapping[str, object]:  # noqa: ARG002
        return {"handoffs": [answer(each) for each in await self._handoffs(tenant).list()]}

    async def _ended(self, request: Request, tenant: TenantId) -> Mapping[str, object]:
        customer = _asked(load(await read_body(request, MAX_BODY)))
        if not await self._handoffs(tenant).end(customer, now=self._clock.now()):
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
