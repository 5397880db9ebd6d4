"""The sandbox's own routes about access tokens and numbers; Meta has nothing like them."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.sandbox.bodies import checked_body
from engine.sandbox.shapes import each, integer, shape, string, text
from engine.sandbox.state import World

LATEST = 2**40
ACCESS = shape(
    {
        "token": text(),
        "scopes?": each(text(), least=0),
        "expires_at?": integer(0, LATEST),
        "data_access_expires_at?": integer(0, LATEST),
        "accounts?": each(text(), least=0),
    }
)
NUMBER = shape(
    {
        "phone_number_id": text(),
        "verified_name?": string,
        "quality_rating?": text(),
        "status?": text(),
        "platform_type?": text(),
        "code_verification_status?": text(),
        "name_status?": text(),
    }
)


@dataclass(frozen=True, slots=True)
class AccountControl:
    """The routes with which programs change what Meta knows of tokens and numbers."""

    world: World

    def routes(self) -> list[Route]:
        """Return the control routes."""
        return [
            Route("/sandbox/access", self.change_access, methods=["POST"]),
            Route("/sandbox/numbers", self.change_number, methods=["POST"]),
        ]

    async def change_access(self, request: Request) -> Response:
        """Change what an access token may do."""
        given = await checked_body(request, ACCESS)
        token: str = given.pop("token")
        changes: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in given.items()
        }
        accounts = self.world.accounts
        accounts.access[token] = replace(accounts.access_of(token), **changes)
        return JSONResponse(asdict(accounts.access[token]))

    async def change_number(self, request: Request) -> Response:
        """Change what Meta tells of a number."""
        given = await checked_body(request, NUMBER)
        number: str = given.pop("phone_number_id")
        accounts = self.world.accounts
        accounts.profiles[number] = replace(accounts.profile_of(number), **given)
        return JSONResponse(asdict(accounts.profiles[number]))
