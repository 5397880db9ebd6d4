"""What a tenant's files say of his Flows, compiled: `engine.deployment.deployer.Content`."""

from collections.abc import Callable
from dataclasses import dataclass, field

from engine.domain.catalog import Product
from engine.domain.ids import TenantId
from engine.flows.document import FlowJson
from engine.flows.fit import misfit
from engine.flows.rehearsal import compile_flows
from engine.spec.bundle import Bundle
from engine.spec.problems import Problems


@dataclass(frozen=True, slots=True)
class FlowContent:
    """The tenants' Flows.

    Args:
        bundle: gives a tenant's bundle, or raises EngineError.
    """

    bundle: Callable[[TenantId], Bundle]
    _made: dict[TenantId, tuple[str, tuple[FlowJson, ...]]] = field(default_factory=dict)

    async def flows(self, tenant: TenantId) -> tuple[FlowJson, ...]:
        """Give a tenant's Flows, each in its first language first.

        Raises:
            SpecError: one of them breaks a limit of WhatsApp.
        """
        bundle, problems = self.bundle(tenant), Problems()
        digest, made = self._made.get(tenant, ("", ()))
        # Compiling takes half a second, in which nothing else is answered.
        if digest != bundle.digest:
            made = await compile_flows(bundle, problems)
            problems.raise_if_any()
            self._made[tenant] = bundle.digest, made
        return made

    def flow_for(self, tenant: TenantId, product: Product) -> str | None:
        """Name the Flow that can show a product."""
        flows = self.bundle(tenant).flows.values()
        fitting = (flow.id for flow in flows if flow.takes and misfit(flow, product) is None)
        return next(fitting, None)
