"""Webhooks that come on schedule, whatever became of the ones before them.

A sender that waits for each answer measures least when the server is slowest: it sends less then.
So the time of an answer counts from when its request was due, and none waits for another.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Self
from urllib.parse import urlsplit

from engine.whatsapp.signature import sign
from tests.bench.served import SECRET

PATIENCE = 30.0
"""Seconds an answer may take; then the bench is broken."""
IDLE_SECONDS = 3.0
"""A connection that was idle for longer is not used again: the server ends it after 5."""


def request(body: bytes) -> bytes:
    """Write a webhook as the whole HTTP request, signed."""
    head = (
        "POST /whatsapp_response HTTP/1.1\r\nHost: bench\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"X-Hub-Signature-256: {sign(body, SECRET)}\r\n\r\n"
    )
    return head.encode() + body


class Line:
    """A connection to a server, kept open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._used = time.monotonic()

    @classmethod
    async def connect(cls, url: str) -> Self:
        """Connect to a server."""
        place = urlsplit(url)
        return cls(*await asyncio.open_connection(place.hostname, place.port))

    @property
    def is_fresh(self) -> bool:
        """Tell whether the server surely keeps it."""
        return time.monotonic() - self._used < IDLE_SECONDS

    async def post(self, wire: bytes) -> None:
        """Send a request and wait for the end of its answer, which must be 200."""
        self._writer.write(wire)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        body = await self._reader.readexactly(int(length))
        if not head.startswith(b"http/1.1 200 "):
            raise SystemExit(f"a server of the bench answers {head!r} {body!r}")
        self._used = time.monotonic()

    async def close(self) -> None:
        """Disconnect."""
        self._writer.close()
        await self._writer.wait_closed()


class Sender:
    """Sends to one server, over as many connections as it takes.

    Args:
        wires: whole HTTP requests.
        every: seconds from one to the next.
    """

    def __init__(self, url: str, wires: Sequence[bytes], *, every: float) -> None:
        self._url = url
        self._wires = wires
        self._every = every
        self._free: list[Line] = []

    async def send(self, begin: float) -> list[float]:
        """Send all, the first at a time of the event loop; give the seconds each answer took."""
        due = (begin + place * self._every for place in range(len(self._wires)))
        took = await asyncio.gather(*map(self._one, self._wires, due))
        await asyncio.gather(*(line.close() for line in self._free))
        self._free.clear()
        return took

    async def _one(self, wire: bytes, due: float) -> float:
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(due - clock())
        async with asyncio.timeout(PATIENCE):
            line = await self._line()
            await line.post(wire)
        took = clock() - due
        self._free.append(line)
        return took

    async def _line(self) -> Line:
        if self._free and self._free[-1].is_fresh:
            return self._free.pop()
        return await Line.connect(self._url)


async def beside(
    ours: tuple[str, Sequence[bytes]], floor: tuple[str, Sequence[bytes]], *, every: float
) -> tuple[list[float], list[float]]:
    """Send to two servers at the same pace, to the second one half a step later."""
    begin = asyncio.get_running_loop().time() + 0.5
    mine, other = await asyncio.gather(
        Sender(*ours, every=every).send(begin),
        Sender(*floor, every=every).send(begin + every / 2),
    )
    return mine, other
