"""`GET /{version}/debug_token`: what an access token is good for, as Meta tells it."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.sandbox.access import known_token
from engine.sandbox.account_state import APP_ID, APP_NAME, MANAGEMENT, MESSAGING
from engine.sandbox.envelope import JsonObject, invalid
from engine.sandbox.state import World


@dataclass(frozen=True, slots=True)
class DebugToken:
    """The route that tells of access tokens."""

    world: World

    def routes(self) -> list[Route]:
        """Return the routes of this part of the Graph API."""
        return [Route("/{version}/debug_token", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """Tell what a token is good for; of one that nobody gave out, only that."""
        known_token(request, self.world)
        token = request.query_params.get("input_token", "")
        if not token:
            raise invalid("The parameter input_token is required")
        if token not in {phone.token for phone in self.world.phones.values()}:
            error = {"code": 190, "message": "Invalid OAuth access token."}
            return JSONResponse({"data": {"error": error, "is_valid": False, "scopes": []}})
        return JSONResponse({"data": self._shown(token)})

    def _shown(self, token: str) -> JsonObject:
        access = self.world.accounts.access_of(token)
        numbers = [phone for phone in self.world.phones.values() if phone.token == token]
        accounts = list(dict.fromkeys(phone.waba_id for phone in numbers))
        if access.accounts is not None:
            accounts = list(access.accounts)
        granular = [
            {"scope": scope, "target_ids": accounts}
            if scope in (MANAGEMENT, MESSAGING)
            else {"scope": scope}
            for scope in access.scopes
        ]
        shown: JsonObject = {
            "app_id": APP_ID,
            "type": "SYSTEM_USER",
            "application": APP_NAME,
            "data_access_expires_at": access.data_access_expires_at,
            "expires_at": access.expires_at,
            "is_valid": not self.world.accounts.is_expired(token),
            "scopes": list(access.scopes),
            "granular_scopes": granular,
        }
        if not shown["is_valid"]:
            shown["error"] = {
                "code": 190,
                "message": "Error validating access token: Session has expired.",
                "subcode": 463,
            }
        return shown
