"""A tenant as the sync sees it in one round: settings, account, calls and what it sells."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from engine.domain.ids import CategoryId, TenantId
from engine.domain.money import Currency
from engine.domain.tenant import Tenant
from engine.ports import Business
from engine.sync.calls import CatalogCalls
from engine.sync.item import Item, Misfit, items_of
from engine.sync.ports import SINGLE, CatalogKey, ItemStates, Sellable, Sellables

PAGE_PATH = "/p"
"""Where a product's page is, below PUBLIC_URL."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A tenant that can be synced.

    Args:
        links: what the address of a product's page begins with.
        known: Meta's ids of its catalogues by key.
        still_ours: raises Conflict when another process has taken the tenant over.
    """

    id: TenantId
    settings: Tenant
    business: Business
    links: str
    known: dict[CatalogKey, str]
    calls: CatalogCalls
    sellables: Sellables
    states: ItemStates
    still_ours: Callable[[], Awaitable[None]]

    @property
    def is_single(self) -> bool:
        """Tell whether it has one catalogue for everything."""
        return self.settings.catalog.mode == "single"

    def key_of(self, category: CategoryId) -> CatalogKey:
        """Tell which catalogue the products of a category belong in."""
        return SINGLE if self.is_single else CatalogKey(category)

    def items(self, sellable: Sellable | None) -> tuple[Item | Misfit, ...]:
        """Give what Meta is to have of a product; nothing if it is not sold."""
        if sellable is None:
            return ()
        return items_of(sellable, tenant=self.settings, links=self.links)


def page_links(public_url: str, tenant: TenantId) -> str:
    """Give what the address of a tenant's product page begins with."""
    return f"{public_url.rstrip('/')}{PAGE_PATH}/{quote(tenant, safe='')}/"


def fingerprint(*parts: str) -> str:
    """Make a short text that differs when one of the parts does."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


class Opened(Protocol):
    """What opens the database for one tenant."""

    def sellables(self, tenant: TenantId, currency: Currency) -> Sellables:
        """Give what a tenant sells."""
        ...

    def states(self, tenant: TenantId) -> ItemStates:
        """Give what is known of a tenant's items."""
        ...
