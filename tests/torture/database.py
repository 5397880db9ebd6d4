"""The database in its own process, killed and started again in the same place."""

import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from engine.storage.embedded import EmbeddedServer


@dataclass
class MortalDatabase:
    """An embedded database, and when it was away.

    Args:
        away: from the kill until it answered again, on the clock that all processes share.
    """

    server: EmbeddedServer
    port: int = 0
    away: list[tuple[float, float]] = field(default_factory=list)

    async def kill(self) -> None:
        """Kill it, and start it again."""
        process, began = self.server.pid, time.monotonic()
        assert process is not None
        os.kill(process, signal.SIGKILL)
        await self.server.stop()
        await self.server.start(port=self.port)
        self.away.append((began, time.monotonic()))


@asynccontextmanager
async def mortal_database(folder: Path) -> AsyncIterator[MortalDatabase]:
    """Serve a database while the block runs."""
    async with EmbeddedServer(folder) as server:
        port = int(server.uri.split(":")[2].split("/")[0])
        yield MortalDatabase(server, port)
