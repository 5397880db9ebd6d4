"""The bundles being served, one per tenant; a broken one never replaces a good one."""

import structlog

from engine.domain.ids import TenantId
from engine.spec.bundle import Bundle, Library
from engine.spec.problems import SpecError

log = structlog.get_logger(__name__)


class Bundles:
    """The bundles of all tenants that have a folder."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._served: dict[TenantId, Bundle] = {}
        self.broken: dict[TenantId, SpecError] = {}

    def load(self) -> None:
        """Load every tenant's bundle; a tenant whose files are wrong does not stop the others."""
        for tenant in self._library.tenant_ids():
            self.reload(tenant)

    def reload(self, tenant: TenantId) -> Bundle | None:
        """Load one tenant's bundle again; the last good one stays if the new one is wrong."""
        try:
            self._served[tenant] = self._library.load(tenant)
            self.broken.pop(tenant, None)
        except SpecError as error:
            self.broken[tenant] = error
            for problem in error.problems:
                log.error("bundle.problem", tenant=tenant, problem=str(problem))
        return self._served.get(tenant)

    def get(self, tenant: TenantId) -> Bundle | None:
        """Give a tenant's bundle, or None if it never had a good one."""
        return self._served.get(tenant)

    def tenants(self) -> list[TenantId]:
        """Name the tenants that are served."""
        return sorted(self._served)
