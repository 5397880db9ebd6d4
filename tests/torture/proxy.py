"""The proxy that operators are given, in front of web processes."""

import asyncio
import os
import ssl
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.torture.ports import free_port

CADDY = Path(sys.executable).with_name("caddy")
CADDYFILE = Path(__file__).parents[2] / "engine/operations/proxy/Caddyfile"
START_SECONDS = 15.0


@asynccontextmanager
async def proxy_process(
    doors: Sequence[str], folder: Path, *, scheme: str = "http", **environment: str
) -> AsyncIterator[str]:
    """Run it while the block runs; give its address.

    Args:
        doors: addresses of web processes.
        folder: for its certificates and its log.
        environment: what else its configuration asks for.
    """
    port = free_port()
    site = f"{scheme}://localhost:{port}"
    asked = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder / "proxy-data"),
        "XDG_CONFIG_HOME": str(folder / "proxy-config"),
        "CADDY_ADMIN": "off",
        "SITE": site,
        "HTTP_PORT": str(free_port()),
        "HTTPS_PORT": str(free_port()),
        "WEB_PROCESSES": " ".join(door.removeprefix("http://") for door in doors),
    }
    command = ("run", "--adapter", "caddyfile", "--config", CADDYFILE)
    with (folder / "proxy.log").open("ab") as said:
        process = await asyncio.create_subprocess_exec(
            CADDY, *command, env=asked | environment, stderr=said
        )
    try:
        await _answers(port, is_encrypted=scheme == "https")
        yield site
    finally:
        process.terminate()
        await process.wait()


async def _answers(port: int, *, is_encrypted: bool) -> None:
    # Its certificate is made a moment after it listens; who made it is not asked here.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    async with asyncio.timeout(START_SECONDS):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection(
                    "localhost", port, ssl=context if is_encrypted else None
                )
                writer.close()
                await writer.wait_closed()
                return
            await asyncio.sleep(0.1)
