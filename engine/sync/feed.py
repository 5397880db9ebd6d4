"""What the database tells of changes, as a protocol and its values; `watcher` follows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.domain.ids import ProductId, TenantId
from engine.runtime.following import Feed


@dataclass(frozen=True, slots=True)
class Changes:
    """What the database told of changes.

    Args:
        products: tenant and product, as far as the change tells.
        documents: `_id`s of products that are gone, as text.
        presentations: tenant, id and product (None if it is for any) of sizes that changed.
        token: the feed goes on after it.
    """

    products: tuple[tuple[TenantId, ProductId], ...]
    documents: tuple[str, ...]
    presentations: tuple[tuple[TenantId, str, ProductId | None], ...]
    token: Mapping[str, object] | None


class ChangeFeed(Feed[Changes], Protocol):
    """What changes in the products of all tenants; one process at a time reads it.

    When it is lost, everything must be compared.
    """

    async def products_of(self, changes: Changes) -> tuple[tuple[TenantId, ProductId], ...]:
        """Name every product that changes concern: of sizes all that have them, once each."""
        ...
