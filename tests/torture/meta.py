"""Meta's stand-in in a process of its own, which also notes which process sent what.

    python -m tests.torture.meta

It prints its address. A Graph call to `/via/<label>/...` is one of the process with that label.
`/torture/sends` lists who tried to send what, `/torture/receivers` for whom Meta took something.
"""

import asyncio
import json
import time
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.sandbox import SandboxOptions, create_sandbox
from engine.sandbox.options import new_wamid
from engine.serving import listen, server


@dataclass(slots=True)
class Sending:
    """One try of a process to send something, seen from Meta's side.

    Args:
        n: counts from 1.
        label: of the process.
        opaque: id of the row that it sends; empty for a read receipt.
        taken: when Meta took it, on the clock that all processes of a machine share.
        answered: when all of the answer had gone out; None if it was cut off.
    """

    n: int
    label: str
    opaque: str
    payload: dict[str, Any]
    began: float
    taken: float | None = None
    wamid: str = ""
    status: int | None = None
    answered: float | None = None


_SENDING: ContextVar[Sending | None] = ContextVar("sending", default=None)


@dataclass
class Notes:
    """Who tried to send what, and what of it Meta took."""

    sends: list[Sending] = field(default_factory=list)
    taken: list[Sending] = field(default_factory=list)

    def wamid(self) -> str:
        """Make a message id; the sandbox asks for one when it takes a message."""
        made, sending = new_wamid(), _SENDING.get()
        if sending is not None:
            sending.taken, sending.wamid = time.monotonic(), made
            self.taken.append(sending)
        return made

    def all_sends(self, _: Request) -> JSONResponse:
        """List who tried to send what."""
        return JSONResponse([asdict(one) for one in self.sends])

    def receivers(self, request: Request) -> JSONResponse:
        """List whom the messages are for that Meta took, after so many of them."""
        after = int(request.query_params["after"])
        return JSONResponse([one.payload["to"] for one in self.taken[after:]])


@dataclass
class Noting:
    """The sandbox behind somebody who notes who sends what."""

    sandbox: ASGIApp
    notes: Notes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path.startswith("/via/"):
            _, _, label, rest = path.split("/", 3)
            inner = dict(scope) | {"path": f"/{rest}", "raw_path": f"/{rest}".encode()}
            await self._noted(label, inner, receive, send)
        else:
            await self.sandbox(scope, receive, send)

    async def _noted(self, label: str, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].endswith("/messages"):
            await self.sandbox(scope, receive, send)
            return
        try:
            body = await Request(scope, receive).body()
        except ClientDisconnect:
            return
        payload = json.loads(body)
        opaque = payload.get("biz_opaque_callback_data", "")
        sends = self.notes.sends
        noted = Sending(len(sends) + 1, label, opaque, payload, time.monotonic())
        sends.append(noted)
        _SENDING.set(noted)
        handed = False

        async def again() -> Message:
            nonlocal handed
            if handed:
                return await receive()
            handed = True
            return {"type": "http.request", "body": body, "more_body": False}

        promised, written = 0, 0

        async def watched(message: Message) -> None:
            nonlocal promised, written
            await send(message)
            if message["type"] == "http.response.start":
                noted.status = message["status"]
                headers = {name.lower(): value for name, value in message["headers"]}
                promised = int(headers.get(b"content-length", b"0"))
            else:
                written += len(message.get("body", b""))
                if written >= promised:
                    noted.answered = time.monotonic()

        await self.sandbox(scope, again, watched)


def main() -> None:
    """Serve until the process is told to stop."""
    notes = Notes()
    sandbox = Noting(create_sandbox(SandboxOptions(wamids=notes.wamid)), notes)
    routes = [
        Route("/torture/sends", notes.all_sends),
        Route("/torture/receivers", notes.receivers),
        Mount("/", app=sandbox),
    ]
    listener, url = listen()
    print(json.dumps({"url": url}), flush=True)
    asyncio.run(server(Starlette(routes=routes)).serve(sockets=[listener]))


if __name__ == "__main__":
    main()
