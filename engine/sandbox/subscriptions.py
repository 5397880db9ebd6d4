"""`/{version}/{object_id}/subscribed_apps`: who hears of an account's messages or of a catalogue.

What is posted to the engine does not depend on it here.
"""

import re
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.sandbox.access import known_token, missing_object, parameters
from engine.sandbox.account_state import APP_ID, APP_NAME, MANAGEMENT
from engine.sandbox.catalogs import SUCCESS, Catalogs
from engine.sandbox.envelope import Complaint, GraphRefusal, JsonObject, invalid
from engine.sandbox.objects import Endpoint
from engine.sandbox.pages import page
from engine.sandbox.state import World

LONGEST_ADDRESS = 200


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """The routes by which apps are subscribed; those of catalogues are `Catalogs`' own."""

    world: World
    catalogs: Catalogs

    def routes(self) -> list[Route]:
        """Return the routes of this part of the Graph API."""
        edge, noted = "/{version}/{object_id}/subscribed_apps", self.catalogs.calls.noted
        of_catalog = {
            "GET": noted("subscribed_apps", self.catalogs.apps),
            "POST": noted("subscribed_apps", self.catalogs.subscribe),
        }

        def either(method: str, of_account: Endpoint) -> Endpoint:
            async def take(request: Request) -> Response:
                is_account = bool(self.world.numbers_of(request.path_params["object_id"]))
                endpoint = of_account if is_account else of_catalog.get(method, of_account)
                return await endpoint(request)

            return take

        return [
            Route(edge, either("GET", self.show), methods=["GET"]),
            Route(edge, either("POST", self.subscribe), methods=["POST"]),
            Route(edge, either("DELETE", self.unsubscribe), methods=["DELETE"]),
        ]

    async def show(self, request: Request) -> Response:
        """List the apps that hear of an account's messages."""
        apps = list(self.world.accounts.apps_of(self._account(request)).items())
        return JSONResponse(page(apps, request, _shown))

    async def subscribe(self, request: Request) -> Response:
        """Let the token's app hear of an account's messages, at an address of their own if any."""
        waba_id = self._account(request)
        given = await parameters(request)
        address = given.get("override_callback_uri") or ""
        if address and not given.get("verify_token"):
            raise invalid("The parameter verify_token is required with override_callback_uri")
        if len(address) > LONGEST_ADDRESS or (address and not re.match(r"https?://\S+$", address)):
            raise invalid("Param override_callback_uri is not a valid address")
        apps = dict(self.world.accounts.apps_of(waba_id)) | {APP_ID: address}
        self.world.accounts.apps[waba_id] = apps
        return JSONResponse(SUCCESS)

    async def unsubscribe(self, request: Request) -> Response:
        """Let the token's app hear no more of an account's messages."""
        waba_id = self._account(request)
        apps = dict(self.world.accounts.apps_of(waba_id))
        apps.pop(APP_ID, None)
        self.world.accounts.apps[waba_id] = apps
        return JSONResponse(SUCCESS)

    def _account(self, request: Request) -> str:
        token = known_token(request, self.world)
        waba_id: str = request.path_params["object_id"]
        if token not in {phone.token for phone in self.world.numbers_of(waba_id)}:
            raise missing_object(request, waba_id)
        if MANAGEMENT not in self.world.accounts.access_of(token).scopes:
            message = f"(#200) This call needs the permission {MANAGEMENT}"
            raise GraphRefusal(Complaint(200, message=message))
        return waba_id


def _shown(app: tuple[str, str]) -> JsonObject:
    app_id, address = app
    link = f"https://www.facebook.com/games/?app_id={app_id}"
    data = {"id": app_id, "name": APP_NAME, "link": link}
    shown: JsonObject = {"whatsapp_business_api_data": data}
    return shown | ({"override_callback_uri": address} if address else {})
