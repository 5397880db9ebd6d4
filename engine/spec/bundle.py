"""A bundle: all that one tenant's conversations are run with, checked and merged."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.domain.ids import TenantId
from engine.domain.tenant import Tenant
from engine.spec.chart import Chart
from engine.spec.flow import Flow
from engine.spec.message import Vocabulary


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything one tenant's conversations are run with.

    Args:
        vocabularies: by language, the tenant's default language first.
        flows: its WhatsApp Flows by id.
        digest: names the content; two bundles of one digest behave alike.
    """

    tenant_id: TenantId
    tenant: Tenant
    chart: Chart
    vocabularies: Mapping[str, Vocabulary]
    digest: str
    flows: Mapping[str, Flow] = field(default_factory=dict)

    def vocabulary(self, language: str) -> Vocabulary:
        """Give the words of a language, else of the tenant's default one."""
        found = self.vocabularies.get(language)
        return found or self.vocabularies[self.tenant.languages[0]]
