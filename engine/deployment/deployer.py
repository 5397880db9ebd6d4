"""Deployment: makes Meta's Flows of a tenant what his files say.

Interrupted at any point, a second deployment finishes it. HTTP is not spoken here.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol
from weakref import WeakValueDictionary

from engine.clock import Clock
from engine.deployment.calls import FlowCalls
from engine.deployment.changes import Businesses, FlowChanges, Report
from engine.deployment.plan import Wanted, flow_key, wanted_flows, wanted_for
from engine.domain.catalog import Product
from engine.domain.ids import ProductId, TenantId
from engine.errors import EngineError
from engine.flow_ports import FlowKeys
from engine.flows.document import FlowJson
from engine.ports import Business, TenantStore
from engine.whatsapp.flow_crypto import FlowKey


class NotDeployable(EngineError):
    """Something that deploying needs is missing; the message has a line for each."""


class NoSuchProduct(EngineError):
    """A tenant sells no product of that id."""


class Content(Protocol):
    """What the tenants' files say of their Flows."""

    async def flows(self, tenant: TenantId) -> tuple[FlowJson, ...]:
        """Give a tenant's Flows, each in its first language first, or raise SpecError."""
        ...

    def flow_for(self, tenant: TenantId, product: Product) -> str | None:
        """Name the Flow that can show a product."""
        ...


@dataclass(frozen=True, slots=True)
class Deployer:
    """Deploys the Flows of tenants.

    Args:
        graph: gives Meta's calls with an access token.
        public_url: where Meta finds this server.
        is_development: the Graph API is not Meta's, and wants no TLS.
    """

    content: Content
    businesses: Businesses
    keys: FlowKeys
    stores: Callable[[TenantId], TenantStore]
    graph: Callable[[str], FlowCalls]
    clock: Clock
    public_url: str
    is_development: bool
    _locks: WeakValueDictionary[TenantId, asyncio.Lock] = field(
        default_factory=WeakValueDictionary
    )

    async def deploy(
        self, tenant: TenantId, *, product: ProductId | None = None, is_dry: bool = False
    ) -> Report:
        """Make Meta's Flows of a tenant what his files say.

        Args:
            product: only the Flow for products, for this one alone.
            is_dry: change nothing, tell what would be done.

        Raises:
            NotDeployable: something it needs is missing, or no Flow can show the product.
            NoSuchProduct: the tenant does not sell that product.
            SpecError: the files are wrong.
            GraphError: Meta does not tell what it has.
        """
        # Two at once would both find that a Flow is missing, and make it.
        async with self._locks.setdefault(tenant, asyncio.Lock()):
            return await self._deploy(tenant, product, is_dry=is_dry)

    async def _deploy(
        self, tenant: TenantId, product: ProductId | None, *, is_dry: bool
    ) -> Report:
        store = self.stores(tenant)
        business, key = await self.require(tenant)
        wanted = await self.wanted(tenant, product)
        if not wanted:
            raise NotDeployable(f"'{tenant}' has no Flow to deploy")
        run = FlowChanges(
            business,
            graph=self.graph(business.access_token),
            deployments=store.deployments,
            businesses=self.businesses,
            clock=self.clock,
            is_dry=is_dry,
        )
        await run.carry_out(wanted, key.public_pem)
        return run.report

    async def wanted(
        self, tenant: TenantId, product: ProductId | None = None
    ) -> tuple[Wanted, ...]:
        """Tell how a tenant's Flows should be at Meta, those for single products too.

        Args:
            product: only the Flow for this one alone.

        Raises:
            NotDeployable: no Flow can show the product.
            NoSuchProduct: the tenant does not sell it.
            SpecError: the files are wrong.
        """
        flows = await self.content.flows(tenant)
        if product is not None:
            return (await self._for_product(tenant, flows, product),)
        wanted = list(wanted_flows(tenant, flows, public_url=self.public_url))
        for row in await self.stores(tenant).deployments.all():
            if row.key != flow_key(row.flow, row.language):
                # A product that is not sold any more keeps its Flow as it is.
                with suppress(NoSuchProduct, NotDeployable):
                    wanted.append(await self._for_product(tenant, flows, ProductId(row.key)))
        return tuple(wanted)

    async def _for_product(
        self, tenant: TenantId, flows: Sequence[FlowJson], product_id: ProductId
    ) -> Wanted:
        product = await self.stores(tenant).catalog.get_product_by_id(product_id)
        if product is None:
            raise NoSuchProduct(f"'{tenant}' has no product '{product_id}'")
        name = self.content.flow_for(tenant, product)
        for flow in flows:
            if flow.flow == name:
                return wanted_for(tenant, flow, product_id, public_url=self.public_url)
        raise NotDeployable(f"no Flow of '{tenant}' can show the product '{product_id}'")

    async def require(self, tenant: TenantId) -> tuple[Business, FlowKey]:
        """Give a tenant's business and key.

        Raises:
            NotDeployable: something that Flows need is missing.
        """
        business, key = await self.businesses.by_tenant(tenant), await self.keys.get(tenant)
        missing = [*self.address_faults(), *business_faults(tenant, business)]
        missing += key_faults(tenant, key)
        if missing or business is None or key is None:
            raise NotDeployable("\n".join(missing))
        return business, key

    async def require_business(self, tenant: TenantId) -> Business:
        """Give a tenant's business, with which Meta can be asked.

        Raises:
            NotDeployable: something of it is missing.
        """
        business = await self.businesses.by_tenant(tenant)
        missing = list(business_faults(tenant, business))
        if missing or business is None:
            raise NotDeployable("\n".join(missing))
        return business

    def address_faults(self) -> Iterator[str]:
        """Tell what is wrong with our public address."""
        if not self.public_url:
            yield "PUBLIC_URL is not set: WhatsApp posts the exchanges of Flows to it"
        elif not self.public_url.startswith("https://") and not self.is_development:
            yield f"PUBLIC_URL is '{self.public_url}': WhatsApp wants an https:// address"


def business_faults(tenant: TenantId, business: Business | None) -> Iterator[str]:
    """Tell what a tenant's business lacks to have Flows, a sentence each."""
    if business is None:
        yield f"'{tenant}' is not in the database: run `comanda seed {tenant}`"
        return
    if not business.waba_id:
        yield (
            f"the business '{tenant}' has no wabaId: write 'waba_id', the id of its WhatsApp "
            f"account, into its tenant.yaml and run `comanda seed {tenant}`"
        )
    if not business.access_token:
        yield f"'{tenant}' has no access token: run `comanda seed {tenant} --token ...`"
    if not business.phone_number_ids:
        yield (
            f"the business '{tenant}' has no phone number: name one in its tenant.yaml and run "
            f"`comanda seed {tenant}`"
        )


def key_faults(tenant: TenantId, key: FlowKey | None) -> Iterator[str]:
    """Tell that a tenant has no key."""
    if key is None:
        yield f"'{tenant}' has no Flow key: run `comanda flows keygen {tenant}`"
