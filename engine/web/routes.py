"""The HTTP doors: what comes in is checked and handed on, errors become statuses in one table."""

import hmac
from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from engine import metrics, tracing
from engine.errors import BadSignature, EngineError
from engine.logs import about, reason
from engine.runtime.reception import Reception, row_id
from engine.web.bearer import is_borne, unborne
from engine.web.requests import (
    REFUSALS,
    SIGNATURE,
    Complaints,
    Statuses,
    read_body,
    status_of,
)
from engine.whatsapp.inbound import parse_webhook
from engine.whatsapp.signature import verify

MAX_BODY = 3 * 1024 * 1024
"""Bytes; Meta's webhooks have up to 3 MB (webhooks overview)."""

WEBHOOKS = ("/whatsapp_response", "/meta/webhook")

log = structlog.get_logger(__name__)

# 503 makes Meta deliver again; anything it cannot mend by repeating is not asked for again.
STATUS: Statuses = REFUSALS | {BadSignature: 401}


class Doors:
    """The routes of a web process.

    Args:
        app_secret: signs every webhook.
        verify_token: Meta repeats it when the webhook is set up.
        reception: gives the one that stores messages, or raises Unavailable.
        ready: tells what keeps the process from doing its work, or nothing.
        metrics_token: opens /metrics; empty leaves it open.
    """

    def __init__(
        self,
        *,
        app_secret: str,
        verify_token: str,
        reception: Callable[[], Reception],
        ready: Callable[[], Awaitable[str | None]],
        metrics_token: str = "",
    ) -> None:
        self._metrics_token = metrics_token
        self._complaints = Complaints()
        self._app_secret = app_secret
        self._verify_token = verify_token
        self._reception = reception
        self._ready = ready

    def routes(self) -> list[Route]:
        """Give the routes; what Meta posts at one of its doors it may post at the other."""
        webhooks = [
            route
            for path in WEBHOOKS
            for route in (
                Route(path, self.verify, methods=["GET"]),
                Route(path, self.receive, methods=["POST"]),
            )
        ]
        return [*webhooks, *self.health()]

    def health(self) -> list[Route]:
        """Give the routes that tell how the process is."""
        return [
            Route("/health/live", self.live, methods=["GET"]),
            Route("/health/ready", self.ready, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]

    async def verify(self, request: Request) -> Response:
        """Answer Meta's verification with its challenge."""
        query = request.query_params
        token = query.get("hub.verify_token", "").encode()
        wanted = self._verify_token.encode()
        if query.get("hub.mode") == "subscribe" and wanted and hmac.compare_digest(token, wanted):
            return PlainTextResponse(query.get("hub.challenge", ""))
        return PlainTextResponse("the verify token is wrong", status_code=403)

    async def receive(self, request: Request) -> Response:
        """Store a webhook's messages, then answer 200."""
        with tracing.begun("webhook"):
            return await self._receive(request)

    async def _receive(self, request: Request) -> Response:
        try:
            signature = request.headers.get(SIGNATURE)
            # What nobody signed is not even read.
            body = await read_body(request, MAX_BODY) if signature is not None else b""
            verify(body, signature, self._app_secret)
            webhook = parse_webhook(body)
        except EngineError as error:
            return _refusal(error, self._complaints)
        except ClientDisconnect:
            return Response(status_code=400)
        with about(*(row_id(message) for message in webhook.messages)):
            try:
                await self._reception().receive(webhook)
            except EngineError as error:
                return _refusal(error, self._complaints)
        metrics.webhooks.labels(outcome="200").inc()
        return PlainTextResponse("OK")

    async def live(self, _: Request) -> Response:
        """Tell that the process runs."""
        return JSONResponse({"status": "live"})

    async def ready(self, _: Request) -> Response:
        """Tell whether the process can do its work."""
        reason = await self._ready()
        if reason:
            return JSONResponse({"status": "unready", "reason": reason}, status_code=503)
        return JSONResponse({"status": "ready"})

    async def metrics(self, request: Request) -> Response:
        """Give the metrics in Prometheus' text format."""
        if self._metrics_token and not is_borne(request, self._metrics_token):
            return unborne()
        return Response(metrics.exposition(), media_type="text/plain; version=0.0.4")


def _refusal(error: EngineError, complaints: Complaints) -> Response:
    status = status_of(error, STATUS)
    if status is None:
        raise error
    metrics.webhooks.labels(outcome=str(status)).inc()
    if isinstance(error, BadSignature):
        metrics.signature_failures.labels(door="webhook").inc()
    if complaints.may_log(error):
        log.warning("webhook.refused", status=status, reason=reason(error))
    return PlainTextResponse(str(error), status_code=status)
