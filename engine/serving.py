"""Serves an ASGI application over real HTTP inside a running event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

LOOPBACK = "127.0.0.1"


def listen(host: str = LOOPBACK, port: int = 0) -> tuple[socket.socket, str]:
    """Listen on a port, a free one by default, and return the socket and its URL.

    Clients may connect at once: the system keeps them until the server accepts.
    """
    listener = socket.create_server((host, port))
    # asyncio sets this only on sockets it makes itself; without it each answer takes 40 ms more.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    address, chosen = listener.getsockname()[:2]
    return listener, f"http://{address}:{chosen}"


def server(app: ASGIApp) -> uvicorn.Server:
    """Return a quiet server for an application; long polls do not hold up its end."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            log_level="error",
            access_log=False,
            ws="none",
            timeout_graceful_shutdown=1,
            server_header=False,
            proxy_headers=False,
        )
    )


@asynccontextmanager
async def serving(app: ASGIApp, *, host: str = LOOPBACK, port: int = 0) -> AsyncIterator[str]:
    """Serve an application while the block runs, and give its URL."""
    listener, url = listen(host, port)
    async with serving_on(listener, app):
        yield url


@asynccontextmanager
async def serving_on(listener: socket.socket, app: ASGIApp) -> AsyncIterator[None]:
    """Serve an application on a socket that listens already, while the block runs."""
    running = server(app)
    task = asyncio.create_task(running.serve(sockets=[listener]))
    try:
        yield
    finally:
        running.should_exit = True
        await task
