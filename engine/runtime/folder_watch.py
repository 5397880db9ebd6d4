"""The content folder watched while somebody edits it: what is saved is served at once.

For development: what was published is not looked at here.
"""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

import structlog

from engine.domain.ids import TenantId
from engine.runtime.bundles import Bundles
from engine.runtime.polling import Poll
from engine.spec.content import owner

LOOK_SECONDS: Final = 0.2
"""How often it is looked whether a file was saved."""
SETTLE_SECONDS: Final = 0.03
"""How long nothing must change: an editor empties a file, then writes it."""
MOST_LOOKS: Final = 10
"""How often it is waited for that; then what is there is taken."""

WATCHED: Final = (
    "conversations/*.yaml",
    "conversations/messages/*.yaml",
    "flows/*.yaml",
    "tenants/*/tenant.yaml",
    "tenants/*/conversations/*.yaml",
    "tenants/*/messages/*.yaml",
    "tenants/*/flows/*.yaml",
)
"""What tenants are served from."""

Stamps = Mapping[PurePosixPath, tuple[int, int, int]]

log = structlog.get_logger(__name__)


class FolderWatch:
    """Loads what was saved in the content folder; what is broken is told, and not served."""

    def __init__(self, bundles: Bundles) -> None:
        self._bundles = bundles
        self._root = bundles.library.root
        self._stamps = stamps(self._root)
        self._poll = Poll(self.look, every=LOOK_SECONDS)

    async def run(self) -> None:
        """Look until stopped."""
        await self._poll.run()

    def stop(self) -> None:
        """Look no more."""
        self._poll.stop()

    async def look(self) -> None:
        """Load what has changed since the last look."""
        now = await asyncio.to_thread(stamps, self._root)
        if now == self._stamps:
            return
        now = await self._settled(now)
        before, self._stamps = self._stamps, now
        changed = {p for p in before.keys() | now.keys() if before.get(p) != now.get(p)}
        if changed:
            await asyncio.to_thread(self._load, changed)

    async def _settled(self, now: Stamps) -> Stamps:
        for _ in range(MOST_LOOKS):
            before = now
            await asyncio.sleep(SETTLE_SECONDS)
            now = await asyncio.to_thread(stamps, self._root)
            if now == before:
                break
        return now

    def _load(self, changed: set[PurePosixPath]) -> None:
        begun = time.perf_counter()
        owners = {owner(path) for path in changed}
        own = [tenant for tenant in owners if tenant is not None]
        if len(own) == len(owners):
            known = self._bundles.library.tenant_ids()
            self._bundles.load(sorted(tenant for tenant in own if tenant in known))
        else:
            self._bundles.renew(self._bundles.library.over(self._root))
        log.info(
            "content.reloaded",
            files=sorted(map(str, changed))[:5],
            tenants=len(own) or len(self._bundles.tenants()),
            broken=_named(self._bundles.broken),
            seconds=round(time.perf_counter() - begun, 3),
        )


def _named(tenants: Mapping[TenantId, object]) -> list[TenantId]:
    return sorted(tenants)


def stamps(root: Path) -> Stamps:
    """Tell of each watched file what changes when it is saved."""
    found: dict[PurePosixPath, tuple[int, int, int]] = {}
    for pattern in WATCHED:
        for file in root.glob(pattern):
            try:
                held = file.stat()
            except OSError:
                continue  # gone since it was listed
            path = PurePosixPath(file.relative_to(root))
            found[path] = held.st_mtime_ns, held.st_size, held.st_ino
    return found
