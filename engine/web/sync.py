"""The HTTP doors of the catalogue sync: operators start one, wait for it, see how it stands."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.domain.ids import TenantId
from engine.errors import EngineError, Malformed, UnknownTenant
from engine.logs import reason
from engine.sync.report import SyncReport
from engine.web.bearer import refusal
from engine.web.requests import REFUSALS, Statuses, status_of

SYNC: Final = "/meta/catalog/sync/{tenant}"
WAIT_SECONDS: Final = 25.0
"""Fewer than the 30 after which proxies lose patience."""
MOST_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.2

ANSWERS: Final[Mapping[str, int]] = {"completed": 200, "running": 202, "blocked": 409}
STATUS: Final[Statuses] = REFUSALS | {UnknownTenant: 404, EngineError: 500}
_SECONDS: Final = re.compile(r"[0-9]{1,2}(\.[0-9]{1,3})?")
_FLAGS: Final[Mapping[str, bool]] = {"true": True, "1": True, "false": False, "0": False}

log = structlog.get_logger(__name__)


class Syncs(Protocol):
    """What syncs the catalogues of all tenants."""

    async def start(self, tenant: TenantId, *, is_full: bool) -> bool:
        """Ask for a sync; False if one was asked for or under way, which is joined."""
        ...

    async def report(self, tenant: TenantId) -> SyncReport | None:
        """Tell how the sync under way stands, else how the last one ended; None without any."""
        ...


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the query asks for."""

    is_full: bool
    wait: float


class SyncDoors:
    """The routes of the catalogue sync.

    Args:
        admin_token: opens them; empty keeps them shut.
        syncs: gives what syncs the catalogues, or raises Unavailable.
        tenants: tells whether a tenant is served.
        poll: seconds between two looks at a sync that is waited for.
    """

    def __init__(
        self,
        *,
        admin_token: str,
        syncs: Callable[[], Syncs],
        tenants: Callable[[str], bool],
        poll: float = POLL_SECONDS,
    ) -> None:
        self._admin_token = admin_token
        self._syncs = syncs
        self._tenants = tenants
        self._poll = poll

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route(SYNC, self.start, methods=["POST"]),
            Route(SYNC, self.report, methods=["GET"]),
        ]

    async def start(self, request: Request) -> Response:
        """Sync a tenant's catalogue; answer when it is through, or after the time to wait."""
        refused = refusal(request, self._admin_token)
        if refused:
            return refused
        try:
            tenant = self._tenant(request)
            asked = _asked(request)
            syncs = self._syncs()
            is_ours = await syncs.start(tenant, is_full=asked.is_full)
            wait = asked.wait if is_ours else 0.0
            report = await self._waited(request, syncs, tenant, wait=wait)
        except EngineError as error:
            return _failure(error, request)
        if report is None:
            return Response(status_code=400)
        status = ANSWERS[report.status]
        log.info(
            "operator.sync", tenant=tenant, full=asked.is_full, started=is_ours, status=status
        )
        return JSONResponse(report.answer(), status)

    async def report(self, request: Request) -> Response:
        """Tell how a tenant's sync stands."""
        refused = refusal(request, self._admin_token)
        if refused:
            return refused
        try:
            report = await self._syncs().report(self._tenant(request))
        except EngineError as error:
            return _failure(error, request)
        if report is None:
            return JSONResponse({"error": "the catalogue was never synced"}, 404)
        return JSONResponse(report.answer())

    def _tenant(self, request: Request) -> TenantId:
        name = request.path_params["tenant"]
        if not self._tenants(name):
            raise UnknownTenant("there is no such tenant")
        return TenantId(name)

    async def _waited(
        self, request: Request, syncs: Syncs, tenant: TenantId, *, wait: float
    ) -> SyncReport | None:
        """Look at a sync until it ends or the time is over; None if the client went away."""
        loop = asyncio.get_running_loop()
        end = loop.time() + wait
        while True:
            report = await syncs.report(tenant) or SyncReport("running")
            if report.status != "running" or loop.time() >= end:
                return report
            if await request.is_disconnected():
                return None
            await asyncio.sleep(self._poll)


def _asked(request: Request) -> _Asked:
    query = request.query_params
    odd = sorted(set(query) - {"full", "wait"})
    if odd:
        raise Malformed(f"'{odd[0][:40]}' is no parameter; there are 'full' and 'wait'")
    full = query.get("full", "false").lower()
    if full not in _FLAGS:
        raise Malformed("'full' must be true or false")
    wait = query.get("wait", str(WAIT_SECONDS))
    if not _SECONDS.fullmatch(wait) or float(wait) > MOST_SECONDS:
        raise Malformed(f"'wait' must be a number of seconds from 0 to {MOST_SECONDS:.0f}")
    return _Asked(_FLAGS[full], float(wait))


def _failure(error: EngineError, request: Request) -> Response:
    status = status_of(error, STATUS) or 500
    name = request.path_params["tenant"][:60]
    log.warning("operator.sync_refused", tenant=name, status=status, reason=reason(error))
    return JSONResponse({"error": str(error)}, status)
