"""The doors of operators are watched: who used which, for which tenant, and how it ended.

Nothing that was asked for is noted, nor an address or a token: digests of them, under a key.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

import structlog
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.clock import Clock
from engine.errors import EngineError
from engine.logs import reason
from engine.row_ports import Audit, AuditEntry
from engine.web.bearer import token_of
from engine.web.clients import Clients
from engine.web.limits import Kind, kind_of

NOWHERE: Final = "an unknown route"
NOBODY: Final = "nobody"
"""The actor of a request without a token."""

log = structlog.get_logger(__name__)


class Audited:
    """An ASGI application whose requests of operators are noted before they are answered.

    Requests that were refused for their number are not: they would fill the collection.

    Args:
        audit: gives where it is noted, or raises Unavailable.
        routes: gives the application's own, to name the one that was used.
        tenants: tells whether a tenant is served; of others not even the name is kept.
        secret: digests are made under it.
        retention: how long an entry is kept.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        audit: Callable[[], Audit],
        routes: Callable[[], Sequence[BaseRoute]],
        clients: Clients,
        tenants: Callable[[str], bool],
        clock: Clock,
        secret: str,
        retention: timedelta,
    ) -> None:
        self._app = app
        self._audit = audit
        self._routes = routes
        self._clients = clients
        self._tenants = tenants
        self._clock = clock
        self._secret = secret.encode()
        self._retention = retention

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        is_watched = (
            scope["type"] == "http" and kind_of(scope["method"], scope["path"]) is Kind.OPERATOR
        )
        if not is_watched:
            await self._app(scope, receive, send)
            return

        is_noted = False

        async def noting(message: Message) -> None:
            nonlocal is_noted
            if message["type"] == "http.response.start":
                is_noted = True
                await self._note(scope, str(message["status"]))
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except BaseException:
            # It took too long, or it broke: what it has done is not known.
            if not is_noted:
                await self._note(scope, "failed")
            raise

    async def _note(self, scope: Scope, outcome: str) -> None:
        route, tenant = self._place(scope)
        now = self._clock.now()
        entry = AuditEntry(
            at=now,
            actor=self._actor(scope),
            client=self._digest("client", self._clients.address(scope).encode()),
            action=f"{scope['method']} {route}",
            tenant=tenant,
            outcome=outcome,
            kept_until=now + self._retention,
        )
        try:
            await self._audit().note(entry)
        except EngineError as error:
            # Whoever may do something is not kept from it because it cannot be noted.
            log.error(
                "audit.lost",
                actor=entry.actor, action=entry.action, tenant=entry.tenant, outcome=outcome,
                reason=reason(error),
            )  # fmt: skip

    def _place(self, scope: Scope) -> tuple[str, str | None]:
        for route in self._routes():
            if not isinstance(route, Route):
                continue
            match, found = route.matches(dict(scope))
            if match is Match.FULL:
                name = found["path_params"].get("tenant")
                return route.path, name if name and self._tenants(name) else None
        return NOWHERE, None

    def _actor(self, scope: Scope) -> str:
        token = token_of(scope)
        return f"token:{self._digest('token', token)}" if token else NOBODY

    def _digest(self, what: str, value: bytes) -> str:
        key = hmac.digest(self._secret, f"audit {what} v1".encode(), hashlib.sha256)
        return hmac.new(key, value, hashlib.sha256).hexdigest()[:12]
