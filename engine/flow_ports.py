"""What the engine needs of a database for WhatsApp Flows, as protocols and their values.

The adapters live in `engine.storage`; Flows at Meta are `engine.deployment`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from engine.domain.catalog import Product
from engine.domain.ids import CustomerKey, TenantId
from engine.whatsapp.flow_crypto import FlowKey

FlowStatus = Literal["DRAFT", "PUBLISHED", "DEPRECATED", "BLOCKED", "THROTTLED"]


@dataclass(frozen=True, slots=True)
class FlowSession:
    """A Flow that a customer was sent: what it is bound to, and how far he has come in it.

    Args:
        id: 32 random hexadecimal digits; the `flow_token` carries it, signed.
        flow: id of the Flow.
        language: the Flow's, and of the texts it shows.
        input: what it was opened with, such as `{"product": "prod:margherita"}`.
        phone_number_id: the business number that sent it.
        version: counts its exchanges; two exchanges from one version cannot both be saved.
        trail: the screens he has seen, the current one last.
        variables: what its actions noted: plain values only.
        answered: by screen, the digest of what he sent from it last.
        state: "done" once its outcome is in the chat.
        params: its outcome, as far as it is known; final once it is done.
    """

    id: str
    tenant: TenantId
    customer: CustomerKey
    flow: str
    language: str
    input: Mapping[str, Any]
    phone_number_id: str
    created_at: datetime
    expires_at: datetime
    version: int = 0
    trail: tuple[str, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    answered: Mapping[str, str] = field(default_factory=dict)
    state: Literal["open", "done"] = "open"
    params: Mapping[str, Any] | None = None

    @property
    def bound(self) -> dict[str, Any]:
        """Give what it was opened with that its outcome cannot change: the product."""
        product = self.input.get("product")
        return {} if product is None else {"product": product}


@dataclass(frozen=True, slots=True)
class Deployment:
    """A Flow of a tenant as it is at Meta.

    Args:
        key: its key in `fbFlowMapping`: `<flow>:<language>`, or a product's id for a Flow that
            is deployed for this product alone.
        flow: id of the Flow.
        meta_id: Meta's id of it.
        name: Meta's name of it, unique in the WhatsApp account.
        digest: of the Flow JSON that was uploaded.
        endpoint: the address WhatsApp posts its exchanges to.
        held_until: it is not sent before this, because Meta blocks or throttles it.
    """

    tenant: TenantId
    key: str
    flow: str
    language: str
    meta_id: str
    name: str
    digest: str
    endpoint: str
    status: FlowStatus
    updated_at: datetime
    held_until: datetime | None = None


class FlowSessionRepository(Protocol):
    """The Flow sessions of one tenant."""

    async def get(self, session_id: str) -> FlowSession | None:
        """Give a session, expired or not."""
        ...

    async def save(self, session: FlowSession) -> None:
        """Write a session whose `version` was raised by one; its state must be open still.

        Raises:
            Conflict: another exchange was faster, or it is done.
        """
        ...

    async def token_of(self, wamid: str) -> str | None:
        """Give the `flow_token` of the Flow message that Meta calls so."""
        ...


class DeploymentRepository(Protocol):
    """The Flows of one tenant at Meta."""

    async def all(self) -> tuple[Deployment, ...]:
        """Give every deployment of the tenant, by key."""
        ...

    async def save(self, deployment: Deployment) -> None:
        """Write a deployment; there is one per key."""
        ...

    async def hold(
        self, meta_id: str, *, status: FlowStatus, until: datetime | None, at: datetime
    ) -> bool:
        """Note what Meta said of a Flow; tell whether it is known here."""
        ...


class FlowDesk(Protocol):
    """What a turn needs to send a Flow: which Flows there are, and tokens for them."""

    phone_number_id: str

    def misfit(self, flow: str, product: Product) -> str | None:
        """Tell why a Flow cannot show a product, or nothing if it can."""
        ...

    async def meta_id(self, flow: str, *, product: str | None, language: str) -> str | None:
        """Give Meta's id of a Flow that can be sent now; None if there is none."""
        ...

    def token(self, session: FlowSession) -> str:
        """Give the `flow_token` of a session."""
        ...


class FlowKeys(Protocol):
    """The tenants' private keys for Flow exchanges."""

    async def get(self, tenant: TenantId) -> FlowKey | None:
        """Give a tenant's key, parsed once; the one for all tenants if it has none of its own."""
        ...

    async def renew(self, tenant: TenantId) -> FlowKey | None:
        """Give it as it is stored now: another process may have replaced it."""
        ...

    async def save(self, tenant: TenantId, key: FlowKey) -> None:
        """Store a tenant's key, sealed."""
        ...
