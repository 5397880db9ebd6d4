"""The Graph routes for product sets: create, list, show, change, delete, and list their items.

What a rule of a set may say, `filters` knows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.sandbox.access import permitted_catalog, permitted_set
from engine.sandbox.catalog_calls import CatalogCalls, checked
from engine.sandbox.catalog_state import Catalog, ProductSet
from engine.sandbox.catalogs import SUCCESS, products_page
from engine.sandbox.envelope import JsonObject, invalid
from engine.sandbox.filters import item_filter, picked
from engine.sandbox.objects import GraphObjects
from engine.sandbox.pages import field_names, page, shown
from engine.sandbox.shapes import shape, text
from engine.sandbox.state import World

CREATION = shape({"name": text(), "filter?": item_filter, "retailer_id?": text(100)}, closed=False)
CHANGE = shape({"name?": text(), "filter?": item_filter, "retailer_id?": text(100)}, closed=False)
DEFAULT = ("id", "name")

FIELDS: Mapping[str, Callable[[Catalog, ProductSet], Any]] = MappingProxyType(
    {
        "id": lambda _, one: one.id,
        "name": lambda _, one: one.name,
        "filter": lambda _, one: one.rule or None,
        "retailer_id": lambda _, one: one.retailer_id,
        "product_count": lambda catalog, one: len(picked(catalog, one.rule)),
        "product_catalog": lambda catalog, _: {"id": catalog.id},
    }
)


@dataclass(frozen=True, slots=True)
class ProductSets:
    """`/{version}/{catalog_id}/product_sets` and `/{version}/{product_set_id}`."""

    world: World
    calls: CatalogCalls

    def routes(self) -> list[Route]:
        """Return the routes of this part of the Graph API."""
        noted = self.calls.noted
        sets = "/{version}/{object_id}/product_sets"
        return [
            Route(sets, noted("product_sets", self.create), methods=["POST"]),
            Route(sets, noted("product_sets", self.show_all), methods=["GET"]),
            Route(
                "/{version}/{object_id}/products",
                noted("products", self.products),
                methods=["GET"],
            ),
        ]

    def objects(self) -> GraphObjects:
        """Return what is done with a single product set at the address of its id."""
        return GraphObjects(
            lambda object_id: object_id in self.world.trade.sets,
            show=self.calls.noted("product_set", self.show),
            change=self.calls.noted("product_set", self.change),
            delete=self.calls.noted("product_set", self.delete),
        )

    async def create(self, request: Request) -> Response:
        """Create a product set."""
        catalog = permitted_catalog(request, self.world)
        given = await checked(request, CREATION, "filter")
        retailer_id = given.get("retailer_id")
        self._want_new_id(catalog.id, retailer_id)
        known = ProductSet(self.world.trade.new_set_id(), catalog.id, given["name"])
        known.rule, known.retailer_id = given.get("filter", {}), retailer_id
        self.world.trade.sets[known.id] = known
        return JSONResponse({"id": known.id})

    async def show_all(self, request: Request) -> Response:
        """List the product sets of a catalogue, page by page."""
        catalog = permitted_catalog(request, self.world)
        fields = request.query_params.get("fields")
        sets = self.world.trade.sets_of(catalog.id)
        return JSONResponse(page(sets, request, lambda one: _shown(catalog, one, fields)))

    async def show(self, request: Request) -> Response:
        """Show one product set."""
        known = permitted_set(request, self.world)
        fields = request.query_params.get("fields")
        return JSONResponse(_shown(self._catalog(known), known, fields))

    async def change(self, request: Request) -> Response:
        """Change name, rule or the business's own id of a product set."""
        known = permitted_set(request, self.world)
        given = await checked(request, CHANGE, "filter")
        retailer_id = given.get("retailer_id", known.retailer_id)
        if retailer_id != known.retailer_id:
            self._want_new_id(known.catalog_id, retailer_id)
        known.name = given.get("name", known.name)
        known.rule = given.get("filter", known.rule)
        known.retailer_id = retailer_id
        return JSONResponse(SUCCESS)

    async def delete(self, request: Request) -> Response:
        """Delete a product set; its items stay in the catalogue."""
        del self.world.trade.sets[permitted_set(request, self.world).id]
        return JSONResponse(SUCCESS)

    async def products(self, request: Request) -> Response:
        """List the items of a catalogue or of a product set, page by page."""
        if request.path_params["object_id"] in self.world.trade.sets:
            known = permitted_set(request, self.world)
            return products_page(request, self._catalog(known), known.rule)
        return products_page(request, permitted_catalog(request, self.world), {})

    def _catalog(self, known: ProductSet) -> Catalog:
        return self.world.trade.catalogs[known.catalog_id]

    def _want_new_id(self, catalog_id: str, retailer_id: str | None) -> None:
        # UNCONFIRMED at Meta; who does not rely on it is right either way.
        taken = {one.retailer_id for one in self.world.trade.sets_of(catalog_id)}
        if retailer_id is not None and retailer_id in taken:
            raise invalid(f"A product set with retailer_id {retailer_id} exists already")


def _shown(catalog: Catalog, known: ProductSet, fields: str | None) -> JsonObject:
    names = DEFAULT if fields is None else field_names(fields)
    return shown(names, FIELDS, catalog, known) | {"id": known.id}
