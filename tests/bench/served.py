"""A server to measure, in a process of its own: `python -m tests.bench.served <settings>`.

It prints its URL, then a line of figures for each line that it reads: CPU time, database
commands and their seconds since the line before. It ends when its standard input does.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)
from starlette.applications import Starlette

from engine.app import Engine
from engine.cli.output import log_to_stderr
from engine.clock import Clock, SystemClock
from engine.serving import serving
from engine.settings import read_settings
from engine.storage.connection import Database
from tests.bench.handwritten import Handwritten
from tests.bench.journey import FRIDAY_EVENING, Shop

SECRET = "the app secret of the bench"


class Commands(CommandListener):
    """Counts the commands of a client, and the seconds they took."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.seconds = 0.0

    def started(self, event: CommandStartedEvent) -> None:
        self.seen[event.command_name] += 1

    def succeeded(self, event: CommandSucceededEvent) -> None:
        self.seconds += event.duration_micros / 1e6

    def failed(self, event: CommandFailedEvent) -> None:
        pass


class OpenClock:
    """A clock that runs, from a time at which the shop is open."""

    def __init__(self) -> None:
        self._clock: Clock = SystemClock()
        self._ahead = FRIDAY_EVENING - self._clock.now()

    def now(self):
        return self._clock.now() + self._ahead


async def _engine(
    uri: str, graph: str, commands: Commands
) -> tuple[Starlette, Callable[[], Awaitable[None]]]:
    settings = read_settings(
        mongodb_uri=uri,
        mongodb_db_name="engine",
        graph_api_url=graph,
        meta_app_secret=SECRET,
        encryption_secret=SECRET,
        # Measured by itself, in `sync`; the handler beside it has none.
        catalog_sync=False,
    )
    engine = Engine(settings, clock=OpenClock())
    engine.database = Database(uri, name="engine", listeners=[commands])
    return engine.web, engine.idle


async def _handwritten(
    uri: str, graph: str, commands: Commands
) -> tuple[Starlette, Callable[[], Awaitable[None]]]:
    database = Database(uri, name="handwritten", listeners=[commands])
    steps = await Shop.open().play()
    handler = Handwritten(database, steps, secret=SECRET, graph=graph, clock=OpenClock())
    return handler.web, handler.idle


_SIDES = {"engine": _engine, "handwritten": _handwritten}


async def _serve(side: str, uri: str, graph: str) -> None:
    # Standard output is for the figures.
    log_to_stderr(level="warning")
    commands = Commands()
    web, idle = await _SIDES[side](uri, graph, commands)
    async with serving(web) as url:
        _tell({"url": url})
        cpu = time.process_time()
        while await asyncio.to_thread(sys.stdin.readline):
            await idle()
            now = time.process_time()
            spent = {"cpu": now - cpu, "database": commands.seconds}
            _tell(spent | {"commands": dict(commands.seen)})
            cpu, commands.seconds = now, 0.0
            commands.seen.clear()


def _tell(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
