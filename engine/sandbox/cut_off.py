"""An answer that breaks off; who asked cannot know what became of the request."""

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class CutOff(Response):
    """Promises a body and does not send it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Promise a body and return without it; the server then closes the connection."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"100")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
