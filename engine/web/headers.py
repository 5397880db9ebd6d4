"""What every answer tells browsers, and what none tells anybody: who we are, and what went wrong.

A door that says one of these headers itself is left its word.
"""

from typing import Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy of what is no page; pages have their own (product_html)."""
ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
}
TRANSPORT: Final = "max-age=31536000; includeSubDomains"
"""Of Strict-Transport-Security, a year long."""

log = structlog.get_logger(__name__)


class Headed:
    """An ASGI application whose answers all have the headers, even where it fails.

    Args:
        is_https: the world reaches us by HTTPS; without it a browser is told nothing of that.
    """

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self._app = app
        self._headers = dict(ALWAYS)
        if is_https:
            self._headers["Strict-Transport-Security"] = TRANSPORT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def headed(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, headed)
        except Exception as error:
            if has_begun:
                raise
            log.error("request.failed", exc_info=error)
            failed = PlainTextResponse("the request failed", 500)
            await failed(scope, receive, headed)


async def nothing(_: Request, __: Exception) -> Response:
    """Answer a path that is none and a method that is none alike, telling nothing of either."""
    return PlainTextResponse("Not Found", 404)
