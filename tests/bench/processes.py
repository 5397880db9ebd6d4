"""Processes of `comanda serve` to measure, as an operator starts them: with a role each."""

import asyncio
import os
import re
import sys
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from engine.serving import listen
from engine.settings import Settings
from tests.bench.served import SECRET

START_SECONDS = 30.0
END_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Running:
    """A process of `comanda serve`."""

    process: Process
    http: httpx.AsyncClient
    url: str

    def cpu(self) -> float:
        """Give the CPU time it has used, in seconds."""
        return cpu_seconds(self.process.pid)

    async def metric(self, name: str) -> float:
        """Give the sum of a metric over its labels."""
        told = (await self.http.get("/metrics")).raise_for_status().text
        return sum(map(float, re.findall(rf"^{name}(?:{{.*}})? (\S+)$", told, re.MULTILINE)))


@asynccontextmanager
async def comanda(
    role: str, *, uri: str, name: str, graph: str, content: Path | None = None
) -> AsyncIterator[Running]:
    """Run a process with a role, on a database by its name, until the block ends.

    Args:
        content: the folder that holds the tenants; None: the shipped ones.
    """
    listener, url = listen()
    listener.close()
    command = ("serve", "--role", role, "--port", url.rpartition(":")[2])
    environment = _environment(uri, name, graph)
    if content:
        environment |= {"COMANDA_CONTENT": str(content)}
    with tempfile.TemporaryFile() as said:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "engine", *command, env=environment, stdout=said, stderr=said
        )
        try:
            async with httpx.AsyncClient(base_url=url, timeout=START_SECONDS) as http:
                if not await _is_ready(process, http):
                    said.seek(0)
                    raise SystemExit(f"comanda {' '.join(command)}: {said.read().decode()}")
                yield Running(process, http, url)
        finally:
            await _end(process)


def cpu_seconds(process: int) -> float:
    """Give the CPU time a process has used; 0 on a system that has no /proc."""
    stat = Path(f"/proc/{process}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
    user, system = fields[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def memory_mib(process: int) -> float:
    """Give the memory a process holds; 0 on a system that has no /proc."""
    statm = Path(f"/proc/{process}/statm")
    if not statm.exists():
        return 0.0
    pages = int(statm.read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def open_files(process: int) -> int:
    """Count the descriptors a process has open; 0 on a system that has no /proc."""
    listed = Path(f"/proc/{process}/fd")
    return len(list(listed.iterdir())) if listed.exists() else 0


async def _is_ready(process: Process, http: httpx.AsyncClient) -> bool:
    patience = time.monotonic() + START_SECONDS
    while process.returncode is None and time.monotonic() < patience:
        try:
            if (await http.get("/health/ready")).is_success:
                return True
        except httpx.ConnectError:
            pass
        await asyncio.sleep(0.02)
    return False


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), END_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def _environment(uri: str, name: str, graph: str) -> dict[str, str]:
    ours = {field.upper() for field in Settings.model_fields}
    plain = {key: value for key, value in os.environ.items() if key.upper() not in ours}
    return plain | {
        "MONGODB_URI": uri,
        "MONGODB_DB_NAME": name,
        "GRAPH_API_URL": graph,
        "META_APP_SECRET": SECRET,
        "META_WEBHOOK_VERIFY_TOKEN": SECRET,
        "ENCRYPTION_SECRET": SECRET,
        # Measured by itself, in `sync`.
        "CATALOG_SYNC": "false",
    }
