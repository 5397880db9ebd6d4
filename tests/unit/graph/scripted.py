"""A server that says what a test tells it to, and keeps what it was asked."""

from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@dataclass
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Scripted:
    """Answers every request with the next answer of the script, or with `{}`."""

    answers: list[Any] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def say(self, *answers) -> None:
        """Add answers: a JSON value, a pair of status and JSON value, or a Response."""
        self.answers += answers

    @property
    def last(self) -> Asked:
        return self.asked[-1]

    def app(self) -> Starlette:
        methods = ["GET", "POST", "DELETE"]
        return Starlette(routes=[Route("/{path:path}", self._answer, methods=methods)])

    async def _answer(self, request: Request) -> Response:
        self.asked.append(
            Asked(
                request.method,
                request.scope["path"],
                dict(request.query_params),
                dict(request.headers),
                await request.body(),
            )
        )
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, Response):
            return answer
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        return JSONResponse(body, status)
