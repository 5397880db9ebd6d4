"""A tenant's files -> a version that every process serves; and back to one before it.

Nothing is printed here, and nobody is asked. Where versions are stored is not known here.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.authoring.fates import Fate, fates
from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.errors import Conflict, EngineError, Unavailable
from engine.spec.bundle import Bundle
from engine.spec.content import TENANTS, StoredContent, verified
from engine.spec.library import Library
from engine.spec.problems import Problem, Problems, SpecError
from engine.version_ports import FOLDER, LONGEST_NOTE, Live, Version, Versions

MOST_BYTES: Final = 16 * 1024 * 1024
"""Of all files of a version together; the shipped tenants have about a hundred kilobytes."""

Check = Callable[[Library, TenantId, Problems], Awaitable[Bundle | None]]
"""Notes everything that is wrong with a tenant's files; gives their bundle if it can be made."""
Compare = Callable[[Library, Library, TenantId], Awaitable[Sequence[str]]]
"""Tells line by line what is otherwise for customers in the second content."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would be published.

    Args:
        texts: of its files, by hash.
        live: what is live now; None if nothing ever was.
        changes: what is otherwise for customers, line by line; None if nothing was published
            that it could be compared with.
        files: by path, what was done to it.
        problems: what is doubtful.
    """

    version: Version
    texts: Mapping[str, str]
    live: Live | None
    is_new: bool
    files: Mapping[str, str]
    changes: Sequence[str] | None
    fates: Sequence[Fate]
    problems: Sequence[Problem]

    @property
    def is_harmful(self) -> bool:
        """Tell whether customers who are half way lose their place."""
        return any(fate.is_harmed for fate in self.fates)


@dataclass(frozen=True, slots=True)
class Moved:
    """What a rollback did.

    Args:
        before: the number of what was live.
    """

    tenant: TenantId
    number: int
    before: int
    fates: Sequence[Fate]


