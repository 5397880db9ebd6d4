"""The HTTP doors of Flows: an exchange is checked, decrypted, handed on, and its answer sealed.

What a Flow does is not known here. Statuses: flows/reference/error-codes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from engine import metrics, tracing
from engine.domain.ids import TenantId
from engine.errors import BadSignature, Malformed, Undecipherable, UnknownTenant
from engine.flow_ports import FlowKeys
from engine.logs import place_of, reason
from engine.web.requests import (
    REFUSALS,
    SIGNATURE,
    Complaints,
    Statuses,
    read_body,
    status_of,
)
from engine.whatsapp.flow_crypto import FlowKey, OpenedExchange, dump
from engine.whatsapp.flow_exchange import FlowAnswer, FlowRequest, parse_flow_request, pong
from engine.whatsapp.json_values import JsonObject, load
from engine.whatsapp.signature import verify

MAX_BODY: Final = 1024 * 1024
"""Bytes; Meta publishes no size, and a screen's inputs have far fewer."""

# 421 makes the client fetch our public key again and repeat; 432 is Meta's for the signature.
STATUS: Final[Statuses] = REFUSALS | {
    BadSignature: 432,
    Undecipherable: 421,
    UnknownTenant: 404,
}

log = structlog.get_logger(__name__)


class Exchanges(Protocol):
    """What answers the exchanges of all Flows."""

    async def take(
        self, tenant: TenantId, request: FlowRequest, *, flow: str | None, product: str | None
    ) -> FlowAnswer:
        """Answer one; it was posted to the address of a Flow, or of a product's own Flow.

        Raises:
            Unavailable: the database does not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Question:
    """A request that may be answered; in clear when it came so."""

    tenant: TenantId
    document: JsonObject
    opened: OpenedExchange | None

    def reply(self, answer: FlowAnswer) -> Response:
        if self.opened is None:
            body = dump(answer.body)
            return Response(body, answer.status, media_type="application/json")
        return PlainTextResponse(self.opened.seal(answer.body), answer.status)


class FlowDoors:
    """The routes of Flows.

    Args:
        app_secret: signs every exchange.
        exchanges: gives the one that answers them, or raises Unavailable.
        keys: gives the tenants' private keys, or raises Unavailable.
        tenants: tells whether a tenant is served.
        is_plain_allowed: JSON that is neither encrypted nor signed is taken for tenants without
            a key: on a developer's machine only.
    """

    def __init__(
        self,
        *,
        app_secret: str,
        exchanges: Callable[[], Exchanges],
        keys: Callable[[], FlowKeys],
        tenants: Callable[[str], bool],
        is_plain_allowed: bool,
    ) -> None:
        self._app_secret = app_secret
        self._exchanges = exchanges
        self._keys = keys
        self._tenants = tenants
        self._is_plain_allowed = is_plain_allowed
        self._complaints = Complaints()

    def routes(self) -> list[Route]:
        """Give the routes; `product` is a word of the first one, not the id of a Flow."""
        return [
            Route("/flows/product/{product}/{tenant}", self.exchange, methods=["POST"]),
            Route("/flows/product/{tenant}", _nothing, methods=["POST"]),
            Route("/flows/{flow}/{tenant}", self.exchange, methods=["POST"]),
        ]

    async def exchange(self, request: Request) -> Response:
        """Answer one exchange of a Flow."""
        with tracing.begun("flow.exchange"):
            return await self._exchange(request)

    async def _exchange(self, request: Request) -> Response:
        action = "unread"
        with metrics.flow_exchange_seconds.time():
            try:
                question = await self._question(request)
                asked = parse_flow_request(question.document)
                action = asked.action
                response = question.reply(await self._answer(question.tenant, asked, request))
            except ClientDisconnect:
                response = Response(status_code=400)
            except Exception as error:  # noqa: BLE001 - the door: what went wrong stays inside
                response = _refusal(error, self._complaints)
        metrics.flow_exchanges.labels(action=action, outcome=str(response.status_code)).inc()
        return response

    async def _answer(self, tenant: TenantId, asked: FlowRequest, request: Request) -> FlowAnswer:
        if asked.action == "ping":
            return pong()
        place = request.path_params
        return await self._exchanges().take(
            tenant, asked, flow=place.get("flow"), product=place.get("product")
        )

    async def _question(self, request: Request) -> _Question:
        signature = request.headers.get(SIGNATURE)
        is_unsigned = signature is None and self._is_plain_allowed
        # What nobody signed is not even read.
        is_read = is_unsigned or signature is not None
        body = await read_body(request, MAX_BODY) if is_read else b""
        if not is_unsigned:
            verify(body, signature, self._app_secret)
        name = request.path_params["tenant"]
        if not self._tenants(name):
            raise UnknownTenant("there is no such tenant")
        tenant = TenantId(name)
        document = load(body)
        if not isinstance(document, dict):
            raise Malformed("the body is not a JSON object")
        is_plain = "encrypted_flow_data" not in document
        if is_plain and self._is_plain_allowed and await self._keys().get(tenant) is None:
            return _Question(tenant, document, None)
        if is_unsigned:
            verify(body, signature, self._app_secret)
        if is_plain:
            raise Undecipherable("the body is not encrypted")
        opened = await self._opened(tenant, document)
        return _Question(tenant, opened.document, opened)

    async def _opened(self, tenant: TenantId, envelope: JsonObject) -> OpenedExchange:
        keys = self._keys()
        key = await keys.get(tenant)
        try:
            return _open(key, envelope)
        except Undecipherable:
            newer = await keys.renew(tenant)
            if newer is None:
                raise
            return newer.open(envelope)


def _open(key: FlowKey | None, envelope: JsonObject) -> OpenedExchange:
    if key is None:
        raise Undecipherable("there is no key to decrypt with")
    return key.open(envelope)


async def _nothing(_: Request) -> Response:
    return PlainTextResponse("Not Found", status_code=404)


def _refusal(error: Exception, complaints: Complaints) -> Response:
    status = status_of(error, STATUS)
    if status is None:
        place = place_of(error.__traceback__)
        log.error("flow.failed", error=reason(error), place=place)
        return PlainTextResponse("the exchange failed", status_code=500)
    if isinstance(error, BadSignature):
        metrics.signature_failures.labels(door="flow").inc()
    if complaints.may_log(error):
        log.warning("flow.refused", status=status, reason=reason(error))
    return PlainTextResponse(str(error), status_code=status)
