"""What the checker under test says of a mutant: it is written into a copy of the content."""

import shutil
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path as FilePath

from engine.authoring.check import Shared, check_tenant
from engine.domain.ids import TenantId
from engine.flows.rehearsal import compile_flows
from engine.rehearsal.unseen import Seen
from engine.spec.library import Library
from engine.spec.problems import Problem, Problems
from engine.verbs import all_verbs
from tests.content.mutants.mutant import Mutant
from tests.content.mutants.shop import Place, place_of

FOLDERS = ("conversations", "flows", "tenants")
_KEPT = 100
"""Checks after which compiled structures are thrown away."""

Told = tuple[str, int, str]
"""A problem's file, line and code."""


class Checker:
    """Checks a copy of the content in which one file is another.

    Args:
        content: the folder that is copied.
        root: a folder of its own.
        walks: False leaves out what takes a walk through the dialogs to find.
    """

    def __init__(self, content: FilePath, root: FilePath, *, walks: bool = True) -> None:
        self._root = root
        for folder in FOLDERS:
            shutil.copytree(content / folder, root / folder)
        self._library = Library(root, all_verbs())
        self._usual: dict[TenantId, set[Told]] = {}
        self._usual_of_all: set[Told] | None = None
        self.walks = walks
        self._shared = Shared()
        self._checks = 0
        self.crash = ""

    async def problems(self, tenant: TenantId) -> list[Problem]:
        """Give what is wrong with a tenant's content as it is."""
        self._checks += 1
        if self._checks % _KEPT == 0:
            self._shared = Shared()
        # Alone, as the author checks it: nothing is known of a walk through another tenant's.
        alone = Shared(structures=self._shared.structures, screens=self._shared.screens)
        return (await check_tenant(self._fresh(), tenant, shared=alone)).problems.sorted()

    async def _read(self, tenant: TenantId) -> list[Problem]:
        """Give what is wrong with the files alone: the part of the check that takes no time."""
        problems, library = Problems(), self._fresh()
        bundle = library.check(tenant, problems)
        library.stock(tenant, problems)
        if bundle and not problems.errors:
            await compile_flows(bundle, problems, self._shared.screens)
        return problems.sorted()

    def _fresh(self) -> Library:
        return self._library.over(self._root)

    async def told(
        self, mutant: Mutant, tenant: TenantId, places: Container[Place]
    ) -> list[Problem]:
        """Give what is wrong with a mutant and was not before.

        Args:
            places: what is told there is enough: nobody walks to learn more.
        """
        if tenant not in self._usual:
            usual = await self.problems(tenant) if self.walks else await self._read(tenant)
            self._usual[tenant] = {_key(problem) for problem in usual}
        self.crash = ""
        try:
            with self._written(mutant):
                found = self._new(await self._read(tenant), tenant)
                is_known = any(place_of(problem.span) in places for problem in found)
                if self.walks and not is_known:
                    found = self._new(await self.problems(tenant), tenant)
        except Exception as error:  # noqa: BLE001 - the author would see a traceback: noted
            self.crash = f"CRASH {type(error).__name__}: {error}"
            return []
        return found

    async def told_of_all(self, mutant: Mutant) -> list[Problem]:
        """Give what no tenant of all says or comes to any more: `comanda check` without a name."""
        if self._usual_of_all is None:
            self._usual_of_all = set(map(_key, await self._of_all()))
        with self._written(mutant):
            found = await self._of_all()
        return [problem for problem in found if _key(problem) not in self._usual_of_all]

    async def _of_all(self) -> list[Problem]:
        shared, problems, library = Shared(screens=self._shared.screens), Problems(), self._fresh()
        seen = Seen()
        for tenant in library.tenant_ids():
            seen.merge((await check_tenant(library, tenant, shared=shared)).seen)
        seen.note(problems, is_shared=True)
        return problems.sorted()

    @contextmanager
    def _written(self, mutant: Mutant) -> Iterator[None]:
        path = self._root / mutant.file
        shipped = path.read_text("utf-8")
        path.write_text(mutant.text, "utf-8")
        try:
            yield
        finally:
            path.write_text(shipped, "utf-8")

    def _new(self, found: list[Problem], tenant: TenantId) -> list[Problem]:
        return [problem for problem in found if _key(problem) not in self._usual[tenant]]


def _key(problem: Problem) -> Told:
    return problem.span.file, problem.span.line, problem.code
