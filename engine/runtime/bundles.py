"""The bundles being served, one per tenant; a broken one never replaces a good one."""

from collections.abc import Iterable

import structlog

from engine.domain.ids import TenantId
from engine.spec.bundle import Bundle
from engine.spec.library import Library
from engine.spec.problems import Problem, SpecError

log = structlog.get_logger(__name__)


class Bundles:
    """The bundles of all tenants that have a folder, or of whom something was published.

    Args:
        library: the content folder.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._served: dict[TenantId, Bundle] = {}
        self._published: set[TenantId] = set()
        self.broken: dict[TenantId, SpecError] = {}

    @property
    def library(self) -> Library:
        """Give the content folder as it was read last."""
        return self._library

    def load(self, tenants: Iterable[TenantId] | None = None) -> None:
        """Load bundles from their folders, all if none are named.

        A tenant whose files are wrong does not stop the others: his last good bundle stays.
        """
        chosen = self._library.tenant_ids() if tenants is None else list(tenants)
        found: dict[Problem, list[TenantId]] = {}
        for tenant in chosen:
            try:
                self._take(tenant)
            except SpecError as error:
                for problem in error.problems:
                    found.setdefault(problem, []).append(tenant)
        # What is wrong in a shared file is wrong for a thousand tenants, and told once.
        for problem, hit in found.items():
            log.error("bundle.problem", tenant=hit[0], tenants=len(hit), problem=str(problem))

    def reload(self, tenant: TenantId) -> Bundle | None:
        """Load one tenant's bundle again; the last good one stays if the new one is wrong."""
        self.load([tenant])
        return self._served.get(tenant)

    def renew(self, library: Library, tenants: Iterable[TenantId] | None = None) -> None:
        """Load bundles, all if none are named, from the content folder as it is by now."""
        self._library = library
        self.load(tenants)

    def publish(self, bundle: Bundle) -> None:
        """Serve what was published, whatever the tenant's folder says."""
        self._served[bundle.tenant_id] = bundle
        self._published.add(bundle.tenant_id)
        self.broken.pop(bundle.tenant_id, None)

    def is_published(self, tenant: TenantId) -> bool:
        """Tell whether what is served of a tenant was published; else it is from his folder."""
        return tenant in self._published

    def get(self, tenant: TenantId) -> Bundle | None:
        """Give a tenant's bundle, or None if it never had a good one."""
        return self._served.get(tenant)

    def tenants(self) -> list[TenantId]:
        """Name the tenants that are served."""
        return sorted(self._served)

    def _take(self, tenant: TenantId) -> None:
        try:
            self._served[tenant] = self._library.load(tenant)
        except SpecError as error:
            self.broken[tenant] = error
            raise
        self._published.discard(tenant)
        self.broken.pop(tenant, None)
