"""Versions of tenants' bundles: what was published, and which of it is live.

As `engine.ports`: protocols, and the values that cross them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from engine.domain.conversation import Position
from engine.domain.ids import TenantId

FOLDER: Final = 0
"""The number of what a process finds in its own content folder."""
MOST_FILES: Final = 500
"""Files of a version; the shipped tenants have about fifteen."""
LONGEST_NOTE: Final = 200
"""Characters of what its author notes of a version."""


@dataclass(frozen=True, slots=True)
class Version:
    """What a tenant was served from.

    Args:
        number: counts what was published of the tenant, from 1; `FOLDER` if it was not published.
        digest: the bundle's, as turns and conversations name it.
        files: by path, the hash of the text.
        at: when it was published, or served first.
        replaces: the number of what was live when it was published.
    """

    tenant: TenantId
    number: int
    digest: str
    files: Mapping[str, str]
    at: datetime
    note: str = ""
    replaces: int = FOLDER


@dataclass(frozen=True, slots=True)
class Live:
    """Which version of a tenant is to be served.

    Args:
        number: `FOLDER` for what each process has in its folder.
        moves: counts how often it was changed.
    """

    number: int
    moves: int
    at: datetime = field(compare=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """How many conversations stand in one place."""

    position: Position
    count: int


class Versions(Protocol):
    """What was published of all tenants."""

    async def live(self) -> Mapping[TenantId, Live]:
        """Tell which versions are to be served."""
        ...

    async def live_of(self, tenant: TenantId) -> Live | None:
        """Tell which version of a tenant is to be served; None if nothing was ever published."""
        ...

    async def get(self, tenant: TenantId, number: int) -> Version | None:
        """Give a version that was published.

        Raises:
            EngineError: what is stored of it is damaged.
        """
        ...

    async def list(self, tenant: TenantId, *, limit: int) -> Sequence[Version]:
        """Give the versions that were published, the newest first."""
        ...

    async def texts(self, hashes: Collection[str]) -> Mapping[str, str]:
        """Give stored texts by hash, as they are stored: nothing is verified."""
        ...

    async def publish(
        self, version: Version, texts: Mapping[str, str], *, instead_of: Live | None
    ) -> Version:
        """Store a version under the next number, and let it be served.

        Args:
            texts: by hash.
            instead_of: what is live; None if nothing ever was.

        Raises:
            Conflict: something else is live by now; nothing is changed.
        """
        ...

    async def move(self, tenant: TenantId, number: int, *, instead_of: Live, at: datetime) -> None:
        """Let another version be served.

        Raises:
            Conflict: something else is live by now; nothing is changed.
        """
        ...

    async def keep(self, versions: Sequence[Version], texts: Mapping[str, str]) -> None:
        """Store what is served without having been published, unless it is stored already.

        Args:
            texts: by hash.
        """
        ...

    async def kept(self, versions: Sequence[Version]) -> frozenset[tuple[TenantId, str]]:
        """Tell the digests that are stored already of what is served without being published."""
        ...

    async def standing(self, tenant: TenantId) -> Sequence[Standing]:
        """Tell where the tenant's conversations stand."""
        ...
