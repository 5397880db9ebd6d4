"""Starts and stops the embedded database, a process of its own; production has its own MongoDB."""

import asyncio
import importlib.util
import json
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Self

from engine.errors import EngineError

PROGRAM = Path(__file__).with_name("embedded_server.py")
LOG = "server.log"
"""File in the data folder with what the server had to say."""

# With retryable writes the server keeps a record of each, and is ten times slower after 10,000 of
# them (database.md 3.2). Production keeps them.
OPTIONS = "directConnection=true&retryWrites=false"


class EmbeddedServer:
    """An embedded database with a folder of its own; it dies with the process that started it.

    Args:
        folder: of its data; it is created if missing, and only one server may have it.
        start_within: seconds it may take to start.
        test_commands: lets tests inject failures.
    """

    def __init__(
        self, folder: Path, *, start_within: float = 30.0, test_commands: bool = False
    ) -> None:
        self._folder = folder
        self._start_within = start_within
        self._test_commands = test_commands
        self._process: Process | None = None
        self._port = 0

    @property
    def uri(self) -> str:
        """Give the connection string, with the options that this server needs."""
        return f"mongodb://127.0.0.1:{self._port}/?{OPTIONS}"

    @property
    def pid(self) -> int | None:
        """Give the number of its process, None if it does not run."""
        return None if self._process is None else self._process.pid

    async def start(self, *, port: int = 0) -> str:
        """Start it and wait until it answers; give its connection string.

        Args:
            port: on the loopback address; 0 takes a free one.

        Raises:
            EngineError: it is not installed, the folder is in use, or it does not start.
        """
        if importlib.util.find_spec("secantus") is None:
            raise EngineError(
                "there is no embedded database here: install comanda[embedded] or set MONGODB_URI"
            )
        self._process = await self._launch(port)
        try:
            self._port = await asyncio.wait_for(self._ready(self._process), self._start_within)
        except TimeoutError as exc:
            await self.stop(within=0)
            raise EngineError(
                f"the embedded database in {self._folder} did not start within "
                f"{self._start_within:g} seconds: see {self._folder / LOG}"
            ) from exc
        except BaseException:
            await self.stop(within=0)
            raise
        return self.uri

    async def stop(self, *, within: float = 10.0) -> None:
        """End it in order, or after `within` seconds by force."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), within)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _launch(self, port: int) -> Process:
        # By its path and with -P: it needs nothing of the engine, and must not find our `secrets`
        # where it looks for Python's.
        command = [
            sys.executable,
            "-P",
            str(PROGRAM),
            "--data",
            str(self._folder),
            "--port",
            str(port),
        ]
        if self._test_commands:
            command.append("--test-commands")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / LOG).open("ab") as log:
                return await asyncio.create_subprocess_exec(
                    *command, stdin=PIPE, stdout=PIPE, stderr=log
                )
        except OSError as exc:
            raise EngineError(f"the embedded database in {self._folder}: {exc.strerror}") from exc

    async def _ready(self, process: Process) -> int:
        line = await process.stdout.readline() if process.stdout else b""
        told = json.loads(line) if line.startswith(b"{") else {}
        if "port" in told:
            return int(told["port"])
        reason = told.get("error", f"did not start: see {self._folder / LOG}")
        raise EngineError(f"the embedded database in {self._folder} {reason}")
