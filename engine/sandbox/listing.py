"""Lists under `/sandbox` whose rows can be waited for; what happened it does not know."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request

from engine.sandbox.shapes import number
from engine.sandbox.state import World


class Numbered(Protocol):
    """Something that happened; `n` counts from 1."""

    @property
    def n(self) -> int:
        """Return its place."""
        ...


Row = TypeVar("Row", bound=Numbered)


async def fresh_rows(
    request: Request, world: World, rows: Callable[[], Sequence[Row]]
) -> list[Row]:
    """Return the rows after `after`, once there are `count` or `wait` seconds are over."""
    after = int(_quantity(request, "after", 0))
    count = int(_quantity(request, "count", 1))
    seconds = _quantity(request, "wait", 0)

    def fresh() -> list[Row]:
        return [row for row in rows() if row.n > after]

    gone = asyncio.Event()
    watch = asyncio.create_task(_watch(request, world, gone))
    try:
        await world.wait_until(lambda: len(fresh()) >= count or gone.is_set(), seconds=seconds)
    finally:
        watch.cancel()
    return fresh()


async def _watch(request: Request, world: World, gone: asyncio.Event) -> None:
    """Notice that nobody waits for the answer any more; it would hold up the server's end."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()
    await world.ring()


def _quantity(request: Request, name: str, default: float) -> float:
    given = request.query_params.get(name, str(default))
    if next(number(0, 1_000_000)(name, given), None) is not None:
        raise HTTPException(400, f"{name} must be a number that is not negative")
    return float(given)
