"""An ASGI application called without a server, and what it answered."""

import asyncio
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answered:
    """What came back."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


async def call(
    app, path="/", method="GET", *, chunks=(b"",), headers=(), client="203.0.113.7", pause=0.0
) -> Answered:
    """Send a request in pieces, and give the answer."""
    left = list(chunks)
    answered = Answered()

    async def receive() -> Any:
        if not left:
            await asyncio.Event().wait()
        if pause:
            await asyncio.sleep(pause)
        body = left.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(left)}

    async def send(message) -> None:
        if message["type"] == "http.response.start":
            assert not answered.status, "an answer begins twice"
            answered.status = message["status"]
            answered.headers = {k.decode().lower(): v.decode() for k, v in message["headers"]}
        else:
            answered.body += message.get("body", b"")

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
        "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in headers],
        "client": (client, 4711) if client else None, "server": ("x", 80), "state": {},
    }  # fmt: skip
    await app(scope, receive, send)
    return answered


def unbegun(app):
    """Give an application whose life never begins: its doors are there, nothing behind them."""

    async def called(scope, receive, send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        for what in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{what}.complete"})

    return called
