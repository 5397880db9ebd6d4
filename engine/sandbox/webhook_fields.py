"""`/{version}/{app_id}/subscriptions`: of which fields the app hears, and where.

Meta's page graph-api/reference/app/subscriptions. What is posted to the engine does not depend on
it here; a callback that does not answer the challenge is refused.
"""

import secrets
from dataclasses import dataclass
from typing import Final

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.sandbox.access import LATEST_VERSION, check_version, missing_object, parameters
from engine.sandbox.account_state import APP_ID, FIELDS
from engine.sandbox.envelope import Complaint, GraphRefusal, JsonObject, invalid
from engine.sandbox.options import SandboxOptions
from engine.sandbox.state import World

OBJECT: Final = "whatsapp_business_account"
NO_APP: Final = 15
"""Meta's code for a token that is not the app's own."""
UNVERIFIED: Final = 2200
"""Meta's code for a callback that does not answer its challenge."""


@dataclass(frozen=True, slots=True)
class WebhookFields:
    """The routes by which the app says what it wants to hear of."""

    world: World
    options: SandboxOptions

    def routes(self) -> list[Route]:
        """Return the routes of this part of the Graph API."""
        edge = "/{version}/{object_id}/subscriptions"
        return [
            Route(edge, self.show, methods=["GET"]),
            Route(edge, self.subscribe, methods=["POST"]),
            Route(edge, self.unsubscribe, methods=["DELETE"]),
        ]

    async def show(self, request: Request) -> Response:
        """List what the app hears of."""
        self._check(request)
        accounts = self.world.accounts
        if not accounts.fields:
            return JSONResponse({"data": []})
        fields = [{"name": name, "version": LATEST_VERSION} for name in accounts.fields]
        shown = {
            "object": OBJECT,
            "callback_url": self._callback(),
            "active": True,
            "fields": fields,
        }
        return JSONResponse({"data": [shown]})

    async def subscribe(self, request: Request) -> Response:
        """Let the app hear of more fields, at an address that answers the challenge."""
        self._check(request)
        given = await parameters(request)
        fields = _fields(given)
        for name in ("callback_url", "verify_token"):
            if not isinstance(given.get(name), str) or not given[name]:
                raise invalid(f"The parameter {name} is required")
        await self._verify(given["callback_url"], given["verify_token"])
        accounts = self.world.accounts
        accounts.fields = tuple(dict.fromkeys((*accounts.fields, *fields)))
        accounts.callback = given["callback_url"]
        return JSONResponse({"success": True})

    async def unsubscribe(self, request: Request) -> Response:
        """Let the app hear no more of some fields; of none if they are not named."""
        self._check(request)
        given = await parameters(request)
        gone = _fields(given) if "fields" in given else FIELDS
        accounts = self.world.accounts
        accounts.fields = tuple(name for name in accounts.fields if name not in gone)
        return JSONResponse({"success": True})

    def _check(self, request: Request) -> None:
        """Refuse whoever is not the app itself: its token is its id and its secret."""
        check_version(request)
        _, _, token = request.headers.get("Authorization", "").partition(" ")
        app_id, _, secret = token.partition("|")
        if app_id != APP_ID or secret not in {p.app_secret for p in self.world.phones.values()}:
            message = "(#15) This method must be called with an app access_token."
            raise GraphRefusal(Complaint(NO_APP, message=message))
        if request.path_params["object_id"] != APP_ID:
            raise missing_object(request, request.path_params["object_id"])

    def _callback(self) -> str:
        numbers = self.world.phones.values()
        return self.world.accounts.callback or next((p.callback_url for p in numbers), "")

    async def _verify(self, url: str, token: str) -> None:
        challenge = secrets.token_hex(8)
        query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge}
        try:
            async with httpx.AsyncClient(
                timeout=self.options.callback_timeout, trust_env=False
            ) as http:
                answer = await http.get(url, params=query)
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            raise _unverified(type(problem).__name__) from problem
        if answer.status_code != 200 or answer.text != challenge:
            raise _unverified(f"HTTP {answer.status_code}")


def _fields(given: JsonObject) -> list[str]:
    if given.get("object") != OBJECT:
        raise invalid(f"Param object must be one of {{{OBJECT}}}")
    named = given.get("fields")
    fields = named if isinstance(named, list) else str(named or "").split(",")
    unknown = [name for name in fields if name not in FIELDS]
    if unknown:
        raise invalid(f"Param fields must be an array of known fields; {unknown[0]!r} is none")
    return [str(name) for name in fields]


def _unverified(reason: str) -> GraphRefusal:
    message = f"(#{UNVERIFIED}) Callback verification failed with the following errors: {reason}"
    return GraphRefusal(Complaint(UNVERIFIED, message=message))