class Publishing:
    """Publishes versions, and goes back to earlier ones.

    Args:
        library: the content folder.
    """

    def __init__(
        self, *, library: Library, versions: Versions, clock: Clock, check: Check, compare: Compare
    ) -> None:
        self._library = library
        self._versions = versions
        self._clock = clock
        self._check = check
        self._compare = compare

    async def propose(self, tenant: TenantId, note: str = "") -> Proposal:
        """Check a tenant's files, and tell what their publication would do.

        Raises:
            SpecError: with every mistake in them.
            EngineError: they are too large, or were changed meanwhile.
            UnknownTenant: it has no folder.
        """
        self._library.require(tenant)
        problems = Problems()
        bundle = await self._check(self._library, tenant, problems)
        problems.raise_if_any()
        if bundle is None:  # every reason for it is a problem
            raise SpecError(problems.sorted())
        files = self._library.files(bundle)
        texts = self._library.documents.texts(files)
        size = sum(len(text.encode()) for text in texts.values())
        if size > MOST_BYTES:
            raise EngineError(f"'{tenant}' has {size} bytes of files: {MOST_BYTES} fit")
        number, live = FOLDER, await self._versions.live_of(tenant)
        version = Version(
            tenant, number, bundle.digest, files, self._clock.now(), note[:LONGEST_NOTE]
        )
        before = await self._current(tenant, live)
        return Proposal(
            version,
            {files[path]: text for path, text in texts.items()},
            live,
            is_new=before is None or before.files != files,
            files=dict(_differences(before.files, files)) if before else {},
            changes=await self._changes(before, tenant) if before else None,
            fates=fates(bundle.chart, await self._versions.standing(tenant)),
            problems=problems.sorted(),
        )

    async def publish(self, proposal: Proposal) -> Version:
        """Let what was proposed be served.

        Raises:
            EngineError: something else was published since it was proposed.
        """
        try:
            return await self._versions.publish(
                proposal.version, proposal.texts, instead_of=proposal.live
            )
        except Conflict as error:
            raise _overtaken(proposal.version.tenant) from error

    async def rollback(self, tenant: TenantId, number: int | None = None) -> Moved:
        """Let another version be served, by default the one that the live one took the place of.

        Args:
            number: of the version; `FOLDER` for what each process finds in its own folder.

        Raises:
            SpecError: this engine finds mistakes in it.
            EngineError: there is no such version, it is damaged, it is live already, or something
                else was published at this moment.
        """
        live = await self._versions.live_of(tenant)
        if live is None:
            self.require(tenant)
            raise EngineError(f"nothing of '{tenant}' was ever published")
        if number is None:
            number = await self._before(tenant, live)
        if number == live.number:
            raise EngineError(f"{_called(number)} of '{tenant}' is live already")
        bundle = await self._bundle(tenant, number)
        told = fates(bundle.chart, await self._versions.standing(tenant))
        try:
            await self._versions.move(tenant, number, instead_of=live, at=self._clock.now())
        except Conflict as error:
            raise _overtaken(tenant) from error
        return Moved(tenant, number, live.number, told)

    def require(self, tenant: TenantId) -> None:
        """Make sure that there is a tenant, for one of whom nothing was published.

        Raises:
            UnknownTenant: it has no folder either.
        """
        self._library.require(tenant)

    async def _before(self, tenant: TenantId, live: Live) -> int:
        """Tell what was live when the live version was published."""
        if live.number == FOLDER:
            raise EngineError(
                f"the folder of '{tenant}' is served: say which version is to be live"
            )
        version = await self._versions.get(tenant, live.number)
        if version is None or version.replaces == FOLDER:
            raise EngineError(
                f"version {live.number} of '{tenant}' took the place of the folder: "
                "--to-folder serves that again"
            )
        return version.replaces

    async def _bundle(self, tenant: TenantId, number: int) -> Bundle:
        """Make the bundle of what is to be live, to be sure that it can be made."""
        if number == FOLDER:
            self.require(tenant)
            return self._library.load(tenant)
        version = await self._versions.get(tenant, number)
        if version is None:
            raise EngineError(f"there is no version {number} of '{tenant}'")
        return (await self._stored(version)).load(tenant)

    async def _stored(self, version: Version, more: Mapping[str, str] | None = None) -> Library:
        held = await self._versions.texts(set(version.files.values()))
        texts = verified(version.files, held)
        return self._library.over(StoredContent(texts | dict(more or {})))

    async def _current(self, tenant: TenantId, live: Live | None) -> Version | None:
        """Give the live version; None if there is none, or if it is damaged."""
        if live is None or live.number == FOLDER:
            return None
        try:
            return await self._versions.get(tenant, live.number)
        except Unavailable:
            raise
        except EngineError:
            return None

    async def _changes(self, before: Version, tenant: TenantId) -> Sequence[str]:
        # Both are compared with the same menu: it is not part of a version.
        menu, content = TENANTS / tenant / "catalog.yaml", self._library.documents.content
        more = {str(menu): content.text(menu)} if content.has(menu) else {}
        try:
            stored = await self._stored(before, more)
            return await self._compare(stored, self._library, tenant)
        except SpecError as error:
            return (f"what is live cannot be compared: {error.problems[0]}",)
        except Unavailable:
            raise
        except EngineError as error:
            return (f"what is live cannot be compared: {error}",)


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for path in sorted(before.keys() | after.keys()):
        if path not in after:
            yield path, "removed"
        elif path not in before:
            yield path, "added"
        elif before[path] != after[path]:
            yield path, "changed"


def _called(number: int) -> str:
    return f"version {number}" if number else "the folder"


def _overtaken(tenant: TenantId) -> EngineError:
    return EngineError(
        f"somebody else published or rolled back '{tenant}' at this moment, nothing was changed: "
        f"see `comanda versions {tenant}`"
    )
