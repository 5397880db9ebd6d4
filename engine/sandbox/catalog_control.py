"""The sandbox's own routes about catalogues; Meta has nothing like them.

Programs look at what Meta has, edit it by hand, release batches, count calls and break them.
"""

from dataclasses import asdict, dataclass
from typing import get_args

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.sandbox.batches import Batches
from engine.sandbox.bodies import checked_body
from engine.sandbox.catalog_calls import ROUTES
from engine.sandbox.catalog_state import (
    BatchState,
    Catalog,
    CatalogCall,
    CatalogFault,
    CatalogFaultKind,
    ItemFault,
)
from engine.sandbox.envelope import JsonObject
from engine.sandbox.listing import fresh_rows
from engine.sandbox.shapes import exactly_one, flag, integer, mapping, one_of, shape, text
from engine.sandbox.state import World

EDIT = shape({"fields?": mapping(), "delete?": flag}, exactly_one("fields", "delete"))
HOLDING = shape({"hold": flag})
RELEASE = shape({"status?": one_of(*(one for one in get_args(BatchState) if one != "started"))})
FAULT = shape(
    {
        "kind": one_of(*get_args(CatalogFaultKind)),
        "route?": one_of(*ROUTES),
        "times?": integer(1, 1_000_000),
        "code?": integer(0, 9_999_999),
        "http_status?": integer(400, 599),
    }
)
ITEM_FAULT = shape({"item": text(), "message": text(), "times?": integer(1, 1_000_000)})


@dataclass(frozen=True, slots=True)
class CatalogControl:
    """The routes with which programs drive catalogues."""

    world: World
    batches: Batches

    def routes(self) -> list[Route]:
        """Return the control routes."""
        one = "/sandbox/catalogs/{catalog_id}"
        # An item's id may have any character in it, even a slash.
        item = f"{one}/items/{{item:path}}"
        return [
            Route("/sandbox/catalogs", self.catalogs, methods=["GET"]),
            Route(f"{one}/release", self.release, methods=["POST"]),
            Route(item, self.item, methods=["GET"]),
            Route(item, self.edit, methods=["POST"]),
            Route("/sandbox/batches", self.hold, methods=["POST"]),
            Route("/sandbox/catalog_calls", self.calls, methods=["GET"]),
            Route("/sandbox/catalog_faults", self.break_next, methods=["POST"]),
            Route("/sandbox/item_faults", self.break_item, methods=["POST"]),
        ]

    async def catalogs(self, _: Request) -> Response:
        """List all catalogues with their items, sets, batches and connections."""
        return JSONResponse([self._shown(one) for one in self.world.trade.catalogs.values()])

    async def release(self, request: Request) -> Response:
        """Work off now what a catalogue has, or let it end in another way."""
        catalog = self._catalog(request)
        given = await checked_body(request, RELEASE) if await request.body() else {}
        handles = await self.batches.release(catalog, given.get("status", "finished"))
        return JSONResponse({"handles": handles})

    async def item(self, request: Request) -> Response:
        """Show the fields of an item, as a batch gave them."""
        item = self._catalog(request).items.get(request.path_params["item"])
        if item is None:
            raise HTTPException(404, f"There is no item {request.path_params['item']}")
        return JSONResponse(item.fields)

    async def edit(self, request: Request) -> Response:
        """Change, delete or create an item by hand; no rule of Meta's is asked."""
        catalog, item = self._catalog(request), request.path_params["item"]
        given = await checked_body(request, EDIT)
        if "fields" in given:
            known = catalog.items.get(item)
            fields = {"id": item} if known is None else known.fields
            self.world.trade.put_item(catalog, item, fields | given["fields"])
        elif given["delete"] and catalog.items.pop(item, None) is None:
            raise HTTPException(404, f"There is no item {item}")
        return JSONResponse({"success": True})

    async def hold(self, request: Request) -> Response:
        """Let batches that come from now on wait until they are released, or no longer."""
        self.world.trade.holds_batches = (await checked_body(request, HOLDING))["hold"]
        return JSONResponse({"success": True})

    async def calls(self, request: Request) -> Response:
        """List the Graph calls about catalogues and count them; waits for more when asked to."""
        only = request.query_params.get("route")

        def rows(after: int) -> list[CatalogCall]:
            return [one for one in self.world.trade.calls[after:] if only in (None, one.route)]

        fresh = await fresh_rows(request, self.world.bell, "calls", rows)
        calls = [asdict(call) for call in fresh]
        return JSONResponse({"calls": calls, "count": self.world.trade.calls_by_route()})

    async def break_next(self, request: Request) -> Response:
        """Arm a fault for the next calls about catalogues."""
        fault = CatalogFault(**await checked_body(request, FAULT))
        self.world.trade.faults.append(fault)
        return JSONResponse(asdict(fault), status_code=201)

    async def break_item(self, request: Request) -> Response:
        """Let an item fail when its batch is worked off."""
        fault = ItemFault(**await checked_body(request, ITEM_FAULT))
        self.world.trade.item_faults.append(fault)
        return JSONResponse(asdict(fault), status_code=201)

    def _catalog(self, request: Request) -> Catalog:
        catalog = self.world.trade.catalogs.get(request.path_params["catalog_id"])
        if catalog is None:
            raise HTTPException(404, f"There is no catalogue {request.path_params['catalog_id']}")
        return catalog

    def _shown(self, catalog: Catalog) -> JsonObject:
        trade = self.world.trade
        return {
            "id": catalog.id,
            "business_id": catalog.business_id,
            "name": catalog.name,
            "vertical": catalog.vertical,
            "items": {name: item.fields for name, item in catalog.items.items()},
            "sets": [asdict(one) for one in trade.sets_of(catalog.id)],
            "batches": {one.handle: one.status for one in catalog.batches.values()},
            "connections": [w for w, c in trade.connections.items() if c == catalog.id],
            "apps": catalog.apps,
        }
