"""Lists under `/sandbox` whose rows can be waited for; what happened it does not know."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from typing import Protocol, TypeVar

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from engine.sandbox.bell import Bell
from engine.sandbox.shapes import number

MOST = 1_000_000


class Numbered(Protocol):
    """Something that happened; `n` counts from 1."""

    @property
    def n(self) -> int:
        """Return its place."""
        ...


Row = TypeVar("Row", bound=Numbered)

# Gives the rows after a place.
Rows = Callable[[int], Sequence[Row]]


async def listing(request: Request, bell: Bell, what: Hashable, rows: Rows[Row]) -> Response:
    """Answer with the fresh rows."""
    fresh = await fresh_rows(request, bell, what, rows)
    return Response(orjson.dumps(fresh), media_type="application/json")


async def fresh_rows(
    request: Request, bell: Bell, what: Hashable, rows: Rows[Row]
) -> Sequence[Row]:
    """Return the rows after `after`, once there are `count` or `wait` seconds are over.

    With `limit` these are only the first so many of them, with `last` only the last.

    Args:
        what: the bell rings for this when there are more.
    """
    after = int(_quantity(request, "after", 0))
    count = int(_quantity(request, "count", 1))
    limit, last = (int(_quantity(request, name, MOST)) for name in ("limit", "last"))
    await waited(request, bell, what, lambda: len(rows(after)) >= count)
    return rows(after)[:limit][-last:] if last else []


async def waited(request: Request, bell: Bell, what: Hashable, ready: Callable[[], bool]) -> None:
    """Return when the condition holds, `wait` seconds are over, or nobody asks any more."""
    seconds = _quantity(request, "wait", 0)
    if not seconds or ready():
        return
    gone = asyncio.Event()
    watch = asyncio.create_task(_watch(request, bell, what, gone))
    try:
        await bell.wait_until(lambda: gone.is_set() or ready(), what=what, seconds=seconds)
    finally:
        watch.cancel()


async def _watch(request: Request, bell: Bell, what: Hashable, gone: asyncio.Event) -> None:
    """Notice that nobody waits for the answer any more; it would hold up the server's end."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()
    bell.ring(what)


def _quantity(request: Request, name: str, default: float) -> float:
    given = request.query_params.get(name)
    if given is None:
        return default
    if next(number(0, MOST)(name, given), None) is not None:
        raise HTTPException(400, f"{name} must be a number that is not negative")
    return float(given)
