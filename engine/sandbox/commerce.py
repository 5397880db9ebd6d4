"""The Graph routes that bring a catalogue to WhatsApp: connecting it, and what a number shows.

Messages with products are held against this in `catalog_messages`.
"""

from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.sandbox.access import permitted_account, permitted_number, readable_catalog
from engine.sandbox.catalog_calls import CatalogCalls, checked
from engine.sandbox.catalog_state import Catalog
from engine.sandbox.catalogs import SUCCESS, shown_catalog
from engine.sandbox.envelope import invalid
from engine.sandbox.pages import page
from engine.sandbox.shapes import flag, shape, text
from engine.sandbox.state import World

CONNECTION = shape({"catalog_id": text()}, closed=False)
SETTINGS = shape({"is_cart_enabled?": flag, "is_catalog_visible?": flag}, closed=False)


@dataclass(frozen=True, slots=True)
class Commerce:
    """`/{version}/{waba_id}/product_catalogs` and a number's `whatsapp_commerce_settings`."""

    world: World
    calls: CatalogCalls

    def routes(self) -> list[Route]:
        """Return the routes of this part of the Graph API."""
        noted = self.calls.noted
        edge = "/{version}/{waba_id}/product_catalogs"
        settings = "/{version}/{phone_number_id}/whatsapp_commerce_settings"
        return [
            Route(edge, noted("product_catalogs", self.connected), methods=["GET"]),
            Route(edge, noted("product_catalogs", self.connect), methods=["POST"]),
            Route(edge, noted("product_catalogs", self.disconnect), methods=["DELETE"]),
            Route(settings, noted("commerce_settings", self.settings), methods=["GET"]),
            Route(settings, noted("commerce_settings", self.set), methods=["POST"]),
        ]

    async def connected(self, request: Request) -> Response:
        """List the catalogue that is connected to a WhatsApp account."""
        catalog = self.world.trade.connected(permitted_account(request, self.world))
        catalogs = [] if catalog is None else [catalog]
        fields = request.query_params.get("fields")
        return JSONResponse(page(catalogs, request, lambda one: shown_catalog(one, fields)))

    async def connect(self, request: Request) -> Response:
        """Connect a catalogue to a WhatsApp account that has none yet."""
        waba_id = permitted_account(request, self.world)
        catalog = await self._catalog(request)
        known = self.world.trade.connected(waba_id)
        if catalog.vertical != "commerce":
            raise invalid("Only a catalogue of the vertical commerce can be connected")
        # UNCONFIRMED at Meta, which says that there is only one: it may replace the other.
        if known is not None and known.id != catalog.id:
            raise invalid(f"Catalogue {known.id} is connected to the account already")
        self.world.trade.connections[waba_id] = catalog.id
        return JSONResponse(SUCCESS)

    async def disconnect(self, request: Request) -> Response:
        """Disconnect a catalogue from a WhatsApp account."""
        waba_id = permitted_account(request, self.world)
        catalog = await self._catalog(request)
        if self.world.trade.connected(waba_id) is not catalog:
            raise invalid(f"Catalogue {catalog.id} is not connected to the account")
        del self.world.trade.connections[waba_id]
        return JSONResponse(SUCCESS)

    async def settings(self, request: Request) -> Response:
        """Tell what customers see on a number."""
        number = permitted_number(request, self.world)
        catalog = self.world.trade.connected(number.waba_id)
        shown = {"id": number.phone_number_id if catalog is None else catalog.id}
        return JSONResponse(
            {"data": [shown | asdict(self.world.trade.settings_of(number.phone_number_id))]}
        )

    async def set(self, request: Request) -> Response:
        """Change what customers see on a number."""
        number = permitted_number(request, self.world)
        given = await checked(request, SETTINGS, "is_cart_enabled", "is_catalog_visible")
        known = self.world.trade.settings_of(number.phone_number_id)
        known.is_cart_enabled = given.get("is_cart_enabled", known.is_cart_enabled)
        known.is_catalog_visible = given.get("is_catalog_visible", known.is_catalog_visible)
        return JSONResponse(SUCCESS)

    async def _catalog(self, request: Request) -> Catalog:
        given = await checked(request, CONNECTION)
        catalog = readable_catalog(request, self.world, given["catalog_id"])
        if catalog is None:
            raise invalid("Param catalog_id is not a catalogue that this token may use")
        return catalog
