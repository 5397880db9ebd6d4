"""Deployed Flows: which of them a turn can send, and the tokens for them; nothing is sent here."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from engine.domain.catalog import Product
from engine.flow_ports import Deployment, FlowSession
from engine.flows.fit import misfit
from engine.ports import Business
from engine.runtime.flow_tokens import Tokens
from engine.spec.bundle import Bundle


class Deployed(Protocol):
    """What is needed of the tenant's deployments."""

    async def all(self) -> tuple[Deployment, ...]:
        """Give every deployment of the tenant, by key."""
        ...


class DeployedFlows:
    """The Flows of one turn's tenant: `engine.flow_ports.FlowDesk`.

    Args:
        business: gives the tenant's document, with what is deployed.
        phone_number_id: the number the customer writes to.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        business: Callable[[], Awaitable[Business | None]],
        deployments: Deployed,
        tokens: Tokens,
        phone_number_id: str,
        now: datetime,
    ) -> None:
        self.phone_number_id = phone_number_id
        self._bundle = bundle
        self._business = business
        self._deployments = deployments
        self._tokens = tokens
        self._now = now

    def misfit(self, flow: str, product: Product) -> str | None:
        """Tell why a Flow cannot show a product, or nothing if it can."""
        known = self._bundle.flows.get(flow)
        return misfit(known, product) if known else "there is no such Flow"

    async def meta_id(self, flow: str, *, product: str | None, language: str) -> str | None:
        """Give Meta's id of a Flow that can be sent now; None if there is none.

        A Flow that is deployed for the product alone comes before the one for all products.
        """
        business = await self._business()
        mapping = (business.flow_mapping if business else None) or {}
        keys = [key for key in (product, f"{flow}:{language}", flow) if key and mapping.get(key)]
        if not keys or flow not in self._bundle.flows:
            return None
        held = {d.meta_id: d for d in await self._deployments.all()}
        for key in keys:
            deployed = held.get(mapping[key])
            # One that another back end deployed is known by its mapping alone.
            if deployed is None or self._can_send(deployed, flow, language):
                return mapping[key]
        return None

    def _can_send(self, deployed: Deployment, flow: str, language: str) -> bool:
        if (deployed.flow, deployed.language) != (flow, language):
            return False
        if deployed.status == "PUBLISHED":
            return True
        is_over = deployed.held_until is not None and deployed.held_until <= self._now
        return deployed.status in ("BLOCKED", "THROTTLED") and is_over

    def token(self, session: FlowSession) -> str:
        """Give the `flow_token` of a session."""
        return self._tokens.sign(session)
