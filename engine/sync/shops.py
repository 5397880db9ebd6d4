"""Opens a tenant for a round of the sync, or says what is missing; it asks Meta nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from engine.domain.ids import TenantId
from engine.domain.tenant import Tenant
from engine.errors import EngineError, Unavailable
from engine.ports import Business, BusinessRepository
from engine.sync.calls import CatalogCalls
from engine.sync.ports import CatalogKey, TenantCatalogs
from engine.sync.shop import Opened, Shop, fingerprint, page_links


class Shops:
    """Opens tenants.

    Args:
        settings: gives a tenant's own settings; None if it has no bundle that can be served.
        opened: opens the database for a tenant.
        calls: gives the Graph API's calls with an access token.
        public_url: where the product pages are.
    """

    def __init__(
        self,
        *,
        settings: Callable[[TenantId], Tenant | None],
        businesses: BusinessRepository,
        catalogs: TenantCatalogs,
        opened: Opened,
        calls: Callable[[str], CatalogCalls],
        public_url: str,
    ) -> None:
        self._settings = settings
        self._businesses = businesses
        self._catalogs = catalogs
        self._opened = opened
        self._calls = calls
        self._public_url = public_url

    async def fingerprint(self, tenant: TenantId) -> str:
        """Give a text that differs when what a person can mend has changed."""
        is_served = str(self._settings(tenant) is not None)
        business = await self._business(tenant)
        if isinstance(business, str):
            return fingerprint(is_served, business)
        mapping = sorted((business.catalog_mapping or {}).items())
        return fingerprint(
            is_served, business.access_token, business.fb_business_id or "",
            business.waba_id or "", str(mapping), self._public_url,
        )  # fmt: skip

    async def forget_unmapped(self, tenant: TenantId) -> None:
        """Forget catalogues a person took out of the mapping, so that they are made again.

        Raises:
            Unavailable: the database does not answer.
        """
        business = await self._business(tenant)
        if isinstance(business, str):
            return
        mapping = business.catalog_mapping or {}
        for each in await self._catalogs.all(tenant):
            if each.catalog_id and each.key not in mapping:
                gone = replace(each, catalog_id="", connection="", sets={})
                await self._catalogs.save(gone)

    async def open(
        self, tenant: TenantId, *, still_ours: Callable[[], Awaitable[None]]
    ) -> Shop | str:
        """Open a tenant, or tell in a sentence why it cannot be synced.

        Raises:
            Unavailable: the database does not answer.
        """
        settings = self._settings(tenant)
        if settings is None:
            return "its files cannot be served: see `comanda check`"
        business = await self._business(tenant)
        if isinstance(business, str):
            return business
        known = await self._known(tenant, business)
        missing = self._missing(business, known)
        if missing:
            return missing
        return Shop(
            id=tenant,
            settings=settings,
            business=business,
            links=page_links(self._public_url, tenant),
            known=known,
            calls=self._calls(business.access_token),
            sellables=self._opened.sellables(tenant, settings.money),
            states=self._opened.states(tenant),
            still_ours=still_ours,
        )

    async def _business(self, tenant: TenantId) -> Business | str:
        """Give a tenant's business, or tell why it cannot be used."""
        try:
            business = await self._businesses.by_tenant(tenant)
        except Unavailable:
            raise
        except EngineError as error:
            # Such as an access token that cannot be opened.
            return str(error)
        return business or "the business is not in the database: seed it first"

    async def _known(self, tenant: TenantId, business: Business) -> dict[CatalogKey, str]:
        made = await self._catalogs.all(tenant)
        mapping = business.catalog_mapping or {}
        # What a person has mapped by hand comes first; `ensure` takes a note of it.
        return {
            each.key: each.catalog_id
            for each in made
            if each.catalog_id and mapping.get(each.key, each.catalog_id) == each.catalog_id
        }

    def _missing(self, business: Business, known: dict[CatalogKey, str]) -> str:
        if not business.access_token:
            return "accessToken is not set in the business document"
        if not (known or business.fb_business_id or business.catalog_mapping):
            return "fbBusinessId is not set in the business document: no catalogue can be made"
        if not self._public_url:
            return "PUBLIC_URL is not set: every item at Meta needs the address of its page"
        return ""
