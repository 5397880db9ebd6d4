"""What a request may cost: its size, its time and how often it comes, by the kind of its route.

Webhooks and Flow exchanges are signed by Meta. They are read and verified always, whoever sends
how many: Meta comes from few addresses and in bursts. Only the answer to a signature that is wrong
may be 429. Everybody else is refused before anything is done for him.
"""

import asyncio
import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine import metrics
from engine.web.clients import Clients
from engine.web.rates import Rates, Tries
from engine.web.requests import TooLarge, TooSlow

_KIB: Final = 1024
_MIB: Final = 1024 * 1024


class Kind(StrEnum):
    """What a route is for."""

    WEBHOOK = "webhook"
    VERIFICATION = "verification"
    FLOW = "flow"
    OPERATOR = "operator"
    PAGE = "page"
    HEALTH = "health"
    METRICS = "metrics"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a request of one kind may cost.

    Args:
        body: bytes.
        arrival: seconds until all of the body is there.
        answer: seconds until it is answered.
        rate: requests a second of one client, in the long run; of a signed kind, those whose
            signature is wrong.
        burst: requests of one client at once, likewise.
        is_signed: it is not refused before its signature was looked at.
        is_guarded: who gets a secret wrong too often is refused.
    """

    body: int
    arrival: float
    answer: float
    rate: float
    burst: int
    is_signed: bool = False
    is_guarded: bool = False


LIMITS: Final[Mapping[Kind, Limits]] = {
    # Meta's webhooks have up to 3 MB (webhooks overview), and come in bursts.
    Kind.WEBHOOK: Limits(body=3 * _MIB, arrival=10, answer=20, rate=1, burst=20, is_signed=True),
    Kind.VERIFICATION: Limits(body=_KIB, arrival=5, answer=5, rate=5, burst=20, is_guarded=True),
    # WhatsApp gives up on an exchange after 10 s (flows/guides/implementingyourflowendpoint).
    Kind.FLOW: Limits(body=_MIB, arrival=10, answer=15, rate=1, burst=20, is_signed=True),
    # A sync is waited for up to 60 s, a deployment asks Meta a dozen times.
    Kind.OPERATOR: Limits(
        body=16 * _KIB, arrival=10, answer=180, rate=20, burst=100, is_guarded=True
    ),
    # Meta's crawler looks at many pages in a row.
    Kind.PAGE: Limits(body=_KIB, arrival=5, answer=10, rate=30, burst=300),
    Kind.HEALTH: Limits(body=_KIB, arrival=5, answer=10, rate=50, burst=200),
    Kind.METRICS: Limits(body=_KIB, arrival=5, answer=10, rate=10, burst=50, is_guarded=True),
    Kind.UNKNOWN: Limits(body=_KIB, arrival=5, answer=5, rate=10, burst=50),
}

PLACES: Final[Sequence[tuple[str, Kind]]] = (
    ("/whatsapp_response", Kind.WEBHOOK),
    ("/meta/webhook", Kind.WEBHOOK),
    ("/meta/", Kind.OPERATOR),
    ("/api/", Kind.OPERATOR),
    ("/orders/", Kind.OPERATOR),
    ("/flows/", Kind.FLOW),
    ("/p/", Kind.PAGE),
    ("/health/", Kind.HEALTH),
    ("/metrics", Kind.METRICS),
)
"""How paths begin, the first that fits."""

WRONG_RATE: Final = 1 / 6
"""Secrets a second that one client may get wrong in the long run."""
WRONG_BURST: Final = 10
ALL_RATE: Final = 2.0
"""Tries a second that all clients may have together who were not right lately."""
ALL_BURST: Final = 100
WRONG: Final = frozenset({401, 403, 432})
"""The statuses that say that a token or a signature is wrong; 432 is the one of Flows."""
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")


def kind_of(method: str, path: str) -> Kind:
    """Tell what a route is for."""
    for begin, kind in PLACES:
        if path.startswith(begin):
            is_asking = kind is Kind.WEBHOOK and method != "POST"
            return Kind.VERIFICATION if is_asking else kind
    return Kind.UNKNOWN


class Limited:
    """An ASGI application whose requests keep to the limits of their kind.

    Args:
        factor: multiplies how often clients may come; 0 lets them come as often as they like.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        clients: Clients,
        factor: float = 1.0,
        limits: Mapping[Kind, Limits] = LIMITS,
    ) -> None:
        self._app = app
        self._clients = clients
        self._limits = limits
        self._rates: dict[Kind, Rates] = {}
        self._tries: dict[Kind, Tries] = {}
        for kind, known in limits.items() if factor else ():
            self._rates[kind] = Rates(known.rate * factor, max(round(known.burst * factor), 1))
            if known.is_guarded:
                self._tries[kind] = Tries(
                    Rates(WRONG_RATE, WRONG_BURST), Rates(ALL_RATE, ALL_BURST)
                )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kind = kind_of(scope["method"], scope["path"])
        limits, client = self._limits[kind], self._clients.address(scope)
        wait = 0.0 if limits.is_signed else self._wait(kind, client)
        if wait:
            await _refuse(kind, 429, scope, receive, send, wait=wait)
            return
        body = _Body(receive, limits)
        if body.length_told(scope) > limits.body:
            await _refuse(kind, 413, scope, receive, send)
            return
        answer = _Answer(send, body, lambda status: self._judged(kind, client, status))
        await self._answered(kind, scope, body, answer)

    async def _answered(self, kind: Kind, scope: Scope, body: "_Body", answer: "_Answer") -> None:
        limit = asyncio.timeout(self._limits[kind].answer)
        try:
            async with limit:
                await self._app(scope, body.receive, answer.send)
        except TimeoutError:
            if not limit.expired() or answer.has_begun:
                raise
            # Meta delivers again what is answered so; a client may ask again.
            status = 503
        except (TooLarge, TooSlow) as error:
            # A door that does not look at what it reads.
            if answer.has_begun:
                raise
            status = 413 if isinstance(error, TooLarge) else 408
        else:
            if answer.replaced:
                wait = answer.replaced
                await _refuse(kind, 429, scope, body.receive, answer.send_as_is, wait=wait)
            return
        await _refuse(kind, status, scope, body.receive, answer.send_as_is, wait=1)

    def _wait(self, kind: Kind, client: str) -> float:
        """Give the seconds that a client has to wait; 0 if he may come in."""
        if kind not in self._rates:
            return 0.0
        wait = self._rates[kind].take(client)
        if not wait and kind in self._tries:
            wait = self._tries[kind].take(client)
        return wait

    def _judged(self, kind: Kind, client: str, status: int) -> float:
        """Note how a request was answered; give the seconds to wait if that is the answer."""
        if kind in self._tries and status not in WRONG:
            self._tries[kind].was_right(client)
        if self._limits[kind].is_signed and status in WRONG and kind in self._rates:
            return self._rates[kind].take(client)
        return 0.0


