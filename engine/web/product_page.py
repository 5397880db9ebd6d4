"""The HTTP door of the product pages, which Meta's items link to; anybody may look at them."""

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from engine.domain.ids import TenantId
from engine.domain.tenant import Tenant
from engine.errors import EngineError, Unavailable
from engine.logs import reason
from engine.ports import CatalogRepository
from engine.web.product_facts import ProductFacts
from engine.web.product_html import POLICY, away_page, missing_page, product_page

PAGE: Final = "/p/{tenant}/{product:path}"
CACHED: Final = "public, max-age=300"
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

log = structlog.get_logger(__name__)


class ProductPages:
    """The routes of the product pages.

    Args:
        tenants: gives the settings of a tenant that is served, or None.
        catalogs: gives what a tenant sells, or raises Unavailable.
        public_url: where the world reaches us; empty if it does not.
    """

    def __init__(
        self,
        *,
        tenants: Callable[[str], Tenant | None],
        catalogs: Callable[[TenantId], CatalogRepository],
        public_url: str = "",
    ) -> None:
        self._tenants = tenants
        self._catalogs = catalogs
        self._public_url = public_url.rstrip("/")

    def routes(self) -> list[Route]:
        """Give the routes; a product's id may have any character, a slash too."""
        return [Route(PAGE, self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """Show a product that is sold."""
        name, product_id = request.path_params["tenant"], request.path_params["product"]
        tenant = self._tenants(name)
        if tenant is None:
            return _page(missing_page(None), 404)
        try:
            product = await self._catalogs(TenantId(name)).get_product_by_id(product_id)
        except EngineError as error:
            status = 503 if isinstance(error, Unavailable) else 500
            log.warning("product_page.failed", tenant=name, status=status, reason=reason(error))
            return _page(away_page(tenant), status)
        if product is None:
            return _page(missing_page(tenant), 404)
        size = product.presentation(request.query_params.get("size"))
        facts = ProductFacts(tenant, product, size, self._address(name, product_id))
        return _page(product_page(facts), 200) if facts.name else _page(missing_page(tenant), 404)

    def _address(self, tenant: str, product_id: str) -> str:
        if not self._public_url:
            return ""
        return f"{self._public_url}/p/{quote(tenant, safe='')}/{quote(product_id, safe='')}"


def _page(content: str, status: int) -> Response:
    # Meta's crawler may come a moment before the product does: only what is there is kept.
    cache = CACHED if status == 200 else "no-store"
    return HTMLResponse(content, status, headers={**HEADERS, "Cache-Control": cache})
