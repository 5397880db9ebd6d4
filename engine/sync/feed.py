"""What the database tells of changes, as a protocol and its values; `watcher` follows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.domain.ids import ProductId, TenantId


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


class ChangeFeed(Protocol):
    """What changes in the products of all tenants; one process at a time reads it."""

    async def claim(self, *, owner: str, now: datetime, until: datetime) -> bool:
        """Take the feed, or keep it; False while another process has it."""
        ...

    async def next(self, *, seconds: float) -> Changes | None:
        """Wait for changes; None if there were none in the time.

        Raises:
            FeedLost: what was stored is too old to go on from: everything must be compared.
        """
        ...

    async def noted(self, changes: Changes, *, owner: str) -> None:
        """Go on after these changes from now on, also after a restart.

        Raises:
            Conflict: another process has taken the feed over.
        """
        ...

    async def products_of(self, changes: Changes) -> tuple[tuple[TenantId, ProductId], ...]:
        """Name every product that changes concern: of sizes all that have them, once each."""
        ...

    async def restart(self, *, owner: str) -> None:
        """Forget where the feed was, and go on with what changes from now on.

        Raises:
            Conflict: another process has taken the feed over.
        """
        ...

    async def close(self) -> None:
        """Stop reading; the stored place stays."""
        ...
