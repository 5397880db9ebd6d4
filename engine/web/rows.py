"""The HTTP doors of the inbox and the outbox: operators see rows, retry and discard them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.clock import Clock
from engine.domain.ids import CustomerKey, TenantId
from engine.errors import EngineError, Malformed
from engine.row_ports import OperatorRows
from engine.runtime.row_answers import (
    DONE,
    FEW_ROWS,
    MOST_ROWS,
    OPEN,
    Box,
    Verb,
    answer,
    change,
    unknown_state,
)
from engine.web.bodies import read_text, text
from engine.web.desk import Desk, Work
from engine.web.requests import Statuses


class NoSuchRow(EngineError):
    """A tenant has no row of that id."""


class NotAllowed(EngineError):
    """The state of a row does not allow what was to be done."""


STATUS: Final[Statuses] = {NoSuchRow: 404, NotAllowed: 409}
NO_ROW: Final = "there is no such row"
_LIMIT: Final = re.compile(r"[0-9]{1,4}")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which rows the query asks for."""

    states: Sequence[str]
    customer: CustomerKey | None
    limit: int


class RowDoors:
    """The routes of the inbox, or of the outbox.

    Args:
        box: which of the two.
        rows: gives a tenant's rows, or raises Unavailable.
    """

    def __init__(
        self,
        box: Box,
        desk: Desk,
        *,
        rows: Callable[[TenantId], OperatorRows],
        clock: Clock,
    ) -> None:
        self._box = box
        self._desk = desk
        self._rows = rows
        self._clock = clock

    def routes(self) -> list[Route]:
        """Give the routes."""
        path = f"/api/v1/{self._box}/{{tenant}}"
        return [
            Route(path, self.list, methods=["GET"]),
            Route(f"{path}/row", self.show, methods=["GET"]),
            Route(f"{path}/retry", self.retry, methods=["POST"]),
            Route(f"{path}/discard", self.discard, methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        """List a tenant's rows, and count them by state."""
        return await self._answered(request, self._listed)

    async def show(self, request: Request) -> Response:
        """Give one row with all that is stored of it."""
        return await self._answered(request, self._shown)

    async def retry(self, request: Request) -> Response:
        """Let a row be tried again."""
        return await self._answered(request, lambda *given: self._changed("retry", *given))

    async def discard(self, request: Request) -> Response:
        """Take a row out for good."""
        return await self._answered(request, lambda *given: self._changed("discard", *given))

    async def _answered(self, request: Request, work: Work) -> Response:
        return await self._desk.answered(request, work, door=self._box, statuses=STATUS)

    async def _listed(self, request: Request, tenant: TenantId) -> Mapping[str, object]:
        asked = self._asked(request)
        rows = self._rows(tenant)
        found = await rows.list(states=asked.states, customer=asked.customer, limit=asked.limit)
        counts = await rows.counts()
        return {"tenant": tenant, "counts": dict(counts), "rows": [answer(row) for row in found]}

    async def _shown(self, request: Request, tenant: TenantId) -> Mapping[str, object]:
        query = _query(request, "id")
        found = await self._rows(tenant).show(text(query.get("id"), "id"))
        if found is None:
            raise NoSuchRow(NO_ROW)
        return {"tenant": tenant} | answer(found.summary) | {"document": found.document}

    async def _changed(
        self, verb: Verb, request: Request, tenant: TenantId
    ) -> Mapping[str, object]:
        _query(request)
        row_id = await read_text(request, "id")
        done = await change(self._rows(tenant), verb, row_id, now=self._clock.now())
        if done.outcome == "unknown":
            raise NoSuchRow(NO_ROW)
        if done.outcome == "refused":
            raise NotAllowed(f"the row cannot be {DONE[verb]}: it is {done.state}")
        # Not its id: WhatsApp's ids have the phone number in them.
        log.info("operator.row", tenant=tenant, box=self._box, verb=verb)
        return {"tenant": tenant, "id": row_id, "outcome": DONE[verb]}

    def _asked(self, request: Request) -> _Asked:
        query = _query(request, "customer", "limit", many="state")
        states = request.query_params.getlist("state")
        for state in states:
            wrong = unknown_state(self._box, state)
            if wrong:
                raise Malformed(f"'state': {wrong}")
        customer = query.get("customer")
        limit = query.get("limit", str(FEW_ROWS))
        if not _LIMIT.fullmatch(limit) or not 1 <= int(limit) <= MOST_ROWS:
            raise Malformed(f"'limit' must be a number from 1 to {MOST_ROWS}")
        return _Asked(
            states or OPEN[self._box],
            None if customer is None else CustomerKey(text(customer, "customer")),
            int(limit),
        )


def _query(request: Request, *names: str, many: str = "") -> dict[str, str]:
    """Take the parameters of a query, each given once but one.

    Raises:
        Malformed: there is another, or one is given twice.
    """
    given = [(name, value) for name, value in request.query_params.multi_items() if name != many]
    once = dict(given)
    odd = sorted(set(once) - set(names))
    if odd:
        known = ", ".join(f"'{name}'" for name in (*names, many) if name)
        raise Malformed(f"'{odd[0][:40]}' is no parameter; there are {known or 'none'}")
    if len(once) != len(given):
        raise Malformed("a parameter is given twice")
    return once
