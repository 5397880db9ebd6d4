"""What all doors share: bodies are read up to a size, errors become statuses by their kind."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from starlette.requests import Request

from engine.errors import BadSignature, Malformed, Unavailable
from engine.web.rates import Rates

SIGNATURE: Final = "x-hub-signature-256"
"""The header that Meta signs every body in."""

Statuses: TypeAlias = Mapping[type[Exception], int]


class TooLarge(Malformed):
    """A body is larger than is read."""


class TooSlow(Malformed):
    """A body has not come in time."""


REFUSALS: Final[dict[type[Exception], int]] = {
    TooLarge: 413,
    TooSlow: 408,
    Malformed: 400,
    Unavailable: 503,
}
"""The statuses that mean the same at every door."""


def status_of(error: Exception, statuses: Statuses) -> int | None:
    """Give the status of an error's kind, the narrowest that has one."""
    return next((statuses[kind] for kind in type(error).__mro__ if kind in statuses), None)


async def read_body(request: Request, limit: int) -> bytes:
    """Read a request's body.

    Raises:
        TooLarge: it has more bytes than the limit; the rest is not read.
        ClientDisconnect: the client went away before all of it came.
    """
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:18]) > limit:
        raise TooLarge(f"the body has {length[:18]} bytes, {limit} are read")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"the body has more than {limit} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


class Complaints:
    """Tells whether a refusal is logged: of many wrong signatures a line a second is enough."""

    def __init__(self) -> None:
        self._rates = Rates(rate=1.0, burst=20)

    def may_log(self, error: Exception) -> bool:
        """Tell whether this one is."""
        return not isinstance(error, BadSignature) or not self._rates.take("")
