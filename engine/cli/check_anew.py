"""A check of the files as they are now; of tenants whose files have not changed it is known."""

from pathlib import Path

from engine.authoring.check import Shared
from engine.cli.check_memory import CheckMemory, Found
from engine.cli.check_processes import check_in_processes, check_tenants
from engine.cli.output import log_to_stderr
from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.rehearsal.unseen import Seen
from engine.spec.library import Library
from engine.spec.problems import Problems
from engine.verbs import all_verbs


class Checks:
    """Checks a content folder as often as it is asked to; what is compiled stays.

    Args:
        root: the content folder.
        memory: of what was found before.
        is_anew: nothing is taken from the memory.
        is_watching: it will be asked again after small edits: the walks are kept for these.
    """

    def __init__(
        self, root: Path, memory: CheckMemory, *, is_anew: bool = False, is_watching: bool = False
    ) -> None:
        log_to_stderr(level="critical")
        self._library = Library(root, all_verbs())
        self._memory = memory
        self._is_anew = is_anew
        self._is_watching = is_watching
        self._shared = Shared()

    def check(self, tenants: tuple[str, ...], *, is_verbose: bool = False) -> Found:
        """Check tenants, all of them if none is named.

        Raises:
            EngineError: there is none, or none of such a name.
        """
        library = self._library = self._library.over(self._library.root)
        known_ids = library.tenant_ids()
        chosen = [TenantId(name) for name in dict.fromkeys(tenants)] or known_ids
        for tenant in chosen:
            if tenant not in known_ids:
                library.require(tenant)
        if not chosen:
            raise EngineError(f"there is no tenant in {library.root / 'tenants'}")
        problems, seen = Problems(), Seen()
        for found in self._found(chosen, is_verbose=is_verbose):
            problems.found |= found.problems.found
            seen.merge(Seen.of(found.seen or {}))
        if not tenants:
            seen.note(problems, is_shared=True)
        return Found(problems, len(chosen))

    def _found(self, tenants: list[TenantId], *, is_verbose: bool) -> list[Found]:
        keys = self._memory.keys_of(tenants, is_verbose)
        known = {} if self._is_anew else self._memory.recall_all(keys)
        left = [tenant for tenant in tenants if tenant not in known]
        if self._is_watching:
            self._shared = self._shared.next_check()
            made = check_tenants(self._library, left, self._shared, is_verbose=is_verbose)
        else:
            made = check_in_processes(self._library, left, is_verbose=is_verbose)
        # What was saved meanwhile may have been read, or not.
        now = self._memory.keys_of(left, is_verbose) if left else {}
        for tenant, told in made.items():
            found = known[tenant] = Found(told.problems, 1, told.seen.written())
            if told.stands_alone and now[tenant] == keys[tenant]:
                self._memory.keep(keys[tenant], found, tenant)
        return [known[tenant] for tenant in tenants]
