"""Customers' phones in the bench of Flows: what they ask is encrypted before the clock runs.

They speak HTTP themselves, on a connection each: a client library takes as long as a server.
"""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Self
from urllib.parse import urlsplit

import orjson

from engine.domain.ids import CustomerKey
from engine.flow_ports import FlowSession
from engine.runtime.flow_tokens import FlowTokens
from engine.whatsapp.signature import sign
from tests.bench.flow_journey import FLOW, Visit, without_token
from tests.bench.journey import TENANT
from tests.bench.served import SECRET
from tests.unit.whatsapp.flow_client import FlowClient

TOKENS = FlowTokens(SECRET)


@dataclass(frozen=True, slots=True)
class Asked:
    """An exchange that is ready to be sent.

    Args:
        wire: the whole HTTP request.
        answer: what must come back, without the token.
    """

    name: str
    wire: bytes
    client: FlowClient
    answer: dict[str, Any]

    def check(self, sealed: bytes) -> None:
        """Decrypt what came back and hold it against what must."""
        answer = self.client.read(sealed.decode())
        if without_token(answer) != self.answer:
            raise SystemExit(f"a server of the bench answers {self.name} with {answer}")


@dataclass(frozen=True, slots=True)
class Took:
    """How long the answer to an exchange took."""

    name: str
    seconds: float


def session_of(visit: Visit, number: int, salt: str) -> FlowSession:
    """Open a visit's session as another customer's; its id tells the hand-written handler who."""
    key = CustomerKey(f"US.1555{number:07}")
    return replace(visit.opened, id=f"{number:08x}{salt:0>24}", customer=key)


def asked(visit: Visit, session: FlowSession, public_pem: str) -> tuple[Asked, ...]:
    """Prepare the exchanges of a visit."""
    token = TOKENS.sign(session)
    made = []
    for exchange in visit.exchanges:
        client = FlowClient(public_pem)
        body = orjson.dumps(client.ask(exchange.document | {"flow_token": token}))
        head = (
            f"POST /flows/{FLOW}/{TENANT} HTTP/1.1\r\nHost: bench\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"X-Hub-Signature-256: {sign(body, SECRET)}\r\n\r\n"
        )
        made.append(Asked(exchange.name, head.encode() + body, client, exchange.answer))
    return tuple(made)


class Phone:
    """A customer's connection to a server, kept through all his visits."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.took: list[Took] = []
        self._came: list[tuple[Asked, bytes]] = []

    @classmethod
    async def connect(cls, url: str) -> Self:
        """Connect to a server."""
        place = urlsplit(url)
        return cls(*await asyncio.open_connection(place.hostname, place.port))

    async def play(self, visits: Iterable[Iterable[Asked]]) -> None:
        """Send the exchanges of visits, each when the one before is answered."""
        for exchange in chain.from_iterable(visits):
            begin = time.perf_counter()
            sealed = await self._post(exchange.wire)
            self.took.append(Took(exchange.name, time.perf_counter() - begin))
            self._came.append((exchange, sealed))

    async def close(self) -> None:
        """Disconnect, and check everything that came."""
        self._writer.close()
        await self._writer.wait_closed()
        for exchange, sealed in self._came:
            exchange.check(sealed)

    async def _post(self, wire: bytes) -> bytes:
        self._writer.write(wire)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        body = await self._reader.readexactly(int(length))
        if not head.startswith(b"http/1.1 200 "):
            raise SystemExit(f"a server of the bench answers {head!r} {body!r}")
        return body
