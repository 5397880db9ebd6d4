"""A check of the files as they are now; what was found before is not known here."""

from pathlib import Path

from engine.cli.check_processes import check_tenants
from engine.cli.output import log_to_stderr
from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.spec.library import Library
from engine.spec.problems import Problems
from engine.verbs import all_verbs


class Checks:
    """Checks a content folder as often as it is asked to; what is compiled stays.

    Args:
        root: the content folder.
    """

    def __init__(self, root: Path) -> None:
        log_to_stderr(level="critical")
        self._library = Library(root, all_verbs())

    def check(
        self, tenants: tuple[str, ...], problems: Problems, *, is_verbose: bool = False
    ) -> int:
        """Check tenants, all of them if none is named; tell how many they are.

        Raises:
            EngineError: there is none, or none of such a name.
        """
        library = self._library = self._library.over(self._library.root)
        chosen = [TenantId(name) for name in tenants] or library.tenant_ids()
        for tenant in chosen:
            library.require(tenant)
        if not chosen:
            raise EngineError(f"there is no tenant in {library.root / 'tenants'}")
        seen = check_tenants(library, chosen, problems, is_verbose=is_verbose)
        if not tenants:
            seen.note(problems, is_shared=True)
        return len(chosen)
