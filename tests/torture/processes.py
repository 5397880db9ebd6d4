"""The processes that are tortured: which there are, how one is killed or ended, and replaced."""

import asyncio
import json
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

OURS = ("MONGODB", "COMANDA", "META", "GRAPH", "ENCRYPTION", "PUBLIC", "CATALOG", "ADMIN", "FLOW")
SIGTERM_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Place:
    """A process there always is one of, such as the second web process.

    Args:
        role: `web` or `worker`.
        port: 0 if nobody calls it.
    """

    name: str
    role: str
    port: int = 0


@dataclass(slots=True)
class Life:
    """One process in a place, until it is killed; its label is in every call it makes to Meta.

    Args:
        began: on the clock that all processes of a machine share, as the other times.
        killed: None if nobody killed it.
        told_at: when it was told to end in order; None if nobody told it.
        status: what it ended with; None if it runs.
    """

    label: str
    place: Place
    began: float
    killed: float | None = None
    ended: float | None = None
    status: int | None = None
    told_at: float | None = None

    @property
    def told_to_end(self) -> bool:
        """Tell whether somebody told it to end in order."""
        return self.told_at is not None


@dataclass
class Processes:
    """All places and all lives in them.

    Args:
        nursery: the program that forks them.
        settings: their environment, but for what each one has of its own.
        graph: the address of Meta's stand-in.
    """

    nursery: Process
    settings: Mapping[str, str]
    graph: str
    folder: Path
    lives: dict[str, Life] = field(default_factory=dict)
    _current: dict[str, Life] = field(default_factory=dict)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def start(self, place: Place) -> None:
        """Start a process in a place."""
        label = f"{place.name}.{sum(life.place == place for life in self.lives.values()) + 1}"
        plain = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
        environment = plain | dict(self.settings)
        environment["GRAPH_API_URL"] = f"{self.graph}/via/{label}"
        arguments = ["serve", "--role", place.role, "--port", str(place.port)]
        if place.role == "all":
            arguments = ["serve", "--port", str(place.port)]
        self._current[place.name] = self.lives[label] = Life(label, place, time.monotonic())
        self._order(
            start=label, arguments=arguments, environment=environment, log=str(self.log(label))
        )

    def places(self) -> list[Place]:
        """Give the places with a process in them."""
        return [life.place for life in self._current.values()]

    def kill(self, place: Place) -> None:
        """Kill the process in a place, and start another one."""
        life = self._current[place.name]
        if life.ended is None:
            life.killed = time.monotonic()
        self._order(signal=life.label, number=int(signal.SIGKILL))
        self.start(place)

    async def restart(self, place: Place) -> None:
        """Tell the process in a place to end, and start another one when it has."""
        await self._ended(self._current[place.name])
        self.start(place)

    def fallen(self) -> list[Life]:
        """Give the processes that ended though nobody killed them or told them to."""
        return [
            life
            for life in self.lives.values()
            if life.ended is not None and life.killed is None and not life.told_to_end
        ]

    async def end(self) -> list[Life]:
        """Tell all to end in order; give those that did not, or not with 0."""
        await self._ended(*self._current.values())
        return [life for life in self.lives.values() if life.told_to_end and life.status != 0]

    async def _ended(self, *told: Life) -> None:
        """Tell processes to end in order, and wait until they have, but not for ever."""
        for life in told:
            life.told_at = time.monotonic()
            self._order(signal=life.label, number=int(signal.SIGTERM))
        async with self._changed:
            with suppress(TimeoutError):
                async with asyncio.timeout(SIGTERM_SECONDS):
                    await self._changed.wait_for(lambda: all(life.ended for life in told))

    def log(self, label: str) -> Path:
        """Give the file with what a process had to say."""
        return self.folder / f"{label}.log"

    async def follow(self) -> None:
        """Note which processes end."""
        assert self.nursery.stdout is not None
        async for line in self.nursery.stdout:
            told = json.loads(line)
            life = self.lives.get(told.get("ended", ""))
            if life is not None:
                async with self._changed:
                    life.ended, life.status = time.monotonic(), told["status"]
                    self._changed.notify_all()

    def _order(self, **order: object) -> None:
        assert self.nursery.stdin is not None
        self.nursery.stdin.write(json.dumps(order).encode() + b"\n")


@asynccontextmanager
async def nursery_process() -> AsyncIterator[Process]:
    """Run the program that forks processes; when the block ends, none of them is left."""
    nursery = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.torture.nursery", stdin=PIPE, stdout=PIPE
    )
    try:
        yield nursery
    finally:
        assert nursery.stdin is not None
        nursery.stdin.close()
        await nursery.wait()
