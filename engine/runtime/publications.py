"""What was published, taken up while the process runs; what cannot be served never is.

What is to be published is not decided here.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import PurePosixPath
from typing import Final

import structlog

from engine import metrics
from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.errors import EngineError, Unavailable
from engine.logs import reason
from engine.runtime.bundles import Bundles
from engine.runtime.polling import Poll
from engine.spec.bundle import Bundle
from engine.spec.content import StoredContent, owner, verified
from engine.spec.library import Library
from engine.spec.problems import SpecError
from engine.spec.read import digest
from engine.version_ports import FOLDER, Live, Version, Versions

LOOK_SECONDS: Final = 2.0
"""How often it is looked whether something was published."""
KEPT_AT_ONCE: Final = 50
"""Tenants whose folders are stored in one go."""

log = structlog.get_logger(__name__)


class Shelf:
    """Makes bundles of what was stored; tenants with the same shared files share what they can."""

    def __init__(self, library: Library) -> None:
        self._origin = library
        self._libraries: dict[str, tuple[Library, StoredContent]] = {}

    def lacks(self, version: Version) -> dict[str, str]:
        """Tell which files of a version must be read to make its bundle: the hashes by path.

        Raises:
            EngineError: it has files of another tenant.
        """
        owners = {owner(PurePosixPath(path)) for path in version.files}
        if owners - {None, version.tenant}:
            raise EngineError(f"version {version.number} has files of another tenant")
        is_known = shared_name(version) in self._libraries
        return {
            path: known
            for path, known in version.files.items()
            if not is_known or owner(PurePosixPath(path))
        }

    def make(self, version: Version, texts: Mapping[str, str]) -> Bundle:
        """Make the bundle of a version.

        Args:
            texts: what it lacks, by hash.

        Raises:
            EngineError: a text is missing, or is not the one that was published.
            SpecError: this engine finds mistakes in it.
        """
        found = verified(self.lacks(version), texts)
        name = shared_name(version)
        if name not in self._libraries:
            content = StoredContent()
            self._libraries[name] = self._origin.over(content, is_apart=True), content
        library, content = self._libraries[name]
        content.put(found)
        try:
            return library.load(version.tenant)
        finally:
            # The shared ones are read when the first tenant needs them.
            content.drop(path for path in found if owner(PurePosixPath(path)))

    def keep_only(self, names: Iterable[str]) -> None:
        """Forget the shared files that nobody is served from any more."""
        wanted = set(names)
        self._libraries = {n: held for n, held in self._libraries.items() if n in wanted}


def shared_name(version: Version) -> str:
    """Name the shared files of a version by their content."""
    return digest({p: h for p, h in version.files.items() if not owner(PurePosixPath(p))})


class Publications:
    """Serves each tenant what is live of him, else his folder.

    One that cannot be served is told once; the tenant keeps what he has, until another is live.
    """

    def __init__(self, *, bundles: Bundles, versions: Versions, clock: Clock) -> None:
        self._bundles = bundles
        self._versions = versions
        self._clock = clock
        self._shelf = Shelf(bundles.library)
        self._seen: dict[TenantId, Live] = {}
        self._refused: set[TenantId] = set()
        self._shared: dict[TenantId, str] = {}
        self._kept: set[tuple[TenantId, str]] = set()
        self._poll = Poll(self._look, every=LOOK_SECONDS)

    async def run(self) -> None:
        """Look until stopped."""
        await self._poll.run()

    def stop(self) -> None:
        """Look no more."""
        self._poll.stop()

    async def _look(self) -> None:
        try:
            await self.look()
            await self.keep()
        except Unavailable as error:
            log.warning("publications.database_away", error=reason(error))

    async def look(self) -> None:
        """Serve what has become live since the last look.

        Raises:
            Unavailable: the database does not answer.
        """
        live = await self._versions.live()
        news = {t: held for t, held in live.items() if self._seen.get(t) != held}
        for tenant, now in news.items():
            try:
                await self._serve(tenant, now.number)
                outcome = "served"
                self._refused.discard(tenant)
            except Unavailable:
                raise
            except EngineError as error:
                outcome = "refused"
                self._refused.add(tenant)
                _tell(tenant, now.number, error)
            self._seen[tenant] = now
            metrics.versions.labels(outcome=outcome).inc()
        if news:
            metrics.versions_refused.set(len(self._refused))
            self._shelf.keep_only(self._shared.values())

    async def _serve(self, tenant: TenantId, number: int) -> None:
        if number == FOLDER:
            if self._bundles.is_published(tenant):
                await asyncio.to_thread(self._bundles.reload, tenant)
                self._shared.pop(tenant, None)
            return
        version = await self._versions.get(tenant, number)
        if version is None:
            raise EngineError(f"there is no version {number} of '{tenant}'")
        bundle = self._of_folder(version)
        if bundle is None:
            wanted = self._shelf.lacks(version)
            texts = await self._versions.texts(set(wanted.values()))
            bundle = await asyncio.to_thread(self._shelf.make, version, texts)
            self._shared[tenant] = shared_name(version)
        self._bundles.publish(bundle)
        log.info("version.served", tenant=tenant, version=number, digest=bundle.digest)

    def _of_folder(self, version: Version) -> Bundle | None:
        """Give what was loaded from the tenant's folder, if the version is just that."""
        if self._bundles.is_published(version.tenant) or version.tenant in self._bundles.broken:
            return None
        bundle = self._bundles.get(version.tenant)
        same = bundle and self._bundles.library.files(bundle) == version.files
        return bundle if same else None

    async def keep(self) -> None:
        """Store what is served from folders, so that old turns can be understood.

        Raises:
            Unavailable: the database does not answer.
        """
        waiting = iter(list(self._folders()))
        while some := {v.tenant: v for v in islice(waiting, KEPT_AT_ONCE)}:
            known = await self._versions.kept(list(some.values()))
            new = [v for v in some.values() if (v.tenant, v.digest) not in known]
            texts = await asyncio.to_thread(self._texts, new)
            stored = [v for v in new if v.tenant in texts]
            if stored:
                by_hash = {h: t for v in stored for h, t in texts[v.tenant].items()}
                await self._versions.keep(stored, by_hash)
            self._kept |= {(v.tenant, v.digest) for v in some.values()}

    def _folders(self) -> Iterator[Version]:
        now, library = self._clock.now(), self._bundles.library
        for tenant in self._bundles.tenants():
            bundle = self._bundles.get(tenant)
            if bundle is None or self._bundles.is_published(tenant):
                continue
            if (tenant, bundle.digest) not in self._kept:
                yield Version(tenant, FOLDER, bundle.digest, library.files(bundle), now)

    def _texts(self, versions: Iterable[Version]) -> dict[TenantId, dict[str, str]]:
        """Read the files of folders again, by hash; not those that have changed meanwhile."""
        found: dict[TenantId, dict[str, str]] = {}
        for version in versions:
            try:
                texts = self._bundles.library.documents.texts(version.files)
            except EngineError as error:
                log.warning("version.not_kept", tenant=version.tenant, reason=reason(error))
                continue
            found[version.tenant] = {version.files[path]: text for path, text in texts.items()}
        return found


def _tell(tenant: TenantId, number: int, error: EngineError) -> None:
    for problem in error.problems if isinstance(error, SpecError) else ():
        log.error("bundle.problem", tenant=tenant, version=number, problem=str(problem))
    reason = "this engine finds mistakes in it" if isinstance(error, SpecError) else str(error)
    log.error("version.refused", tenant=tenant, version=number, reason=reason)