class _Body:
    """The body of a request, as far as it may come."""

    def __init__(self, receive: Receive, limits: Limits) -> None:
        self._receive = receive
        self._limits = limits
        self._deadline: float | None = None
        self._size = 0
        self.is_whole = False

    def length_told(self, scope: Scope) -> int:
        """Give the bytes that the request says it has; without any, it is whole."""
        told = dict(scope["headers"])
        length = told.get(b"content-length", b"")
        size = int(length) if _LENGTH.fullmatch(length) else 0
        self.is_whole = not size and b"transfer-encoding" not in told
        return size

    async def receive(self) -> Message:
        """Give what comes next.

        Raises:
            TooLarge: more has come than may.
            TooSlow: it has not come in time.
        """
        if self.is_whole:
            return await self._receive()
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + self._limits.arrival
        limit = asyncio.timeout_at(self._deadline)
        try:
            async with limit:
                message = await self._receive()
        except TimeoutError:
            if not limit.expired():
                raise
            raise TooSlow(f"the body took more than {self._limits.arrival:g} s") from None
        self._size += len(message.get("body", b""))
        if self._size > self._limits.body:
            raise TooLarge(f"the body has more than {self._limits.body} bytes")
        self.is_whole = not message.get("more_body", False)
        return message


class _Answer:
    """The answer to a request; a connection with the rest of a body in it is closed."""

    def __init__(self, send: Send, body: _Body, judge: Callable[[int], float]) -> None:
        self._send = send
        self._body = body
        self._judge = judge
        self.has_begun = False
        self.replaced = 0.0
        """Seconds to wait, if the answer is not given."""

    async def send(self, message: Message) -> None:
        """Give a part of the answer, unless another takes its place."""
        if message["type"] == "http.response.start":
            self.replaced = self._judge(message["status"])
        if not self.replaced:
            await self.send_as_is(message)

    async def send_as_is(self, message: Message) -> None:
        """Give a part of the answer."""
        if message["type"] == "http.response.start":
            self.has_begun = True
            if not self._body.is_whole:
                headers = [*message["headers"], (b"connection", b"close")]
                message = {**message, "headers": headers}
        await self._send(message)


_SAID: Final[Mapping[int, str]] = {
    408: "the request took too long to come",
    413: "the request is too large",
    429: "too many requests",
    503: "this took too long",
}


async def _refuse(
    kind: Kind,
    status: int,
    scope: Scope,
    receive: Receive,
    send: Callable[[Message], Awaitable[None]],
    *,
    wait: float = 0.0,
) -> None:
    metrics.requests_refused.labels(kind=kind, status=str(status)).inc()
    # What is left of the body is not read.
    headers = {"Connection": "close"} if status in (408, 413) else {}
    if wait:
        headers["Retry-After"] = str(math.ceil(wait))
    await PlainTextResponse(_SAID[status], status, headers)(scope, receive, send)
