"""The Graph routes for catalogues: create, list, show, rename, delete.

How items get into them is in `items_batch`; what lists them is in `product_sets`; who is told of
them is asked at the routes of `subscriptions`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.sandbox.access import decoded, permitted_business, permitted_catalog
from engine.sandbox.catalog_calls import CatalogCalls, checked
from engine.sandbox.catalog_state import Catalog
from engine.sandbox.envelope import JsonObject, invalid
from engine.sandbox.filters import item_filter, picked
from engine.sandbox.item_fields import shown_item
from engine.sandbox.objects import GraphObjects
from engine.sandbox.pages import field_names, page, shown
from engine.sandbox.shapes import one_of, shape, text
from engine.sandbox.state import World

VERTICALS = (
    "adoptable_pets",
    "commerce",
    "destinations",
    "flights",
    "home_listings",
    "hotels",
    "local_service_businesses",
    "offer_items",
    "offline_commerce",
    "transactable_items",
    "vehicles",
)
CREATION = shape({"name": text(), "vertical?": one_of(*VERTICALS)}, closed=False)
CHANGE = shape({"name?": text()}, closed=False)
SUBSCRIPTION = shape({"app_id": text(like=r"\d+")}, closed=False)
DEFAULT = ("id", "name")
MOST_ITEMS = 250
SUCCESS = {"success": True}

FIELDS: Mapping[str, Callable[[Catalog], Any]] = MappingProxyType(
    {
        "id": lambda catalog: catalog.id,
        "name": lambda catalog: catalog.name,
        "vertical": lambda catalog: catalog.vertical,
        "product_count": lambda catalog: len(catalog.items),
        "business": lambda catalog: {"id": catalog.business_id},
    }
)


@dataclass(frozen=True, slots=True)
class Catalogs:
    """`/{version}/{business_id}/owned_product_catalogs` and `/{version}/{catalog_id}`."""

    world: World
    calls: CatalogCalls

    def routes(self) -> list[Route]:
        """Return the routes of this part of the Graph API."""
        noted = self.calls.noted
        owned = "/{version}/{business_id}/owned_product_catalogs"
        return [
            Route(owned, noted("owned_product_catalogs", self.create), methods=["POST"]),
            Route(owned, noted("owned_product_catalogs", self.show_all), methods=["GET"]),
        ]

    def objects(self) -> GraphObjects:
        """Return what is done with a single catalogue at the address of its id."""
        return GraphObjects(
            lambda object_id: object_id in self.world.trade.catalogs,
            show=self.calls.noted("catalog", self.show),
            change=self.calls.noted("catalog", self.change),
            delete=self.calls.noted("catalog", self.delete),
        )

    async def create(self, request: Request) -> Response:
        """Create a catalogue; two may have the same name."""
        business_id = permitted_business(request, self.world)
        given = await checked(request, CREATION)
        catalog = Catalog(self.world.trade.new_catalog_id(), business_id, given["name"])
        catalog.vertical = given.get("vertical", catalog.vertical)
        self.world.trade.catalogs[catalog.id] = catalog
        return JSONResponse({"id": catalog.id})

    async def show_all(self, request: Request) -> Response:
        """List the catalogues a business owns, page by page."""
        catalogs = self.world.trade.catalogs_of(permitted_business(request, self.world))
        fields = request.query_params.get("fields")
        return JSONResponse(page(catalogs, request, lambda one: shown_catalog(one, fields)))

    async def show(self, request: Request) -> Response:
        """Show one catalogue."""
        catalog = permitted_catalog(request, self.world)
        return JSONResponse(shown_catalog(catalog, request.query_params.get("fields")))

    async def change(self, request: Request) -> Response:
        """Rename a catalogue."""
        catalog = permitted_catalog(request, self.world)
        catalog.name = (await checked(request, CHANGE)).get("name", catalog.name)
        return JSONResponse(SUCCESS)

    async def delete(self, request: Request) -> Response:
        """Delete a catalogue with its items and sets."""
        self.world.trade.forget_catalog(permitted_catalog(request, self.world).id)
        return JSONResponse(SUCCESS)

    async def subscribe(self, request: Request) -> Response:
        """Let an app be told of a catalogue."""
        catalog = permitted_catalog(request, self.world)
        app_id = (await checked(request, SUBSCRIPTION))["app_id"]
        catalog.apps = list(dict.fromkeys([*catalog.apps, app_id]))
        return JSONResponse(SUCCESS)

    async def apps(self, request: Request) -> Response:
        """List the apps that are told of a catalogue."""
        catalog = permitted_catalog(request, self.world)
        return JSONResponse(page(catalog.apps, request, lambda app_id: {"id": app_id}))


def shown_catalog(catalog: Catalog, fields: str | None) -> JsonObject:
    """Return the wanted fields of a catalogue, and its id."""
    names = DEFAULT if fields is None else field_names(fields)
    return shown(names, FIELDS, catalog) | {"id": catalog.id}


def products_page(request: Request, catalog: Catalog, rule: JsonObject) -> Response:
    """Answer with a page of the items that a rule picks, and the request's own filter too."""
    query = request.query_params
    wanted = decoded(dict(query), "filter").get("filter", {})
    complaint = next(item_filter("filter", wanted), None)
    if complaint is not None:
        raise invalid(complaint.details)
    items = picked(catalog, {"and": [rule, wanted]} if rule and wanted else rule or wanted)
    fields = query.get("fields")
    shown_page = page(items, request, lambda one: shown_item(one, fields), longest=MOST_ITEMS)
    return JSONResponse(shown_page)
